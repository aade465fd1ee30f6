"""Traces kept in memory: those used last, so that what was computed once is not computed again."""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from ntm_core.interventions import Intervention, first_difference
from ntm_core.trace import Trace

Frame = tuple[int, bytes]
"""How many steps a frame holds, and the frame as it travels."""


@dataclass(frozen=True)
class RunKey:
    """What decides every number of a trace.

    Attributes:
        family: machine, rows and state before step 1; runs of one family differ by their interventions alone.
        program: the interventions, each source named by what decides its own numbers.
    """

    family: str
    program: tuple[Intervention, ...]

    @property
    def name(self) -> str:
        """The same text for the same numbers, and another for others."""
        program = json.dumps([asked.model_dump(mode="json") for asked in self.program])
        return hashlib.sha256(f"{self.family} {program}".encode()).hexdigest()


@dataclass(frozen=True)
class Start:
    """A kept trace, its steps as frames, if these are kept, and how many of its first steps another run shares."""

    trace: Trace
    steps: int
    frames: tuple[Frame, ...]


class TraceCache:
    """Finished traces, and their steps as frames, of at most `limit` bytes together. Any thread may call it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._traces: OrderedDict[RunKey, Trace] = OrderedDict()
        self._families: dict[str, list[RunKey]] = {}
        self._frames: dict[RunKey, tuple[Frame, ...]] = {}
        self._bytes = 0

    def get(self, key: RunKey) -> Trace | None:
        """The trace of a run, if it is kept."""
        with self._lock:
            return self._use(key) if key in self._traces else None

    def knows(self, family: str) -> bool:
        """Whether a trace of this family is kept."""
        with self._lock:
            return family in self._families

    def frames(self, key: RunKey) -> tuple[Frame, ...]:
        """The steps of a kept trace as they travel, if they have been kept; else none."""
        with self._lock:
            return self._frames.get(key, ())

    def keep_frames(self, key: RunKey, frames: Sequence[Frame]) -> None:
        """Keep the steps of a kept trace as they travel."""
        with self._lock:
            size = _size_of(frames)
            if key in self._traces and key not in self._frames and size <= self._limit:
                self._frames[key] = tuple(frames)
                self._bytes += size
                self._make_room()

    def longest_start(self, key: RunKey) -> Start | None:
        """The kept trace that is alike for the most steps; None if none is alike for one step."""
        with self._lock:
            alike = {
                other: first_difference(key.program, other.program, len(self._traces[other]))
                for other in self._families.get(key.family, ())
            }
            best = max(alike, key=alike.__getitem__, default=None)
            if best is None or alike[best] == 0:
                return None
            return Start(self._use(best), alike[best], self._frames.get(best, ()))

    def put(self, key: RunKey, trace: Trace) -> None:
        """Keep a trace, and forget those used longest ago if there is no more room; one that never fits is not kept."""
        with self._lock:
            if key in self._traces or _bytes_of(trace) > self._limit:
                return
            self._traces[key] = trace
            self._families.setdefault(key.family, []).append(key)
            self._bytes += _bytes_of(trace)
            self._make_room()

    def _make_room(self) -> None:
        while self._bytes > self._limit:
            key, trace = self._traces.popitem(last=False)
            self._bytes -= _bytes_of(trace) + _size_of(self._frames.pop(key, ()))
            family = self._families[key.family]
            family.remove(key)
            if not family:
                del self._families[key.family]

    def _use(self, key: RunKey) -> Trace:
        self._traces.move_to_end(key)
        return self._traces[key]


def _bytes_of(trace: Trace) -> int:
    landmarks = sum(memory.nbytes for memory in trace.landmarks.values())
    return trace.episode.nbytes + trace.initial.nbytes + trace.records.nbytes + landmarks


def _size_of(frames: Sequence[Frame]) -> int:
    return sum(len(data) for _, data in frames)
