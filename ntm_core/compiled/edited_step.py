"""One step of a recorded run in parts, with an editor's changes between them: as `Machine.step` asks an editor."""

from collections.abc import Iterator

import torch

from ntm_core.compiled.layout import CONTENT, READ, part_of, parts_of
from ntm_core.compiled.recorded_run import RecordedRun
from ntm_core.interventions import StepEditor
from ntm_core.interventions.quantities import STAGES, Quantity

_ASKED: tuple[Quantity, ...] = (
    *("key", "key_strength", "interpolation_gate", "shift_weighting", "sharpening"),
    *("erase_vector", "add_vector"),
)

Cut = tuple[int, Quantity, slice | None]
"""Before this part a quantity of these heads, all if None, may be changed."""


def changes_more_than_inputs(editor: StepEditor | None) -> bool:
    """Whether anything is changed but what the machine is shown, which is known before it runs."""
    return editor is not None and any(quantity != "inputs" for quantity in editor.acting)


@torch.inference_mode()
def compute_edited(run: RecordedRun, step: int, editor: StepEditor, read_heads: int) -> None:
    """Compute and record one step, with each quantity as the editor leaves it."""
    if "memory" in editor.acting and _edit(run, editor, "memory", None):
        run.measure()
    begin, end = 0, parts_of(len(run.groups))
    for part, quantity, heads in _cuts(run, read_heads):
        if quantity not in editor.acting:
            continue
        if begin < part:
            run.compute(step, step + 1, (begin, part))
            begin = part
        _edit(run, editor, quantity, heads)
    run.compute(step, step + 1, (begin, end))


def _cuts(run: RecordedRun, read_heads: int) -> Iterator[Cut]:
    """Where a step can be cut, in the order in which the machine computes it."""
    for quantity in _ASKED:
        yield 1, quantity, None
    for group, (first, last) in enumerate(run.groups.tolist()):
        for stage, quantity in enumerate(STAGES, start=CONTENT):
            yield part_of(group, stage) + 1, quantity, slice(first, last)
        if first < read_heads:
            yield part_of(group, READ) + 1, "read_vector", slice(first, min(last, read_heads))


def _edit(run: RecordedRun, editor: StepEditor, quantity: Quantity, heads: slice | None) -> bool:
    """Let the editor change a quantity; whether it did."""
    own = run.quantity(quantity, heads)
    earlier = STAGES[: STAGES.index(quantity)] if quantity in STAGES else ()
    edited = editor.edit(quantity, own, heads, {stage: run.quantity(stage, heads) for stage in earlier})
    if edited is own:
        return False
    own.copy_(edited)
    return True
