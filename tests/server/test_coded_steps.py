"""Coded steps: every machine's records come back to the bit, in fewer bytes, and a broken frame is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core import zoo
from ntm_core.checkpoints.native import load_checkpoint
from ntm_core.config import MachineConfig
from ntm_core.errors import TraceError
from ntm_core.interventions import Intervention
from ntm_core.recording import record
from ntm_core.tasks import parse_task
from ntm_core.trace import Array, Trace, TraceHeader
from server import coded_steps, wire
from server.coded_steps import Position, decoded, encoded
from server.coding import coding_of, seen_memory_of
from tests.core.compiled.choices import compiled_configs
from tests.core.machines import any_episode, at_rest, configs, every_alternative, name_of, small_config, stirred

ALL = {
    "content_weighting": "cosine",
    "gated_weighting": "gate",
    "shifted_weighting": "circular",
    "weighting": "sharpening",
}


def traced(config: MachineConfig, *interventions: Intervention, steps: int = 6) -> Trace:
    machine = at_rest(stirred(config, dtype=torch.float32))
    return record(machine, any_episode(config, steps), interventions=interventions)


def there_and_back(trace: Trace, steps_a_frame: int) -> Array:
    """The trace's records after their journey."""
    here = there = Position.at_start(trace.initial)
    arrived = []
    for start in range(0, len(trace), steps_a_frame):
        payload, here = encoded(trace.header, here, trace.records[start : start + steps_a_frame])
        records, there = decoded(trace.header, there, payload, len(trace) - start)
        arrived.append(records)
    return np.concatenate(arrived)


@pytest.mark.parametrize("changes", every_alternative(), ids=name_of)
def test_every_alternative_comes_back_to_the_bit(changes: dict[str, Any]) -> None:
    trace = traced(small_config(**changes))
    assert coding_of(trace.header)
    assert there_and_back(trace, 4).tobytes() == trace.records.tobytes()


@given(config=configs(), steps_a_frame=st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_any_machine_comes_back_to_the_bit(config: MachineConfig, steps_a_frame: int) -> None:
    trace = traced(config, steps=5)
    assert there_and_back(trace, steps_a_frame).tobytes() == trace.records.tobytes()


@pytest.mark.parametrize("quantity", ["memory", "content_weighting", "weighting", "gated_weighting", "key"])
@pytest.mark.parametrize("changes", [{}, {"schedule": "address_last", "step_order": "write_then_read"}])
def test_changed_machines_come_back_to_the_bit(quantity: str, changes: dict[str, Any]) -> None:
    change = Intervention.model_validate({"quantity": quantity, "operation": "scale", "value": 0.5})
    config = small_config(**changes)
    machine = at_rest(stirred(config, dtype=torch.float32))
    header = TraceHeader.of(config, 6, phases=("input", "output"), interventions=(change,), leave_constraints=True)
    trace = record(machine, any_episode(config, 6), header)
    assert there_and_back(trace, 4).tobytes() == trace.records.tobytes()


@given(config=compiled_configs(), steps_a_frame=st.integers(1, 5), edited=st.booleans())
@settings(max_examples=30, deadline=None)
def test_compiled_code_gives_the_same_bytes(config: MachineConfig, steps_a_frame: int, edited: bool) -> None:
    nothing = Intervention(quantity="memory", operation="add", value=0.5)
    header = TraceHeader.of(config, 5, core="compiled", phases=("input", "output"), interventions=(nothing,) * edited)
    trace = record(at_rest(stirred(config, dtype=torch.float32)), any_episode(config, 5), header)
    plain = compiled = Position.at_start(trace.initial)
    for start in range(0, 5, steps_a_frame):
        records = trace.records[start : start + steps_a_frame]
        widths, corrections, plain = coded_steps._coded(header, plain, records)
        found_widths, found, compiled = coded_steps._coded_by_kernel(header, compiled, records)
        np.testing.assert_array_equal(found_widths, widths)
        assert found == corrections
        assert compiled.memory.tobytes() == plain.memory.tobytes() or not any(seen_memory_of(header))
        assert compiled.weighting.tobytes() == plain.weighting.tobytes()


def test_traces_of_the_compiled_core_are_coded_by_compiled_code() -> None:
    assert HEADER.core == "compiled"
    assert coded_steps.is_warm()


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_any_bits_come_back(data: st.DataObject) -> None:
    """NaN with any payload, infinities, numbers below the normal ones: whatever a file may hold."""
    trace = BITS
    count = trace.records.nbytes // 4
    odd = data.draw(st.dictionaries(st.integers(0, count - 1), st.integers(0, 2**32 - 1), min_size=1, max_size=20))
    records = trace.records.copy()
    numbers = records.view(np.uint32)
    for place, bits in odd.items():
        numbers[place] = bits
    changed = Trace(trace.header, trace.episode, trace.initial, records)
    assert there_and_back(changed, 3).tobytes() == records.tobytes()


BITS = traced(small_config(write_heads=2), steps=4)
HEADER = BITS.header
START = Position.at_start(BITS.initial)
PAYLOAD, _ = encoded(HEADER, START, BITS.records)


@pytest.mark.parametrize(
    ("changes", "rules", "seen"),
    [
        ({}, ALL, ("found", "found")),
        ({"step_order": "write_then_read"}, ALL, ("left", "found")),
        ({"schedule": "address_last", "step_order": "write_then_read"}, ALL, ("left", "left")),
        (
            {"step_order": "listed", "head_order": ("write", "read", "write"), "write_heads": 2},
            ALL,
            (None, "found", None),
        ),
        ({"similarity": "dot"}, {name: ALL[name] for name in list(ALL)[1:]}, (None, None)),
        ({"sharpening_epsilon": 1e-3}, {name: ALL[name] for name in list(ALL)[:3]}, ("found", "found")),
        ({"shift_edge": "zero_padded"}, ALL | {"shifted_weighting": "zero_padded"}, ("found", "found")),
    ],
)
def test_the_rules_are_those_that_fit_the_machine(
    changes: dict[str, Any], rules: dict[str, str], seen: tuple[str | None, ...]
) -> None:
    header = TraceHeader.of(small_config(**changes), 3)
    assert coding_of(header) == rules
    assert seen_memory_of(header) == seen


def test_float64_is_not_coded() -> None:
    assert coding_of(TraceHeader.of(small_config(), 3, dtype="float64")) == {}


def test_a_row_as_predicted_costs_its_width_alone() -> None:
    """g and s of one entry each leave nothing to add: one byte for the width of each such row."""
    trace = traced(MachineConfig.make(input_size=3, output_size=2, memory_size=64, word_size=4, controller_size=3))
    payload, _ = encoded(trace.header, Position.at_start(trace.initial), trace.records)
    plain = 4 * sum(trace.records[name].size for name in trace.records.dtype.names or () if name not in ALL)
    widths = np.frombuffer(payload, np.uint8)[4 + plain :][: 6 * 4 * 2].reshape(6, 4, 2)
    assert (widths[:, 1:3] == 0).all(), "eq. 3 and 4 follow to the bit"
    assert (widths[:, [0, 3]] <= 2).all()
    assert len(payload) <= 4 + plain + widths.size + 64 * int(widths.sum()) + 3


@pytest.mark.parametrize("name", ["copy-lstm", "copy-feedforward"])
def test_two_hundred_steps_of_the_paper_s_size_take_less_than_half_a_megabyte(name: str) -> None:
    machine = at_rest(load_checkpoint(zoo.path(name)).machine())
    trace = record(machine, parse_task({"name": "copy", "bits": 8, "lengths": [99, 99]}).episodes(0))
    assert (len(trace), trace["initial_memory"].shape) == (199, (128, 20))
    frames, position = (
        [wire.opening_frames(trace.header, trace.episode, trace.initial)],
        Position.at_start(trace.initial),
    )
    for start in range(0, len(trace), 20):
        frame, position = wire.steps_frame(trace.header, position, trace.records[start : start + 20])
        frames.append(frame)
    assert sum(map(len, frames)) < 450_000
    assert trace.records.nbytes > 950_000


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "says that it holds 0: it must hold 1 to 4"),
        (bytes(4), "says that it holds 0"),
        ((5).to_bytes(4, "little") + PAYLOAD[4:], "says that it holds 5: it must hold 1 to 4"),
        (b"\xff" * len(PAYLOAD), "says that it holds 4294967295"),
        (PAYLOAD[:40], "too short"),
        (PAYLOAD[:-4], "its widths ask for"),
        (PAYLOAD + bytes(4), "its widths ask for"),
        ((3).to_bytes(4, "little") + PAYLOAD[4:], "coded steps"),
    ],
)
def test_a_broken_frame_is_refused(payload: bytes, said: str) -> None:
    with pytest.raises(TraceError, match=said):
        decoded(HEADER, START, payload, 4)


@given(st.integers(0, len(PAYLOAD) - 1), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_a_damaged_frame_is_refused_or_read(place: int, byte: int) -> None:
    damaged = PAYLOAD[:place] + bytes([byte]) + PAYLOAD[place + 1 :]
    try:
        records, _ = decoded(HEADER, START, damaged, 4)
    except TraceError:
        return
    assert len(records) <= 4
