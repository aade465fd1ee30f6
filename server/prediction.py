"""What can be told of a step's weightings before they are read: equations 1-5 in arithmetic that is alike everywhere.

A stream holds only how far each weight lies from its prediction, so writer and reader must predict the same bits, in
Python and in a browser. Hence nothing is used but + - * / sqrt floor, comparisons and rounding to float32, which
IEEE 754 defines to the last bit; sums run from the first term to the last; and exp and log are the polynomials below.
A bad prediction costs bytes, never a wrong number: so these follow the machine as closely as is cheap, and no further.

All functions are for float32 traces. The first axis is the step: writers predict many at once. `server/WIRE.md` says
the same in words.
"""

import math

import numpy as np
import numpy.typing as npt

from ntm_core.trace import Array

Doubles = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

LEAST = -104.0
"""exp of this is no more than half the smallest float32, so it counts as zero."""

LOG2_E, LN_2 = 1.4426950408889634, 0.6931471805599453
HALVINGS = np.array([math.ldexp(1.0, -power) for power in range(160)])
_EXPONENTIAL = tuple(1 / math.factorial(order) for order in range(8, -1, -1))
_LOGARITHM = tuple(1 / odd for odd in (11, 9, 7, 5, 3, 1))
_ROOT_OF_HALF = 0.7071067811865476
FLOOR = np.float32(1e-30)
"""Below this a weight counts as zero in eq. 5, as in the machine; the compiled core makes it 0 in eq. 1 and 5."""


def exponential(x: Doubles) -> Doubles:
    """e^x for x in [-104, 0], within 1e-9 of it."""
    halvings = np.floor(0.5 - x * LOG2_E)
    rest = x + halvings * LN_2
    power = np.full_like(rest, _EXPONENTIAL[0])
    for coefficient in _EXPONENTIAL[1:]:
        power *= rest
        power += coefficient
    power *= HALVINGS[halvings.astype(np.int64)]
    return power


def logarithm(x: Singles) -> Doubles:
    """ln x of normal float32 above 0, within 1e-10 of it; some number for infinity."""
    bits = x.view(np.int32)
    exponent = ((bits >> 23) - 126).astype(np.float64)
    fraction = ((bits & 0x7FFFFF) | 0x3F000000).view(np.float32).astype(np.float64)
    low = fraction < _ROOT_OF_HALF
    fraction, exponent = np.where(low, 2 * fraction, fraction), np.where(low, exponent - 1, exponent)
    ratio = (fraction - 1) / (fraction + 1)
    square = ratio * ratio
    series = np.full_like(square, _LOGARITHM[0])
    for coefficient in _LOGARITHM[1:]:
        series *= square
        series += coefficient
    found: Doubles = exponent * LN_2 + 2 * ratio * series
    return found


def softmax(scores: Singles, *, floored: bool = False) -> Singles:
    """Each number's share of the sum of e^score over the last axis; if `floored`, 0 where it is below 1e-30."""
    greatest = np.fmax.reduce(scores, axis=-1, keepdims=True, initial=np.float32(-np.inf))
    below = (scores - greatest).astype(np.float64)
    powers = exponential(np.where(below >= LEAST, below, LEAST))
    shares: Singles = (powers / np.cumsum(powers, axis=-1)[..., -1:]).astype(np.float32)
    return np.where(shares < FLOOR, np.float32(0), shares) if floored else shares


def content(memory: Singles, key: Singles, key_strength: Singles, epsilon: float, *, floored: bool = False) -> Singles:
    """Eq. 1 with the cosine of eq. 2: (step, head, location) from the memory that these heads see."""
    words, keys = (np.ascontiguousarray(np.moveaxis(array, -1, 0), np.float64) for array in (memory, key))
    products, squares = np.zeros((*key.shape[:2], memory.shape[1])), np.zeros(memory.shape[:2])
    key_squares = np.zeros(key.shape[:2])
    for word, k in zip(words, keys, strict=True):
        products += word[:, None] * k[..., None]
        squares += word * word
        key_squares += k * k
    norms = _at_least(np.sqrt(key_squares), epsilon)[..., None] * _at_least(np.sqrt(squares), epsilon)[:, None]
    return softmax(key_strength[..., None] * (products / norms).astype(np.float32), floored=floored)


def gated(content: Singles, previous: Singles, interpolation_gate: Singles) -> Singles:
    """Eq. 3: (step, head, location)."""
    gate = interpolation_gate[..., None]
    return gate * content + (1 - gate) * previous


def shifted(gated: Singles, shift_weighting: Singles, shifts: tuple[int, ...], *, circular: bool) -> Singles:
    """Eq. 4: (step, head, location)."""
    taps = shift_weighting[..., None]
    found = taps[:, :, 0] * _moved(gated, shifts[0], circular=circular)
    for index, offset in enumerate(shifts[1:], start=1):
        found = found + taps[:, :, index] * _moved(gated, offset, circular=circular)
    return found


def sharpened(shifted: Singles, sharpening: Singles, *, floored: bool = False) -> Singles:
    """Eq. 5: (step, head, location)."""
    logarithms = logarithm(_at_least(shifted, FLOOR)).astype(np.float32)
    return softmax(sharpening[..., None] * logarithms, floored=floored)


def _at_least(array: Array, least: float | np.float32) -> Array:
    """The array with `least` wherever it is not greater, NaN included."""
    return np.where(array > least, array, least)


def _moved(weighting: Singles, offset: int, *, circular: bool) -> Singles:
    """The weighting with every focus moved by `offset` locations; beyond the ends lies 0 unless it is circular."""
    if circular:
        return np.roll(weighting, offset, -1)
    size, moved = weighting.shape[-1], np.zeros_like(weighting)
    if abs(offset) < size:
        moved[..., max(0, offset) : size + min(0, offset)] = weighting[..., max(0, -offset) : size - max(0, offset)]
    return moved
