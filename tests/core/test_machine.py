"""The whole machine: against the naive loops, and the properties that a state passed by hand gives."""

import math
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ntm_core.config import Controller, MachineConfig
from ntm_core.controllers import ControllerState
from ntm_core.errors import TraceError
from ntm_core.heads import head_parameters
from ntm_core.machine import Machine, MachineState, StepResult
from tests.core.machines import (
    DTYPES,
    SEED,
    configs,
    every_alternative,
    name_of,
    rows,
    small_config,
    start_of,
    stirred,
)
from tests.core.naive import NaiveMachine, as_sequence


def fields_of(result: StepResult) -> dict[str, Tensor]:
    """Every tensor of a step under its trace name, and the memory after it."""
    controller = result.state.controller
    fields = {"logits": result.logits, "outputs": result.outputs, "hidden": controller.hidden}
    fields |= {"read_vector": result.read_vector, "memory": result.state.memory}
    fields |= vars(result.parameters) | vars(result.weightings)
    return fields if controller.cell is None else fields | {"cell": controller.cell}


def assert_same_bits(one: StepResult, other: StepResult) -> None:
    for (name, here), there in zip(fields_of(one).items(), fields_of(other).values(), strict=True):
        assert torch.equal(here, there), name


def assert_like_naive(machine: Machine, steps: int = 2, batch: int = 2) -> None:
    inputs = rows(machine.config, steps, batch)
    expected = [NaiveMachine(machine, SEED, b).run(as_sequence(inputs[:, b])) for b in range(batch)]
    with torch.inference_mode():
        for step, result in enumerate(machine.run(inputs, start_of(machine, batch))):
            found = fields_of(result)
            for b in range(batch):
                assert set(found) == set(expected[b][step])
                for name, value in expected[b][step].items():
                    torch.testing.assert_close(
                        found[name][b], torch.tensor(value, dtype=torch.float64), rtol=1e-10, atol=1e-10, msg=name
                    )


@pytest.mark.parametrize("changes", every_alternative(), ids=name_of)
def test_every_alternative_is_what_the_naive_loops_compute(changes: dict[str, Any]) -> None:
    assert_like_naive(stirred(small_config(**changes)))


@pytest.mark.parametrize("controller", get_args(Controller))
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("shift_range", [1, 3])
def test_sizes_are_what_the_naive_loops_compute(controller: str, layers: int, shift_range: int) -> None:
    sizes = {"controller_layers": layers, "shift_range": shift_range, "read_heads": 2, "write_heads": 3}
    assert_like_naive(stirred(small_config(controller=controller, **sizes)))


@pytest.mark.parametrize("order", ["rrww", "wwrr", "rwrw", "wrwr", "wrrw", "rwwr"])
def test_listed_orders_are_what_the_naive_loops_compute(order: str) -> None:
    head_order = tuple({"r": "read", "w": "write"}[letter] for letter in order)
    assert_like_naive(stirred(small_config(step_order="listed", head_order=head_order, read_heads=2, write_heads=2)))


@given(configs(), st.integers(0, 1000))
@settings(max_examples=30)
def test_any_machine_is_what_the_naive_loops_compute(config: MachineConfig, seed: int) -> None:
    assert_like_naive(stirred(config, seed), steps=3, batch=1)


def test_a_listed_order_that_reads_first_is_the_paper_order() -> None:
    paper = stirred(small_config())
    listed = stirred(small_config(step_order="listed", head_order=("read", "write")))
    inputs = rows(paper.config, 4, 2)
    assert torch.equal(paper(inputs), listed(inputs))


def test_reads_that_see_the_new_memory_differ_from_reads_that_see_the_old() -> None:
    inputs = rows(small_config(), 2)
    logits = [stirred(small_config(step_order=order))(inputs) for order in ("read_then_write", "write_then_read")]
    assert not torch.allclose(*logits)


@given(configs(), st.integers(0, 1000), st.sampled_from(DTYPES))
@settings(max_examples=20)
def test_stages_are_weightings(config: MachineConfig, seed: int, dtype: torch.dtype) -> None:
    """Each stage is ≥ 0 and, where w_0 and the edge permit, sums to 1; after eq. 5 always.

    Choices that give up the sum of 1 are left out here: the naive loops hold them.
    """
    assume(config.content_softmax == "each_head" and config.shift_kernel != "ones")
    assume(not config.sharpening_epsilon or config.sharpening_epsilon_placement == "before_power")
    assume(config.initial_weighting != "given")
    machine = stirred(config, seed, dtype=dtype)
    exact = config.initial_weighting != "zeros"
    with torch.inference_mode():
        for step, result in enumerate(machine.run(rows(config, 3, 2, dtype=dtype))):
            stages = vars(result.weightings)
            assert all(bool((stage >= 0).all()) for stage in stages.values())
            sums = {name: stage.sum(-1) for name, stage in stages.items()}
            always = {"content_weighting", "weighting"}
            whole = always | ({"gated_weighting"} if exact or step else set())
            whole |= {"shifted_weighting"} if "gated_weighting" in whole and config.shift_edge == "circular" else set()
            for name in whole:
                torch.testing.assert_close(sums[name], torch.ones_like(sums[name]), rtol=0, atol=2e-6, msg=name)
            for name in set(stages) - whole:
                assert bool((sums[name] <= 1 + 2e-6).all()), name


def in_order(state: MachineState, order: Tensor) -> MachineState:
    """The state with its sequences in another order."""
    cell = None if state.controller.cell is None else state.controller.cell[order]
    controller = ControllerState(state.controller.hidden[order], cell)
    return MachineState(controller, state.read_vector[order], state.weighting[order], state.memory[order])


@given(configs(), st.integers(0, 1000))
@settings(max_examples=12)
def test_permuting_the_batch_permutes_the_results(config: MachineConfig, seed: int) -> None:
    machine = stirred(config, seed)
    inputs, order = rows(config, 3, 4), torch.tensor([2, 0, 3, 1])
    with torch.inference_mode():
        start = start_of(machine, 4)
        runs = machine.run(inputs, start), machine.run(inputs[:, order], in_order(start, order))
        for plain, permuted in zip(*runs, strict=True):
            for name, value in fields_of(plain).items():
                torch.testing.assert_close(fields_of(permuted)[name], value[order], rtol=1e-10, atol=1e-12, msg=name)


@given(configs(shift_edge="circular", initial_memory="learned", initial_weighting="learned"), st.integers(1, 6))
@settings(max_examples=12)
def test_rotating_memory_and_weightings_rotates_the_trace(config: MachineConfig, offset: int) -> None:
    machine, rotated = stirred(config), stirred(config)
    with torch.no_grad():
        for tensor in (rotated.initial.memory_value, rotated.initial.weighting_logits):
            assert tensor is not None
            axis = 0 if tensor is rotated.initial.memory_value else 1
            tensor.copy_(tensor.roll(offset, axis))
    stages = ("content_weighting", "gated_weighting", "shifted_weighting", "weighting")
    inputs = rows(config, 4)
    with torch.inference_mode():
        for plain, turned in zip(
            machine.run(inputs, start_of(machine)), rotated.run(inputs, start_of(rotated)), strict=True
        ):
            for name, value in fields_of(plain).items():
                axis = -1 if name in stages else -2
                expected = value.roll(offset, axis) if name in (*stages, "memory") else value
                torch.testing.assert_close(fields_of(turned)[name], expected, rtol=1e-9, atol=1e-10, msg=name)


@given(configs(), st.integers(0, 3), st.sampled_from(DTYPES))
@settings(max_examples=12)
def test_running_on_from_a_state_gives_the_same_bits(config: MachineConfig, split: int, dtype: torch.dtype) -> None:
    machine, inputs = stirred(config, dtype=dtype), rows(config, 4, 2, dtype=dtype)
    machine.core = "eager"
    with torch.inference_mode():
        start = start_of(machine, 2)
        whole = list(machine.run(inputs, start))
        state = whole[split - 1].state if split else start
        for one, other in zip(machine.run(inputs[split:], state), whole[split:], strict=True):
            assert_same_bits(one, other)
        assert torch.equal(machine(inputs[split:], state), machine(inputs, start)[split:])


@given(configs())
@settings(max_examples=8)
def test_two_sequences_interleaved_are_two_sequences_apart(config: MachineConfig) -> None:
    """Nothing is hidden on the machine, and no step writes into the state that it was given."""
    machine = stirred(config)
    one, other = rows(config, 3, seed=1), rows(config, 3, seed=2)
    runs = [machine.run(inputs, start_of(machine)) for inputs in (one, other, one, other)]
    apart = [list(run) for run in runs[:2]]
    for results in zip(*apart, *runs[2:], strict=True):
        assert_same_bits(results[0], results[2])
        assert_same_bits(results[1], results[3])


@given(configs())
@settings(max_examples=8)
def test_a_step_changes_neither_its_state_nor_the_machine(config: MachineConfig) -> None:
    machine, inputs = stirred(config), rows(config, 1)[0]
    state = machine.initial_state()

    def snapshot() -> list[Tensor]:
        held = [state.read_vector, state.weighting, state.memory, state.controller.hidden]
        held += [] if state.controller.cell is None else [state.controller.cell]
        return [tensor.detach().clone() for tensor in (*held, *machine.state_dict().values(), inputs)]

    before, attributes = snapshot(), {name: set(vars(part)) for name, part in machine.named_modules()}
    first = machine.step(inputs, state)
    assert all(torch.equal(a, b) for a, b in zip(before, snapshot(), strict=True))
    assert attributes == {name: set(vars(part)) for name, part in machine.named_modules()}
    assert_same_bits(first, machine.step(inputs, state))


def test_a_batch_starts_from_one_initial_state() -> None:
    state = stirred(small_config(controller="lstm")).initial_state(3)
    for tensor in (state.memory, state.weighting, state.read_vector, state.controller.hidden, state.controller.cell):
        assert tensor is not None
        assert tensor.shape[0] == 3
        assert torch.equal(tensor[0], tensor[1])
        assert torch.equal(tensor[0], tensor[2])


def test_forward_stacks_the_logits_of_the_run() -> None:
    machine = stirred(small_config())
    inputs = rows(machine.config, 3, 2)
    logits = machine(inputs)
    assert logits.shape == (3, 2, 2)
    assert torch.equal(logits, torch.stack([result.logits for result in machine.run(inputs)]))


def test_outputs_are_the_sigmoid_of_clipped_logits() -> None:
    machine = stirred(small_config(clip=1.5), scale=4.0)
    result = machine.step(rows(machine.config, 1)[0], machine.initial_state())
    assert result.logits.abs().max() == 1.5
    assert torch.equal(result.outputs, torch.sigmoid(result.logits))


@pytest.mark.parametrize("changes", every_alternative(), ids=name_of)
def test_the_same_seed_draws_the_same_parameters(changes: dict[str, Any]) -> None:
    config = small_config(**changes)
    one, again, other = (
        Machine(config, 7).state_dict(),
        Machine(config, 7).state_dict(),
        Machine(config, 8).state_dict(),
    )
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["heads.weight"], other["heads.weight"])


@pytest.mark.parametrize("changes", [{}, {"head_roles": "read_and_write"}, {"shift_kernel": "fractional"}], ids=name_of)
def test_a_gate_bias_moves_the_gates_of_all_heads_and_nothing_else(changes: dict[str, Any]) -> None:
    plain = Machine(small_config(read_heads=2, write_heads=2, **changes), 7)
    biased = Machine(small_config(read_heads=2, write_heads=2, interpolation_gate_bias=-1.5, **changes), 7)
    before, after = plain.state_dict(), biased.state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == ["heads.bias"]
    one, other = (dict(vars(head_parameters(machine.config, machine.heads.bias[None]))) for machine in (plain, biased))
    gates = [values.pop("interpolation_gate") for values in (one, other)]
    torch.testing.assert_close(torch.logit(gates[1]), torch.logit(gates[0]) - 1.5)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_building_a_machine_leaves_the_global_random_state_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    Machine(small_config(), 5)
    assert torch.equal(torch.rand(4), expected)


def test_global_random_state_does_not_enter_a_machine() -> None:
    torch.manual_seed(1)
    one = Machine(small_config(), 5).state_dict()
    torch.manual_seed(2)
    other = Machine(small_config(), 5).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_every_parameter_learns() -> None:
    """The gradient of a whole sequence reaches every parameter of the default machine with learned starts."""
    config = small_config(controller="lstm", controller_layers=2, read_heads=2, write_heads=2)
    machine = stirred(config, scale=0.5)
    machine(rows(config, 3)).square().sum().backward()
    for name, parameter in machine.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


class Unrolled(nn.Module):
    """All logits and the last memory of a machine, one after the other, as a function of its parameters."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.machine = machine

    def forward(self, inputs: Tensor) -> Tensor:
        results = list(self.machine.run(inputs, start_of(self.machine)))
        return torch.cat([result.logits.flatten() for result in results] + [results[-1].state.memory.flatten()])


@pytest.mark.parametrize("changes", every_alternative(), ids=name_of)
def test_gradients_of_the_whole_machine(changes: dict[str, Any]) -> None:
    """By every parameter and every input, over two steps, in a random direction of all of them together."""
    config = small_config(input_size=2, memory_size=4, word_size=3, **changes)
    unrolled = Unrolled(stirred(config, seed=4, scale=0.6))
    inputs = rows(config, 2)
    held = {name: value.detach() for name, value in unrolled.named_parameters()}
    sizes = [inputs.numel(), *(value.numel() for value in held.values())]

    def all_numbers(flat: Tensor) -> Tensor:
        given_inputs, *values = flat.split(sizes)
        parameters = {name: value.view_as(held[name]) for name, value in zip(held, values, strict=True)}
        found: Tensor = torch.func.functional_call(unrolled, parameters, (given_inputs.view_as(inputs),))
        return found

    flat = torch.cat([inputs.flatten(), *(value.flatten() for value in held.values())]).requires_grad_()
    assert torch.autograd.gradcheck(all_numbers, flat, fast_mode=True, atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize("changes", every_alternative(), ids=name_of)
def test_extreme_parameters_stay_finite(changes: dict[str, Any]) -> None:
    """Saturated nonlinearities on every path: values and gradients are numbers, in either precision, N = 1 too."""
    for dtype, memory_size in ((torch.float32, 6), (torch.float64, 1)):
        config = small_config(memory_size=memory_size, **changes)
        machine = stirred(config, scale=30.0, dtype=dtype)
        results = list(machine.run(rows(config, 3, dtype=dtype)))
        for result in results:
            for name, value in fields_of(result).items():
                assert bool(torch.isfinite(value).all()), name
        torch.stack([result.logits.sum() + result.state.memory.sum() for result in results]).sum().backward()
        for name, parameter in machine.named_parameters():
            assert parameter.grad is None or bool(torch.isfinite(parameter.grad).all()), name


@given(configs(), st.integers(0, 1000), st.sampled_from((3.0, 30.0)), st.sampled_from(DTYPES))
@settings(max_examples=20)
def test_any_machine_within_the_constraints_stays_finite(
    config: MachineConfig, seed: int, scale: float, dtype: torch.dtype
) -> None:
    """γ up to 100, β up to 1e4: no NaN and no infinity, forward or backward."""
    machine = stirred(config, seed, scale=scale, dtype=dtype)
    results = list(machine.run(rows(config, 5, dtype=dtype)))
    assume(all(float(result.parameters.sharpening.detach().max()) <= 100 for result in results))
    assume(all(float(result.parameters.key_strength.detach().max()) <= 1e4 for result in results))
    total = torch.stack([result.logits.sum() + result.state.memory.sum() for result in results]).sum()
    assert math.isfinite(total.item())
    total.backward()
    for name, parameter in machine.named_parameters():
        assert parameter.grad is None or bool(torch.isfinite(parameter.grad).all()), name


def test_a_key_strength_at_the_largest_allowed_exponent_stays_finite() -> None:
    """The config promises that exp with a clip of 40 does not overflow; with a dot product over a large memory too."""
    config = small_config(
        similarity="dot", key_strength_activation="exp", clip=40.0, initial_memory="constant", initial_memory_value=1e6
    )
    machine = Machine(config)
    with torch.no_grad():
        machine.heads.bias.fill_(40)
    assert bool(torch.isfinite(machine(torch.ones(3, 1, 3))).all())


def test_replacing_part_of_a_state_is_a_plain_dataclass_replace() -> None:
    """What interventions build on: a state is data."""
    machine = stirred(small_config())
    state = machine.initial_state()
    silent = replace(state, memory=torch.zeros_like(state.memory))
    result = machine.step(rows(machine.config, 1)[0], silent)
    assert bool((result.read_vector == 0).all())


def test_a_state_that_is_given_is_no_weighting_below_zero() -> None:
    """One that sums to anything is: other programs have such."""
    machine = stirred(small_config())
    shape = (machine.config.heads, machine.config.memory_size)
    for weighting in (np.zeros(shape), np.full(shape, 3.0)):
        assert machine.state_of({"weighting": weighting}).weighting[0].tolist() == weighting.tolist()
    with pytest.raises(TraceError, match=r"the initial weighting holds -0.25: every entry must be at least 0"):
        machine.state_of({"weighting": np.full(shape, -0.25)})
    assert bool((machine.state_of({"memory": np.full((5, 4), -0.25)}).memory == -0.25).all())


def test_states_are_equal_where_they_are_one() -> None:
    state = stirred(small_config()).initial_state()
    assert state == state  # noqa: PLR0124  # tensors inside would make it ambiguous
    assert state != stirred(small_config()).initial_state()
    assert len({state, state.controller}) == 2


def test_inputs_that_are_no_tensor_are_named() -> None:
    unchecked: Any = getattr(Machine.forward, "__wrapped__", Machine.forward)  # the shapes' own check refuses them
    with pytest.raises(TypeError, match="the inputs are of type ndarray: they must be a tensor of torch's"):
        unchecked(stirred(small_config()), np.zeros((3, 1, 3), np.float32))
