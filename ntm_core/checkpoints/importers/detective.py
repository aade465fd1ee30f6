"""The convention detective: which of several machines, on which of several tasks, a file's numbers belong to.

Files that look alike may come from programs that compute differently. Each candidate is tried on the same generated
episodes of each task that it may have been trained on, and all are ranked by mean loss. Loss, not wrong bits: a wrong
convention often still gives the right bits, with less confidence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ntm_core.checkpoints.importers.candidate import Candidate
from ntm_core.checkpoints.importers.encodings import Encoding
from ntm_core.machine import Machine
from ntm_core.tasks import Episode
from ntm_core.tasks.episode import loss_bits, wrong_bits

SOLVES = 0.1
"""Below this mean loss, in bits for each bit asked, a machine is taken to know its task; guessing costs 1."""

_HOPELESS = 0.5
"""Above this mean loss after the first rounds, a machine is tried no further."""

_FIRST_ROUNDS, _ROUNDS, _BATCH = 2, 6, 5
_MAX_WEIGHTS, _MAX_SHIFTS, _MAX_CELLS, _MAX_PARAMETERS = 1 << 14, 1 << 17, 1 << 16, 1 << 22
"""N times heads, that times 2R+1, N times W, and numbers in all: above them trying a machine takes too long."""


@dataclass(frozen=True)
class Finding:
    """How one candidate did on one task.

    Attributes:
        variant: the candidate's.
        encoding: the task's.
        loss: mean loss in bits for each bit asked; infinite if an output is not a number.
        wrong: the share of asked bits that were wrong.
        sequences: how many sequences were tried; few for a hopeless one.
    """

    variant: str
    encoding: str
    loss: float
    wrong: float
    sequences: int

    @property
    def solves(self) -> bool:
        """Whether the candidate knows this task."""
        return self.loss < SOLVES


def investigate(candidates: Sequence[Candidate], seed: int = 0) -> tuple[Finding, ...]:
    """The candidates on their tasks, the smallest mean loss first; equal ones keep their order.

    All are tried on the first task of each; only if none knows it, on the second, and so on.
    """
    machines = [
        (candidate, candidate.checkpoint().machine())
        for candidate in candidates
        if candidate.encodings and _is_quick(candidate)
    ]
    findings: list[Finding] = []
    for place in range(max((len(candidate.encodings) for candidate, _ in machines), default=0)):
        trials = [
            _Trial(machine, candidate, candidate.encodings[place])
            for candidate, machine in machines
            if place < len(candidate.encodings)
        ]
        findings += _tried(trials, seed)
        if any(finding.solves for finding in findings):
            break
    return tuple(sorted(findings, key=lambda finding: finding.loss))


def _is_quick(candidate: Candidate) -> bool:
    config, numbers = candidate.config, sum(array.size for array in candidate.tensors.values())
    cells, weights = config.memory_size * config.word_size, config.memory_size * config.heads
    shifts = weights * len(config.shifts)
    return weights <= _MAX_WEIGHTS and shifts <= _MAX_SHIFTS and cells <= _MAX_CELLS and numbers <= _MAX_PARAMETERS


def _tried(trials: Sequence["_Trial"], seed: int) -> list[Finding]:
    """What came of the trials, all on the same episodes; hopeless ones end early."""
    active = list(trials)
    for index in range(_ROUNDS):
        for trial in active:
            trial.go(seed, index)
        if index + 1 >= _FIRST_ROUNDS:
            active = [trial for trial in active if trial.mean < _HOPELESS]
    return [trial.finding() for trial in trials]


@dataclass(eq=False)
class _Trial:
    machine: Machine
    candidate: Candidate
    encoding: Encoding
    loss: float = 0.0
    wrong: float = 0.0
    asked: float = 0.0
    sequences: int = 0

    @property
    def mean(self) -> float:
        mean = self.loss / self.asked
        return mean if math.isfinite(mean) else math.inf

    def go(self, seed: int, index: int) -> None:
        episode = self.encoding.episodes((seed, index), _BATCH)
        logits = _logits(self.machine, episode, seed + index)
        with np.errstate(invalid="ignore", over="ignore"):  # a wrong convention may leave the numbers
            self.loss += float(loss_bits(episode, logits).sum())
        self.wrong += float(wrong_bits(episode, np.where(logits > 0, 1.0, 0.0)).sum())
        self.asked += float(episode.mask.sum()) * episode.targets.shape[-1]
        self.sequences += _BATCH

    def finding(self) -> Finding:
        return Finding(self.candidate.variant, self.encoding.name, self.mean, self.wrong / self.asked, self.sequences)


@torch.inference_mode()
def _logits(machine: Machine, episode: Episode, seed: int) -> NDArray[np.float64]:
    """The machine's outputs before their sigmoid: (step, batch, output)."""
    inputs = torch.from_numpy(episode.inputs).to(machine.output.weight.dtype)
    logits: NDArray[np.float64] = machine(inputs, machine.initial_state(episode.batch, seed)).double().numpy()
    return logits
