"""Copy (Graves et al. 2014, section 4.1): see a sequence of bit vectors, then a delimiter, then say it again."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

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


class Copy(TaskBase):
    """L rows of random bits, one delimiter row, then L blank rows in which the bits are asked: T = 2L + 1."""

    title: ClassVar[str] = "Copy"
    description: ClassVar[str] = "Remember a sequence of random bit vectors and, after a delimiter, repeat it."
    look_for: ClassVar[str] = (
        "Follow the write head: it should move one location a step while the sequence comes in. At the "
        "delimiter, see where the read head stands, and whether it then walks the same locations in the same "
        "order, one a step."
    )
    phases: ClassVar[tuple[str, ...]] = ("input", "delimiter", "output")
    evaluation_lengths: ClassVar[tuple[int, ...]] = (10, 20, 30, 50, 100, 120)

    name: Literal["copy"] = "copy"
    bits: int = Field(8, ge=1, le=64, description="Bits of each vector.")
    lengths: Range = Field((1, 20), description="Smallest and largest number of vectors, L.")

    @property
    def input_channels(self) -> tuple[str, ...]:
        """The bits, then the delimiter."""
        return (*bit_channels(self.bits), "delimiter")

    @property
    def output_channels(self) -> tuple[str, ...]:
        """The bits."""
        return bit_channels(self.bits)

    @property
    def longest(self) -> int:
        """2L + 1 for the largest L."""
        return 2 * self.lengths[1] + 1

    def of_length(self, length: int) -> "Copy":
        """The task with exactly `length` vectors. TaskError out of bounds."""
        return self.with_settings(lengths=(length, length))

    def _draw(self, random: np.random.RandomState, batch: int) -> Episode:
        length = random_number(random, self.lengths)
        return self._episode(random_bits(random, length, batch, self.bits))

    def _interpret(self, rows: Rows) -> Episode:
        length = delimiter_row(rows, self.bits, "delimiter", "vectors")
        if len(rows) != 2 * length + 1:
            raise TaskError(
                f"there are {len(rows)} rows: with the delimiter in row {length} there must be {2 * length + 1}, "
                f"namely {length} vectors, the delimiter, and {length} blank rows in which they are asked"
            )
        vectors = rows[:length, : self.bits]
        require_bits(vectors, self.input_channels, 0)
        return self._episode(vectors[:, None])

    def _episode(self, vectors: Rows) -> Episode:
        """The episode that asks for these (vector, batch, bit) vectors."""
        length, batch, _ = vectors.shape
        inputs = np.zeros((2 * length + 1, batch, self.bits + 1), np.float32)
        inputs[:length, :, :-1] = vectors
        inputs[length, :, -1] = 1
        targets = np.zeros((2 * length + 1, batch, self.bits), np.float32)
        targets[length + 1 :] = vectors
        mask = np.zeros((2 * length + 1, batch), np.float32)
        mask[length + 1 :] = 1
        return Episode(inputs, targets, mask, constant_phases(length, 1, length), self.phases)
