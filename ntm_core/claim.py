"""A directory in which one process works at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ntm_core.errors import InUseError

LOCK = ".lock"
"""The file that is locked. It stays, for whoever removed it could take the lock from another who waits for it."""


@contextmanager
def claimed(directory: Path, seconds: float = 0.0) -> Iterator[None]:
    """The directory, made if need be, for this process alone; the system gives it back if the process is killed.

    InUseError if another one still has it after so many seconds; OSError if nothing can be written there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(directory / LOCK)
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise InUseError(f"another process is at work in {directory}: only one at a time can be") from None
    try:
        yield
    finally:
        lock.release()
