"""The operations of a head, held against hand-worked numbers, a plain loop, and machines of every open choice."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core.analysis.operations import Addressing, operation_names, operations, operations_of, parts
from ntm_core.hand_compiled import hand_compiled_copy
from ntm_core.interventions import MODES
from ntm_core.recording import record
from ntm_core.tasks import Copy
from ntm_core.trace import Trace
from tests.core.analysis.naive_operations import operation_by_hand
from tests.core.machines import any_episode, at_rest, configs, every_alternative, name_of, small_config, stirred


def one(**changes: Any) -> Addressing:
    """One addressing of four locations: the gate ¼ mixes location 2 by content with location 0 before, shift +1."""
    given = {
        "content_weighting": [0, 0, 1, 0],
        "previous": [1, 0, 0, 0],
        "interpolation_gate": 0.25,
        "shift_weighting": [0, 0, 1],
        "sharpening": 2.0,
        "shifted_weighting": [0, 0.75, 0, 0.25],
        "weighting": [0, 0.9, 0, 0.1],
    } | changes
    arrays: dict[str, Any] = {name: np.array(value, np.float64) for name, value in given.items()}
    return Addressing(**arrays, shifts=(-1, 0, 1))


def operation(**changes: Any) -> str:
    return str(operations(one(**changes)).operation)


def test_the_split_is_what_eq_3_and_4_say() -> None:
    content, location = parts(one())
    assert content.tolist() == [0, 0, 0, 0.25]
    assert location.tolist() == [0, 0.75, 0, 0]
    found = operations(one())
    assert [float(part) for part in (found.content_share, found.location_share, found.remainder)] == [0.25, 0.75, 0]
    assert (str(found.operation), int(found.displacement)) == ("shift +1", 1)


def test_each_rule() -> None:
    back = {"weighting": [0.05, 0.05, 0.05, 0.85], "interpolation_gate": 0.0, "shift_weighting": [1, 0, 0]}
    assert operation(**back) == "shift −1"
    assert operation(interpolation_gate=0.75, weighting=[0, 0.1, 0, 0.9]) == "content jump"
    stays = {"shift_weighting": [0, 1, 0], "interpolation_gate": 0.1}
    assert operation(**stays, weighting=[0.91, 0.03, 0.03, 0.03]) == "hold"
    assert operation(**stays, weighting=[0.89, 0.05, 0.03, 0.03]) == "shift 0"
    assert operation(weighting=[0.1, 0.4, 0.2, 0.3]) == "mixed"
    assert operation(previous=[0.3, 0.3, 0.2, 0.2]) == "mixed"
    assert operation(weighting=[0.1, math.nan, 0, 0.9]) == "unknown"
    assert operation(interpolation_gate=math.nan) == "unknown"


def test_the_weightings_alone_tell_that_a_head_held() -> None:
    nothing: dict[str, Any] = {name: [math.nan] * 4 for name in ("content_weighting", "shifted_weighting")}
    nothing |= {"interpolation_gate": math.nan, "shift_weighting": [math.nan] * 3, "sharpening": math.nan}
    assert operation(**nothing, weighting=[1, 0, 0, 0]) == "hold"
    assert operation(**nothing, weighting=[0, 1, 0, 0]) == "unknown"
    assert operation(**nothing, weighting=[1, math.nan, 0, 0]) == "unknown"


def test_content_needs_half_of_what_lies_at_the_focus() -> None:
    """Both parts point to location 1."""
    both = {"content_weighting": [1, 0, 0, 0], "weighting": [0, 1, 0, 0]}
    assert operation(**both, interpolation_gate=0.5) == "content jump"
    assert operation(**both, interpolation_gate=0.49) == "shift +1"


def test_a_weighting_that_sums_to_little_counts_as_any_other() -> None:
    assert operation(weighting=[0, 0.009, 0, 0.001]) == "shift +1"
    assert operation(previous=[0, 0, 0, 0]) == "mixed"


def test_what_was_replaced_by_the_content_weighting_came_through_content() -> None:
    replaced = operations(one(weighting=[0, 0, 1, 0]))
    assert (str(replaced.operation), float(replaced.content_share), float(replaced.remainder)) == ("content jump", 1, 0)
    agreeing = operations(one(weighting=[0, 1, 0, 0], content_weighting=[0, 1, 0, 0], shifted_weighting=[0, 1, 0, 0]))
    assert (str(agreeing.operation), float(agreeing.content_share)) == ("shift +1", 0.25)


def test_what_an_intervention_put_there_is_the_remainder() -> None:
    assert operations(one(shifted_weighting=[1.0, 0, 0, 0])).remainder == 2.0


def test_the_machine_set_by_hand_does_what_its_table_says() -> None:
    trace = record(hand_compiled_copy(2, 16), Copy(bits=2, lengths=(5, 5)).episodes(1))
    assert trace.wrong_bits == 0
    found = operations_of(trace)
    assert found.operation[:, 0].tolist() == ["shift +1"] * 5 + ["content jump"] + ["shift +1"] * 5
    assert found.operation[:, 1].tolist() == ["shift +1"] * 5 + ["hold"] * 6
    assert found.content_share[:, 0].tolist() == [0] * 5 + [1] + [0] * 5


def test_the_modes_do_what_they_say() -> None:
    machine = at_rest(stirred(small_config(memory_size=9)))
    episode = any_episode(machine.config, 12)
    told = {name: operations_of(record(machine, episode, interventions=MODES[name].interventions)) for name in MODES}
    assert np.allclose(told["content_only"].content_share, 1)
    assert set(told["content_only"].operation.flat) <= {"content jump", "hold", "mixed"}
    assert np.allclose(told["no_interpolation"].content_share, 1)
    assert np.allclose(told["location_only"].location_share, 1)
    assert "content jump" not in told["location_only"].operation
    assert not {"shift −1", "shift +1"} & set(told["no_shift"].operation.flat)
    assert not np.allclose(told["full"].content_share, told["content_only"].content_share)


def holds_by_hand(trace: Trace) -> None:
    found = operations_of(trace)
    names = operation_names(trace.header.shifts)
    for step in range(len(trace)):
        for head in range(trace.header.config.heads):
            expected = operation_by_hand(trace, step, head)
            assert found.operation[step, head] == expected["operation"]
            assert found.operation[step, head] in names
            assert found.displacement[step, head] == expected["displacement"]
            assert found.content_share[step, head] == pytest.approx(expected["content_share"], nan_ok=True)


@pytest.mark.parametrize("changes", every_alternative(), ids=name_of)
def test_the_parts_sum_to_the_whole_in_every_machine(changes: dict[str, Any]) -> None:
    config = small_config(**changes)
    trace = record(at_rest(stirred(config)), any_episode(config, 6))
    found = operations_of(trace)
    assert np.abs(found.remainder).max() < 1e-6
    assert np.allclose(found.content_share + found.location_share, 1, atol=1e-6)
    holds_by_hand(trace)


@given(configs(), st.integers(0, 99))
@settings(max_examples=25)
def test_operations_equal_a_plain_loop(config: Any, seed: int) -> None:
    """With peaks that jump about, which no small machine shows of itself."""
    trace = record(at_rest(stirred(config, seed)), any_episode(config, 8, seed=seed))
    random = np.random.default_rng(seed)
    records = trace.records.copy()
    peaks = random.integers(0, config.memory_size, records["weighting"].shape[:-1])
    records["weighting"] = np.eye(config.memory_size)[peaks] * 0.7 + 0.3 * records["weighting"]
    records["interpolation_gate"] = random.random(records["interpolation_gate"].shape)
    holds_by_hand(Trace(trace.header, trace.episode, trace.initial, records))
