"""Associative recall (Graves et al. 2014, section 4.3): shown one item of a list, say the item after it."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from ntm_core.errors import TaskError
from ntm_core.tasks.base import (
    Range,
    Rows,
    TaskBase,
    bit_channels,
    random_bits,
    random_number,
    require_bits,
)
from ntm_core.tasks.episode import Episode


def _at_least_two(limits: tuple[int, int]) -> tuple[int, int]:
    if limits[0] < 2:
        raise ValueError(f"there must be at least 2 items, one to ask with and one to answer, not {limits[0]}")
    return limits


class AssociativeRecall(TaskBase):
    """n items, one of them again as a query, then blank rows in which the item after that one is asked.

    An item is `item_length` bit vectors, V for short, after an item delimiter; the query stands between two query
    delimiters: T = n (V + 1) + 1 + V + 1 + V. The last item is never queried. Should an item occur twice, its first
    occurrence counts.
    """

    title: ClassVar[str] = "Associative recall"
    description: ClassVar[str] = "Remember a list of items and, shown one of them, answer with the item after it."
    look_for: ClassVar[str] = (
        "At the second query delimiter, see whether the read head jumps by content to what was written with "
        "the queried item, and then moves on by one to the item after it."
    )
    phases: ClassVar[tuple[str, ...]] = ("item delimiter", "item", "query delimiter", "query", "output")
    evaluation_lengths: ClassVar[tuple[int, ...]] = (2, 4, 6, 8, 10, 12, 15, 20)

    name: Literal["associative_recall"] = "associative_recall"
    bits: int = Field(6, ge=1, le=64, description="Bits of each vector.")
    item_length: int = Field(3, ge=1, le=1000, description="Vectors of each item.")
    items: Annotated[Range, AfterValidator(_at_least_two)] = Field(
        (2, 6), description="Smallest and largest number of items."
    )

    @property
    def input_channels(self) -> tuple[str, ...]:
        """The bits, then the item delimiter, then the query delimiter."""
        return (*bit_channels(self.bits), "item delimiter", "query delimiter")

    @property
    def output_channels(self) -> tuple[str, ...]:
        """The bits."""
        return bit_channels(self.bits)

    @property
    def longest(self) -> int:
        """The number of steps with the largest number of items."""
        return self._steps(self.items[1])

    def of_length(self, length: int) -> "AssociativeRecall":
        """The task with exactly `length` items. TaskError out of bounds."""
        return self.with_settings(items=(length, length))

    def _draw(self, random: np.random.RandomState, batch: int) -> Episode:
        count = random_number(random, self.items)
        items = random_bits(random, count, self.item_length, batch, self.bits)
        queried = random.randint(0, count - 1, batch, dtype=np.int64)
        return self._episode(items, items[queried, :, np.arange(batch)].swapaxes(0, 1))

    def _interpret(self, rows: Rows) -> Episode:
        count, rest = divmod(len(rows) - self._steps(0), self.item_length + 1)
        if count < 2 or rest:
            raise TaskError(
                f"there are {len(rows)} rows: there must be {self._steps(2)} for 2 items and {self.item_length + 1} "
                f"for each more, namely a delimiter and {self.item_length} vectors for each item, the same with two "
                f"delimiters for the query, and {self.item_length} blank rows in which the answer is asked"
            )
        step = self.item_length + 1
        starts = [*range(1, count * step, step), count * step + 1]
        blocks = [rows[start : start + self.item_length, : self.bits] for start in starts]
        for start, block in zip(starts, blocks, strict=True):
            require_bits(block, self.input_channels, start)
        items, query = np.stack(blocks[:-1])[:, :, None], blocks[-1][:, None]
        if not self._matches(items, query).any():
            raise TaskError(
                f"the query in rows {starts[-1]} … {starts[-1] + self.item_length - 1} is none of the first "
                f"{count - 1} items: it must repeat an item that another one follows"
            )
        return self._episode(items, query)

    def _episode(self, items: Rows, query: Rows) -> Episode:
        """The episode for these (item, vector, batch, bit) items and this (vector, batch, bit) query."""
        count, length, batch, bits = items.shape
        matches = self._matches(items, query)
        answer = items[matches.argmax(0) + 1, :, np.arange(batch)].swapaxes(0, 1)
        steps, query_at = self._steps(count), count * (length + 1)
        inputs = np.zeros((steps, batch, bits + 2), np.float32)
        listed = inputs[:query_at].reshape(count, length + 1, batch, bits + 2)
        listed[:, 0, :, bits] = 1
        listed[:, 1:, :, :bits] = items
        inputs[[query_at, query_at + length + 1], :, bits + 1] = 1
        inputs[query_at + 1 : query_at + 1 + length, :, :bits] = query
        targets = np.zeros((steps, batch, bits), np.float32)
        targets[-length:] = answer
        mask = np.zeros((steps, batch), np.float32)
        mask[-length:] = 1
        phase = [0, *[1] * length] * count + [2, *[3] * length, 2] + [4] * length
        return Episode(inputs, targets, mask, np.array(phase, np.int64), self.phases)

    @staticmethod
    def _matches(items: Rows, query: Rows) -> NDArray[np.bool_]:
        """Which items but the last equal the query: (item, batch)."""
        equal: NDArray[np.bool_] = (items[:-1] == query).all((1, 3))
        return equal

    def _steps(self, items: int) -> int:
        return items * (self.item_length + 1) + 2 * self.item_length + 2
