"""Which steps of two traces stand beside each other: step t + `offset` of B beside step t of A."""

from ntm_core.trace import Trace


def common_steps(a: Trace, b: Trace, offset: int = 0) -> range:
    """The steps of A that have a step of B beside them, maybe none."""
    first = max(0, -offset)
    return range(first, max(first, min(len(a), len(b) - offset)))
