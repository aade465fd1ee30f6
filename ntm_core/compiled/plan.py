"""What the kernel is told before it runs: sizes, choices and buffers of a machine and a batch, layers, and start."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ntm_core.access import head_groups
from ntm_core.compiled.buffers import (
    Block,
    Layout,
    Start,
    backward_scratch_shapes,
    backward_shapes,
    forward_scratch_shapes,
    forward_shapes,
    sizes_of,
    start_gradient_shapes,
    weight_gradient_shapes,
)
from ntm_core.compiled.layout import (
    NUMBER_BYTES,
    Beginning,
    Choices,
    Copied,
    Records,
    Share,
    Sizes,
    Span,
    as_record,
    parts_of,
)
from ntm_core.compiled.support import fits
from ntm_core.config import MachineConfig

Groups = np.ndarray[Any, np.dtype[np.int64]]

Addresses = np.ndarray[Any, np.dtype[np.int64]]
"""Of parts of the layers, or of their gradients: a row a layer."""

NOTHING_COPIED = np.zeros((0, len(Copied._fields)), np.int64)
"""What of a step goes into its record, for the kernel, where nothing does."""

MILLISECOND = 1 << 23
"""So many weights and cells of memory the kernel multiplies with in a millisecond or so."""

GOING_ON = as_record(Beginning())
"""For the kernel, the beginning of a span that goes on from what is in the buffers."""


@dataclass(frozen=True)
class Plan:
    """What the kernel is told of a machine and a batch, and where its buffers lie.

    Attributes:
        groups: of heads, in the order in which they act.
        span: all steps of all sequences, unrecorded.
        share: all of the backward pass.
        members: what each member of a crew computes; none where one thread computes all.
        forward: the buffers of the forward pass.
        backward: those of the backward pass.
        start_gradients: those in which it leaves the gradients by the initial state.
        weight_gradients: those that may hold the gradients by the weights and biases.
        forward_scratch, backward_scratch: those of each pass that all members but the first have for themselves.
    """

    config: MachineConfig
    sizes: Sizes
    sizes_record: Records
    choices_record: Records
    groups: Groups
    span: Records
    share: Records
    members: "tuple[Member, ...]"
    forward: Layout
    backward: Layout
    start_gradients: Layout
    weight_gradients: Layout
    forward_scratch: Layout
    backward_scratch: Layout


class Member(NamedTuple):
    """What one member of a crew computes, once the thread that asks has begun.

    Attributes:
        span: its sequences, forward.
        share: these sequences, back.
        part: its rows of the gradients by the weights, when all sequences are back.
    """

    span: Records
    share: Records
    part: Records


@functools.lru_cache(256)
def plan_for(config: MachineConfig, steps: int, batch: int, *, kept: bool, crew: int = 1) -> Plan:
    """The plan of this machine and batch for so many threads; `kept` where gradients will be asked for.

    There are no more members than have a millisecond's work, since to call one takes a tenth of that.
    """
    s = sizes_of(config, steps, batch, kept=kept)
    groups = np.array([(group.start, group.stop) for group in head_groups(config)], np.int64)
    members = max(1, min(batch, crew, batch * steps * work_of_a_step(s) // MILLISECOND))
    span = Span(0, steps, 0, parts_of(len(groups)), to_sequence=batch)
    layouts = map(
        Layout.of,
        (
            forward_shapes(s),
            backward_shapes(s),
            start_gradient_shapes(s),
            weight_gradient_shapes(s),
            forward_scratch_shapes(s, members),
            backward_scratch_shapes(s, members),
        ),
    )
    return Plan(
        config,
        s,
        as_record(s),
        as_record(Choices.of(config)),
        groups,
        as_record(span),
        as_record(Share(1, 0, batch, 0, 1)),
        tuple(_member(span, number, members) for number in range(members) if members > 1),
        *layouts,
    )


def _member(span: Span, number: int, members: int) -> Member:
    """The sequences of one member, as many as those of another or one more."""
    first, last = (span.to_sequence * one // members for one in (number, number + 1))
    return Member(
        as_record(span._replace(packs=0, from_sequence=first, to_sequence=last)),
        as_record(Share(0, first, last)),
        as_record(Share(0, 0, 0, number, members)),
    )


def work_of_a_step(s: Sizes) -> int:
    """How many weights and cells of memory one step of one sequence multiplies with, about."""
    controller = s.inputs + s.reads + (s.layers - 1 + s.layers * s.recurrent) * s.units
    weights = s.gates * s.units * controller + s.units * s.raw + s.outputs * (s.units + s.reads)
    return weights + s.heads * s.locations * s.words


class Layer(NamedTuple):
    """One layer as the kernel multiplies with it, or the gradients by that; None for what it lacks.

    Attributes:
        lower: the weight by its inputs.
        hidden: that by its own last output.
        bias: what is added.
        second_bias: and what is added to that: PyTorch's LSTM has two.
    """

    lower: Tensor | None
    hidden: Tensor | None
    bias: Tensor | None
    second_bias: Tensor | None = None


def layers_of(config: MachineConfig, parameters: Sequence[Tensor | None]) -> list[Layer]:
    """The controller's layers, then the output's and the heads': the parameters as they lie, but for a GRU."""
    count = 2 if config.controller == "feedforward" else 4
    layers = [parameters[count * layer : count * (layer + 1)] for layer in range(config.controller_layers)]
    match config.controller:
        case "feedforward":
            stacked = [Layer(weight, None, bias) for weight, bias in layers]
        case "gru":
            stacked = [_gru(config.controller_size, *layer) for layer in layers]  # type: ignore[arg-type]  # none is None
        case _:
            stacked = [Layer(*layer) for layer in layers]
    heads, heads_bias, output, output_bias = parameters[-4:]
    return [*stacked, Layer(output, None, output_bias), Layer(heads, None, heads_bias)]


def _gru(units: int, lower: Tensor, hidden: Tensor, lower_bias: Tensor, hidden_bias: Tensor) -> Layer:
    """A GRU's layer, whose new gate is summed in two parts, by inputs and by the last output.

    Each weight has zeros for the other part.
    """
    two = 2 * units
    return Layer(
        torch.cat([lower, lower.new_zeros(units, lower.shape[1])]),
        torch.cat([hidden[:two], torch.zeros_like(hidden[two:]), hidden[two:]]),
        torch.cat([lower_bias[:two] + hidden_bias[:two], lower_bias[two:], hidden_bias[two:]]),
    )


def contiguous(layers: list[Layer]) -> list[Layer]:
    """The layers, without gaps between their numbers: copies of those that have some."""
    return [Layer(*(None if part is None else part.contiguous() for part in layer)) for layer in layers]


def addresses_of(layers: list[Layer]) -> Addresses:
    """The addresses of their parts, as the kernel takes them; 0 for what there is not."""
    return np.array([[0 if part is None else part.data_ptr() for part in layer] for layer in layers], np.int64)


def addresses_in(block: Block, s: Sizes) -> Addresses:
    """Where in a block of weight gradients those of each layer lie, as the kernel takes it."""
    starts, gates, end = block.layout.starts, s.gates * s.units, s.inputs + s.reads
    rows = [
        (
            starts["lower_weights"] + (gates * (end + (layer - 1) * s.units) if layer else 0),
            starts["hidden_weights"] + layer * gates * s.units if s.recurrent else None,
            starts["biases"] + layer * gates,
        )
        for layer in range(s.layers)
    ]
    rows += [(starts[f"{name}_weights"], None, starts[f"{name}_biases"]) for name in ("output", "head")]
    first = block.numbers.data_ptr()
    found = [[0 if place is None else first + NUMBER_BYTES * place for place in row] for row in rows]
    return np.array([(*row, 0) for row in found], np.int64)


def addresses_as_they_lie(config: MachineConfig, parameters: Sequence[Tensor | None]) -> Addresses | None:
    """The addresses of parameters, or of their gradients, which stay as long as they do; 0 for one that is None.

    None where the kernel needs copies: of a GRU's, whose layers are not as its parameters, of strided ones, and where
    numbers are no plain float32.
    """
    plain = fits(parameters) and all(part is None or part.is_contiguous() for part in parameters)
    return addresses_of(layers_of(config, parameters)) if plain and config.controller != "gru" else None


def beginning(start: Start) -> tuple[Records, Start]:
    """The initial state for the kernel, without the inputs, and its parts as they must lie until it has run."""
    parts = Start(*(None if part is None else _rows(part) for part in start))  # type: ignore[arg-type]  # only the cell
    addresses = [0 if part is None else part.data_ptr() for part in parts]
    steps = [0 if part is None or len(part) == 1 else part.stride(0) for part in parts]
    return as_record(Beginning(0, *addresses, *steps)), parts


def _rows(part: Tensor) -> Tensor:
    """A part of the state whose numbers of one sequence lie side by side."""
    shape = part.shape[1:]
    dense = tuple(math.prod(shape[axis:]) for axis in range(1, len(shape) + 1))
    return part if part.stride()[1:] == dense else part.contiguous()
