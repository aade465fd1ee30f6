"""Balanced brackets: at each step, whether all brackets so far are balanced."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from ntm_core.tasks.base import Range, Rows, TaskBase, random_number, require_bits
from ntm_core.tasks.episode import Episode
from ntm_core.tasks.segments import Segment, joined


class DyckWords(TaskBase):
    """One bracket a row, 0 opens and 1 closes; a 1 is asked where all brackets so far are balanced: T = 2n.

    Half the sequences are balanced words; the others have as many closing as opening brackets in any order.
    """

    title: ClassVar[str] = "Balanced brackets"
    description: ClassVar[str] = "Say at each bracket whether all brackets so far are balanced."
    look_for: ClassVar[str] = "See what counts the open brackets: the place of a head, or what stands in memory."
    phases: ClassVar[tuple[str, ...]] = ("output",)
    evaluation_lengths: ClassVar[tuple[int, ...]] = (5, 10, 20, 40)

    name: Literal["dyck_words"] = "dyck_words"
    pairs: Range = Field((1, 10), description="Smallest and largest number of pairs of brackets, n.")

    @property
    def input_channels(self) -> tuple[str, ...]:
        """The bracket."""
        return ("bracket",)

    @property
    def output_channels(self) -> tuple[str, ...]:
        """Whether all is balanced."""
        return ("balanced",)

    @property
    def longest(self) -> int:
        """2n for the largest n."""
        return 2 * self.pairs[1]

    def of_length(self, length: int) -> "DyckWords":
        """The task with exactly `length` pairs. TaskError out of bounds."""
        return self.with_settings(pairs=(length, length))

    def _draw(self, random: np.random.RandomState, batch: int) -> Episode:
        pairs = random_number(random, self.pairs)
        words = [_brackets(random, pairs, balanced=bool(random.randint(0, 2))) for _ in range(batch)]
        return self._episode(np.stack(words, 1))

    def _interpret(self, rows: Rows) -> Episode:
        require_bits(rows, self.input_channels, 0)
        return self._episode(rows)

    def _episode(self, closing: Rows) -> Episode:
        """The episode of these (step, batch) brackets."""
        depth = np.cumsum(1 - 2 * closing, axis=0)
        balanced = (depth == 0) & (np.minimum.accumulate(depth, axis=0) >= 0)
        shown = closing[..., None].astype(np.float32)
        return joined([Segment("output", shown, balanced[..., None].astype(np.float32))], 1, self.phases)


def _brackets(random: np.random.RandomState, pairs: int, *, balanced: bool) -> Rows:
    """As many opening as closing brackets, (2 pairs,); `balanced` ones never close what is not open.

    Of the cyclic turns of such a word and one more opening bracket, exactly one is balanced up to its end.
    """
    word = np.concatenate([np.zeros(pairs), np.ones(pairs)]).astype(np.float32)
    random.shuffle(word)
    if not balanced:
        return word
    depth = np.cumsum(1 - 2 * word)
    lowest = int(depth.argmin())
    return word if depth[lowest] >= 0 else np.roll(word, -(lowest + 1))
