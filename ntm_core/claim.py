"""A directory in which one process works at a time."""

import errno
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ntm_core.errors import InUseError

LOCK = ".lock"
"""The file that is locked. It stays, for whoever removed it could take the lock from another who waits for it."""

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What a system answers where it cannot lock: some network drives."""

_log = logging.getLogger(__name__)


@contextmanager
def claimed(directory: Path, seconds: float = 0.0, cancelled: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """The directory, made if need be, for this process alone; the system gives it back if the process is killed.

    InUseError if another one still has it after so many seconds, or once it is `cancelled`; OSError if nothing can be
    written there. Where the system has no locks, the log says so and nothing is kept from anyone.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(directory / LOCK)
    try:
        lock.acquire(timeout=seconds, cancel_check=cancelled)
    except Timeout:
        raise InUseError(f"another process is at work in {directory}: only one at a time can be") from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        _log.warning("%s cannot be locked (%s): see to it that no other process works there", directory, error.strerror)
    try:
        yield
    finally:
        lock.release()
