"""What each head did at each step, measured: it jumped by content, shifted, held, or something mixed.

The split. Equations 3 and 4 are linear, so w~ is the sum of two parts, each convolved with the shift weighting s_t:

    content part:  the convolution of g w^c          location part:  the convolution of (1 − g) w_{t−1}

with the w_{t−1} of eq. 3, which for a write head may be that of a read head. `content_share` is what the content part
sums to, of both parts together; `location_share` is the rest. This is exact, and before the sharpening of eq. 5.

The rules. A weighting is *peaked* if at least half of it lies on one location, its *focus* (`focus.PEAKED`). Asked in
this order, of w_{t−1} and w_t:

1. `hold`: at most a tenth of the weighting moved, ½ Σ |w_t − w_{t−1}| ≤ `HELD` with both scaled to sum to 1; the head
   is where it was, whatever brought it there and whether it is peaked or not: the weightings alone tell.
2. `unknown`: a number that all else needs is NaN, as it may be in an uploaded trace.
3. `content jump`: w_t is peaked, and of w~ at its focus at least half is content part.
4. `shift −1`, `shift 0`, `shift +1` and so on up to ±R: w_{t−1} and w_t are peaked, the foci lie so far apart, and of
   w~ at the new focus more than half is location part. With `shift 0` the focus stayed while the weighting became
   wider or narrower.
5. `mixed`: everything else, such as a weighting without a focus.

Where an intervention replaced w_t by w^c_t, so that they are equal and eq. 5 does not make w_t of w~, all of it came
through content. Where one set w~, it need not be the sum of the two parts: `remainder` is the share of w~ that is not,
0 but for rounding in a machine that was left alone. In a machine that addresses last, an operation is that of the
addressing in this step, with which it reads and writes in the next.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntm_core.analysis.focus import Floats, displacement, focus, peaked
from ntm_core.config import ShiftEdge
from ntm_core.trace import Trace

UNKNOWN, HOLD, CONTENT_JUMP, MIXED = "unknown", "hold", "content jump", "mixed"
HELD = 0.1
"""The share of a weighting that may move while its head still holds."""

_BY_CONTENT = 0.5
_REPLACED = 1e-3


@dataclass(frozen=True)
class Addressing:
    """One or many addressings: leading axes are free, `location` has N entries and `shift` one for each of `shifts`.

    Attributes:
        previous: w_{t-1} of eq. 3, (..., location).
        content_weighting: w^c, (..., location).
        interpolation_gate: g, (...).
        shift_weighting: s, (..., shift).
        sharpening: γ, (...).
        shifted_weighting: w~, (..., location).
        weighting: w, (..., location).
        shifts: the offset that each entry of s stands for.
        edge: what lies beyond the first and last location.
    """

    previous: Floats
    content_weighting: Floats
    interpolation_gate: Floats
    shift_weighting: Floats
    sharpening: Floats
    shifted_weighting: Floats
    weighting: Floats
    shifts: tuple[int, ...]
    edge: ShiftEdge = "circular"


@dataclass(frozen=True)
class Operations:
    """What was done, each array of the addressings' leading axes, for a trace (step, head).

    Attributes:
        operation: the name of the operation; `operation_names` lists them.
        displacement: from the focus of w_{t-1} to that of w_t, the nearer way round, forward positive.
        content_share: the share of w~ that came through content, in [0, 1] for a gate there; NaN where w~ is nothing.
        location_share: 1 − content_share.
        remainder: the share of w~ that eq. 3 and 4 do not explain.
    """

    operation: NDArray[np.str_]
    displacement: NDArray[np.int64]
    content_share: NDArray[np.float64]
    location_share: NDArray[np.float64]
    remainder: NDArray[np.float64]


def operation_names(shifts: tuple[int, ...]) -> tuple[str, ...]:
    """Every operation of a head with these shifts, in the order in which a table shows them."""
    return (CONTENT_JUMP, *(shift_name(shift) for shift in shifts), HOLD, MIXED, UNKNOWN)


def shift_name(shift: int) -> str:
    """The operation that moves the focus by so many locations: "shift −1", "shift 0", "shift +1"."""
    return f"shift {'−' if shift < 0 else '+' if shift > 0 else ''}{abs(shift)}"


def parts(addressing: Addressing) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The content part and the location part of w~, (..., location) each: they sum to w~ of eq. 4."""
    gate = addressing.interpolation_gate.astype(np.float64)[..., None]
    through_content = gate * addressing.content_weighting
    through_location = (1 - gate) * addressing.previous
    return _convolved(through_content, addressing), _convolved(through_location, addressing)


def operations(addressing: Addressing) -> Operations:
    """What was done in each of these addressings, by the rules at the top of this module."""
    with np.errstate(invalid="ignore", divide="ignore"):
        content, location = parts(addressing)
        replaced = _is_content(addressing)[..., None]
        content = np.where(replaced, addressing.content_weighting, content)
        location = np.where(replaced, 0.0, location)
        explained = np.where(replaced, addressing.content_weighting, addressing.shifted_weighting).astype(np.float64)
        whole = content.sum(-1) + location.sum(-1)
        content_share = np.where(whole > 0, content.sum(-1) / whole, np.nan)
        remainder = np.abs(explained - content - location).sum(-1) / np.abs(explained).sum(-1)
        was, now = focus(addressing.previous), focus(addressing.weighting)
        moved = displacement(was, now, addressing.weighting.shape[-1], addressing.edge)
        operation = _named(addressing, content, location, moved)
    return Operations(operation, moved, content_share, 1 - content_share, remainder)


def operations_of(trace: Trace) -> Operations:
    """What each head of a trace did at each step: (step, head)."""
    return operations(addressing_of(trace))


def addressing_of(trace: Trace) -> Addressing:
    """The addressings of a trace, (step, head) leading."""
    return Addressing(
        previous_weighting(trace),
        trace["content_weighting"],
        trace["interpolation_gate"],
        trace["shift_weighting"],
        trace["sharpening"],
        trace["shifted_weighting"],
        trace["weighting"],
        trace.header.shifts,
        trace.header.config.shift_edge,
    )


def previous_weighting(trace: Trace) -> Floats:
    """The w_{t-1} that each head of a trace interpolates with in eq. 3, (step, head, location)."""
    config = trace.header.config
    before = np.concatenate([trace["initial_weighting"][None], trace["weighting"][:-1]])
    return before if config.previous_weighting == "own" else before[:, borrowed_heads(config.read_heads, config.heads)]


def borrowed_heads(read_heads: int, heads: int) -> NDArray[np.int64]:
    """Whose previous weighting each head takes where write heads take that of the read head of their number."""
    index = np.arange(heads)
    return np.where(index < read_heads, index, index - read_heads)


def _named(addressing: Addressing, content: Floats, location: Floats, moved: NDArray[np.int64]) -> NDArray[np.str_]:
    """The operations' names."""
    now = focus(addressing.weighting)[..., None]
    here, there = np.take_along_axis(content, now, -1)[..., 0], np.take_along_axis(location, now, -1)[..., 0]
    sharp = peaked(addressing.weighting) & (here + there > 0)
    by_content = here >= _BY_CONTENT * (here + there)
    shifted = sharp & ~by_content & peaked(addressing.previous)
    rules: list[tuple[Any, str]] = [(_moved_share(addressing) <= HELD, HOLD)]
    rules += [
        (np.isnan(addressing.weighting + content + location).any(-1), UNKNOWN),
        (sharp & by_content, CONTENT_JUMP),
    ]
    rules += [(shifted & (moved == shift), shift_name(shift)) for shift in addressing.shifts]
    return np.select([holds for holds, _ in rules], [name for _, name in rules], MIXED)


def _is_content(addressing: Addressing) -> NDArray[np.bool_]:
    """Whether w is w^c although eq. 5 makes something else of w~: an intervention replaced it."""
    same = (addressing.weighting == addressing.content_weighting).all(-1)
    shifted = addressing.shifted_weighting.astype(np.float64)
    powers = (shifted / shifted.max(-1, keepdims=True)) ** addressing.sharpening[..., None]
    apart = np.abs(powers / powers.sum(-1, keepdims=True) - addressing.weighting).max(-1)
    return same & (apart > _REPLACED)


def _moved_share(addressing: Addressing) -> NDArray[np.float64]:
    """How much of the weighting lies elsewhere than before, in [0, 1]; NaN where one of both sums to nothing."""
    before, after = (
        weighting / weighting.sum(-1, keepdims=True, dtype=np.float64)
        for weighting in (addressing.previous, addressing.weighting)
    )
    return np.abs(after - before).sum(-1) / 2


def _convolved(weighting: NDArray[np.float64], addressing: Addressing) -> NDArray[np.float64]:
    """Eq. 4: each focus moved by every shift, weighted by s."""
    moved = np.zeros(weighting.shape)
    for tap, shift in enumerate(addressing.shifts):
        weight = addressing.shift_weighting[..., tap, None].astype(np.float64)
        moved += weight * _moved(weighting, shift, addressing.edge)
    return moved


def _moved(weighting: NDArray[np.float64], shift: int, edge: ShiftEdge) -> NDArray[np.float64]:
    if edge == "circular":
        return np.roll(weighting, shift, -1)
    size = weighting.shape[-1]
    kept = np.zeros_like(weighting)
    if abs(shift) < size:
        kept[..., max(0, shift) : size + min(0, shift)] = weighting[..., max(0, -shift) : size - max(0, shift)]
    return kept
