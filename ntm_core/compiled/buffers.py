"""The kernel's buffers: shapes from sizes, and one block of memory cut into them."""

import contextlib
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntm_core.access import head_groups
from ntm_core.compiled.layout import BLOCK, CHUNK, EVERY, NUMBER_BYTES, Sizes, rounded_up, row_length
from ntm_core.config import MachineConfig
from ntm_core.heads import HeadLayout

Shape = tuple[int, ...]

_CACHE_BYTES = 1 << 19
"""Memories that are computed side by side take no more than this, so that they stay in the processor's cache."""


class Start(NamedTuple):
    """The initial state: one for all sequences of a batch, or one for each.

    Attributes:
        memory: (1 or batch, location, word).
        weighting: (1 or batch, head, location).
        read_vector: (1 or batch, read_head, word).
        hidden: (1 or batch, layer, unit).
        cell: the same; None unless the controller is an LSTM.
    """

    memory: Tensor
    weighting: Tensor
    read_vector: Tensor
    hidden: Tensor
    cell: Tensor | None


@dataclass(frozen=True)
class Layout:
    """Where the buffers lie in one stretch of memory; each begins at a multiple of 64 bytes.

    Attributes:
        shapes: of each buffer.
        strides: of each buffer's axes.
        starts: the first number of each.
        size: how many numbers there are in all.
        offsets: the same starts in bytes, for the kernel.
    """

    shapes: Mapping[str, Shape]
    strides: Mapping[str, Shape]
    starts: Mapping[str, int]
    size: int
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, shapes: Mapping[str, Shape]) -> "Layout":
        """Buffers of these shapes, one after the other."""
        starts, end = {}, GAP
        for name, shape in shapes.items():
            starts[name] = end
            end += rounded_up(math.prod(shape)) + GAP
        strides = {name: _strides(shape) for name, shape in shapes.items()}
        return cls(shapes, strides, starts, end + BLOCK, np.array([NUMBER_BYTES * start for start in starts.values()]))


def _strides(shape: Shape) -> Shape:
    return tuple(math.prod(shape[axis:]) for axis in range(1, len(shape) + 1))


GAP = 0
"""Numbers between two buffers; tests put some there, to see that nobody writes to them."""


_spare: deque[Tensor] = deque(maxlen=4)
"""Stretches that nobody uses: a new one costs more than the kernel, for the system hands memory out page by page."""


class Block:
    """One stretch of memory with all buffers of a pass, not filled at first.

    Attributes:
        numbers: the whole stretch, which may be longer than the layout.
        layout: where each buffer is.
    """

    def __init__(self, layout: Layout, *, reused: bool = True) -> None:
        """Take a stretch that others have used, and leave it to others, unless what is in it outlives the block."""
        self.layout = layout
        self._reused = reused
        found = _taken(layout.size) if reused else None
        self.numbers = _new(layout.size) if found is None else found

    def __del__(self) -> None:
        if self._reused:
            _spare.append(self.numbers)

    @property
    def addresses(self) -> NDArray[np.int64]:
        """The address of each buffer, in their order."""
        return self.layout.offsets + self.numbers.data_ptr()

    def __getitem__(self, name: str) -> Tensor:
        """One buffer as a tensor of its shape."""
        layout = self.layout
        return self.numbers.as_strided(layout.shapes[name], layout.strides[name], layout.starts[name])

    def part(self, name: str, first: int, *shape: int) -> Tensor:
        """Numbers of a buffer, from number `first`, in this shape."""
        strides = (*shape[1:], 1)
        return self.numbers.as_strided(shape, strides, self.layout.starts[name] + first)


@torch.inference_mode(mode=False)
def _new(size: int) -> Tensor:
    """A new stretch, which can be used again in inference mode and outside."""
    return torch.empty(size, dtype=torch.float32)


def _taken(size: int) -> Tensor | None:
    """The shortest of the spare stretches that have so many numbers; a thread may find none while another looks."""
    looked_at = []
    with contextlib.suppress(IndexError):
        while True:
            looked_at.append(_spare.pop())
    enough = [stretch for stretch in looked_at if stretch.numel() >= size]
    best = min(enough, key=Tensor.numel, default=None)
    _spare.extend(stretch for stretch in reversed(looked_at) if stretch is not best)
    return best


def sizes_of(config: MachineConfig, steps: int, batch: int, *, kept: bool) -> Sizes:
    """The sizes of this machine and batch."""
    layout = HeadLayout.of(config)
    row = row_length(config.memory_size)
    gates = 1 if config.controller == "feedforward" else 4
    reads = config.read_heads * config.word_size
    values = config.heads * (config.word_size + 4 + 2 * config.shift_range) + config.write_heads * 2 * config.word_size
    return Sizes(
        steps=steps,
        batch=batch,
        tile=max(1, min(batch, _CACHE_BYTES // (NUMBER_BYTES * row * config.word_size))),
        kept=int(kept),
        every=EVERY,
        inputs=config.input_size,
        outputs=config.output_size,
        units=config.controller_size,
        layers=config.controller_layers,
        gates=gates,
        recurrent=int(config.controller != "feedforward"),
        read_heads=config.read_heads,
        heads=config.heads,
        locations=config.memory_size,
        words=config.word_size,
        reach=config.shift_range,
        taps=layout.taps,
        reads=reads,
        raw=layout.size,
        values=values,
        gate_stride=rounded_up(gates * config.controller_size),
        raw_stride=rounded_up(layout.size),
        read_stride=rounded_up(reads),
        unit_stride=rounded_up(config.controller_size),
        output_stride=rounded_up(config.output_size),
        row=row,
        memories=sum(group.stop > config.read_heads for group in head_groups(config)),
    )


def forward_shapes(s: Sizes) -> dict[str, Shape]:
    """The shape of each of `layout.Buffers`."""
    steps, states = (s.steps, s.steps + 1) if s.kept else (1, 1)
    segments = -(-s.steps // s.every) if s.kept else 0
    by_head = (steps, s.batch, s.heads, s.row)
    return {
        "inputs": (s.steps, s.batch, s.inputs),
        "logits": (s.steps, s.batch, s.output_stride),
        "hidden": (s.layers, states, s.batch, s.units),
        "cells": (s.layers, states, s.batch, s.units),
        "gates": (s.layers, steps, s.batch, s.gate_stride),
        "reads": (states, s.batch, s.reads),
        "raw": (steps, s.batch, s.raw_stride),
        "values": (steps, s.batch, s.values),
        "weighting": (states, s.batch, s.heads, s.row),
        "alike": by_head,
        "content": by_head,
        "shifted": by_head,
        "gated": (s.heads, s.row + 2 * s.reach),
        "memory": (s.batch, s.words, s.row),
        "norms": (s.batch, s.row),
        "means": (s.batch, s.row),
        "kept_memory": (segments, s.batch, s.words, s.row),
        "packed_inputs": (s.inputs, s.gate_stride),
        "packed_lower": (s.reads + (s.layers - 1) * s.units, s.gate_stride),
        "packed_hidden": (s.layers * s.recurrent * s.units, s.gate_stride),
        "packed_biases": (s.layers, s.gate_stride),
        "packed_heads": (s.units, s.raw_stride),
        "packed_output_hidden": (s.units, s.output_stride),
        "packed_output_reads": (s.reads, s.output_stride),
        "spare": (s.words,),
    }


def backward_shapes(s: Sizes) -> dict[str, Shape]:
    """The shape of each of `layout.Gradients` that only the pass itself needs."""
    gates, versions = s.gates * s.units, s.every * s.memories + 1
    vectors = 2 * s.heads + 3
    spare = (vectors + 4) * s.row + s.heads * s.words + vectors + 2 * s.reach
    columns = rounded_up(max(s.inputs, s.reads, s.units))
    product = (max(gates, s.raw, s.outputs) + CHUNK) * columns
    return {
        "logits": (s.steps, s.batch, s.outputs),
        "gates": (s.layers, s.steps, s.batch, s.gate_stride),
        "raw": (s.steps, s.batch, s.raw_stride),
        "values": (s.values,),
        "memories": (s.tile, versions, s.words, s.row),
        "norms": (s.tile, versions, s.row),
        "means": (s.tile, versions, s.row),
        "packed_lower": (gates, s.read_stride + (s.layers - 1) * s.unit_stride),
        "packed_hidden": (s.layers * s.recurrent * gates, s.unit_stride),
        "packed_heads": (s.raw, s.unit_stride),
        "packed_output_hidden": (s.outputs, s.unit_stride),
        "packed_output_reads": (s.outputs, s.read_stride),
        "spare": (max(spare, (s.heads + 1) * s.row, s.units, product),),
    }


def forward_scratch_shapes(s: Sizes, members: int) -> dict[str, Shape]:
    """The shapes of what each further member of a crew needs for itself: what a step fills and nothing reads later."""
    return _of_others(forward_shapes(s), ("gated", "spare"), members)


def backward_scratch_shapes(s: Sizes, members: int) -> dict[str, Shape]:
    """The same for the backward pass, in which a tile computes its memories again."""
    return _of_others(backward_shapes(s), ("memories", "norms", "means", "values", "spare"), members)


def _of_others(shapes: Mapping[str, Shape], names: Sequence[str], members: int) -> dict[str, Shape]:
    """(member, number) of each buffer, for all members but the first."""
    return {name: (members - 1, rounded_up(math.prod(shapes[name]))) for name in names}


def start_gradient_shapes(s: Sizes) -> dict[str, Shape]:
    """The shape of each of `layout.Gradients` that is by the initial state."""
    return {
        "hidden": (s.layers, s.batch, s.unit_stride),
        "cells": (s.layers, s.batch, s.units),
        "reads": (s.batch, s.read_stride),
        "weighting": (s.batch, s.heads, s.row),
        "memory": (s.batch, s.words, s.row),
    }


def weight_gradient_shapes(s: Sizes) -> dict[str, Shape]:
    """The shapes of the gradients by the weights and biases of all layers, as the kernel knows them.

    Of the controller's lower weights layer 0 comes first, which has its own number of columns.
    """
    gates = s.gates * s.units
    return {
        "lower_weights": (gates, s.inputs + s.reads + (s.layers - 1) * s.units),
        "hidden_weights": (s.layers * s.recurrent, gates, s.units),
        "biases": (s.layers, gates),
        "head_weights": (s.raw, s.units),
        "head_biases": (s.raw,),
        "output_weights": (s.outputs, s.units + s.reads),
        "output_biases": (s.outputs,),
    }
