"""Peaks, distances and entropies, on numbers worked out by hand."""

import math

import numpy as np
import pytest

from ntm_core.analysis.focus import displacement, entropy_bits, focus, peaked


def test_the_focus_is_the_first_of_the_largest() -> None:
    assert focus(np.array([[0.1, 0.4, 0.4], [0.5, 0.2, 0.3]])).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [
        ([0.5, 0.25, 0.25], True),
        ([0.49, 0.26, 0.25], False),
        ([0.1, 0.05, 0.0], True),
        ([0.0, 0.0, 0.0], False),
        ([math.nan, 0.5, 0.5], False),
    ],
)
def test_a_weighting_is_peaked_where_half_of_it_is(weighting: list[float], expected: bool) -> None:
    assert peaked(np.array(weighting)) == expected


@pytest.mark.parametrize(
    ("was", "now", "size", "round_the_circle", "straight"),
    [
        (1, 2, 8, 1, 1),
        (2, 1, 8, -1, -1),
        (7, 0, 8, 1, -7),
        (0, 7, 8, -1, 7),
        (0, 4, 8, 4, 4),
        (4, 0, 8, 4, -4),
        (0, 2, 5, 2, 2),
        (0, 3, 5, -2, 3),
        (0, 0, 1, 0, 0),
        (1, 0, 2, 1, -1),
    ],
)
def test_the_nearer_way_round_counts(was: int, now: int, size: int, round_the_circle: int, straight: int) -> None:
    places = np.array(was), np.array(now)
    assert displacement(*places, size) == round_the_circle
    assert displacement(*places, size, "zero_padded") == straight


def test_entropy_is_0_for_one_location_and_log2_n_for_all_alike() -> None:
    found = entropy_bits(np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0], [math.nan, 1, 0, 0]]))
    assert found[:3].tolist() == [0, 2, 1]
    assert math.isnan(found[3])


def test_entropy_of_what_does_not_add_up_to_1_is_that_of_its_shares() -> None:
    """As after a normaliser with an ε of its own; what rounding leaves of 1 is 1."""
    found = entropy_bits(np.array([[1e-9] * 4, [2.0, 2.0, 0, 0], [0.0] * 4, [0.25 + 1e-6] * 4, [math.inf, 0, 0, 0]]))
    assert found[:3].tolist() == [2, 1, 0]
    assert found[3] == pytest.approx(-4 * (0.25 + 1e-6) * math.log2(0.25 + 1e-6), rel=1e-12)
