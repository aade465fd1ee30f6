"""The time that a run takes, in all its sessions: on the clock, and of the processor."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock, and seconds of this process on processors, which other programs do not lengthen."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0


class Stopwatch:
    """Counts on from what was spent before."""

    def __init__(self, before: Spent) -> None:
        self._started = Spent(time.monotonic() - before.seconds, time.process_time() - before.cpu_seconds)

    @property
    def spent(self) -> Spent:
        """What was spent until now."""
        return Spent(time.monotonic() - self._started.seconds, time.process_time() - self._started.cpu_seconds)
