"""Copy in the rows of other programs: other flags, and other things to say than the sequence as it was."""

from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from ntm_core.errors import TaskError
from ntm_core.tasks.base import Range, Rows, TaskBase, bit_channels, random_bits, random_number, require_bits
from ntm_core.tasks.episode import Episode
from ntm_core.tasks.segments import Segment, blank, joined, marked, widened

Layout = Literal["start_and_end", "between_tokens", "end_marker"]
Answer = Literal["copy", "reversed", "upside_down", "sorted"]


def _ascending(vectors: Rows) -> Rows:
    order = [np.lexsort(one.T[::-1]) for one in vectors.swapaxes(0, 1)]
    return np.stack([vectors[rows, index] for index, rows in enumerate(order)], 1)


_ANSWERS: dict[Answer, Callable[[Rows], Rows]] = {
    "copy": lambda vectors: vectors,
    "reversed": lambda vectors: vectors[::-1],
    "upside_down": lambda vectors: vectors[..., ::-1],
    "sorted": _ascending,
}


class CopyLayout(TaskBase):
    """L rows of random bits between or before flags, then the blank rows in which the answer is asked: T = 2L + 2.

    `start_and_end`: a start flag and an end flag on channels of their own. `between_tokens`: the same, but on the first
    and the last data channel. `end_marker`: a delimiter after the bits, and after the answer one more row, which asks
    for the end marker. `sorted` takes bit 0 as the most significant.
    """

    title: ClassVar[str] = "Copy, other layouts"
    description: ClassVar[str] = "Copy with the flags of other programs: as it was, reversed, mirrored or sorted."
    look_for: ClassVar[str] = (
        "Compare with plain copy: where the sequence is asked in another order, see whether the machine writes it in "
        "that order or reads it so."
    )
    phases: ClassVar[tuple[str, ...]] = ("start", "input", "delimiter", "output", "end")
    evaluation_lengths: ClassVar[tuple[int, ...]] = (3, 5, 10, 20)

    name: Literal["copy_layout"] = "copy_layout"
    layout: Layout = Field("start_and_end", description="The flags around the vectors.")
    answer: Answer = Field("copy", description="In which order the vectors, or their bits, are asked.")
    bits: int = Field(8, ge=1, le=64, description="Bits of each vector.")
    lengths: Range = Field((1, 20), description="Smallest and largest number of vectors, L.")

    @property
    def input_channels(self) -> tuple[str, ...]:
        """The bits, then the flags that have a channel of their own."""
        flags = {"start_and_end": ("start", "end"), "between_tokens": (), "end_marker": ("delimiter",)}
        return (*bit_channels(self.bits), *flags[self.layout])

    @property
    def output_channels(self) -> tuple[str, ...]:
        """The bits, then the end marker if there is one."""
        return (*bit_channels(self.bits), *(("end",) if self.layout == "end_marker" else ()))

    @property
    def longest(self) -> int:
        """2L + 2 for the largest L."""
        return 2 * self.lengths[1] + 2

    def of_length(self, length: int) -> "CopyLayout":
        """The task with exactly `length` vectors. TaskError out of bounds."""
        return self.with_settings(lengths=(length, length))

    def _draw(self, random: np.random.RandomState, batch: int) -> Episode:
        return self._episode(random_bits(random, random_number(random, self.lengths), batch, self.bits))

    def _interpret(self, rows: Rows) -> Episode:
        if len(rows) % 2 or len(rows) < 4:
            raise TaskError(f"there are {len(rows)} rows: there must be 2 for each vector and 2 more")
        length, first = len(rows) // 2 - 1, 0 if self.layout == "end_marker" else 1
        vectors = rows[first : first + length, : self.bits]
        require_bits(vectors, self.input_channels, first)
        return self._episode(vectors[:, None])

    def _episode(self, vectors: Rows) -> Episode:
        """The episode that asks for these (vector, batch, bit) vectors."""
        batch, channels, bits = vectors.shape[1], len(self.input_channels), self.bits
        outputs = len(self.output_channels)
        asked = widened(_ANSWERS[self.answer](vectors), outputs)
        shown = Segment("input", widened(vectors, channels))
        output = Segment("output", blank(len(vectors), batch, channels), asked)
        if self.layout == "end_marker":
            delimiter = Segment("delimiter", marked(batch, channels, {bits: 1}))
            end = Segment("end", blank(1, batch, channels), marked(batch, outputs, {bits: 1}))
            return joined([shown, delimiter, output, end], outputs, self.phases)
        start, after = (bits, bits + 1) if self.layout == "start_and_end" else (0, bits - 1)
        flags = (
            Segment("start", marked(batch, channels, {start: 1})),
            Segment("delimiter", marked(batch, channels, {after: 1})),
        )
        return joined([flags[0], shown, flags[1], output], outputs, self.phases)
