"""The foreman and workers that fail in every way: no run is lost by it, and none keeps the others waiting."""

import json
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ntm_core.tasks import Copy
from ntm_core.training import Plan, metrics, train
from server.errors import CannotStore
from server.settings import Settings
from server.training import foreman as module
from server.training.foreman import Foreman, UnknownRun
from server.training.run import Run, Status
from tests.server.live import eventually

PLAN = Plan.best_known(Copy(bits=2, lengths=(1, 2)), {"memory_size": 8}, {})
ROW = {
    "iteration": 0,
    "sequences": 0,
    "loss_bits": 1.0,
    "wrong_bits": 1.0,
    "metric": 1.0,
    "gradient_norm": None,
    "skipped_updates": 0,
    "seconds": 0.0,
}
PREPARING = {"preparing": "Loading the compiled core …"}
STOPPED, FINISHED = {"ended": "stopped"}, {"ended": "finished"}

Employ = Callable[[str], Foreman]


def progress(iteration: int, live: int | None = None) -> dict[str, Any]:
    marks = {"diagonal": None, "content_jump": None, "converged": None}
    said = {"iteration": iteration, "last_iteration": 100, "marks": marks, "live": live, "loss_bits": 1.0, "row": ROW}
    return {"progress": said}


def says(*messages: Any) -> str:
    """The script of a worker that says these things at once."""
    return "".join(f"print({(one if isinstance(one, str) else json.dumps(one))!r}, flush=True)\n" for one in messages)


WAITS = "import sys; sys.stdin.read()\n"
"""The script of a worker that waits until it is told to stop."""


@pytest.fixture
def employ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Employ]:
    """Foremen over the same runs, one after the other, whose workers run a script."""
    employed: list[Foreman] = []

    def make(script: str) -> Foreman:
        monkeypatch.setattr(module, "_command", lambda *_: [sys.executable, "-c", script])
        employed.append(Foreman(Settings(data_directory=tmp_path)))
        employed[-1].open()
        return employed[-1]

    yield make
    for foreman in employed:
        foreman.close()


def recorded(tmp_path: Path, run_id: str) -> Run:
    return Run.model_validate_json((tmp_path / "runs" / run_id / "run.json").read_bytes())


def stands(foreman: Foreman, run_id: str, status: Status) -> Callable[[], bool]:
    return lambda: foreman.get(run_id).status == status


def is_at(foreman: Foreman, run_id: str, iteration: int) -> Callable[[], bool]:
    def holds() -> bool:
        found = foreman.get(run_id).progress
        return found is not None and found.iteration == iteration

    return holds


def busy(employ: Employ, monkeypatch: pytest.MonkeyPatch) -> tuple[Foreman, Run]:
    """A foreman of little patience, and a run at iteration 3 whose worker does not listen."""
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.2)
    foreman = employ(says(progress(3)) + "import time; time.sleep(60)")
    run = foreman.add(PLAN, "busy")
    eventually(is_at(foreman, run.id, 3))
    return foreman, run


def test_a_worker_that_does_not_end_with_the_server_is_killed_and_its_run_goes_on_at_the_next_start(
    employ: Employ, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    foreman, run = busy(employ, monkeypatch)
    foreman.close()
    assert recorded(tmp_path, run.id).status == Status.RUNNING
    again = employ(says(FINISHED))
    eventually(stands(again, run.id, Status.FINISHED))


def test_a_run_that_was_halted_before_its_worker_was_killed_stands_as_a_person_wanted(
    employ: Employ, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    foreman, run = busy(employ, monkeypatch)
    foreman.pause(run.id)
    foreman.close()
    assert recorded(tmp_path, run.id).status == Status.PAUSED


def test_a_ctrl_c_in_the_terminal_reaches_the_server_alone(employ: Employ) -> None:
    foreman = employ("import os; " + 'print(f\'[["preparing", "{os.getpgid(0)}"]]\', flush=True)\n' + WAITS)
    run = foreman.add(PLAN, "one")
    eventually(lambda: foreman.get(run.id).message is not None)
    assert int(foreman.get(run.id).message or 0) != os.getpgid(0)


def test_a_disk_that_takes_no_record_does_not_keep_the_next_run_waiting(
    employ: Employ, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    foreman = employ(WAITS + says(progress(1), FINISHED))
    first, second = foreman.add(PLAN, "first"), foreman.add(PLAN, "second")

    def full(_run: Run, _directory: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Run, "save", full)
    foreman.stop(first.id)
    eventually(stands(foreman, first.id, Status.FINISHED))
    eventually(stands(foreman, second.id, Status.RUNNING))
    foreman.stop(second.id)
    eventually(stands(foreman, second.id, Status.FINISHED))
    assert f"{first.id} is finished, which cannot be saved: [Errno 28] No space left on device" in caplog.messages
    with pytest.raises(CannotStore, match="No space left on device"):
        foreman.add(PLAN, "third")
    assert len(foreman.all()) == 2


def test_a_run_that_the_disk_does_not_take_leaves_nothing(
    employ: Employ, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(_run: Run, _directory: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Run, "save", full)
    with pytest.raises(CannotStore, match="the run cannot be written: No space left on device"):
        employ(WAITS).add(PLAN, "one")
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("line", ["not JSON", "7", "[1]", '{"progress": {"iteration": "?"}}', "\udcff"])
def test_a_line_that_no_worker_should_say_is_passed_over(
    employ: Employ, caplog: pytest.LogCaptureFixture, line: str
) -> None:
    written = f"import sys; sys.stdout.buffer.write({line.encode(errors='surrogateescape')!r} + b'\\n')\n"
    foreman = employ(written + "sys.stdout.flush()\n" + says(progress(1), FINISHED))
    run = foreman.add(PLAN, "one")
    eventually(stands(foreman, run.id, Status.FINISHED))
    assert is_at(foreman, run.id, 1)()
    assert f"{run.id} said what is not understood" in caplog.text


def test_a_worker_that_cannot_be_started_fails_its_run_alone(employ: Employ, monkeypatch: pytest.MonkeyPatch) -> None:
    foreman = employ(WAITS)
    monkeypatch.setattr(module, "_command", lambda *_: ["/nowhere/python"])
    run = foreman.add(PLAN, "one")
    assert run.status == Status.FAILED
    assert run.message == "its process cannot be started: No such file or directory"


def test_a_run_that_fails_is_in_the_log(employ: Employ, caplog: pytest.LogCaptureFixture) -> None:
    foreman = employ(says({"failed": "No space left on device"}))
    run = foreman.add(PLAN, "one")
    eventually(stands(foreman, run.id, Status.FAILED))
    assert f"{run.id} failed: No space left on device" in caplog.messages


@pytest.mark.parametrize("halted", ["pause", "stop"])
def test_a_run_that_is_halted_while_it_prepares_does_not_say_so_for_ever(
    employ: Employ, tmp_path: Path, halted: str
) -> None:
    foreman = employ(says(PREPARING) + WAITS + says(progress(0), STOPPED))
    run = foreman.add(PLAN, "one")
    eventually(lambda: foreman.get(run.id).message == PREPARING["preparing"])
    getattr(foreman, halted)(run.id)
    status = Status.PAUSED if halted == "pause" else Status.STOPPED
    eventually(stands(foreman, run.id, status))
    assert foreman.get(run.id).message is None
    assert recorded(tmp_path, run.id).message is None


def test_a_run_that_prepared_when_the_server_ended_says_nothing_of_it_when_it_waits_again(
    employ: Employ, tmp_path: Path
) -> None:
    foreman = employ(says(PREPARING) + WAITS + says(progress(0), STOPPED))
    run = foreman.add(PLAN, "one")
    eventually(lambda: foreman.get(run.id).message == PREPARING["preparing"])
    foreman.close()
    assert recorded(tmp_path, run.id).message is None
    assert employ(WAITS).get(run.id).message is None


def test_how_far_a_run_is_is_saved_with_each_live_checkpoint(employ: Employ, tmp_path: Path) -> None:
    foreman = employ(says(progress(0), progress(7, live=7), progress(9, live=7)) + WAITS)
    run = foreman.add(PLAN, "one")
    eventually(is_at(foreman, run.id, 9))
    saved = recorded(tmp_path, run.id).progress
    assert saved is not None
    assert saved.iteration == 7


def test_what_a_worker_writes_to_its_standard_error_is_logged_as_it_comes_and_never_blocks_it(
    employ: Employ, caplog: pytest.LogCaptureFixture
) -> None:
    noise = "import sys\nfor i in range(4000): print(f'warning {i}', 'x' * 40, file=sys.stderr)\nsys.stderr.flush()\n"
    with caplog.at_level(logging.WARNING, "ntm_scope"):
        foreman = employ(noise + says(progress(1)) + WAITS + "sys.exit(3)")
        run = foreman.add(PLAN, "one")
        eventually(is_at(foreman, run.id, 1))
        eventually(lambda: f"{run.id}: warning 3999" in caplog.text)
        foreman.pause(run.id)
        eventually(stands(foreman, run.id, Status.FAILED))
    message = foreman.get(run.id).message
    assert message is not None
    assert message.startswith("its process ended with status 3: warning 3999 xxx")


@pytest.mark.parametrize("memory", [True, False])
def test_a_run_of_the_command_line_is_taken_in_and_can_go_on(
    employ: Employ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: bool
) -> None:
    monkeypatch.setattr(metrics, "FIXED_BATCHES", 1)
    monkeypatch.setattr(Copy, "evaluation_lengths", (1,))
    recipe = {"evaluate_every": 2, "max_iterations": 4, "extra": 0}
    plan = Plan.best_known(Copy(bits=2, lengths=(1, 2)), {"memory_size": 8}, recipe, memory=memory)
    train(plan, tmp_path / "runs" / "done", core="eager")
    seen: list[int] = []
    train(
        plan,
        tmp_path / "runs" / "left",
        core="eager",
        report=lambda p: seen.append(p.iteration),
        stop=lambda: 2 in seen,
    )
    (tmp_path / "runs" / "empty").mkdir()
    for _ in range(2):
        foreman = employ(says(FINISHED))
        stands = {run.id: (run.name, run.status, run.progress and run.progress.iteration) for run in foreman.all()}
        assert stands == {"done": ("done", Status.FINISHED, 4), "left": ("left", Status.PAUSED, 2)}
        assert foreman.get("left").plan == plan
        assert foreman.get("left").core == "eager"
        assert (foreman.checkpoint("done") is not None) == memory
        foreman.close()
    again = employ(says(FINISHED))
    again.resume("left")
    eventually(lambda: again.get("left").status == Status.FINISHED)
    assert json.loads((tmp_path / "runs" / "left" / "plan.json").read_text()) == plan.model_dump(mode="json")


def trained(directory: Path, last: int, left: int) -> None:
    """Train, or go on, as the command line does, until iteration `last`, or stop at `left`."""
    recipe = {"evaluate_every": 20, "max_iterations": last, "extra": 0}
    plan = Plan.best_known(Copy(bits=2, lengths=(1, 2)), {"memory_size": 8}, recipe)
    seen: list[int] = []
    train(plan, directory, core="eager", report=lambda p: seen.append(p.iteration), stop=lambda: left in seen)


@pytest.mark.parametrize("known", [False, True])
def test_a_run_that_the_command_line_took_further_stands_as_that_left_it(
    employ: Employ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """Also one of the server's own, which had been finished."""
    monkeypatch.setattr(metrics, "FIXED_BATCHES", 1)
    monkeypatch.setattr(Copy, "evaluation_lengths", (1,))
    directory = tmp_path / "runs" / "further"
    trained(directory, 3, 3)
    if known:
        foreman = employ(says(FINISHED))
        assert foreman.get("further").status == Status.FINISHED
        foreman.close()
    trained(directory, 9, 6)
    foreman = employ(says(FINISHED))
    run = foreman.get("further")
    assert run.progress is not None
    assert (run.status, run.progress.iteration, run.progress.last_iteration) == (Status.PAUSED, 6, 9)
    assert json.loads((directory / "plan.json").read_text())["recipe"]["max_iterations"] == 9
    found = foreman.checkpoint("further")
    assert found is not None
    assert found[0].name == "iteration-00000005.safetensors"
    assert foreman.checkpoint("further.3") is not None
    foreman.close()
    record = directory / "run.json"
    failed = run.model_copy(update={"status": Status.FAILED, "message": "its process ended with signal 9"})
    record.write_text(failed.model_dump_json())
    os.utime(record, (0, 0))
    again = employ(says(FINISHED))
    assert (again.get("further").status, again.get("further").message) == (Status.PAUSED, None)
    again.close()
    trained(directory, 9, 99)
    run = employ(says(FINISHED)).get("further")
    assert run.progress is not None
    assert (run.status, run.progress.iteration) == (Status.FINISHED, 9)


def test_a_new_worker_has_the_live_checkpoint_of_the_one_before(employ: Employ) -> None:
    foreman = employ(says(progress(7, live=5), progress(8)) + WAITS)
    run = foreman.add(PLAN, "one")
    eventually(is_at(foreman, run.id, 8))
    found = foreman.get(run.id).progress
    assert found is not None
    assert found.live == 5


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("copy.1", "must be called otherwise"),
        ("shipped", "no shipped checkpoint"),
        ("events", "not events or options"),
        ("options", "not events or options"),
        ("upload-0123456789ab", "no upload"),
        ("fine", "is not a"),
    ],
)
def test_a_directory_that_cannot_be_taken_in_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, why: str
) -> None:
    directory = tmp_path / "runs" / name
    directory.mkdir(parents=True)
    (directory / "state.safetensors").write_bytes(b"nothing")
    foreman = Foreman(Settings(data_directory=tmp_path), {"shipped"})
    foreman.open()
    assert foreman.all() == ()
    assert f"the run in {directory} is left out of the list" in caplog.text
    assert why in caplog.text
    assert [path.name for path in directory.iterdir()] == ["state.safetensors"]


def recorded_run(directory: Path, **fields: Any) -> Run:
    """A run that lies in a directory as the server leaves one."""
    about = {"id": directory.name, "name": "one", "plan": PLAN, "status": Status.PAUSED, "created": 1.0}
    run = Run.model_validate({**about, **fields})
    directory.mkdir(parents=True)
    run.save(directory)
    return run


@pytest.mark.parametrize("recorded_as", ["..", ".", "other", "", "a/b", "events"])
def test_a_run_is_that_of_its_directory_whatever_its_record_says(
    employ: Employ, tmp_path: Path, caplog: pytest.LogCaptureFixture, recorded_as: str
) -> None:
    (tmp_path / "keep").write_text("mine")
    recorded_run(tmp_path / "runs" / "mine", id=recorded_as, status=Status.QUEUED)
    foreman = employ(WAITS)
    assert [(run.id, run.name, run.status) for run in foreman.all()] == [("mine", "one", Status.PAUSED)]
    assert f"was recorded as {recorded_as!r}" in caplog.text
    assert recorded(tmp_path, "mine").id == "mine"
    with pytest.raises(UnknownRun):
        foreman.delete(recorded_as)
    foreman.delete("mine")
    assert (tmp_path / "keep").read_text() == "mine"
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_copied_run_takes_nobodys_place(employ: Employ, tmp_path: Path) -> None:
    original = recorded_run(tmp_path / "runs" / "run-1", name="run-1", status=Status.FINISHED)
    shutil.copytree(tmp_path / "runs" / "run-1", tmp_path / "runs" / "copy")
    foreman = employ(WAITS)
    assert {run.id: run.name for run in foreman.all()} == {"run-1": "run-1", "copy": "copy"}
    assert foreman.get("run-1") == original
    foreman.delete("copy")
    assert recorded(tmp_path, "run-1") == original


def test_a_directory_with_a_name_that_no_run_may_have_is_left_alone_with_its_record(
    employ: Employ, tmp_path: Path
) -> None:
    for name in ("events", "options", "copy of a run"):
        recorded_run(tmp_path / "runs" / name)
    assert employ(WAITS).all() == ()
    assert len(list((tmp_path / "runs").glob("*/run.json"))) == 3


def test_a_run_that_the_disk_does_not_let_go_of_stays(
    employ: Employ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded_run(tmp_path / "runs" / "kept")
    foreman = employ(WAITS)

    def read_only(path: Path, _target: Path) -> None:
        raise OSError(30, "Read-only file system", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", read_only)
        with pytest.raises(CannotStore, match="run 'kept' cannot be deleted: Read-only file system"):
            foreman.delete("kept")
    assert foreman.get("kept").id == "kept"
    foreman.delete("kept")
    assert foreman.all() == ()


def test_what_is_left_of_a_deleted_run_is_no_run(
    employ: Employ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the disk kept its state, from which a run of the command line would be taken up."""
    recorded_run(tmp_path / "runs" / "gone")
    foreman = employ(WAITS)
    with monkeypatch.context() as patch:
        patch.setattr("server.training.foreman.shutil.rmtree", lambda *_, **__: None)
        foreman.delete("gone")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [".deleted-gone"]
    foreman.close()
    assert employ(WAITS).all() == ()
    assert list((tmp_path / "runs").iterdir()) == []


def test_of_a_run_that_is_linked_to_the_link_alone_is_deleted(employ: Employ, tmp_path: Path) -> None:
    recorded_run(tmp_path / "elsewhere" / "linked")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "linked").symlink_to(tmp_path / "elsewhere" / "linked")
    foreman = employ(WAITS)
    foreman.delete("linked")
    assert list((tmp_path / "runs").iterdir()) == []
    assert (tmp_path / "elsewhere" / "linked" / "run.json").exists()


def test_a_killed_worker_fails_its_run_while_the_server_is_there(employ: Employ) -> None:
    foreman = employ("import os; " + says(progress(2, live=2)) + "os.kill(os.getpid(), 9)")
    run = foreman.add(PLAN, "one")
    eventually(stands(foreman, run.id, Status.FAILED))
    assert foreman.get(run.id).message == (
        f"its process ended with signal {int(signal.SIGKILL)}; iteration 2 was saved, and it can go on from there"
    )


def test_time_that_is_over_pauses_a_run_and_says_so(employ: Employ, monkeypatch: pytest.MonkeyPatch) -> None:
    foreman = employ(says(progress(1)) + WAITS + says(progress(2), STOPPED))
    monkeypatch.setattr(foreman, "_settings", Settings(max_training_seconds=1e-9))
    started = time.monotonic()
    run = foreman.add(PLAN, "one")
    eventually(stands(foreman, run.id, Status.PAUSED))
    assert time.monotonic() - started < 20
    assert foreman.get(run.id).message == "it was paused after 0 s: 0 s is the limit"


def test_a_worker_is_told_in_how_many_threads_it_trains(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: list[int] = []

    def command(_: Path, threads: int) -> list[str]:
        given.append(threads)
        return [sys.executable, "-c", "pass"]

    monkeypatch.setattr(module, "_command", command)
    foreman = Foreman(Settings(data_directory=tmp_path, training_threads=3))
    foreman.open()
    foreman.add(PLAN, "threads")
    eventually(lambda: bool(given))
    foreman.close()
    assert given == [3]
