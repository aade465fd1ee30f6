"""How well a machine does a task: its errors by length, on sequences that no run trains on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ntm_core.baseline import Baseline
from ntm_core.config import MachineConfig
from ntm_core.errors import TaskError
from ntm_core.machine import Machine
from ntm_core.tasks import Episode, TaskBase

EVALUATION_SEED = 2**32 - 2
"""Seed of the measured sequences; the seeds of training runs are smaller."""

_BATCH = 100


class LengthResult(BaseModel):
    """The errors of a machine on sequences of one length."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    length: int = Field(description="The length-like setting of the task.")
    steps: int = Field(description="Steps of a sequence.")
    sequences: int = Field(description="Number of sequences measured.")
    asked_bits: int = Field(description="Bits asked in a sequence.")
    wrong_bits: float = Field(description="Bits on the wrong side of 0.5: mean per sequence.")
    worst: int = Field(description="Wrong bits of the worst sequence.")
    perfect: int = Field(description="Number of sequences without a wrong bit.")
    loss_bits: float = Field(description="Binary cross entropy of the asked bits, in bits: mean per sequence.")
    metric: float = Field(description="The task's own metric: mean per sequence.")


class Results(BaseModel):
    """What was measured of a trained machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str = Field(description="Name of the task's own metric.")
    unit: str = Field(description="Unit of the task's own metric.")
    seed: int = Field(description="Seed of the measured sequences.")
    errors_by_length: tuple[LengthResult, ...]


@dataclass(frozen=True)
class Scores:
    """How a machine did on each sequence of an episode, (batch,) each: its losses and errors, and the task's metric."""

    loss_bits: NDArray[np.float64]
    wrong_bits: NDArray[np.float64]
    metric: NDArray[np.float64]


@torch.inference_mode()
def score(machine: Machine | Baseline, task: TaskBase, episode: Episode, initial_seed: int = 0) -> Scores:
    """The machine's scores on an episode of the task; the seed decides what it draws anew for each sequence."""
    inputs = torch.from_numpy(episode.inputs).to(machine.output.weight)
    return scores(task, episode, machine(inputs, machine.initial_state(episode.batch, initial_seed)))


def scores(task: TaskBase, episode: Episode, logits: torch.Tensor) -> Scores:
    """The scores of these (step, batch, output) logits: all NaN for a sequence of which an asked one is NaN."""
    logits = logits.cpu()
    found = logits.numpy()
    unknown = (np.isnan(found) & (episode.mask[..., None] > 0)).any((0, 2))
    every = (
        task.loss_bits(episode, found),
        task.wrong_bits(episode, logits.sigmoid().numpy()),
        task.measure(episode, found),
    )
    return Scores(*(np.where(unknown, np.nan, one) for one in every))


def measured_episodes(task: TaskBase, length: int, sequences: int, seed: int = EVALUATION_SEED) -> list[Episode]:
    """The sequences of one length on which machines are measured, a hundred in each episode.

    The number of an episode in the list is the seed of what a machine draws anew for its sequences.
    """
    if sequences < 1:
        raise TaskError(f"sequences is {sequences}: at least 1 must be measured")
    if not 0 <= seed < 2**32:
        raise TaskError(f"seed is {seed}: it must be a whole number of 0 … {2**32 - 1}")
    sizes = [min(_BATCH, sequences - start) for start in range(0, sequences, _BATCH)]
    fixed = task.of_length(length)
    return [fixed.episodes((seed, length, part), size) for part, size in enumerate(sizes)]


def evaluate(
    machine: Machine | Baseline,
    task: TaskBase,
    lengths: Sequence[int] | None = None,
    sequences: int = 100,
    seed: int = EVALUATION_SEED,
) -> Results:
    """The machine's errors on `sequences` sequences of each length, by default the task's `evaluation_lengths`."""
    measured = tuple(errors_by_length(machine, task, lengths or task.evaluation_lengths, sequences, seed))
    return Results(metric=task.metric, unit=task.unit, seed=seed, errors_by_length=measured)


def require_fitting(config: MachineConfig, task: TaskBase) -> None:
    """TaskError unless such a machine has the task's channels and answers in bits."""
    channels = (len(task.input_channels), len(task.output_channels))
    if channels != (config.input_size, config.output_size):
        raise TaskError(
            f"the task {task.title} has {channels[0]} input and {channels[1]} output channels, but the machine has "
            f"{config.input_size} and {config.output_size}"
        )
    if config.output_activation != "sigmoid":
        raise TaskError(
            f"output_activation is {config.output_activation!r}: the task {task.title} asks for bits, each of which "
            "has a sigmoid of its own"
        )


def errors_by_length(
    machine: Machine | Baseline,
    task: TaskBase,
    lengths: Sequence[int],
    sequences: int = 100,
    seed: int = EVALUATION_SEED,
) -> Iterator[LengthResult]:
    """The errors at each length, as soon as they are measured.

    TaskError if a length or the number of sequences is out of bounds, or if the machine cannot do the task, or gives
    outputs that are no numbers.
    """
    require_fitting(machine.config, task)
    for length in lengths:
        task.of_length(length)
    for length in lengths:
        yield _errors(machine, task.of_length(length), length, sequences, seed)


def _errors(machine: Machine | Baseline, task: TaskBase, length: int, sequences: int, seed: int) -> LengthResult:
    episodes = measured_episodes(task, length, sequences, seed)
    found = [score(machine, task, episode, part) for part, episode in enumerate(episodes)]
    wrong = np.concatenate([part.wrong_bits for part in found])
    if unknown := np.count_nonzero(np.isnan(wrong)):
        raise TaskError(f"{unknown} of {sequences} sequences of length {length} have outputs that are NaN: no errors")
    return LengthResult(
        length=length,
        steps=len(episodes[0]),
        sequences=sequences,
        asked_bits=int(episodes[0].mask[:, 0].sum()) * len(task.output_channels),
        wrong_bits=float(wrong.mean()),
        worst=int(wrong.max()),
        perfect=int((wrong == 0).sum()),
        loss_bits=float(np.concatenate([part.loss_bits for part in found]).mean()),
        metric=float(np.concatenate([part.metric for part in found]).mean()),
    )
