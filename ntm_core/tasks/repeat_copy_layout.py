"""Repeat copy in the rows of other programs: other flags, and other codes of the number of repeats."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from ntm_core.errors import TaskError
from ntm_core.tasks.base import Range, Rows, TaskBase, bit_channels, random_bits, random_number, require_bits
from ntm_core.tasks.episode import Episode
from ntm_core.tasks.segments import Segment, blank, joined, marked, widened

Layout = Literal["count_row", "start_and_count", "unary_count", "binary_count"]

_FLAGS: dict[Layout, tuple[str, ...]] = {
    "count_row": ("delimiter", "repeats"),
    "start_and_count": ("start", "repeats"),
    "unary_count": ("repeats", "delimiter"),
    "binary_count": ("start", "delimiter", "digit", "go"),
}


class RepeatCopyLayout(TaskBase):
    """L rows of random bits and the number of repeats P, then LP blank rows in which the bits are asked P times.

    `count_row`: the bits, a delimiter, a row with the coded P. `start_and_count`: a start flag, the bits, the coded P.
    `unary_count`: the bits, P flags, a delimiter. `binary_count`: a start flag, the bits, a delimiter, P in binary, one
    digit a row and the least significant first, a flag. P is coded as (P - count_mean) / count_deviation. All but
    `unary_count` end with a blank row in which the end marker is asked.
    """

    title: ClassVar[str] = "Repeat copy, other layouts"
    description: ClassVar[str] = "Repeat copy with the flags and the counts of other programs."
    look_for: ClassVar[str] = (
        "See what tells the machine how many repeats are left: does it keep count in memory, or in the controller?"
    )
    phases: ClassVar[tuple[str, ...]] = ("start", "input", "delimiter", "repeats", "go", "output", "end")
    evaluation_lengths: ClassVar[tuple[int, ...]] = (3, 5, 10)

    name: Literal["repeat_copy_layout"] = "repeat_copy_layout"
    layout: Layout = Field("count_row", description="The flags, and how the number of repeats is said.")
    bits: int = Field(8, ge=1, le=64, description="Bits of each vector.")
    lengths: Range = Field((1, 10), description="Smallest and largest number of vectors, L.")
    repeats: Range = Field((1, 10), description="Smallest and largest number of repeats, P.")
    count_mean: float = Field(5.5, ge=0, le=1e6, description="What is taken off P where it is coded in one number.")
    count_deviation: float = Field(8.25**0.5, gt=1e-3, le=1e6, description="What the rest is divided by.")

    @property
    def input_channels(self) -> tuple[str, ...]:
        """The bits, then the flags."""
        return (*bit_channels(self.bits), *_FLAGS[self.layout])

    @property
    def output_channels(self) -> tuple[str, ...]:
        """The bits, then the end marker, or two outputs that nothing is asked of."""
        unused = (f"output {self.bits}", f"output {self.bits + 1}")
        return (*bit_channels(self.bits), *(unused if self.layout == "unary_count" else ("end",)))

    @property
    def longest(self) -> int:
        """The steps for the largest L and P."""
        return self._steps(self.lengths[1], self.repeats[1])

    def of_length(self, length: int) -> "RepeatCopyLayout":
        """The task with exactly `length` vectors, repeated as often as is allowed. TaskError out of bounds."""
        return self.with_settings(lengths=(length, length), repeats=(self.repeats[1], self.repeats[1]))

    def _draw(self, random: np.random.RandomState, batch: int) -> Episode:
        length, repeats = random_number(random, self.lengths), random_number(random, self.repeats)
        return self._episode(random_bits(random, length, batch, self.bits), repeats)

    def _interpret(self, rows: Rows) -> Episode:
        first = int("start" in _FLAGS[self.layout])
        end = self.bits if self.layout in ("count_row", "unary_count") else self.bits + 1
        length = self._row_of(rows, end) - first
        repeats = self._repeats(rows, first + length, length) if length > 0 else 0
        if min(length, repeats) < 1 or len(rows) != self._steps(length, repeats):
            raise TaskError(
                f"there are {len(rows)} rows: with {length} vectors and {repeats} repeats there must be at least one "
                f"of each, and {self._steps(length, repeats)} rows"
            )
        vectors = rows[first : first + length, : self.bits]
        require_bits(vectors, self.input_channels, first)
        return self._episode(vectors[:, None], repeats)

    def _row_of(self, rows: Rows, channel: int) -> int:
        """The first row that is not 0 in a channel."""
        found = np.flatnonzero(rows[:, channel])
        if not len(found):
            raise TaskError(f"none of the {len(rows)} rows has a number in channel '{self.input_channels[channel]}'")
        return int(found[0])

    def _repeats(self, rows: Rows, after: int, length: int) -> int:
        """The number of repeats in rows whose vectors end before row `after`."""
        if self.layout == "unary_count":
            return self._row_of(rows, self.bits + 1) - after
        if self.layout == "binary_count":
            digits = rows[after + 1 : self._row_of(rows, self.bits + 3), self.bits + 2]
            return sum(int(digit) << place for place, digit in enumerate(digits[:32]))
        return (len(rows) - self._steps(0, 0)) // length - 1

    def _steps(self, length: int, repeats: int) -> int:
        said = {
            "count_row": 2,
            "start_and_count": 2,
            "unary_count": repeats + 1,
            "binary_count": 3 + repeats.bit_length(),
        }
        return said[self.layout] + length + length * repeats + (self.layout != "unary_count")

    def _episode(self, vectors: Rows, repeats: int) -> Episode:
        """The episode that asks for these (vector, batch, bit) vectors, repeated."""
        length, batch, bits = vectors.shape
        channels, outputs = len(self.input_channels), len(self.output_channels)
        answer = widened(np.tile(vectors, (repeats, 1, 1)), outputs)
        segments = [
            *self._question(vectors, repeats),
            Segment("output", blank(length * repeats, batch, channels), answer),
        ]
        if self.layout != "unary_count":
            segments.append(Segment("end", blank(1, batch, channels), marked(batch, outputs, {bits: 1})))
        return joined(segments, outputs, self.phases)

    def _question(self, vectors: Rows, repeats: int) -> list[Segment]:
        """What is shown: the vectors, and the number of repeats."""
        channels = len(self.input_channels)

        def flag(phase: str, channel: int, value: float = 1) -> Segment:
            return Segment(phase, marked(vectors.shape[1], channels, {self.bits + channel: value}))

        shown = Segment("input", widened(vectors, channels))
        code = (repeats - self.count_mean) / self.count_deviation
        match self.layout:
            case "count_row":
                return [shown, flag("delimiter", 0), flag("repeats", 1, code)]
            case "start_and_count":
                return [flag("start", 0), shown, flag("repeats", 1, code)]
            case "unary_count":
                return [shown, *[flag("repeats", 0)] * repeats, flag("delimiter", 1)]
            case "binary_count":
                digits = [flag("repeats", 2, int(one)) for one in reversed(f"{repeats:b}")]
                return [flag("start", 0), shown, flag("delimiter", 1), *digits, flag("go", 3)]
