import numpy as np
import pytest

from ntm_core.tasks.episode import Episode, loss_bits, wrong_bits


def two_sequences() -> Episode:
    """Two steps, two sequences, one output; the first step asks of sequence 1 alone."""
    return Episode(
        inputs=np.arange(4, dtype=np.float32).reshape(2, 2, 1),
        targets=np.array([[[0], [1]], [[1], [0]]], np.float32),
        mask=np.array([[0, 1], [1, 1]], np.float32),
        phase=np.array([0, 1], np.int64),
        phases=("input", "output"),
    )


def test_length_and_batch() -> None:
    episode = two_sequences()
    assert (len(episode), episode.batch) == (2, 2)


@pytest.mark.parametrize("index", [1, -1])
def test_one_keeps_a_batch_axis(index: int) -> None:
    alone = two_sequences().one(index)
    np.testing.assert_array_equal(alone.inputs, [[[1]], [[3]]])
    np.testing.assert_array_equal(alone.targets, [[[1]], [[0]]])
    np.testing.assert_array_equal(alone.mask, [[1], [1]])
    assert alone.phase.tolist() == [0, 1]
    assert alone.phases == ("input", "output")


def test_one_beyond_the_batch_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        two_sequences().one(2)


def test_wrong_bits_counts_only_asked_bits_on_the_wrong_side() -> None:
    probabilities = np.array([[[0.9], [0.4]], [[0.5], [0.1]]])
    # Sequence 0: 0.9 is not asked, 0.5 counts as 0 and should be 1. Sequence 1: 0.4 should be 1, 0.1 is right.
    assert wrong_bits(two_sequences(), probabilities).tolist() == [1.0, 1.0]


def test_loss_bits_of_an_undecided_machine_is_one_bit_a_bit() -> None:
    assert loss_bits(two_sequences(), np.zeros((2, 2, 1), np.float32)) == pytest.approx([1.0, 2.0])


def test_loss_bits_by_hand() -> None:
    odds = np.log(3.0)  # probability 3/4
    logits = np.array([[[50.0], [odds]], [[odds], [odds]]])
    assert loss_bits(two_sequences(), logits) == pytest.approx([-np.log2(0.75), -np.log2(0.75) - np.log2(0.25)])


def test_loss_bits_stays_finite_where_a_probability_would_round_to_one() -> None:
    logits = np.array([[[0.0], [-1000.0]], [[-1000.0], [-1000.0]]])
    assert loss_bits(two_sequences(), logits) == pytest.approx([1000 / np.log(2), 1000 / np.log(2)])


def test_loss_bits_is_nan_exactly_where_an_asked_logit_is() -> None:
    logits = np.array([[[np.nan], [0.0]], [[0.0], [np.nan]]])
    np.testing.assert_array_equal(loss_bits(two_sequences(), logits), [1.0, np.nan])
