"""The command `ntm-scope`. What takes long to import is imported where a Ctrl-C finds an answer."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

STOPPED = 130
"""Exit status of a command that was stopped: what a shell reports after Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the command: 0 if it did what it was asked."""
    try:
        with _left_at_once():
            from server.command import run  # noqa: PLC0415  # it imports PyTorch
        return run(arguments)
    except KeyboardInterrupt:
        return STOPPED


@contextmanager
def _left_at_once() -> Iterator[None]:
    """Within it Ctrl-C ends the process: an import that is cut short by an exception may end in any other one."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: os._exit(STOPPED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(main())
