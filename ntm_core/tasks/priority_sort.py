"""Priority sort (Graves et al. 2014, section 4.5): say the vectors of highest priority, highest first."""

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ntm_core.errors import TaskError
from ntm_core.tasks.base import (
    MAX_STEPS,
    Rows,
    TaskBase,
    bit_channels,
    constant_phases,
    delimiter_row,
    random_bits,
    require_bits,
)
from ntm_core.tasks.episode import Episode

LEVELS = 2**24
"""Number of equally likely priorities, evenly spaced in (-1, 1) and each exact in float32."""


class PrioritySort(TaskBase):
    """n rows of random bits with a priority, a delimiter row, then a blank row for each vector kept: T = n + 1 + kept.

    Priorities are uniform in (-1, 1). The vectors of the highest priorities are asked, in falling order; of equal
    priorities, the earlier vector comes first.
    """

    title: ClassVar[str] = "Priority sort"
    description: ClassVar[str] = "Remember random bit vectors with priorities and give back the highest in order."
    look_for: ClassVar[str] = (
        "See whether the location that the write head chooses follows the priority in the input: reading the "
        "locations in order then gives the sorted vectors."
    )
    phases: ClassVar[tuple[str, ...]] = ("input", "delimiter", "output")
    evaluation_lengths: ClassVar[tuple[int, ...]] = (5, 10, 20)

    name: Literal["priority_sort"] = "priority_sort"
    bits: int = Field(8, ge=1, le=64, description="Bits of each vector.")
    items: int = Field(20, ge=1, le=MAX_STEPS, description="Number of vectors shown.")
    kept: int = Field(16, ge=1, le=MAX_STEPS, description="Number of vectors asked, those of highest priority.")

    @property
    def input_channels(self) -> tuple[str, ...]:
        """The bits, then the priority, then the delimiter."""
        return (*bit_channels(self.bits), "priority", "delimiter")

    @property
    def output_channels(self) -> tuple[str, ...]:
        """The bits."""
        return bit_channels(self.bits)

    @property
    def longest(self) -> int:
        """n + 1 + kept."""
        return self.items + 1 + self.kept

    def of_length(self, length: int) -> "PrioritySort":
        """The task with `length` vectors, the same share of them kept. TaskError out of bounds."""
        return self.with_settings(items=length, kept=max(1, length * self.kept // self.items))

    def _draw(self, random: np.random.RandomState, batch: int) -> Episode:
        vectors = random_bits(random, self.items, batch, self.bits)
        levels = random.randint(0, LEVELS, (self.items, batch), dtype=np.uint32).astype(np.int64)
        priorities = ((2 * levels + 1 - LEVELS) / LEVELS).astype(np.float32)
        return self._episode(vectors, priorities, self.kept)

    def _interpret(self, rows: Rows) -> Episode:
        items = delimiter_row(rows, self.bits + 1, "delimiter", "vectors")
        kept = len(rows) - items - 1
        if not 1 <= kept <= items:
            raise TaskError(
                f"there are {len(rows)} rows: with the delimiter in row {items}, 1 … {items} blank rows must follow, "
                f"one for each vector that is asked, not {kept}"
            )
        vectors, priorities = rows[:items, : self.bits], rows[:items, self.bits]
        require_bits(vectors, self.input_channels, 0)
        outside = np.flatnonzero(np.abs(priorities) > 1)
        if len(outside):
            row = outside[0]
            raise TaskError(f"row {row}, channel 'priority' is {priorities[row]:g}: it must be in -1 … 1")
        return self._episode(vectors[:, None], priorities[:, None], kept)

    def _episode(self, vectors: Rows, priorities: Rows, kept: int) -> Episode:
        """The episode for these (item, batch, bit) vectors and (item, batch) priorities."""
        items, batch, bits = vectors.shape
        inputs = np.zeros((items + 1 + kept, batch, bits + 2), np.float32)
        inputs[:items, :, :bits] = vectors
        inputs[:items, :, bits] = priorities
        inputs[items, :, bits + 1] = 1
        highest = np.argsort(-priorities, axis=0, kind="stable")[:kept]
        targets = np.zeros((items + 1 + kept, batch, bits), np.float32)
        targets[items + 1 :] = np.take_along_axis(vectors, highest[:, :, None], 0)
        mask = np.zeros((items + 1 + kept, batch), np.float32)
        mask[items + 1 :] = 1
        return Episode(inputs, targets, mask, constant_phases(items, 1, kept), self.phases)

    @model_validator(mode="after")
    def _keeps_what_it_has(self) -> Self:
        if self.kept > self.items:
            raise ValueError(f"kept is {self.kept}: it must not exceed the number of items, {self.items}")
        return self
