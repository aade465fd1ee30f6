"""The command itself."""

import gc
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from ntm_core.claim import claimed
from server import __main__ as command
from server.__main__ import address, listen, main
from server.routes.version import program_version
from server.settings import DEFAULT_PORT, Settings

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
    monkeypatch.setattr(command, "_PORTS_TRIED", 1)
    with taken() as other, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", other.getsockname()[1], fallback=True)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")])  # noqa: S104
def test_the_address_is_one_that_a_browser_can_open(host: str, shown: str) -> None:
    with listen(host, 0, fallback=False) as listener:
        assert address(listener) == f"http://{shown}:{listener.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "70000"], "port is 70000"),
        (["serve", "--host", ""], "host is ''"),
        (["--host", "192.0.2.1", "--port", "0"], "cannot listen on 192.0.2.1:0"),
    ],
)
def test_a_wrong_setting_is_said_in_one_line(capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("ntm-scope: ")
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"], ["--version"]])
def test_help_and_version_are_printed(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 0
    assert program_version() in capsys.readouterr().out or words[-1] == "--help"


def test_the_help_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    listed = re.findall(r"^  NTM_SCOPE_(\w+)$", capsys.readouterr().out, re.MULTILINE)
    assert [name.lower() for name in listed] == list(Settings.model_fields)


def test_the_core_adds_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    help_text = capsys.readouterr().out
    assert all(re.search(rf"^ +{name} ", help_text, re.MULTILINE) for name in ("serve", "train", "evaluate", "trace"))


@pytest.fixture
def unfrozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("unfrozen")
def test_no_request_waits_until_what_is_loaded_has_been_searched_for_garbage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = []
    monkeypatch.setattr(command, "is_available", lambda: False)
    monkeypatch.setattr(command.ScopeServer, "run", lambda *_, **__: frozen.append(gc.get_freeze_count()))
    assert main(["--port", "0", "--data-directory", str(tmp_path)]) == 0
    assert frozen[0] > 100_000


@pytest.mark.usefixtures("unfrozen")
def test_nor_until_what_is_compiled_has_been(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[list[object]] = []
    monkeypatch.setattr(command, "warm_up", lambda: loaded.append([]))
    with subprocess.Popen([sys.executable, "-c", ""]) as compiling:
        command._warm_up_after(compiling)
    assert not any(found is loaded[0] for found in gc.get_objects())


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
