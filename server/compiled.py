"""Making ready what is compiled: the core's kernel, and the coding of what that has recorded."""

from ntm_core import machine
from server import coded_steps


def warm_up() -> None:
    """Make all of it ready in this process; what it may take, and where it is kept: see `ntm_core.machine.warm_up`."""
    machine.warm_up()
    coded_steps.warm_up()
