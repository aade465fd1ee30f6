"""The compiled core behind one torch.autograd.Function: a whole batch of sequences is one node of autograd's graph."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ntm_core.compiled.buffers import Block, Start
from ntm_core.compiled.passes import (
    NO_LESSON,
    parameter_gradients,
    run_backward,
    run_forward,
    start_gradients,
    weight_zeros,
)
from ntm_core.compiled.plan import Layer, Plan, addresses_in, addresses_of, beginning, contiguous, layers_of, plan_for
from ntm_core.config import MachineConfig

Eager = Callable[[Tensor, Start], Tensor]


def sequence_logits(
    config: MachineConfig, inputs: Tensor, start: Start, parameters: Sequence[Tensor], eager: Eager
) -> Tensor:
    """The logits of a batch of sequences, (step, batch, output), from inputs of (step, batch, input).

    `parameters` are those of each layer of the controller, as PyTorch orders them, then weight and bias of the heads,
    then those of the output. `eager` computes the same with PyTorch, for the gradient of a gradient.
    """
    differentiable = torch.is_grad_enabled() and any(
        tensor is not None and tensor.requires_grad for tensor in (inputs, *start, *parameters)
    )
    plan = plan_for(config, inputs.shape[0], inputs.shape[1], kept=differentiable)
    if differentiable:
        logits: Tensor = _Sequences.apply(plan, eager, inputs, *start, *parameters)  # type: ignore[no-untyped-call]  # torch
        return logits
    return _clipped(plan, _forward(plan, inputs, start, parameters)[0])


class _Sequences(torch.autograd.Function):
    """The logits as a function of the inputs, the initial state and the parameters."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, eager: Eager, inputs: Tensor, *tensors: Tensor | None) -> Tensor:
        start, parameters = Start(*tensors[:5]), tensors[5:]  # type: ignore[arg-type]  # only the cell may be None
        ctx.save_for_backward(inputs, *tensors)
        ctx.block, ctx.layers = _forward(plan, inputs, start, parameters)  # type: ignore[arg-type]  # likewise
        ctx.plan, ctx.eager = plan, eager
        return _clipped(plan, ctx.block)

    @staticmethod
    def backward(ctx: Any, *given: Tensor) -> tuple[Tensor | None, ...]:
        inputs, *tensors = ctx.saved_tensors
        wanted = ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():
            return (None, None, *_differentiable(ctx.eager, inputs, tensors, given[0], wanted))
        return (None, None, *_backward(ctx.plan, ctx.block, ctx.layers, Start(*tensors[:5]), given[0], wanted))


def _differentiable(
    eager: Eager, inputs: Tensor, tensors: Sequence[Tensor | None], given: Tensor, wanted: Sequence[bool]
) -> Iterator[Tensor | None]:
    """The gradients by eager mode, with a graph of their own: where someone wants gradients of these gradients."""
    asked = [tensor for tensor, want in zip((inputs, *tensors), wanted, strict=True) if want and tensor is not None]
    logits = eager(inputs, Start(*tensors[:5]))  # type: ignore[arg-type]  # only the cell may be None
    found = iter(torch.autograd.grad(logits, asked, given, create_graph=True, allow_unused=True))
    return (next(found) if want else None for want in wanted)


def _clipped(plan: Plan, block: Block) -> Tensor:
    """The logits in a tensor of their own, within the clip."""
    clip = plan.config.clip
    logits = block["logits"][..., : plan.sizes.outputs]
    return logits.clone() if clip is None else logits.clamp(-clip, clip)


def _forward(plan: Plan, inputs: Tensor, start: Start, parameters: Sequence[Tensor]) -> tuple[Block, list[Layer]]:
    """Run the kernel: its buffers, and the layers as it saw them."""
    layers = contiguous(layers_of(plan.config, parameters))
    inputs, (record, _held) = inputs.contiguous(), beginning(start)
    record["inputs"] = inputs.data_ptr()
    return run_forward(plan, addresses_of(layers), record), layers


def _backward(
    plan: Plan, kept: Block, layers: list[Layer], start: Start, given: Tensor, wanted: Sequence[bool]
) -> tuple[Tensor | None, ...]:
    """The gradients by the inputs, the initial state and the parameters, as far as they are wanted."""
    s, weights = plan.sizes, weight_zeros(plan)
    block, gradients = Block(plan.backward), Block(plan.start_gradients, reused=False)
    block["logits"].copy_(given)
    run_backward(plan, kept, addresses_of(layers), block, gradients, addresses_in(weights, s), NO_LESSON)
    d_inputs, lower = None, layers[0].lower
    if wanted[0] and lower is not None:
        d_inputs = block["gates"][0][..., : s.gates * s.units] @ lower[:, : s.inputs]
    by_start = zip(wanted[1:6], start, start_gradients(s, gradients), strict=True)
    return (
        d_inputs,
        *(_shaped(slope, value) if want else None for want, value, slope in by_start),
        *parameter_gradients(plan.config, s, weights),
    )


def _shaped(slope: Tensor | None, value: Tensor | None) -> Tensor | None:
    """The gradient by a part of the initial state, if it has that part: summed where all sequences share it."""
    if slope is None or value is None:
        return None
    return slope if len(value) == len(slope) else slope.sum(0, keepdim=True)
