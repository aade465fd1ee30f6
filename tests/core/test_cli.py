"""The commands train, evaluate and trace, as a person gives them."""

import argparse
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ntm_core import cli, zoo
from ntm_core.checkpoints.native import Checkpoint, load_checkpoint, save_checkpoint
from ntm_core.cli import REFUSED, STOPPED, UNREAD, main
from ntm_core.compiled import Crew
from ntm_core.compiled.crew import one_by_one
from ntm_core.config import MachineConfig
from ntm_core.interventions import MODES
from ntm_core.machine import Machine
from ntm_core.recording import record
from ntm_core.tasks import TASKS, Copy, parse_task
from ntm_core.trace_file import load_trace
from ntm_core.training import Recipe, metrics
from ntm_core.training.recipe import default_recipe
from ntm_core.training.session import saved_plan

SMALL = [
    *("train", "copy", "--task-json", '{"bits": 2, "lengths": [1, 2]}', "--seed", "3", "--evaluate-every", "4"),
    *("--memory-size", "8", "--word-size", "4", "--controller-size", "8", "--converged-below", "0"),
]
LIMIT = ("--max-iterations", "10")
BOUNDLESS = ("--max-iterations", "1000000")


MEASURING_LITTLE = """
import sys
from ntm_core.cli import main
from ntm_core.training import metrics
metrics.FIXED_BATCHES = 2
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def measure_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "FIXED_BATCHES", 2)
    monkeypatch.setattr(Copy, "evaluation_lengths", (1, 2))


@pytest.fixture(autouse=True)
def keep_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    config = MachineConfig(input_size=3, output_size=2, memory_size=8, word_size=4, controller_size=8)
    task = Copy(bits=2, lengths=(1, 2)).model_dump(mode="json")
    path = tmp_path / "small.safetensors"
    save_checkpoint(path, Checkpoint.of(Machine(config, 5), task=task))
    return path


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[-1]


# --- train ------------------------------------------------------------------------------------------------------------


def train_with(crew_of: Callable[[int], Crew], *words: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_commands(parser.add_subparsers(), crew_of)
    arguments = parser.parse_args([*SMALL, *LIMIT, *words])
    status: int = arguments.run(arguments)
    return status


def test_as_many_threads_are_lent_as_are_asked_for_and_change_no_bit(tmp_path: Path) -> None:
    """With 120 locations PyTorch's own threads would change some."""
    lent: list[int] = []

    def lend(threads: int) -> Crew:
        lent.append(threads)
        return Crew(threads, one_by_one)

    for threads in ("1", "3"):
        words = ("--memory-size", "120", "--batch", "8", "--threads", threads)
        assert train_with(lend, *words, "--out", str(tmp_path / threads)) == 0
    assert lent == [1, 3]
    one, three = (load_checkpoint(tmp_path / threads / "final.safetensors").tensors for threads in ("1", "3"))
    assert all(torch.equal(value, three[name]) for name, value in one.items())


def test_train_leaves_a_trained_checkpoint_and_tells_its_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SMALL, *LIMIT, "--out", str(tmp_path / "run")]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Did not converge; 10 iterations in ")
    assert [line.split()[:4] for line in told.out.splitlines()[2:]] == [
        ["1", "3", "100", told.out.splitlines()[2].split()[3]],
        ["2", "5", "100", told.out.splitlines()[3].split()[3]],
    ]
    final = load_checkpoint(tmp_path / "run" / "final.safetensors")
    assert final.training is not None
    assert (final.training["seed"], final.training["iterations"]) == (3, 10)
    assert (final.config.memory_size, final.config.word_size, final.config.controller) == (8, 4, "lstm")


def test_the_bar_shows_loss_wrong_bits_speed_and_time_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, *LIMIT, "--batch", "3", "--out", str(tmp_path)]) == 0
    bar = capsys.readouterr().err
    assert "30.0/30.0 [" in bar
    for part in ("seq/s", "loss ", " bits/seq, wrong ", "<00:00"):
        assert part in bar


def test_a_converged_run_says_when(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*SMALL, *LIMIT, "--converged-below", "100", "--extra", "2", "--out", str(tmp_path)]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("Converged at iteration 0; 2 iterations in ")


def test_the_same_command_finds_the_run_finished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*SMALL, *LIMIT, "--out", str(tmp_path)]
    assert main(words) == 0
    before = (tmp_path / "metrics.jsonl").read_text()
    assert main(words) == 0
    assert (tmp_path / "metrics.jsonl").read_text() == before
    assert capsys.readouterr().out.count("Did not converge; 10 iterations") == 2


def test_a_finished_run_is_resumed_with_another_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, *LIMIT, "--out", str(tmp_path)]) == 0
    assert main(["train", "--resume", str(tmp_path), "--max-iterations", "12"]) == 0
    assert "12 iterations" in capsys.readouterr().out


def test_machine_and_recipe_are_what_the_options_say(tmp_path: Path) -> None:
    words = [
        *("--controller", "gru", "--shift-range", "2", "--clip", "none", "--key-activation", "tanh"),
        *("--step-order", "listed", "--head-order", "write", "read", "--write-order", "one_by_one"),
        *("--learning-rate", "1e-2", "--clip-norm", "none", "--batch", "7"),
    ]
    assert main([*SMALL, "--max-iterations", "1", *words, "--out", str(tmp_path)]) == 0
    plan = saved_plan(tmp_path)
    assert (plan.config.controller, plan.config.shift_range, plan.config.clip) == ("gru", 2, None)
    assert (plan.config.key_activation, plan.config.write_order) == ("tanh", "one_by_one")
    assert (plan.config.step_order, plan.config.head_order) == ("listed", ("write", "read"))
    assert (plan.recipe.learning_rate, plan.recipe.clip_norm, plan.recipe.batch) == (0.01, None, 7)


def test_the_defaults_are_those_of_the_task(tmp_path: Path) -> None:
    words = ["--max-iterations", "1", "--memory-size", "8", "--controller-size", "8", "--out", str(tmp_path)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TASKS["associative_recall"], "evaluation_lengths", (2,))
        assert main(["train", "associative_recall", *words]) == 0
    plan = saved_plan(tmp_path)
    recipe = default_recipe("associative_recall", "lstm") | {"max_iterations": 1}
    assert (plan.recipe, plan.seed) == (Recipe(**recipe), 0)
    assert (plan.config.input_size, plan.config.output_size) == (8, 6)
    assert plan.task == parse_task({"name": "associative_recall"})


def test_a_run_goes_by_default_into_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*SMALL, *LIMIT, "--controller", "feedforward"]) == 0
    assert (tmp_path / "runs" / "copy-feedforward-seed-3" / "final.safetensors").exists()


@pytest.mark.parametrize(("core", "threads"), [("eager", 2), ("compiled", 1)])
def test_a_run_that_goes_on_has_pytorchs_threads_where_it_is_pytorch_that_computes(
    tmp_path: Path, core: str, threads: int
) -> None:
    assert main([*SMALL, *LIMIT, "--core", core, "--out", str(tmp_path)]) == 0
    assert main(["train", "--resume", str(tmp_path), "--max-iterations", "12", "--threads", "2"]) == 0
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "ntm-scope: TASK is missing: name one of copy, repeat_copy, .*, or give --resume DIR"),
        ([*SMALL, "--memory-size", "0"], "ntm-scope: memory_size is '0': .* greater than or equal to 1"),
        ([*SMALL, "--clip", "wide"], "ntm-scope: clip is 'wide': .* valid number"),
        ([*SMALL, "--step-order", "listed"], "ntm-scope: step_order is 'listed' but head_order is missing"),
        ([*SMALL, "--learning-rate", "-1"], "ntm-scope: learning_rate is '-1': .* greater than 0"),
        ([*SMALL, "--batch", "none"], "ntm-scope: batch is 'none': .* valid integer"),
        ([*SMALL, "--seed", "x"], "ntm-scope: seed is 'x': .* valid integer"),
        ([*SMALL, "--seed", "-1"], "ntm-scope: seed is '-1': .* greater than or equal to 0"),
        ([*SMALL, "--threads", "0"], r"ntm-scope: --threads is 0: it must be 1 … \d+$"),
        ([*SMALL, "--threads", "100000"], r"ntm-scope: --threads is 100000: it must be 1 … \d+$"),
        ([*SMALL, "--threads", "99999999999"], r"ntm-scope: --threads is 99999999999: it must be 1 … \d+$"),
        ([*SMALL, "--task-json", "{"], "ntm-scope: --task-json is '{', which is not JSON: "),
        ([*SMALL, "--task-json", "[1]"], r"ntm-scope: --task-json is '\[1\]': it must be an object of settings"),
        ([*SMALL, "--task-json", '{"bits": 0}'], "ntm-scope: copy.bits is 0: .* greater than or equal to 1"),
        (["train", "--resume", "nowhere"], r"ntm-scope: nowhere holds no run to resume: it has no state\.safetensors"),
        (["train", "copy", "--resume", "x"], "ntm-scope: task is given as copy, but --resume takes it from the run"),
        (["train", "--resume", "x", "--word-size", "3"], "ntm-scope: word_size is given as 3, but --resume takes it"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_a_bad_argument_is_refused_in_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == REFUSED
    assert re.match(message, said(capsys))
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize(
    "words",
    [[], ["train", "juggling"], ["train", "copy", "--controller", "abacus"], ["train", "copy", "--memory", "8"]],
    ids=str,
)
def test_what_argparse_refuses_ends_with_its_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(words)
    assert refused.value.code == REFUSED
    assert capsys.readouterr().err.startswith("usage: ntm-scope")


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main([*SMALL, "--out", str(tmp_path / "file")]) == REFUSED
    assert str(tmp_path / "file") in said(capsys)


def test_another_plan_does_not_touch_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, *LIMIT, "--out", str(tmp_path)]) == 0
    before = (tmp_path / "state.safetensors").read_bytes()
    assert main([*SMALL, *LIMIT, "--batch", "2", "--out", str(tmp_path)]) == REFUSED
    assert "recipe.batch: 2, not 1" in said(capsys)
    assert (tmp_path / "state.safetensors").read_bytes() == before


def test_an_lstm_without_a_memory_is_trained_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*SMALL, *LIMIT, "--no-memory"]) == 0
    assert "runs/copy-no_memory-seed-3/results.json" in capsys.readouterr().out
    assert main(["train", "--resume", "runs/copy-no_memory-seed-3", "--max-iterations", "12"]) == 0
    assert "12 iterations" in capsys.readouterr().out
    assert main([*SMALL, "--no-memory", "--controller", "gru", "--out", "runs/gru"]) == REFUSED
    assert said(capsys).startswith("ntm-scope: controller is 'gru': without a memory, only an LSTM is offered")
    assert not Path("runs/gru").exists()


def test_curves_of_runs_are_written_as_a_table_or_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(tmp_path / name) for name in ("with", "without")]
    assert main([*SMALL, *LIMIT, "--out", runs[0]]) == 0
    assert main([*SMALL, *LIMIT, "--no-memory", "--out", runs[1]]) == 0
    assert main(["curves", *runs, "--output", str(tmp_path / "curves.csv")]) == 0
    lines = (tmp_path / "curves.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["run", *["with"] * 3, *["without"] * 3]
    assert main(["curves", *runs, "--output", str(tmp_path / "curves.svg")]) == 0
    assert (tmp_path / "curves.svg").read_text().count("<polyline") == 2
    assert main(["curves", *runs, "--median", "--output", str(tmp_path / "median.csv")]) == 0
    lines = (tmp_path / "median.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["runs", *['"copy'] * 6]
    assert main(["curves", *runs, runs[0], "--median", "--output", str(tmp_path / "median.svg")]) == 0
    assert (tmp_path / "median.svg").read_text().count("<polyline") == 2
    assert main(["curves", *runs, "--output", str(tmp_path / "none" / "curves.svg")]) == REFUSED
    assert said(capsys).endswith("curves.svg cannot be written: No such file or directory")
    assert main(["curves", *runs, "--output", str(tmp_path / "curves.pdf")]) == REFUSED
    assert re.match(r"ntm-scope: --output is .*curves\.pdf: it must end in \.csv or \.svg", said(capsys))


def test_runs_of_the_same_name_are_told_apart_by_where_they_are(tmp_path: Path) -> None:
    runs = [str(tmp_path / name / "run") for name in ("one", "two")]
    for run in runs:
        assert main([*SMALL, *LIMIT, "--out", run]) == 0
    assert main(["curves", *runs, "--output", str(tmp_path / "curves.csv")]) == 0
    lines = (tmp_path / "curves.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["run", *[runs[0]] * 3, *[runs[1]] * 3]


def test_two_names_of_a_task_are_one_too_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "copy", "--task-json", '{"name": "repeat_copy"}', "--out", str(tmp_path)]
    assert main(words) == REFUSED
    assert "--task-json names the task 'repeat_copy', but TASK is copy" in said(capsys)


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), STOPPED), (BrokenPipeError(), UNREAD)])
def test_a_command_that_is_cut_short_ends_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: BaseException, status: int
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli, "errors_by_length", cut)
    assert main(["evaluate", "copy-lstm", "--lengths", "1"]) == status
    assert capfd.readouterr().err == ""


# --- stopping and killing ---------------------------------------------------------------------------------------------


def start_run(directory: Path) -> subprocess.Popen[str]:
    """A run in a process of its own, once it has done some evaluations."""
    process = subprocess.Popen(
        [sys.executable, "-c", MEASURING_LITTLE, *SMALL, *BOUNDLESS, "--out", str(directory)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    deadline = time.monotonic() + 120
    while lines(directory) < 3:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


def lines(directory: Path) -> int:
    path = directory / "metrics.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def assert_resumes_to_the_same_bits(directory: Path) -> None:
    """Take the run some iterations further, here, and compare it with one that was never left."""
    last = json.loads((directory / "metrics.jsonl").read_text().splitlines()[-1])["iteration"] + 6
    assert main(["train", "--resume", str(directory), "--max-iterations", str(last)]) == 0
    whole = directory.parent / "whole"
    assert main([*SMALL, "--max-iterations", str(last), "--out", str(whole)]) == 0
    resumed, through = (load_checkpoint(path / "final.safetensors") for path in (directory, whole))
    assert all(torch.equal(value, through.tensors[name]) for name, value in resumed.tensors.items())
    rows = [
        [
            {**json.loads(line), "seconds": 0, "cpu_seconds": 0}
            for line in (path / "metrics.jsonl").read_text().splitlines()
        ]
        for path in (directory, whole)
    ]
    assert rows[0] == rows[1]


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    process = start_run(tmp_path / "run")
    process.kill()
    process.communicate()
    assert_resumes_to_the_same_bits(tmp_path / "run")


def test_a_run_stopped_by_ctrl_c_says_how_to_go_on_and_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    process = start_run(tmp_path / "run")
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == STOPPED
    assert told.splitlines()[-1].startswith("Stopped after iteration ")
    assert told.splitlines()[-1].endswith(f"To go on: ntm-scope train --resume {tmp_path / 'run'}")
    assert "Traceback" not in told
    assert_resumes_to_the_same_bits(tmp_path / "run")


def test_a_polite_kill_stops_as_ctrl_c_does() -> None:
    with cli._stop_on_signal() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop()


@pytest.mark.parametrize("before", [signal.default_int_handler, signal.SIG_IGN])
def test_a_second_signal_stops_at_once(before: Any) -> None:
    """Also where Ctrl-C is ignored otherwise, as in what a shell started in the background."""
    given = signal.signal(signal.SIGINT, before)
    with cli._stop_on_signal() as stop:
        assert not stop()
        signal.raise_signal(signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.signal(signal.SIGINT, given) == before


def test_signals_are_left_as_they_were() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with cli._stop_on_signal():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


# --- evaluate ---------------------------------------------------------------------------------------------------------


def test_evaluate_writes_a_table(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(checkpoint), "--lengths", "3", "1", "--sequences", "4"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split()[:3] == ["length", "steps", "sequences"]
    assert [row.split()[:3] for row in rows] == [["3", "7", "4"], ["1", "3", "4"]]


def test_evaluate_writes_json(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(checkpoint), "--json", "--sequences", "4", "--seed", "9"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["seed"] == 9
    assert [row["length"] for row in results["errors_by_length"]] == [1, 2]
    assert [row["sequences"] for row in results["errors_by_length"]] == [4, 4]


def test_table_and_json_tell_the_same(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", str(checkpoint), "--lengths", "2", "--sequences", "50"]
    assert main([*words, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["errors_by_length"]
    assert main(words) == 0
    row = capsys.readouterr().out.splitlines()[1].replace(",", "").split()
    names = ("length", "steps", "sequences", "perfect", "wrong_bits", "worst", "asked_bits", "loss_bits", "metric")
    assert [float(value) for value in row] == pytest.approx([told[name] for name in names], abs=1e-3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lengths", "0"], r"ntm-scope: lengths\.0 is 0"),
        (["--sequences", "0"], "ntm-scope: sequences is 0: at least 1 must be measured"),
        (["--seed", "-1"], "ntm-scope: seed is "),
        (["--task-json", '{"bits": 3}'], "ntm-scope: the task Copy has 4 input and 3 output channels"),
        (["--task-json", '{"name": "repeat_copy"}'], "ntm-scope: the task Repeat copy has 10 input"),
    ],
    ids=str,
)
@pytest.mark.parametrize("command", ["evaluate", "modes"])
def test_what_cannot_be_measured_is_refused_in_one_line(
    checkpoint: Path, command: str, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(checkpoint), *words]) == REFUSED
    assert re.match(message, said(capsys))


def test_modes_writes_a_row_for_each_mode(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modes", str(checkpoint), "--lengths", "3", "1", "--sequences", "4"]) == 0
    header, rule, *rows = capsys.readouterr().out.splitlines()
    assert (header, rule) == ("| mode | what is changed | 3 | 1 |", "|---|---|---|---|")
    assert [row.split(" | ")[0] for row in rows] == [f"| {mode.title}" for mode in MODES.values()]


def test_a_checkpoint_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path / "none.safetensors")]) == REFUSED
    assert said(capsys) == f"ntm-scope: {tmp_path / 'none.safetensors'} cannot be read: No such file or directory"


def test_a_checkpoint_without_a_task_needs_one(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoint(checkpoint, Checkpoint.of(load_checkpoint(checkpoint).machine()))
    assert main(["evaluate", str(checkpoint)]) == REFUSED
    assert said(capsys).startswith("ntm-scope: the checkpoint names no task: give one with --task-json")
    task = '{"name": "copy", "bits": 2}'
    assert main(["evaluate", str(checkpoint), "--task-json", task, "--sequences", "1"]) == 0


def test_a_shipped_checkpoint_is_found_by_name(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "files", lambda: {"small": checkpoint})
    monkeypatch.setattr(zoo, "path", zoo.files().__getitem__)
    assert main(["evaluate", "small", "--sequences", "1"]) == 0
    assert main(["evaluate", "large", "--sequences", "1"]) == REFUSED


@pytest.mark.parametrize("command", ["evaluate", "modes", "trace"])
def test_what_has_yet_to_be_compiled_is_said_before_it_takes_its_time(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = [command, "copy-lstm", *(["-o", str(tmp_path / "one.npz")] if command == "trace" else ["--sequences", "1"])]
    words += [] if command == "trace" else ["--lengths", "1"]
    for yet, told in ((None, ""), ("It is being compiled.", "It is being compiled.\n")):
        monkeypatch.setattr(cli, "yet_to_compile", lambda yet=yet: yet)
        assert main(words) == 0
        assert capsys.readouterr().err == told


# --- trace ------------------------------------------------------------------------------------------------------------


def test_trace_writes_what_the_machine_computes(checkpoint: Path, tmp_path: Path) -> None:
    assert main(["trace", str(checkpoint), "--seed", "4", "-o", str(tmp_path / "one.npz")]) == 0
    trace = load_trace(tmp_path / "one.npz")
    task = Copy(bits=2, lengths=(1, 2))
    machine = load_checkpoint(checkpoint).machine()
    machine.core = "eager"
    direct = record(machine, task.episodes(4))
    for name in ("inputs", "targets", "outputs", "weighting", "initial_memory"):
        np.testing.assert_array_equal(trace[name], direct[name])
    header = trace.header
    assert (header.checkpoint, header.seed, header.phases) == ("small", 4, task.phases)
    assert header.core == "eager"
    assert header.task == task.model_dump(mode="json")
    assert (header.input_channels, header.output_channels) == (task.input_channels, task.output_channels)


def test_trace_takes_settings_of_the_task(checkpoint: Path, tmp_path: Path) -> None:
    words = ["trace", str(checkpoint), "--task-json", '{"lengths": [5, 5]}', "-o", str(tmp_path / "long.npz")]
    assert main(words) == 0
    assert len(load_trace(tmp_path / "long.npz")) == 11


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed", "-1"], "ntm-scope: seed is -1: it must be one or several whole numbers"),
        (["--task-json", '{"lengths": [2, 1]}'], "ntm-scope: copy.lengths is "),
        (["--task-json", '{"bits": 4}'], "ntm-scope: the header names 5 input_channels, but the machine has 3"),
        (["-o", "no/such/folder.npz"], r"ntm-scope: no/such/folder\.npz cannot be written: No such file or directory$"),
    ],
    ids=str,
)
def test_trace_refuses_in_one_line(
    checkpoint: Path, tmp_path: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", str(checkpoint), "-o", str(tmp_path / "bad.npz"), *words]) == REFUSED
    assert re.match(message, said(capsys))
    assert not (tmp_path / "bad.npz").exists()


# --- help -------------------------------------------------------------------------------------------------------------


def helped(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *command: str) -> str:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    told = helped(capsys, monkeypatch)
    for command in ("train", "evaluate", "trace", "modes"):
        assert command in told


def test_help_on_train_tells_every_field_of_machine_and_recipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = helped(capsys, monkeypatch, "train")
    for model in (MachineConfig, Recipe):
        for name in model.model_fields.keys() - {"input_size", "output_size"}:
            assert f"--{name.replace('_', '-')} " in told
    for task in TASKS:
        assert task in told
    assert "β_t ≥ 0" in told
    assert "uniform: the same at every location;" in " ".join(told.split())


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("evaluate", ["CHECKPOINT", "--lengths", "--sequences", "--seed", "--task-json", "--json", "--threads"]),
        ("modes", ["CHECKPOINT", "--lengths", "--sequences", "--seed", "--task-json", "--threads", "frozen_memory"]),
        ("trace", ["CHECKPOINT", "--seed", "--task-json", "--output", "--threads", "--mode", "--interventions"]),
    ],
)
def test_help_tells_the_options(
    command: str, options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = helped(capsys, monkeypatch, command)
    assert all(option in told for option in options)


@pytest.mark.parametrize("command", ["evaluate", "modes"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sequences", "0"], "sequences is 0: at least 1 must be measured"),
        (["--seed", "-1"], "seed is -1: it must be a whole number of 0 … 4294967295"),
        (["--lengths", "0"], "lengths.0 is 0: Input should be greater than or equal to 1"),
    ],
)
def test_what_cannot_be_measured_is_refused_without_a_table(
    checkpoint: Path, command: str, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(checkpoint), *words]) == REFUSED
    assert capsys.readouterr() == ("", f"ntm-scope: {message}\n")
