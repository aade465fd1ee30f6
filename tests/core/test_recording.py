"""Recording: the same bits as the machine's own forward by the same core, without leaving a mark on the machine."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core.compiled import Core
from ntm_core.compiled.buffers import sizes_of
from ntm_core.compiled.plan import work_of_a_step
from ntm_core.config import MachineConfig
from ntm_core.errors import TraceError
from ntm_core.interventions import Intervention
from ntm_core.machine import Machine, StepResult
from ntm_core.recording import Recording, record
from ntm_core.trace import Trace, TraceHeader, memory_after_writes
from tests.core.machines import DTYPES, any_episode, at_rest, configs, every_alternative, name_of, small_config, stirred


def tensors_of(result: StepResult) -> dict[str, torch.Tensor]:
    found = {"outputs": result.outputs, "logits": result.logits, "read_vector": result.read_vector}
    found |= {"hidden": result.state.controller.hidden} | vars(result.parameters) | vars(result.weightings)
    cell = result.state.controller.cell
    return found if cell is None else found | {"cell": cell}


def assert_recorded(machine: Machine, steps: int = 3) -> None:
    """Every array of the trace equals what a forward run of the machine computes: the same core's bit for bit."""
    episode = any_episode(machine.config, steps)
    inputs = torch.from_numpy(episode.inputs).to(machine.output.weight.dtype)
    start = machine.initial_state(1, 0)
    trace = record(machine, episode)
    assert trace.header.core == machine.usable_core()
    assert trace["logits"].tobytes() == machine(inputs, start)[:, 0].detach().numpy().tobytes()
    core, machine.core = machine.core, "eager"
    eager = record(machine, episode)
    assert eager.header.core == "eager"
    assert eager["logits"].tobytes() == machine(inputs, start)[:, 0].detach().numpy().tobytes()
    results = list(machine.run(inputs, start))
    machine.core = core
    assert set(tensors_of(results[0])) == set(trace.records.dtype.names or ())
    for step, result in enumerate(results):
        for name, tensor in tensors_of(result).items():
            assert eager[name][step].tobytes() == tensor[0].detach().numpy().tobytes(), name
            np.testing.assert_allclose(trace[name][step], eager[name][step], rtol=1e-5, atol=1e-5, err_msg=name)
    firsts = {"memory": start.memory, "weighting": start.weighting, "read_vector": start.read_vector}
    firsts |= {"hidden": start.controller.hidden}
    firsts |= {} if start.controller.cell is None else {"cell": start.controller.cell}
    for name, tensor in firsts.items():
        assert trace[f"initial_{name}"].tobytes() == tensor[0].detach().numpy().tobytes(), name
    for name in ("inputs", "targets", "mask"):
        assert np.array_equal(trace[name], getattr(episode, name)[:, 0])
    assert np.array_equal(trace["phase"], episode.phase)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("changes", every_alternative(), ids=name_of)
def test_recording_is_the_forward_run_bit_for_bit(changes: dict[str, Any], dtype: torch.dtype) -> None:
    assert_recorded(at_rest(stirred(small_config(**changes), dtype=dtype)))


@given(configs(), st.integers(0, 99), st.sampled_from(DTYPES))
@settings(max_examples=15)
def test_recording_any_machine_is_its_forward_run(config: MachineConfig, seed: int, dtype: torch.dtype) -> None:
    assert_recorded(at_rest(stirred(config, seed, dtype=dtype)), steps=3)


def test_recording_the_default_machine_is_its_forward_run() -> None:
    assert_recorded(at_rest(Machine(MachineConfig.make(input_size=9, output_size=8))), steps=30)


@pytest.mark.parametrize("changes", [{}, {"initial_memory": "constant"}, {"controller": "gru"}], ids=name_of)
def test_a_machine_that_is_being_trained_can_be_recorded(changes: dict[str, Any]) -> None:
    machine = stirred(small_config(**changes), dtype=torch.float32)
    assert_recorded(machine)
    assert all(parameter.requires_grad for parameter in machine.parameters())


def in_blocks_of(steps: int, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the compiled core compute so many steps of this machine at a time."""
    work = work_of_a_step(sizes_of(machine.config, 1, 1, kept=False))
    monkeypatch.setattr("ntm_core.compiled.recorded_run.MILLISECOND", steps * work)


@pytest.mark.parametrize("core", ["compiled", "eager"])
def test_a_step_is_complete_when_its_index_is_given(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    machine.core = core
    in_blocks_of(4, machine, monkeypatch)
    episode = any_episode(machine.config, 9)
    finished = record(machine, episode)
    recording = Recording(machine, episode)
    given = []
    for step in recording.run():
        given.append(step)
        assert recording.records[: step + 1].tobytes() == finished.records[: step + 1].tobytes()
        assert not recording.records[step + 1 :].tobytes().strip(b"\0")
    assert given == (list(range(9)) if core == "eager" else [3, 7, 8])


def test_inference_mode_ends_where_the_caller_has_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    in_blocks_of(1, machine, monkeypatch)
    for _ in Recording(machine, any_episode(machine.config, 3)).run():
        assert not torch.is_inference_mode_enabled()


def test_recordings_of_one_machine_may_interleave(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    in_blocks_of(1, machine, monkeypatch)
    episodes = [any_episode(machine.config, 5, seed=seed) for seed in (1, 2)]
    apart = [record(machine, episode) for episode in episodes]
    recordings = [Recording(machine, episode) for episode in episodes]
    for _ in zip(*(recording.run() for recording in recordings), strict=True):
        pass
    for recording, expected in zip(recordings, apart, strict=True):
        assert recording.trace().records.tobytes() == expected.records.tobytes()


def test_a_recording_may_be_left_at_any_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that goes away closes the generator; the machine is as before."""
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    in_blocks_of(1, machine, monkeypatch)
    episode = any_episode(machine.config, 5)
    before = record(machine, episode)
    running = Recording(machine, episode).run()
    next(running)
    running.close()  # type: ignore[attr-defined]
    assert not torch.is_inference_mode_enabled()
    assert record(machine, episode).records.tobytes() == before.records.tobytes()


def test_recording_leaves_the_episode_and_the_machine_alone() -> None:
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    episode = any_episode(machine.config, 4)
    arrays = {name: getattr(episode, name).copy() for name in ("inputs", "targets", "mask", "phase")}
    tensors = {name: value.clone() for name, value in machine.state_dict().items()}
    record(machine, episode)
    assert all(np.array_equal(getattr(episode, name), array) for name, array in arrays.items())
    assert all(torch.equal(machine.state_dict()[name], value) for name, value in tensors.items())
    episode.inputs[0] = 1  # still its own array, and writeable


def test_the_header_that_is_given_is_the_trace_header() -> None:
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    header = TraceHeader.of(machine.config, 4, checkpoint="mine", seed=9, phases=("input", "output"))
    assert record(machine, any_episode(machine.config, 4), header).header is header


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_header_that_is_made_has_the_episode_phases_and_the_machine_dtype(dtype: torch.dtype) -> None:
    machine = at_rest(stirred(small_config(), dtype=dtype))
    header = record(machine, any_episode(machine.config, 4)).header
    assert header.phases == ("input", "output")
    assert header.dtype == str(dtype).removeprefix("torch.")


@pytest.mark.parametrize(
    ("changes", "batch", "words"),
    [
        ({}, 2, "the episode holds 2 sequences"),
        ({"input_size": 4}, 1, "the episode has 4 input channels, but the machine takes 3"),
        ({"output_size": 5}, 1, "the episode has 5 target channels, but the machine gives 2"),
    ],
)
def test_an_episode_that_does_not_fit_is_refused(changes: dict[str, Any], batch: int, words: str) -> None:
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    with pytest.raises(TraceError, match=words):
        Recording(machine, any_episode(small_config(**changes), 4, batch=batch))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"inputs": np.zeros((4, 3), np.float32)},
            "the episode's inputs have the shape (4, 3): it must be (",
        ),
        ({"targets": np.zeros((5, 1, 2))}, "the episode's targets has the shape (5, 1, 2): it must be (4, 1, 2)"),
        ({"targets": np.zeros(8)}, "the episode's targets has the shape (8,): it must be (4, 1, 2)"),
        ({"mask": np.ones((4, 2))}, "the episode's mask has the shape (4, 2): it must be (4, 1)"),
        ({"mask": np.full((4, 1), 0.5)}, "array 'mask' holds 0.5: it must be a whole number of 0 … 1"),
        ({"phase": np.zeros((4, 1), np.int64)}, "the episode's phase has the shape (4, 1): it must be (4,)"),
        ({"phase": np.full(4, 7)}, "array 'phase' holds 7: it must be a whole number of 0 … 1"),
        ({"phase": np.full(4, -1)}, "array 'phase' holds -1: it must be a whole number of 0 … 1"),
        ({"phases": ()}, "the header's phases is []: at least one must be named"),
    ],
)
def test_an_episode_whose_file_could_not_be_read_is_refused(changes: dict[str, Any], words: str) -> None:
    episode = replace(any_episode(small_config(), 4), **changes)
    with pytest.raises(TraceError, match=re.escape(words)):
        record(at_rest(stirred(small_config(), dtype=torch.float32)), episode)


@pytest.mark.parametrize(
    ("steps", "dtype", "words"),
    [(5, "float32", "says 5 steps in float32, but the run has 4"), (4, "float64", "4 steps in float64, but")],
)
def test_a_header_that_does_not_fit_is_refused(steps: int, dtype: Any, words: str) -> None:
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    with pytest.raises(TraceError, match=words):
        Recording(machine, any_episode(machine.config, 4), TraceHeader.of(machine.config, steps, dtype=dtype))


@pytest.mark.parametrize("changes", [{"write_order": "one_by_one"}, {"memory_size": 6}], ids=name_of)
def test_a_header_of_another_machine_is_refused(changes: dict[str, Any]) -> None:
    machine = at_rest(stirred(small_config(write_heads=2), dtype=torch.float32))
    other = TraceHeader.of(small_config(write_heads=2, **changes), 4)
    with pytest.raises(TraceError):
        Recording(machine, any_episode(machine.config, 4), other)


def test_a_recording_that_has_not_ended_gives_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    in_blocks_of(1, machine, monkeypatch)
    recording = Recording(machine, any_episode(machine.config, 4))
    next(recording.run())
    with pytest.raises(TraceError):
        recording.trace()


def test_a_machine_in_half_precision_is_refused_by_name() -> None:
    machine = at_rest(stirred(small_config())).to(torch.bfloat16)
    with pytest.raises(TraceError, match="bfloat16"):
        Recording(machine, any_episode(machine.config, 4))


def test_a_header_says_which_core_computes() -> None:
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    episode = any_episode(machine.config, 4)
    traces: dict[Core, Trace] = {}
    cores: tuple[Core, ...] = ("compiled", "eager")
    for core in cores:
        traces[core] = record(machine, episode, TraceHeader.of(machine.config, 4, core=core, phases=episode.phases))
        assert traces[core].header.core == core
    assert traces["compiled"].records.tobytes() != traces["eager"].records.tobytes()
    with pytest.raises(TraceError, match="it is eager, and the trace was computed compiled"):
        record(machine, episode, traces["eager"].header, resume=(traces["compiled"], 2))
    machine.core = "eager"
    with pytest.raises(TraceError, match="the compiled core computes: it cannot compute this machine here"):
        Recording(machine, episode, traces["compiled"].header)


CORES: tuple[Core, ...] = ("compiled", "eager")
LATE = Intervention(quantity="key", operation="set", value=0.0, steps=(298, 300))


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("changes", [{}, {"write_heads": 2}, {"memory_size": 200, "word_size": 20}], ids=name_of)
def test_the_memories_that_a_recording_keeps_are_those_that_its_trace_rebuilds(
    changes: dict[str, Any], core: Core
) -> None:
    machine = at_rest(stirred(small_config(**changes), dtype=torch.float32))
    episode = any_episode(machine.config, 300)
    trace = record(machine, episode, TraceHeader.of(machine.config, 300, core=core, phases=episode.phases))
    plain = Trace(trace.header, trace.episode, trace.initial, trace.records)
    assert trace.landmarks
    for steps, memory in trace.landmarks.items():
        assert memory.tobytes() == plain.memory[steps].tobytes()
    assert trace.memory_after(299).tobytes() == plain.memory[299].tobytes()
    assert sum(memory.nbytes for memory in trace.landmarks.values()) <= trace.records.nbytes / 8


@pytest.mark.parametrize("core", CORES)
def test_an_edit_of_the_last_steps_of_a_long_run_costs_only_these(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = at_rest(stirred(small_config(), dtype=torch.float32))
    episode = any_episode(machine.config, 300)
    whole = record(machine, episode, TraceHeader.of(machine.config, 300, core=core, phases=episode.phases))
    header = TraceHeader.of(machine.config, 300, core=core, interventions=(LATE,), phases=episode.phases)
    expected = record(machine, episode, header)
    rebuilt: list[int] = []

    def counted(*arguments: Any, **named: Any) -> Any:
        rebuilt.append(1)
        return memory_after_writes(*arguments, **named)

    monkeypatch.setattr("ntm_core.trace.memory_after_writes", counted)
    once = record(machine, episode, header, resume=(whole, 298))
    again = record(machine, episode, header, resume=(once, 297))
    assert len(rebuilt) <= 2 * 2 * 64
    for resumed in (once, again):
        assert resumed.records.tobytes() == expected.records.tobytes()
        assert resumed.landmarks.keys() == whole.landmarks.keys()


def test_a_machine_elsewhere_is_asked_to_the_cpu() -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    episode = any_episode(machine.config, 3)
    with pytest.raises(TraceError, match="the machine is on meta: move it to the CPU"):
        record(machine.to("meta"), episode)


def test_a_machine_of_half_precision_says_what_it_can_compute_in() -> None:
    machine = stirred(small_config(), dtype=torch.float32).to(torch.bfloat16)
    with pytest.raises(ValueError, match=r"the machine computes in torch\.bfloat16: it can in float32 and in float64"):
        machine(torch.zeros(3, 1, 3, dtype=torch.bfloat16))


def test_what_the_readme_does_from_python(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    words = readme.partition("<!-- python -->\n```python\n")[2].partition("```")[0]
    exec(compile(words, "README.md", "exec"), {})  # noqa: S102 - the README's own words
    focus, wrong, more = map(float, capsys.readouterr().out.split())
    assert 0 <= focus < 128
    assert wrong == 0 < more
