"""The compiled core is made ready beside the server, and whatever makes it ready ends with it."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ntm_core.compiled import BUILDING
from server import warming

ROOT = Path(__file__).parents[2]


@pytest.fixture
def unfrozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("unfrozen")
def test_nor_until_what_is_compiled_has_been(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[list[object]] = []
    monkeypatch.setattr(warming, "warm_up", lambda: loaded.append([]))
    with subprocess.Popen([sys.executable, "-c", ""]) as compiling:
        warming._warm_up_after(compiling)
    assert not any(found is loaded[0] for found in gc.get_objects())


def test_whoever_compiles_ends_at_once_when_whoever_waits_for_it_is_gone() -> None:
    words = [sys.executable, "-m", "server.training"]
    with subprocess.Popen(words, cwd=ROOT, env=os.environ | {BUILDING: "1"}, stdin=subprocess.PIPE) as compiling:
        assert compiling.stdin is not None
        compiling.stdin.close()
        assert compiling.wait(60) == 1


def test_nothing_is_left_of_it_when_the_server_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start(_: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], **options))
        return started[0]

    monkeypatch.setattr(warming, "subprocess", SimpleNamespace(Popen=start, PIPE=subprocess.PIPE))
    with pytest.raises(KeyboardInterrupt), warming.warming():
        raise KeyboardInterrupt
    assert started[0].returncode is not None
