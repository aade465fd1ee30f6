"""Atomic writing: after a crash at any moment, the old content or the new, and no litter after an error."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ntm_core.atomic import atomic_write


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_file_is_made_and_replaced(tmp_path: Path) -> None:
    atomic_write(tmp_path / "file", b"one")
    assert contents(tmp_path) == {"file": b"one"}
    atomic_write(str(tmp_path / "file"), b"")
    assert contents(tmp_path) == {"file": b""}


def test_a_link_stays_one_and_its_file_is_replaced(target: Path, tmp_path: Path) -> None:
    for name, to in (("link", target), ("to nothing yet", tmp_path / "new")):
        (tmp_path / name).symlink_to(to)
        atomic_write(tmp_path / name, b"new")
        assert (tmp_path / name).is_symlink()
        assert to.read_bytes() == b"new"


def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    atomic_write(pipe, b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert pipe.is_fifo()


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "file"
    with pytest.raises(FileNotFoundError) as failed:
        atomic_write(path, b"new")
    assert str(failed.value) == f"[Errno 2] No such file or directory: '{path}'"
    with pytest.raises(IsADirectoryError, match=r"Is a directory: '[^']*'$"):
        atomic_write(tmp_path, b"new")


@pytest.mark.parametrize("broken", ["fsync", "replace", "open"])
@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()])
def test_an_error_on_the_way_leaves_the_old_content_and_no_litter(
    target: Path, broken: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(os if broken == "fsync" else Path, broken, fail)
    with pytest.raises(type(error)):
        atomic_write(target, b"new")
    monkeypatch.undo()
    assert contents(target.parent) == {"file": b"old"}


def test_content_reaches_the_disk_before_the_name_does(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = []
    fsync, replace = os.fsync, Path.replace

    def spy_on_fsync(descriptor: int) -> None:
        order.append("fsync")
        fsync(descriptor)

    def spy_on_replace(path: Path, to: Path) -> Path:
        order.append("replace")
        assert path.read_bytes() == b"new"
        assert path.parent == to.parent
        return replace(path, to)

    monkeypatch.setattr(os, "fsync", spy_on_fsync)
    monkeypatch.setattr(Path, "replace", spy_on_replace)
    atomic_write(target, b"new")
    assert order[:2] == ["fsync", "replace"]
    assert target.read_bytes() == b"new"


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic_write(tmp_path / "missing" / "file", b"new")


def test_a_process_killed_while_it_writes_leaves_old_or_new(target: Path) -> None:
    """kill -9 at five moments of an endless rewriting of four megabytes: the content is always whole."""
    writer = textwrap.dedent(
        """
        import sys
        from ntm_core.atomic import atomic_write
        for turn in range(10**9):
            atomic_write(sys.argv[1], bytes([turn % 256]) * (4 << 20))
            if turn == 0:
                print("ready", flush=True)
        """
    )
    for moment in range(5):
        with subprocess.Popen([sys.executable, "-c", writer, str(target)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(0.005 * moment)
            process.send_signal(signal.SIGKILL)
        found = target.read_bytes()
        assert len(found) == 4 << 20
        assert found == found[:1] * len(found)


def test_a_new_file_has_the_mode_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    atomic_write(tmp_path / "file", b"new")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "file")]
    assert modes[0] == modes[1]
