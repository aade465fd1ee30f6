import dataclasses
import math

import pytest
import torch

from ntm_core.interventions import StepEditor
from ntm_core.machine import Machine, MachineState, StepResult
from ntm_core.training.diagnosis import where_not_finite
from tests.core.training.plans import small_plan

INPUTS = torch.zeros(5, 1, 3)


class Breaking(Machine):
    """A machine in which one quantity stops being finite at one step."""

    def __init__(self, group: str, quantity: str, step: int) -> None:
        super().__init__(small_plan().config)
        self.group, self.quantity, self.countdown = group, quantity, step

    def step(self, inputs: torch.Tensor, state: MachineState, editor: StepEditor | None = None) -> StepResult:
        result = super().step(inputs, state, editor)
        if self.countdown == 0:
            holder = getattr(result, self.group) if self.group else result
            object.__setattr__(holder, self.quantity, torch.full_like(getattr(holder, self.quantity), math.nan))
        self.countdown -= 1
        return result


def test_a_parameter_that_is_not_finite_is_named() -> None:
    machine = Machine(small_plan().config)
    with torch.no_grad():
        machine.heads.bias[3] = math.inf
    assert where_not_finite(machine, INPUTS) == "parameter 'heads.bias' is not finite"


@pytest.mark.parametrize(
    ("group", "quantity"),
    [
        ("parameters", "key_strength"),
        ("parameters", "add_vector"),
        ("weightings", "shifted_weighting"),
        ("", "read_vector"),
        ("", "logits"),
    ],
)
@pytest.mark.parametrize("step", [0, 3])
def test_the_first_step_and_quantity_are_named(group: str, quantity: str, step: int) -> None:
    found = where_not_finite(Breaking(group, quantity, step), INPUTS)
    assert found == f"{quantity} of step {step} is the first quantity that is not finite"


def test_an_input_that_is_not_finite_shows_in_the_controller_first() -> None:
    inputs = INPUTS.clone()
    inputs[2, 0, 0] = math.nan
    assert where_not_finite(Machine(small_plan().config), inputs).startswith("hidden of step 2 ")


def test_every_quantity_of_a_step_is_looked_at() -> None:
    result = next(Machine(small_plan().config).run(INPUTS))
    groups = (result, result.parameters, result.weightings, result.state, result.state.controller)
    named = {field.name for group in groups for field in dataclasses.fields(group)}
    elsewhere = {
        "output_activation",
        "parameters",
        "weightings",
        "state",
        "controller",
        "weighting",
        "memory",
        "hidden",
        "cell",
        "memory_found",
    }
    for quantity in named - elsewhere:
        group = "parameters" if hasattr(result.parameters, quantity) else ""
        group = "weightings" if hasattr(result.weightings, quantity) else group
        assert where_not_finite(Breaking(group, quantity, 1), INPUTS).startswith(f"{quantity} of step 1 ")


def test_a_finite_run_says_so() -> None:
    assert where_not_finite(Machine(small_plan().config), INPUTS).startswith("every quantity of every step is finite")
