"""Traces out of a training pass, beside recordings of the same sequences."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ntm_core.errors import TraceError
from ntm_core.machine import Machine
from ntm_core.recording import record, trace_of_training
from ntm_core.tasks.episode import Episode
from ntm_core.training.loss import sequence_loss
from tests.core.compiled.choices import SEEDED
from tests.core.machines import name_of, small_config, stirred

STEPS, BATCH = 19, 3


def episode_for(machine: Machine) -> Episode:
    random, config = np.random.default_rng(0), machine.config
    inputs = random.standard_normal((STEPS, BATCH, config.input_size)).astype(np.float32)
    targets = random.integers(0, 2, (STEPS, BATCH, config.output_size)).astype(np.float32)
    phase = np.repeat([0, 1], [9, 10])
    return Episode(inputs, targets, random.integers(0, 2, (STEPS, BATCH)).astype(np.float32), phase, ("in", "out"))


def assert_traces_are_recordings(machine: Machine) -> None:
    episode = episode_for(machine)
    logits = machine(torch.from_numpy(episode.inputs))
    for when in ("before backward", "after it"):
        for sequence in range(BATCH):
            found = trace_of_training(machine, episode, logits, sequence)
            expected = record(machine, episode.one(sequence))
            assert found.header == expected.header
            for name in expected.records.dtype.names or ():
                assert found[name].tobytes() == expected[name].tobytes(), (when, sequence, name)
            assert found.initial.tobytes() == expected.initial.tobytes()
            assert found.episode.tobytes() == expected.episode.tobytes()
            assert found.memory_after(STEPS).tobytes() == expected.memory_after(STEPS).tobytes()
        if when == "before backward":
            given = torch.from_numpy(episode.targets), torch.from_numpy(episode.mask)
            sequence_loss(logits, *given).backward()


@pytest.mark.parametrize("changes", SEEDED, ids=name_of)
def test_a_trace_of_training_is_the_recording_of_the_sequence_bit_for_bit(changes: dict[str, Any]) -> None:
    assert_traces_are_recordings(stirred(small_config(memory_size=9, **changes), scale=0.6, dtype=torch.float32))


def test_several_heads_and_layers_have_their_places() -> None:
    sizes = {"read_heads": 2, "write_heads": 3, "controller_layers": 3, "shift_range": 2}
    assert_traces_are_recordings(stirred(small_config(memory_size=17, **sizes), scale=0.3, dtype=torch.float32))


def test_the_loop_in_the_readme_gives_traces(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    loop = readme.partition("<!-- tape -->\n```python\n")[2].partition("```")[0]
    exec(compile(loop, "README.md", "exec"), {})  # noqa: S102 - the README's own words
    assert capsys.readouterr().out == "(11, 2, 128)\n"


def test_what_keeps_no_tape_has_no_trace() -> None:
    machine = stirred(small_config(), dtype=torch.float32)
    episode = episode_for(machine)
    inputs = torch.from_numpy(episode.inputs)
    with torch.no_grad():
        untaped = machine(inputs)
    with pytest.raises(TraceError, match="the logits keep no tape: the compiled core must have computed them"):
        trace_of_training(machine, episode, untaped)
    taped = machine(inputs)
    with pytest.raises(TraceError, match="the logits keep no tape"):
        trace_of_training(machine, episode, 2 * taped)
    with pytest.raises(TraceError, match="the logits are not those of this machine and episode"):
        trace_of_training(machine, episode.one(0), taped)
    noisy = machine(inputs + 0.1)
    with pytest.raises(TraceError, match="not those of this episode: the machine was given other inputs"):
        trace_of_training(machine, episode, noisy)
    for sequence in (-1, BATCH):
        with pytest.raises(TraceError, match=f"sequence is {sequence}: the batch has sequences 0 … 2"):
            trace_of_training(machine, episode, taped, sequence)
    machine.core = "eager"
    with pytest.raises(TraceError, match="the logits keep no tape"):
        trace_of_training(machine, episode, machine(inputs))
