"""/api/metrics: how a machine does over many sequences, as it is or under interventions."""

from functools import partial

from fastapi import APIRouter

from ntm_core.analysis.metrics import Measurement
from server.analyses import Analyses
from server.analysis_schemas import MetricsLine, MetricsRequest
from server.bodies import JsonRoute
from server.lines import LinesResponse, lines, told_in_lines
from server.recorder import Recorder
from server.responses import errors
from server.settings import Settings
from server.sources import TraceSources


def metrics_routes(analyses: Analyses, sources: TraceSources, recorder: Recorder, settings: Settings) -> APIRouter:
    """The routes of the resource `metrics`; a measurement takes the place of a trace."""
    router = APIRouter(prefix="/api/metrics", tags=["analyses"], route_class=JsonRoute)

    @router.post(
        "",
        summary="Measure a machine over many sequences, as it is or under interventions",
        status_code=200,
        response_class=LinesResponse,
        response_model=MetricsLine,
        responses=told_in_lines(MetricsLine) | errors(404, 408, 413, 415, 422, 503),
    )
    async def measure(asked: MetricsRequest) -> LinesResponse:
        run = recorder.begin()
        sources.hold(run, asked.checkpoint)

        async def prepare() -> Measurement:
            return await run.call(partial(analyses.measurement, asked))

        return LinesResponse(run, lines(run, prepare, Measurement.result), stall_seconds=settings.stall_seconds)

    return router
