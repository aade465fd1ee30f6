"""The hand-compiled machine: it copies exactly, and step by step it does what its docstring's table says."""

import numpy as np
import pytest
import torch

from ntm_core.hand_compiled import hand_compiled_copy
from ntm_core.recording import record
from ntm_core.tasks import Copy
from ntm_core.trace import Trace

READ, WRITE = 0, 1


def copied(bits: int, memory_size: int, length: int, *, batch: int = 1, seed: int = 0) -> float:
    """Wrong bits, summed over the batch."""
    task = Copy(bits=bits, lengths=(length, length))
    episode = task.episodes(seed, batch)
    with torch.inference_mode():
        logits = hand_compiled_copy(bits, memory_size)(torch.from_numpy(episode.inputs)).numpy()
    return float(task.measure(episode, logits).sum())


@pytest.mark.parametrize(("bits", "memory_size"), [(1, 2), (1, 9), (2, 3), (3, 6), (8, 12)])
def test_every_length_up_to_the_memory_is_copied_exactly(bits: int, memory_size: int) -> None:
    for length in range(1, memory_size):
        assert copied(bits, memory_size, length, batch=4, seed=length) == 0


@pytest.mark.parametrize("length", [1, 127])
def test_the_usual_size_copies_up_to_its_last_free_location(length: int) -> None:
    assert copied(8, 128, length, batch=2) == 0


def test_a_hundred_episodes_without_a_wrong_bit() -> None:
    machine, task = hand_compiled_copy(), Copy()
    for seed in range(10):
        episode = task.episodes(seed, batch=10)
        with torch.inference_mode():
            logits = machine(torch.from_numpy(episode.inputs)).numpy()
        assert task.measure(episode, logits).sum() == 0
        assert np.abs(logits[episode.mask > 0]).min() > 5


@pytest.mark.parametrize("row", [[0] * 8, [1] * 8, [1, 0] * 4])
def test_sequences_of_equal_rows_are_copied_too(row: list[int]) -> None:
    """Rows of zeros look like empty memory, equal rows like one another: places tell them apart."""
    task = Copy()
    rows = [[*row, 0]] * 9 + [[0] * 8 + [1]] + [[0] * 9] * 9
    episode = task.interpret(rows)
    with torch.inference_mode():
        logits = hand_compiled_copy(8, 16)(torch.from_numpy(episode.inputs)).numpy()
    assert task.measure(episode, logits).sum() == 0


def test_a_sequence_longer_than_the_memory_is_not_copied() -> None:
    """N - 1 is the limit: row N overwrites the marker."""
    assert sum(copied(8, 8, 9, seed=seed) for seed in range(3)) > 0


@pytest.fixture(scope="module")
def trace() -> Trace:
    """Seven rows of four bits in a memory of twelve."""
    return record(hand_compiled_copy(4, 12), Copy(bits=4, lengths=(7, 7)).episodes(3))


def assert_one_hot(weighting: np.ndarray, location: int) -> None:
    expected = np.zeros(weighting.shape[-1], np.float32)
    expected[location] = 1
    np.testing.assert_allclose(weighting, expected, rtol=0, atol=1e-6)


def shift_of(trace: Trace, step: int, head: int) -> int:
    """The one shift that a head makes at a step."""
    assert_one_hot(trace["shift_weighting"][step, head], int(trace["shift_weighting"][step, head].argmax()))
    return trace.header.shifts[int(trace["shift_weighting"][step, head].argmax())]


def test_while_rows_come_both_heads_walk_and_each_row_is_written(trace: Trace) -> None:
    for step in range(7):
        assert trace.header.phases[int(trace["phase"][step])] == "input"
        for head in (READ, WRITE):
            assert trace["interpolation_gate"][step, head] == pytest.approx(0, abs=1e-6)
            assert shift_of(trace, step, head) == 1
            assert_one_hot(trace["weighting"][step, head], step + 1)
        np.testing.assert_allclose(trace["erase_vector"][step, 0], 1, atol=1e-6)
        np.testing.assert_allclose(trace["add_vector"][step, 0], [*trace["inputs"][step, :4], 0], atol=1e-6)
        np.testing.assert_allclose(trace.memory[step + 1, step + 1], [*trace["inputs"][step, :4], 0], atol=1e-6)
        others = np.arange(12) != step + 1
        np.testing.assert_allclose(trace.memory[step + 1, others], trace.memory[step, others], atol=1e-6)


def test_at_the_delimiter_the_read_head_jumps_to_the_marker_by_content(trace: Trace) -> None:
    assert trace.header.phases[int(trace["phase"][7])] == "delimiter"
    np.testing.assert_array_equal(trace["initial_memory"][0], [0, 0, 0, 0, 1])
    np.testing.assert_allclose(trace["key"][7, READ], [0, 0, 0, 0, 1], atol=1e-6)
    assert trace["interpolation_gate"][7, READ] == pytest.approx(1, abs=1e-6)
    assert_one_hot(trace["content_weighting"][7, READ], 0)
    assert shift_of(trace, 7, READ) == 0
    assert_one_hot(trace["weighting"][7, READ], 0)
    assert trace["interpolation_gate"][7, WRITE] == pytest.approx(0, abs=1e-6)
    assert shift_of(trace, 7, WRITE) == 0


def test_in_the_output_the_read_head_walks_over_what_was_written(trace: Trace) -> None:
    for place, step in enumerate(range(8, 15), start=1):
        assert trace.header.phases[int(trace["phase"][step])] == "output"
        assert trace["interpolation_gate"][step, READ] == pytest.approx(0, abs=1e-6)
        assert shift_of(trace, step, READ) == 1
        assert_one_hot(trace["weighting"][step, READ], place)
        np.testing.assert_allclose(trace["read_vector"][step, 0, :4], trace["targets"][step], atol=1e-6)
        np.testing.assert_array_equal(trace["outputs"][step].round(), trace["targets"][step])


def test_from_the_delimiter_on_the_write_head_stays_and_writes_nothing(trace: Trace) -> None:
    for step in range(7, 15):
        assert trace["interpolation_gate"][step, WRITE] == pytest.approx(0, abs=1e-6)
        assert shift_of(trace, step, WRITE) == 0
        assert_one_hot(trace["weighting"][step, WRITE], 7)
        np.testing.assert_allclose(trace["erase_vector"][step], 0, atol=1e-6)
        np.testing.assert_allclose(trace["add_vector"][step], 0, atol=1e-6)
        np.testing.assert_allclose(trace.memory[step + 1], trace.memory[7], atol=1e-6)


def test_controller_units_are_off_or_on(trace: Trace) -> None:
    """0 or tanh(1): one unit a data bit, one for "delimiter now", one latch for "delimiter seen"."""
    hidden = trace["hidden"][:, 0] / np.tanh(1.0)
    np.testing.assert_allclose(hidden[:, :5], trace["inputs"], atol=1e-6)
    np.testing.assert_allclose(hidden[:, 5], np.arange(15) >= 7, atol=1e-6)


def test_the_trace_has_no_wrong_bit(trace: Trace) -> None:
    assert trace.wrong_bits == 0
    assert trace.loss_bits is not None
    assert trace.loss_bits < 1e-6


def test_it_starts_where_its_docstring_says(trace: Trace) -> None:
    for head in (READ, WRITE):
        assert_one_hot(trace["initial_weighting"][head], 0)
    assert not trace["initial_memory"][1:].any()
