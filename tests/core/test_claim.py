"""A directory for one process at a time: two claims are two open files, as in two processes."""

import errno
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from ntm_core.claim import claimed
from ntm_core.errors import InUseError


def test_a_directory_is_one_claimants_alone_until_it_is_given_back(tmp_path: Path) -> None:
    directory = tmp_path / "made" / "if need be"
    with claimed(directory), pytest.raises(InUseError, match="need be: only one at a time can be"), claimed(directory):
        pytest.fail("two have it")
    with claimed(directory):
        pass


def test_it_is_given_back_when_something_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), claimed(tmp_path):
        raise KeyError
    with claimed(tmp_path):
        pass


def test_one_who_waits_has_it_next(tmp_path: Path) -> None:
    had = threading.Event()

    def hold() -> None:
        with claimed(tmp_path):
            had.set()
            time.sleep(0.2)

    holder = threading.Thread(target=hold)
    holder.start()
    had.wait()
    with claimed(tmp_path, 30):
        pass
    holder.join()


def test_a_killed_process_holds_nothing_back(tmp_path: Path) -> None:
    script = "import sys, time, pathlib; from ntm_core.claim import claimed\n"
    script += "with claimed(pathlib.Path(sys.argv[1])): print('has it', flush=True); time.sleep(60)\n"
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(InUseError), claimed(tmp_path):
            pytest.fail("two have it")
        other.kill()
        other.wait()
        with claimed(tmp_path):
            pass


def test_one_who_waits_can_be_told_to_wait_no_longer(tmp_path: Path) -> None:
    started = time.monotonic()
    with claimed(tmp_path), pytest.raises(InUseError), claimed(tmp_path, 60, lambda: True):
        pytest.fail("two have it")
    assert time.monotonic() - started < 30


def test_where_the_system_has_no_locks_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with claimed(tmp_path):
        pass
    assert f"{tmp_path} cannot be locked (No locks available)" in caplog.text


def test_where_nothing_can_be_written_there_is_no_claim(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"), claimed(tmp_path / "file" / "directory"):
        pytest.fail("it has it")
