"""The two passes of the kernel over a batch of sequences, between tensors and addresses."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntm_core.compiled import kernel
from ntm_core.compiled.buffers import Block, Start
from ntm_core.compiled.crew import ALONE, Crew
from ntm_core.compiled.layout import Buffers, Gradients, Lesson, Records, Share, Sizes, as_record, record_of
from ntm_core.compiled.plan import GOING_ON, MILLISECOND, NOTHING_COPIED, Addresses, Plan
from ntm_core.config import MachineConfig

NO_LESSON = as_record(Lesson())
"""For the backward pass, where the gradients by the logits are given."""


def run_forward(plan: Plan, weights: Addresses, start: Records, crew: Crew = ALONE) -> Block:
    """The buffers of the forward pass, of all steps where the plan keeps them."""
    block = Block(plan.forward)
    buffers = record_of(Buffers, block.addresses)

    def compute(span: Records, buffers: Records, start: Records) -> None:
        kernel.forward(
            plan.sizes_record, plan.choices_record, plan.groups, weights, buffers, span, NOTHING_COPIED, start
        )

    shares = _shares(plan, crew)
    if len(shares) == 1:
        compute(plan.span, buffers, start)
        return block
    compute(_changed(plan.span, to_sequence=0), buffers, start)
    spare, tasks = [Block(plan.forward_scratch) for _ in shares], []
    for (first, last), scratch in zip(shares, spare, strict=True):
        span = _changed(plan.span, packs=0, from_sequence=first, to_sequence=last)
        tasks.append(partial(compute, span, _with_scratch(buffers, scratch), GOING_ON))
    crew.run(tasks)
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

    shares = _shares(plan, crew)
    if len(shares) == 1:
        return compute(plan.share, places)
    loss = compute(as_record(Share(begins=1)), places)
    spare = [Block(plan.backward_scratch) for _ in shares]
    own = [_with_scratch(places, scratch) for scratch in spare]
    sequences = [as_record(Share(0, first, last)) for first, last in shares]
    crew.run([partial(compute, share, places) for share, places in zip(sequences, own, strict=True)])
    parts = [as_record(Share(0, 0, 0, part, len(shares))) for part in range(len(shares))]
    crew.run([partial(compute, share, places) for share, places in zip(parts, own, strict=True)])
    return loss


def _shares(plan: Plan, crew: Crew) -> list[tuple[int, int]]:
    """The sequences of each member of the crew, as even as may be: the first, and the one after the last.

    There are no more members than have a millisecond's work, since to call one takes a tenth of that.
    """
    batch, members = plan.sizes.batch, 1
    if crew.size > 1:
        work = batch * plan.sizes.steps * plan.work_of_a_step
        members = max(1, min(batch, crew.size, work // MILLISECOND))
    return [(batch * member // members, batch * (member + 1) // members) for member in range(members)]


def _changed(record: Records, **fields: int) -> Records:
    """A copy of the record with these fields changed."""
    changed = record.copy()
    for name, value in fields.items():
        changed[name] = value
    return changed


def _with_scratch(addresses: Records, scratch: Block) -> Records:
    """The addresses of all buffers, but for those that each member of a crew has for itself."""
    return _changed(addresses, **dict(zip(scratch.layout.shapes, scratch.addresses, strict=True)))


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
