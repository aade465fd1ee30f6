"""A run of one sequence whose records the kernel writes: blocks of steps, or the parts of one step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntm_core.compiled import kernel
from ntm_core.compiled.buffers import Block, Start
from ntm_core.compiled.layout import NUMBER_BYTES, Buffers, Copied, Records, Sizes, Span, as_record, record_of
from ntm_core.compiled.plan import (
    GOING_ON,
    MILLISECOND,
    addresses_of,
    beginning,
    contiguous,
    layers_of,
    plan_for,
    work_of_a_step,
)
from ntm_core.config import MachineConfig
from ntm_core.interventions.quantities import Quantity

Array = NDArray[Any]
Place = tuple[str, int, int, int, int]
"""Of a field's rows in the buffers: the buffer, the first number, the width, from row to row, and how many rows."""


class RecordedRun:
    """A run that has not begun: `compute` its steps in their order, or one in parts with edits between them.

    Attributes:
        groups: of heads, (group, 2): the first head and the one after the last, in the order in which they act.
        steps_of_a_block: so many take a millisecond or so, after which others should have the word.
    """

    def __init__(
        self, config: MachineConfig, inputs: Tensor, start: Start, parameters: Sequence[Tensor], records: Array
    ) -> None:
        """A run over inputs of (step, input), from a state of one sequence, into float32 records of (step,)."""
        plan = plan_for(config, len(inputs), 1, kept=False)
        self.groups = plan.groups
        self.steps_of_a_block = max(1, MILLISECOND // work_of_a_step(plan.sizes))
        self._plan, self._records = plan, records
        with torch.inference_mode():
            self._layers = contiguous(layers_of(config, parameters))
            self._block = Block(plan.forward)
            inputs, (start_record, _held) = inputs.contiguous(), beginning(start)
            start_record["inputs"] = inputs.data_ptr()
        self._weights = addresses_of(self._layers)
        self._buffers = record_of(Buffers, self._block.addresses)
        self._places = places(plan.sizes)
        offsets = {name: field[1] // NUMBER_BYTES for name, field in (records.dtype.fields or {}).items()}
        self._copies = self._copied(offsets)
        self._span = as_record(
            Span(
                *(0, 0, 0, 0),
                records=records.ctypes.data,
                length=records.dtype.itemsize // NUMBER_BYTES,
                outputs=offsets["outputs"],
                logits=offsets["logits"],
                memory_found=offsets.get("memory_found", -1),
            )
        )
        self._forward(start_record)

    def compute(self, first: int, last: int, parts: tuple[int, int] | None = None) -> None:
        """Compute the steps from `first` until before `last`; of one step, some `parts`, which must follow upon others.

        A record is complete after its last part.
        """
        span = self._span
        span["first"], span["last"] = first, last
        span["begin"], span["end"] = parts or (0, self._plan.span[0]["end"])
        self._forward(GOING_ON)

    def _forward(self, start: Records) -> None:
        """Run the kernel over the span."""
        plan, span = self._plan, self._span
        kernel.forward(
            plan.sizes_record,
            plan.choices_record,
            plan.groups,
            self._weights,
            self._buffers,
            span,
            self._copies,
            start,
        )
        span["packs"] = span["measures"] = 0

    def measure(self) -> None:
        """Let the next step begin by computing the norms of the memory, which has been changed."""
        self._span["measures"] = 1

    def quantity(self, name: Quantity, heads: slice | None = None) -> Tensor:
        """What an editor may change, of these heads, in the buffers themselves: (1, head, entry …), or the memory."""
        s = self._plan.sizes
        if name == "memory":
            return self._block["memory"][..., : s.locations].mT
        buffer, first, width, stride, rows = self._places[name]
        start = self._block.layout.starts[buffer] + first
        found = self._block.numbers.as_strided((1, rows, width), (rows * stride, stride, 1), start)[
            :, heads or slice(None)
        ]
        return found[..., 0] if name in _SCALARS else found

    def _copied(self, offsets: dict[str, int]) -> NDArray[np.int64]:
        """How each field of a record, but for those that the kernel treats on its own, is copied."""
        rows = []
        for name, (buffer, first, width, stride, count) in self._places.items():
            if name in offsets:
                source = self._block.numbers.data_ptr() + NUMBER_BYTES * (self._block.layout.starts[buffer] + first)
                rows.append(Copied(offsets[name], source, width, stride, count))
        return np.array(rows, np.int64)


_SCALARS = frozenset({"key_strength", "interpolation_gate", "sharpening"})
"""Quantities without an axis of entries."""


def places(s: Sizes) -> dict[str, Place]:
    """Where the fields of a step record lie in the buffers of a batch of one that keeps no steps."""
    w, shift = s.words, 2 * s.reach + 1
    stride, writing, writers = w + 3 + shift, s.heads * (w + 3 + shift), s.heads - s.read_heads
    state = s.layers * s.units
    return {
        "key": ("values", 0, w, stride, s.heads),
        "key_strength": ("values", w, 1, stride, s.heads),
        "interpolation_gate": ("values", w + 1, 1, stride, s.heads),
        "shift_weighting": ("values", w + 2, shift, stride, s.heads),
        "sharpening": ("values", w + 2 + shift, 1, stride, s.heads),
        "content_weighting": ("content", 0, s.locations, s.row, s.heads),
        "gated_weighting": ("gated", s.reach, s.locations, s.row + 2 * s.reach, s.heads),
        "shifted_weighting": ("shifted", 0, s.locations, s.row, s.heads),
        "weighting": ("weighting", 0, s.locations, s.row, s.heads),
        "erase_vector": ("values", writing, w, 2 * w, writers),
        "add_vector": ("values", writing + w, w, 2 * w, writers),
        "read_vector": ("reads", 0, w, w, s.read_heads),
        "hidden": ("hidden", 0, state, state, 1),
        "cell": ("cells", 0, state, state, 1),
    }
