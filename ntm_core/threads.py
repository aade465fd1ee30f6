"""How many threads may be asked to compute: so many more than there are processors end the process."""

import os

from ntm_core.errors import NtmError


def most_threads() -> int:
    """Four for each processor, and 64 at least."""
    return max(64, 4 * (os.cpu_count() or 1))


def require_threads(threads: int, name: str = "threads") -> None:
    """NtmError, in which the number is called so, unless so many threads may be asked for."""
    if not 1 <= threads <= most_threads():
        raise NtmError(f"{name} is {threads}: it must be 1 … {most_threads()}")
