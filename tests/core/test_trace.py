"""Traces: the schema, the header, named axes, memory rebuilt bit for bit, and the episode's score."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ntm_core.config import MachineConfig
from ntm_core.errors import TraceError
from ntm_core.recording import record
from ntm_core.trace import EPISODE_FIELDS, INITIAL_FIELDS, STEP_FIELDS, Trace, TraceHeader, record_dtype
from tests.core.machines import DTYPES, any_episode, at_rest, configs, small_config, stirred


def small_trace(steps: int = 4, *, dtype: torch.dtype = torch.float32, **changes: Any) -> Trace:
    config = small_config(**changes)
    return record(at_rest(stirred(config, dtype=dtype)), any_episode(config, steps))


# Schema


def test_the_schema_is_the_one_that_is_documented() -> None:
    """A change here is a change of the file and wire formats: it needs a new version."""

    def table(fields: Any) -> list[str]:
        return [f"{field.name}({','.join(field.axes)})" for field in fields]

    assert table(EPISODE_FIELDS) == ["inputs(step,input)", "targets(step,output)", "mask(step)", "phase(step)"]
    assert table(INITIAL_FIELDS) == [
        "initial_memory(location,word)",
        "initial_weighting(head,location)",
        "initial_read_vector(read_head,word)",
        "initial_hidden(layer,controller)",
        "initial_cell(layer,controller)",
    ]
    assert table(STEP_FIELDS) == [
        "outputs(output)",
        "logits(output)",
        "key(head,word)",
        "key_strength(head)",
        "interpolation_gate(head)",
        "shift_weighting(head,shift)",
        "sharpening(head)",
        "content_weighting(head,location)",
        "gated_weighting(head,location)",
        "shifted_weighting(head,location)",
        "weighting(head,location)",
        "erase_vector(write_head,word)",
        "add_vector(write_head,word)",
        "read_vector(read_head,word)",
        "hidden(layer,controller)",
        "cell(layer,controller)",
        "memory_found(location,word)",
    ]


def test_every_field_says_what_it_means() -> None:
    assert all(field.meaning for field in (*EPISODE_FIELDS, *INITIAL_FIELDS, *STEP_FIELDS))


@pytest.mark.parametrize("controller", ["lstm", "gru", "feedforward"])
def test_only_an_lstm_has_cells(controller: str) -> None:
    names = small_trace(controller=controller).names
    assert ("cell" in names) == ("initial_cell" in names) == (controller == "lstm")
    assert "hidden" in names


@given(configs(), st.integers(1, 5))
@settings(max_examples=10)
def test_every_array_has_the_axes_that_the_header_says(config: MachineConfig, steps: int) -> None:
    trace = record(at_rest(stirred(config, dtype=torch.float32)), any_episode(config, steps))
    lengths = trace.header.axes
    for name in trace.names:
        assert trace[name].shape == tuple(lengths[axis] for axis in trace.axes(name)), name
        assert trace[name].dtype == np.dtype("<f4")
    assert len(trace) == len(trace["weighting"]) == lengths["step"] == steps
    assert lengths == {
        "step": steps, "input": config.input_size, "output": config.output_size, "head": config.heads,
        "read_head": config.read_heads, "write_head": config.write_heads, "location": config.memory_size,
        "word": config.word_size, "shift": 2 * config.shift_range + 1, "layer": config.controller_layers,
        "controller": config.controller_size,
    }  # fmt: skip


def test_a_step_is_one_packed_record_in_schema_order() -> None:
    """The wire sends `records[t]` as it lies in memory: every number of the step, nothing between."""
    trace = small_trace(read_heads=2, controller_layers=2)
    parts = [trace[field.name][2].ravel() for field in STEP_FIELDS if field.name != "memory_found"]
    assert trace.records[2:3].tobytes() == np.concatenate(parts).astype("<f4").tobytes()
    assert trace.episode.tobytes() == b"".join(trace[field.name].tobytes() for field in EPISODE_FIELDS)
    assert trace.initial.tobytes() == b"".join(trace[field.name].tobytes() for field in INITIAL_FIELDS)


def test_an_unknown_name_is_a_key_error() -> None:
    trace = small_trace()
    for look in (trace.__getitem__, trace.axes):
        with pytest.raises(KeyError, match="memory"):
            look("memory")


# A trace is never changed


def test_a_trace_cannot_be_written_to() -> None:
    trace = small_trace()
    for name in trace.names:
        with pytest.raises(ValueError, match="read-only"):
            trace[name][...] = 0
    with pytest.raises(ValueError, match="read-only"):
        trace.memory[...] = 0


def test_arrays_of_another_layout_are_refused() -> None:
    trace = small_trace()
    wrong = [
        {"records": trace.records[:-1]},
        {"records": trace.records.astype(record_dtype(trace.header.config, "step", 4, "float64"))},
        {"initial": trace.episode},
        {"episode": np.zeros(1, trace.episode.dtype)},
    ]
    for changes in wrong:
        arrays: dict[str, Any] = {
            "episode": trace.episode,
            "initial": trace.initial,
            "records": trace.records,
        } | changes
        with pytest.raises(TraceError, match=f"{next(iter(changes)).replace('records', 'step')} arrays"):
            Trace(trace.header, **arrays)


# Memory


@given(configs(), st.integers(0, 99), st.sampled_from(DTYPES))
@settings(max_examples=25)
def test_memory_is_rebuilt_bit_for_bit(config: MachineConfig, seed: int, dtype: torch.dtype) -> None:
    machine, episode = at_rest(stirred(config, seed, dtype=dtype)), any_episode(config, 4)
    machine.core = "eager"
    trace = record(machine, episode)
    with torch.inference_mode():
        start = machine.initial_state(1, 0)
        inputs = torch.from_numpy(episode.inputs).to(dtype)
        memories = [start.memory, *(result.state.memory for result in machine.run(inputs, start))]
    expected = torch.cat(memories).numpy()
    assert trace.memory.dtype == expected.dtype
    assert trace.memory.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "changes",
    [
        {"write_order": "erases_then_adds"},
        {"write_order": "one_by_one"},
        {"step_order": "write_then_read"},
        {"step_order": "listed", "head_order": ("write", "read", "write", "write", "read")},
    ],
)
def test_a_large_memory_is_rebuilt_bit_for_bit(changes: dict[str, Any], dtype: torch.dtype) -> None:
    """Wide enough for every vectorised path: 128 × 20, three write heads, twenty steps."""
    config = small_config(memory_size=128, word_size=20, read_heads=2, write_heads=3, controller_size=8, **changes)
    machine, episode = at_rest(stirred(config, dtype=dtype, scale=0.5)), any_episode(config, 20)
    machine.core = "eager"
    trace = record(machine, episode)
    with torch.inference_mode():
        results = list(machine.run(torch.from_numpy(episode.inputs).to(dtype)))
    for step, result in enumerate(results):
        assert trace.memory[step + 1].tobytes() == result.state.memory.numpy().tobytes()
    assert not np.array_equal(trace.memory[0], trace.memory[-1])


def test_the_rule_that_rebuilds_memory_in_single_rounded_operations() -> None:
    """What another language does: round to float32 after every operation, erases in head order, then adds."""
    trace = small_trace(write_heads=2, memory_size=3, word_size=2)
    f32 = np.float32
    memory = trace["initial_memory"].copy()
    for step in range(len(trace)):
        for location in range(3):
            for j in range(2):
                cell = memory[location, j]
                for head in range(2):
                    w, e = trace["weighting"][step, 1 + head, location], trace["erase_vector"][step, head, j]
                    cell = f32(cell * f32(f32(1) - f32(w * e)))
                for head in range(2):
                    w, a = trace["weighting"][step, 1 + head, location], trace["add_vector"][step, head, j]
                    cell = f32(cell + f32(w * a))
                memory[location, j] = cell
        assert memory.tobytes() == trace.memory[step + 1].tobytes()


# Score


def test_the_score_of_an_episode() -> None:
    trace = small_trace(6)
    logits, targets = trace["logits"][3:].astype(np.float64), trace["targets"][3:]
    assert trace.wrong_bits == sum((logit > 0) != bool(t) for logit, t in zip(logits.flat, targets.flat, strict=True))
    nats = [math.log1p(math.exp(-logit if t else logit)) for logit, t in zip(logits.flat, targets.flat, strict=True)]
    assert trace.loss_bits == pytest.approx(sum(nats) / math.log(2), rel=1e-12)


def test_what_was_not_recorded_has_no_score() -> None:
    """An output that is no number is not on the right side of one half."""
    trace = small_trace(6)
    records = trace.records.copy()
    records["outputs"][4, 0] = np.nan
    assert replace(trace, records=records).wrong_bits is None


def test_a_target_that_is_not_known_has_no_score() -> None:
    trace = small_trace(6)
    for step, judged in ((0, True), (4, False)):
        episode = trace.episode.copy()
        episode["targets"][step, 0] = np.nan
        unknown = replace(trace, episode=episode)
        assert (unknown.wrong_bits == trace.wrong_bits) == judged
        assert (unknown.loss_bits == trace.loss_bits) == judged
        assert judged or (unknown.wrong_bits, unknown.loss_bits) == (None, None)


def test_without_targets_there_is_no_score() -> None:
    config = small_config()
    episode = any_episode(config, 4)
    episode.mask[:] = 0
    trace = record(at_rest(stirred(config, dtype=torch.float32)), episode)
    assert trace.wrong_bits is None
    assert trace.loss_bits is None


# Header


def a_header(**changes: Any) -> dict[str, Any]:
    config = small_config(read_heads=2)
    header = TraceHeader.of(config, 5, task={"name": "copy"}, seed=3, phases=("input", "output"))
    found: dict[str, Any] = json.loads(header.model_dump_json())
    return found | changes


def test_a_header_names_everything_that_a_reader_needs() -> None:
    found = a_header()
    assert list(found) == [
        "format", "version", "dtype", "steps", "checkpoint", "seed", "initial_seed", "initial_given", "task",
        "task_note", "config", "warnings", "input_channels", "output_channels", "phases", "heads", "shifts",
        "mode", "interventions", "leave_constraints", "acting_weighting", "core", "axes", "fields",
    ]  # fmt: skip
    assert found["format"] == "ntm-scope-trace"
    assert found["version"] == 1
    assert found["heads"] == [
        {"name": "read 0", "kind": "read", "same_as": None},
        {"name": "read 1", "kind": "read", "same_as": None},
        {"name": "write 0", "kind": "write", "same_as": None},
    ]
    assert found["shifts"] == [-1, 0, 1]
    assert found["input_channels"] == ["input 0", "input 1", "input 2"]
    assert found["fields"]["step"][2] == {"name": "key", "axes": ["head", "word"]}
    assert {name: len(fields) for name, fields in found["fields"].items()} == {"episode": 4, "initial": 5, "step": 16}


@given(configs(), st.integers(1, 99), st.sampled_from(("float32", "float64")))
@settings(max_examples=30)
def test_a_header_survives_json(config: MachineConfig, steps: int, dtype: Any) -> None:
    header = TraceHeader.of(config, steps, dtype=dtype, checkpoint="c", seed=1, task={"a": [1, None]}, task_note="n")
    assert TraceHeader.parse(header.model_dump_json()) == header
    assert TraceHeader.parse(header.model_dump_json().encode()) == header


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 5000, "not JSON"),
        ("[]", "format must be 'ntm-scope-trace'"),
        ("null", "format must be 'ntm-scope-trace'"),
        ("{}", "format must be 'ntm-scope-trace', not None"),
        ('{"format": "other"}', "not 'other'"),
        ('{"format": "ntm-scope-trace"}', "version None is unknown"),
        ('{"format": "ntm-scope-trace", "version": 2}', "version 2 is unknown: this program reads version 1"),
        ('{"format": "ntm-scope-trace", "version": "1"}', "version '1' is unknown"),
        ('{"format": "ntm-scope-trace", "version": 1}', "breaks the schema"),
    ],
)
def test_a_text_that_is_no_header_is_refused(text: str | bytes, words: str) -> None:
    with pytest.raises(TraceError) as caught:
        TraceHeader.parse(text)
    assert words in str(caught.value)
    assert caught.value.code == "bad_trace"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"steps": 6}, "axes do not follow"),
        ({"dtype": "float16"}, "dtype is 'float16'"),
        ({"extra": 1}, "extra is 1"),
        ({"shifts": [-1, 0, 2]}, "shifts do not follow"),
        ({"heads": [{"name": "read 0", "kind": "read"}]}, "heads do not follow"),
        ({"fields": {"episode": [], "initial": [], "step": []}}, "fields do not follow"),
        ({"input_channels": ["a"]}, "names 1 input_channels, but the machine has 3"),
        ({"output_channels": []}, "names 0 output_channels, but the machine has 2"),
        ({"config": {"input_size": 3}}, "config.output_size"),
        ({"axes": {"step": 5}}, "axes do not follow"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(TraceError) as caught:
        TraceHeader.parse(json.dumps(a_header(**changes)))
    assert words in str(caught.value)


def test_a_header_is_frozen() -> None:
    header = TraceHeader.of(small_config(), 3)
    with pytest.raises(ValidationError, match="frozen"):
        header.steps = 4  # type: ignore[misc]


def test_a_header_of_the_wrong_channels_is_refused_at_once() -> None:
    with pytest.raises(TraceError):
        TraceHeader.of(small_config(), 3, input_channels=("only one",))


def test_a_header_without_steps_is_refused_by_the_core() -> None:
    with pytest.raises(TraceError):
        TraceHeader.of(small_config(), 0)


@pytest.mark.parametrize(
    ("config", "dtype", "words"),
    [
        (small_config(head_input="cell"), "float32", "does not know head_input = 'cell'"),
        (small_config(), "float64", "Its numbers are float64"),
    ],
)
def test_a_header_that_names_a_core_which_cannot_have_computed_is_refused(
    config: MachineConfig, dtype: Any, words: str
) -> None:
    header = TraceHeader.of(config, 3, dtype=dtype, core="compiled")
    with pytest.raises(TraceError, match=words):
        TraceHeader.parse(header.model_dump_json())


def test_a_header_from_before_there_were_two_cores_is_of_eager_mode() -> None:
    document = TraceHeader.of(small_config(), 3).model_dump(mode="json")
    del document["core"]
    assert TraceHeader.from_document(document).core == "eager"


# Parts


@given(config=configs(), data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_part_of_any_trace_has_its_steps_and_its_memories(config: MachineConfig, data: st.DataObject) -> None:
    trace = record(at_rest(stirred(config)), any_episode(config, 6))
    first = data.draw(st.integers(0, 5))
    part = trace.part(first, data.draw(st.integers(1, 6 - first)))
    last = first + len(part)
    assert part.memory.tobytes() == trace.memory[first : last + 1].tobytes()
    assert part.acting_weighting.tobytes() == trace.acting_weighting[first:last].tobytes()
    for name in (*(trace.records.dtype.names or ()), "inputs", "targets", "mask", "phase"):
        assert part[name].tobytes() == trace[name][first:last].tobytes(), name
    for name in set(trace.initial.dtype.names or ()) - {"initial_memory"}:
        if first:
            assert part[name].tobytes() == trace[name.removeprefix("initial_")][first - 1].tobytes(), name


@pytest.mark.parametrize(("first", "steps"), [(-1, 2), (0, 0), (0, 5), (3, 2), (4, 1)])
def test_a_part_beyond_the_trace_is_refused(first: int, steps: int) -> None:
    with pytest.raises(TraceError, match=f"no {steps} steps from step {first} on: the trace has 4 steps"):
        small_trace().part(first, steps)


# What Python asks of any object


def test_a_trace_is_shown_in_one_line() -> None:
    trace = small_trace(dtype=torch.float64, read_heads=2)
    assert repr(trace) == "<Trace: 4 steps, 2 read + 1 write heads, memory 5 × 4, float64, eager>"
    assert repr(small_trace(1)).startswith("<Trace: 1 step, 1 read + 1 write heads, memory 5 × 4, float32, ")


def test_a_trace_is_asked_for_its_arrays_by_name() -> None:
    trace = small_trace()
    assert "weighting" in trace
    assert "memory_found" not in trace
    assert 0 not in trace
    assert list(trace) == list(trace.keys()) == list(trace.names)
    assert all(array is trace[name] or np.array_equal(array, trace[name]) for name, array in dict(trace).items())


def test_traces_are_equal_where_they_are_one() -> None:
    trace = small_trace()
    assert trace == trace  # noqa: PLR0124  # arrays inside would make it ambiguous
    assert trace != small_trace()
    assert {trace: 1}[trace] == 1
