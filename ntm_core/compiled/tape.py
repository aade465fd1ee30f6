"""The tape of a backward pass as a trace: what training keeps of each step is all that a record holds, but for w^g_t.

The gated weighting is computed again, to the same bits; everything else is copied.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ntm_core.compiled.addressing import gated_weighting
from ntm_core.compiled.buffers import Block
from ntm_core.compiled.intrinsics import at, kernel_entry, off, sources_fingerprint
from ntm_core.compiled.layout import NUMBER_BYTES, Copied, Records, Sizes, Span, as_record
from ntm_core.compiled.parameters import value_head
from ntm_core.compiled.plan import Plan
from ntm_core.compiled.recorded_run import places
from ntm_core.compiled.records import Copies, copy_field, record_outputs

Array = NDArray[Any]


def tape_of(logits: Tensor) -> tuple[Plan, Block] | None:
    """The plan and the buffers that logits of the compiled core keep for `backward()`; None for all others."""
    node: Any = logits.grad_fn
    plan, block = getattr(node, "plan", None), getattr(node, "block", None)
    return (plan, block) if isinstance(plan, Plan) and isinstance(block, Block) else None


def fill_records(plan: Plan, block: Block, sequence: int, records: Array) -> None:
    """Fill the records, (step,), of one sequence of the batch; they hold no memory that a step found."""
    s = plan.sizes
    offsets = {name: field[1] // NUMBER_BYTES for name, field in (records.dtype.fields or {}).items()}
    rows, steps = [], []
    for name, (buffer, first, width, stride, count) in places(s).items():
        if name in offsets and buffer not in ("gated", "hidden", "cells"):
            size = block.layout.strides[buffer][1]
            after = s.batch if buffer in ("weighting", "reads") else 0
            source = _address(block, buffer, (after + sequence) * size + first)
            rows.append(Copied(offsets[name], source, width, stride, count))
            steps.append(s.batch * size)
    for name, buffer in (("hidden", "hidden"), ("cell", "cells")):
        if name in offsets:
            source, layer = _address(block, buffer, (s.batch + sequence) * s.units), (s.steps + 1) * s.batch * s.units
            rows.append(Copied(offsets[name], source, s.units, layer, s.layers))
            steps.append(s.batch * s.units)
    span = Span(0, s.steps, 0, 0, records=records.ctypes.data, length=records.dtype.itemsize // NUMBER_BYTES)
    span = span._replace(outputs=offsets["outputs"], logits=offsets["logits"])
    by_head = sequence * s.heads * s.row
    sources = [
        _address(block, "logits", sequence * s.output_stride),
        *(_address(block, name, by_head) for name in ("content", "weighting")),
        _address(block, "values", sequence * s.values),
    ]
    copy_tape(
        plan.sizes_record,
        plan.choices_record,
        as_record(span),
        np.array(rows, np.int64),
        np.array(steps, np.int64),
        np.array(sources, np.int64),
        offsets["gated_weighting"],
    )


def initial_parts(plan: Plan, block: Block, sequence: int) -> dict[str, Array]:
    """The state before step 1 of one sequence, by the names of a trace's initial fields."""
    s: Sizes = plan.sizes
    parts = {
        "initial_memory": block["kept_memory"][0, sequence, :, : s.locations].mT,
        "initial_weighting": block["weighting"][0, sequence, :, : s.locations],
        "initial_read_vector": block["reads"][0, sequence].view(s.read_heads, s.words),
        "initial_hidden": block["hidden"][:, 0, sequence],
        "initial_cell": block["cells"][:, 0, sequence],
    }
    return {name: part.numpy() for name, part in parts.items()}


def _address(block: Block, buffer: str, number: int) -> int:
    return block.numbers.data_ptr() + NUMBER_BYTES * (block.layout.starts[buffer] + number)


def _compile_for(sources: str) -> Callable[..., None]:
    """As `kernel.compile_for`."""

    @kernel_entry
    def copy_tape(
        sizes: Records,
        choices: Records,
        spans: Records,
        copies: Copies,
        step_lengths: Any,
        starts: Any,
        gated_at: int,
    ) -> None:
        s, c, p = sizes[0], choices[0], spans[0]
        _ = sources
        for t in range(s.steps):
            row = at(p.records, t * p.length)
            record_outputs(s, c, at(starts[0], t * s.batch * s.output_stride), row, p)
            for field in range(len(copies)):
                copy_field(row, copies, field, at(copies[field, 1], t * step_lengths[field]))
            place, values = t * s.batch * s.heads * s.row, at(starts[3], t * s.batch * s.values)
            for head in range(s.heads):
                content, previous = at(starts[1], place + head * s.row), at(starts[2], place + head * s.row)
                gate = off(values, head * value_head(s) + s.words + 1)[0]
                gated_weighting(content, previous, gate, off(row, gated_at + head * s.locations), s.locations)

    return copy_tape


copy_tape = _compile_for(sources_fingerprint())
