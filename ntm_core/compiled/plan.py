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
    NUMBER_BYTES,
    Block,
    Layout,
    Start,
    backward_shapes,
    forward_shapes,
    sizes_of,
    start_gradient_shapes,
    weight_gradient_shapes,
)
from ntm_core.compiled.layout import Beginning, Choices, Copied, Records, Sizes, Span, as_record, parts_of
from ntm_core.compiled.support import fits
from ntm_core.config import MachineConfig

Groups = np.ndarray[Any, np.dtype[np.int64]]

Addresses = np.ndarray[Any, np.dtype[np.int64]]
"""Of parts of the layers, or of their gradients: a row a layer."""

NOTHING_COPIED = np.zeros((0, len(Copied._fields)), np.int64)
"""What of a step goes into its record, for the kernel, where nothing does."""

GOING_ON = as_record(Beginning())
"""For the kernel, the beginning of a span that goes on from what is in the buffers."""


@dataclass(frozen=True)
class Plan:
    """What the kernel is told of a machine and a batch, and where its buffers lie.

    Attributes:
        groups: of heads, in the order in which they act.
        span: all steps, unrecorded.
        forward: the buffers of the forward pass.
        backward: those of the backward pass.
        start_gradients: those in which it leaves the gradients by the initial state.
        weight_gradients: those that may hold the gradients by the weights and biases.
    """

    config: MachineConfig
    sizes: Sizes
    sizes_record: Records
    choices_record: Records
    groups: Groups
    span: Records
    forward: Layout
    backward: Layout
    start_gradients: Layout
    weight_gradients: Layout


@functools.lru_cache(256)
def plan_for(config: MachineConfig, steps: int, batch: int, *, kept: bool) -> Plan:
    """The plan of this machine and batch; `kept` where gradients will be asked for."""
    sizes = sizes_of(config, steps, batch, kept=kept)
    groups = np.array([(group.start, group.stop) for group in head_groups(config)], np.int64)
    choices = as_record(Choices.of(config))
    shapes = (forward_shapes, backward_shapes, start_gradient_shapes, weight_gradient_shapes)
    layouts = (Layout.of(shapes_of(sizes)) for shapes_of in shapes)
    span = as_record(Span(0, steps, 0, parts_of(len(groups))))
    return Plan(config, sizes, as_record(sizes), choices, groups, span, *layouts)


class Layer(NamedTuple):
    """One layer as the kernel multiplies with it: weights by inputs and by its own last output, and the bias."""

    lower: Tensor
    hidden: Tensor
    bias: Tensor


def layers_of(config: MachineConfig, parameters: Sequence[Tensor]) -> list[Layer]:
    """The controller's layers, then the output's and the heads' layer, all contiguous."""
    count = 2 if config.controller == "feedforward" else 4
    stacked = [
        _layer(config, *parameters[count * layer : count * (layer + 1)]) for layer in range(config.controller_layers)
    ]
    heads, heads_bias, output, output_bias = parameters[-4:]
    stacked += [Layer(output, output, output_bias), Layer(heads, heads, heads_bias)]
    return [layer if all(tensor.is_contiguous() for tensor in layer) else _contiguous(layer) for layer in stacked]


def _contiguous(layer: Layer) -> Layer:
    return Layer(*(tensor.contiguous() for tensor in layer))


def _layer(config: MachineConfig, *parameters: Tensor) -> Layer:
    """A layer of the controller.

    A GRU's new gate is summed in two parts, by inputs and by the last output: each weight has zeros for the other.
    """
    if config.controller == "feedforward":
        weight, bias = parameters
        return Layer(weight, weight, bias)
    lower, hidden, lower_bias, hidden_bias = parameters
    if config.controller == "lstm":
        return Layer(lower, hidden, lower_bias + hidden_bias)
    two = 2 * config.controller_size
    return Layer(
        torch.cat([lower, lower.new_zeros(config.controller_size, lower.shape[1])]),
        torch.cat([hidden[:two], torch.zeros_like(hidden[two:]), hidden[two:]]),
        torch.cat([lower_bias[:two] + hidden_bias[:two], lower_bias[two:], hidden_bias[two:]]),
    )


def addresses_of(layers: list[Layer]) -> Addresses:
    """The addresses of their parts, as the kernel takes them."""
    return np.array([[tensor.data_ptr() for tensor in layer] for layer in layers], np.int64)


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


def own_addresses(config: MachineConfig, parameters: Sequence[Tensor]) -> Addresses | None:
    """Where the `grad` of each parameter lies, as the kernel takes it; 0 for frozen ones.

    None where the kernel cannot add to them: a GRU's, whose layers are not as its parameters, and those that are
    strided, or no plain float32.
    """
    if config.controller == "gru":
        return None
    found = [own_gradient(parameter) for parameter in parameters]
    if not all(gradient is None or (gradient.is_contiguous() and fits((gradient,))) for gradient in found):
        return None
    places = [0 if gradient is None else gradient.data_ptr() for gradient in found]
    *layers, heads, heads_bias, output, output_bias = places
    if config.controller == "lstm":
        rows = [tuple(layers[first : first + 4]) for first in range(0, len(layers), 4)]
    else:
        rows = [(layers[first], 0, layers[first + 1], 0) for first in range(0, len(layers), 2)]
    return np.array([*rows, (output, 0, output_bias, 0), (heads, 0, heads_bias, 0)], np.int64)


def own_gradient(parameter: Tensor) -> Tensor | None:
    """Where the gradients of a parameter are added up; None if they are not wanted."""
    if parameter.requires_grad and parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad if parameter.requires_grad else None


def beginning(inputs: Tensor, start: Start) -> tuple[Records, tuple[Tensor, ...]]:
    """The inputs, (step, batch, input), and the initial state, for the kernel; and what must live until it has run."""
    inputs = inputs.contiguous()
    parts = [None if part is None else _rows(part) for part in start]
    addresses = [0 if part is None else part.data_ptr() for part in parts]
    steps = [0 if part is None or len(part) == 1 else part.stride(0) for part in parts]
    record = as_record(Beginning(inputs.data_ptr(), *addresses, *steps))
    return record, (inputs, *(part for part in parts if part is not None))


def _rows(part: Tensor) -> Tensor:
    """A part of the state whose numbers of one sequence lie side by side."""
    shape = part.shape[1:]
    dense = tuple(math.prod(shape[axis:]) for axis in range(1, len(shape) + 1))
    return part if part.stride()[1:] == dense else part.contiguous()
