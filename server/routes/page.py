"""The page: /, its files, and plotly.js."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from server.assets import PageFiles, Plotly, index_response
from server.routes.addressing_modes import mode_list
from server.routes.checkpoints import checkpoint_list
from server.routes.tasks import task_list
from server.routes.uploaded_traces import uploaded_trace_list
from server.schemas import AddressingModeList, CheckpointList, TaskList, UploadedTraceList
from server.stores.checkpoints import CheckpointStore
from server.stores.traces import TraceStore


class Lists(BaseModel):
    """All that the page has to know before it can ask for its first trace, each list as its own resource gives it."""

    checkpoints: CheckpointList
    uploaded_traces: UploadedTraceList
    tasks: TaskList
    addressing_modes: AddressingModeList


def page_routes(files: PageFiles, plotly: Plotly, store: CheckpointStore, traces: TraceStore) -> APIRouter:
    """The routes of the page, which are no part of the programming interface."""
    router = APIRouter(include_in_schema=False)
    tasks, modes = task_list(), mode_list()

    @router.api_route("/", methods=["GET", "HEAD"])
    def get_page(request: Request) -> Response:
        lists = Lists(
            checkpoints=checkpoint_list(store),
            uploaded_traces=uploaded_trace_list(traces),
            tasks=tasks,
            addressing_modes=modes,
        )
        return index_response(files, plotly, lists.model_dump_json(), request.headers)

    @router.api_route(plotly.path, methods=["GET", "HEAD"])
    def get_plotly(request: Request) -> Response:
        return plotly.response(request.headers)

    return router
