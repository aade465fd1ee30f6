"""/api/comparisons: which rows of two machines match, and where their traces first part."""

from collections.abc import AsyncGenerator
from functools import partial

from fastapi import APIRouter

from server.analyses import Analyses
from server.analysis_schemas import ComparisonRequest, ComparisonResult
from server.bodies import JsonRoute
from server.recorder import Recorder, Run
from server.responses import errors
from server.settings import Settings
from server.sources import TraceSources
from server.streaming import TraceResponse


def comparison_routes(analyses: Analyses, sources: TraceSources, recorder: Recorder, settings: Settings) -> APIRouter:
    """The routes of the resource `comparisons`; a comparison takes the place of a trace."""
    router = APIRouter(prefix="/api/comparisons", tags=["analyses"], route_class=JsonRoute)

    @router.post(
        "",
        summary="Match the rows of two machines, and find where their traces first part",
        status_code=200,
        response_class=TraceResponse,
        responses={
            200: {"model": ComparisonResult, "description": "The comparison."},
            **errors(404, 408, 413, 415, 422, 503),
        },
    )
    async def compare(asked: ComparisonRequest) -> TraceResponse:
        run = recorder.begin()
        chunks = _comparison(analyses, sources, run, asked)
        return TraceResponse(
            run, chunks, media_type="application/json", headers={}, stall_seconds=settings.stall_seconds
        )

    return router


async def _comparison(
    analyses: Analyses, sources: TraceSources, run: Run, asked: ComparisonRequest
) -> AsyncGenerator[bytes]:
    """The comparison as one document."""
    first, second = await sources.either(run, asked.a), await sources.either(run, asked.b)
    run.reserve(first.size + second.size + analyses.room_to_compare(first.header, second.header, asked.offset))
    a, b = await run.call(first.make), await run.call(second.make)
    found = await run.call(partial(analyses.comparison, a, b, asked.tolerance, asked.offset))
    yield found.model_dump_json().encode()
