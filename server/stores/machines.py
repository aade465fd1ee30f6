"""Machines kept ready: the few that were used last."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from ntm_core.machine import Machine


class MachineCache:
    """The machines used last, by checkpoint id, at most `size` of them. Every method may be called from any thread.

    A machine holds parameters and nothing else, so that many recordings may share it.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._machines: OrderedDict[str, Machine] = OrderedDict()

    def get(self, checkpoint_id: str, load: Callable[[], Machine]) -> Machine:
        """The machine of a checkpoint; `load` makes it if it is not kept."""
        with self._lock:
            if checkpoint_id in self._machines:
                self._machines.move_to_end(checkpoint_id)
                return self._machines[checkpoint_id]
        machine = load()
        with self._lock:
            self._machines[checkpoint_id] = machine
            self._machines.move_to_end(checkpoint_id)
            while len(self._machines) > self._size:
                self._machines.popitem(last=False)
        return machine

    def forget(self, checkpoint_id: str) -> None:
        """Keep the machine of this checkpoint no longer."""
        with self._lock:
            self._machines.pop(checkpoint_id, None)
