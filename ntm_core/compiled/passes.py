"""The two passes of the kernel over a batch of sequences, between tensors and addresses.

A crew shares them where the plan has members: then each sequence is some member's, forward and back, and after that
some rows of each weight's gradient are. So no sum is ordered otherwise, and the bits are those of one thread.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntm_core.compiled import kernel
from ntm_core.compiled.buffers import Block, Start
from ntm_core.compiled.crew import ALONE, Crew
from ntm_core.compiled.layout import (
    NUMBER_BYTES,
    Buffers,
    Gradients,
    Lesson,
    Records,
    Share,
    Sizes,
    as_record,
    record_of,
)
from ntm_core.compiled.plan import GOING_ON, NOTHING_COPIED, Addresses, Plan
from ntm_core.config import MachineConfig

NO_LESSON = as_record(Lesson())
"""For the backward pass, where the gradients by the logits are given."""


_BEGINS = as_record(Share(begins=1))
"""For the backward pass, what the thread that asks computes before its crew does."""


def run_forward(plan: Plan, weights: Addresses, start: Records, crew: Crew = ALONE) -> Block:
    """The buffers of the forward pass, of all steps where the plan keeps them."""
    block = Block(plan.forward)
    buffers = record_of(Buffers, block.addresses)

    def compute(span: Records, buffers: Records, start: Records) -> None:
        kernel.forward(
            plan.sizes_record, plan.choices_record, plan.groups, weights, buffers, span, NOTHING_COPIED, start
        )

    if not plan.members:
        compute(plan.span, buffers, start)
        return block
    begins = plan.span.copy()
    begins["to_sequence"] = 0
    compute(begins, buffers, start)
    scratch = Block(plan.forward_scratch)
    own = own_addresses(buffers, scratch, len(plan.members))
    crew.run(
        [partial(compute, member.span, places, GOING_ON) for member, places in zip(plan.members, own, strict=True)]
    )
    return block


def run_backward(
    plan: Plan,
    kept: Block,
    weights: Addresses,
    block: Block,
    gradients: Block,
    wanted: Addresses,
    lesson: Records,
    crew: Crew = ALONE,
) -> float:
    """The loss of the lesson, if there is one, else 0.

    The gradients by the initial state are left in `gradients`, those by the weights are added where they are wanted.
    """
    buffers = record_of(Buffers, kept.addresses)
    places = record_of(Gradients, np.concatenate([block.addresses, gradients.addresses]))

    def compute(share: Records, places: Records) -> float:
        return kernel.backward(
            plan.sizes_record, plan.choices_record, plan.groups, weights, buffers, places, wanted, lesson, share
        )

    if not plan.members:
        return compute(plan.share, places)
    loss = compute(_BEGINS, places)
    scratch = Block(plan.backward_scratch)
    own = own_addresses(places, scratch, len(plan.members))
    crew.run([partial(compute, member.share, mine) for member, mine in zip(plan.members, own, strict=True)])
    crew.run([partial(compute, member.part, mine) for member, mine in zip(plan.members, own, strict=True)])
    return loss


def own_addresses(addresses: Records, scratch: Block, members: int) -> list[Records]:
    """The addresses of all buffers for each member of a crew: all but the first have scratch of their own."""
    own = [addresses.copy() for _ in range(members)]
    for (name, shape), first in zip(scratch.layout.shapes.items(), scratch.addresses, strict=True):
        for other in range(1, members):
            own[other][name] = first + (other - 1) * NUMBER_BYTES * shape[1]
    return own


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
