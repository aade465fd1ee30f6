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
from server.training import worker
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
        monkeypatch.setattr(worker, "_INPUT", nothing.fileno())
        assert worker.main(tmp_path, 3) == 1
    assert [crew.size for crew in crews] == [3]


def test_a_worker_that_has_finished_ends_in_good_order_though_nobody_has_told_it_to_stop(tmp_path: Path) -> None:
    (tmp_path / worker.PLAN).write_text(small_plan().model_dump_json())
    command = [sys.executable, "-m", "server.training.worker", str(tmp_path), "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said, trouble = process.stdout.read(), process.stderr.read()
        assert process.wait() == 0
    assert said.splitlines()[-1] == b'{"ended": "finished"}'
    assert b"Fatal" not in trouble


def test_a_worker_that_waits_for_another_to_leave_stops_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / worker.PLAN).write_text(small_plan().model_dump_json())
    command = [sys.executable, "-m", "server.training.worker", str(tmp_path), "1"]
    with claimed(tmp_path), subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        said, _ = process.communicate(timeout=20 + worker.PATIENCE_SECONDS)
    assert said.splitlines()[-1] == b'{"ended": "stopped"}'
    assert not (tmp_path / STATE).exists()
