"""Machines kept ready: the few that were used last."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from ntm_core.machine import Machine


class MachineCache:
    """The machines used last, by checkpoint and version of its file, at most `size`. Any thread may call it.

    A machine holds parameters and nothing else, so that many recordings may share it.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._machines: OrderedDict[tuple[str, int], Machine] = OrderedDict()

    def get(self, key: tuple[str, int], load: Callable[[], Machine]) -> Machine:
        """The machine of a checkpoint; `load` makes it if it is not kept."""
        with self._lock:
            if key in self._machines:
                self._machines.move_to_end(key)
                return self._machines[key]
        machine = load()
        with self._lock:
            self._machines[key] = machine
            self._machines.move_to_end(key)
            while len(self._machines) > self._size:
                self._machines.popitem(last=False)
        return machine

    def forget(self, checkpoint_id: str) -> None:
        """Keep no machine of this checkpoint any longer."""
        with self._lock:
            for key in [key for key in self._machines if key[0] == checkpoint_id]:
                del self._machines[key]
