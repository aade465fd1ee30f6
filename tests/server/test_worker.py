"""The process that trains one run."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ntm_core.compiled import Crew
from ntm_core.compiled.crew import one_by_one
from ntm_core.errors import TrainingError
from server.training import worker
from tests.core.training.plans import small_plan


def test_a_worker_trains_in_as_many_threads_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crews: list[Crew] = []

    def train(*_: Any, crew: Crew, **__: Any) -> None:
        crews.append(crew)
        raise TrainingError("that is enough")

    monkeypatch.setattr(worker, "crew_of", lambda size: Crew(size, one_by_one))
    monkeypatch.setattr(worker, "train", train)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO()))
    (tmp_path / worker.PLAN).write_text(small_plan().model_dump_json())
    assert worker.main(tmp_path, 3) == 1
    assert [crew.size for crew in crews] == [3]
