"""The command `ntm-scope`. What takes long to import comes after a Ctrl-C can be answered."""

import sys
from collections.abc import Sequence

STOPPED = 130
"""Exit status of a command that was stopped: what a shell reports after Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the command: 0 if it did what it was asked."""
    try:
        from server.command import run  # noqa: PLC0415  # it imports PyTorch

        return run(arguments)
    except KeyboardInterrupt:
        return STOPPED


if __name__ == "__main__":
    sys.exit(main())
