"""Hearing that numba compiles, rather than loads what it has compiled before. To be imported only where numba is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core import event


@contextmanager
def told_of_compiling(say: Callable[[], None]) -> Iterator[None]:
    """Within it, `say` is called once, as soon as numba begins to compile anything."""
    with event.install_listener("numba:compile", _Listener(say)):
        yield


class _Listener(event.Listener):
    def __init__(self, say: Callable[[], None]) -> None:
        self._say: Callable[[], None] | None = say

    def on_start(self, _event: event.Event) -> None:
        if self._say is not None:
            self._say()
            self._say = None

    def on_end(self, _event: event.Event) -> None:
        pass
