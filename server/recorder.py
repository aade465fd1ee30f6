"""Recordings and other long work in threads, in turns: bounded, and stopped once nobody listens."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from ntm_core.trace import TraceHeader
from server.errors import Busy, Refusal

Result = TypeVar("Result")


class Recorded(Protocol):
    """What can be recorded step by step: `ntm_core.recording.Recording`, or what stands for one."""

    @property
    def header(self) -> TraceHeader:
        """Of the trace."""

    def run(self) -> Iterator[int]:
        """The index of the last step that has been recorded, each time that there are more."""


class Stopped(Refusal):
    """The recording was stopped: its client left, or the server is shutting down."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "stopped"


_SLICE_SECONDS = 0.02
"""For so long a run works before others have their turn and its reader gets what there is.

Time in which its thread waits for the processor does not count: where many ask at once, each would else be cut short
because others are at work, wait for another turn, and nobody would be served before the last.
"""


class Recorder:
    """Gives out runs, at most `limit` at a time, which take turns in `threads` threads.

    Nothing is computed ahead of its reader by more than a turn, so a slow one costs no more memory than a quick one.
    All that runs reserve is `max_bytes` at most.
    """

    def __init__(
        self, limit: int, threads: int = 4, max_bytes: int = 1 << 30, slice_seconds: float = _SLICE_SECONDS
    ) -> None:
        self._limit = limit
        self._free = threading.BoundedSemaphore(limit)
        self._threads = ThreadPoolExecutor(min(limit, threads), thread_name_prefix="trace")
        self._slice_seconds = slice_seconds
        self._runs: set[Run] = set()
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._bytes = 0

    def begin(self) -> "Run":
        """A run, which must be closed. Busy if all are taken."""
        if not self._free.acquire(blocking=False):
            raise Busy(f"{self._limit} traces are being recorded or analysed: that is the limit, so try again soon")
        run = Run(self._threads, self._end, self._reserve, self._slice_seconds)
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

    def _reserve(self, own: int, size: int) -> None:
        with self._lock:
            others = self._bytes - own
            if self._bytes + size > self._max_bytes and others > 0:
                raise Busy(
                    f"{own + size} bytes are needed and {others} are taken by other traces: "
                    f"the limit is {self._max_bytes}, so try again soon"
                )
            self._bytes += size

    def _end(self, run: "Run") -> None:
        self._runs.discard(run)
        with self._lock:
            self._bytes -= run.reserved
        self._free.release()


class Run:
    """One trace on its way: its work happens in threads, never in two at once, slice by slice until done or stopped."""

    def __init__(
        self,
        threads: ThreadPoolExecutor,
        ended: Callable[["Run"], None],
        reserve: Callable[[int, int], None],
        slice_seconds: float,
    ) -> None:
        self._threads = threads
        self._ended = ended
        self._reserve = reserve
        self._slice_seconds = slice_seconds
        self._stop = threading.Event()
        self._failure: Exception | None = None
        self.exhausted = False
        self._work: Future[Any] | None = None
        self._when_over: list[Callable[[], None]] = []
        self.complete = 0
        self.reserved = 0
        self.seconds = 0.0

    def when_over(self, call: Callable[[], None]) -> None:
        """Call this once the run has been closed and its work has ended."""
        self._when_over.append(call)

    def reserve(self, size: int) -> None:
        """Count bytes as this run's until it is over. Busy if others leave no room for them."""
        self._reserve(self.reserved, size)
        self.reserved += size

    def stop(self) -> None:
        """Let the work end after the steps that it is at; whoever waits for it gets Stopped."""
        self._stop.set()

    def check(self) -> None:
        """Nothing, unless the run is to stop: then Stopped. For work that takes long before it records."""
        if self._stop.is_set():
            done = f"after {self.complete} steps" if self.complete else "before it began"
            raise Stopped(f"the recording was stopped {done}")

    def close(self) -> None:
        """Stop, and give the place to another run once the work has ended."""
        self.stop()
        if self._work is None:
            self._is_over()
        else:
            self._work.add_done_callback(lambda _: self._is_over())

    async def call(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, called in a thread."""
        self.check()
        future = self._threads.submit(work)
        self._work = future
        return await asyncio.wrap_future(future)

    def steps(self, recording: Recorded) -> AsyncGenerator[int]:
        """Record; how many steps are complete, each time that it has become more.

        Raises what the recording raises, and Stopped.
        """
        return self.follow(recording.run(), recording.header.steps)

    async def follow(self, steps: Iterator[int], total: int) -> AsyncGenerator[int]:
        """Take all of these steps, some at a time; how many are complete, each time that it has become more.

        The first is told at once. Raises what the steps raise, and Stopped.
        """
        seen, seconds = self.complete, 0.0
        while not self.exhausted:
            await self.call(partial(self.take, steps, total, seconds))
            if self.complete > seen:
                seen = self.complete
                yield seen
            seconds = self._slice_seconds

    def _is_over(self) -> None:
        self._ended(self)
        while self._when_over:
            self._when_over.pop()()

    def take(self, steps: Iterator[int], total: int, seconds: float | None = None) -> None:
        """Take steps for so many seconds of this thread's own work, or for a turn, at least one; call it in a thread.

        What they raise after the first is raised by the next call.
        """
        if self._failure is not None:
            raise self._failure
        limit = self._slice_seconds if seconds is None else seconds
        started, worked, first = time.perf_counter(), time.thread_time(), self.complete
        try:
            for step in steps:
                self.complete = step + 1
                # After the last step they are asked once more, since they may have to sum up.
                if self.complete < total:
                    self.check()
                    if time.thread_time() - worked >= limit:
                        break
            else:
                self.exhausted = True
        except Exception as error:
            if self.complete == first:
                raise
            self._failure = error
        finally:
            self.seconds += time.perf_counter() - started
