"""Metrics over many sequences, held against the evaluation without interventions and against a plain loop."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from ntm_core.analysis.focus import entropy_bits
from ntm_core.analysis.metrics import Measurement, Metrics
from ntm_core.analysis.operations import operations_of
from ntm_core.analysis.spread import Spread
from ntm_core.errors import AnalysisError, NtmError, TaskError
from ntm_core.evaluation import evaluate, measured_episodes
from ntm_core.hand_compiled import hand_compiled_copy
from ntm_core.interventions import MODES, Intervention, InterventionError
from ntm_core.machine import Machine
from ntm_core.recording import record
from ntm_core.tasks import Copy
from ntm_core.trace import TraceHeader
from tests.core.machines import at_rest, small_config, stirred

TASK = Copy(bits=2)
COPIER = hand_compiled_copy(2, 16)


def measured(machine: Machine = COPIER, lengths: tuple[int, ...] = (3,), sequences: int = 4, **options: Any) -> Metrics:
    measurement = Measurement(machine, TASK, lengths, sequences, **options)
    assert list(measurement.run()) == list(range(measurement.total))
    return measurement.result()


def small(**changes: Any) -> Machine:
    return at_rest(stirred(small_config(**changes), 3, dtype=torch.float32))


def test_the_machine_set_by_hand_copies_walks_on_and_uses_its_memory() -> None:
    (found,) = measured(sequences=20).lengths
    assert (found.steps, found.sequences, found.asked_bits, found.perfect) == (7, 20, 6, 20)
    assert found.wrong_bits == Spread(median=0, mean=0, lowest=0, highest=0, sequences=20)
    assert found.memory_used
    assert found.saved_by_reads.median == found.wrong_bits_without_reads.median
    read, write = found.heads
    assert (read.head, write.head) == ("read 0", "write 0")
    assert read.entropy_bits.highest == pytest.approx(0, abs=1e-9)
    assert read.operations["content jump"].median == pytest.approx(1 / 7)
    assert read.operations["shift +1"].median == pytest.approx(6 / 7)
    assert read.speed.median == pytest.approx((6 + 3) / 7)
    assert write.speed.median == pytest.approx(3 / 7)
    assert write.operations["hold"].median == pytest.approx(4 / 7)
    for head in found.heads:
        assert sum(spread.mean or 0 for spread in head.operations.values()) == pytest.approx(1)


def test_without_interventions_the_numbers_are_those_of_an_evaluation() -> None:
    machine = small()
    found, expected = measured(machine, (2, 5), 7, seed=11), evaluate(machine, TASK, (2, 5), 7, 11)
    for length, row in zip(found.lengths, expected.errors_by_length, strict=True):
        assert (length.length, length.steps, length.sequences) == (row.length, row.steps, row.sequences)
        assert (length.wrong_bits.mean, length.wrong_bits.highest, length.perfect) == (
            row.wrong_bits,
            row.worst,
            row.perfect,
        )
        assert length.asked_bits == row.asked_bits
        assert length.loss_bits.mean == pytest.approx(row.loss_bits, abs=1e-3)
        assert length.metric.mean == pytest.approx(row.metric)


@pytest.mark.parametrize("changes", [{}, {"initial_memory": "fresh_uniform"}, {"previous_weighting": "read_head"}])
def test_a_sequence_counts_as_its_trace_does(changes: dict[str, Any]) -> None:
    machine = small(**changes)
    found = measured(machine, (3,), 1, seed=2).lengths[0]
    (episode,) = measured_episodes(TASK, 3, 1, 2)
    header = TraceHeader.of(machine.config, len(episode), phases=episode.phases, initial_seed=0)
    trace = record(machine, episode, header)
    assert found.loss_bits.median == pytest.approx(trace.loss_bits)
    assert found.wrong_bits.median == trace.wrong_bits
    entropy, done = entropy_bits(trace["weighting"]).mean(0), operations_of(trace).operation
    for index, head in enumerate(found.heads):
        assert head.entropy_bits.median == pytest.approx(entropy[index])
        for name, share in head.operations.items():
            assert share.median == pytest.approx((done[:, index] == name).mean())
        foci = np.concatenate([trace["initial_weighting"][None], trace["weighting"]])[:, index].argmax(-1)
        size = machine.config.memory_size
        ways = [min((b - a) % size, (a - b) % size) for a, b in pairwise(foci)]
        assert head.speed.median == pytest.approx(sum(ways) / len(ways))


def test_a_mode_changes_what_is_measured_and_is_told() -> None:
    blind = measured(interventions=MODES["no_read"].interventions, sequences=20)
    assert blind.interventions == MODES["no_read"].interventions
    (found,) = blind.lengths
    assert found.wrong_bits == found.wrong_bits_without_reads
    assert (found.wrong_bits.lowest or 0) >= 0 < (found.wrong_bits.median or 0)
    assert not found.memory_used
    assert found.saved_by_reads.highest == 0
    still = measured(interventions=MODES["no_shift"].interventions).lengths[0]
    assert "shift +1" not in {name for name, share in still.heads[1].operations.items() if share.highest}
    content = measured(small(), interventions=MODES["content_only"].interventions).lengths[0]
    assert all((share.highest or 0) == 0 for name, share in content.heads[0].operations.items() if "shift" in name)


def test_sequences_whose_numbers_became_nan_are_not_judged() -> None:
    """A great add vector overflows the memory, and what is found by content there is NaN."""
    huge = Intervention(quantity="add_vector", operation="set", value=3.4e38)
    measurement = Measurement(small(), TASK, (3,), 4, interventions=(huge,), leave_constraints=True)
    assert list(measurement.run())
    (found,) = measurement.result().lengths
    none = Spread(median=None, mean=None, lowest=None, highest=None, sequences=0)
    assert found.wrong_bits == found.metric == found.loss_bits == found.saved_by_reads == none
    assert (found.memory_used, found.perfect) == (None, 0)
    assert found.heads[0].speed == found.heads[0].entropy_bits == none


def test_the_same_seed_gives_the_same_numbers_and_another_does_not() -> None:
    machine = small(initial_memory="fresh_uniform")
    assert measured(machine, seed=1) == measured(machine, seed=1)
    assert measured(machine, seed=1).lengths != measured(machine, seed=2).lengths


def test_more_than_a_hundred_sequences_are_measured_in_parts() -> None:
    (found,) = measured(lengths=(1,), sequences=103).lengths
    assert found.sequences == 103 == found.wrong_bits.sequences


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(TaskError, match="sequences is 0"):
        Measurement(COPIER, TASK, (3,), 0)
    with pytest.raises(NtmError, match="lengths"):
        Measurement(COPIER, TASK, (0,))
    with pytest.raises(TaskError, match="channels"):
        Measurement(COPIER, Copy(bits=3))
    late = Intervention(quantity="sharpening", operation="set", value=1.0, steps=(2, 9))
    with pytest.raises(InterventionError, match="the run has 7 steps"):
        Measurement(COPIER, TASK, (3,), interventions=(late,))
    measurement = Measurement(COPIER, TASK, (3,), 1)
    next(measurement.run())
    with pytest.raises(AnalysisError, match="0 of 1 lengths"):
        measurement.result()


def test_lengths_that_an_edit_does_not_fit_are_left_out_and_named() -> None:
    late = Intervention(quantity="sharpening", operation="set", value=1.0, steps=(2, 9))
    found = measured(lengths=(5, 3, 1), interventions=(late,))
    assert found.lengths == measured(lengths=(5,), interventions=(late,)).lengths
    assert [(one.length, one.steps, one.needed) for one in found.left_out] == [(3, 7, 9), (1, 3, 9)]
    assert measured().left_out == ()


def test_a_spread_leaves_out_what_is_not_a_number() -> None:
    assert Spread.of([1, 2, 9, np.nan]) == Spread(median=2, mean=4, lowest=1, highest=9, sequences=3)
    assert Spread.of([np.nan]).model_dump() == {
        "median": None,
        "mean": None,
        "lowest": None,
        "highest": None,
        "sequences": 0,
    }
