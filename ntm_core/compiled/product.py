"""Matrix products with a packed weight: Y[m] += X[m] A, the largest part of a small machine's work.

A weight of K x n numbers is packed once a sequence into blocks of 16 columns, [block][K][16], zero padded. A tile holds
a few rows of a few blocks of Y in registers while it runs down K; it is written in LLVM's own language, for in Python
the compiler keeps the sums in memory. Each number of Y is summed in the order of k, whatever the rows beside it: the
result of a sequence does not depend on its companions in the batch.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]  # it ships no types
from llvmlite import ir
from numba import types
from numpy import float32 as f32

from ntm_core.compiled.arithmetic import add_scaled, zero
from ntm_core.compiled.intrinsics import FLOAT, INT, POINTER, Emitted, Pointer, at, intrinsic, kernel, off
from ntm_core.compiled.layout import BLOCK, CHUNK

_FEATURES = llvm.get_host_cpu_features()
_LANES = 16 if _FEATURES.get("avx512f") else 8 if _FEATURES.get("avx") else 4
_VECTOR = ir.VectorType(FLOAT, _LANES)
_UNDEFINED = ir.Constant(_VECTOR, ir.Undefined)
_ALL_FIRST = ir.Constant(ir.VectorType(INT, _LANES), [0] * _LANES)


@kernel
def pack(weight: Pointer, row_stride: int, column_stride: int, rows: int, columns: int, packed: Pointer) -> None:
    """Pack the weight whose entry (k, j) is weight[k * row_stride + j * column_stride]."""
    for first in range(0, columns, BLOCK):
        width = min(BLOCK, columns - first)
        block = off(packed, first * rows)
        for k in range(rows):
            source = off(weight, k * row_stride + first * column_stride)
            target = off(block, k * BLOCK)
            for j in range(width):
                target[j] = source[j * column_stride]
            for j in range(width, BLOCK):
                target[j] = f32(0)


def _tile(rows: int, blocks: int) -> Callable[..., None]:
    """The kernel part that adds X A to `rows` rows and `blocks` blocks of columns of Y."""

    @intrinsic
    def emitted(_context: Any, _x: Any, _row: Any, _step: Any, _packed: Any, _depth: Any, _y: Any, _ys: Any) -> Emitted:
        def emit(codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            _emit_tile(builder, rows, blocks, *arguments)
            return codegen.get_dummy_value()

        size = types.intp
        return types.void(POINTER, size, size, POINTER, size, POINTER, size), emit

    @kernel
    def tile(x: Pointer, x_row: int, x_step: int, packed: Pointer, depth: int, y: Pointer, y_stride: int) -> None:
        emitted(x, x_row, x_step, packed, depth, y, y_stride)

    return tile


def _emit_tile(
    builder: Any,
    rows: int,
    blocks: int,
    x: Any,
    x_row: Any,
    x_step: Any,
    packed: Any,
    depth: Any,
    y: Any,
    y_stride: Any,
) -> None:
    """The code of a tile: load Y, for each k add x[m][k] times a row of the packed blocks, store Y."""
    index = depth.type
    columns = [(block, lane) for block in range(blocks) for lane in range(0, BLOCK, _LANES)]
    block_size = builder.mul(depth, index(BLOCK))

    def vector_at(pointer: Any, offset: Any) -> Any:
        return builder.bitcast(builder.gep(pointer, [offset], source_etype=FLOAT), _VECTOR.as_pointer())

    targets = [
        [
            vector_at(y, builder.add(builder.mul(y_stride, index(m)), index(block * BLOCK + lane)))
            for block, lane in columns
        ]
        for m in range(rows)
    ]
    first = [[builder.load(target, align=4) for target in row] for row in targets]
    before, loop, after = builder.block, builder.append_basic_block("loop"), builder.append_basic_block("after")
    builder.branch(loop)

    builder.position_at_end(loop)
    k = builder.phi(index)
    k.add_incoming(index(0), before)
    sums = [[builder.phi(_VECTOR) for _ in columns] for _ in range(rows)]
    row_start = builder.mul(k, index(BLOCK))
    weights = [
        builder.load(
            vector_at(packed, builder.add(builder.mul(block_size, index(block)), builder.add(row_start, index(lane)))),
            align=4,
        )
        for block, lane in columns
    ]
    for m in range(rows):
        place = builder.add(builder.mul(x_row, index(m)), builder.mul(x_step, k))
        number = builder.load(builder.gep(x, [place], source_etype=FLOAT))
        number = builder.insert_element(_UNDEFINED, number, INT(0))
        number = builder.shuffle_vector(number, _UNDEFINED, _ALL_FIRST)
        for column, weight in enumerate(weights):
            scaled = builder.fmul(number, weight, flags=("contract",))
            added = builder.fadd(sums[m][column], scaled, flags=("contract",))
            sums[m][column].add_incoming(first[m][column], before)
            sums[m][column].add_incoming(added, loop)
            first[m][column] = added
    following = builder.add(k, index(1))
    k.add_incoming(following, loop)
    builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)

    builder.position_at_end(after)
    for row, values in zip(targets, first, strict=True):
        for target, value in zip(row, values, strict=True):
            builder.store(value, target, align=4)


_WIDE = 3 if _LANES == BLOCK else 1
"""Blocks side by side in a tile: with four rows, as many sums as the processor needs under way and can hold."""

_one_by_four, _one_by_one = _tile(1, 4), _tile(1, 1)


def _strip(width: int) -> Callable[..., None]:
    """The kernel part that adds X A to any number of rows and `width` blocks of columns of Y, four rows at a time."""
    one, two, four = _tile(1, width), _tile(2, width), _tile(4, width)

    @kernel
    def strip(
        rows: int, x: Pointer, x_row: int, x_step: int, depth: int, packed: Pointer, y: Pointer, y_stride: int
    ) -> None:
        m = 0
        while m + 4 <= rows:
            four(off(x, m * x_row), x_row, x_step, packed, depth, off(y, m * y_stride), y_stride)
            m += 4
        while m + 2 <= rows:
            two(off(x, m * x_row), x_row, x_step, packed, depth, off(y, m * y_stride), y_stride)
            m += 2
        if m < rows:
            one(off(x, m * x_row), x_row, x_step, packed, depth, off(y, m * y_stride), y_stride)

    return strip


_one_block, _wide_blocks = _strip(1), _strip(_WIDE)


@kernel
def product(
    rows: int, x: Pointer, x_stride: int, depth: int, packed: Pointer, columns: int, y: Pointer, y_stride: int
) -> None:
    """Y[m] += X[m] A for each of the rows. Y's rows have room for the columns rounded up to 16."""
    blocks = (columns + BLOCK - 1) // BLOCK
    if rows == 1:
        _one_row(x, depth, packed, blocks, y)
    else:
        _rows(rows, x, x_stride, 1, depth, packed, blocks, y, y_stride)


@kernel
def weight_gradient(
    rows: int,
    d_sums: Pointer,
    d_stride: int,
    units: int,
    inputs: Pointer,
    columns: int,
    out: Pointer,
    out_stride: int,
    spare: Pointer,
) -> None:
    """Add the gradient by a weight of units x columns to it: the sum over the rows of d_sums[row] times inputs[row].

    `spare` has room for (units + `CHUNK`) rows of the columns rounded up to 16.
    """
    padded = (columns + BLOCK - 1) // BLOCK * BLOCK
    packed = off(spare, units * padded)
    zero(spare, units * padded)
    for start in range(0, rows, CHUNK):
        depth = min(CHUNK, rows - start)
        pack(off(inputs, start * columns), columns, 1, depth, columns, packed)
        _rows(units, off(d_sums, start * d_stride), 1, d_stride, depth, packed, padded // BLOCK, spare, padded)
    for unit in range(units):
        add_scaled(off(spare, unit * padded), f32(1), off(out, unit * out_stride), columns)


@kernel
def bias_gradient(
    rows: int, d_sums: Pointer, d_stride: int, units: int, first: int, second: int, spare: Pointer
) -> None:
    """Add the gradient by a bias to it, at one or two addresses or none (0): the sum over the rows of d_sums[row]."""
    zero(spare, units)
    for row in range(rows):
        add_scaled(off(d_sums, row * d_stride), f32(1), spare, units)
    if first != 0:
        add_scaled(spare, f32(1), at(first, 0), units)
    if second != 0:
        add_scaled(spare, f32(1), at(second, 0), units)


@kernel
def _rows(
    rows: int, x: Pointer, x_row: int, x_step: int, depth: int, packed: Pointer, blocks: int, y: Pointer, y_stride: int
) -> None:
    """Y += X A for several rows, where X[m][k] is x[m * x_row + k * x_step]: a few blocks at a time, then each."""
    block = 0
    while block + _WIDE <= blocks:
        wide = off(packed, block * depth * BLOCK)
        _wide_blocks(rows, x, x_row, x_step, depth, wide, off(y, block * BLOCK), y_stride)
        block += _WIDE
    while block < blocks:
        single = off(packed, block * depth * BLOCK)
        _one_block(rows, x, x_row, x_step, depth, single, off(y, block * BLOCK), y_stride)
        block += 1


@kernel
def _one_row(x: Pointer, depth: int, packed: Pointer, blocks: int, y: Pointer) -> None:
    """Y += x A for one row, four blocks at a time: with one block, each sum would wait for the last."""
    block = 0
    while block + 4 <= blocks:
        _one_by_four(x, 0, 1, off(packed, block * depth * BLOCK), depth, off(y, block * BLOCK), 0)
        block += 4
    while block < blocks:
        _one_by_one(x, 0, 1, off(packed, block * depth * BLOCK), depth, off(y, block * BLOCK), 0)
        block += 1
