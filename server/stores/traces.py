"""Uploaded traces: files of the trace schema that some other program wrote, to be looked at and not to be re-run."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ntm_core.errors import NtmError, TraceError
from ntm_core.trace import Group, Trace, TraceHeader, group_size
from ntm_core.trace_file import load_trace
from server.errors import LimitExceeded, UnknownTrace, shown
from server.imports import FileReader
from server.settings import Settings
from server.stores.shelf import TRACES, Shelf, logger
from server.stores.showing import why_not_shown


@dataclass(frozen=True)
class TraceInfo:
    """One uploaded trace, without its numbers."""

    id: str
    name: str
    bytes: int
    header: TraceHeader


class TraceStore:
    """The uploaded traces that there are. Every method may be called from any thread."""

    def __init__(self, settings: Settings, shelf: Shelf, reader: FileReader) -> None:
        self._settings = settings
        self._shelf = shelf
        self._reader = reader
        self._lock = threading.RLock()
        self._known: dict[str, TraceInfo] = {}

    def list(self) -> tuple[TraceInfo, ...]:
        """All uploaded traces, the oldest first; without unreadable files."""
        found = []
        for trace_id in self._shelf.entries(TRACES):
            try:
                found.append(self.info(trace_id))
            except (NtmError, LimitExceeded, UnknownTrace, OSError) as error:
                logger.warning("trace %s is left out of the list: %s", trace_id, error)
        return tuple(found)

    def info(self, trace_id: str) -> TraceInfo:
        """What is known about one trace. UnknownTrace; TraceError if its file cannot be read."""
        with self._lock:
            self._require(trace_id)
            if trace_id not in self._known:
                self._known[trace_id] = self._info(trace_id, self.load(trace_id).header)
            return self._known[trace_id]

    def load(self, trace_id: str) -> Trace:
        """A trace with all its numbers. It names no checkpoint: what it says of one, no server of ours can know."""
        self._require(trace_id)
        path = self._shelf.path(TRACES, trace_id)
        return self._checked(load_trace(path, self._settings.max_trace_bytes))

    def size(self, trace_id: str) -> int:
        """How many bytes the numbers of a trace take in memory; refusals as in `info`."""
        header = self.info(trace_id).header
        groups: tuple[Group, ...] = ("episode", "initial", "step")
        numbers = sum(group_size(header.config, group, header.steps, header.interventions) for group in groups)
        return numbers * np.dtype(header.dtype).itemsize

    def add(self, data: bytes, name: str) -> TraceInfo:
        """Store a trace under the hash of its content; the same content again only takes the new name.

        TraceError if it is no trace or its header cannot be shown, LimitExceeded if it is too long or too large,
        CannotStore if there is no room.
        """
        trace_id = f"trace-{hashlib.sha256(data).hexdigest()[:12]}"
        header = self._checked(self._reader.trace(data)).header
        with self._lock:
            for gone in self._shelf.put(TRACES, trace_id, name, {TRACES.commit: data}):
                self._known.pop(gone, None)
            self._known[trace_id] = info = self._info(trace_id, header)
        return info

    def delete(self, trace_id: str) -> None:
        """Remove an uploaded trace. UnknownTrace."""
        with self._lock:
            self._require(trace_id)
            self._shelf.remove(TRACES, trace_id)
            self._known.pop(trace_id, None)

    def hold(self, trace_id: str) -> Callable[[], None]:
        """Keep a trace from making room for others until what is returned is called."""
        return self._shelf.hold(trace_id)

    def _require(self, trace_id: str) -> None:
        if not self._shelf.has(TRACES, trace_id):
            raise UnknownTrace(f"there is no uploaded trace {shown(trace_id)}")

    def _info(self, trace_id: str, header: TraceHeader) -> TraceInfo:
        path = self._shelf.path(TRACES, trace_id)
        return TraceInfo(trace_id, self._shelf.name(TRACES, trace_id), path.stat().st_size, header)

    def _checked(self, trace: Trace) -> Trace:
        if trace.header.steps > self._settings.max_steps:
            raise LimitExceeded(f"the trace has {trace.header.steps} steps: the limit is {self._settings.max_steps}")
        header = trace.header.model_copy(update={"checkpoint": None})
        # Edits are many in traces of the server's own, and are bounded by what a header may have.
        if reason := why_not_shown({name: value for name, value in header if name != "interventions"}):
            raise TraceError(f"the trace's header {reason}")
        return replace(trace, header=header)
