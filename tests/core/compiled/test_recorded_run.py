"""Recording by the compiled core: what eager mode records, up to rounding, and the bits of the kernel's own forward."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core import zoo
from ntm_core.checkpoints.native import load_checkpoint
from ntm_core.compiled import Core
from ntm_core.compiled.layout import parts_of
from ntm_core.config import MachineConfig
from ntm_core.interventions import MODES, Intervention, ModeName, Violation, expanded
from ntm_core.interventions.quantities import QUANTITIES, Quantity
from ntm_core.machine import Machine
from ntm_core.recording import record
from ntm_core.tasks import Copy
from ntm_core.trace import Trace, TraceHeader
from tests.core.compiled.choices import SEEDED, compiled_configs
from tests.core.compiled.test_buffers import SENTINEL, assert_nothing_is_written_beside, guarded
from tests.core.machines import any_episode, at_rest, name_of, small_config, stirred

TWO = {"read_heads": 2, "write_heads": 2}
ORDERS: list[dict[str, Any]] = [
    {"step_order": "read_then_write"},
    {"step_order": "write_then_read"},
    {"step_order": "listed", "head_order": ("write", "read", "write", "read")},
    {"write_order": "one_by_one"},
]
STEPS = 6


def single(config: MachineConfig, seed: int = 0, scale: float = 0.5) -> Machine:
    return at_rest(stirred(config, seed, scale=scale, dtype=torch.float32))


def by(core: Core, machine: Machine, asked: tuple[Intervention, ...] = (), steps: int = STEPS, **named: Any) -> Trace:
    """The trace that one core records."""
    header = TraceHeader.of(
        machine.config, steps, core=core, phases=("input", "output"), interventions=asked, leave_constraints=True
    )
    return record(machine, any_episode(machine.config, steps), header, **named)


def assert_close(found: Trace, expected: Trace, error: float = 1e-5) -> None:
    """All numbers of two traces are alike, up to rounding."""
    for name in expected.names:
        np.testing.assert_allclose(found[name], expected[name], rtol=error, atol=error, err_msg=name)


def assert_recorded(machine: Machine, steps: int = STEPS, error: float = 1e-5) -> None:
    """The compiled core's record is eager mode's, and its logits are those of its own forward to the last bit."""
    trace = by("compiled", machine, steps=steps)
    assert_close(trace, by("eager", machine, steps=steps), error)
    rows = torch.from_numpy(any_episode(machine.config, steps).inputs)
    with torch.no_grad():
        logits = machine(rows, machine.initial_state(1, 0))[:, 0].numpy()
    assert trace["logits"].tobytes() == logits.tobytes()


@pytest.mark.parametrize("changes", SEEDED, ids=name_of)
def test_every_alternative_is_recorded(changes: dict[str, Any]) -> None:
    assert_recorded(single(small_config(memory_size=9, **changes)))


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("shift_range", [1, 2])
@pytest.mark.parametrize("controller", ["lstm", "gru", "feedforward"])
def test_several_heads_are_recorded(order: dict[str, Any], shift_range: int, controller: str) -> None:
    sizes = {"controller": controller, "shift_range": shift_range, "memory_size": 21, "controller_size": 17}
    assert_recorded(single(small_config(**sizes, **TWO, **order), scale=0.3))


@pytest.mark.parametrize("memory_size", [1, 15, 16, 17, 130, 256])
def test_any_number_of_locations_is_recorded(memory_size: int) -> None:
    assert_recorded(single(small_config(memory_size=memory_size, word_size=7, controller_size=33, output_size=17)))


@given(compiled_configs(), st.integers(0, 99), st.integers(1, 20))
@settings(max_examples=25)
def test_any_machine_is_recorded(config: MachineConfig, seed: int, steps: int) -> None:
    assert_recorded(single(config, seed, 0.3), steps)


def test_a_trained_sharp_machine_is_recorded() -> None:
    machine = load_checkpoint(zoo.path("copy-lstm")).machine()
    episode = Copy(lengths=(30, 30)).episodes(5)
    found, expected = (
        record(machine, episode, TraceHeader.of(machine.config, 61, core=core, phases=episode.phases))
        for core in ("compiled", "eager")
    )
    assert_close(found, expected, 1e-4)
    assert found.wrong_bits == 0
    weights = found["weighting"]
    assert not ((weights > 0) & (weights < 1e-30)).any()
    assert ((expected["weighting"] > 0) & (expected["weighting"] < 1e-30)).any()


# The same bits


@pytest.mark.parametrize("similarity", ["cosine", "pearson", "negative_euclidean"])
@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("scale", [0.5, 4.0])
def test_the_memory_is_rebuilt_bit_for_bit(similarity: str, order: dict[str, Any], scale: float) -> None:
    """Each step records the memory that the kernel holds, where an intervention is about to add nothing to it."""
    sizes = {"memory_size": 37, "word_size": 6, "initial_memory": "zeros", "similarity": similarity}
    machine = single(small_config(**sizes, **TWO, **order), scale=scale)
    nothing = Intervention(quantity="memory", operation="add", value=0.0)
    trace, plain = by("compiled", machine, (nothing,), 20), by("compiled", machine, steps=20)
    np.testing.assert_array_equal(trace["memory_found"], plain.memory[:-1])
    for name in plain.names:
        assert trace[name].tobytes() == plain[name].tobytes(), name


@pytest.mark.parametrize("changes", [*ORDERS, {"similarity": "pearson"}, {"controller": "gru"}], ids=str)
def test_parts_of_a_run_have_the_bits_of_the_whole(changes: dict[str, Any]) -> None:
    """Whatever the step from which it is resumed."""
    machine = single(small_config(memory_size=35, controller_size=19, **TWO, **changes))
    whole = by("compiled", machine, steps=20)
    for step in range(21):
        again = record(machine, any_episode(machine.config, 20), whole.header, resume=(whole, step))
        assert again.records.tobytes() == whole.records.tobytes()


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_step_may_be_computed_part_by_part(order: dict[str, Any]) -> None:
    machine = single(small_config(memory_size=35, **TWO, **order))
    whole = by("compiled", machine)
    records = np.zeros_like(whole.records)
    run = machine.recorded_run(torch.from_numpy(whole["inputs"].copy()), machine.initial_state(1, 0), records)
    for step in range(STEPS):
        for part in range(parts_of(len(run.groups))):
            run.compute(step, step + 1, (part, part + 1))
    assert records.tobytes() == whole.records.tobytes()


def test_a_run_does_not_depend_on_how_long_it_is() -> None:
    machine = load_checkpoint(zoo.path("copy-lstm")).machine()
    inputs = torch.from_numpy(Copy(lengths=(20, 20)).episodes(5).inputs[:, 0])
    dtype = TraceHeader.of(machine.config, 1).record_dtype("step")
    found = []
    for steps in (len(inputs), 1, 5, 32):
        records = np.zeros(steps, dtype)
        machine.recorded_run(inputs[:steps], machine.initial_state(1, 0), records).compute(0, steps)
        found.append(records)
    for records in found[1:]:
        assert records.tobytes() == found[0][: len(records)].tobytes()


# Interventions


def changes_of(quantity: Quantity) -> list[Intervention]:
    """Every operation on a quantity, from step 1 on."""
    steps = (1, STEPS)
    found = [
        Intervention(quantity=quantity, operation="set", value=0.25, steps=steps),
        Intervention(quantity=quantity, operation="scale", value=0.75, steps=steps),
        Intervention(quantity=quantity, operation="add", value=0.125, steps=steps),
        Intervention(quantity=quantity, operation="take", source="other", steps=steps),
    ]
    if QUANTITIES[quantity].rule == "simplex":
        hot: dict[str, int] = {"shift": 1} if quantity == "shift_weighting" else {"location": 2}
        found += [
            Intervention(quantity=quantity, operation="harden", steps=steps),
            Intervention(quantity=quantity, operation="one_hot", steps=steps, **hot),
        ]
    if quantity in ("gated_weighting", "shifted_weighting", "weighting"):
        found.append(Intervention(quantity=quantity, operation="stage", stage="content_weighting", steps=steps))
    return found


@pytest.mark.parametrize("order", ORDERS[1:3], ids=str)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_change_is_what_eager_mode_makes_of_it(quantity: Quantity, order: dict[str, Any]) -> None:
    machine = single(small_config(memory_size=9, **TWO, **order))
    source = by("eager", single(machine.config, 3))
    for asked in changes_of(quantity):
        sources = {"other": source} if asked.operation == "take" else {}
        found, expected = (by(core, machine, (asked,), sources=sources) for core in ("compiled", "eager"))
        assert_close(found, expected)
        assert told(found.violation) == told(expected.violation)


def told(violation: Violation | None) -> tuple[Any, ...] | None:
    """A violation with its number rounded."""
    if violation is None:
        return None
    return violation.step, violation.head, violation.quantity, round(violation.value or 0, 4), violation.rule


@pytest.mark.parametrize("name", MODES)
def test_every_mode_is_what_eager_mode_makes_of_it(name: ModeName) -> None:
    machine = single(small_config(memory_size=9, **TWO))
    assert_close(by("compiled", machine, expanded(name)), by("eager", machine, expanded(name)))


# Neighbours


@settings(max_examples=20)
@given(compiled_configs(), st.integers(1, 9), st.booleans())
def test_the_kernel_writes_to_buffers_and_records_only(config: MachineConfig, steps: int, whole: bool) -> None:
    machine = single(config)
    edits = tuple(Intervention(quantity=quantity, operation="add", value=0.0) for quantity in QUANTITIES)
    header = TraceHeader.of(config, steps, core="compiled", interventions=() if whole else edits)
    size = header.record_dtype("step").itemsize
    around = np.full(64 + size * steps // 4 + 64, SENTINEL, np.float32)
    records = around[64:-64].view(header.record_dtype("step"))
    with guarded() as made:
        run = machine.recorded_run(torch.zeros(steps, config.input_size), machine.initial_state(1, 0), records)
        if whole:
            run.compute(0, steps)
        else:
            for step in range(steps):
                for part in range(parts_of(len(run.groups))):
                    run.compute(step, step + 1, (part, part + 1))
    assert (around[:64] == SENTINEL).all()
    assert (around[-64:] == SENTINEL).all()
    assert not (records.view(np.float32) == SENTINEL).any()
    assert_nothing_is_written_beside(made[0])
