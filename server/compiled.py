"""Making ready what is compiled: the core's kernel, and the coding of what that has recorded."""

import importlib
from collections.abc import Callable

from ntm_core import machine
from ntm_core.compiled import UNKEPT, is_available, is_kept
from server import coded_steps

COMPILING = (
    "The compiled core is being compiled, once on this computer: about half a minute, in which traces take longer."
)


def warm_up(say: Callable[[str], None] = lambda _: None) -> None:
    """Make all of it ready in this process; `say` is told if it has still to be compiled.

    What it may take, and where it is kept: see `ntm_core.machine.warm_up`. Without numba there is nothing to be done,
    and the log says so.
    """
    if not is_available():
        machine.warm_up()
        return
    compiling = importlib.import_module("server.compiling")
    with compiling.told_of_compiling(lambda: say(COMPILING if is_kept() else UNKEPT)):
        machine.warm_up()
        coded_steps.warm_up()


if __name__ == "__main__":
    warm_up(print)
