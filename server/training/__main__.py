"""A worker: `python -m server.training DIRECTORY THREADS` trains the run in the directory; see `worker`.

Without a directory it only makes the compiled core ready, and says in plain words if it has to be compiled. Either way
it ends as soon as its standard input does, from its first moment on.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from server.training.stopping import Stop


def main(directory: Path | None, threads: int = 1) -> int:
    """The exit status: 0 if the run is finished or was stopped, or the core is ready; 1 otherwise."""
    stop = Stop(_leave if directory is None else _leave_run)
    stop.listen()
    from server.training import worker  # noqa: PLC0415  # it imports PyTorch

    return worker.prepare() if directory is None else worker.main(directory, threads, stop)


def _leave() -> None:
    os._exit(1)


def _leave_run() -> None:
    with suppress(OSError):
        os.write(1, b'{"ended": "stopped"}\n')
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 1 else main(None))
