"""What interventions may not do: on which machine, at which step and head, by which value and rule."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ntm_core.errors import InterventionError
from ntm_core.interventions import Editor, Intervention, Violation, allow, may_violate
from ntm_core.recording import Recording, record
from ntm_core.trace import Trace, TraceHeader
from ntm_core.trace_file import load_trace, save_trace
from tests.core.machines import any_episode, at_rest, small_config, stirred

STEPS = 4
TWO: dict[str, Any] = {"read_heads": 2, "write_heads": 2}


def run_of(*asked: Intervention, leave: bool = False, **changes: Any) -> Trace:
    machine = at_rest(stirred(small_config(**changes), dtype=torch.float32))
    header = TraceHeader.of(
        machine.config, STEPS, phases=("input", "output"), interventions=asked, leave_constraints=leave
    )
    return record(machine, any_episode(machine.config, STEPS), header)


def changed(quantity: Any, operation: Any = "set", value: Any = None, **where: Any) -> Intervention:
    return Intervention(quantity=quantity, operation=operation, value=value, **where)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (changed("key_strength", value=-0.5), "step 0, head 'read 0': key_strength is -0.5: it must be at least 0"),
        (
            changed("interpolation_gate", value=1.5, heads=("write 0",), steps=(2, 4)),
            r"step 2, head 'write 0': interpolation_gate is 1.5: it must be in \[0, 1\]; leave_constraints allows it",
        ),
        (changed("interpolation_gate", value=1.0000001), r"interpolation_gate is 1.0000001: it must be in \[0, 1\]"),
        (changed("key_strength", value=-2.0), "key_strength is -2: it must be at least 0"),
        (changed("sharpening", value=0.99), "step 0, head 'read 0': sharpening is 0.99: it must be at least 1"),
        (changed("erase_vector", value=1.25), r"head 'write 0': erase_vector is 1.25: it must be in \[0, 1\]"),
        (changed("shift_weighting", value=(0.5, 0.5, 0.5)), "shift_weighting is 1.5: its sum must be 1"),
        (changed("shift_weighting", value=(1.5, -0.5, 0.0)), "shift_weighting is -0.5: every entry must be at least 0"),
        (changed("weighting", value=0.1), "weighting is 0.5: its sum must be 1"),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused_before_the_run(asked: Intervention, words: str) -> None:
    config = small_config(**TWO)
    assert not may_violate(config, (asked,))
    with pytest.raises(InterventionError, match=words):
        Editor(config, (asked,))
    with pytest.raises(InterventionError, match=words):
        run_of(asked, **TWO)


def test_a_number_that_the_run_finds_is_told_as_the_fewest_digits_that_are_it() -> None:
    asked = (changed("interpolation_gate", value=1.0000001), changed("interpolation_gate", "scale", 1.0))
    with pytest.raises(InterventionError, match=r"interpolation_gate is 1.0000001: it must be in"):
        run_of(*asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (changed("key_strength", "scale", -1.0, steps=(1, 2)), "step 1, head 'read 0': key_strength is -"),
        (changed("interpolation_gate", "add", 1.0, heads=("write 1",)), "step 0, head 'write 1': interpolation_gate"),
        (changed("shift_weighting", value=0.9, shift=-1), "shift_weighting is .*: its sum must be 1"),
        (changed("weighting", "scale", 2.0, steps=(3, 4)), "step 3, head 'read 0': weighting is 2: its sum must be 1"),
        (changed("gated_weighting", value=0.1), "gated_weighting is 0.5: its sum must be 1"),
    ],
)
@pytest.mark.parametrize("order", ["read_then_write", "write_then_read"])
def test_a_value_that_only_the_run_knows_is_refused_in_it(asked: Intervention, words: str, order: str) -> None:
    if order == "write_then_read" and asked.quantity == "weighting":
        words = words.replace("read 0", "write 0")  # it acts first
    config = small_config(step_order=order, **TWO)
    assert may_violate(config, (asked,))
    Editor(config, (asked,))
    with pytest.raises(InterventionError, match=words):
        run_of(asked, step_order=order, **TWO)


def test_what_a_request_may_leave_runs_and_the_first_violation_is_kept() -> None:
    late = changed("interpolation_gate", value=3.0, steps=(2, 4))
    early = changed("key_strength", "scale", -1.0, steps=(1, 2), heads=("write 0",))
    trace = run_of(late, early, leave=True)
    assert (trace["interpolation_gate"][2:] == 3).all()
    assert trace.violation == Violation(
        step=1,
        head="write 0",
        quantity="key_strength",
        value=float(trace["key_strength"][1, 1]),
        rule="it must be at least 0",
    )
    assert run_of(changed("interpolation_gate", value=0.5), leave=True).violation is None


def test_several_interventions_are_judged_together() -> None:
    """Tap by tap, the shift weighting leaves the simplex and comes back."""
    taps = [changed("shift_weighting", value=value, shift=shift) for shift, value in ((-1, 0.25), (0, 0.75), (1, 0.0))]
    trace = run_of(*taps)
    assert (trace["shift_weighting"] == [0.25, 0.75, 0]).all()
    with pytest.raises(InterventionError, match="its sum must be 1"):
        run_of(*taps[:2])


def test_a_weighting_that_the_machine_itself_takes_off_the_simplex_is_not_judged() -> None:
    w0: dict[str, Any] = {"initial_weighting": "zeros"}
    asked = changed("gated_weighting", "scale", 0.5, steps=(0, 1))
    assert run_of(asked, **w0).violation is None
    with pytest.raises(InterventionError, match="step 1"):
        run_of(changed("gated_weighting", "scale", 0.5, steps=(1, 2)), **w0)
    ones: dict[str, Any] = {"shift_kernel": "ones"}
    assert (run_of(changed("shift_weighting", value=0.5), **ones)["shift_weighting"] == 0.5).all()
    assert (run_of(changed("erase_vector", value=2.0), erase_activation="relu")["erase_vector"] == 2).all()
    with pytest.raises(InterventionError, match="erase_vector is -1: it must be at least 0"):
        run_of(changed("erase_vector", value=-1.0), erase_activation="relu")


def test_a_stage_of_the_machines_own_is_not_judged() -> None:
    asked = Intervention(quantity="weighting", operation="stage", stage="content_weighting")
    trace = run_of(asked, content_softmax="heads_of_a_kind", **TWO)
    assert trace["weighting"].tobytes() == trace["content_weighting"].tobytes()


def test_a_run_that_goes_on_keeps_the_violation_it_goes_on_from() -> None:
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    asked = (changed("key_strength", "scale", -1.0, steps=(1, 2)),)
    episode = any_episode(machine.config, STEPS)
    left = run_of(*asked, leave=True)
    header = left.header
    assert record(machine, episode, header, resume=(left, 3)).violation == left.violation
    with pytest.raises(InterventionError, match="step 1, head 'read 0'"):
        Recording(machine, episode, header.model_copy(update={"leave_constraints": False}), resume=(left, 3))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (changed("key", value=0.0, heads=("read 2",)), "head 'read 2' has no key: it must be one of read 0, read 1"),
        (changed("erase_vector", value=0.0, heads=("read 0",)), "head 'read 0' has no erase_vector"),
        (changed("key", value=0.0, steps=(2, 5)), r"steps is \[2, 5\], but the run has 4 steps"),
        (changed("weighting", "one_hot", location=5), "location is 5: it must be 0 … 4 with this machine"),
        (changed("shift_weighting", "one_hot", shift=-2), "shift is -2: it must be -1 … 1"),
        (changed("key", value=0.0, word=4), "word is 4: it must be 0 … 3"),
        (changed("inputs", value=0.0, channel=3), "channel is 3: it must be 0 … 2"),
        (changed("key", value=(1.0, 2.0)), "value has 2 numbers: key takes 4 here"),
        (changed("memory", value=(1.0, 2.0), word=0), "value has 2 numbers: memory takes 5 here"),
        (changed("key", "take", source="b"), "source is 'b': there is no such trace, known are 'a'"),
        (changed("key", "take", source="a", offset=1), "steps 1 … 4 are taken from source 'a', which has 4 steps"),
        (changed("key", "take", source="a", offset=-2, steps=(1, 2)), "steps -1 … -1 are taken"),
        (changed("memory", "take", source="small"), r"memory of source 'small' has shape \(3, 4\): this machine's has"),
        (
            changed("key", "take", source="small"),
            r"key of source 'small' has shape \(2, 4\): this machine's has \(4, 4",
        ),
    ],
)
def test_what_this_machine_cannot_do_is_refused(asked: Intervention, words: str) -> None:
    sources = {"a": run_of(**TWO), "small": run_of(memory_size=3)}
    if not asked.source:
        sources = {}
    elif asked.source != "small":
        del sources["small"]
    with pytest.raises(InterventionError, match=words):
        Editor(small_config(**TWO), (changed("key", value=0.0), asked), sources, steps=STEPS)


# Operations, by hand


def test_each_operation_does_what_it_says() -> None:
    config = small_config()
    own = torch.tensor([[[0.1, 0.4, 0.4, 0.1, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]])
    source = run_of()

    def edited(**asked: Any) -> list[list[float]]:
        editor = Editor(config, [Intervention(quantity="weighting", **asked)], {"s": source}, on_violation=allow)
        at = editor.at(1)
        assert at is not None
        found: list[list[float]] = at.edit("weighting", own, None, {"content_weighting": own.flip(-1)})[0].tolist()
        return found

    untouched = own[0].tolist()
    assert edited(operation="harden") == [[0, 1, 0, 0, 0], [0, 0, 0, 0, 1]]
    assert edited(operation="one_hot", location=3, heads=("write 0",)) == [untouched[0], [0, 0, 0, 1, 0]]
    assert edited(operation="stage", stage="content_weighting") == own.flip(-1)[0].tolist()
    assert edited(operation="set", value=(1.0, 2.0, 3.0, 4.0, 5.0)) == [[1, 2, 3, 4, 5]] * 2
    assert edited(operation="set", value=7.0, location=1, heads=("read 0",))[0] == pytest.approx([0.1, 7, 0.4, 0.1, 0])
    assert edited(operation="scale", value=2.0)[0] == pytest.approx([0.2, 0.8, 0.8, 0.2, 0])
    assert edited(operation="add", value=(1.0, 0.0, 0.0, 0.0, 0.0))[1] == [1, 0, 0, 0, 1]
    np.testing.assert_array_equal(edited(operation="take", source="s", offset=1), source["weighting"][2])
    np.testing.assert_array_equal(
        edited(operation="take", source="s", location=2, heads=("write 0",))[1],
        [0, 0, source["weighting"][1, 1, 2], 0, 1],
    )
    assert own[0].tolist() == untouched


def test_a_trace_file_keeps_the_violation_and_the_memory_found(tmp_path: Path) -> None:
    asked = (changed("memory", "add", 1.0, steps=(1, 2)), changed("key_strength", "scale", -1.0))
    trace = run_of(*asked, leave=True)
    save_trace(tmp_path / "t.npz", trace)
    found = load_trace(tmp_path / "t.npz")
    assert (found.violation, found.header) == (trace.violation, trace.header)
    assert trace.violation is not None
    assert found["memory_found"].tobytes() == trace["memory_found"].tobytes()
    assert found.memory.tobytes() == trace.memory.tobytes()
