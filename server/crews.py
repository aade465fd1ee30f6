"""Crews: threads that are lent to the core, which begins none of its own."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from ntm_core.compiled import ALONE, Crew, Task
from ntm_core.threads import require_threads


def crew_of(size: int) -> Crew:
    """A crew of so many threads, of which the one that asks is the first. NtmError if that is too many."""
    require_threads(size)
    if size == 1:
        return ALONE
    others = ThreadPoolExecutor(size - 1, thread_name_prefix="crew")

    def run(tasks: Sequence[Task]) -> None:
        waiting: list[Future[object]] = []
        try:
            waiting.extend(others.submit(task) for task in tasks[1:])
            tasks[0]()
        finally:
            wait(waiting)
        for future in waiting:
            future.result()

    return Crew(size, run)
