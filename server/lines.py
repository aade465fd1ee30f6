"""Long work told line by line: its progress, then its result, or what went wrong; each line is one JSON object.

Until the first line an error is still an answer of its own; after it, it becomes the last line.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from ntm_core.errors import NtmError
from server.analysis_schemas import Line, LineProgress
from server.errors import Refusal
from server.recorder import Run
from server.streaming import TraceResponse
from server.wire import StreamFailure

LINES_TYPE = "application/x-ndjson"

logger = logging.getLogger("ntm_scope")


class LinesResponse(TraceResponse):
    """Sends lines, and ends the work as soon as nobody listens."""

    def __init__(self, run: Run, chunks: AsyncGenerator[bytes], *, stall_seconds: float) -> None:
        super().__init__(run, chunks, media_type=LINES_TYPE, headers={}, stall_seconds=stall_seconds)


def told_in_lines(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The entry of an operation's `responses` for lines of this model, which must be its `response_model` too."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    description = "One JSON object a line: progress, and at last the result or an error."
    return {200: {"description": description, "content": {LINES_TYPE: {"schema": schema}}}}


class Job(Protocol):
    """Work of a known number of steps."""

    total: int

    def run(self) -> Iterator[int]:
        """The index of each step, once it has been done."""


Work = TypeVar("Work", bound=Job)


async def lines(
    run: Run, prepare: Callable[[], Awaitable[Work]], result: Callable[[Work], BaseModel]
) -> AsyncGenerator[bytes]:
    """A line of progress each time that steps were done, then the result."""
    job = await prepare()
    yield _line(Line(progress=LineProgress(done=0, total=job.total)))
    try:
        async with aclosing(run.follow(job.run(), job.total)) as steps:
            async for done in steps:
                yield _line(Line(progress=LineProgress(done=done, total=job.total)))
        found = await run.call(lambda: result(job))
        yield b'{"result":' + found.model_dump_json().encode() + b"}\n"
    except Exception as error:  # noqa: BLE001 - the status is sent: a line is the only way left to say it
        yield _line(Line(error=_failure(error)))


def _line(line: Line) -> bytes:
    return line.model_dump_json(exclude_none=True).encode() + b"\n"


def _failure(error: Exception) -> StreamFailure:
    if isinstance(error, Refusal):
        return StreamFailure(code=error.code, message=error.detail)
    if isinstance(error, NtmError):
        return StreamFailure(code=error.code, message=str(error))
    logger.error("an analysis broke off", exc_info=error)
    return StreamFailure(code="internal_error", message="the analysis broke off inside the server; its log says why")
