"""Traces for an analysis: recorded as asked or kept from before, or read from an upload, in the thread of a run.

Each is planned first, so that an analysis is refused before anything is computed, and the bytes of all its traces are
reserved at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ntm_core.trace import Trace, TraceHeader
from server.analysis_schemas import ComparedTrace
from server.recorder import Run
from server.schemas import SourceRequest, TraceRequest
from server.stores.traces import TraceStore
from server.traces import Recordings


@dataclass(frozen=True)
class Planned:
    """A trace that an analysis needs, before it is in memory.

    Attributes:
        header: of the trace.
        size: how many bytes it will take.
        make: records or reads it, in the thread that calls this.
    """

    header: TraceHeader
    size: int
    make: Callable[[], Trace]


@dataclass(frozen=True)
class TraceSources:
    """Where the traces of analyses come from."""

    recordings: Recordings
    uploads: TraceStore

    def hold(self, run: Run, checkpoint: str) -> None:
        """Keep a checkpoint from making room for others until the run is over."""
        run.when_over(self.recordings.checkpoints.hold(checkpoint))

    async def recorded(self, run: Run, asked: SourceRequest) -> Planned:
        """The trace of a request, to be recorded step by step unless it is kept."""
        others = asked.sources.values() if isinstance(asked, TraceRequest) else ()
        for checkpoint in {asked.checkpoint, *(source.checkpoint for source in others)}:
            self.hold(run, checkpoint)
        return await run.call(partial(self._recorded, run, asked))

    async def of_interventions(self, run: Run, asked: TraceRequest) -> dict[str, Planned]:
        """The traces that the interventions of a request take from, by name."""
        return {name: await self.recorded(run, source) for name, source in asked.sources.items()}

    async def either(self, run: Run, asked: ComparedTrace) -> Planned:
        """A trace that is to be recorded, or one that was uploaded."""
        if asked.trace is not None:
            return await self.recorded(run, asked.trace)
        assert asked.uploaded_trace is not None, "the schema refuses a request with neither"
        run.when_over(self.uploads.hold(asked.uploaded_trace))
        return await run.call(partial(self._uploaded, asked.uploaded_trace))

    def _recorded(self, run: Run, asked: SourceRequest) -> Planned:
        plan = self.recordings.plan(asked)
        return Planned(plan.header, self.recordings.bytes_of(plan), partial(self.recordings.finished, plan, run.check))

    def _uploaded(self, trace_id: str) -> Planned:
        header, size = self.uploads.info(trace_id).header, self.uploads.size(trace_id)
        return Planned(header, size, partial(self.uploads.load, trace_id))
