"""/api/uploaded-traces: traces that other programs recorded."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from ntm_core.trace import Trace
from server import formats
from server.recorder import Recorder
from server.responses import errors
from server.routes.traces import ANSWER, Sending, media_type_of, sending
from server.schemas import UploadedTrace, UploadedTraceList
from server.settings import Settings
from server.stores.traces import TraceInfo, TraceStore
from server.streaming import TraceResponse
from server.uploads import UploadName, UploadPlaces, upload_body

_BODY = upload_body("A trace file: one .npz archive without pickles, as the README says.")


def uploaded_trace_routes(
    store: TraceStore, recorder: Recorder, uploads: UploadPlaces, settings: Settings
) -> APIRouter:
    """The routes of the resource `uploaded-traces`."""
    router = APIRouter(prefix="/api/uploaded-traces", tags=["traces"])

    @router.get("", summary="All uploaded traces, the oldest first")
    def list_traces() -> UploadedTraceList:
        return uploaded_trace_list(store)

    @router.post(
        "",
        status_code=201,
        summary="Upload a trace",
        responses=errors(408, 413, 415, 422, 503, 507),
        openapi_extra=_BODY,
    )
    async def upload_trace(request: Request, response: Response, name: UploadName = "upload") -> UploadedTrace:
        async with uploads.place(request) as data:
            info = await run_in_threadpool(store.add, data, name)
        response.headers["Location"] = f"/api/uploaded-traces/{info.id}"
        return _shown(info)

    @router.get(
        "/{trace_id}",
        summary="An uploaded trace, in the same forms as one that was just recorded",
        status_code=200,
        response_class=TraceResponse,
        responses=ANSWER | errors(404, 422, 503),
    )
    async def get_trace(trace_id: str, wanted: Annotated[Sending, Depends(sending)]) -> TraceResponse:
        run = recorder.begin()
        run.when_over(store.hold(trace_id))

        def load() -> Trace:
            run.reserve(store.size(trace_id))
            return store.load(trace_id)

        disposition = {"Content-Disposition": f'attachment; filename="{trace_id}.{wanted.form}"'}
        headers: dict[str, Any] = {} if wanted.form == "stream" else disposition
        return TraceResponse(
            run,
            formats.stored(run, load, wanted.form, wanted.part),
            media_type=media_type_of(wanted.form),
            headers=headers,
            stall_seconds=settings.stall_seconds,
        )

    @router.delete("/{trace_id}", status_code=204, summary="Delete an uploaded trace", responses=errors(404, 422, 507))
    def delete_trace(trace_id: str) -> None:
        store.delete(trace_id)

    return router


def uploaded_trace_list(store: TraceStore) -> UploadedTraceList:
    """All uploaded traces, as they are listed."""
    return UploadedTraceList(traces=tuple(_shown(info) for info in store.list()))


def _shown(info: TraceInfo) -> UploadedTrace:
    return UploadedTrace(id=info.id, name=info.name, bytes=info.bytes, header=info.header)
