"""Where a number stopped being finite: told by running the batch again, step by step."""

from dataclasses import fields

import torch
from jaxtyping import Float
from torch import Tensor

from ntm_core.baseline import Baseline
from ntm_core.machine import Machine, MachineState, StepResult


@torch.inference_mode()
def where_not_finite(
    machine: Machine | Baseline, inputs: Float[Tensor, "step batch input"], start: MachineState | None = None
) -> str:
    """One sentence: the first parameter, or else the first step and quantity, that holds NaN or infinity."""
    parameter = _first(dict(machine.named_parameters()))
    if parameter is not None:
        return f"parameter {parameter!r} is not finite"
    for step, result in enumerate(machine.run(inputs, start)) if isinstance(machine, Machine) else ():
        quantity = _first(_quantities(result))
        if quantity is not None:
            return f"{quantity} of step {step} is the first quantity that is not finite"
    return "every quantity of every step is finite, so the loss itself overflowed"


def _quantities(result: StepResult) -> dict[str, Tensor]:
    """Everything that a step computes, in the order in which it is computed."""
    groups = (result.state.controller, result.parameters, result.weightings)
    named = {
        field.name: value
        for group in groups
        for field in fields(group)
        if isinstance(value := getattr(group, field.name), Tensor)
    }
    return named | {"read_vector": result.read_vector, "memory": result.state.memory, "logits": result.logits}


def _first(named: dict[str, Tensor]) -> str | None:
    return next((name for name, value in named.items() if not bool(torch.isfinite(value).all())), None)
