"""The process that trains one run."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ntm_core.claim import claimed
from ntm_core.compiled import Crew
from ntm_core.compiled.crew import one_by_one
from ntm_core.errors import TrainingError
from ntm_core.training.session import STATE
from server.training import stopping, worker
from server.training.stopping import Stop
from tests.core.training.plans import small_plan
from tests.server.live import eventually


def test_a_worker_trains_in_as_many_threads_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crews: list[Crew] = []

    def train(*_: Any, crew: Crew, stop: Callable[[], bool], **__: Any) -> None:
        crews.append(crew)
        eventually(stop)  # so that nobody reads the input any more when it is closed
        raise TrainingError("that is enough")

    monkeypatch.setattr(worker, "crew_of", lambda size: Crew(size, one_by_one))
    monkeypatch.setattr(worker, "train", train)
    (tmp_path / worker.PLAN).write_text(small_plan().model_dump_json())
    with Path(os.devnull).open("rb") as nothing:
        monkeypatch.setattr(stopping, "_INPUT", nothing.fileno())
        stop = Stop(lambda: pytest.fail("the worker had begun"))
        monkeypatch.setattr(stop, "begin", lambda: [step(stop) for step in (Stop.begin, Stop.listen)])
        assert worker.main(tmp_path, 3, stop) == 1
    assert [crew.size for crew in crews] == [3]


def test_a_worker_that_has_finished_ends_in_good_order_though_nobody_has_told_it_to_stop(tmp_path: Path) -> None:
    (tmp_path / worker.PLAN).write_text(small_plan().model_dump_json())
    command = [sys.executable, "-m", "server.training", str(tmp_path), "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said, trouble = process.stdout.read(), process.stderr.read()
        assert process.wait() == 0
    assert said.splitlines()[-1] == b'{"ended": "finished"}'
    assert b"Fatal" not in trouble


def test_a_worker_that_waits_for_another_to_leave_stops_when_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / worker.PLAN).write_text(small_plan().model_dump_json())
    stop = Stop(lambda: pytest.fail("the worker had begun"))
    monkeypatch.setattr(stop, "_told", True)
    with claimed(tmp_path):
        assert worker.main(tmp_path, 1, stop) == 0
    assert capsys.readouterr().out.splitlines()[-1] == '{"ended": "stopped"}'
    assert not (tmp_path / STATE).exists()


def test_a_worker_that_is_told_to_stop_before_it_trains_leaves_at_once(tmp_path: Path) -> None:
    (tmp_path / worker.PLAN).write_text(small_plan().model_dump_json())
    command = [sys.executable, "-m", "server.training", str(tmp_path), "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
    assert said == b'{"ended": "stopped"}\n'
    assert not (tmp_path / STATE).exists()


def test_where_nothing_is_kept_nothing_is_compiled_for_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(worker, "is_kept", lambda: False)
    monkeypatch.setattr(worker, "warm_up", lambda _: pytest.fail("it is compiled"))
    assert worker.prepare() == 0
    assert "NUMBA_CACHE_DIR names another place" in capsys.readouterr().out
