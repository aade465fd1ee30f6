"""The kernel is compiled in a process of its own, and all others compute with what it left: the first one too."""

import atexit
import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numba
import pytest

from ntm_core.compiled import BUILDING, building, support
from ntm_core.compiled.building import build
from ntm_core.compiled.intrinsics import sources_fingerprint

GRADIENTS = """
import torch
from ntm_core.config import MachineConfig
from ntm_core.machine import Machine

machine = Machine(MachineConfig(input_size=3, output_size=2), seed=1)
inputs = torch.sin(torch.arange(60.0)).view(10, 2, 3)
machine(inputs).square().sum().backward()
print(b"".join(parameter.grad.numpy().tobytes() for parameter in machine.parameters()).hex())
"""


def test_the_process_that_finds_nothing_compiled_has_the_gradients_of_the_next_to_the_last_bit(tmp_path: Path) -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}

    def gradients() -> str:
        words = [sys.executable, "-c", GRADIENTS]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout

    first, second = gradients(), gradients()
    assert len(first) > 1000
    assert first == second
    assert len(list(tmp_path.rglob("kernel-*.built"))) == 1


def entries(folder: Path | None, compiled: tuple[str, ...] = ()) -> list[Any]:
    """Two that stand for entries of the kernel, with the signatures that have been compiled."""
    stats, code = SimpleNamespace(cache_path=folder and str(folder)), SimpleNamespace(co_firstlineno=7)
    common: dict[str, Any] = {"stats": stats, "signatures": compiled, "py_func": SimpleNamespace(__code__=code)}
    return [SimpleNamespace(__name__=name, **common) for name in ("forward", "backward")]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The environments of the processes that would have been started."""
    found: list[dict[str, str]] = []
    monkeypatch.delenv(BUILDING, raising=False)

    def start(_: list[str], *, env: dict[str, str], **__: Any) -> Any:
        found.append(env)
        return nullcontext(SimpleNamespace(wait=lambda _: 0))

    monkeypatch.setattr(subprocess, "Popen", start)
    return found


def test_another_process_compiles_and_is_told_so(started: list[dict[str, str]], tmp_path: Path) -> None:
    build(entries(tmp_path), "text")
    assert [environment[BUILDING] for environment in started] == ["1"]


def test_without_a_cache_no_process_is_started(started: list[dict[str, str]]) -> None:
    build(entries(None), "text")
    assert started == []


def test_the_process_that_compiles_leaves_a_mark_once_all_is_compiled(
    started: list[dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*compiled: str) -> None:
        with monkeypatch.context() as patch:
            patch.setenv(BUILDING, "1")
            patch.setattr(atexit, "register", lambda leave, *arguments: leave(*arguments))
            build(entries(tmp_path, compiled), "text")

    def marks() -> int:
        return len(list(tmp_path.glob("*.built")))

    ended("a signature")
    assert marks() == 0, "nothing lies in the cache"
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    for name in ("forward-6", "backward-6", "forward-8"):
        (tmp_path / f"kernel.f.locals.{name}.{python}.nbi").touch()
    ended("a signature")
    assert marks() == 0, "what lies in the cache is of another text"
    indexes = [tmp_path / f"kernel.f.locals.{name}-7.{python}.nbi" for name in ("forward", "backward")]
    for index in indexes:
        index.touch()
    ended()
    assert marks() == 0, "nothing is compiled"
    ended("a signature")
    assert marks() == 1
    build(entries(tmp_path), "text")
    assert started == []
    build(entries(tmp_path), "another text")
    assert len(started) == 1
    os.utime(indexes[0], (1, 1))
    build(entries(tmp_path), "text")
    assert len(started) == 2, "something else lies in the cache"


def test_where_no_process_can_be_started_this_one_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError

    monkeypatch.delenv(BUILDING, raising=False)
    monkeypatch.setattr(subprocess, "Popen", refused)
    build(entries(tmp_path), "text")


def test_whoever_compiles_ends_with_whoever_waits_for_it(tmp_path: Path) -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), BUILDING: "1"}
    words = [sys.executable, "-c", building._COMPILE]
    with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE) as compiling:
        assert compiling.stdin is not None
        compiling.stdin.close()
        assert compiling.wait(60) == 1
    assert list(tmp_path.rglob("*.built")) == []


def test_what_takes_long_is_said_where_nothing_is_compiled_and_otherwise_where_that_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(building, "cache_folder", lambda: str(tmp_path))
    assert support.yet_to_compile() == support.COMPILING
    mark = building._mark(str(tmp_path), sources_fingerprint())
    (tmp_path / "index").touch()
    mark.write_text(json.dumps({"index": (tmp_path / "index").stat().st_mtime_ns}))
    assert support.yet_to_compile() is None
    (tmp_path / "index").unlink()
    assert support.yet_to_compile() == support.COMPILING
    monkeypatch.setattr(building, "cache_folder", lambda: None)
    assert support.yet_to_compile() == support.UNKEPT


def test_numba_has_a_folder_or_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(numba.config, "CACHE_LOCATOR_CLASSES", "UserProvidedCacheLocator")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert Path(building.cache_folder() or "").is_relative_to(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", os.devnull)
    assert building.cache_folder() is None
