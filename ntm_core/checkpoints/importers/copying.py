"""Encodings of copying tasks: a sequence of bit vectors, said again in one way or another."""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np

from ntm_core.checkpoints.importers.encodings import Encoding, Make, Segment, blank, marked, widened
from ntm_core.tasks.base import Rows, bit_channels, random_bits, random_number

Turn = Callable[[Rows], Rows]


def _ascending(vectors: Rows) -> Rows:
    order = [np.lexsort(one.T[::-1]) for one in vectors.swapaxes(0, 1)]
    return np.stack([vectors[rows, index] for index, rows in enumerate(order)], 1)


TURNS: dict[str, tuple[str, Turn]] = {
    "copy": ("said again", lambda vectors: vectors),
    "reversed_copy": ("said again from the last to the first", lambda vectors: vectors[::-1]),
    "upside_down_copy": ("said again with the bits of each mirrored", lambda vectors: vectors[..., ::-1]),
    "sort": ("said in ascending order, bit 0 the most significant", _ascending),
}
"""What an answer does with the vectors: in words, and as a function of (vector, batch, bit)."""


def copy_with_start_and_end(bits: int, longest: int = 20) -> Encoding:
    """A start flag, the vectors, an end flag, then blank rows in which the vectors are asked."""
    channels = bits + 2

    def make(random: np.random.RandomState, batch: int) -> Sequence[Segment]:
        vectors = random_bits(random, random_number(random, (1, longest)), batch, bits)
        return [
            Segment("start", marked(batch, channels, {bits: 1})),
            Segment("input", widened(vectors, channels)),
            Segment("end", marked(batch, channels, {bits + 1: 1})),
            Segment("output", blank(len(vectors), batch, channels), vectors),
        ]

    return Encoding(
        "copy_with_start_and_end",
        "Copy",
        f"a row with channel {bits} = 1 (start), L rows of {bits} bits, a row with channel {bits + 1} = 1 (end), "
        "then L blank rows in which the bits are asked",
        (*bit_channels(bits), "start", "end"),
        bit_channels(bits),
        make=make,
    )


def copy_between_tokens(bits: int, length: int = 3) -> Encoding:
    """Like it, but the two flags stand in the first and the last data channel."""

    def make(random: np.random.RandomState, batch: int) -> Sequence[Segment]:
        vectors = random_bits(random, length, batch, bits)
        return [
            Segment("start", marked(batch, bits, {0: 1})),
            Segment("input", vectors),
            Segment("end", marked(batch, bits, {bits - 1: 1})),
            Segment("output", blank(length, batch, bits), vectors),
        ]

    return Encoding(
        "copy_between_tokens",
        "Copy",
        f"a row with a 1 in data channel 0 (start), {length} rows of {bits} bits, a row with a 1 in data channel "
        f"{bits - 1} (end), then {length} blank rows in which the bits are asked",
        bit_channels(bits),
        bit_channels(bits),
        make=make,
    )


def copy_with_end_marker(turn: str, bits: int, longest: int = 5) -> Encoding:
    """The vectors, a delimiter, blank rows in which they are asked, and one in which the end is to be marked."""
    words, function = TURNS[turn]
    channels = bits + 1

    def make(random: np.random.RandomState, batch: int) -> Sequence[Segment]:
        vectors = random_bits(random, random_number(random, (1, longest)), batch, bits)
        return [
            Segment("input", widened(vectors, channels)),
            Segment("delimiter", marked(batch, channels, {bits: 1})),
            Segment("output", blank(len(vectors), batch, channels), widened(function(vectors), channels)),
            Segment("end", blank(1, batch, channels), marked(batch, channels, {bits: 1})),
        ]

    return Encoding(
        f"{turn}_with_end_marker",
        turn.replace("_", " ").capitalize(),
        f"L rows of {bits} bits, a row with channel {bits} = 1 (delimiter), L blank rows in which the vectors are "
        f"{words}, then a blank row in which output channel {bits} = 1 is asked (end)",
        (*bit_channels(bits), "delimiter"),
        (*bit_channels(bits), "end"),
        make=make,
    )


def _repeats(vectors: Rows, repeats: int, channels: int, outputs: int, *, end: bool) -> list[Segment]:
    """The blank rows in which the vectors are asked so many times, and perhaps one that asks for the end."""
    batch, bits = vectors.shape[1:]
    answer = widened(np.tile(vectors, (repeats, 1, 1)), outputs)
    segments = [Segment("output", blank(len(answer), batch, channels), answer)]
    return (
        [*segments, Segment("end", blank(1, batch, channels), marked(batch, outputs, {bits: 1}))] if end else segments
    )


def _repeat_copy(
    name: str, layout: str, channels: tuple[str, ...], make: Make, *, bits: int, outputs: tuple[str, ...]
) -> Encoding:
    asked = "then blank rows in which the vectors are asked P times"
    return Encoding(
        name,
        "Repeat copy",
        f"{layout}, {asked}",
        (*bit_channels(bits), *channels),
        (*bit_channels(bits), *outputs),
        make=make,
    )


def repeat_copy_with_count_row(bits: int, count: Callable[[int], float], formula: str) -> Encoding:
    """The vectors, a delimiter row, a row with the coded number of repeats, and at the end an end marker is asked."""
    channels = bits + 2

    def make(random: np.random.RandomState, batch: int) -> Sequence[Segment]:
        vectors = random_bits(random, random_number(random, (1, 10)), batch, bits)
        repeats = random_number(random, (1, 10))
        return [
            Segment("input", widened(vectors, channels)),
            Segment("delimiter", marked(batch, channels, {bits: 1})),
            Segment("repeats", marked(batch, channels, {bits + 1: count(repeats)})),
            *_repeats(vectors, repeats, channels, bits + 1, end=True),
        ]

    layout = (
        f"L rows of {bits} bits, a row with channel {bits} = 1 (delimiter), a row with channel {bits + 1} = {formula}"
    )
    return _repeat_copy(
        "repeat_copy_with_count_row", layout, ("delimiter", "repeats"), make, bits=bits, outputs=("end",)
    )


def repeat_copy_with_start(bits: int) -> Encoding:
    """A start flag, the vectors, a row with the normalised number of repeats; an end marker is asked."""
    channels = bits + 2

    def make(random: np.random.RandomState, batch: int) -> Sequence[Segment]:
        vectors = random_bits(random, random_number(random, (1, 9)), batch, bits)
        repeats = random_number(random, (1, 9))
        return [
            Segment("start", marked(batch, channels, {bits: 1})),
            Segment("input", widened(vectors, channels)),
            Segment("repeats", marked(batch, channels, {bits + 1: (repeats - 4.5) / 8.25**0.5})),
            *_repeats(vectors, repeats, channels, bits + 1, end=True),
        ]

    layout = (
        f"a row with channel {bits} = 1 (start), L rows of {bits} bits, "
        f"a row with channel {bits + 1} = (P - 4.5) / √8.25"
    )
    return _repeat_copy("repeat_copy_with_start", layout, ("start", "repeats"), make, bits=bits, outputs=("end",))


def repeat_copy_with_unary_count(bits: int) -> Encoding:
    """The vectors, as many flags as repeats, and another flag; no end marker."""
    channels = bits + 2

    def make(random: np.random.RandomState, batch: int) -> Sequence[Segment]:
        vectors = random_bits(random, random_number(random, (3, 5)), batch, bits)
        repeats = random_number(random, (1, 5))
        return [
            Segment("input", widened(vectors, channels)),
            Segment("repeats", np.tile(marked(batch, channels, {bits: 1}), (repeats, 1, 1))),
            Segment("delimiter", marked(batch, channels, {bits + 1: 1})),
            *_repeats(vectors, repeats, channels, channels, end=False),
        ]

    layout = (
        f"L rows of {bits} bits, P rows with channel {bits} = 1 (one for each repeat), "
        f"a row with channel {bits + 1} = 1 (delimiter)"
    )
    unused = (f"output {bits}", f"output {bits + 1}")
    return _repeat_copy(
        "repeat_copy_with_unary_count", layout, ("repeats", "delimiter"), make, bits=bits, outputs=unused
    )


def repeat_copy_with_binary_count(bits: int) -> Encoding:
    """A start flag, the vectors, a flag, the repeats in binary, another flag; an end marker is asked."""
    channels = bits + 4
    start, after, digit, go = range(bits, channels)

    def make(random: np.random.RandomState, batch: int) -> Sequence[Segment]:
        vectors = random_bits(random, random_number(random, (1, 10)), batch, bits)
        repeats = random_number(random, (1, 10))
        digits = [marked(batch, channels, {digit: int(one)}) for one in reversed(f"{repeats:b}")]
        return [
            Segment("start", marked(batch, channels, {start: 1})),
            Segment("input", widened(vectors, channels)),
            Segment("delimiter", marked(batch, channels, {after: 1})),
            Segment("repeats", np.concatenate(digits)),
            Segment("go", marked(batch, channels, {go: 1})),
            *_repeats(vectors, repeats, channels, bits + 1, end=True),
        ]

    layout = (
        f"a row with channel {start} = 1 (start), L rows of {bits} bits, a row with channel {after} = 1, the number of "
        f"repeats P in binary on channel {digit}, one digit a row, the least significant first, a row with channel "
        f"{go} = 1"
    )
    flags = ("start", "delimiter", "digit", "go")
    return _repeat_copy("repeat_copy_with_binary_count", layout, flags, make, bits=bits, outputs=("end",))


def associative_recall_with_varied_items(bits: int) -> Encoding:
    """Items of 1 to 3 vectors, each after a flag; one of them again between two other flags; the next one is asked."""
    channels = bits + 2

    def make(random: np.random.RandomState, batch: int) -> Sequence[Segment]:
        count, length = random_number(random, (2, 6)), random_number(random, (1, 3))
        items = random_bits(random, count, length, batch, bits)
        asked = random.randint(0, count - 1, batch, dtype=np.int64)
        query, answer = (items[index, :, np.arange(batch)].swapaxes(0, 1) for index in (asked, asked + 1))
        flags = marked(batch, channels, {bits: 1}), marked(batch, channels, {bits + 1: 1})
        shown = [(Segment("item delimiter", flags[0]), Segment("item", widened(item, channels))) for item in items]
        return [
            *chain.from_iterable(shown),
            Segment("query delimiter", flags[1]),
            Segment("query", widened(query, channels)),
            Segment("query delimiter", flags[1]),
            Segment("output", blank(length, batch, channels), widened(answer, channels)),
        ]

    return Encoding(
        "associative_recall_with_varied_items",
        "Associative recall",
        f"for each item a row with channel {bits} = 1 and its l rows of {bits} bits; the l rows of one item but the "
        f"last between two rows with channel {bits + 1} = 1; then l blank rows in which the item after it is asked",
        (*bit_channels(bits), "item delimiter", "query delimiter"),
        (*bit_channels(bits), f"output {bits}", f"output {bits + 1}"),
        make=make,
    )
