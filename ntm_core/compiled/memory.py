"""The memory of one sequence, equations 6-8, and their backward pass.

It lies transposed, [word][location], so that every loop runs over the locations. `row` is the length of such a row.
"""

from numpy import float32 as f32

from ntm_core.compiled.arithmetic import copy, zero
from ntm_core.compiled.intrinsics import (
    KEEP_DENORMALS,
    Pointer,
    float_mode,
    kernel,
    kernel_inlined,
    kernel_to_the_bit,
    off,
    set_float_mode,
)
from ntm_core.compiled.layout import Choices, Sizes
from ntm_core.compiled.parameters import erase_at


@kernel_inlined
def write(s: Sizes, c: Choices, memory: Pointer, weighting: Pointer, values: Pointer, first: int, last: int) -> None:
    """Write by the heads from `first` up to, not including, `last`, in place (eq. 7 and 8).

    A trace rebuilds the memory from what was written, bit for bit: so each operation is rounded by itself, and
    denormals are kept. They are rare, since no weight lies between 0 and 1e-30.
    """
    mode = float_mode()
    set_float_mode(mode & KEEP_DENORMALS)
    written(s, c, memory, weighting, values, first, last)
    set_float_mode(mode)


@kernel_inlined
def write_elsewhere(
    s: Sizes,
    c: Choices,
    memory: Pointer,
    following: Pointer,
    weighting: Pointer,
    values: Pointer,
    first: int,
    last: int,
) -> None:
    """Write as `write` does, to the same bits, leaving the memory as it is."""
    mode = float_mode()
    set_float_mode(mode & KEEP_DENORMALS)
    written_elsewhere(s, c, memory, following, weighting, values, first, last)
    set_float_mode(mode)


@kernel_to_the_bit
def written(s: Sizes, c: Choices, memory: Pointer, weighting: Pointer, values: Pointer, first: int, last: int) -> None:
    """The write itself: each head erases and adds, or all erase before all add."""
    if c.write_order == 1 or last - first <= 1:
        for head in range(first, last):
            erase, where = off(values, erase_at(s, head)), off(weighting, head * s.row)
            for w in range(s.words):
                erase_and_add(off(memory, w * s.row), where, erase[w], erase[s.words + w], s.locations)
        return
    for head in range(first, last):
        erase, where = off(values, erase_at(s, head)), off(weighting, head * s.row)
        for w in range(s.words):
            erase_cells(off(memory, w * s.row), where, erase[w], s.locations)
    for head in range(first, last):
        add, where = off(values, erase_at(s, head) + s.words), off(weighting, head * s.row)
        for w in range(s.words):
            add_cells(off(memory, w * s.row), where, add[w], s.locations)


@kernel_to_the_bit
def written_elsewhere(
    s: Sizes,
    c: Choices,
    memory: Pointer,
    following: Pointer,
    weighting: Pointer,
    values: Pointer,
    first: int,
    last: int,
) -> None:
    """The write to somewhere else."""
    if c.write_order == 0 and last - first > 1:
        copy(following, memory, s.words * s.row)
        written(s, c, following, weighting, values, first, last)
        return
    erase, where = off(values, erase_at(s, first)), off(weighting, first * s.row)
    for w in range(s.words):
        i = w * s.row
        erased_and_added(off(memory, i), where, erase[w], erase[s.words + w], off(following, i), s.locations)
    written(s, c, following, weighting, values, first + 1, last)


@kernel_to_the_bit
def erase_and_add(cells: Pointer, weighting: Pointer, erase: f32, add: f32, locations: int) -> None:
    """M(i) = M(i) (1 - w(i) e) + w(i) a, for one word of every location."""
    for n in range(locations):
        cells[n] = cells[n] * (f32(1) - weighting[n] * erase) + weighting[n] * add


@kernel_to_the_bit
def erase_cells(cells: Pointer, weighting: Pointer, erase: f32, locations: int) -> None:
    """M(i) = M(i) (1 - w(i) e), for one word of every location."""
    for n in range(locations):
        cells[n] *= f32(1) - weighting[n] * erase


@kernel_to_the_bit
def add_cells(cells: Pointer, weighting: Pointer, add: f32, locations: int) -> None:
    """M(i) = M(i) + w(i) a, for one word of every location."""
    for n in range(locations):
        cells[n] += weighting[n] * add


@kernel_to_the_bit
def erased_and_added(cells: Pointer, weighting: Pointer, erase: f32, add: f32, out: Pointer, locations: int) -> None:
    """M(i) (1 - w(i) e) + w(i) a to somewhere else."""
    for n in range(locations):
        out[n] = cells[n] * (f32(1) - weighting[n] * erase) + weighting[n] * add


@kernel
def write_backward(
    s: Sizes,
    c: Choices,
    memory: Pointer,
    weighting: Pointer,
    values: Pointer,
    d_memory: Pointer,
    d_weighting: Pointer,
    d_values: Pointer,
    first: int,
    last: int,
    between: Pointer,
) -> None:
    """The gradient through `write`, from the memory before it.

    `d_memory` turns from the gradient by the memory after the write into that by the memory before, as far as it
    passes through erasing; where one head writes, `accumulate` does that. `between` is spare room for a row as each
    head finds it.
    """
    for head in range(first, last):
        zero_written(s, d_values, head)
    if last - first == 1:
        erase, d_erase = off(values, erase_at(s, first)), off(d_values, erase_at(s, first))
        where, d_where = off(weighting, first * s.row), off(d_weighting, first * s.row)
        for w in range(s.words):
            cells, d_cells = off(memory, w * s.row), off(d_memory, w * s.row)
            d_erase[w], d_erase[s.words + w] = erase_and_add_backward(
                cells, where, erase[w], erase[s.words + w], d_cells, d_where, s.locations
            )
        return
    for w in range(s.words):
        cells, d_cells = off(memory, w * s.row), off(d_memory, w * s.row)
        several_backward(s, c, cells, weighting, values, d_cells, d_weighting, d_values, first, last, between, w)


@kernel
def zero_written(s: Sizes, d_values: Pointer, head: int) -> None:
    """Set the gradient of a write head's erase and add vectors to zero."""
    zero(off(d_values, erase_at(s, head)), 2 * s.words)


@kernel
def several_backward(
    s: Sizes,
    c: Choices,
    cells: Pointer,
    weighting: Pointer,
    values: Pointer,
    d_cells: Pointer,
    d_weighting: Pointer,
    d_values: Pointer,
    first: int,
    last: int,
    between: Pointer,
    w: int,
) -> None:
    """The gradient through the writes of several heads to one word: adds first where all erases come before them."""
    adds_later = c.write_order == 0
    for head in range(first, last):
        found, left = off(between, (head - first) * s.row), off(between, (head - first + 1) * s.row)
        source = cells if head == first else found
        erase, where = off(values, erase_at(s, head)), off(weighting, head * s.row)
        add = f32(0) if adds_later else erase[s.words + w]
        erased_and_added(source, where, erase[w], add, left, s.locations)
    if adds_later:
        for head in range(first, last):
            add, d_add = off(values, erase_at(s, head) + s.words), off(d_values, erase_at(s, head) + s.words)
            where, d_where = off(weighting, head * s.row), off(d_weighting, head * s.row)
            d_add[w] = add_backward(where, add[w], d_cells, d_where, s.locations)
    for behind in range(last - first):
        head = last - 1 - behind
        source = cells if head == first else off(between, (head - first) * s.row)
        erase, d_erase = off(values, erase_at(s, head)), off(d_values, erase_at(s, head))
        where, d_where = off(weighting, head * s.row), off(d_weighting, head * s.row)
        add = f32(0) if adds_later else erase[s.words + w]
        by_erase, by_add = erase_and_add_backward(source, where, erase[w], add, d_cells, d_where, s.locations)
        d_erase[w] = by_erase
        if not adds_later:
            d_erase[s.words + w] = by_add
        keep(d_cells, where, erase[w], s.locations)


@kernel
def erase_and_add_backward(
    cells: Pointer, weighting: Pointer, erase: f32, add: f32, d_cells: Pointer, d_weighting: Pointer, locations: int
) -> tuple[f32, f32]:
    """The gradients by e and a; dw(i) += dM(i) (a - e M(i))."""
    by_erase = by_add = f32(0)
    for n in range(locations):
        moved = d_cells[n] * weighting[n]
        by_add += moved
        by_erase -= moved * cells[n]
        d_weighting[n] += d_cells[n] * (add - erase * cells[n])
    return by_erase, by_add


@kernel
def keep(d_cells: Pointer, weighting: Pointer, erase: f32, locations: int) -> None:
    """dM(i) becomes dM(i) (1 - w(i) e)."""
    for n in range(locations):
        d_cells[n] *= f32(1) - weighting[n] * erase


@kernel
def add_backward(weighting: Pointer, add: f32, d_cells: Pointer, d_weighting: Pointer, locations: int) -> f32:
    """The gradient by a; dw(i) += dM(i) a."""
    by_add = f32(0)
    for n in range(locations):
        by_add += d_cells[n] * weighting[n]
        d_weighting[n] += d_cells[n] * add
    return by_add


@kernel
def accumulate(
    d_cells: Pointer,
    cells: Pointer,
    weighting: Pointer,
    erase: f32,
    by_cell: Pointer,
    rows: Pointer,
    row: int,
    factors: Pointer,
    count: int,
    locations: int,
) -> None:
    """dM(i) = dM(i) (1 - w(i) e) + M(i) by_cell(i) + Σ_j factors[j] rows[j](i), for one word.

    Three rows at a time: so many have a read and a write head together.
    """
    row0, row1, row2 = rows, off(rows, row), off(rows, 2 * row)
    f0, f1, f2 = factors[0], factors[1], factors[2]
    for n in range(locations):
        kept = d_cells[n] * (f32(1) - weighting[n] * erase)
        d_cells[n] = kept + cells[n] * by_cell[n] + f0 * row0[n] + f1 * row1[n] + f2 * row2[n]
    for j in range(3, count, 3):
        row0, row1, row2 = off(rows, j * row), off(rows, (j + 1) * row), off(rows, (j + 2) * row)
        f0, f1, f2 = factors[j], factors[j + 1], factors[j + 2]
        for n in range(locations):
            d_cells[n] += f0 * row0[n] + f1 * row1[n] + f2 * row2[n]
