"""/api/checkpoints: list, look at, upload, import otherwise, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from ntm_core.checkpoints.importers import Wishes
from ntm_core.compiled import why_eager
from ntm_core.config import open_choices
from server.bodies import JsonRoute
from server.responses import errors
from server.schemas import CheckpointDetail, CheckpointList, CheckpointSummary, ImportWishes
from server.stores.checkpoints import CheckpointInfo, CheckpointStore
from server.stores.machines import MachineCache
from server.uploads import UploadName, UploadPlaces, upload_body

_BODY = upload_body(
    "A native checkpoint, or the file that another program wrote: torch (zip or legacy), .npy, JSON, safetensors. "
    "Nothing in it is ever run; what it is, its content decides, and not its name."
)

Wished = Annotated[
    str | None, Query(max_length=65536, description="What to decide about an import: `ImportWishes` as JSON.")
]


def checkpoint_routes(store: CheckpointStore, machines: MachineCache, uploads: UploadPlaces) -> APIRouter:
    """The routes of the resource `checkpoints`."""
    router = APIRouter(prefix="/api/checkpoints", tags=["checkpoints"], route_class=JsonRoute)

    @router.get("", summary="All checkpoints, the default one first")
    def list_checkpoints() -> CheckpointList:
        return checkpoint_list(store)

    @router.get("/{checkpoint_id}", summary="One checkpoint and all its open choices", responses=errors(404, 422))
    def get_checkpoint(checkpoint_id: str) -> CheckpointDetail:
        return _detail(store.info(checkpoint_id))

    @router.post(
        "",
        status_code=201,
        summary="Upload a checkpoint",
        responses=errors(408, 413, 415, 422, 503, 507),
        openapi_extra=_BODY,
    )
    async def upload_checkpoint(
        request: Request, response: Response, name: UploadName = "upload", wishes: Wished = None
    ) -> CheckpointDetail:
        wished = None if wishes is None else _wishes(_parsed(wishes))
        async with uploads.place(request) as data:
            info = await run_in_threadpool(store.add, data, name, wished)
        machines.forget(info.id)
        response.headers["Location"] = f"/api/checkpoints/{info.id}"
        return _detail(info)

    @router.post(
        "/{checkpoint_id}/import",
        summary="Import an upload once more, as wished",
        responses=errors(404, 408, 413, 415, 422, 503, 507),
    )
    async def import_checkpoint(checkpoint_id: str, wishes: ImportWishes) -> CheckpointDetail:
        async with uploads.any():
            info = await run_in_threadpool(store.import_again, checkpoint_id, _wishes(wishes))
        machines.forget(info.id)
        return _detail(info)

    @router.post(
        "/{checkpoint_id}/keep",
        status_code=201,
        summary="Keep a run's checkpoint among the uploads",
        responses=errors(404, 422, 503, 507),
    )
    async def keep_checkpoint(checkpoint_id: str, name: UploadName) -> CheckpointDetail:
        async with uploads.any():
            info = await run_in_threadpool(store.keep, checkpoint_id, name)
        return _detail(info)

    @router.delete(
        "/{checkpoint_id}",
        status_code=204,
        summary="Delete an upload of your own",
        responses=errors(403, 404, 422, 507),
    )
    def delete_checkpoint(checkpoint_id: str) -> None:
        store.delete(checkpoint_id)
        machines.forget(checkpoint_id)

    return router


def checkpoint_list(store: CheckpointStore) -> CheckpointList:
    """All checkpoints, as they are listed."""
    return CheckpointList(checkpoints=tuple(_summary(info) for info in store.list()))


def _parsed(wishes: str) -> ImportWishes:
    """The wishes in a query parameter, refused as FastAPI refuses those in a body."""
    try:
        return ImportWishes.model_validate_json(wishes)
    except ValidationError as error:
        problems = [{**problem, "loc": ("query", "wishes", *problem["loc"])} for problem in error.errors()]
        raise RequestValidationError(problems) from None


def _wishes(asked: ImportWishes) -> Wishes:
    return Wishes(asked.importer, asked.variant, asked.encoding, asked.answers, asked.choices)


def _about(info: CheckpointInfo) -> dict[str, Any]:
    return {
        "id": info.id,
        "name": info.name,
        "source": info.source,
        "bytes": info.bytes,
        "parameters": info.parameters,
        "config": info.about.config,
        "task": info.task,
        "training": info.about.training,
        "results": info.about.results,
        "warnings": info.warnings,
        "series": info.series,
    }


def _summary(info: CheckpointInfo) -> CheckpointSummary:
    return CheckpointSummary(**_about(info))


def _detail(info: CheckpointInfo) -> CheckpointDetail:
    return CheckpointDetail(
        **_about(info),
        card=info.about.card or "",
        choices=open_choices(info.about.config),
        draws_fresh=info.about.config.draws_fresh,
        why_eager=_why_eager(info),
        imported=info.imported,
        importable_again=info.importable_again,
    )


def _why_eager(info: CheckpointInfo) -> str | None:
    """One sentence why the machine computes in eager mode here, or None if it need not."""
    if info.dtype == "float64":
        return "The compiled core computes in float32, and this checkpoint is in float64."
    return why_eager(info.about.config)
