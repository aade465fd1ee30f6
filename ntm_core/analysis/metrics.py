"""How a machine does a task, as it is or under interventions, over many sequences: errors, attention, operations.

The sequences are those of `ntm_core.evaluation`: the same seed gives the same ones, and what a machine draws anew
before step 1 is the same too. A sequence with outputs that are NaN is not judged. Whether the memory is used at all is
measured by running every sequence once more with what is read set to zero: it is if the median sequence then has more
wrong bits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ntm_core.analysis.heads_at_work import HeadsAtWork, HeadWatch
from ntm_core.analysis.spread import Spread
from ntm_core.errors import AnalysisError
from ntm_core.evaluation import EVALUATION_SEED, Scores, measured_episodes, require_fitting, scores
from ntm_core.interventions import MODES, Editor, Intervention, allow, refuse
from ntm_core.machine import Machine
from ntm_core.tasks import Episode, TaskBase

_Answer = ConfigDict(frozen=True, extra="forbid")


class HeadMetrics(BaseModel):
    """What one head did: of each quantity, a sequence's mean over its steps, spread over the sequences."""

    model_config = _Answer

    head: str = Field(description="Its name.")
    entropy_bits: Spread = Field(description="Entropy of its weighting: 0 for one location, log2 N for all alike.")
    speed: Spread = Field(description="Locations from its focus to the next, the nearer way round.")
    operations: dict[str, Spread] = Field(description="The share of the steps at which it did each operation.")


class LengthMetrics(BaseModel):
    """A machine on sequences of one length."""

    model_config = _Answer

    length: int = Field(description="The length-like setting of the task.")
    steps: int = Field(description="Steps of the longest sequence.")
    sequences: int
    asked_bits: float = Field(description="Bits asked in a sequence, on average.")
    wrong_bits: Spread = Field(description="Bits on the wrong side of 0.5.")
    perfect: int = Field(description="Number of sequences without a wrong bit.")
    loss_bits: Spread = Field(description="Binary cross entropy of the asked bits, in bits.")
    metric: Spread = Field(description="The task's own metric.")
    wrong_bits_without_reads: Spread = Field(description="Wrong bits of the same sequences with what is read zeroed.")
    saved_by_reads: Spread = Field(description="Wrong bits that reading saves: without reads minus with them.")
    memory_used: bool | None = Field(
        description="Whether reading saves the median sequence a wrong bit; null if no sequence can be judged."
    )
    heads: tuple[HeadMetrics, ...]


class LeftOut(BaseModel):
    """A length of which no sequence was measured, since an intervention reaches beyond its steps."""

    model_config = _Answer

    length: int = Field(description="The length-like setting of the task.")
    steps: int = Field(description="Steps of the shortest sequence.")
    needed: int = Field(description="Steps that a sequence must have for every intervention.")


class Metrics(BaseModel):
    """What was measured of a machine."""

    model_config = _Answer

    metric: str = Field(description="Name of the task's own metric.")
    unit: str = Field(description="Unit of the task's own metric.")
    seed: int = Field(description="Seed of the sequences.")
    interventions: tuple[Intervention, ...] = Field(description="What was changed in every sequence.")
    lengths: tuple[LengthMetrics, ...]
    left_out: tuple[LeftOut, ...] = Field(description="Lengths that are too short for the interventions.")


@dataclass(frozen=True, eq=False)
class _Part:
    """What was measured on one batch of sequences."""

    episode: Episode
    with_reads: Scores
    without_reads: Scores
    heads: HeadsAtWork


class Measurement:
    """A machine about to be measured: `run()` yields the index of each step, one for all sequences of a batch.

    Attributes:
        total: the number of steps that `run()` will yield.
    """

    def __init__(
        self,
        machine: Machine,
        task: TaskBase,
        lengths: Sequence[int] | None = None,
        sequences: int = 100,
        seed: int = EVALUATION_SEED,
        interventions: Sequence[Intervention] = (),
        *,
        leave_constraints: bool = False,
    ) -> None:
        """Draw all sequences; an error of the core if task, lengths or interventions do not go with the machine.

        Lengths that are too short for the steps of an intervention are left out, unless all are.
        Unless constraints may be left, an intervention that leaves one is an InterventionError: here where that can be
        told, and otherwise from `run()`.
        """
        require_fitting(machine.config, task)
        self._machine, self._task, self._seed = machine, task, seed
        self._interventions = tuple(interventions)
        self._on_violation = allow if leave_constraints else refuse
        drawn = {
            length: measured_episodes(task, length, sequences, seed) for length in lengths or task.evaluation_lengths
        }
        self._left_out = _left_out(drawn, self._interventions)
        short = {one.length for one in self._left_out}
        self._episodes = {length: episodes for length, episodes in drawn.items() if length not in short} or drawn
        every = [episode for episodes in self._episodes.values() for episode in episodes]
        for episode in every:
            self._editors(episode)
        self.total = 2 * sum(map(len, every))
        self._found: list[LengthMetrics] = []

    def run(self) -> Iterator[int]:
        """The index of each step, once it has been computed."""
        done = 0
        for length, episodes in self._episodes.items():
            parts: list[_Part] = []
            for seed, episode in enumerate(episodes):
                for _ in self._measure(episode, seed, parts):
                    yield done
                    done += 1
            self._found.append(_length_metrics(self._machine, length, parts))

    def result(self) -> Metrics:
        """What was measured; AnalysisError before `run()` has been exhausted."""
        if len(self._found) < len(self._episodes):
            raise AnalysisError(f"{len(self._found)} of {len(self._episodes)} lengths were measured: it has not ended")
        return Metrics(
            metric=self._task.metric,
            unit=self._task.unit,
            seed=self._seed,
            interventions=self._interventions,
            lengths=tuple(self._found),
            left_out=self._left_out,
        )

    def _editors(self, episode: Episode) -> tuple[Editor, Editor]:
        """The editors of an episode: with reads as they are, and with none."""
        config, blind = self._machine.config, MODES["no_read"].interventions
        every = (self._interventions, (*self._interventions, *blind))
        with_reads, without = (
            Editor(config, one, steps=len(episode), on_violation=self._on_violation) for one in every
        )
        return with_reads, without

    @torch.inference_mode()
    def _measure(self, episode: Episode, initial_seed: int, parts: list[_Part]) -> Iterator[None]:
        """Run the machine twice on one batch, step by step, and add what was found to the parts."""
        machine, task = self._machine, self._task
        inputs = torch.from_numpy(episode.inputs).to(machine.output.weight.dtype)
        start = machine.initial_state(episode.batch, initial_seed).expand(episode.batch)
        with_reads, without = self._editors(episode)
        watch, logits, blind = HeadWatch(machine.config, start.weighting.numpy()), [], []
        for result in machine.run(inputs, start, with_reads):
            watch.see(result)
            logits.append(result.logits)
            yield
        for result in machine.run(inputs, start, without):
            blind.append(result.logits)
            yield
        with_reads_scores, without_scores = (scores(task, episode, torch.stack(every)) for every in (logits, blind))
        parts.append(_Part(episode, with_reads_scores, without_scores, watch.means))


def _left_out(drawn: Mapping[int, Sequence[Episode]], interventions: Sequence[Intervention]) -> tuple[LeftOut, ...]:
    """The lengths with a sequence that ends before an intervention does."""
    needed = max((asked.steps[1] for asked in interventions if asked.steps), default=0)
    shortest = {length: min(map(len, episodes)) for length, episodes in drawn.items()}
    return tuple(
        LeftOut(length=length, steps=steps, needed=needed) for length, steps in shortest.items() if steps < needed
    )


def _length_metrics(machine: Machine, length: int, parts: Sequence[_Part]) -> LengthMetrics:
    wrong = _joined([part.with_reads.wrong_bits for part in parts])
    blind = _joined([part.without_reads.wrong_bits for part in parts])
    asked = _joined([part.episode.mask.sum(0) * part.episode.targets.shape[-1] for part in parts])
    saved = Spread.of(blind - wrong)
    return LengthMetrics(
        length=length,
        steps=max(len(part.episode) for part in parts),
        sequences=len(wrong),
        asked_bits=float(asked.mean()),
        wrong_bits=Spread.of(wrong),
        perfect=int((wrong == 0).sum()),
        loss_bits=Spread.of(_joined([part.with_reads.loss_bits for part in parts])),
        metric=Spread.of(_joined([part.with_reads.metric for part in parts])),
        wrong_bits_without_reads=Spread.of(blind),
        saved_by_reads=saved,
        memory_used=None if saved.median is None else saved.median > 0,
        heads=tuple(_head_metrics(name, head, parts) for head, name in enumerate(machine.config.head_names)),
    )


def _head_metrics(name: str, head: int, parts: Sequence[_Part]) -> HeadMetrics:
    names = parts[0].heads.operations
    return HeadMetrics(
        head=name,
        entropy_bits=Spread.of(_joined([part.heads.entropy_bits[:, head] for part in parts])),
        speed=Spread.of(_joined([part.heads.speed[:, head] for part in parts])),
        operations={
            operation: Spread.of(_joined([part.heads.operations[operation][:, head] for part in parts]))
            for operation in names
        },
    )


def _joined(arrays: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    return np.concatenate(arrays).astype(np.float64)
