"""Dynamic N-grams (Graves et al. 2014, section 4.4): predict each next bit of a sequence from a random table."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ntm_core.errors import TaskError
from ntm_core.tasks.base import MAX_STEPS, Rows, TaskBase, constant_phases, require_bits
from ntm_core.tasks.episode import Episode, Floats, loss_bits

ONE = 2**24
"""Probabilities are whole multiples of 1 / ONE, so that a bit is drawn by comparing two whole numbers."""

ANGLES = 2**16
"""Number of equally likely angles from which a table's probabilities are drawn."""


class DynamicNgrams(TaskBase):
    """One bit a step; at each step after the first context - 1, the next bit is asked: T = length.

    Each sequence has its own random table: for every context of `context` bits, the probability that a 1 follows, drawn
    from Beta(1/2, 1/2). The first `context` bits are fair coins. The last step asks nothing, for no bit follows it, so
    length - context predictions count. The metric is the loss in bits above that of the optimal estimator.
    """

    title: ClassVar[str] = "Dynamic N-grams"
    description: ClassVar[str] = "Predict each next bit of a sequence drawn from a random table of conditional chances."
    look_for: ClassVar[str] = (
        "See whether the heads go to the same location each time the same five bits come before: the location "
        "then counts what followed that context."
    )
    phases: ClassVar[tuple[str, ...]] = ("context", "output", "end")
    evaluation_lengths: ClassVar[tuple[int, ...]] = (100, 200, 400)
    metric: ClassVar[str] = "loss above the optimal estimator"

    name: Literal["dynamic_ngrams"] = "dynamic_ngrams"
    context: int = Field(5, ge=1, le=10, description="Bits of the context that a bit depends on.")
    length: int = Field(200, ge=3, le=MAX_STEPS, description="Bits of a sequence.")

    @property
    def input_channels(self) -> tuple[str, ...]:
        """The bit."""
        return ("bit",)

    @property
    def output_channels(self) -> tuple[str, ...]:
        """The next bit."""
        return ("next bit",)

    @property
    def longest(self) -> int:
        """The length."""
        return self.length

    def of_length(self, length: int) -> "DynamicNgrams":
        """The task with `length` bits. TaskError out of bounds."""
        return self.with_settings(length=length)

    def measure(self, episode: Episode, logits: Floats) -> NDArray[np.float64]:
        """Loss in bits above that of the optimal estimator on the same sequence: (batch,)."""
        return loss_bits(episode, logits) - self.optimal_loss_bits(episode)

    def optimal_loss_bits(self, episode: Episode) -> NDArray[np.float64]:
        """The optimal estimator's loss on each sequence, in bits: (batch,)."""
        chance = self.optimal_probabilities(episode)
        given = np.where(episode.targets > 0.5, chance, 1 - chance)
        return -(np.log2(given) * episode.mask[..., None]).sum((0, 2))

    def optimal_probabilities(self, episode: Episode) -> NDArray[np.float64]:
        """The chance of a 1 by the Bayes-optimal estimator: (step, batch, output); 1/2 where nothing is asked.

        It is (N1 + 1/2) / (N1 + N0 + 1), where N1 and N0 count the ones and zeros that have followed the same context
        before (Murphy 2012; eq. 10 of Graves et al. 2014).
        """
        contexts = _contexts(episode.inputs[:, :, 0].astype(np.int64), self.context)
        sequence = np.arange(episode.batch)
        followed = np.zeros((episode.batch, 2**self.context, 2))
        chance = np.full(episode.targets.shape, 0.5)
        for step in range(self.context - 1, len(episode) - 1):
            zeros, ones = followed[sequence, contexts[step]].T
            chance[step, :, 0] = (ones + 0.5) / (ones + zeros + 1)
            followed[sequence, contexts[step], episode.targets[step, :, 0].astype(np.int64)] += 1
        return chance

    def _draw(self, random: np.random.RandomState, batch: int) -> Episode:
        table = beta_table()[random.randint(0, ANGLES, (batch, 2**self.context), dtype=np.uint32)]
        chances = random.randint(0, ONE, (self.length, batch), dtype=np.uint32)
        bits = np.zeros((self.length, batch), np.int64)
        bits[: self.context] = chances[: self.context] < ONE // 2
        sequence, context = np.arange(batch), _contexts(bits[: self.context], self.context)[-1]
        for step in range(self.context, self.length):
            bits[step] = chances[step] < table[sequence, context]
            context = (2 * context + bits[step]) % 2**self.context
        return self._episode(bits.astype(np.float32))

    def _interpret(self, rows: Rows) -> Episode:
        if len(rows) < self.context + 2:
            raise TaskError(
                f"there are {len(rows)} rows: there must be at least {self.context + 2}, namely a context of "
                f"{self.context} bits and 2 bits to predict"
            )
        require_bits(rows, self.input_channels, 0)
        return self._episode(rows)

    def _episode(self, bits: Rows) -> Episode:
        """The episode that asks to predict these (step, batch) bits."""
        length, batch = bits.shape
        asked = slice(self.context - 1, length - 1)
        targets = np.zeros((length, batch, 1), np.float32)
        targets[asked, :, 0] = bits[self.context :]
        mask = np.zeros((length, batch), np.float32)
        mask[asked] = 1
        phase = constant_phases(self.context - 1, length - self.context, 1)
        return Episode(bits[:, :, None].copy(), targets, mask, phase, self.phases)

    @model_validator(mode="after")
    def _something_to_predict(self) -> Self:
        if self.length < self.context + 2:
            raise ValueError(
                f"length is {self.length}: with a context of {self.context} it must be at least {self.context + 2}"
            )
        return self


def beta_table() -> NDArray[np.uint32]:
    """The probabilities of Beta(1/2, 1/2) at equally likely quantiles, in units of 1 / ONE: (ANGLES,), ascending.

    sin^2 of a uniform angle in (0, pi/2) has this distribution. No entry lies near a rounding boundary, so the whole
    numbers do not depend on the last digits of a platform's sine.
    """
    angles = (np.arange(ANGLES) + 0.5) * (np.pi / 2 / ANGLES)
    return np.rint(np.sin(angles) ** 2 * ONE).astype(np.uint32)


def _contexts(bits: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """At each (step, batch), the last `size` bits as a number, the oldest one first; bits before the first are 0."""
    contexts = np.zeros_like(bits)
    for age in range(min(size, len(bits))):
        contexts[age:] += bits[: len(bits) - age] << age
    return contexts
