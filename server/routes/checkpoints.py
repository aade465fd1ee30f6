"""/api/checkpoints: list, look at, upload, delete."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from ntm_core.config import open_choices
from server.errors import Busy, UnsupportedMediaType
from server.responses import errors
from server.schemas import CheckpointDetail, CheckpointList, CheckpointSummary
from server.settings import Settings
from server.stores.checkpoints import CheckpointInfo, CheckpointStore
from server.stores.machines import MachineCache

UPLOAD_TYPE = "application/octet-stream"

_UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A native checkpoint: one .safetensors file. Nothing in it is ever unpickled or run.",
        "content": {UPLOAD_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}

UploadName = Annotated[
    str, Query(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$", description="What to call it.")
]


def checkpoint_routes(store: CheckpointStore, machines: MachineCache, settings: Settings) -> APIRouter:
    """The routes of the resource `checkpoints`."""
    router = APIRouter(prefix="/api/checkpoints", tags=["checkpoints"])
    places = asyncio.Semaphore(settings.max_concurrent_uploads)

    @router.get("", summary="All checkpoints, the default one first")
    def list_checkpoints() -> CheckpointList:
        return CheckpointList(checkpoints=tuple(_summary(info) for info in store.list()))

    @router.get("/{checkpoint_id}", summary="One checkpoint and all its open choices", responses=errors(404, 422))
    def get_checkpoint(checkpoint_id: str) -> CheckpointDetail:
        return _detail(store.info(checkpoint_id))

    @router.post(
        "",
        status_code=201,
        summary="Upload a checkpoint",
        responses=errors(408, 413, 415, 422, 503, 507),
        openapi_extra=_UPLOAD_BODY,
    )
    async def upload_checkpoint(request: Request, response: Response, name: UploadName = "upload") -> CheckpointDetail:
        sent_as = request.headers.get("content-type", UPLOAD_TYPE).partition(";")[0].strip().lower()
        if sent_as != UPLOAD_TYPE:
            raise UnsupportedMediaType(
                f"Content-Type is {sent_as!r}: an upload is {UPLOAD_TYPE}, the file and nothing else"
            )
        if places.locked():
            raise Busy(f"{settings.max_concurrent_uploads} uploads are under way: that is the limit, so try again soon")
        async with places:
            info = await run_in_threadpool(store.add, await request.body(), name)
        machines.forget(info.id)
        response.headers["Location"] = f"/api/checkpoints/{info.id}"
        return _detail(info)

    @router.delete(
        "/{checkpoint_id}", status_code=204, summary="Delete an upload of your own", responses=errors(403, 404, 422)
    )
    def delete_checkpoint(checkpoint_id: str) -> None:
        store.delete(checkpoint_id)
        machines.forget(checkpoint_id)

    return router


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
    }


def _summary(info: CheckpointInfo) -> CheckpointSummary:
    return CheckpointSummary(**_about(info))


def _detail(info: CheckpointInfo) -> CheckpointDetail:
    return CheckpointDetail(**_about(info), card=info.about.card or "", choices=open_choices(info.about.config))
