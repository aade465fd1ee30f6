"""Making the compiled core ready says what takes long, and nothing when nothing does."""

import logging

import numba
import pytest

from ntm_core import machine
from ntm_core.compiled import support
from server import compiled
from server.compiled import COMPILING, warm_up


def test_what_was_compiled_before_is_loaded_without_a_word() -> None:
    said: list[str] = []
    warm_up(said.append)
    assert said == []


def test_compiling_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def compile_two() -> None:
        numba.njit(lambda x: x + 1)(1)
        numba.njit(lambda x: x + 2)(1)

    monkeypatch.setattr(machine, "warm_up", compile_two)
    said: list[str] = []
    warm_up(said.append)
    assert said == [COMPILING]


def test_without_numba_the_log_says_so_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    for module in (support, compiled):
        monkeypatch.setattr(module, "is_available", lambda: False)
    for known in (support.core_for, support.say_once):
        known.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            warm_up()
            warm_up()
    finally:
        support.core_for.cache_clear()
    assert [message for message in caplog.messages if "eager mode" in message] == [
        "Machines compute in eager mode, about ten times slower. numba is not installed: the extra 'fast' brings it."
    ]
