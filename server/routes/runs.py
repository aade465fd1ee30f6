"""/api/runs: train a machine, watch it, halt it, keep it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from ntm_core.tasks import TASKS
from ntm_core.training import Plan
from ntm_core.training.curves import read_curve
from ntm_core.training.footprint import footprint
from ntm_core.training.session import METRICS
from server.bodies import JsonRoute
from server.errors import Busy, LimitExceeded, Mismatch, shown, without_folders
from server.responses import errors
from server.settings import Settings
from server.training.foreman import Foreman, UnknownRun
from server.training.run import Run, series_of
from server.training.schemas import (
    RunAction,
    RunInfo,
    RunList,
    RunMetrics,
    RunRequest,
    TrainingOptions,
    training_options,
)

_LOOK_SECONDS = 0.2
_HEARTBEAT_SECONDS = 10.0
_MAX_WATCHERS = 64
EVENT_TYPE = "text/event-stream"


def run_routes(foreman: Foreman, settings: Settings) -> APIRouter:
    """The routes of the resource `runs`."""
    router = APIRouter(prefix="/api/runs", tags=["training"], route_class=JsonRoute)
    options, watchers = training_options(tuple(TASKS)), _Watchers()

    def info(run: Run) -> RunInfo:
        directory = foreman.directory(run.id)
        message = None if run.message is None else without_folders(run.message, settings.data_directory)
        return RunInfo(
            **{name: getattr(run, name) for name in Run.model_fields if name != "message"},
            message=message,
            core=run.core,
            why_eager=run.why_eager,
            place=foreman.place(run.id),
            series=series_of(directory),
            checkpoint=foreman.checkpoint(run.id) is not None,
        )

    @router.get("", summary="All runs, the newest first")
    def list_runs() -> RunList:
        return RunList(runs=_that_stay(foreman.all(), info))

    @router.get("/options", summary="Everything that a run can be asked with")
    async def get_options() -> TrainingOptions:
        return options

    @router.get(
        "/events",
        summary="The runs, again whenever one of them changes",
        response_class=StreamingResponse,
        responses={
            200: {
                "content": {EVENT_TYPE: {"schema": {"type": "string"}}},
                "description": "Events whose data is a RunList as JSON.",
            },
            **errors(503),
        },
    )
    async def watch_runs(request: Request) -> StreamingResponse:
        return StreamingResponse(watchers.places(_events(request, foreman, list_runs)), media_type=EVENT_TYPE)

    @router.post("", status_code=201, summary="Train a machine", responses=errors(422, 507))
    def add_run(asked: RunRequest) -> RunInfo:
        plan = Plan.best_known(asked.task, asked.machine, asked.recipe, asked.seed)
        _require_as_meant("machine", asked.machine, plan.config)
        _require_as_meant("recipe", asked.recipe, plan.recipe)
        _check_size(plan, settings)
        return info(foreman.add(plan, asked.name))

    @router.get("/{run_id}", summary="One run", responses=errors(404, 422))
    def get_run(run_id: str) -> RunInfo:
        return info(foreman.get(run_id))

    @router.post("/{run_id}", summary="Pause, resume or stop a run", responses=errors(404, 409, 422))
    def change_run(run_id: str, asked: RunAction) -> RunInfo:
        return info(getattr(foreman, asked.action)(run_id))

    @router.get("/{run_id}/metrics", summary="All measurements of a run", responses=errors(404, 422))
    def get_metrics(run_id: str) -> RunMetrics:
        directory = foreman.directory(run_id)
        return RunMetrics(rows=read_curve(directory).rows if (directory / METRICS).exists() else ())

    @router.delete(
        "/{run_id}", status_code=204, summary="End a run and delete its files", responses=errors(404, 422, 507)
    )
    def delete_run(run_id: str) -> None:
        foreman.delete(run_id)

    return router


def _that_stay(runs: Iterable[Run], info: Callable[[Run], RunInfo]) -> tuple[RunInfo, ...]:
    """What is said of the runs, without those that are deleted meanwhile."""
    found = []
    for run in runs:
        with suppress(UnknownRun):
            found.append(info(run))
    return tuple(found)


class _Watchers:
    """Those who watch the runs, each over a connection that stays: only so many at a time."""

    def __init__(self) -> None:
        self._here = 0

    def places(self, events: AsyncGenerator[str]) -> AsyncGenerator[str]:
        """The events, for one more who watches. Busy."""
        if self._here >= _MAX_WATCHERS:
            raise Busy(f"{self._here} clients are watching the runs: that is the limit, so try again soon")
        return self._counted(events)

    async def _counted(self, events: AsyncGenerator[str]) -> AsyncGenerator[str]:
        self._here += 1
        try:
            async with aclosing(events):
                async for event in events:
                    yield event
        finally:
            self._here -= 1


async def _events(request: Request, foreman: Foreman, answer: Any) -> AsyncGenerator[str]:
    """The answer as an event at each change, and a comment now and then, by which a lost client is found out."""
    seen, quiet = -1, 0.0
    while not (foreman.leaving or await request.is_disconnected()):
        if foreman.version != seen:
            seen, quiet = foreman.version, 0.0
            document = await asyncio.to_thread(answer)
            yield f"data: {document.model_dump_json()}\n\n"
        elif quiet >= _HEARTBEAT_SECONDS:
            quiet = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(_LOOK_SECONDS)
        quiet += _LOOK_SECONDS


def _require_as_meant(group: str, asked: dict[str, Any], made: BaseModel) -> None:
    """Mismatch where a truth value or a text was taken for a number."""
    for name, value in asked.items():
        if not _is_alike(value, getattr(made, name)):
            raise Mismatch(f"{name} is {shown(value)}: it must be a number", f"{group}.{name}")


def _is_alike(value: Any, taken: Any) -> bool:
    if isinstance(value, list) and isinstance(taken, tuple | list):
        return all(map(_is_alike, value, taken))
    return all(isinstance(value, kind) == isinstance(taken, kind) for kind in (bool, str))


def _check_size(plan: Plan, settings: Settings) -> None:
    """Nothing, if the settings allow to train a machine of this size; else LimitExceeded."""
    config, steps = plan.config, plan.task.longest
    for name, limit in (("memory_size", settings.max_memory_size), ("word_size", settings.max_word_size)):
        if getattr(config, name) > limit:
            raise LimitExceeded(f"{name} is {getattr(config, name)}: the limit is {limit}", f"machine.{name}")
    if steps > settings.max_steps:
        raise LimitExceeded(f"the task has up to {steps} steps: the limit is {settings.max_steps}", "task")
    cells = steps * plan.recipe.batch * config.memory_size * config.word_size
    if cells > settings.max_training_cells:
        raise LimitExceeded(
            f"{steps} steps x {plan.recipe.batch} sequences x {config.memory_size} x {config.word_size} memory cells "
            f"are {cells}: the limit is {settings.max_training_cells}",
            "recipe.batch",
        )
    needed = footprint(plan, settings.training_threads)
    if needed > settings.max_training_bytes:
        raise LimitExceeded(
            f"training this machine in batches of {plan.recipe.batch} sequences takes {needed} bytes of memory: "
            f"the limit is {settings.max_training_bytes}",
            "machine",
        )
