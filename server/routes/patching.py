"""/api/patching: what carries the output, found by putting quantities of a clean run into a corrupted one."""

from functools import partial

from fastapi import APIRouter

from ntm_core.analysis.patching import Patching
from server.analyses import Analyses
from server.analysis_schemas import PatchingLine, PatchingRequest, PatchingResult
from server.bodies import JsonRoute
from server.lines import LinesResponse, lines, told_in_lines
from server.recorder import Recorder
from server.responses import errors
from server.settings import Settings
from server.sources import TraceSources


def patching_routes(analyses: Analyses, sources: TraceSources, recorder: Recorder, settings: Settings) -> APIRouter:
    """The routes of the resource `patching`; a map takes the place of a trace."""
    router = APIRouter(prefix="/api/patching", tags=["analyses"], route_class=JsonRoute)

    @router.post(
        "",
        summary="Map how much of the output each quantity, head and step carries",
        status_code=200,
        response_class=LinesResponse,
        response_model=PatchingLine,
        responses=told_in_lines(PatchingLine) | errors(404, 408, 413, 415, 422, 503),
    )
    async def patch(asked: PatchingRequest) -> LinesResponse:
        run = recorder.begin()

        async def prepare() -> Patching:
            clean = await sources.recorded(run, asked.clean)
            corrupted = await sources.recorded(run, asked.corrupted)
            others = await sources.of_interventions(run, asked.corrupted)
            analyses.require_patchable(asked, corrupted.header)
            run.reserve(sum(planned.size for planned in (clean, corrupted, *others.values())))
            first, second = await run.call(clean.make), await run.call(corrupted.make)
            taken = {name: await run.call(planned.make) for name, planned in others.items()}
            return await run.call(partial(analyses.patching, asked, first, second, taken))

        def result(work: Patching) -> PatchingResult:
            return PatchingResult.of(work.result())

        return LinesResponse(run, lines(run, prepare, result), stall_seconds=settings.stall_seconds)

    return router
