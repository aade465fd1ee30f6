"""The compiled core is made ready beside the server."""

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ntm_core.compiled import BUILDING, is_available
from server.compiled import warm_up


@contextmanager
def warming() -> Iterator[None]:
    """Meanwhile the compiled core is made ready, and no longer.

    Another process compiles, and says so, since numba keeps this one from answering meanwhile; then this one loads what
    it made. A Ctrl-C is for this one alone; the other one ends as soon as its standard input does, however this one may
    have ended. Where nothing is compiled, the log says so.
    """
    if not is_available():
        warm_up()
        yield
        return
    compiling = subprocess.Popen(
        [sys.executable, "-m", "server.training"],
        env=os.environ | {BUILDING: "1"},
        stdin=subprocess.PIPE,
        process_group=0,
    )
    assert compiling.stdin is not None
    try:
        threading.Thread(target=_warm_up_after, args=(compiling,), daemon=True).start()
        yield
    finally:
        compiling.terminate()
        compiling.wait()
        compiling.stdin.close()


def _warm_up_after(compiling: "subprocess.Popen[bytes]") -> None:
    """Make the compiled core ready in this process, once another one has compiled it; nothing if that failed."""
    if compiling.wait() == 0:
        warm_up()
        keep_what_is_loaded()


def keep_what_is_loaded() -> None:
    """Let Python's collector of garbage leave alone what there is by now, which stays until the end.

    It is some hundred thousand objects of torch, numba and the application: to look through them would hold up all
    requests for a quarter of a second, now and then.
    """
    gc.freeze()
