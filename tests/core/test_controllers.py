"""Each controller against its equations: one unit by hand, any size against the naive loops."""

import math
from typing import Any

import pytest
import torch

from ntm_core.controllers import Controller, ControllerState
from tests.core.machines import DTYPES, rows, small_config, stirred
from tests.core.naive import NaiveMachine, sigmoid


def one_unit(**changes: Any) -> Controller:
    """A controller of one unit that reads one input and one read cell."""
    return Controller(small_config(input_size=1, word_size=1, controller_size=1, **changes)).double()


def fill(controller: Controller, **values: list[Any]) -> None:
    with torch.no_grad():
        for name, value in values.items():
            controller.layers[0].get_parameter(name).copy_(torch.tensor(value, dtype=torch.float64))


def state(hidden: float, cell: float | None = None) -> ControllerState:
    def as_unit(value: float) -> torch.Tensor:
        return torch.full((1, 1, 1), value, dtype=torch.float64)

    return ControllerState(as_unit(hidden), None if cell is None else as_unit(cell))


def test_an_lstm_unit_by_hand() -> None:
    """Input 2 and read 1: i = σ(ln 3) = ¾, f = σ(0) = ½, g = tanh(½), o = σ(-ln 3) = ¼; c = ½ · 4 + ¾ tanh(½)."""
    controller = one_unit(controller="lstm")
    ln3 = math.log(3)
    fill(controller, weight_ih=[[ln3 / 2, 0], [0, 0], [0, 0.5], [0, 0]], weight_hh=[[0], [0], [0], [-ln3]])
    fill(controller, bias_ih=[0, 0, 0, 0], bias_hh=[0, 0, 0, 0])
    output, after = controller(torch.tensor([[2.0, 1.0]], dtype=torch.float64), state(1.0, 4.0))
    cell = 2 + 0.75 * math.tanh(0.5)
    assert after.cell is not None
    assert after.cell.item() == pytest.approx(cell, abs=1e-15)
    assert output.item() == after.hidden.item() == pytest.approx(0.25 * math.tanh(cell), abs=1e-15)


def test_a_gru_unit_by_hand() -> None:
    """r = σ(0) = ½, z = σ(ln 3) = ¾, n = tanh(1 + ½ · 2 · 4 - 5) = 0: h = ¼ · 0 + ¾ · 4 = 3."""
    controller = one_unit(controller="gru")
    fill(controller, weight_ih=[[0, 0], [math.log(3), 0], [0, 1]], weight_hh=[[0], [0], [2]])
    fill(controller, bias_ih=[0, 0, -5], bias_hh=[0, 0, 0])
    output, after = controller(torch.ones(1, 2, dtype=torch.float64), state(4.0))
    assert output.item() == after.hidden.item() == pytest.approx(3.0, abs=1e-15)
    assert after.cell is None


@pytest.mark.parametrize(("activation", "expected"), [("tanh", math.tanh(-2)), ("relu", 0.0), ("sigmoid", sigmoid(-2))])
def test_a_feedforward_unit_by_hand(activation: str, expected: float) -> None:
    """3 · 1 - 4 · 1 - 1 = -2, whatever the state was."""
    controller = one_unit(controller="feedforward", controller_activation=activation)
    fill(controller, weight=[[3, -4]], bias=[-1])
    inputs = torch.ones(1, 2, dtype=torch.float64)
    for before in (0.0, 7.0):
        output, after = controller(inputs, state(before))
        assert output.item() == after.hidden.item() == pytest.approx(expected, abs=1e-15)
        assert after.cell is None


@pytest.mark.parametrize("kind", ["lstm", "gru", "feedforward"])
@pytest.mark.parametrize("layers", [1, 3])
def test_layers_are_what_the_naive_loops_compute(kind: str, layers: int) -> None:
    """The output is the top layer's; each layer feeds the next; the state holds them all."""
    machine = stirred(small_config(controller=kind, controller_layers=layers, read_heads=2))
    naive = NaiveMachine(machine)
    before, expected = machine.controller.initial_state(machine.output.weight, 1), naive.initial()
    for row in rows(small_config(input_size=3 + 2 * 4), 3):
        output, before = machine.controller(row, before)
        expected.hidden, expected.cell = naive._controller(row[0].tolist(), expected)
        torch.testing.assert_close(before.hidden[0], torch.tensor(expected.hidden, dtype=torch.float64))
        assert torch.equal(output, before.hidden[:, -1])
        if kind == "lstm":
            torch.testing.assert_close(before.cell[0], torch.tensor(expected.cell, dtype=torch.float64))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("initial", ["learned", "zeros"])
@pytest.mark.parametrize("kind", ["lstm", "gru", "feedforward"])
def test_the_first_state(kind: str, initial: str, dtype: torch.dtype) -> None:
    machine = stirred(small_config(controller=kind, controller_layers=2, initial_controller=initial), dtype=dtype)
    found = machine.controller.initial_state(machine.output.weight, 4)
    assert found.hidden.shape == (4, 2, 3)
    assert found.hidden.dtype == dtype
    assert (found.cell is not None) == (kind == "lstm")
    learned = initial == "learned" and kind != "feedforward"
    assert bool((found.hidden != 0).all()) == learned
    assert bool((found.hidden == 0).all()) != learned
    if found.cell is not None:
        assert found.cell.shape == (4, 2, 3)
        assert bool((found.cell != 0).all()) == learned


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("lstm", {"initial_hidden", "initial_cell"}),
        ("gru", {"initial_hidden"}),
        ("feedforward", set()),
    ],
)
def test_only_a_recurrent_controller_learns_its_first_state(kind: str, names: set[str]) -> None:
    def learned(initial: str) -> set[str]:
        controller = Controller(small_config(controller=kind, initial_controller=initial))
        return {name for name, _ in controller.named_parameters() if name.startswith("initial")}

    assert learned("learned") == names
    assert learned("zeros") == set()


@pytest.mark.parametrize("kind", ["lstm", "gru", "feedforward"])
def test_gradients_of_a_controller(kind: str) -> None:
    machine = stirred(small_config(controller=kind, controller_layers=2), scale=0.5)
    start = machine.controller.initial_state(machine.output.weight, 2)
    inputs = rows(small_config(input_size=7), 1, 2)[0].requires_grad_()
    assert torch.autograd.gradcheck(lambda x: machine.controller(x, start)[0], inputs)
