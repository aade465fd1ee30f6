"""Associative recall with items of varied length, in the rows of another program."""

from itertools import chain
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ntm_core.errors import TaskError
from ntm_core.tasks.base import Range, Rows, TaskBase, bit_channels, random_bits, random_number, require_bits
from ntm_core.tasks.episode import Episode
from ntm_core.tasks.segments import Segment, blank, joined, marked, widened


class RecallLayout(TaskBase):
    """Q items of l rows, each after a flag; one of them again between two other flags; then the item after it is asked.

    T = (Q + 2)(l + 1). Where items are alike, the one after the first of them is asked.
    """

    title: ClassVar[str] = "Associative recall, varied items"
    description: ClassVar[str] = "See some items of one length, then one of them again, and say the one after it."
    look_for: ClassVar[str] = (
        "At the query, see whether a read head finds the item by content and then moves on by one."
    )
    phases: ClassVar[tuple[str, ...]] = ("item delimiter", "item", "query delimiter", "query", "output")
    evaluation_lengths: ClassVar[tuple[int, ...]] = (2, 4, 6, 12)

    name: Literal["recall_layout"] = "recall_layout"
    bits: int = Field(8, ge=1, le=64, description="Bits of each row.")
    items: Range = Field((2, 6), description="Smallest and largest number of items, Q; at least 2.")
    item_lengths: Range = Field((1, 3), description="Smallest and largest number of rows of an item, l.")

    @property
    def input_channels(self) -> tuple[str, ...]:
        """The bits, then the two flags."""
        return (*bit_channels(self.bits), "item delimiter", "query delimiter")

    @property
    def output_channels(self) -> tuple[str, ...]:
        """The bits, then two outputs that nothing is asked of."""
        return (*bit_channels(self.bits), f"output {self.bits}", f"output {self.bits + 1}")

    @property
    def longest(self) -> int:
        """(Q + 2)(l + 1) for the largest Q and l."""
        return (self.items[1] + 2) * (self.item_lengths[1] + 1)

    def of_length(self, length: int) -> "RecallLayout":
        """The task with exactly `length` items of the largest length. TaskError out of bounds."""
        return self.with_settings(items=(length, length), item_lengths=(self.item_lengths[1], self.item_lengths[1]))

    def _draw(self, random: np.random.RandomState, batch: int) -> Episode:
        count, length = random_number(random, self.items), random_number(random, self.item_lengths)
        items = random_bits(random, count, length, batch, self.bits)
        asked = random.randint(0, count - 1, batch, dtype=np.int64)
        return self._episode(items, items[asked, :, np.arange(batch)].swapaxes(0, 1))

    def _interpret(self, rows: Rows) -> Episode:
        flags = np.flatnonzero(rows[:, self.bits :].any(1))
        length = int(flags[1]) - 1 if len(flags) > 1 and flags[0] == 0 else 0
        count = len(rows) // (length + 1) - 2
        if length < 1 or count < 2 or len(rows) != (count + 2) * (length + 1):
            raise TaskError(
                f"there are {len(rows)} rows: there must be a flag in row 0, then items of equal length, at least two, "
                "each after a flag, then the query between two flags, and as many blank rows as an item has"
            )
        blocks = rows.reshape(count + 2, length + 1, -1)[:-1, 1:, : self.bits]
        for place, block in enumerate(blocks):
            require_bits(block, self.input_channels, place * (length + 1) + 1)
        if not (blocks[:-2] == blocks[-1]).all((1, 2)).any():
            raise TaskError("the query is none of the items but the last, so there is no item after it")
        return self._episode(blocks[:-1, :, None], blocks[-1][:, None])

    def _episode(self, items: Rows, query: Rows) -> Episode:
        """The episode that shows these (item, row, batch, bit) items and asks for the one after the query."""
        batch, channels = query.shape[1], len(self.input_channels)
        place = (items[:-1] == query).all((1, 3)).argmax(0)
        answer = items[place + 1, :, np.arange(batch)].swapaxes(0, 1)
        item_flag, query_flag = (marked(batch, channels, {self.bits + flag: 1}) for flag in (0, 1))
        shown = [(Segment("item delimiter", item_flag), Segment("item", widened(item, channels))) for item in items]
        segments = [
            *chain.from_iterable(shown),
            Segment("query delimiter", query_flag),
            Segment("query", widened(query, channels)),
            Segment("query delimiter", query_flag),
            Segment("output", blank(len(query), batch, channels), widened(answer, channels)),
        ]
        return joined(segments, channels, self.phases)

    @model_validator(mode="after")
    def _has_a_next_item(self) -> Self:
        if self.items[0] < 2:
            raise ValueError(f"items is {self.items}: there must be at least 2 items, one to ask for and one after it")
        return self
