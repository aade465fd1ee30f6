"""What one program trains under the name of priority sort: each channel sorted by itself."""

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ntm_core.errors import TaskError
from ntm_core.tasks.base import Count, Rows, TaskBase, bit_channels, random_bits, require_bits
from ntm_core.tasks.episode import Episode
from ntm_core.tasks.segments import Segment, blank, joined


class ColumnSort(TaskBase):
    """Rows of random bits with a priority that plays no part; asked is each channel sorted by itself, ones first.

    No delimiter: so many items, then so many blank rows as are kept. Bit j of answer i is 1 if channel j held more than
    i ones.
    """

    title: ClassVar[str] = "Sort each channel"
    description: ClassVar[str] = "Say how many ones each channel held: as many rows of ones, then zeros."
    look_for: ClassVar[str] = "No order of the items is asked, only a count for each channel: is memory used at all?"
    phases: ClassVar[tuple[str, ...]] = ("input", "output")
    evaluation_lengths: ClassVar[tuple[int, ...]] = (10, 20)

    name: Literal["column_sort"] = "column_sort"
    bits: int = Field(8, ge=1, le=64, description="Bits of each item.")
    items: Count = Field(20, description="Number of items.")
    kept: Count = Field(16, description="Number of rows asked; at most the number of items.")

    @property
    def input_channels(self) -> tuple[str, ...]:
        """The bits, then the priority."""
        return (*bit_channels(self.bits), "priority")

    @property
    def output_channels(self) -> tuple[str, ...]:
        """The bits."""
        return bit_channels(self.bits)

    @property
    def longest(self) -> int:
        """Items and answers."""
        return self.items + self.kept

    def of_length(self, length: int) -> "ColumnSort":
        """The task with exactly `length` items, of which no more are kept. TaskError out of bounds."""
        return self.with_settings(items=length, kept=min(length, self.kept))

    def _draw(self, random: np.random.RandomState, batch: int) -> Episode:
        vectors = random_bits(random, self.items, batch, self.bits)
        return self._episode(vectors, random.uniform(-1, 1, (self.items, batch, 1)).astype(np.float32))

    def _interpret(self, rows: Rows) -> Episode:
        if len(rows) != self.longest:
            raise TaskError(f"there are {len(rows)} rows: there must be {self.items} items and {self.kept} blank rows")
        vectors, priorities = rows[: self.items, :-1], rows[: self.items, -1:]
        require_bits(vectors, self.input_channels, 0)
        outside = np.flatnonzero(np.abs(priorities) > 1)
        if len(outside):
            raise TaskError(
                f"row {outside[0]}, channel 'priority' is {priorities[outside[0], 0]:g}: it must be in -1 … 1"
            )
        return self._episode(vectors[:, None], priorities[:, None])

    def _episode(self, vectors: Rows, priorities: Rows) -> Episode:
        answer = -np.sort(-vectors, axis=0)[: self.kept]
        shown = Segment("input", np.concatenate([vectors, priorities], -1))
        asked = Segment("output", blank(self.kept, vectors.shape[1], self.bits + 1), answer)
        return joined([shown, asked], self.bits, self.phases)

    @model_validator(mode="after")
    def _keeps_no_more_than_there_are(self) -> Self:
        if self.kept > self.items:
            raise ValueError(f"kept is {self.kept}: it must not exceed the number of items, {self.items}")
        return self
