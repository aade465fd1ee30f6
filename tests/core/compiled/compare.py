"""The compiled core beside eager mode in float64, which is the specification."""

import copy

import torch
from torch import Tensor

from ntm_core.machine import Machine
from tests.core.machines import rows


def loss_of(logits: Tensor) -> Tensor:
    """A sum in which every logit has a weight of its own."""
    generator = torch.Generator().manual_seed(3)
    return (logits * torch.randn(logits.shape, generator=generator, dtype=torch.float64).to(logits.dtype)).sum()


def gradients(machine: Machine, inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The logits, and the gradients by all parameters and by the inputs."""
    machine.zero_grad()
    inputs = inputs.clone().requires_grad_()
    logits = machine(inputs)
    loss_of(logits).backward()
    named = dict(machine.named_parameters()) | {"inputs": inputs}
    return logits.detach(), {name: value.grad for name, value in named.items() if value.grad is not None}


def assert_like_eager(
    machine: Machine,
    inputs: Tensor | None = None,
    *,
    steps: int = 11,
    batch: int = 3,
    output_error: float = 2e-6,
    gradient_error: float = 1e-5,
) -> None:
    """The compiled core's logits and gradients are those of eager mode in float64, up to rounding.

    A gradient's error is measured by its norm, against the norm of that parameter's gradient or, where that is nearly
    zero, against a hundredth of the whole gradient's. Where it is too large, the machine must be one that magnifies
    rounding: eager mode in float32 then errs by as much, give or take a factor of four.
    """
    assert machine.core == "compiled"
    inputs = rows(machine.config, steps, batch, dtype=torch.float32) if inputs is None else inputs
    logits, found = gradients(machine, inputs)
    exact = copy.deepcopy(machine).double()
    expected_logits, expected = gradients(exact, inputs.double())
    torch.testing.assert_close(logits.double(), expected_logits, rtol=output_error, atol=output_error)
    assert found.keys() == expected.keys()
    errors = errors_of(found, expected)
    if max(errors.values()) >= gradient_error:
        single = copy.deepcopy(machine)
        single.core = "eager"
        limits = errors_of(gradients(single, inputs)[1], expected)
        assert all(error < max(gradient_error, 4 * max(limits.values())) for error in errors.values()), (errors, limits)


def errors_of(found: dict[str, Tensor], expected: dict[str, Tensor]) -> dict[str, float]:
    """The relative error of each gradient."""
    least = 0.01 * torch.stack([value.norm() for value in expected.values()]).norm().item() + 1e-30
    return {
        name: (found[name].double() - value).norm().item() / max(value.norm().item(), least)
        for name, value in expected.items()
    }
