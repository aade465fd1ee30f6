"""What is measured while a machine is trained: one row an evaluation, one JSON line a row."""

import math
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from ntm_core.atomic import atomic_write
from ntm_core.baseline import Baseline
from ntm_core.errors import TrainingError
from ntm_core.evaluation import Scores, score
from ntm_core.machine import Machine
from ntm_core.recording import record
from ntm_core.tasks import TaskBase
from ntm_core.trace import Trace
from ntm_core.training.diagnosis import where_not_finite

FIXED_SEED = 2**32 - 1
"""Seed of the fixed sequences; the seeds of training runs are smaller."""

FIXED_BATCHES = 40
FIXED_BATCH = 16


class MetricRow(BaseModel):
    """One evaluation, on the fixed sequences."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    iteration: int = Field(description="Iterations done.")
    sequences: int = Field(description="Sequences trained on.")
    loss_bits: float = Field(description="Binary cross entropy of the asked bits, in bits: mean per sequence.")
    wrong_bits: float = Field(description="Asked bits on the wrong side of 0.5: mean per sequence.")
    metric: float = Field(description="The task's own metric: mean per sequence.")
    diagonal: float | None = Field(
        None, description="Share of asked steps at which a read head goes on by one location; null in older files."
    )
    content_jumps: int | None = Field(
        None, description="Steps at which a head looks far away because of what is there; null in older files."
    )
    gradient_norm: float | None = Field(description="Norm of the last gradient before clipping; null if not finite.")
    skipped_updates: int = Field(description="Updates skipped so far because the gradient was not finite.")
    seconds: float = Field(description="Time spent so far.")
    cpu_seconds: float | None = Field(
        None, description="Processor time spent so far, which other programs do not lengthen; null in older files."
    )


class FixedSequences:
    """A task's 640 fixed sequences, 40 batches of one length each, that no run trains on."""

    def __init__(self, task: TaskBase) -> None:
        self._task = task
        self._episodes = [task.episodes((FIXED_SEED, index), FIXED_BATCH) for index in range(FIXED_BATCHES)]

    def trace(self, machine: Machine) -> Trace:
        """What the machine does on the first sequence of the longest batch."""
        return record(machine, max(self._episodes, key=len).one(0))

    def measure(self, machine: Machine | Baseline) -> Scores:
        """The machine's scores on each of the sequences. TrainingError if a loss is not finite."""
        scores = [score(machine, self._task, episode, index) for index, episode in enumerate(self._episodes)]
        for index, (part, episode) in enumerate(zip(scores, self._episodes, strict=True)):
            if not math.isfinite(part.loss_bits.sum()):
                start = machine.initial_state(episode.batch, index)
                where = where_not_finite(machine, torch.from_numpy(episode.inputs), start)
                raise TrainingError(f"the loss on the fixed sequences is {part.loss_bits.sum()}: {where}")
        names = ("loss_bits", "wrong_bits", "metric")
        return Scores(*(np.concatenate([getattr(part, name) for part in scores]) for name in names))


class MetricsFile:
    """The rows of a run, each also a line of a JSON Lines file."""

    def __init__(self, path: Path, rows: tuple[MetricRow, ...] = ()) -> None:
        """Start the file anew with these rows, whatever a run that was killed has left in it."""
        self._path = path
        self.rows = rows
        atomic_write(path, "".join(map(_line, rows)).encode())

    def append(self, row: MetricRow) -> None:
        """Add a row, and its line at the end of the file."""
        self.rows = (*self.rows, row)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(row))


def saved_rows(path: Path) -> tuple[MetricRow, ...]:
    """The rows of such a file, without a last line that has no end: a kill or a full disk leaves half of one.

    OSError if it cannot be read, pydantic's ValidationError if a whole line is no row of this version.
    """
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    return tuple(MetricRow.model_validate_json(line) for line in whole.splitlines())


def _line(row: MetricRow) -> str:
    return row.model_dump_json() + "\n"
