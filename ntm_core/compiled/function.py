"""The compiled core behind one torch.autograd.Function: a whole batch of sequences is one node of autograd's graph."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ntm_core.access import head_groups
from ntm_core.compiled import kernel
from ntm_core.compiled.buffers import Block, Start, backward_shapes, forward_shapes, sizes_of
from ntm_core.compiled.layout import Buffers, Choices, Gradients, Sizes, as_record
from ntm_core.config import MachineConfig


Eager = Callable[[Tensor, Start], Tensor]
Groups = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Plan:
    """What the kernel is told of a machine, whatever the batch."""

    config: MachineConfig
    choices: Choices
    groups: Groups

    @classmethod
    @functools.lru_cache(256)
    def of(cls, config: MachineConfig) -> "Plan":
        """The plan of this machine."""
        groups = np.array([(group.start, group.stop) for group in head_groups(config)], np.int64)
        return cls(config, Choices.of(config), groups)


class Layer(NamedTuple):
    """One layer as the kernel multiplies with it: weights by inputs and by its own last output, and the bias."""

    lower: Tensor
    hidden: Tensor
    bias: Tensor


def sequence_logits(
    config: MachineConfig, inputs: Tensor, start: Start, parameters: Sequence[Tensor], eager: Eager
) -> Tensor:
    """The logits of a batch of sequences, (step, batch, output), from inputs of (step, batch, input).

    `parameters` are those of each layer of the controller, as PyTorch orders them, then weight and bias of the heads,
    then those of the output. `eager` computes the same with PyTorch, for the gradient of a gradient.
    """
    plan = Plan.of(config)
    differentiable = torch.is_grad_enabled() and any(
        tensor is not None and tensor.requires_grad for tensor in (inputs, *start, *parameters)
    )
    if differentiable:
        logits: Tensor = _Sequences.apply(plan, eager, inputs, *start, *parameters)
        return logits
    block, sizes, _ = _forward(plan, inputs, start, tuple(parameters), kept=False)
    return _clipped(plan, block["logits"][..., : sizes.outputs])


class _Sequences(torch.autograd.Function):
    """The logits as a function of the inputs, the initial state and the parameters."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, eager: Eager, inputs: Tensor, *tensors: Tensor | None) -> Tensor:
        start, parameters = Start(*tensors[:5]), tensors[5:]  # type: ignore[arg-type]  # only the cell may be None
        ctx.save_for_backward(inputs, *tensors)
        ctx.block, ctx.sizes, ctx.layers = _forward(plan, inputs, start, parameters, kept=True)  # type: ignore[arg-type]
        ctx.plan, ctx.eager = plan, eager
        return _clipped(plan, ctx.block["logits"][..., : ctx.sizes.outputs])

    @staticmethod
    def backward(ctx: Any, *given: Tensor) -> tuple[Tensor | None, ...]:
        inputs, *tensors = ctx.saved_tensors
        wanted = ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():
            return (None, None, *_differentiable(ctx.eager, inputs, tensors, given[0], wanted))
        found = _backward(ctx.plan, ctx.block, ctx.sizes, ctx.layers, inputs, Start(*tensors[:5]), given[0])
        return (None, None, *(gradient if want else None for gradient, want in zip(found, wanted, strict=True)))


def _differentiable(
    eager: Eager, inputs: Tensor, tensors: Sequence[Tensor | None], given: Tensor, wanted: Sequence[bool]
) -> Iterator[Tensor | None]:
    """The gradients by eager mode, with a graph of their own: where someone wants gradients of these gradients."""
    asked = [tensor for tensor, want in zip((inputs, *tensors), wanted, strict=True) if want and tensor is not None]
    logits = eager(inputs, Start(*tensors[:5]))  # type: ignore[arg-type]  # only the cell may be None
    found = iter(torch.autograd.grad(logits, asked, given, create_graph=True, allow_unused=True))
    return (next(found) if want else None for want in wanted)


def _clipped(plan: Plan, logits: Tensor) -> Tensor:
    clip = plan.choices.clip
    return logits.clamp(-clip, clip)


def _forward(
    plan: Plan, inputs: Tensor, start: Start, parameters: tuple[Tensor, ...], *, kept: bool
) -> tuple[Block, Sizes, list[Layer]]:
    """Run the kernel: its buffers, and the layers as it saw them."""
    inputs = inputs.contiguous()
    sizes = sizes_of(plan.config, inputs.shape[0], inputs.shape[1], kept=kept)
    layers = _layers(plan.config, parameters)
    block = Block.of(forward_shapes(sizes))
    block["memory"][..., : sizes.locations] = start.memory.mT
    block["weighting"][0, ..., : sizes.locations] = start.weighting
    block["reads"][0] = start.read_vector.flatten(1)
    block["hidden"][:, 0] = start.hidden.transpose(0, 1)
    if start.cell is not None:
        block["cells"][:, 0] = start.cell.transpose(0, 1)
    buffers = Buffers(inputs=inputs.data_ptr(), **block.addresses)
    kernel.forward(as_record(sizes), as_record(plan.choices), plan.groups, _addresses(layers), as_record(buffers))
    return block, sizes, layers


def _layers(config: MachineConfig, parameters: tuple[Tensor, ...]) -> list[Layer]:
    """The controller's layers, then the output's and the heads' layer, all contiguous."""
    count = 2 if config.controller == "feedforward" else 4
    stacked = [
        _layer(config, *parameters[count * layer : count * (layer + 1)]) for layer in range(config.controller_layers)
    ]
    heads, heads_bias, output, output_bias = parameters[-4:]
    stacked += [Layer(output, output, output_bias), Layer(heads, heads, heads_bias)]
    return [Layer(*(tensor.contiguous() for tensor in layer)) for layer in stacked]


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


def _addresses(layers: list[Layer]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array([[tensor.data_ptr() for tensor in layer] for layer in layers], np.int64)


def _backward(
    plan: Plan,
    kept: Block,
    sizes: Sizes,
    layers: list[Layer],
    inputs: Tensor,
    start: Start,
    given: Tensor,
) -> tuple[Tensor | None, ...]:
    """The gradients by the inputs, the initial state and the parameters."""
    d_logits = given.masked_fill(kept["logits"][..., : sizes.outputs].abs() > plan.choices.clip, 0).contiguous()
    block = Block.of(backward_shapes(sizes))
    for name in ("hidden", "cells", "reads", "weighting", "memory"):
        block[name].zero_()
    inputs = inputs.contiguous()
    buffers = Buffers(inputs=inputs.data_ptr(), **kept.addresses)
    gradients = Gradients(logits=d_logits.data_ptr(), **block.addresses)
    kernel.backward(
        as_record(sizes),
        as_record(plan.choices),
        plan.groups,
        _addresses(layers),
        as_record(buffers),
        as_record(gradients),
    )
    d_inputs = block["gates"][0][..., : layers[0].lower.shape[0]] @ layers[0].lower[:, : sizes.inputs]
    return (
        d_inputs,
        *_start_gradients(sizes, block, start),
        *_parameter_gradients(plan.config, sizes, kept, block, inputs, d_logits),
    )


def _start_gradients(s: Sizes, block: Block, start: Start) -> list[Tensor | None]:
    """The gradients by the initial state, in the shape in which it was given."""
    found = [
        block["memory"][..., : s.locations].mT,
        block["weighting"][..., : s.locations],
        block["reads"][:, : s.reads].unflatten(1, (s.read_heads, s.words)),
        block["hidden"][..., : s.units].transpose(0, 1),
        None if start.cell is None else block["cells"].transpose(0, 1),
    ]
    return [
        gradient.sum(0, keepdim=True) if gradient is not None and len(value) < len(gradient) else gradient
        for gradient, value in zip(found, start, strict=True)
    ]


def _parameter_gradients(
    config: MachineConfig, s: Sizes, kept: Block, block: Block, inputs: Tensor, d_logits: Tensor
) -> list[Tensor]:
    """The gradients by the parameters: each weight's is one matrix product over all steps and sequences."""
    rows, found = s.steps * s.batch, []
    reads, hidden, gates = kept["reads"], kept["hidden"], block["gates"]
    for layer in range(s.layers):
        d_gates = gates[layer].view(rows, -1)[:, : s.gates * s.units]
        below = (
            [inputs.view(rows, -1), reads[:-1].view(rows, -1)] if layer == 0 else [hidden[layer - 1, 1:].view(rows, -1)]
        )
        d_lower = _by_weight(d_gates, *below)
        d_hidden = _by_weight(d_gates, hidden[layer, :-1].view(rows, -1)) if s.recurrent else None
        found += _layer_gradients(config, d_lower, d_hidden, d_gates.sum(0))
    spoken = hidden[-1, 1:].view(rows, -1)
    d_raw = block["raw"].view(rows, -1)[:, : s.raw]
    found += [_by_weight(d_raw, spoken), d_raw.sum(0)]
    d_output = d_logits.view(rows, -1)
    found += [_by_weight(d_output, spoken, reads[1:].view(rows, -1)), d_output.sum(0)]
    return found


def _by_weight(d_sums: Tensor, *inputs: Tensor) -> Tensor:
    """The gradient by the weight of a layer whose inputs are these, side by side."""
    if len(inputs) == 1:
        return d_sums.mT @ inputs[0]
    weight = d_sums.new_empty(d_sums.shape[1], sum(part.shape[1] for part in inputs))
    start = 0
    for part in inputs:
        torch.mm(d_sums.mT, part, out=weight[:, start : start + part.shape[1]])
        start += part.shape[1]
    return weight


def _layer_gradients(config: MachineConfig, lower: Tensor, hidden: Tensor | None, bias: Tensor) -> list[Tensor]:
    """The gradients by a layer's parameters, from those by what `_layer` made of them."""
    if hidden is None:
        return [lower, bias]
    if config.controller == "lstm":
        return [lower, hidden, bias, bias]
    two, three = 2 * config.controller_size, 3 * config.controller_size
    hidden_rows, hidden_bias = torch.cat([hidden[:two], hidden[three:]]), torch.cat([bias[:two], bias[three:]])
    return [lower[:three], hidden_rows, bias[:three], hidden_bias]
