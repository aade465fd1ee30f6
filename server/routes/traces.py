"""/api/traces: run a machine and watch it, step by step."""

import re
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from server import formats
from server.bodies import JsonRoute
from server.errors import Mismatch
from server.formats import Format, Part, Prepared
from server.recorder import Recorder, Run
from server.responses import errors
from server.schemas import TraceDocument, TraceRequest
from server.settings import Settings
from server.streaming import TraceResponse
from server.traces import Recordings
from server.wire import MEDIA_TYPE

JSON_TYPE = "application/json"
ARCHIVE_TYPE = "application/x-npz"

Chunks = Callable[[Run, Callable[[], Prepared]], AsyncGenerator[bytes]]

_FORMATS: dict[Format, tuple[Chunks, str]] = {
    "stream": (formats.stream, MEDIA_TYPE),
    "json": (formats.document, JSON_TYPE),
    "npz": (formats.archive, ARCHIVE_TYPE),
}

_LARGEST = 2**31 - 1
"""No trace has so many steps; a number that is far longer is not worth repeating in an error."""

_BINARY = {"type": "string", "format": "binary"}
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "model": TraceDocument,
        "description": (
            "The trace. As a stream: frames of two little-endian unsigned 32-bit numbers (payload length, kind) and a "
            "payload. Kind 1 is the header (`header` of the JSON form), 2 the episode, 3 the initial state, 4 whole "
            "step records and 7 coded ones, 5 the end (`end` of the JSON form), 6 an error. The page of the format is "
            "server/WIRE.md. As npz: one archive without pickles, each array under its name, the header as JSON bytes."
        ),
        "content": {MEDIA_TYPE: {"schema": _BINARY}, ARCHIVE_TYPE: {"schema": _BINARY}},
    },
}


def media_type_of(form: Format) -> str:
    """The media type of a trace in this form."""
    return _FORMATS[form][1]


@dataclass(frozen=True)
class Sending:
    """How a trace is to travel, and which part of it; None for the whole."""

    form: Format
    part: Part | None


def sending(
    form: Annotated[Format, Query(alias="format", description="How the trace travels.")] = "stream",
    first: Annotated[
        int | None,
        Query(ge=0, le=_LARGEST, description="Stream from this step on, the first being 0; null: the whole trace."),
    ] = None,
    count: Annotated[int | None, Query(ge=1, description="With first: so many steps at most; null: all.")] = None,
) -> Sending:
    """What the query of a request asks for."""
    if first is None and count is not None:
        raise Mismatch(f"count is {count}, but first is not given: count is how many steps come from first on", "count")
    if first is None:
        return Sending(form, None)
    if form != "stream":
        raise Mismatch(f"first is {first} and format is {form!r}: only a stream can hold a part of a trace", "first")
    return Sending(form, Part(first, count))


def trace_routes(recordings: Recordings, recorder: Recorder, settings: Settings) -> APIRouter:
    """The routes of the resource `traces`."""
    router = APIRouter(prefix="/api/traces", tags=["traces"], route_class=JsonRoute)

    @router.post(
        "",
        summary="Run a machine on one episode and get its trace",
        status_code=200,
        response_class=TraceResponse,
        responses=ANSWER | errors(404, 408, 413, 415, 422, 503),
    )
    async def create_trace(
        asked: TraceRequest,
        wanted: Annotated[Sending, Depends(sending)],
    ) -> TraceResponse:
        chunks, media_type = _FORMATS[wanted.form]
        if wanted.part is not None:
            chunks = partial(formats.part, asked=wanted.part)
        run = recorder.begin()
        for checkpoint in {asked.checkpoint, *(source.checkpoint for source in asked.sources.values())}:
            run.when_over(recordings.checkpoints.hold(checkpoint))
        return TraceResponse(
            run,
            chunks(run, partial(recordings.prepare, asked, run.check, run.reserve)),
            media_type=media_type,
            headers=_headers(asked, wanted.form),
            stall_seconds=settings.stall_seconds,
        )

    return router


def _headers(asked: TraceRequest, form: Format) -> dict[str, str]:
    """Nothing for a stream, which a program reads; a file name for what a person keeps."""
    if form == "stream":
        return {}
    what = f"seed-{asked.seed}" if asked.inputs is None else "custom"
    name = re.sub(r"[^A-Za-z0-9_-]", "_", asked.checkpoint)
    return {"Content-Disposition": f'attachment; filename="{name}-{what}.{form}"'}
