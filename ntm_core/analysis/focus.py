"""Where a weighting lies: its peak, whether it has one worth the name, and how far it moved. Leading axes are free."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntm_core.config import ShiftEdge

PEAKED = 0.5
"""The share of a weighting that must lie on one location for that location to be its focus."""

ROUNDING = 1e-5
"""How far the sum of a weighting may be from 1 by rounding alone."""

Floats = NDArray[np.floating[Any]]


def focus(weighting: Floats) -> NDArray[np.int64]:
    """The location with the most weighting, the first of several: (..., location) gives (...)."""
    return weighting.argmax(-1)


def peaked(weighting: Floats) -> NDArray[np.bool_]:
    """Whether at least half of the weighting, whatever it sums to, lies on one location: (..., location) gives (...).

    A weighting that sums to nothing, or holds a NaN, is not peaked.
    """
    total = weighting.sum(-1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return (total > 0) & (weighting.max(-1) >= PEAKED * total)


def displacement(
    before: NDArray[np.int64], after: NDArray[np.int64], size: int, edge: ShiftEdge = "circular"
) -> NDArray[np.int64]:
    """How many locations lie between two foci, forward positive.

    On a circle of `size` locations the nearer way round, forward if both are as near; with a zero-padded edge there is
    no way round.
    """
    moved = after - before
    if edge == "zero_padded":
        return moved
    return (moved + (size - 1) // 2) % size - (size - 1) // 2


def entropy_bits(weighting: Floats) -> NDArray[np.float64]:
    """−Σ w log2 w, in bits: 0 for one location, log2 N for all alike; (..., location) gives (...). NaN stays NaN.

    Of a weighting that does not add up to 1, beyond what rounding does, that of its shares.
    """
    weights = weighting.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = weights.sum(-1, keepdims=True)
        shares = weights / np.where((total > 0) & np.isfinite(total) & (np.abs(total - 1) > ROUNDING), total, 1.0)
        terms = np.where(shares <= 0, 0.0, -shares * np.log2(shares))
    return terms.sum(-1)
