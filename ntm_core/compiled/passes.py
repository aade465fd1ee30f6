"""The two passes of the kernel over a batch of sequences, between tensors and addresses."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ntm_core.compiled import kernel
from ntm_core.compiled.buffers import Block, Start
from ntm_core.compiled.layout import Buffers, Gradients, Lesson, Records, Sizes, as_record, record_of
from ntm_core.compiled.plan import NOTHING_COPIED, Addresses, Plan
from ntm_core.config import MachineConfig

NO_LESSON = as_record(Lesson())
"""For the backward pass, where the gradients by the logits are given."""


def run_forward(plan: Plan, weights: Addresses, start: Records) -> Block:
    """The buffers of the forward pass, of all steps where the plan keeps them."""
    block = Block(plan.forward)
    kernel.forward(
        plan.sizes_record,
        plan.choices_record,
        plan.groups,
        weights,
        record_of(Buffers, block.addresses),
        plan.span,
        NOTHING_COPIED,
        start,
    )
    return block


def run_backward(
    plan: Plan, kept: Block, weights: Addresses, block: Block, gradients: Block, wanted: Addresses, lesson: Records
) -> float:
    """The loss of the lesson, if there is one, else 0.

    The gradients by the initial state are left in `gradients`, those by the weights are added where they are wanted.
    """
    return kernel.backward(
        plan.sizes_record,
        plan.choices_record,
        plan.groups,
        weights,
        record_of(Buffers, kept.addresses),
        record_of(Gradients, np.concatenate([block.addresses, gradients.addresses])),
        wanted,
        lesson,
    )


def weight_zeros(plan: Plan) -> Block:
    """A block for the gradients by the weights, to which the kernel adds."""
    block = Block(plan.weight_gradients, reused=False)
    for name in plan.weight_gradients.shapes:
        block[name].zero_()
    return block


def start_gradients(s: Sizes, gradients: Block) -> Start:
    """The gradients by the initial state of each sequence, as they lie in the block."""
    return Start(
        memory=gradients["memory"][..., : s.locations].mT,
        weighting=gradients["weighting"][..., : s.locations],
        read_vector=gradients["reads"][:, : s.reads].unflatten(1, (s.read_heads, s.words)),
        hidden=gradients["hidden"][..., : s.units].transpose(0, 1),
        cell=gradients["cells"].transpose(0, 1),
    )


def parameter_gradients(config: MachineConfig, s: Sizes, gradients: Block) -> Iterator[Tensor]:
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
