"""What `coded_steps` does with records of the compiled core, compiled too: the same predictions to the last bit.

numba compiles it from Python, without the liberties that `ntm_core.compiled` takes: each operation is rounded by
itself, in the order in which `prediction` does it. Only the machines of the compiled core are known here.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numpy import float32 as f32

from ntm_core.compiled.intrinsics import cached
from server.prediction import FLOOR, HALVINGS, LEAST, LN_2, LOG2_E

Numbers = Any
"""An array inside the kernel: numba's type."""

Function = TypeVar("Function", bound=Callable[..., Any])

CODED_FIELDS = ("content_weighting", "gated_weighting", "shifted_weighting", "weighting")
FIELDS = (
    *("key", "key_strength", "interpolation_gate", "shift_weighting", "sharpening", "erase_vector", "add_vector"),
    *("memory_found", *CODED_FIELDS),
)
"""The fields that are looked at, in the order in which `encode` is told where they begin."""

KEY, STRENGTH, GATE, SHIFT, GAMMA, ERASE, ADD, FOUND, CODED = range(9)
WEIGHTING = CODED + 3

_FLOOR_BITS = FLOOR.view(np.int32)
_ROOT_OF_HALF = 0.7071067811865476


def part(function: Function) -> Function:
    """The function as a part of the kernel, in which no operation is reordered or fused."""
    compiled: Any = numba.njit(fastmath=False, error_model="numpy", nogil=True)(function)
    found: Function = compiled
    return found


def entry(function: Function) -> Function:
    """The function as one that Python calls."""
    return cached(function, fastmath=False, error_model="numpy", nogil=True)


@part
def at_least(x: Numbers, least: Numbers) -> Numbers:
    """The number, or `least` where it is not greater, NaN included."""
    return x if x > least else least  # noqa: FURB136  # max() has a mind of its own about NaN


@part
def softmax(scores: Numbers, powers: Numbers) -> None:
    """`prediction.softmax`, floored, in place; `powers` is room for float64 numbers."""
    greatest = f32(-np.inf)
    for n in range(len(scores)):
        greatest = at_least(scores[n], greatest)
    for n in range(len(scores)):
        below = np.float64(f32(scores[n] - greatest))
        x = at_least(below, LEAST)
        halvings = np.floor(0.5 - x * LOG2_E)
        rest = x + halvings * LN_2
        power = 1 / 40320 * rest + 1 / 5040
        power = power * rest + 1 / 720
        power = power * rest + 1 / 120
        power = power * rest + 1 / 24
        power = power * rest + 1 / 6
        power = power * rest + 1 / 2
        power = power * rest + 1.0
        power = power * rest + 1.0
        powers[n] = power * HALVINGS[np.int64(halvings)]
    total = 0.0
    for n in range(len(scores)):
        total += powers[n]
    for n in range(len(scores)):
        share = f32(powers[n] / total)
        scores[n] = f32(0) if share < FLOOR else share


@part
def fill_content(
    found: Numbers, memory: Numbers, norms: Numbers, key: Numbers, strength: f32, epsilon: float, powers: Numbers
) -> None:
    """`prediction.content` of one head, from the memory, (word, location)."""
    square = 0.0
    powers[:] = 0.0
    for w in range(len(key)):
        k = np.float64(key[w])
        square += k * k
        for n in range(len(found)):
            powers[n] += np.float64(memory[w, n]) * k
    length = np.sqrt(square)
    length = at_least(length, epsilon)
    for n in range(len(found)):
        found[n] = strength * f32(powers[n] / (length * at_least(norms[n], epsilon)))
    softmax(found, powers)


@part
def fill_norms(norms: Numbers, memory: Numbers) -> None:
    """The length of each location's word."""
    norms[:] = 0.0
    for w in range(len(memory)):
        for n in range(len(norms)):
            cell = np.float64(memory[w, n])
            norms[n] += cell * cell
    for n in range(len(norms)):
        norms[n] = np.sqrt(norms[n])


@part
def fill_gated(found: Numbers, content: Numbers, previous: Numbers, gate: f32) -> None:
    """`prediction.gated` of one head."""
    kept = f32(1) - gate
    for n in range(len(found)):
        found[n] = gate * content[n] + kept * previous[n]


@part
def fill_shifted(found: Numbers, gated: Numbers, taps: Numbers, circular: bool) -> None:
    """`prediction.shifted` of one head."""
    size, reach = len(found), len(taps) // 2
    for j in range(len(taps)):
        ahead = (reach - j) % size if circular else reach - j
        for n in range(size):
            source = n + ahead - size if circular and n + ahead >= size else n + ahead
            moved = taps[j] * (gated[source] if 0 <= source < size else f32(0))
            found[n] = moved if j == 0 else found[n] + moved


@part
def fill_sharpened(found: Numbers, shifted: Numbers, bits: Numbers, sharpening: f32, powers: Numbers) -> None:
    """`prediction.sharpened` of one head; `bits` are those of the shifted weighting."""
    for n in range(len(found)):
        own = bits[n] if shifted[n] > FLOOR else _FLOOR_BITS
        exponent, whole = np.float64((own >> 23) - 126), np.float64((own & 0x7FFFFF) | 0x800000)
        fraction = whole / 16777216.0
        low = fraction < _ROOT_OF_HALF
        fraction, exponent = (2 * fraction, exponent - 1) if low else (fraction, exponent)
        ratio = (fraction - 1) / (fraction + 1)
        square = ratio * ratio
        series = 1 / 11 * square + 1 / 9
        series = series * square + 1 / 7
        series = series * square + 1 / 5
        series = series * square + 1 / 3
        series = series * square + 1.0
        found[n] = sharpening * f32(exponent * LN_2 + 2 * ratio * series)
    softmax(found, powers)


@part
def write(memory: Numbers, weighting: Numbers, erase: Numbers, add: Numbers, one_by_one: bool) -> None:
    """`ntm_core.trace.memory_after_writes` in place; erase and add vectors lie (head, word)."""
    for head in range(len(weighting)):
        for w in range(len(memory)):
            for n in range(memory.shape[1]):
                memory[w, n] *= f32(1) - weighting[head, n] * erase[head, w]
                if one_by_one:
                    memory[w, n] += weighting[head, n] * add[head, w]
    if not one_by_one:
        for head in range(len(weighting)):
            for w in range(len(memory)):
                for n in range(memory.shape[1]):
                    memory[w, n] += weighting[head, n] * add[head, w]


@part
def pack(away: Numbers, out: Numbers, start: int) -> int:
    """Write one row's corrections from `out[start]` on; how many bytes each of them has."""
    largest, found = 0, 0
    for n in range(len(away)):
        largest |= away[n] ^ (away[n] >> 31)
        found |= away[n]
    if found == 0:
        return 0
    width = 1 + (largest >= 1 << 7) + (largest >= 1 << 15) + (largest >= 1 << 23)
    for place in range(width):
        for n in range(len(away)):
            out[start + place * len(away) + n] = (away[n] >> (8 * place)) & 255
    return width


@part
def fill(
    expected: Numbers,
    field: int,
    head: int,
    row: Numbers,
    bits: Numbers,
    at: Numbers,
    memory: Numbers,
    norms: Numbers,
    previous: Numbers,
    seen: int,
    taps: int,
    epsilon: float,
    circular: bool,
    powers: Numbers,
) -> None:
    """What one head's row of a field is expected to be: content, gated, shifted or final weighting."""
    locations = len(expected)
    start = at[CODED + field - 1] + head * locations
    if field == 0 and seen == 0:
        expected[:] = f32(0)
    elif field == 0:
        key = row[at[KEY] + head * len(memory) : at[KEY] + (head + 1) * len(memory)]
        fill_content(expected, memory, norms, key, row[at[STRENGTH] + head], epsilon, powers)
    elif field == 1:
        fill_gated(expected, row[start : start + locations], previous, row[at[GATE] + head])
    elif field == 2:
        shift = row[at[SHIFT] + head * taps : at[SHIFT] + (head + 1) * taps]
        fill_shifted(expected, row[start : start + locations], shift, circular)
    else:
        shifted = slice(start, start + locations)
        fill_sharpened(expected, row[shifted], bits[shifted], row[at[GAMMA] + head], powers)
    for n in range(locations):
        expected[n] = f32(0) if np.isnan(expected[n]) else expected[n]


@part
def find(memory: Numbers, row: Numbers, start: int) -> None:
    """The memory as the step found it, where its record holds that."""
    if start >= 0:
        words, locations = memory.shape
        memory[:] = row[start : start + words * locations].reshape(locations, words).T


@part
def leave(memory: Numbers, row: Numbers, at: Numbers, weighting: Numbers, one_by_one: bool) -> None:
    """The memory as the step leaves it; `weighting` is that of the write heads, (head, location)."""
    size = len(weighting) * len(memory)
    erase = row[at[ERASE] : at[ERASE] + size].reshape(len(weighting), len(memory))
    add = row[at[ADD] : at[ADD] + size].reshape(len(weighting), len(memory))
    write(memory, weighting, erase, add, one_by_one)


@entry
def encode(
    rows: Numbers,
    bits: Numbers,
    at: Numbers,
    memory: Numbers,
    previous: Numbers,
    seen: Numbers,
    reads: int,
    taps: int,
    epsilon: float,
    circular: bool,
    one_by_one: bool,
    widths: Numbers,
    out: Numbers,
) -> int:
    """Fill in the rows' widths and their corrections; the number of bytes of these.

    `rows` are the records as numbers, (step, number), `bits` the same as int32, and `at` says where the `FIELDS` begin
    in them, -1 for one that is absent. `memory`, (word, location), and `previous` weightings are those before the first
    step, and are left as those after the last. `seen` is, for each head, which memory it sees: 1 as it is found, 2 as
    it is left, 0 another. `widths` is (step, field, head), without the content weightings if these are not coded.
    """
    locations, heads, fields, size = memory.shape[1], len(seen), widths.shape[1], 0
    norms, powers, expected = np.empty(locations), np.empty(locations), np.empty(locations, np.float32)
    expected_bits, away = expected.view(np.int32), np.empty((fields, heads, locations), np.int32)
    for step in range(len(rows)):
        row = rows[step]
        weighting = row[at[WEIGHTING] : at[WEIGHTING] + heads * locations].reshape(heads, locations)
        find(memory, row, at[FOUND])
        for left in range(2):
            if left:
                leave(memory, row, at, weighting[reads:], one_by_one)
            if fields == len(CODED_FIELDS):
                fill_norms(norms, memory)
            for head in range(heads):
                for field in range(fields if (seen[head] == 2) == (left == 1) else 0):
                    coded = field + len(CODED_FIELDS) - fields
                    fill(
                        *(expected, coded, head, row, bits[step], at, memory, norms, previous[head]),
                        *(seen[head], taps, epsilon, circular, powers),
                    )
                    begin = at[CODED + coded] + head * locations
                    for n in range(locations):
                        away[field, head, n] = bits[step, begin + n] - expected_bits[n]
        for field in range(fields):
            for head in range(heads):
                widths[step, field, head] = pack(away[field, head], out, size)
                size += widths[step, field, head] * locations
        previous[:] = weighting
    return size
