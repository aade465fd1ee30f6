"""Threads that are lent to the core."""

import threading
import time
from functools import partial

import pytest

from ntm_core.compiled import ALONE
from server.crews import crew_of


def test_all_tasks_are_done_by_so_many_threads_at_once() -> None:
    together = threading.Barrier(3, timeout=10)
    crew = crew_of(3)
    crew.run([together.wait, together.wait, together.wait])
    assert crew.size == 3


def test_there_may_be_fewer_tasks_and_more() -> None:
    done: list[int] = []
    for count in (1, 2, 7):
        done.clear()
        crew_of(3).run([partial(done.append, number) for number in range(count)])
        assert sorted(done) == list(range(count))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_a_task_raises_is_raised_when_the_others_are_done(place: int) -> None:
    done: list[int] = []

    def fail() -> None:
        raise ZeroDivisionError

    def work(number: int) -> None:
        time.sleep(0.1)
        done.append(number)

    tasks = [partial(work, 0), partial(work, 1)]
    tasks.insert(place, partial(fail))
    with pytest.raises(ZeroDivisionError):
        crew_of(3).run(tasks)
    assert sorted(done) == [0, 1]


def test_one_thread_is_the_one_that_asks() -> None:
    assert crew_of(1) is ALONE
