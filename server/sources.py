"""Traces for an analysis: recorded as asked or kept from before, or read from an upload, in the thread of a run."""

from dataclasses import dataclass
from functools import partial

from ntm_core.trace import Trace
from server.analysis_schemas import ComparedTrace
from server.recorder import Run
from server.schemas import SourceRequest, TraceRequest
from server.stores.traces import TraceStore
from server.traces import Recordings


@dataclass(frozen=True)
class TraceSources:
    """Where the traces of analyses come from."""

    recordings: Recordings
    uploads: TraceStore

    def hold(self, run: Run, checkpoint: str) -> None:
        """Keep a checkpoint from making room for others until the run is over."""
        run.when_over(self.recordings.checkpoints.hold(checkpoint))

    async def recorded(self, run: Run, asked: SourceRequest) -> Trace:
        """The trace of a request, recorded step by step unless it is kept."""
        others = asked.sources.values() if isinstance(asked, TraceRequest) else ()
        for checkpoint in {asked.checkpoint, *(source.checkpoint for source in others)}:
            self.hold(run, checkpoint)
        return await run.call(partial(self.recordings.trace, asked, run.check))

    async def of_interventions(self, run: Run, asked: TraceRequest) -> dict[str, Trace]:
        """The traces that the interventions of a request take from, by name."""
        return {name: await self.recorded(run, source) for name, source in asked.sources.items()}

    async def either(self, run: Run, asked: ComparedTrace) -> Trace:
        """A trace that is recorded, or one that was uploaded."""
        if asked.trace is not None:
            return await self.recorded(run, asked.trace)
        assert asked.uploaded_trace is not None, "the schema refuses a request with neither"
        run.when_over(self.uploads.hold(asked.uploaded_trace))
        return await run.call(partial(self.uploads.load, asked.uploaded_trace))
