"""The server from its first word to its last."""

import gc
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import httpx2
import pytest

from ntm_core.claim import claimed
from server import serving, warming
from server.__main__ import main
from server.routes.version import program_version
from server.serving import address, listen
from server.settings import DEFAULT_PORT

ROOT = Path(__file__).parents[2]


def taken() -> socket.socket:
    return listen("127.0.0.1", 0, fallback=False)


def test_a_taken_port_gives_way_to_the_next_free_one() -> None:
    with taken() as other:
        port = other.getsockname()[1]
        with listen("127.0.0.1", port, fallback=True) as found:
            assert port < found.getsockname()[1] < port + 50


def test_connections_are_known_to_be_tcp_so_that_small_answers_are_sent_at_once() -> None:
    with taken() as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.proto == socket.IPPROTO_TCP


def test_a_port_that_was_asked_for_is_taken_or_refused() -> None:
    with taken() as other, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", other.getsockname()[1], fallback=False)


def test_without_any_free_port_there_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_PORTS_TRIED", 1)
    with taken() as other, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", other.getsockname()[1], fallback=True)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")])  # noqa: S104
def test_the_address_is_one_that_a_browser_can_open(host: str, shown: str) -> None:
    with listen(host, 0, fallback=False) as listener:
        assert address(listener) == f"http://{shown}:{listener.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "70000"], "--port is 70000"),
        (["serve", "--host", ""], "--host is ''"),
        (["--host", "192.0.2.1", "--port", "0"], "cannot listen on 192.0.2.1:0"),
        (["--host", "ü" * 70], ": no host can have this name"),
        (["--data-directory", ""], "--data-directory is '': it must name a directory"),
    ],
)
def test_a_wrong_setting_is_said_in_one_line(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("ntm-scope: ")
    assert said in error
    assert error.count("\n") == 1


def test_a_variable_that_is_wrong_is_named_as_it_was_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NTM_SCOPE_MAX_STEPS", "0")
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("ntm-scope: NTM_SCOPE_MAX_STEPS is '0': ")


@pytest.fixture
def unlogged() -> Iterator[None]:
    """A server in this process leaves the log of the other tests as it was."""
    loggers = [logging.getLogger(name) for name in ("ntm_scope", "ntm_core", "uvicorn", "uvicorn.access")]
    before = [(one.handlers[:], one.level, one.propagate, one.disabled) for one in loggers]
    yield
    for one, (handlers, level, propagate, disabled) in zip(loggers, before, strict=True):
        one.handlers, one.propagate, one.disabled = handlers, propagate, disabled
        one.setLevel(level)


@pytest.mark.usefixtures("unlogged")
def test_a_data_directory_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        assert main(["--port", "0", "--data-directory", str(path)]) == 2
        assert capsys.readouterr().err == (
            f"ntm-scope: {path} is no directory: --data-directory DIR stores elsewhere\n"
        )


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has stopped as soon as it runs, and compiles nothing."""
    monkeypatch.setattr(serving, "warming", nullcontext)
    monkeypatch.setattr(serving, "keep_what_is_loaded", lambda: None)
    monkeypatch.setattr(serving.ScopeServer, "run", lambda *_, **__: None)


@pytest.mark.usefixtures("unlogged", "at_once")
def test_a_data_directory_that_cannot_be_written_to_and_a_misspelt_setting_are_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def read_only(_: Path) -> None:
        raise OSError(30, "Read-only file system")

    for name in [name for name in os.environ if name.startswith("NTM_SCOPE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NTM_SCOPE_MAX_STEP", "7")
    monkeypatch.setattr(serving, "claimed", read_only)
    assert main(["--port", "0", "--data-directory", str(tmp_path)]) == 0
    directory, misspelt = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d WARNING:  {tmp_path} cannot be written to \(Read-only file system\): .*",
        directory,
    )
    assert misspelt.endswith(
        "WARNING:  NTM_SCOPE_MAX_STEP is no setting, and is ignored: did you mean NTM_SCOPE_MAX_STEPS?"
    )
    assert main(["--port", "0", "--data-directory", str(tmp_path), "--log-level", "error"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("unlogged", "at_once")
def test_a_server_that_listens_everywhere_says_whom_it_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--host", "0.0.0.0", "--port", "0", "--data-directory", str(tmp_path)]) == 0  # noqa: S104
    assert capsys.readouterr().out.splitlines()[1] == (
        "It listens on all addresses, and answers as 127.0.0.1, [::1], localhost; NTM_SCOPE_ALLOWED_HOSTS adds names."
    )


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=int)
def test_the_program_ends_in_good_order_as_soon_as_it_has_said_where_it_is(
    tmp_path: Path, number: signal.Signals
) -> None:
    words = [sys.executable, "-m", "server", "--port", "0", "--data-directory", str(tmp_path)]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline().startswith("NTM Scope is at ")
        program.send_signal(number)
        try:
            said, _ = program.communicate(timeout=60)  # to the end, once all that it has started have ended
        finally:
            program.kill()
        assert (program.returncode, said) == (0, "NTM Scope has stopped.\n")


@pytest.fixture
def unfrozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("unfrozen", "unlogged")
def test_no_request_waits_until_what_is_loaded_has_been_searched_for_garbage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = []
    monkeypatch.setattr(warming, "is_available", lambda: False)
    monkeypatch.setattr(serving.ScopeServer, "run", lambda *_, **__: frozen.append(gc.get_freeze_count()))
    assert main(["--port", "0", "--data-directory", str(tmp_path)]) == 0
    assert frozen[0] > 100_000


def test_the_program_serves_prints_its_address_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    environment = {**os.environ, "NTM_SCOPE_DATA_DIRECTORY": str(tmp_path)}
    words = [sys.executable, "-W", "error", "-m", "server"]
    with (
        occupied(DEFAULT_PORT),
        subprocess.Popen(
            words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as program,
    ):
        assert program.stdout is not None
        line = program.stdout.readline()
        found = re.fullmatch(r"NTM Scope is at (http://127\.0\.0\.1:(\d+)/)  \(Ctrl-C stops it\)\n", line)
        assert found, line
        assert int(found[2]) > DEFAULT_PORT
        with httpx2.Client(trust_env=False) as client:
            assert client.get(f"{found[1]}api/version").json()["version"] == program_version()
        started = time.perf_counter()
        program.send_signal(signal.SIGINT)
        last = program.stdout.readline()
        seconds = time.perf_counter() - started
        assert last + program.stdout.read() == "NTM Scope has stopped.\n"
        assert seconds < 30
        assert program.wait(60) == 0


@pytest.mark.usefixtures("unlogged")
def test_a_second_server_over_the_same_data_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with claimed(tmp_path):
        assert main(["--port", "0", "--data-directory", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"ntm-scope: another process is at work in {tmp_path}: only one at a time can be; "
        "--data-directory DIR starts this one elsewhere\n"
    )


class occupied:  # noqa: N801 - reads as a phrase
    """The default port, taken by this test or by whoever has it already."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket()
        try:
            self._socket.bind(("127.0.0.1", port))
            self._socket.listen()
        except OSError:
            socket.create_connection(("127.0.0.1", port)).close()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._socket.close()
