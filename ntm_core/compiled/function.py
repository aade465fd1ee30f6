"""The compiled core behind one torch.autograd.Function: a whole batch of sequences is one node of autograd's graph."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ntm_core.compiled import kernel
from ntm_core.compiled.buffers import Block, Start
from ntm_core.compiled.layout import Buffers, Gradients, Lesson, Records, Sizes, as_record, record_of
from ntm_core.compiled.plan import (
    NOTHING_COPIED,
    Addresses,
    Layer,
    Plan,
    addresses_in,
    addresses_of,
    beginning,
    layers_of,
    own_addresses,
    own_gradient,
    plan_for,
)
from ntm_core.config import MachineConfig

Eager = Callable[[Tensor, Start], Tensor]

_NO_LESSON = as_record(Lesson())


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


def add_gradients(
    config: MachineConfig,
    inputs: Tensor,
    start: Start,
    parameters: Sequence[Tensor],
    targets: Tensor,
    mask: Tensor,
    learned: Start | None,
) -> float:
    """The mean binary cross entropy of the bits at the steps whose mask is 1, in nats; inputs as in `sequence_logits`.

    Its gradients are added to `grad` of each parameter, and to those of `learned`, of which the initial state is made:
    each part is a parameter as it is, w_0 the softmax of one. Where that is None, autograd finds what the state was
    computed from. Nothing else is its business: a small machine costs half as much as by `backward()`.
    """
    plan = plan_for(config, inputs.shape[0], inputs.shape[1], kept=True)
    targets, mask = targets.contiguous(), mask.contiguous()
    with torch.no_grad():
        kept, layers = _forward(plan, inputs, start, parameters)
        block, gradients = Block(plan.backward), Block(plan.start_gradients)
        lesson, own = as_record(Lesson(targets.data_ptr(), mask.data_ptr())), own_addresses(config, parameters)
        if own is not None:
            loss = _pull(plan, kept, layers, block, gradients, own, lesson)
        else:
            weights = _zeros(plan)
            loss = _pull(plan, kept, layers, block, gradients, addresses_in(weights, plan.sizes), lesson)
            for parameter, found in zip(parameters, _parameter_gradients(config, plan.sizes, weights), strict=True):
                gradient = own_gradient(parameter)
                if gradient is not None:
                    gradient.add_(found)
    if learned is None:
        _by_autograd(plan, gradients, start)
    else:
        _by_hand(plan, gradients, start, learned)
    return loss


def _by_autograd(plan: Plan, gradients: Block, start: Start) -> None:
    """Add the gradients by the initial state to those of what it was computed from."""
    wanted = [part is not None and part.requires_grad for part in start]
    slopes = _start_gradients(plan.sizes, gradients, start, wanted)
    found = [(part, slope) for part, slope in zip(start, slopes, strict=True) if part is not None and slope is not None]
    if found:
        torch.autograd.backward([part for part, _ in found], [slope for _, slope in found])


@torch.no_grad()
def _by_hand(plan: Plan, gradients: Block, start: Start, learned: Start) -> None:
    """Add the gradients by the initial state to those of the parameters that it is: that by w_0 through the softmax."""
    wanted = [part is not None and part.requires_grad for part in learned]
    slopes = _start_gradients(plan.sizes, gradients, start, wanted)
    for name, parameter, part, slope in zip(Start._fields, learned, start, slopes, strict=True):
        own = None if parameter is None else own_gradient(parameter)
        if own is None or part is None or slope is None:
            continue
        summed = slope[0] if len(slope) == 1 else slope.sum(0)
        if name == "weighting":
            summed = torch._softmax_backward_data(summed, part[0], -1, part.dtype)  # noqa: SLF001  # what autograd calls
        own.add_(summed)


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
    layers = layers_of(plan.config, parameters)
    block = Block(plan.forward)
    start_record, _given = beginning(inputs, start)
    kernel.forward(
        plan.sizes_record,
        plan.choices_record,
        plan.groups,
        addresses_of(layers),
        record_of(Buffers, block.addresses),
        plan.span,
        NOTHING_COPIED,
        start_record,
    )
    return block, layers


def _zeros(plan: Plan) -> Block:
    """A block for the gradients by the weights, to which the kernel adds."""
    block = Block(plan.weight_gradients, reused=False)
    for name in plan.weight_gradients.shapes:
        block[name].zero_()
    return block


def _pull(
    plan: Plan, kept: Block, layers: list[Layer], block: Block, gradients: Block, wanted: Addresses, lesson: Records
) -> float:
    """Run the kernel backward: the loss of the lesson, if there is one.

    The gradients are in the blocks, and those by the weights are added where they are wanted.
    """
    return kernel.backward(
        plan.sizes_record,
        plan.choices_record,
        plan.groups,
        addresses_of(layers),
        record_of(Buffers, kept.addresses),
        record_of(Gradients, np.concatenate([block.addresses, gradients.addresses])),
        wanted,
        lesson,
    )


def _backward(
    plan: Plan, kept: Block, layers: list[Layer], start: Start, given: Tensor, wanted: Sequence[bool]
) -> tuple[Tensor | None, ...]:
    """The gradients by the inputs, the initial state and the parameters, as far as they are wanted."""
    s, weights = plan.sizes, _zeros(plan)
    block, gradients = Block(plan.backward), Block(plan.start_gradients, reused=False)
    block["logits"].copy_(given)
    _pull(plan, kept, layers, block, gradients, addresses_in(weights, s), _NO_LESSON)
    d_inputs = None
    if wanted[0]:
        d_inputs = block["gates"][0][..., : s.gates * s.units] @ layers[0].lower[:, : s.inputs]
    return (
        d_inputs,
        *_start_gradients(s, gradients, start, wanted[1:6]),
        *_parameter_gradients(plan.config, s, weights),
    )


def _start_gradients(s: Sizes, gradients: Block, start: Start, wanted: Sequence[bool]) -> Iterator[Tensor | None]:
    """The gradients by the initial state, in the shape in which it was given."""
    found: dict[str, Callable[[], Tensor]] = {
        "memory": lambda: gradients["memory"][..., : s.locations].mT,
        "weighting": lambda: gradients["weighting"][..., : s.locations],
        "read_vector": lambda: gradients["reads"][:, : s.reads].unflatten(1, (s.read_heads, s.words)),
        "hidden": lambda: gradients["hidden"][..., : s.units].transpose(0, 1),
        "cell": lambda: gradients["cells"].transpose(0, 1),
    }
    for want, value, gradient in zip(wanted, start, found.values(), strict=True):
        if not want or value is None:
            yield None
        elif len(value) < s.batch:
            yield gradient().sum(0, keepdim=True)
        else:
            yield gradient()


def _parameter_gradients(config: MachineConfig, s: Sizes, gradients: Block) -> Iterator[Tensor]:
    """The gradients by the parameters, from those by what `layers_of` made of them."""
    gates, end = s.gates * s.units, s.inputs + s.reads
    for layer in range(s.layers):
        width = s.units if layer else end
        lower = gradients.part("lower_weights", gates * (end + (layer - 1) * s.units) if layer else 0, gates, width)
        bias = gradients.part("biases", layer * gates, gates)
        if not s.recurrent:
            yield from (lower, bias)
            continue
        hidden = gradients.part("hidden_weights", layer * gates * s.units, gates, s.units)
        yield from (lower, hidden, bias, bias) if config.controller == "lstm" else _gru(s.units, lower, hidden, bias)
    yield from (gradients[name] for name in ("head_weights", "head_biases", "output_weights", "output_biases"))


def _gru(units: int, lower: Tensor, hidden: Tensor, bias: Tensor) -> list[Tensor]:
    """The gradients by a GRU's parameters, without the rows that `layers_of` has filled with zeros."""
    two, three = 2 * units, 3 * units
    hidden_rows, hidden_bias = torch.cat([hidden[:two], hidden[three:]]), torch.cat([bias[:two], bias[three:]])
    return [lower[:three], hidden_rows, bias[:three], hidden_bias]
