"""How a worker is told to stop. It imports nothing that takes time, so that a worker listens from its first moment."""

import os
import threading
from collections.abc import Callable

_INPUT = 0


class Stop:
    """Whether the server wants this process to stop: as soon as the standard input ends, however that came about.

    Until work has begun there is nothing to be saved, and `leave`, which ends the process, is called at once.
    """

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        self._told = False
        self._begun = False
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        """Whether it is time to stop."""
        return self._told

    def begin(self) -> None:
        """From now on whoever works stops by itself, with everything saved."""
        with self._lock:
            self._begun = True

    def listen(self) -> None:
        """Wait, in a thread, for the end of the standard input."""
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        # Not through `sys.stdin`, whose lock this thread would still hold when the program ends: Python aborts then.
        while os.read(_INPUT, 4096):
            pass
        with self._lock:
            self._told = True
            if not self._begun:
                self._leave()
