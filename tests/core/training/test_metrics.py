import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ntm_core.errors import TrainingError
from ntm_core.machine import Machine
from ntm_core.tasks import Copy, DynamicNgrams
from ntm_core.training import metrics
from ntm_core.training.metrics import FixedSequences, MetricRow, MetricsFile
from tests.core.training.plans import TASK, row, small_plan

FIXED_SEQUENCES = metrics.FIXED_BATCHES * metrics.FIXED_BATCH
"""Read while this file is imported, before the tests are made to measure little."""


def test_there_are_640_fixed_sequences() -> None:
    assert FIXED_SEQUENCES == 640


def test_every_fixed_sequence_is_measured() -> None:
    scores = FixedSequences(TASK).measure(Machine(small_plan().config))
    sequences = metrics.FIXED_BATCHES * metrics.FIXED_BATCH
    assert [len(scores.loss_bits), len(scores.wrong_bits), len(scores.metric)] == [sequences] * 3
    np.testing.assert_array_equal(scores.metric, scores.wrong_bits)


def test_the_fixed_sequences_are_fixed() -> None:
    machine = Machine(small_plan().config)
    first, second = FixedSequences(TASK).measure(machine), FixedSequences(TASK).measure(machine)
    np.testing.assert_array_equal(first.loss_bits, second.loss_bits)


def test_an_undecided_machine_scores_chance() -> None:
    machine = Machine(small_plan().config)
    with torch.no_grad():
        machine.output.weight.zero_()
    scores = FixedSequences(TASK).measure(machine)
    assert scores.wrong_bits.mean() == pytest.approx(scores.loss_bits.mean() / 2, rel=0.1)


def test_the_metric_is_the_tasks_own() -> None:
    task = DynamicNgrams(context=1, length=10)
    scores = FixedSequences(task).measure(Machine(small_plan(task).config))
    assert (scores.metric < scores.loss_bits).all()


def test_a_loss_that_is_not_finite_is_refused() -> None:
    machine = Machine(small_plan().config)
    with torch.no_grad():
        machine.output.bias[0] = math.nan
    with pytest.raises(TrainingError, match=r"the loss on the fixed sequences is nan: parameter 'output\.bias'"):
        FixedSequences(TASK).measure(machine)


def test_no_training_seed_gives_a_fixed_sequence() -> None:
    """Training data come from (seed, iteration), and a run's seed is smaller than the fixed one."""
    fixed = FixedSequences(Copy(lengths=(20, 20)))
    trained = {Copy(lengths=(20, 20)).episodes((seed, 0)).inputs.tobytes() for seed in (0, 2**31 - 1)}
    assert not trained & {episode.one(0).inputs.tobytes() for episode in fixed._episodes}


def test_each_row_is_a_line_of_json(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.jsonl")
    file.append(row(0))
    file.append(row(5))
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [MetricRow(**json.loads(line)) for line in lines] == [row(0), row(5)] == list(file.rows)


def test_the_file_is_cut_back_to_the_rows_that_it_is_started_with(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(row(0).model_dump_json() + "\n" + row(5).model_dump_json() + '\n{"iterat')
    file = MetricsFile(path, (row(0),))
    file.append(row(10))
    assert path.read_text() == row(0).model_dump_json() + "\n" + row(10).model_dump_json() + "\n"


def test_a_row_never_holds_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="finite"):
        row(0).model_validate({**row(0).model_dump(), "gradient_norm": math.inf})
