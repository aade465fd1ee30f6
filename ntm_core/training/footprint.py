"""How much memory a run takes, told from its plan alone, before there is a machine."""

import math
from collections.abc import Mapping

from ntm_core.compiled.buffers import (
    Shape,
    backward_scratch_shapes,
    backward_shapes,
    forward_scratch_shapes,
    forward_shapes,
    sizes_of,
    start_gradient_shapes,
    weight_gradient_shapes,
)
from ntm_core.config import MachineConfig
from ntm_core.training.plan import Plan

_NUMBER_BYTES = 4

_COPIES = 10
"""Of each parameter: itself, its gradient, the optimiser's two means; and twice all but the gradient while saving."""

_COPIES_OF_THE_BEST = 9
"""Where the run may go back to where it was best: all but the gradient once more, and twice while saving."""


def footprint(plan: Plan, threads: int = 1) -> int:
    """The bytes that training by this plan in so many threads takes at its most, beside the program itself.

    They are those of the parameters with their copies, and of what an iteration on the longest sequences keeps for the
    backward pass: the compiled core's buffers, or the tape of PyTorch, of which this is an estimate from above.
    """
    steps, batch = plan.task.longest, plan.recipe.batch
    sizes = sizes_of(plan.config, steps, batch, kept=True)
    gradients = _numbers(start_gradient_shapes(sizes)) + _numbers(weight_gradient_shapes(sizes))
    if plan.why_eager is None:
        members = min(batch, threads)
        shared = _numbers(forward_scratch_shapes(sizes, members)) + _numbers(backward_scratch_shapes(sizes, members))
        kept = _numbers(forward_shapes(sizes)) + _numbers(backward_shapes(sizes)) + shared + gradients
    else:
        kept = steps * batch * _tape(plan.config)
    copies = _COPIES if plan.recipe.relapse is None else _COPIES + _COPIES_OF_THE_BEST
    return _NUMBER_BYTES * (copies * parameters(plan.config) + kept)


def parameters(config: MachineConfig) -> int:
    """How many parameters such a machine has, or somewhat more: a GRU is counted with the LSTM's four gates."""
    learned = weight_gradient_shapes(sizes_of(config, 1, 1, kept=True))
    second_biases = math.prod(learned["biases"])
    locations, units = config.memory_size, config.controller_layers * config.controller_size
    start = (locations + config.read_heads) * config.word_size + config.heads * locations + 2 * units
    return _numbers(learned) + second_biases + start


def _tape(config: MachineConfig) -> int:
    """How many numbers PyTorch keeps of one step of one sequence."""
    cells = config.memory_size * config.word_size
    memory = (2 * config.write_heads + 4) * cells
    weightings = config.heads * config.memory_size * (14 + 2 * config.shift_range)
    controller = 16 * config.controller_layers * config.controller_size
    heads = 4 * config.heads * config.word_size
    return memory + weightings + controller + heads + config.input_size + config.output_size


def _numbers(shapes: Mapping[str, Shape]) -> int:
    return sum(math.prod(shape) for shape in shapes.values())
