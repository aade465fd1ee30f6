import math

import numpy as np
import pytest
import torch

from ntm_core.config import MachineConfig
from ntm_core.errors import TaskError
from ntm_core.evaluation import EVALUATION_SEED, Results, errors_by_length, evaluate, score, scores
from ntm_core.machine import Machine
from ntm_core.tasks import Copy, DynamicNgrams, TaskBase
from ntm_core.training.metrics import FIXED_SEED
from ntm_core.training.plan import MAX_SEED
from tests.core.machines import at_rest, stirred

TASK = Copy(bits=2, lengths=(1, 2))


def small_machine(task: TaskBase = TASK) -> Machine:
    config = MachineConfig(
        input_size=len(task.input_channels),
        output_size=len(task.output_channels),
        memory_size=8,
        word_size=4,
        controller_size=8,
    )
    return Machine(config)


def saying(logit: float) -> Machine:
    """A machine that always gives this logit."""
    machine = small_machine()
    with torch.no_grad():
        machine.output.weight.zero_()
        machine.output.bias.fill_(logit)
    return machine


def test_the_errors_of_a_machine_that_always_says_zero() -> None:
    """Every one is a wrong bit, and costs as many bits as the logit says."""
    (found,) = errors_by_length(saying(-2.0), TASK, [3], sequences=5, seed=7)
    targets = TASK.of_length(3).episodes((7, 3, 0), 5).targets
    ones = targets.sum((0, 2))
    assert (found.length, found.steps, found.sequences, found.asked_bits) == (3, 7, 5, 6)
    assert found.wrong_bits == found.metric == pytest.approx(ones.mean())
    assert found.worst == ones.max()
    assert found.perfect == (ones == 0).sum()
    expected = ones * np.log2(1 + np.exp(2)) + (6 - ones) * np.log2(1 + np.exp(-2))
    assert found.loss_bits == pytest.approx(expected.mean())


def test_more_sequences_than_a_batch_are_measured_in_parts() -> None:
    (found,) = errors_by_length(saying(-2.0), TASK, [1], sequences=130, seed=7)
    parts = [TASK.of_length(1).episodes((7, 1, part), size).targets for part, size in enumerate((100, 30))]
    assert found.sequences == 130
    assert found.wrong_bits == pytest.approx(sum(part.sum() for part in parts) / 130)


def test_outputs_that_are_no_numbers_are_not_judged() -> None:
    """Neither as wrong nor as right: of one sequence they make all scores NaN, and an evaluation says so."""
    episode = TASK.episodes(3, 4)
    logits = torch.zeros(*episode.targets.shape)
    logits[int(episode.mask[:, 1].argmax()), 1] = torch.nan
    logits[int(episode.mask[:, 2].argmin()), 2] = torch.nan
    found = scores(TASK, episode, logits)
    for one in (found.loss_bits, found.wrong_bits, found.metric):
        assert np.isnan(one).tolist() == [False, True, False, False]
    with pytest.raises(TaskError, match="5 of 5 sequences of length 3 have outputs that are NaN"):
        list(errors_by_length(saying(math.nan), TASK, [3], sequences=5))


def test_a_score_is_that_of_the_machines_outputs() -> None:
    machine, episode = small_machine(), TASK.episodes(3, 4)
    with torch.no_grad():
        logits = machine(torch.from_numpy(episode.inputs)).numpy()
    found = score(machine, TASK, episode)
    np.testing.assert_array_equal(found.loss_bits, TASK.loss_bits(episode, logits))
    np.testing.assert_array_equal(found.wrong_bits, TASK.wrong_bits(episode, 1 / (1 + np.exp(-logits))))
    np.testing.assert_array_equal(found.metric, found.wrong_bits)


def test_the_metric_is_the_tasks_own() -> None:
    task = DynamicNgrams(context=2)
    (found,) = errors_by_length(small_machine(task), task, [20], sequences=4)
    optimum = task.optimal_loss_bits(task.of_length(20).episodes((EVALUATION_SEED, 20, 0), 4)).mean()
    assert found.metric == pytest.approx(found.loss_bits - optimum)
    assert found.asked_bits == 18


def test_results_name_metric_unit_and_seed_and_survive_json() -> None:
    results = evaluate(small_machine(), TASK, [1, 2], sequences=2)
    assert (results.metric, results.unit, results.seed) == ("wrong bits", "bits per sequence", EVALUATION_SEED)
    assert [row.length for row in results.errors_by_length] == [1, 2]
    assert Results.model_validate_json(results.model_dump_json()) == results


def test_the_default_lengths_are_the_tasks_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Copy, "evaluation_lengths", (2, 3))
    results = evaluate(small_machine(), TASK, sequences=1)
    assert [row.length for row in results.errors_by_length] == [2, 3]


def test_the_same_sequences_are_measured_each_time() -> None:
    machine = small_machine()
    assert evaluate(machine, TASK, [2], 3) == evaluate(machine, TASK, [2], 3)
    assert evaluate(machine, TASK, [2], 3) != evaluate(machine, TASK, [2], 3, seed=1)


def test_no_run_trains_on_what_is_measured() -> None:
    assert len({EVALUATION_SEED, FIXED_SEED}) == 2
    assert min(EVALUATION_SEED, FIXED_SEED) > MAX_SEED


def test_a_machine_for_another_task_is_refused() -> None:
    with pytest.raises(TaskError, match="the task Copy has 9 input and 8 output channels, but the machine has 3 and 2"):
        evaluate(small_machine(), Copy())


def test_a_machine_that_answers_in_classes_is_refused() -> None:
    machine = Machine(MachineConfig.make(**{**small_machine().config.model_dump(), "output_activation": "softmax"}))
    with pytest.raises(TaskError, match="output_activation is 'softmax'"):
        evaluate(machine, TASK)


def test_what_is_drawn_anew_is_the_same_in_each_measurement_and_differs_by_sequence() -> None:
    config = MachineConfig.make(**{**small_machine().config.model_dump(), "initial_memory": "fresh_uniform"})
    machine = at_rest(stirred(config, dtype=torch.float32))
    assert evaluate(machine, TASK, [2], 3) == evaluate(machine, TASK, [2], 3)
    again = score(machine, TASK, TASK.episodes(1, 4), 7).loss_bits
    np.testing.assert_array_equal(score(machine, TASK, TASK.episodes(1, 4), 7).loss_bits, again)
    assert not np.array_equal(score(machine, TASK, TASK.episodes(1, 4), 8).loss_bits, again)


def test_a_machine_in_float64_is_measured_in_float64() -> None:
    machine = at_rest(stirred(small_machine().config, dtype=torch.float64))
    assert score(machine, TASK, TASK.episodes(1, 2)).loss_bits.dtype == np.float64
    (row,) = errors_by_length(machine, TASK, [2], sequences=2)
    assert row.loss_bits > 0


@pytest.mark.parametrize(
    ("lengths", "sequences", "rule"),
    [([1, 0], 5, "lengths.0 is 0"), ([1], 0, "sequences is 0: at least 1 must be measured"), ([10**7], 1, "10000000")],
)
def test_what_cannot_be_measured_is_refused_at_once(lengths: list[int], sequences: int, rule: str) -> None:
    with pytest.raises(TaskError, match=rule):
        next(errors_by_length(small_machine(), TASK, lengths, sequences))
