"""Runs in threads: how many there are, how they are followed, and how they end."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import cast

import pytest

from ntm_core.recording import Recording
from ntm_core.tasks import parse_task
from server.errors import Busy
from server.recorder import Recorder, Stopped
from tests.server.conftest import small_machine
from tests.server.live import eventually

pytestmark = pytest.mark.anyio


def a_recording(length: int = 3) -> Recording:
    task = parse_task({"name": "copy", "bits": 2, "lengths": [length, length]})
    return Recording(small_machine(), task.episodes(0))


class Paced:
    """Stands for a recording: each step waits for its turn, and the one at `fails_at` fails."""

    def __init__(self, steps: int, fails_at: int | None = None) -> None:
        self.header = type("Header", (), {"steps": steps})
        self.turns = threading.Semaphore(0)
        self.computed = 0
        self._steps = steps
        self._fails_at = fails_at

    def run(self) -> Iterator[int]:
        for step in range(self._steps):
            self.turns.acquire(timeout=20)
            if step == self._fails_at:
                raise ArithmeticError(f"step {step} failed")
            self.computed += 1
            yield step

    def let(self, steps: int) -> "Paced":
        self.turns.release(steps)
        return self


def recording(paced: Paced) -> Recording:
    return cast(Recording, paced)


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(eventually, condition)


async def collected(steps: AsyncIterator[int]) -> list[int]:
    return [complete async for complete in steps]


async def test_a_recording_reports_each_once_and_all_of_them() -> None:
    recorder = Recorder(1)
    run = recorder.begin()
    seen = await collected(run.steps(a_recording(50)))
    assert seen == sorted(set(seen))
    assert seen[-1] == 101
    assert run.seconds > 0
    run.close()
    recorder.close()


async def test_a_step_is_reported_before_the_next_is_computed_where_a_turn_has_room_for_one() -> None:
    recorder = Recorder(1, slice_seconds=0)
    run = recorder.begin()
    paced = Paced(3)
    steps = run.steps(recording(paced))
    for expected in (1, 2, 3):
        paced.let(1)
        assert await anext(steps) == expected
        assert paced.computed == expected
    with pytest.raises(StopAsyncIteration):
        await anext(steps)
    run.close()
    recorder.close()


async def test_the_first_step_is_reported_at_once_and_the_steps_of_a_turn_together() -> None:
    recorder = Recorder(1, slice_seconds=60)
    run = recorder.begin()
    steps = run.steps(recording(Paced(5).let(5)))
    assert await collected(steps) == [1, 5]
    run.close()
    recorder.close()


async def test_time_in_which_others_are_at_work_is_not_of_a_turn() -> None:
    recorder = Recorder(1, slice_seconds=0.2)
    run = recorder.begin()
    paced = Paced(4).let(1)

    def let_more() -> None:
        for _ in range(3):
            time.sleep(0.15)
            paced.let(1)

    others = threading.Thread(target=let_more)
    others.start()
    assert await collected(run.steps(recording(paced))) == [1, 4]
    others.join()
    run.close()
    recorder.close()


async def test_nothing_is_computed_while_the_reader_asks_for_nothing() -> None:
    recorder = Recorder(1, slice_seconds=0)
    run = recorder.begin()
    paced = Paced(5).let(5)
    steps = run.steps(recording(paced))
    assert await anext(steps) == 1
    await asyncio.sleep(0.05)
    assert paced.computed == 1
    run.close()
    recorder.close()


async def test_runs_take_turns_in_fewer_threads() -> None:
    recorder = Recorder(3, threads=1, slice_seconds=0)
    runs = [recorder.begin() for _ in range(3)]
    order: list[tuple[int, int]] = []

    async def follow(which: int) -> None:
        async for complete in runs[which].steps(recording(Paced(3).let(3))):
            order.append((complete, which))  # noqa: PERF401 - they are to be told apart in time

    await asyncio.gather(*(follow(which) for which in range(3)))
    assert order == [(complete, which) for complete in (1, 2, 3) for which in (0, 1, 2)]
    for run in runs:
        run.close()
    recorder.close()


async def test_what_runs_reserve_is_limited_until_they_are_over() -> None:
    recorder = Recorder(3, max_bytes=100)
    first, second = recorder.begin(), recorder.begin()
    first.reserve(60)
    with pytest.raises(Busy, match="50 bytes are needed and 60 are taken by other traces: the limit is 100"):
        second.reserve(50)
    second.reserve(40)
    first.close()
    second.close()
    alone = recorder.begin()
    alone.reserve(1000)
    alone.reserve(1000)
    second = recorder.begin()
    with pytest.raises(Busy, match="1 bytes are needed and 2000 are taken by other traces"):
        second.reserve(1)
    second.close()
    alone.close()
    recorder.close()


@pytest.mark.parametrize("fails_at", [0, 3, 9])
async def test_what_a_recording_raises_reaches_the_reader_after_its_steps(fails_at: int) -> None:
    recorder = Recorder(1)
    run = recorder.begin()
    paced = Paced(10, fails_at).let(10)
    steps = run.steps(recording(paced))
    seen = 0
    while seen < fails_at:
        seen = await anext(steps)
    assert seen == fails_at
    with pytest.raises(ArithmeticError, match=f"step {fails_at} failed"):
        await anext(steps)
    run.close()
    recorder.close()


async def test_a_stopped_run_computes_no_more() -> None:
    recorder = Recorder(1)
    run = recorder.begin()
    paced = Paced(100).let(1)
    steps = run.steps(recording(paced))
    assert await anext(steps) == 1
    run.stop()
    paced.let(99)
    with pytest.raises(Stopped, match="was stopped after 1 steps"):
        await collected(steps)
    assert paced.computed <= 2
    with pytest.raises(Stopped, match="was stopped after 1 steps"):
        await run.call(int)
    run.close()
    recorder.close()


async def test_the_limit_holds_until_a_run_has_really_ended() -> None:
    recorder = Recorder(2)
    first, second = recorder.begin(), recorder.begin()
    with pytest.raises(Busy, match="2 traces are being recorded or analysed: that is the limit") as caught:
        recorder.begin()
    assert caught.value.headers == {"Retry-After": "1"}
    paced = Paced(10).let(1)
    steps = first.steps(recording(paced))
    await anext(steps)
    second_turn = asyncio.ensure_future(anext(steps))
    await asyncio.sleep(0)
    first.close()
    with pytest.raises(Busy):
        recorder.begin()
    paced.let(9)
    await asyncio.gather(second_turn, return_exceptions=True)
    await until(lambda: recorder._free._value == 1)
    recorder.begin().close()
    second.close()
    recorder.close()


async def test_a_run_that_never_worked_gives_its_place_back() -> None:
    recorder = Recorder(1)
    for _ in range(3):
        recorder.begin().close()
    recorder.close()


async def test_closing_the_recorder_ends_every_run() -> None:
    recorder = Recorder(2)
    recordings = [Paced(1000).let(1), Paced(1000).let(1)]
    for paced in recordings:
        await anext(recorder.begin().steps(recording(paced)))
    recorder.stop()
    for paced in recordings:
        paced.let(5)
    await asyncio.to_thread(recorder.close)
    assert all(paced.computed <= 2 for paced in recordings)


async def test_a_call_returns_or_raises_what_the_work_does() -> None:
    recorder = Recorder(1)
    run = recorder.begin()
    assert await run.call(threading.current_thread) is not threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        await run.call(lambda: 1 // 0)
    run.close()
    recorder.close()
