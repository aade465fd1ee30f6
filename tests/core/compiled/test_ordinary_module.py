"""A machine is an ordinary module: what somebody changes in it, or gives it, is computed or refused, never ignored."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from ntm_core.errors import ConfigError
from ntm_core.machine import Machine, MachineState
from ntm_core.recording import record
from tests.core.machines import any_episode, rows, small_config, stirred

Change = Callable[[Machine], object]


class Adapted(nn.Module):
    """A layer with something added to what it says, as adapters do."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        self.added = nn.Linear(layer.in_features, layer.out_features)

    def forward(self, heard: Tensor) -> Tensor:
        said: Tensor = self.layer(heard) + self.added(heard)
        return said


class Quieter(Machine):
    """A machine with a step of its own."""

    def step(self, *args: Any, **others: Any) -> Any:
        result = super().step(*args, **others)
        return replace(result, logits=result.logits / 2)


def quieter(machine: Machine) -> None:
    said = machine.heads.forward
    machine.heads.forward = lambda heard: said(heard) / 2  # type: ignore[assignment, method-assign]


CHANGES: dict[str, Change] = {
    "pruned": lambda m: prune.l1_unstructured(m.heads, "weight", 0.2),
    "normed": lambda m: parametrizations.weight_norm(m.output),
    "without a bias": lambda m: setattr(
        m, "output", nn.Linear(m.output.in_features, m.output.out_features, bias=False)
    ),
    "wider": lambda m: setattr(m, "output", nn.Linear(m.output.in_features, 7)),
    "adapted": lambda m: setattr(m, "heads", Adapted(m.heads)),
    "hooked": lambda m: m.heads.register_forward_hook(lambda _module, _heard, said: said / 2),
    "hooked before": lambda m: m.controller.layers[0].register_forward_pre_hook(lambda _module, heard: heard),
    "hooked on the way back": lambda m: m.controller.register_full_backward_hook(lambda _module, slopes, _out: slopes),
    "patched": quieter,
}


def machines(change: Change) -> tuple[Machine, Machine]:
    """The same changed machine twice: left to itself, and in eager mode."""
    made = []
    for core in ("compiled", "eager"):
        machine = stirred(small_config(controller_layers=2), dtype=torch.float32)
        with torch.random.fork_rng():
            torch.manual_seed(1)
            change(machine)
        machine.core = core
        made.append(machine)
    return made[0], made[1]


@pytest.mark.parametrize("name", CHANGES)
def test_a_layer_that_is_not_as_it_was_built_is_called(name: str) -> None:
    inputs = rows(small_config(), 5, 2, dtype=torch.float32)
    changed, eager = machines(CHANGES[name])
    assert changed.usable_core() == "eager"
    assert torch.equal(changed(inputs), eager(inputs))
    changed(inputs).sum().backward()
    assert changed.learner() is None


def test_a_pruned_layer_that_is_plain_again_has_its_parameters_by_name() -> None:
    """Their order is another one then."""

    def change(machine: Machine) -> None:
        prune.l1_unstructured(machine.output, "weight", 0.2)
        prune.remove(machine.output, "weight")
        assert [name for name, _ in machine.output.named_parameters()] == ["bias", "weight"]

    changed, eager = machines(change)
    inputs = rows(small_config(), 5, 2, dtype=torch.float32)
    assert changed.usable_core() == "compiled"
    torch.testing.assert_close(changed(inputs), eager(inputs), rtol=1e-5, atol=1e-6)
    found = [torch.autograd.grad(machine(inputs).sum(), machine.output.weight)[0] for machine in (changed, eager)]
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)
    episode = any_episode(changed.config, 5)
    assert record(changed, episode).header.core == "compiled"


def test_a_step_of_its_own_is_the_step_of_a_subclass() -> None:
    machine, own = (kind(small_config(), seed=3) for kind in (Machine, Quieter))
    machine.core = "eager"
    inputs = rows(machine.config, 5, 2, dtype=torch.float32)
    assert torch.equal(own(inputs), machine(inputs) / 2)


@pytest.mark.parametrize("core", ["compiled", "eager"])
@pytest.mark.parametrize("shape", [(5, 2, 4), (5, 2, 1), (5, 2, 0), (0, 2, 3), (5, 0, 3)])
def test_inputs_of_another_shape_are_refused(core: str, shape: tuple[int, ...]) -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    machine.core = core
    with pytest.raises(ValueError, match=r"the inputs have the shape .*: it must be \(step, batch, 3\)"):
        machine(torch.zeros(shape))


def state_without_cells(machine: Machine) -> MachineState:
    state = machine.initial_state(2)
    return replace(state, controller=replace(state.controller, cell=None))


STATES: dict[str, Callable[[Machine], MachineState]] = {
    "memory": lambda m: m.initial_state(3),
    "weighting": lambda m: replace(m.initial_state(2), weighting=torch.zeros(2, 5, m.config.memory_size)),
    "read_vector": lambda m: replace(m.initial_state(2), read_vector=torch.zeros(2, 1, m.config.word_size + 1)),
    "hidden": lambda m: replace(
        m.initial_state(2), controller=stirred(small_config(controller_layers=3)).initial_state(2).controller
    ),
    "cell": state_without_cells,
}


@pytest.mark.parametrize("core", ["compiled", "eager"])
@pytest.mark.parametrize("part", STATES)
def test_a_state_of_another_shape_is_refused(core: str, part: str) -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    machine.core = core
    with pytest.raises(ValueError, match=f"the state's {part} has the shape "):
        machine(torch.zeros(5, 2, 3), STATES[part](machine))


def test_a_state_of_a_machine_with_cells_is_refused_by_one_without() -> None:
    machine = stirred(small_config(controller="gru"), dtype=torch.float32)
    with pytest.raises(ValueError, match=r"the state's cell has the shape .*: there must be none"):
        machine(torch.zeros(5, 2, 3), stirred(small_config(), dtype=torch.float32).initial_state(2))


@pytest.mark.parametrize(
    "changes",
    [{"output_input": "hidden"}, {"sharpening_epsilon": 0.1}, {"controller": "recurrent"}, {"shift_kernel": "ones"}],
)
def test_a_machine_that_the_kernel_does_not_know_cannot_be_given_to_it(changes: dict[str, Any]) -> None:
    machine = Machine(small_config(**changes))
    name, value = next(iter(changes.items()))
    with pytest.raises(ConfigError, match=f"core cannot be 'compiled' .* does not know {name} = {value!r}"):
        machine.core = "compiled"
    machine.core = "eager"


def test_only_the_cores_that_there_are_can_be_named() -> None:
    with pytest.raises(ConfigError, match="core is 'Compiled': it must be 'compiled' or 'eager'"):
        Machine(small_config()).core = "Compiled"


def test_a_graph_that_is_traced_is_that_of_eager_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(small_config())
    assert machine.usable_core() == "compiled"
    monkeypatch.setattr(torch.jit, "is_tracing", lambda: True)
    assert machine.usable_core() == "eager"
