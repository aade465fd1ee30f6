"""Encodings of the tasks that are not copying: counting the ones of each channel, and balanced brackets."""

from collections.abc import Sequence

import numpy as np

from ntm_core.checkpoints.importers.encodings import Encoding, Segment, blank
from ntm_core.tasks.base import Rows, bit_channels, random_bits, random_number


def column_sort(bits: int, items: int = 20, kept: int = 16) -> Encoding:
    """Bits with a priority that plays no part; asked is each channel sorted by itself, ones first."""

    def make(random: np.random.RandomState, batch: int) -> Sequence[Segment]:
        vectors = random_bits(random, items, batch, bits)
        priorities = random.uniform(-1, 1, (items, batch, 1)).astype(np.float32)
        answer = -np.sort(-vectors, axis=0)[:kept]
        return [
            Segment("input", np.concatenate([vectors, priorities], -1)),
            Segment("output", blank(kept, batch, bits + 1), answer),
        ]

    return Encoding(
        "column_sort",
        "Sort each channel",
        f"{items} rows of {bits} bits and a priority in channel {bits}, no delimiter, then {kept} blank rows: bit j of "
        "row i is asked to be 1 if channel j held more than i ones; the priorities play no part",
        (*bit_channels(bits), "priority"),
        bit_channels(bits),
        make=make,
    )


def dyck_words(longest: int = 10) -> Encoding:
    """Brackets, and at each step whether what was seen so far is balanced."""

    def make(random: np.random.RandomState, batch: int) -> Sequence[Segment]:
        pairs = random_number(random, (1, longest))
        words = [_brackets(random, pairs, balanced=bool(random.randint(0, 2))) for _ in range(batch)]
        closing = np.stack(words, 1)
        depth = np.cumsum(1 - 2 * closing, axis=0)
        balanced = (depth == 0) & (np.minimum.accumulate(depth, axis=0) >= 0)
        return [Segment("output", closing[..., None].astype(np.float32), balanced[..., None].astype(np.float32))]

    return Encoding(
        "dyck_words",
        "Balanced brackets",
        "one bracket a row, 0 opens and 1 closes; at each row a 1 is asked if all brackets so far are balanced",
        ("bracket",),
        ("balanced",),
        make=make,
    )


def _brackets(random: np.random.RandomState, pairs: int, *, balanced: bool) -> Rows:
    """As many opening as closing brackets, (2 pairs,); `balanced` ones never close what is not open.

    Of the cyclic turns of such a word and one more opening bracket, exactly one is balanced up to its end.
    """
    word = np.concatenate([np.zeros(pairs), np.ones(pairs)])
    random.shuffle(word)
    if not balanced:
        return word
    depth = np.cumsum(1 - 2 * word)
    lowest = int(depth.argmin())
    return word if depth[lowest] >= 0 else np.roll(word, -(lowest + 1))
