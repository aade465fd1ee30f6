"""Repeat copy (Graves et al. 2014, section 4.2): say a sequence several times, then mark the end."""

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ntm_core.errors import TaskError
from ntm_core.tasks.base import (
    Range,
    Rows,
    TaskBase,
    bit_channels,
    constant_phases,
    delimiter_row,
    random_bits,
    random_number,
    require_bits,
)
from ntm_core.tasks.episode import Episode


class RepeatCopy(TaskBase):
    """L rows of random bits, one row with the delimiter and the number of repeats R, then LR + 1 blank rows.

    The blank rows ask for the vectors R times and then for the end marker: T = L + 1 + LR + 1. The number of repeats is
    coded as (R - mean) / deviation, with the mean and standard deviation of a number drawn uniformly from
    `normalised_over`; so a code means the same number whatever `repeats` are drawn.
    """

    title: ClassVar[str] = "Repeat copy"
    description: ClassVar[str] = (
        "Remember a sequence of random bit vectors, repeat it a given number of times, then mark the end."
    )
    look_for: ClassVar[str] = (
        "Watch the read head at the end of each repeat: it has to go back to where the sequence begins. See "
        "whether it jumps there by content or walks, and what tells the machine how many repeats are left."
    )
    phases: ClassVar[tuple[str, ...]] = ("input", "delimiter", "output", "end")
    evaluation_lengths: ClassVar[tuple[int, ...]] = (5, 10, 20)

    name: Literal["repeat_copy"] = "repeat_copy"
    bits: int = Field(8, ge=1, le=64, description="Bits of each vector.")
    lengths: Range = Field((1, 10), description="Smallest and largest number of vectors, L.")
    repeats: Range = Field((1, 10), description="Smallest and largest number of repeats, R.")
    normalised_over: Range = Field(
        (1, 10), description="The range of repeats whose code has mean 0 and variance 1; two numbers that differ."
    )

    @property
    def input_channels(self) -> tuple[str, ...]:
        """The bits, then the delimiter, then the code of the number of repeats."""
        return (*bit_channels(self.bits), "delimiter", "repeats")

    @property
    def output_channels(self) -> tuple[str, ...]:
        """The bits, then the end marker."""
        return (*bit_channels(self.bits), "end")

    @property
    def longest(self) -> int:
        """L + LR + 2 for the largest L and R."""
        return self._steps(self.lengths[1], self.repeats[1])

    def of_length(self, length: int, repeats: int | None = None) -> "RepeatCopy":
        """The task with exactly `length` vectors and `repeats` repeats (default: the most). TaskError out of bounds."""
        repeats = self.repeats[1] if repeats is None else repeats
        return self.with_settings(lengths=(length, length), repeats=(repeats, repeats))

    def code(self, repeats: int) -> float:
        """The number that stands for `repeats` repeats on the input channel."""
        low, high = self.normalised_over
        deviation = (((high - low + 1) ** 2 - 1) / 12) ** 0.5
        return (repeats - (low + high) / 2) / deviation

    def _draw(self, random: np.random.RandomState, batch: int) -> Episode:
        length = random_number(random, self.lengths)
        repeats = random_number(random, self.repeats)
        return self._episode(random_bits(random, length, batch, self.bits), repeats)

    def _interpret(self, rows: Rows) -> Episode:
        length = delimiter_row(rows, self.bits, "delimiter", "vectors")
        repeats = self._repeats(rows, length)
        if len(rows) != self._steps(length, repeats):
            raise TaskError(
                f"there are {len(rows)} rows: with the delimiter in row {length} and {repeats} repeats there must be "
                f"{self._steps(length, repeats)}, namely {length} vectors, the delimiter, {length * repeats} blank "
                "rows in which they are asked, and a blank row in which the end marker is asked"
            )
        vectors = rows[:length, : self.bits]
        require_bits(vectors, self.input_channels, 0)
        return self._episode(vectors[:, None], repeats)

    def _repeats(self, rows: Rows, delimiter: int) -> int:
        """The number of repeats whose code is in the delimiter row."""
        code = float(rows[delimiter, self.bits + 1])
        repeats = round((code - self.code(0)) / (self.code(1) - self.code(0)))
        if repeats < 1 or abs(code - self.code(repeats)) > 1e-3:
            raise TaskError(
                f"row {delimiter}, channel 'repeats' is {code:g}: it must be the code of a whole number of at least 1, "
                f"such as {self.code(1):.4f} for 1 and {self.code(2):.4f} for 2"
            )
        return repeats

    def _episode(self, vectors: Rows, repeats: int) -> Episode:
        """The episode that asks for these (vector, batch, bit) vectors, repeated."""
        length, batch, _ = vectors.shape
        steps = self._steps(length, repeats)
        inputs = np.zeros((steps, batch, self.bits + 2), np.float32)
        inputs[:length, :, : self.bits] = vectors
        inputs[length, :, self.bits] = 1
        inputs[length, :, self.bits + 1] = self.code(repeats)
        targets = np.zeros((steps, batch, self.bits + 1), np.float32)
        targets[length + 1 : -1, :, : self.bits] = np.tile(vectors, (repeats, 1, 1))
        targets[-1, :, self.bits] = 1
        mask = np.zeros((steps, batch), np.float32)
        mask[length + 1 :] = 1
        return Episode(inputs, targets, mask, constant_phases(length, 1, length * repeats, 1), self.phases)

    @staticmethod
    def _steps(length: int, repeats: int) -> int:
        return length + 1 + length * repeats + 1

    @model_validator(mode="after")
    def _can_normalise(self) -> Self:
        if self.normalised_over[0] == self.normalised_over[1]:
            raise ValueError(f"normalised_over is {self.normalised_over}: its two numbers must differ")
        return self
