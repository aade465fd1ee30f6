import logging
import subprocess
import sys
from typing import Any

import pytest
import torch
from pydantic import Field
from torch.autograd import forward_ad

from ntm_core.compiled import core_for, fits, reason_not_compiled, support
from ntm_core.config import MachineConfig
from ntm_core.machine import Machine
from tests.core.compiled.choices import COMPILED, EAGER
from tests.core.machines import name_of, rows, small_config, stirred


@pytest.fixture
def without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer on which numba is not installed."""
    monkeypatch.setattr(support, "is_available", lambda: False)
    core_for.cache_clear()
    support.say_once.cache_clear()


@pytest.mark.parametrize("changes", COMPILED, ids=name_of)
def test_a_choice_of_the_papers_is_compiled(changes: dict[str, Any]) -> None:
    assert reason_not_compiled(small_config(**changes)) is None


@pytest.mark.parametrize("changes", EAGER, ids=name_of)
def test_a_choice_of_other_programs_is_left_to_eager_mode(changes: dict[str, Any]) -> None:
    config = small_config(**changes)
    assert (reason_not_compiled(config) or "").startswith("The compiled core does not know ")
    assert Machine(config).core == "eager"


def test_a_choice_that_came_later_is_compiled_only_as_it_was_before() -> None:
    class Later(MachineConfig):
        a_later_choice: str = Field("free")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(support, "MachineConfig", Later)
        assert reason_not_compiled(Later(input_size=1, output_size=1)) is None
        reason = reason_not_compiled(Later(input_size=1, output_size=1, a_later_choice="fixed"))
    assert reason == "The compiled core does not know a_later_choice = 'fixed'."


@pytest.mark.parametrize("name", ["similarity", "controller", "step_order", "shift_edge"])
def test_an_alternative_that_came_later_is_not_compiled(name: str) -> None:
    config = small_config().model_copy(update={name: "new"})
    assert reason_not_compiled(config) == f"The compiled core does not know {name} = 'new'."


@pytest.mark.usefixtures("without_numba")
def test_without_numba_eager_mode_computes_and_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        machine, _ = Machine(small_config()), Machine(small_config(read_heads=2))
    assert machine.core == "eager"
    assert [record.getMessage() for record in caplog.records] == [
        "Machines compute in eager mode, about ten times slower. numba is not installed: the extra 'fast' brings it."
    ]
    machine(rows(machine.config, 3, dtype=torch.float32)).sum().backward()
    core_for.cache_clear()


def test_importing_the_core_does_not_import_numba() -> None:
    program = "import sys, ntm_core.machine, ntm_core.training; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_only_plain_float32_on_the_cpu_fits() -> None:
    plain = torch.zeros(2)
    assert fits([plain, None, torch.nn.Parameter(plain)])
    assert not fits([plain, plain.double()])
    assert not fits([plain, plain.to("meta")])
    with torch.autocast("cpu"):
        assert not fits([plain])


def test_float64_is_computed_in_eager_mode() -> None:
    machine = stirred(small_config())
    assert machine(rows(machine.config, 2)).dtype == torch.float64


def test_a_functional_call_is_computed_with_the_parameters_given() -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    other = stirred(small_config(), seed=5, dtype=torch.float32)
    inputs = rows(machine.config, 3, dtype=torch.float32)
    given: dict[str, torch.Tensor] = dict(other.named_parameters())
    assert torch.equal(torch.func.functional_call(machine, given, (inputs,)), other(inputs))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # torch's own, in make_dual
@pytest.mark.parametrize("trained", [False, True])
def test_forward_mode_gradients_are_computed_in_eager_mode(*, trained: bool) -> None:
    """The kernel would drop the tangent."""
    machine = stirred(small_config(), dtype=torch.float32).requires_grad_(trained)
    assert machine.usable_core() == "compiled"
    inputs = rows(machine.config, 3, dtype=torch.float32)
    direction, step = torch.ones_like(inputs), 1e-3
    with forward_ad.dual_level():
        found = forward_ad.unpack_dual(machine(forward_ad.make_dual(inputs, direction))).tangent
        assert machine.usable_core() == "eager"
    assert found is not None
    expected = (machine(inputs + step * direction) - machine(inputs - step * direction)) / (2 * step)
    torch.testing.assert_close(found, expected, rtol=0.02, atol=2e-3)
    assert machine.usable_core() == "compiled"


def test_a_transformed_function_is_computed_in_eager_mode() -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    inputs = rows(machine.config, 3, dtype=torch.float32)
    expected = torch.autograd.grad(machine(inputs).sum(), machine.output.bias)[0]

    def total(bias: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = torch.func.functional_call(machine, {"output.bias": bias}, (inputs,)).sum()
        return result

    found = torch.func.grad(total)(machine.output.bias.detach())
    torch.testing.assert_close(found, expected)
