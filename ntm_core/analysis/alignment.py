"""Which steps of two traces stand beside each other: step t + `offset` of B beside step t of A."""

from collections.abc import Sized


def common_steps(a: Sized, b: Sized, offset: int = 0) -> range:
    """The steps of A that have a step of B beside them, maybe none: of two traces, or of as many steps."""
    first = max(0, -offset)
    return range(first, max(first, min(len(a), len(b) - offset)))
