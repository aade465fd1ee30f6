"""One step's numbers, copied out of the buffers into its record of `ntm_core.trace` while they are in the cache."""

from typing import Any

from numpy import float32 as f32

from ntm_core.compiled.arithmetic import clamped, copy, sigmoid
from ntm_core.compiled.intrinsics import Pointer, at, kernel, kernel_in_order, off
from ntm_core.compiled.layout import Buffers, Choices, Sizes, Span

Copies = Any
"""An int64 array: the fields of a record that are copied, a row of `layout.Copied` each."""


@kernel
def record_found(s: Sizes, p: Span, b: Buffers, t: int) -> None:
    """M_{t-1} as step t finds it, where its record has a place for that."""
    if p.memory_found < 0:
        return
    found, memory = at(p.records, t * p.length + p.memory_found), at(b.memory, 0)
    for n in range(s.locations):
        for w in range(s.words):
            found[n * s.words + w] = memory[w * s.row + n]


@kernel_in_order
def record_outputs(s: Sizes, c: Choices, logits: Pointer, row: Pointer, p: Span) -> None:
    """The logits within the clip, and their sigmoids."""
    outputs, clipped = off(row, p.outputs), off(row, p.logits)
    for i in range(s.outputs):
        clipped[i] = clamped(logits[i], f32(c.clip))
    for i in range(s.outputs):
        outputs[i] = sigmoid(clipped[i])


@kernel
def copy_field(row: Pointer, copies: Copies, field: int, source: Pointer) -> None:
    """One field's rows, side by side into the record."""
    target = off(row, copies[field, 0])
    for i in range(copies[field, 4]):
        copy(off(target, i * copies[field, 2]), off(source, i * copies[field, 3]), copies[field, 2])


@kernel
def record(s: Sizes, c: Choices, p: Span, copies: Copies, b: Buffers, t: int) -> None:
    """All that step t has computed."""
    row = at(p.records, t * p.length)
    record_outputs(s, c, at(b.logits, t * s.output_stride), row, p)
    for field in range(len(copies)):
        copy_field(row, copies, field, at(copies[field, 1], 0))
