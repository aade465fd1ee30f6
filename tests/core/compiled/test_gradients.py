"""Gradients that are added without a graph, beside those of `backward()`."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ntm_core.config import InitialController, InitialMemory, InitialRead, InitialWeighting
from ntm_core.machine import Machine
from ntm_core.training.loss import sequence_loss
from tests.core.compiled.choices import SEEDED
from tests.core.machines import name_of, rows, small_config, stirred

STEPS, BATCH = 9, 3


def lesson(machine: Machine) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs, targets, and a mask that asks for some steps, others in each sequence."""
    inputs = rows(machine.config, STEPS, BATCH, dtype=torch.float32)
    generator = torch.Generator().manual_seed(5)
    targets = torch.randint(0, 2, (STEPS, BATCH, machine.config.output_size), generator=generator).float()
    return inputs, targets, torch.randint(0, 2, (STEPS, BATCH), generator=generator).float()


def by_graph(machine: Machine, inputs: Tensor, targets: Tensor, mask: Tensor) -> tuple[float, dict[str, Tensor]]:
    machine.zero_grad()
    loss = sequence_loss(machine(inputs), targets, mask)
    loss.backward()
    return loss.item(), found(machine)


def without(machine: Machine, inputs: Tensor, targets: Tensor, mask: Tensor) -> tuple[float, dict[str, Tensor]]:
    machine.zero_grad()
    loss = added(machine, inputs, targets, mask)
    return loss, found(machine)


def added(machine: Machine, inputs: Tensor, targets: Tensor, mask: Tensor, seed: int | None = None) -> float:
    learner = machine.learner()
    assert learner is not None
    return learner.add_gradients(inputs, targets, mask, seed)


def found(machine: Machine) -> dict[str, Tensor]:
    return {name: value.grad.clone() for name, value in machine.named_parameters() if value.grad is not None}


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], rtol=1e-4, atol=1e-7, msg=name)


@pytest.mark.parametrize("changes", SEEDED, ids=name_of)
def test_loss_and_gradients_are_those_of_backward(changes: dict[str, Any]) -> None:
    machine = stirred(small_config(memory_size=9, **changes), scale=0.6, dtype=torch.float32)
    (loss, gradients), (expected, by_autograd) = without(machine, *lesson(machine)), by_graph(machine, *lesson(machine))
    assert loss == pytest.approx(expected, rel=1e-6)
    assert_equal(gradients, by_autograd)


CHOICES = (
    *({"initial_memory": name} for name in get_args(InitialMemory)),
    *({"initial_weighting": name} for name in get_args(InitialWeighting)),
    *({"initial_read": name} for name in get_args(InitialRead)),
    *({"initial_controller": name} for name in get_args(InitialController)),
    {"controller": "feedforward"},
    {"controller": "gru", "initial_memory": "learned"},
    {"initial_memory": "learned", "initial_read": "from_memory"},
)


@pytest.mark.parametrize("batch", [1, BATCH])
@pytest.mark.parametrize("changes", CHOICES, ids=name_of)
def test_gradients_by_the_initial_state_are_those_of_backward_whatever_it_is(
    changes: dict[str, Any], batch: int
) -> None:
    machine = stirred(small_config(**changes), scale=0.6, dtype=torch.float32)
    inputs, targets, mask = (part[:, :batch] for part in lesson(machine))
    added(machine, inputs, targets, mask, seed=7)
    gradients = found(machine)
    machine.zero_grad()
    own = machine.initial_state(batch if machine.config.draws_fresh else 1, seed=7)
    sequence_loss(machine(inputs, own), targets, mask).backward()
    assert_equal(gradients, found(machine))


def test_a_parameter_that_is_computed_from_another_hands_its_gradient_on() -> None:
    class Doubled(nn.Module):
        def forward(self, value: Tensor) -> Tensor:
            return 2 * value

    machine = stirred(small_config(initial_memory="learned"), dtype=torch.float32)
    parametrize.register_parametrization(machine.initial, "memory_value", Doubled())
    (_, gradients), (_, by_autograd) = without(machine, *lesson(machine)), by_graph(machine, *lesson(machine))
    assert "initial.parametrizations.memory_value.original" in gradients
    assert_equal(gradients, by_autograd)


@pytest.mark.parametrize("size", [1e-4, 3.0, 19.0, 60.0])
def test_a_machine_that_is_sure_of_its_outputs_has_the_loss_to_the_last_digits(size: float) -> None:
    """Right or wrong: half of the targets are not what it says, or none."""
    for wrong in (False, True):
        machine = stirred(small_config(clip=None), scale=0.6, dtype=torch.float32)
        with torch.no_grad():
            machine.output.weight.zero_()
            machine.output.bias.fill_(size)
        inputs, _, mask = lesson(machine)
        targets = torch.ones(STEPS, BATCH, machine.config.output_size)
        targets[..., 0] -= float(wrong)
        loss, gradients = without(machine, inputs, targets, mask)
        logits = machine(inputs).double().requires_grad_()
        exact = sequence_loss(logits, targets.double(), mask.double())
        assert loss == pytest.approx(exact.item(), rel=1e-6)
        (slopes,) = torch.autograd.grad(exact, logits)
        torch.testing.assert_close(gradients["output.bias"].double(), slopes.sum((0, 1)), rtol=1e-5, atol=1e-12)


def test_gradients_are_added_to_what_is_there_and_frozen_parameters_get_none() -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    machine.heads.requires_grad_(requires_grad=False)
    _, once = without(machine, *lesson(machine))
    inputs, targets, mask = lesson(machine)
    added(machine, inputs, targets, mask)
    assert_equal(found(machine), {name: 2 * value for name, value in once.items()})
    assert machine.heads.weight.grad is None


def test_gradients_of_another_kind_are_added_to_as_well() -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    _, once = without(machine, *lesson(machine))
    machine.zero_grad()
    shape = machine.output.weight.shape
    machine.output.weight.grad = torch.zeros(shape[1], shape[0]).T
    added(machine, *lesson(machine))
    assert_equal(found(machine), once)


def test_gradients_of_one_sequence_stay_what_they_are_when_others_are_computed() -> None:
    machine = stirred(small_config(initial_memory="learned"), dtype=torch.float32)
    inputs, targets, mask = (part[:, :1] for part in lesson(machine))
    _, gradients = without(machine, inputs, targets, mask)
    kept = {name: value.grad for name, value in machine.named_parameters()}
    machine.zero_grad()
    _, again = without(machine, inputs, targets, mask)
    assert all(torch.equal(value, again[name]) for name, value in gradients.items())
    without(machine, *(part[:, 1:] for part in lesson(machine)))
    for name, value in gradients.items():
        held = kept[name]
        assert held is not None
        assert torch.equal(held, value), name


@pytest.mark.parametrize("controller", ["gru", "feedforward", "lstm"])
def test_gradients_of_every_layer_are_added(controller: str) -> None:
    machine = stirred(small_config(controller=controller, controller_layers=3, read_heads=2), dtype=torch.float32)
    (_, gradients), (_, by_autograd) = without(machine, *lesson(machine)), by_graph(machine, *lesson(machine))
    assert_equal(gradients, by_autograd)


def test_sequences_begin_each_in_a_state_of_its_own() -> None:
    machine = stirred(small_config(initial_memory="fresh_uniform"), dtype=torch.float32)
    inputs, targets, mask = lesson(machine)
    machine.zero_grad()
    loss = added(machine, inputs, targets, mask, seed=1)
    gradients = found(machine)
    machine.zero_grad()
    expected = sequence_loss(machine(inputs, machine.initial_state(BATCH, seed=1)), targets, mask)
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-6)
    assert_equal(gradients, found(machine))


def test_what_does_not_lie_side_by_side_is_read_as_it_is() -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    inputs, targets, mask = lesson(machine)
    expected, gradients = without(machine, inputs, targets, mask)
    strided = [part.repeat_interleave(2, -1)[..., ::2] for part in (inputs, targets, mask)]
    loss, again = without(machine, *strided)
    assert loss == expected
    assert all(torch.equal(value, again[name]) for name, value in gradients.items())


@pytest.mark.parametrize("changes", CHOICES, ids=name_of)
def test_a_learner_sees_parameters_that_have_moved(changes: dict[str, Any]) -> None:
    """As an optimiser moves them, in place; and batches of other sizes, one after the other."""
    machine = stirred(small_config(**changes), scale=0.6, dtype=torch.float32)
    learner, given = machine.learner(), lesson(machine)
    assert learner is not None
    for batch in (1, BATCH, 1):
        with torch.no_grad():
            for parameter in machine.parameters():
                parameter.mul_(0.9)
                if parameter.grad is not None:
                    parameter.grad.zero_()
        inputs, targets, mask = (part[:, :batch] for part in given)
        loss = learner.add_gradients(inputs, targets, mask, seed=batch)
        gradients = found(machine)
        twin = Machine(machine.config)
        twin.load_state_dict(machine.state_dict())
        own = twin.initial_state(batch if twin.config.draws_fresh else 1, seed=batch)
        expected = sequence_loss(twin(inputs, own), targets, mask)
        expected.backward()
        assert loss == pytest.approx(expected.item(), rel=1e-6)
        assert_equal(gradients, found(twin))


def moved(machine: Machine) -> None:
    """Other memory for all parameters and gradients."""
    machine.double().float()


def forgotten(machine: Machine) -> None:
    machine.zero_grad()


def frozen(machine: Machine) -> None:
    machine.heads.requires_grad_(requires_grad=False)


def strided(machine: Machine) -> None:
    """Parameters whose numbers do not lie side by side."""
    for parameter in machine.parameters():
        parameter.data = parameter.data.repeat_interleave(2, -1)[..., ::2]


@pytest.mark.parametrize("change", [moved, forgotten, frozen, strided], ids=lambda change: change.__name__)
@pytest.mark.parametrize("controller", ["lstm", "gru", "feedforward"])
def test_a_learner_finds_parameters_that_have_been_moved(controller: str, change: Callable[[Machine], None]) -> None:
    machine = stirred(small_config(initial_memory="learned", controller=controller), dtype=torch.float32)
    learner, given = machine.learner(), lesson(machine)
    assert learner is not None
    learner.add_gradients(*given)
    change(machine)
    for parameter in machine.parameters():
        parameter.grad = None if parameter.grad is None else parameter.grad.zero_()
    loss = learner.add_gradients(*given)
    gradients = found(machine)
    if change is frozen:
        assert not any(gradients.pop(f"heads.{name}").any() for name in ("weight", "bias"))
    expected, by_autograd = by_graph(machine, *given)
    assert loss == pytest.approx(expected, rel=1e-6)
    assert_equal(gradients, by_autograd)


def test_parameters_that_have_become_another_type_are_refused() -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    learner, given = machine.learner(), lesson(machine)
    assert learner is not None
    machine.heads.double()
    with pytest.raises(ValueError, match=r"a parameter is not plain float32 on the CPU: there is .*torch\.float64"):
        learner.add_gradients(*given)


def test_where_the_initial_state_is_no_float32_there_is_no_learner() -> None:
    class Doubled(nn.Module):
        def forward(self, value: Tensor) -> Tensor:
            return value.double()

    machine = stirred(small_config(initial_memory="learned"), dtype=torch.float32)
    parametrize.register_parametrization(machine.initial, "memory_value", Doubled(), unsafe=True)
    assert machine.learner() is None


def test_what_the_kernel_would_read_beyond_its_end_is_refused() -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    inputs, targets, mask = lesson(machine)
    with pytest.raises(ValueError, match=r"inputs, targets and mask have the shapes .* they must have"):
        added(machine, inputs, targets[:-1], mask)
    with pytest.raises(ValueError, match=r"are torch.float32 on cpu, torch.float64 on cpu, torch.float32 on cpu"):
        added(machine, inputs, targets.double(), mask)


def test_where_the_compiled_core_cannot_compute_there_is_no_learner() -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    machine.core = "eager"
    assert machine.learner() is None
    assert stirred(small_config(), dtype=torch.float64).learner() is None
