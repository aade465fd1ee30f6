"""Recordings and other long work in threads, watched from the event loop: bounded, and stopped once nobody listens."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

from ntm_core.recording import Recording
from server.errors import Busy, Refusal

logger = logging.getLogger("ntm_scope")

Result = TypeVar("Result")


class Stopped(Refusal):
    """The recording was stopped: its client left, or the server is shutting down."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "stopped"


class Recorder:
    """Gives out runs, at most `limit` at a time, each with a thread of its own."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._free = threading.BoundedSemaphore(limit)
        self._threads = ThreadPoolExecutor(limit, thread_name_prefix="trace")
        self._runs: set[Run] = set()

    def begin(self) -> "Run":
        """A run, which must be closed. Busy if all are taken."""
        if not self._free.acquire(blocking=False):
            raise Busy(f"{self._limit} traces are being recorded or analysed: that is the limit, so try again soon")
        run = Run(self._threads, self._end)
        self._runs.add(run)
        return run

    def stop(self) -> None:
        """Stop all runs; each ends after the step that it is at."""
        for run in tuple(self._runs):
            run.stop()

    def close(self) -> None:
        """Stop all runs and wait for their threads."""
        self.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _end(self, run: "Run") -> None:
        self._runs.discard(run)
        self._free.release()


class Run:
    """One trace on its way: its work happens in one thread, step by step, until it is done or stopped.

    The records are written by the thread and read by the event loop, each record by one of them at a time: `steps`
    passes on only how many are complete.
    """

    def __init__(self, threads: ThreadPoolExecutor, ended: Callable[["Run"], None]) -> None:
        self._threads = threads
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._progress = asyncio.Event()
        self._complete = 0
        self._work: Future[Any] | None = None
        self._when_over: list[Callable[[], None]] = []
        self.seconds = 0.0

    def when_over(self, call: Callable[[], None]) -> None:
        """Call this once the run has been closed and its thread has ended."""
        self._when_over.append(call)

    def stop(self) -> None:
        """Let the thread end after the step that it is at; whoever waits for it gets Stopped."""
        self._stop.set()

    def check(self) -> None:
        """Nothing, unless the run is to stop: then Stopped. For work that takes long before it records."""
        if self._stop.is_set():
            raise Stopped("the recording was stopped before it began")

    def close(self) -> None:
        """Stop, and give the place to another run once the thread has ended."""
        self.stop()
        if self._work is None:
            self._is_over()
        else:
            self._work.add_done_callback(lambda _: self._is_over())

    async def call(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, called in the run's thread."""
        return await asyncio.wrap_future(self._submit(work))

    def steps(self, recording: Recording) -> AsyncGenerator[int]:
        """Record in the run's thread; how many steps are complete, each time that it has become more.

        Raises what the recording raises, and Stopped.
        """
        return self.follow(recording.run(), recording.header.steps)

    async def follow(self, steps: Iterator[int], total: int) -> AsyncGenerator[int]:
        """Take all of these steps in the run's thread; how many are complete, each time that it has become more.

        Raises what the steps raise, and Stopped.
        """
        self._complete = 0
        work = self._submit(lambda: self._take(steps, total))
        work.add_done_callback(lambda _: self._announce(self._complete))
        seen = 0
        while seen < total:
            await self._progress.wait()
            self._progress.clear()
            ended = work.done()
            if self._complete > seen:
                seen = self._complete
                yield seen
            if ended:
                break
        await asyncio.wrap_future(work)

    def _is_over(self) -> None:
        self._ended(self)
        while self._when_over:
            self._when_over.pop()()

    def _submit(self, work: Callable[[], Result]) -> "Future[Result]":
        self.check()
        self._work = future = self._threads.submit(work)
        return future

    def _take(self, steps: Iterator[int], total: int) -> None:
        """Take the steps, in the thread."""
        started = time.perf_counter()
        for step in steps:
            self.seconds = time.perf_counter() - started
            self._announce(step + 1)
            if self._stop.is_set() and step + 1 < total:
                raise Stopped(f"the recording was stopped after {step + 1} of {total} steps")

    def _announce(self, complete: int) -> None:
        """Tell the event loop, from the thread, how many steps are complete."""
        self._complete = complete
        # The loop clears the event before it reads the count, so one that is set needs no second call.
        if not self._progress.is_set():
            self._loop.call_soon_threadsafe(self._progress.set)
