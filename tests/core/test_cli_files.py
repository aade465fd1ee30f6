"""The commands trace and evaluate with files of other programs, rows and initial states."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ntm_core.checkpoints.native import Checkpoint, save_checkpoint
from ntm_core.cli import REFUSED, main
from ntm_core.machine import Machine
from ntm_core.trace import Trace
from ntm_core.trace_file import load_trace
from tests.core.golden import CHECKPOINTS, EXACT, PEERS, comparison, load_golden, peers_are_absent
from tests.core.importers import programs
from tests.core.machines import small_config

with_peers = pytest.mark.skipif(peers_are_absent() is not None, reason=peers_are_absent() or "")
ROWS = [[1.0, 0.25, 0.0], [0.0, 0.0, 1.0]]


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    path = tmp_path / "ours.safetensors"
    save_checkpoint(path, Checkpoint.of(Machine(small_config())))
    return path


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A file as another program writes it: N is asked, and M_0 and r_0 are drawn anew."""
    path = tmp_path / "theirs.model"
    tensors = programs.rs9000_file()
    torch.save({name: torch.from_numpy(value.astype(np.float32)) for name, value in tensors.items()}, path)
    return path


def traced(tmp_path: Path, *words: object) -> Trace:
    output = tmp_path / "trace.npz"
    assert main(["trace", *map(str, words), "--output", str(output)]) == 0
    return load_trace(output)


def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, *words: object) -> str:
    assert main(["trace", *map(str, words), "--output", str(tmp_path / "trace.npz")]) == REFUSED
    assert not (tmp_path / "trace.npz").exists()
    return capsys.readouterr().err


def test_a_file_of_another_program_is_traced_and_measured(
    tmp_path: Path, theirs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = traced(tmp_path, theirs)
    assert trace.header.task is not None
    assert trace.header.task["name"] == "copy_layout"
    assert trace.header.initial_seed == 0
    wide = traced(tmp_path, theirs, "--import-json", '{"answers": {"memory_size": 16}}')
    assert wide.header.config.memory_size == 16
    assert main(["evaluate", str(theirs), "--lengths", "3", "--sequences", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["errors_by_length"][0]["sequences"] == 2


def test_the_seed_of_the_initial_state_decides_what_is_drawn_anew(tmp_path: Path, theirs: Path) -> None:
    one, again, other = (traced(tmp_path, theirs, "--initial-seed", seed) for seed in (1, 1, 2))
    assert one.records.tobytes() == again.records.tobytes()
    assert one["initial_memory"].tobytes() != other["initial_memory"].tobytes()


@pytest.mark.parametrize("suffix", ["json", "npy", "npz"])
def test_rows_come_from_a_file(tmp_path: Path, ours: Path, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    if suffix == "json":
        path.write_text(json.dumps(ROWS))
    elif suffix == "npy":
        np.save(path, np.array(ROWS))
    else:
        np.savez(path, inputs=np.array(ROWS))
    trace = traced(tmp_path, ours, "--inputs", path)
    assert trace["inputs"].tolist() == ROWS
    assert (trace.header.seed, trace.header.task) == (None, None)
    assert trace.header.task_note == "no task is named, so nothing is asked of the machine"


@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_the_state_before_step_1_comes_from_a_file(tmp_path: Path, ours: Path, suffix: str) -> None:
    memory, weighting = np.random.RandomState(0).normal(size=(5, 4)), np.full((2, 5), 0.25)
    path, rows = tmp_path / f"state.{suffix}", tmp_path / "rows.json"
    rows.write_text(json.dumps(ROWS))
    if suffix == "json":
        path.write_text(json.dumps({"memory": memory.tolist(), "weighting": weighting.tolist()}))
    else:
        np.savez(path, initial_memory=memory, initial_weighting=weighting, something="else")
    trace = traced(tmp_path, ours, "--inputs", rows, "--initial-state", path)
    assert trace.header.initial_given == ("memory", "weighting")
    np.testing.assert_array_equal(trace["initial_memory"], memory.astype(np.float32))


def test_a_trace_goes_on_from_the_initial_state_of_another(tmp_path: Path, ours: Path) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps(ROWS))
    first = traced(tmp_path, ours, "--inputs", rows)
    (tmp_path / "trace.npz").rename(tmp_path / "first.npz")
    again = traced(tmp_path, ours, "--inputs", tmp_path / "first.npz", "--initial-state", tmp_path / "first.npz")
    assert again.records.tobytes() == first.records.tobytes()


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--inputs", "[", "cannot be read"),
        ("--inputs", "[[1, 2, 3], [1]]", "must be numbers in rows of one length"),
        ("--inputs", "[]", "the rows have shape (0,)"),
        ("--inputs", "[[1, 2, NaN]]", "the rows hold nan"),
        ("--inputs", "[[1, 2]]", "2 input channels"),
        ("--inputs", '{"rows": []}', "the rows"),
        ("--initial-state", "[1]", "must be a JSON object"),
        ("--initial-state", '{"memory": [[1]]}', "the initial memory has shape (1, 1): it must be (5, 4)"),
        ("--initial-state", '{"colour": [[1]]}', "no part 'colour'"),
        ("--initial-state", '{"memory": "x"}', "must be numbers"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    tmp_path: Path, ours: Path, capsys: pytest.CaptureFixture[str], option: str, content: str, said: str
) -> None:
    path, rows = tmp_path / "given.json", tmp_path / "rows.json"
    path.write_text(content)
    rows.write_text(json.dumps(ROWS))
    words: list[object] = [ours, option, path] if option == "--inputs" else [ours, "--inputs", rows, option, path]
    assert said in refused(capsys, tmp_path, *words)


def test_a_pickled_array_is_refused(tmp_path: Path, ours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "rows.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert "cannot be read" in refused(capsys, tmp_path, ours, "--inputs", tmp_path / "rows.npy")


@pytest.mark.parametrize("option", ["--inputs", "--initial-state"])
@pytest.mark.parametrize("suffix", ["npz", "npy"])
def test_a_damaged_file_of_numpys_is_refused(
    tmp_path: Path, ours: Path, capsys: pytest.CaptureFixture[str], option: str, suffix: str
) -> None:
    path = tmp_path / f"given.{suffix}"
    (np.savez if suffix == "npz" else np.save)(path, np.arange(3000.0).reshape(1000, 3))
    np.save(tmp_path / "rows.npy", ROWS)
    sound = path.read_bytes()
    rows: list[object] = [] if option == "--inputs" else ["--inputs", tmp_path / "rows.npy"]
    damaged = [sound[: len(sound) // 2], b"\0" * 9, b"", b"text", sound[:6]]
    if suffix == "npz":
        damaged.append(sound[:5000] + b"\xff" * 9 + sound[5009:])
    for data in damaged:
        path.write_bytes(data)
        told = refused(capsys, tmp_path, ours, *rows, option, path)
        assert told.startswith(f"ntm-scope: {path} ")
        assert "unsafe" not in told
        assert ("is named as a file of numpy's, but is none" in told) == (data[:2] != sound[:2])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--inputs", "missing.json"), "cannot be read"),
        (("--initial-seed", "-1"), "--initial-seed is -1"),
        (("--import-json", '{"colour": 1}'), "--import-json has ['colour']"),
        (("--import-json", '{"variant": "x"}'), "there is no variant 'x'"),
        (("--import-json", "["), "--import-json is '['"),
        (("--import-json", '{"answers": 5}'), "the wish answers is 5: it must be an object"),
        (("--import-json", '{"choices": [1]}'), "the wish choices is [1]: it must be an object"),
        (("--import-json", '{"importer": 1}'), "the wish importer is 1: it must be a name"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    tmp_path: Path, theirs: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert said in refused(capsys, tmp_path, theirs, *words)


def test_rows_that_float32_does_not_hold_are_refused(
    tmp_path: Path, ours: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "rows.npy", 1e300 * np.array(ROWS))
    assert "all must be finite in float32" in refused(capsys, tmp_path, ours, "--inputs", tmp_path / "rows.npy")


def test_nothing_can_be_wished_of_what_came_with_the_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory of the same name does not stand in its way."""
    (tmp_path / "copy-lstm").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "leave --import-json out" in refused(capsys, tmp_path, "copy-lstm", "--import-json", '{"variant": "x"}')
    assert traced(tmp_path, "copy-lstm").header.checkpoint == "copy-lstm"


def interventions(tmp_path: Path, *asked: dict[str, Any]) -> tuple[str, Path]:
    (tmp_path / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    return "--interventions", tmp_path / "asked.json"


def test_a_mode_and_interventions_change_what_is_recorded(tmp_path: Path, ours: Path) -> None:
    np.save(tmp_path / "rows.npy", ROWS)
    rows = ("--inputs", tmp_path / "rows.npy")
    plain = traced(tmp_path, ours, *rows)
    (tmp_path / "trace.npz").rename(tmp_path / "plain.npz")
    late = {"quantity": "key", "operation": "set", "steps": [1, 2], "value": 0.25}
    trace = traced(tmp_path, ours, *rows, "--mode", "no_read", *interventions(tmp_path, late))
    assert trace.header.mode == "no_read"
    assert [asked.quantity for asked in trace.header.interventions] == ["read_vector", "key"]
    assert not trace["read_vector"].any()
    assert (trace["key"][1] == 0.25).all()
    taking = {"quantity": "key", "operation": "take", "source": "plain", "steps": [1, 2], "offset": -1}
    trace = traced(tmp_path, ours, *rows, *interventions(tmp_path, taking), "--source", f"plain={tmp_path}/plain.npz")
    assert trace["key"][1].tobytes() == plain["key"][0].tobytes()
    left = {"quantity": "sharpening", "operation": "set", "value": 0.5}
    trace = traced(tmp_path, ours, *rows, *interventions(tmp_path, left), "--leave-constraints")
    assert trace.violation is not None
    assert (trace.violation.step, trace.violation.head, trace.violation.value) == (0, "read 0", 0.5)


@pytest.mark.parametrize(
    ("asked", "words", "said"),
    [
        ({"quantity": "sharpening", "operation": "set", "value": 0.5}, (), "sharpening is 0.5: it must be at least 1"),
        ({"quantity": "key", "operation": "set"}, (), "value is missing: set needs one"),
        ({"quantity": "key", "operation": "set", "value": "x"}, (), "asked.json: 0.value is 'x': "),
        ({"quantity": "key", "operation": "take", "source": "a"}, ("--source", "a"), "--source is 'a'"),
        ({"quantity": "key", "operation": "take", "source": "a"}, (), "there is no such trace"),
    ],
)
def test_an_intervention_that_cannot_be_made_is_refused(
    tmp_path: Path, ours: Path, capsys: pytest.CaptureFixture[str], asked: dict[str, Any], words: Any, said: str
) -> None:
    np.save(tmp_path / "rows.npy", ROWS)
    rows = ("--inputs", tmp_path / "rows.npy")
    assert said in refused(capsys, tmp_path, ours, *rows, *interventions(tmp_path, asked), *words)


@with_peers
@pytest.mark.parametrize("name", ["vlgiitr-copy-10", "lasagne-copy-0", "fumin-copy-seed2-0"])
def test_a_recorded_run_is_reproduced_from_the_command_line(tmp_path: Path, name: str) -> None:
    golden = load_golden(name)
    file = PEERS / "checkpoints" / CHECKPOINTS[name]
    np.save(tmp_path / "rows.npy", golden.arrays["input"])
    config = traced(tmp_path, file, "--inputs", tmp_path / "rows.npy").header.config
    state: dict[str, Any] = golden.initial(config)
    np.savez(tmp_path / "state.npz", **state)
    trace = traced(tmp_path, file, "--inputs", tmp_path / "rows.npy", "--initial-state", tmp_path / "state.npz")
    found = comparison(golden, trace)
    assert all(found[quantity] <= (1e-6 if golden.double else 1e-4) for quantity in EXACT)
    assert all(difference <= 1e-3 for difference in found.values())
