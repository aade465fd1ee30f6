import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_core.errors import TaskError
from ntm_core.tasks.dynamic_ngrams import ANGLES, ONE, DynamicNgrams, beta_table

BITS = [0, 1, 1, 0, 1, 1]


def test_the_encoding_by_hand() -> None:
    episode = DynamicNgrams(context=2, length=6).interpret([[bit] for bit in BITS])
    assert episode.inputs[:, 0, 0].tolist() == BITS
    assert episode.targets[:, 0, 0].tolist() == [0, 1, 0, 1, 1, 0]
    assert episode.mask[:, 0].tolist() == [0, 1, 1, 1, 1, 0]
    assert [episode.phases[phase] for phase in episode.phase] == ["context", *["output"] * 4, "end"]


def test_the_optimal_estimator_by_hand() -> None:
    task = DynamicNgrams(context=2, length=6)
    episode = task.interpret([[bit] for bit in BITS])
    # Contexts 01, 11, 10, 01: only the last one was seen before, and a 1 followed.
    assert task.optimal_probabilities(episode)[:, 0, 0].tolist() == [0.5, 0.5, 0.5, 0.5, 0.75, 0.5]
    assert task.optimal_loss_bits(episode) == pytest.approx([3 - np.log2(0.75)])


@given(st.lists(st.integers(0, 1), min_size=5, max_size=60), st.integers(1, 3))
def test_the_optimal_estimator_against_a_naive_count(bits: list[int], context: int) -> None:
    task = DynamicNgrams(context=context)
    found = task.optimal_probabilities(task.interpret([[bit] for bit in bits]))[:, 0, 0]
    for step in range(context - 1, len(bits) - 1):
        now = bits[step + 1 - context : step + 1]
        followers = [bits[i + context] for i in range(step + 1 - context) if bits[i : i + context] == now]
        assert found[step] == pytest.approx((sum(followers) + 0.5) / (len(followers) + 1))


def test_the_optimum_is_where_graves_has_it() -> None:
    task = DynamicNgrams()
    loss = task.optimal_loss_bits(task.episodes(0, 5000)) + task.context  # Graves counts the first coins, a bit each
    assert loss.mean() == pytest.approx(132.98, abs=3 * (0.25 + loss.std() / 5000**0.5))


def test_the_metric_is_the_paired_gap_to_the_optimum() -> None:
    task = DynamicNgrams(length=50)
    episode = task.episodes(0, 8)
    chance = task.optimal_probabilities(episode)
    optimal = np.log(chance / (1 - chance))
    assert task.measure(episode, optimal) == pytest.approx(np.zeros(8), abs=1e-9)
    undecided = task.measure(episode, np.zeros_like(optimal))
    assert undecided == pytest.approx(45 - task.optimal_loss_bits(episode))


def test_the_table_is_the_arcsine_law() -> None:
    chance = beta_table() / ONE
    assert len(chance) == ANGLES
    assert (np.diff(chance) >= 0).all()
    assert chance.mean() == pytest.approx(0.5, abs=1e-7)
    assert chance.var() == pytest.approx(1 / 8, abs=1e-7)
    # The quantiles of Beta(1/2, 1/2): P(p < sin^2 x) = 2x / pi, so p < 1/4 in a third and p < 1/2 in half of all cases.
    assert (chance < 0.25).mean() == pytest.approx(1 / 3, abs=1e-4)
    assert (chance < 0.5).mean() == 0.5


def test_no_entry_of_the_table_depends_on_the_last_digits_of_a_sine() -> None:
    exact = np.sin((np.arange(ANGLES) + 0.5) * (np.pi / 2 / ANGLES)) ** 2 * ONE
    distance = np.abs(exact - np.floor(exact) - 0.5).min()
    assert distance > 1000 * np.finfo(np.float64).eps * ONE


def test_bits_follow_their_table() -> None:
    """With one bit of context, the share of ones after a 0 varies between sequences as Beta(1/2, 1/2) does."""
    task = DynamicNgrams(context=1, length=400)
    bits = task.episodes(0, 2000).inputs[:, :, 0]
    after_zero = np.array([row[1:][row[:-1] == 0].mean() for row in bits.T if (row[:-1] == 0).sum() > 50])
    assert (after_zero < 0.25).mean() > (after_zero < 0.5).mean() / 2
    assert bits[0].mean() == pytest.approx(0.5, abs=0.05)


def test_of_length_keeps_the_context() -> None:
    assert DynamicNgrams(context=3).of_length(100) == DynamicNgrams(context=3, length=100)


@pytest.mark.parametrize(
    ("bits", "rule"),
    [
        ([0, 1, 0], "there are 3 rows: there must be at least 4, namely a context of 2 bits and 2 bits to predict"),
        ([0, 1, 0.5, 1], "row 2, channel 'bit' is 0.5: a bit must be 0 or 1"),
        ([0, -1, 0, 1], "row 1, channel 'bit' is -1: a bit must be 0 or 1"),
    ],
)
def test_rows_that_are_no_bits_are_refused(bits: list[float], rule: str) -> None:
    with pytest.raises(TaskError, match=rule):
        DynamicNgrams(context=2).interpret([[bit] for bit in bits])
