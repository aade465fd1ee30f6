"""Interventions in whole runs: what changes nothing leaves no trace, and a run goes on from any step."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core.config import MachineConfig
from ntm_core.errors import TraceError
from ntm_core.interventions import MODES, Editor, Intervention, ModeName, expanded
from ntm_core.interventions.quantities import QUANTITIES, Quantity
from ntm_core.machine import Machine
from ntm_core.recording import Recording, record
from ntm_core.trace import Trace
from tests.core.machines import any_episode, at_rest, configs, small_config, start_of, stirred

STEPS = 5
TWO = {"read_heads": 2, "write_heads": 2}
MACHINES: list[dict[str, Any]] = [
    {},
    TWO | {"shift_range": 2},
    TWO | {"step_order": "write_then_read"},
    TWO | {"step_order": "listed", "head_order": ("write", "read", "write", "read")},
    TWO | {"schedule": "address_last", "step_order": "write_then_read"},
    TWO | {"head_roles": "read_and_write"},
    TWO | {"content_softmax": "heads_of_a_kind", "controller": "gru"},
    {"shift_kernel": "ones", "sharpening_epsilon": 0.1, "initial_weighting": "zeros", "erase_activation": "relu"},
]
DOUBLE = (MACHINES[4], torch.float64)


def machine_of(changes: dict[str, Any], dtype: torch.dtype = torch.float32) -> Machine:
    return at_rest(stirred(small_config(**changes), dtype=dtype))


def run_of(machine: Machine, *interventions: Intervention, steps: int = STEPS, **named: Any) -> Trace:
    return record(machine, any_episode(machine.config, steps), interventions=interventions, **named)


def assert_alike(found: Trace, expected: Trace) -> None:
    """The same bits, but for the memory that only one of them may hold."""
    for name in set(found.names) & set(expected.names):
        assert found[name].tobytes() == expected[name].tobytes(), name
    assert found.memory.tobytes() == expected.memory.tobytes()


def as_it_is(trace: Trace, quantity: Quantity, step: int) -> list[Intervention]:
    """Interventions that set a quantity, in one step, to what it already is."""
    config, here = trace.header.config, (step, step + 1)

    def setting(values: Any, **where: Any) -> Intervention:
        value = tuple(map(float, values)) if np.ndim(values) else float(values)
        return Intervention(quantity=quantity, operation="set", steps=here, value=value, **where)

    if quantity == "inputs":
        return [setting(trace["inputs"][step])]
    if quantity == "memory":
        return [setting(row, location=index) for index, row in enumerate(trace.memory[step])]
    names = config.head_names
    if QUANTITIES[quantity].heads == "write_head":
        names = names[config.read_heads :]
    return [setting(values, heads=(name,)) for name, values in zip(names, trace[quantity][step], strict=False)]


# What changes nothing


@pytest.mark.parametrize(("changes", "dtype"), [*((changes, torch.float32) for changes in MACHINES), DOUBLE], ids=str)
def test_setting_any_quantity_to_what_it_is_gives_the_same_bits(changes: dict[str, Any], dtype: torch.dtype) -> None:
    machine = machine_of(changes, dtype)
    plain = run_of(machine)
    for quantity in QUANTITIES:
        settings_ = [one for step in range(STEPS) for one in as_it_is(plain, quantity, step)]
        assert_alike(run_of(machine, *settings_), plain)


@pytest.mark.parametrize("changes", MACHINES, ids=str)
def test_taking_from_the_same_run_scaling_by_1_and_adding_0_change_nothing(changes: dict[str, Any]) -> None:
    machine = machine_of(changes)
    plain = run_of(machine, steps=3)
    for quantity in QUANTITIES:
        asked = (
            Intervention(quantity=quantity, operation="take", source="itself", steps=(0, 1)),
            Intervention(quantity=quantity, operation="scale", value=1.0, steps=(1, 2)),
            Intervention(quantity=quantity, operation="add", value=0.0, steps=(2, 3)),
        )
        assert_alike(run_of(machine, *asked, sources={"itself": plain}, steps=3), plain)


def test_an_empty_list_is_no_editor_at_all() -> None:
    machine = machine_of({})
    episode = any_episode(machine.config, STEPS)
    assert record(machine, episode, interventions=()).records.tobytes() == record(machine, episode).records.tobytes()
    assert Editor(machine.config, ()).at(0) is None


# What is changed is what is recorded, and what all that follows sees


@pytest.mark.parametrize("quantity", [name for name in QUANTITIES if QUANTITIES[name].rule != "simplex"])
@pytest.mark.parametrize("changes", MACHINES, ids=str)
def test_what_is_set_is_recorded_where_it_was_set_and_nowhere_else(changes: dict[str, Any], quantity: Quantity) -> None:
    machine = machine_of(changes)
    plain = run_of(machine)
    trace = run_of(machine, Intervention(quantity=quantity, operation="set", steps=(2, 3), value=1.0))
    found = trace.found_memory if quantity == "memory" else trace[quantity]
    assert (found[2] == 1).all()
    for name in plain.names:
        if name != "inputs" and plain.axes(name)[0] == "step":
            assert trace[name][:2].tobytes() == plain[name][:2].tobytes(), name
    assert trace["outputs"].tobytes() != plain["outputs"].tobytes() or not _matters(machine.config, quantity)


def _matters(config: MachineConfig, quantity: Quantity) -> bool:
    """Whether a stirred machine of these choices answers otherwise where the quantity is 1."""
    return config.shift_kernel != "ones" or quantity not in ("interpolation_gate", "sharpening", "key", "key_strength")


@pytest.mark.parametrize("changes", MACHINES, ids=str)
def test_the_memory_follows_from_what_each_step_found(changes: dict[str, Any]) -> None:
    """Bit for bit the memory that the machine itself holds after each step, whichever core computes."""
    machine = machine_of(changes)
    asked = (
        Intervention(quantity="memory", operation="set", steps=(1, 2), location=3, value=0.5),
        Intervention(quantity="memory", operation="scale", steps=(3, 5), word=1, value=(1.0, 2.0, 3.0, 4.0, 5.0)),
    )
    own = run_of(machine, *asked)
    for step in (1, 3):
        assert own["memory_found"][step - 1].tobytes() == own.memory[step - 1].tobytes()
    machine.core = "eager"
    trace = run_of(machine, *asked)
    rows = torch.from_numpy(any_episode(machine.config, STEPS).inputs)
    results = list(machine.run(rows, start_of(machine), Editor(machine.config, asked)))
    assert trace["memory_found"][1][3].tolist() == [0.5] * 4
    for step, result in enumerate(results):
        assert trace.memory[step + 1].tobytes() == result.state.memory[0].numpy().tobytes()
        assert trace.memory_after(step + 1).tobytes() == trace.memory[step + 1].tobytes()
    np.testing.assert_array_equal(trace["memory_found"][3][:, [0, 2, 3]], trace.memory[3][:, [0, 2, 3]])
    np.testing.assert_array_equal(
        trace["memory_found"][3][:, 1], trace.memory[3][:, 1] * np.array([1, 2, 3, 4, 5], np.float32)
    )


def test_a_head_that_reads_and_writes_is_one_head_by_either_name() -> None:
    machine = machine_of(TWO | {"head_roles": "read_and_write"})
    by_name = [
        run_of(machine, Intervention(quantity="interpolation_gate", operation="set", heads=(name,), value=0.25))
        for name in ("read 1", "write 1")
    ]
    assert by_name[0].records.tobytes() == by_name[1].records.tobytes()
    assert (by_name[0]["interpolation_gate"][:, [1, 3]] == 0.25).all()
    assert by_name[0]["weighting"][:, 1].tobytes() == by_name[0]["weighting"][:, 3].tobytes()


def test_shown_rows_are_recorded_and_targets_stay() -> None:
    machine = machine_of({})
    plain = run_of(machine)
    trace = run_of(machine, Intervention(quantity="inputs", operation="add", steps=(1, 3), channel=2, value=5.0))
    expected = plain["inputs"].copy()
    expected[1:3, 2] += 5
    np.testing.assert_array_equal(trace["inputs"], expected)
    assert trace["targets"].tobytes() == plain["targets"].tobytes()
    shown = replace(any_episode(machine.config, STEPS), inputs=expected[:, None])
    assert trace["outputs"].tobytes() == record(machine, shown)["outputs"].tobytes()


# A batch


@pytest.mark.parametrize("changes", MACHINES[2:5], ids=str)
def test_each_sequence_of_a_batch_may_have_a_list_of_its_own(changes: dict[str, Any]) -> None:
    """As each alone, within rounding: matrix products of another size may round otherwise."""
    machine = machine_of(changes, torch.float64)
    source = run_of(machine)
    lists: list[tuple[Intervention, ...]] = [expanded(name) for name in MODES]
    lists += [
        (Intervention(quantity=quantity, operation="take", steps=(2, 4), offset=-1, source="s"),)
        for quantity in QUANTITIES
    ]
    rows = torch.from_numpy(any_episode(machine.config, STEPS).inputs).double()
    editor = Editor.stacked(machine.config, lists, {"s": source}, steps=STEPS, on_violation=lambda _: None)
    batched = list(machine.run(rows.expand(-1, len(lists), -1), start_of(machine), editor))
    for index, asked in enumerate(lists):
        alone = Editor(machine.config, asked, {"s": source}, on_violation=lambda _: None)
        for one, many in zip(machine.run(rows, start_of(machine), alone), batched, strict=True):
            torch.testing.assert_close(many.logits[index], one.logits[0])
            torch.testing.assert_close(many.state.memory[index], one.state.memory[0])


def test_a_list_changes_no_sequence_but_its_own() -> None:
    machine = machine_of({}, torch.float64)
    rows = torch.from_numpy(any_episode(machine.config, STEPS).inputs).double().expand(-1, 3, -1)
    editor = Editor.stacked(machine.config, [(), expanded("no_read"), ()])
    for plain, found in zip(machine.run(rows), machine.run(rows, None, editor), strict=True):
        assert torch.equal(plain.logits[[0, 2]], found.logits[[0, 2]])
        assert not torch.equal(plain.logits[1], found.logits[1])
        assert not found.read_vector[1].any()


# Going on


@pytest.mark.parametrize(("changes", "dtype"), [*((changes, torch.float32) for changes in MACHINES), DOUBLE], ids=str)
def test_a_run_goes_on_from_every_step_with_the_same_bits(changes: dict[str, Any], dtype: torch.dtype) -> None:
    machine = machine_of(changes, dtype)
    plain = run_of(machine)
    for step in range(STEPS + 1):
        recording = Recording(machine, any_episode(machine.config, STEPS), resume=(plain, step))
        given = list(recording.run())
        assert given == sorted(set(given))
        assert given[0] == step - 1 if step else given[0] >= 0
        assert given[-1] == STEPS - 1
        assert recording.computed == STEPS - step
        assert recording.trace().records.tobytes() == plain.records.tobytes()


@given(configs(), st.integers(0, 4), st.sampled_from(("memory", "read_vector", "key", "add_vector", "inputs")))
@settings(max_examples=25)
def test_editing_late_steps_of_any_machine_costs_those_and_gives_the_bits_of_the_whole_run(
    config: MachineConfig, step: int, quantity: Quantity
) -> None:
    machine = at_rest(stirred(config, dtype=torch.float32))
    episode = any_episode(config, 5)
    edited = (Intervention(quantity=quantity, operation="add", steps=(step, 5), value=0.5),)
    resumed = Recording(machine, episode, interventions=edited, resume=(record(machine, episode), step))
    list(resumed.run())
    assert resumed.computed == 5 - step
    assert resumed.trace().records.tobytes() == record(machine, episode, interventions=edited).records.tobytes()


def test_a_run_goes_on_from_one_whose_memory_was_changed() -> None:
    machine = machine_of(TWO)
    early = Intervention(quantity="memory", operation="set", steps=(1, 2), location=0, value=1.0)
    late = Intervention(quantity="memory", operation="set", steps=(4, 5), location=0, value=1.0)
    changed, both = run_of(machine, early), run_of(machine, early, late)
    assert run_of(machine, early, late, resume=(changed, 4)).records.tobytes() == both.records.tobytes()
    assert run_of(machine, late, resume=(both, 1)).records.tobytes() == run_of(machine, late).records.tobytes()
    assert run_of(machine, resume=(changed, 1)).records.tobytes() == run_of(machine).records.tobytes()


@pytest.mark.parametrize("name", MODES)
def test_a_run_in_any_mode_goes_on_from_its_middle(name: ModeName) -> None:
    machine = machine_of(TWO | {"step_order": "write_then_read"})
    whole = run_of(machine, *expanded(name))
    assert run_of(machine, *expanded(name), resume=(whole, 3)).records.tobytes() == whole.records.tobytes()


def test_a_run_does_not_go_on_from_what_is_another() -> None:
    machine = machine_of({})
    plain = run_of(machine)
    edited = Intervention(quantity="key", operation="set", steps=(2, 4), value=0.0)
    with pytest.raises(TraceError, match="cannot resume at step 3: its interventions differ from step 2 on"):
        run_of(machine, edited, resume=(plain, 3))
    with pytest.raises(TraceError, match="cannot resume at step 7: the traces have 5 and 5 steps"):
        run_of(machine, resume=(plain, 7))
    with pytest.raises(TraceError, match="another machine"):
        run_of(machine_of({"controller": "gru"}), resume=(plain, 3))
    with pytest.raises(TraceError, match="its rows differ"):
        record(machine, any_episode(machine.config, STEPS, seed=2), resume=(plain, 3))
    with pytest.raises(TraceError, match="another state before step 1"):
        run_of(at_rest(stirred(machine.config, 1, dtype=torch.float32)), resume=(plain, 3))
