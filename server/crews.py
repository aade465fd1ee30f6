"""Crews: threads that are lent to the core, which begins none of its own."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ntm_core.compiled import ALONE, Crew, Task


def crew_of(size: int) -> Crew:
    """A crew of so many threads, of which the one that asks is the first; they end with the process."""
    if size == 1:
        return ALONE
    others = ThreadPoolExecutor(size - 1, thread_name_prefix="crew")

    def run(tasks: Sequence[Task]) -> None:
        waiting = [others.submit(task) for task in tasks[1:]]
        try:
            tasks[0]()
        finally:
            for future in waiting:
                future.result()

    return Crew(size, run)
