"""Who computes a batch: the thread that asks, or several that someone lends, for the core begins none of its own."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

Task = Callable[[], object]


class Crew(NamedTuple):
    """Threads that are lent.

    Attributes:
        size: how many tasks are done at once.
        run: does all of these tasks, and then returns; raises what one of them raised.
    """

    size: int
    run: Callable[[Sequence[Task]], None]


def one_by_one(tasks: Sequence[Task]) -> None:
    """Do the tasks in the thread that asks."""
    for task in tasks:
        task()


ALONE = Crew(1, one_by_one)
