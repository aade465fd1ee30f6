"""The application, wired once: `create_app(settings)`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.types import Scope

from ntm_core import zoo
from server import errors
from server.analyses import Analyses
from server.assets import PageFiles, Plotly, frontend_directory
from server.bodies import BodyLimit
from server.imports import FileReader
from server.recorder import Recorder
from server.responses import errors as error_answers
from server.routes.addressing_modes import addressing_mode_routes
from server.routes.checkpoints import checkpoint_routes
from server.routes.comparisons import comparison_routes
from server.routes.importers import importer_routes
from server.routes.metrics import metrics_routes
from server.routes.page import page_routes
from server.routes.patching import patching_routes
from server.routes.runs import run_routes
from server.routes.tasks import task_routes
from server.routes.traces import trace_routes
from server.routes.uploaded_traces import uploaded_trace_routes
from server.routes.version import program_version, version_routes
from server.security import SECURITY_HEADERS, Security, allowed_hosts
from server.settings import Settings
from server.sources import TraceSources
from server.stores.checkpoints import CheckpointStore
from server.stores.machines import MachineCache
from server.stores.recorded import TraceCache
from server.stores.shelf import Shelf
from server.stores.traces import TraceStore
from server.traces import Recordings
from server.training.foreman import Foreman
from server.uploads import UploadPlaces


def create_app(settings: Settings, shipped: Mapping[str, Path] | None = None) -> FastAPI:
    """The server as an ASGI application; `shipped` are the checkpoints that come with it, those of the zoo if None.

    `app.state.recorder` and `app.state.foreman` let whoever runs the application end its streams before it shuts down;
    `app.state.settings` are these settings.
    """
    if shipped is None:
        shipped = zoo.files()
    shelf, reader, foreman = Shelf(settings), FileReader(settings), Foreman(settings, shipped)
    store, traces = CheckpointStore(shipped, settings, shelf, reader, foreman), TraceStore(settings, shelf, reader)
    machines = MachineCache(settings.cached_machines)
    recordings = Recordings(store, machines, settings, TraceCache(settings.cached_trace_bytes))
    recorder = Recorder(settings.max_traces, settings.trace_threads, settings.max_recording_bytes)
    uploads = UploadPlaces(settings.max_concurrent_uploads)
    plotly = Plotly()
    files = PageFiles(frontend_directory())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        preparing = [asyncio.create_task(asyncio.to_thread(work)) for work in (files.prepare, plotly.compress)]
        foreman.open()
        yield
        await asyncio.to_thread(foreman.close)
        await asyncio.gather(*preparing)
        recorder.close()
        reader.close()

    app = FastAPI(
        title="NTM Scope",
        summary="Runs Neural Turing Machines and streams all that they compute, step by step.",
        version=program_version(),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        responses=error_answers(403, 421, 500),
    )
    app.state.recorder, app.state.foreman, app.state.settings = recorder, foreman, settings
    errors.install(app, SECURITY_HEADERS, settings.data_directory)
    app.include_router(version_routes(plotly.version, settings))
    app.include_router(checkpoint_routes(store, machines, uploads))
    app.include_router(importer_routes())
    app.include_router(task_routes())
    app.include_router(addressing_mode_routes())
    app.include_router(trace_routes(recordings, recorder, settings))
    app.include_router(uploaded_trace_routes(traces, recorder, uploads, settings))
    for routes in (metrics_routes, patching_routes, comparison_routes):
        app.include_router(routes(Analyses(recordings, settings), TraceSources(recordings, traces), recorder, settings))
    app.include_router(run_routes(foreman, settings))
    app.include_router(page_routes(files, plotly, store, traces))
    app.mount("/static", files, name="static")
    app.add_middleware(BodyLimit, limit_of=_body_limits(settings), seconds=settings.body_seconds)
    app.add_middleware(Security, hosts=allowed_hosts(settings.host, settings.allowed_hosts))
    return app


_UPLOADS = ("/api/checkpoints", "/api/uploaded-traces")


def _body_limits(settings: Settings) -> Callable[[Scope], int]:
    """How many bytes the body of a request may have."""

    def limit_of(scope: Scope) -> int:
        uploading = scope["method"] == "POST" and scope["path"] in _UPLOADS
        return settings.max_upload_bytes if uploading else settings.max_request_bytes

    return limit_of
