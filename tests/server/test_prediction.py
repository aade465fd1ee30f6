"""The arithmetic of predictions: near what mathematics says, and to the bit what WIRE.md says."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import prediction

RANDOM = np.random.default_rng(0)


def floats(*shape: int) -> prediction.Singles:
    return RANDOM.random(shape, np.float32)


@given(st.floats(-104, 0))
def test_the_exponential_is_near(x: float) -> None:
    assert prediction.exponential(np.array(x)) == pytest.approx(math.exp(x), rel=1e-9)


@given(st.floats(width=32, min_value=1.1754943508222875e-38, allow_infinity=False, allow_subnormal=False))
def test_the_logarithm_is_near(x: float) -> None:
    found = prediction.logarithm(np.array([x], np.float32))[0]
    assert found == pytest.approx(math.log(x), rel=1e-10, abs=1e-15)


def naive_exponential(x: float) -> float:
    """As WIRE.md has it."""
    h = math.floor(0.5 - x * 1.4426950408889634)
    r = x + h * 0.6931471805599453
    q = 1 / math.factorial(8)
    for n in range(7, -1, -1):
        q = q * r + 1 / math.factorial(n)
    return float(q * math.ldexp(1.0, -h))


def naive_softmax(scores: list[np.float32]) -> list[np.float32]:
    """As WIRE.md has it."""
    greatest = max((score for score in scores if not math.isnan(score)), default=np.float32(-np.inf))
    below = [float(score - greatest) for score in scores]
    powers = [naive_exponential(d if d >= -104 else -104.0) for d in below]
    total = 0.0
    for power in powers:
        total += power
    return [np.float32(power / total) for power in powers]


@given(st.lists(st.floats(width=32), min_size=1, max_size=9))
def test_the_softmax_is_that_of_the_page_to_the_bit(scores: list[float]) -> None:
    array = np.array(scores, np.float32)
    with np.errstate(all="ignore"):
        assert prediction.softmax(array).tobytes() == np.array(naive_softmax(list(array))).tobytes()


@pytest.mark.parametrize("circular", [True, False])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_shift_moves_the_focus_by_the_offset(size: int, circular: bool) -> None:
    gated, taps, shifts = floats(3, 2, size), floats(3, 2, 7), tuple(range(-3, 4))
    found = prediction.shifted(gated, taps, shifts, circular=circular)
    for step, head, i in np.ndindex(found.shape):
        expected = np.float32(0)
        for j, offset in enumerate(shifts):
            source = (i - offset) % size if circular else i - offset
            value = gated[step, head, source] if 0 <= source < size else np.float32(0)
            expected = expected + taps[step, head, j] * value
        assert found[step, head, i] == expected


def test_the_content_weighting_is_a_softmax_of_cosines() -> None:
    memory, key, strength = floats(2, 5, 3) - np.float32(0.5), floats(2, 4, 3), 5 * floats(2, 4)
    memory[0, 1] = 0
    found = prediction.content(memory, key, strength, 1e-8)
    for step, head in np.ndindex(strength.shape):
        rows, k = memory[step].astype(float), key[step, head].astype(float)
        cosines = [
            np.dot(row, k) / max(np.linalg.norm(row), 1e-8) / max(float(np.linalg.norm(k)), 1e-8) for row in rows
        ]
        powers = np.exp(strength[step, head] * np.array(cosines))
        np.testing.assert_allclose(found[step, head], powers / powers.sum(), rtol=1e-5)


def test_sharpening_is_a_normalised_power() -> None:
    shifted, gamma = floats(2, 3, 6), 1 + 4 * floats(2, 3)
    powers = shifted.astype(float) ** gamma[..., None]
    expected = powers / powers.sum(-1, keepdims=True)
    np.testing.assert_allclose(prediction.sharpened(shifted, gamma), expected, rtol=1e-4)


def test_sharpening_nothing_gives_the_uniform_weighting() -> None:
    nothing = np.array([[[0, np.nan, -1, 0]]], np.float32)
    assert prediction.sharpened(nothing, np.ones((1, 1), np.float32)).tolist() == [[[0.25] * 4]]
