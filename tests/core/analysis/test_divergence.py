"""The first difference of two traces: its step, stage and head."""

from typing import Any

import numpy as np
import pytest
import torch

from ntm_core.analysis.divergence import STAGES, Divergence, divergence, is_mirrored
from ntm_core.errors import AnalysisError
from ntm_core.interventions import Intervention
from ntm_core.machine import Machine
from ntm_core.recording import record
from ntm_core.trace import Trace
from tests.core.analysis.copies import SIZE, late_and_not, original, rearranged, run
from tests.core.machines import any_episode

TRACE = run(original())


def changed(trace: Trace, *changes: tuple[str, tuple[int, ...], float]) -> Trace:
    """The trace with some numbers moved by so much."""
    records = trace.records.copy()
    for name, place, by in changes:
        records[name][place] += by
    return Trace(trace.header, trace.episode, trace.initial, records)


def found(*changes: tuple[str, tuple[int, ...], float], **options: Any) -> tuple[Any, ...] | None:
    first = divergence(TRACE, changed(TRACE, *changes), **options).first
    return None if first is None else (first.step, first.stage, first.head, first.head_name, first.difference)


def test_equal_traces_do_not_part() -> None:
    comparison = divergence(TRACE, TRACE)
    assert (comparison.steps, comparison.skipped, comparison.first) == (9, (), None)
    assert comparison.tolerance == 1e-6


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage in (TRACE.records.dtype.names or ())])
def test_a_change_is_found_where_it_was_made(stage: str) -> None:
    axes = TRACE.axes(stage)[1:]
    head = {"head": 1, "write_head": 0, "read_head": 1}.get(axes[0])
    place = (4, 1 if head is None else head, *[0] * (len(axes) - 1))
    expected = 2 if axes[0] == "write_head" else head
    name = None if expected is None else TRACE.header.heads[expected].name
    assert found((stage, place, 0.5)) == (4, stage, expected, name, pytest.approx(0.5))


def test_the_earlier_step_comes_before_the_earlier_stage_and_the_larger_difference_names_the_head() -> None:
    early, late = ("outputs", (2, 0), 0.1), ("key", (3, 0, 0), 9.0)
    assert found(early, late) == (2, "outputs", None, None, pytest.approx(0.1))
    both = ("weighting", (3, 0, 1), 0.1), ("weighting", (3, 2, 4), -0.2), ("read_vector", (3, 0, 0), 1.0)
    assert found(*both) == (3, "weighting", 2, "write 0", pytest.approx(0.2))


def test_what_lies_within_the_tolerance_is_no_difference() -> None:
    assert found(("key", (1, 0, 0), 1e-3), tolerance=2e-3) is None
    assert found(("key", (1, 0, 0), 1e-3), tolerance=5e-4) is not None
    assert found(("key", (1, 0, 0), 1e-9), tolerance=0) is not None
    with pytest.raises(AnalysisError, match="tolerance is -1"):
        found(tolerance=-1)


def test_a_number_against_none_is_a_difference_without_a_size() -> None:
    assert found(("sharpening", (5, 1), np.nan)) == (5, "sharpening", 1, "read 1", None)
    assert found(("sharpening", (5, 1), np.inf)) == (5, "sharpening", 1, "read 1", None)
    both = changed(TRACE, ("sharpening", (5, 1), np.nan))
    assert divergence(both, both).first is None


def test_the_inputs_come_first() -> None:
    other = run(original(), seed=2)
    first = divergence(TRACE, other).first
    assert first is not None
    assert (first.step, first.stage) == (0, "inputs")


def another_start(name: str, place: tuple[int, ...], by: float) -> Trace:
    initial = TRACE.initial.copy()
    initial[name][place] += by
    return Trace(TRACE.header, TRACE.episode, initial, TRACE.records)


def test_another_state_before_the_first_step_is_a_difference_there() -> None:
    first = divergence(TRACE, another_start("initial_memory", (2, 1), 0.5)).first
    assert first is not None
    assert (first.step, first.stage, first.head) == (0, "memory", None)
    first = divergence(TRACE, another_start("initial_weighting", (1, 3), 0.5)).first
    assert first is not None
    assert (first.step, first.stage, first.head_name) == (0, "weighting_before", "read 1")


@pytest.mark.parametrize("name", ["initial_memory", "initial_weighting"])
def test_a_state_that_another_program_does_not_know_is_no_difference(name: str) -> None:
    initial = TRACE.initial.copy()
    initial[name] = np.nan
    unknown = Trace(TRACE.header, TRACE.episode, initial, TRACE.records)
    assert divergence(TRACE, unknown).first is None
    assert divergence(unknown, TRACE).first is None


def test_memory_that_an_intervention_changes_is_where_two_traces_part() -> None:
    edit = Intervention(quantity="memory", operation="add", value=0.3, location=3, steps=(4, 6))
    machine, episode = original(), any_episode(original().config, 9, seed=1)
    other = record(machine, episode, interventions=(edit,))
    for a, b in ((TRACE, other), (other, TRACE)):
        first = divergence(a, b).first
        assert first is not None
        assert (first.step, first.stage, first.head) == (4, "memory", None)
        assert first.difference == pytest.approx(0.3)
    nothing = Intervention(quantity="memory", operation="scale", value=1.0)
    assert divergence(TRACE, record(machine, episode, interventions=(nothing,))).first is None
    assert divergence(TRACE, other, offset=-20).steps == 0


def silent(**changes: Any) -> Machine:
    """A machine of one M_0, whose outputs are the same whatever it has read."""
    machine = original(**changes)
    with torch.no_grad():
        machine.output.weight.zero_()
        machine.output.bias.zero_()
        dict(machine.named_parameters())["initial.memory_value"].fill_(0.25)
    return machine


def test_memory_is_asked_at_every_step_of_machines_that_have_other_heads() -> None:
    a, b = run(silent(read_heads=1)), run(silent(write_heads=2))
    comparison = divergence(a, b)
    assert {"weighting", "erase_vector", "add_vector", "read_vector"} <= set(comparison.skipped)
    apart = [np.abs(x - y).max() for x, y in zip(a.memories_found(range(9)), b.memories_found(range(9)), strict=True)]
    assert apart[0] == 0
    assert comparison.first == Divergence(1, "memory", None, None, float(apart[1]))


def test_memory_is_asked_at_every_step_of_machines_that_write_in_another_order() -> None:
    """Two heads write the same, one after the other or all erasing first: the next step finds another memory."""
    a = run(original(write_heads=2, write_order="one_by_one"))
    b = run(original(write_heads=2, write_order="erases_then_adds"))
    first = divergence(a, b).first
    assert first is not None
    assert (first.step, first.stage) == (1, "memory")
    pair = [next(iter(trace.memories_found([1]))) for trace in (a, b)]
    assert first.difference == pytest.approx(np.abs(pair[0] - pair[1]).max())


def test_steps_of_b_that_stand_beside_those_of_a_are_compared() -> None:
    late, a = late_and_not(original())
    assert divergence(a, late, offset=2).first is None
    assert divergence(a, late, offset=2).steps == 9
    back = divergence(late, a, offset=-2)
    assert (back.steps, back.first) == (9, None)
    first = divergence(a, late, offset=1).first
    assert first is not None
    assert first.step == 0


def test_only_common_steps_and_equal_shapes_are_compared() -> None:
    comparison = divergence(TRACE, run(original(word_size=3), 5))
    assert comparison.steps == 5
    assert comparison.skipped == ("memory", "key", "erase_vector", "add_vector", "read_vector")


def test_a_mirrored_copy_does_not_part_once_its_rows_are_matched() -> None:
    rows = (3 - np.arange(SIZE)) % SIZE
    other = run(rearranged(original(), rows, mirrored=True))
    unmatched = divergence(TRACE, other).first
    assert unmatched is not None
    assert (unmatched.step, unmatched.stage) == (0, "memory")
    assert divergence(TRACE, other, rows).first is None
    with pytest.raises(AnalysisError, match="each of B's 7 locations once"):
        divergence(TRACE, other, np.zeros(SIZE, np.int64))


def test_rows_that_run_backwards_are_mirrored() -> None:
    assert is_mirrored(np.array([2, 1, 0, 3]))
    assert not is_mirrored(np.array([1, 2, 3, 0]))
    assert not is_mirrored(np.array([2, 1, 3, 0]))
    assert not is_mirrored(np.array([1, 0]))
