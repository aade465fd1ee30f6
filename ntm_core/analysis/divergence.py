"""Where two traces first part: the step, the stage of the computation, the head, and by how much.

The stages of a step are asked in the order in which it computes them: the inputs, what is asked of the heads, the four
stages of addressing, what is written, what is read, the output. Two numbers differ if they are more than `tolerance`
apart, or if one of them is NaN.

Rows of B may be matched to those of A first (`ntm_core.analysis.matching`). Where the rows run the other way round, the
entries of B's shift weightings do too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntm_core.errors import AnalysisError
from ntm_core.trace import Array, Trace

TOLERANCE = 1e-6

STAGES = (
    "inputs",
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
"""The arrays of a step that are compared, in this order."""

_HEAD_AXES = ("head", "read_head", "write_head")


@dataclass(frozen=True)
class Divergence:
    """Where two traces first differ.

    Attributes:
        step: index of the step, from 0.
        stage: name of the array.
        head: index on the head axis of the head that differs most there; None where no head is concerned.
        head_name: its name.
        difference: the largest |Δ| of that stage and head; None where a number stands against NaN.
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


def divergence(a: Trace, b: Trace, rows: NDArray[np.int64] | None = None, tolerance: float = TOLERANCE) -> Comparison:
    """The first difference over the common steps; stages of other shapes are skipped, and named.

    AnalysisError if the rows are not a permutation of B's locations, or the tolerance is negative.
    """
    if not tolerance >= 0:
        raise AnalysisError(f"the tolerance is {tolerance}: it must be at least 0")
    if rows is not None and sorted(rows) != list(range(b.header.config.memory_size)):
        raise AnalysisError(f"the rows must name each of B's {b.header.config.memory_size} locations once")
    steps = min(len(a), len(b))
    skipped = tuple(stage for stage in STAGES if a[stage].shape[1:] != b[stage].shape[1:])
    found = [_first(a, b, stage, rows, tolerance, steps) for stage in STAGES if stage not in skipped]
    parted = [divergence for divergence in found if divergence is not None]
    first = min(parted, key=lambda divergence: divergence.step, default=None)
    return Comparison(steps, tolerance, skipped, first)


def is_mirrored(rows: NDArray[np.int64]) -> bool:
    """Whether the rows run the other way round the circle."""
    return len(rows) > 2 and bool((np.diff(rows) % len(rows) == len(rows) - 1).all())


def _first(
    a: Trace, b: Trace, stage: str, rows: NDArray[np.int64] | None, tolerance: float, steps: int
) -> Divergence | None:
    """The first step at which one stage differs."""
    axes = a.axes(stage)[1:]
    apart = _apart(a[stage][:steps], _matched(b[stage][:steps], axes, rows))
    by_head = bool(axes) and axes[0] in _HEAD_AXES
    apart = apart.reshape(steps, apart.shape[1] if by_head else 1, -1).max(-1)
    differing = np.flatnonzero((apart > tolerance).any(-1))
    if not len(differing):
        return None
    step = int(differing[0])
    most = int(apart[step].argmax())
    head = (most + (a.header.config.read_heads if axes[0] == "write_head" else 0)) if by_head else None
    name = None if head is None else a.header.heads[head].name
    size = float(apart[step, most])
    return Divergence(step, stage, head, name, size if np.isfinite(size) else None)


def _matched(array: Array, axes: tuple[str, ...], rows: NDArray[np.int64] | None) -> Array:
    """An array of B in the order of A's locations."""
    if rows is None:
        return array
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
