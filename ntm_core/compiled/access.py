"""One step's access of one sequence to its memory: groups of heads address, read and write, and backward in turn.

The heads of a group all see the memory as the groups before them left it, and within a group reading comes before
writing, as in `ntm_core.access`.
"""

from typing import Any

from numpy import float32 as f32

from ntm_core.compiled.addressing import PEARSON, address, address_backward, memory_norms
from ntm_core.compiled.arithmetic import add_rows, copy, dot_rows, zero
from ntm_core.compiled.intrinsics import Pointer, kernel_inlined, off
from ntm_core.compiled.layout import GROUP_PARTS, READ, WRITE, Choices, Sizes
from ntm_core.compiled.memory import accumulate, write, write_backward, write_elsewhere
from ntm_core.compiled.parameters import erase_at, value_head

Groups = Any
"""An int64 array: of each group of heads, in the order in which they act, the first head and the one after the last."""


@kernel_inlined
def access(
    s: Sizes,
    c: Choices,
    groups: Groups,
    begin: int,
    end: int,
    memory: Pointer,
    norms: Pointer,
    means: Pointer,
    previous: Pointer,
    values: Pointer,
    alike: Pointer,
    content: Pointer,
    gated: Pointer,
    shifted: Pointer,
    weighting: Pointer,
    reads: Pointer,
    spare: Pointer,
) -> None:
    """Every head's weightings, what the read heads read, and the memory written in place (eq. 1-8).

    Of all that only the parts of the step from `begin` until before `end`.
    """
    for group in range(len(groups)):
        first, last = groups[group, 0], groups[group, 1]
        group_begin, group_end = begin - 1 - group * GROUP_PARTS, end - 1 - group * GROUP_PARTS
        for head in range(first, last):
            i = head * s.row
            address(
                s,
                c,
                group_begin,
                group_end,
                memory,
                norms,
                means,
                off(previous, i),
                off(values, head * value_head(s)),
                off(alike, i),
                off(content, i),
                off(gated, head * (s.row + 2 * s.reach) + s.reach),
                off(shifted, i),
                off(weighting, i),
                spare,
            )
        if group_begin <= READ < group_end:
            for head in range(first, min(last, s.read_heads)):
                dot_rows(off(weighting, head * s.row), memory, s.row, s.words, s.locations, off(reads, head * s.words))
        if last > s.read_heads and group_begin <= WRITE < group_end:
            write(s, c, memory, weighting, values, max(first, s.read_heads), last)
            memory_norms(s, c, memory, norms, means)


@kernel_inlined
def replay(
    s: Sizes,
    c: Choices,
    groups: Groups,
    weighting: Pointer,
    values: Pointer,
    memories: Pointer,
    norms: Pointer,
    means: Pointer,
) -> None:
    """Each version of the memory in a step, after the first one, by the same writes to the same bits."""
    version, size = 0, s.words * s.row
    for group in range(len(groups)):
        first, last = groups[group, 0], groups[group, 1]
        if last > s.read_heads:
            following = off(memories, (version + 1) * size)
            write_elsewhere(
                s, c, off(memories, version * size), following, weighting, values, max(first, s.read_heads), last
            )
            version += 1
            memory_norms(s, c, following, off(norms, version * s.row), off(means, version * s.row))


@kernel_inlined
def access_backward(
    s: Sizes,
    c: Choices,
    groups: Groups,
    memories: Pointer,
    norms: Pointer,
    means: Pointer,
    previous: Pointer,
    values: Pointer,
    alike: Pointer,
    content: Pointer,
    shifted: Pointer,
    weighting: Pointer,
    d_reads: Pointer,
    d_weighting: Pointer,
    d_memory: Pointer,
    d_values: Pointer,
    spare: Pointer,
) -> None:
    """The gradient through `access` by the head parameters.

    `d_weighting` and `d_memory` turn from the gradients by w_t and M_t into those by w_{t-1} and M_{t-1}. `spare` has
    room for `backward_spare` numbers.
    """
    version = s.memories
    for behind in range(len(groups)):
        group = len(groups) - 1 - behind
        first, last = groups[group, 0], groups[group, 1]
        writes = last > s.read_heads
        version -= 1 if writes else 0
        memory = off(memories, version * s.words * s.row)
        if writes:
            write_backward(
                s,
                c,
                memory,
                weighting,
                values,
                d_memory,
                d_weighting,
                d_values,
                max(first, s.read_heads),
                last,
                spare,
            )
        group_backward(
            s,
            c,
            first,
            last,
            memory,
            off(norms, version * s.row),
            off(means, version * s.row),
            previous,
            values,
            alike,
            content,
            shifted,
            weighting,
            d_reads,
            d_weighting,
            d_memory,
            d_values,
            spare,
        )


@kernel_inlined
def group_backward(
    s: Sizes,
    c: Choices,
    first: int,
    last: int,
    memory: Pointer,
    norms: Pointer,
    means: Pointer,
    previous: Pointer,
    values: Pointer,
    alike: Pointer,
    content: Pointer,
    shifted: Pointer,
    weighting: Pointer,
    d_reads: Pointer,
    d_weighting: Pointer,
    d_memory: Pointer,
    d_values: Pointer,
    spare: Pointer,
) -> None:
    """The gradient through the addressing and the reading of a group of heads."""
    heads, reading = last - first, max(0, min(last, s.read_heads) - first)
    count = heads + reading + (1 if c.similarity == PEARSON else 0)
    padded = (count + 2) // 3 * 3
    by_cell, rows = spare, off(spare, s.row)
    keys = off(rows, padded * s.row)
    factors = off(keys, heads * s.words)
    rest = off(factors, padded)
    zero(by_cell, s.locations)
    for head in range(first, last):
        i = head * s.row
        if head < s.read_heads:
            add_rows(memory, s.row, off(d_reads, head * s.words), s.words, off(d_weighting, i), s.locations)
            copy(off(rows, (heads + head - first) * s.row), off(weighting, i), s.locations)
        address_backward(
            s,
            c,
            memory,
            norms,
            means,
            off(previous, i),
            off(values, head * value_head(s)),
            off(alike, i),
            off(content, i),
            off(shifted, i),
            off(weighting, i),
            off(d_weighting, i),
            off(d_values, head * value_head(s)),
            off(keys, (head - first) * s.words),
            off(rows, (head - first) * s.row),
            by_cell,
            rest,
        )
    for j in range(heads + reading, padded):
        zero(off(rows, j * s.row), s.locations)
        factors[j] = f32(0)
    if c.similarity == PEARSON:
        factors[count - 1] = f32(1)
        by_word = off(rows, (count - 1) * s.row)
        for n in range(s.locations):
            by_word[n] = -by_cell[n] * means[n]
    for w in range(s.words):
        for j in range(heads):
            factors[j] = keys[j * s.words + w]
        for j in range(reading):
            factors[heads + j] = d_reads[(first + j) * s.words + w]
        i = w * s.row
        erase = values[erase_at(s, last - 1) + w] if last - max(first, s.read_heads) == 1 else f32(0)
        where = off(weighting, (last - 1) * s.row)
        accumulate(off(d_memory, i), off(memory, i), where, erase, by_cell, rows, s.row, factors, padded, s.locations)
