"""Where two traces first part: the step, the stage of the computation, the head, and by how much.

The stages of a step are asked in the order in which it computes them: the inputs, the memory that it finds, what is
asked of the heads, the four stages of addressing, what is written, what is read, the output. Two numbers differ if they
are more than `tolerance` apart, or if one of them is NaN.

What a step finds follows from what the steps before it wrote. So the weightings before it are asked at the first step
alone, and the memory there and wherever an intervention of either trace changes it; but at every step where two
machines make different memories of what they write, as in another order of writing. Neither is asked where one of the
traces, from another program, does not know it.

Rows of B may be matched to those of A first (`ntm_core.analysis.matching`). Where the rows run the other way round, the
entries of B's shift weightings do too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntm_core.analysis.alignment import common_steps
from ntm_core.errors import AnalysisError
from ntm_core.trace import Array, Trace

TOLERANCE = 1e-6

STAGES = (
    "inputs",
    "memory",
    "weighting_before",
    "key",
    "key_strength",
    "interpolation_gate",
    "shift_weighting",
    "sharpening",
    "content_weighting",
    "gated_weighting",
    "shifted_weighting",
    "weighting",
    "erase_vector",
    "add_vector",
    "read_vector",
    "outputs",
)
"""What is compared of a step, in this order: arrays of its record, and the memory and the weightings before it."""

_BEFORE = {"memory": "initial_memory", "weighting_before": "initial_weighting"}
"""What a step finds, and the array that the first step finds."""

_WRITTEN = ("weighting", "erase_vector", "add_vector")
"""What a memory is made of."""

_WRITING = ("write_order", "step_order", "head_order", "head_roles", "schedule")
"""The choices that say how."""

_HEAD_AXES = ("head", "read_head", "write_head")


@dataclass(frozen=True)
class Divergence:
    """Where two traces first differ.

    Attributes:
        step: index of the step of A, from 0.
        stage: one of `STAGES`.
        head: index on the head axis of the head that differs most there; None where no head is concerned.
        head_name: its name.
        difference: the largest |Δ| of that stage and head; None where a number stands against NaN or infinity.
    """

    step: int
    stage: str
    head: int | None
    head_name: str | None
    difference: float | None


@dataclass(frozen=True)
class Comparison:
    """What was compared of two traces, and where they first part: None if they do not."""

    steps: int
    tolerance: float
    skipped: tuple[str, ...]
    first: Divergence | None


def divergence(
    a: Trace, b: Trace, rows: NDArray[np.int64] | None = None, tolerance: float = TOLERANCE, offset: int = 0
) -> Comparison:
    """The first difference over the common steps; stages of other shapes are skipped, and named.

    Step t + `offset` of B stands beside step t of A.
    AnalysisError if the rows are not a permutation of B's locations, or the tolerance is negative.
    """
    if not tolerance >= 0:
        raise AnalysisError(f"the tolerance is {tolerance}: it must be at least 0")
    if rows is not None and sorted(rows) != list(range(b.header.config.memory_size)):
        raise AnalysisError(f"the rows must name each of B's {b.header.config.memory_size} locations once")
    common = common_steps(a, b, offset)
    skipped = tuple(stage for stage in STAGES if _shape(a, stage) != _shape(b, stage))
    found = [_first(a, b, stage, rows, tolerance, common, offset) for stage in STAGES if stage not in skipped]
    parted = [divergence for divergence in found if divergence is not None]
    first = min(parted, key=lambda divergence: divergence.step, default=None)
    return Comparison(len(common), tolerance, skipped, first)


def is_mirrored(rows: NDArray[np.int64]) -> bool:
    """Whether the rows run the other way round the circle."""
    return len(rows) > 2 and bool((np.diff(rows) % len(rows) == len(rows) - 1).all())


def _axes(trace: Trace, stage: str) -> tuple[str, ...]:
    """The axes of a stage in one step."""
    return trace.axes(_BEFORE[stage]) if stage in _BEFORE else trace.axes(stage)[1:]


def _shape(trace: Trace, stage: str) -> tuple[int, ...]:
    return trace[_BEFORE[stage]].shape if stage in _BEFORE else trace[stage].shape[1:]


def _first(
    a: Trace, b: Trace, stage: str, rows: NDArray[np.int64] | None, tolerance: float, common: range, offset: int
) -> Divergence | None:
    """The first step at which one stage differs."""
    axes = _axes(a, stage)
    by_head = bool(axes) and axes[0] in _HEAD_AXES
    for steps, first, second in _side_by_side(a, b, stage, common, offset):
        if stage in _BEFORE and (np.isnan(first).all() or np.isnan(second).all()):
            continue
        apart = _apart(first, _matched(second, axes, rows))
        apart = apart.reshape(len(steps), apart.shape[1] if by_head else 1, -1).max(-1)
        differing = np.flatnonzero((apart > tolerance).any(-1))
        if len(differing):
            place = int(differing[0])
            most = int(apart[place].argmax())
            head = (most + (a.header.config.read_heads if axes[0] == "write_head" else 0)) if by_head else None
            name = None if head is None else a.header.heads[head].name
            size = float(apart[place, most])
            return Divergence(steps[place], stage, head, name, size if np.isfinite(size) else None)
    return None


def _side_by_side(
    a: Trace, b: Trace, stage: str, common: range, offset: int
) -> Iterator[tuple[Sequence[int], Array, Array]]:
    """Steps of A at which a stage is compared, with the numbers of both, (step, …); the earlier ones first."""
    if not common:
        return
    if stage == "weighting_before":
        yield common[:1], _weighting_before(a, common[0])[None], _weighting_before(b, common[0] + offset)[None]
    elif stage == "memory":
        steps = _where_memory_may_part(a, b, common, offset)
        found = zip(steps, a.memories_found(steps), b.memories_found([step + offset for step in steps]), strict=True)
        yield from (((step,), first[None], second[None]) for step, first, second in found)
    else:
        yield common, a[stage][common.start : common.stop], b[stage][common.start + offset : common.stop + offset]


def _weighting_before(trace: Trace, step: int) -> Array:
    """w_{t-1} of all heads, (head, location)."""
    found: Array = trace["weighting"][step - 1] if step else trace["initial_weighting"]
    return found


def _where_memory_may_part(a: Trace, b: Trace, common: range, offset: int) -> Sequence[int]:
    """The first step, and those at which an intervention changes the memory of either; all if they write otherwise."""
    if any(_shape(a, stage) != _shape(b, stage) for stage in _WRITTEN) or _writing(a) != _writing(b):
        return common
    edits = [(asked, 0) for asked in a.header.interventions] + [(asked, offset) for asked in b.header.interventions]
    edits = [(asked, late) for asked, late in edits if asked.quantity == "memory"]
    return [step for step in common if step == common[0] or any(asked.acts_at(step + late) for asked, late in edits)]


def _writing(trace: Trace) -> tuple[object, ...]:
    """How a machine makes a memory of what it writes."""
    return tuple(getattr(trace.header.config, choice) for choice in _WRITING)


def _matched(array: Array, axes: tuple[str, ...], rows: NDArray[np.int64] | None) -> Array:
    """An array of B, (step, …), in the order of A's locations."""
    if rows is None:
        return array
    if axes[0] == "location":
        return array[:, rows]
    if axes[-1] == "location":
        return array[..., rows]
    return array[..., ::-1] if axes[-1] == "shift" and is_mirrored(rows) else array


def _apart(a: Array, b: Array) -> NDArray[np.float64]:
    """|A − B| in float64: 0 where both are NaN or the same infinity, infinite where only one is NaN."""
    first, second = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.abs(first - second)
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
