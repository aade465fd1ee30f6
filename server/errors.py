"""How a refusal looks: one table from errors to status codes, and one shape for every error body.

The core raises `NtmError`s, which know nothing of HTTP; the server's own refusals carry their status code. Each is
turned into a response here and nowhere else.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from ntm_core.checkpoints.importers import UnansweredError
from ntm_core.config import field_path
from ntm_core.errors import NtmError
from server.schemas import ErrorDetail, ErrorDocument, ImportQuestion

logger = logging.getLogger("ntm_scope")

CORE_STATUS: Mapping[str, HTTPStatus] = {
    "bad_analysis": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_checkpoint": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_config": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_intervention": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_task": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_trace": HTTPStatus.UNPROCESSABLE_ENTITY,
    "bad_training": HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""The status of each core error that a request can cause, by its code; any other one is the server's own fault."""

_CORE_FIELD: Mapping[str, str] = {"bad_intervention": "interventions"}
"""The field of a request that is to blame for a core error, by its code."""

_BODY_SOURCES = frozenset({"body", "query", "path", "header"})
_SHOWN_PROBLEMS = 3
_SHOWN_CHARACTERS = 80
_MESSAGE_CHARACTERS = 4000


class Refusal(HTTPException):
    """A request that the server will not serve; the message names the value and the rule."""

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]

    def __init__(self, message: str, field: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.status, message, headers)
        self.field = field


class InvalidJson(Refusal):
    """A body that is not JSON."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_json"


class UnknownCheckpoint(Refusal):
    """No checkpoint has this id."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_checkpoint"


class UnknownTrace(Refusal):
    """No uploaded trace has this id."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_trace"


class ShippedCheckpoint(Refusal):
    """A checkpoint that came with the program cannot be deleted."""

    status = HTTPStatus.FORBIDDEN
    code = "shipped_checkpoint"


class LimitExceeded(Refusal):
    """More than one of the settings allows."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "limit_exceeded"


class Mismatch(Refusal):
    """Parts of a request that do not fit each other."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "mismatch"


class BodyTooLarge(Refusal):
    """A request body of more bytes than a setting allows; the connection is closed, for the rest may be under way."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "body_too_large"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"Connection": "close"})


class BodyTooSlow(Refusal):
    """A request body that did not arrive in time; the connection is closed, for more of it may be under way."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "body_too_slow"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"Connection": "close"})


class UnsupportedMediaType(Refusal):
    """A request body of a kind that this address does not take."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media_type"


class CannotStore(Refusal):
    """No room for another upload or run, by a setting or by the disk; or the disk does not let go of one."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
    code = "cannot_store"


class Busy(Refusal):
    """As much under way as a setting allows; the client is told when to come back."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "busy"

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after_seconds)})


class HostNotAllowed(Refusal):
    """A request for a host that this server does not answer for."""

    status = HTTPStatus.MISDIRECTED_REQUEST
    code = "host_not_allowed"


class CrossOrigin(Refusal):
    """A request that a page of another site made."""

    status = HTTPStatus.FORBIDDEN
    code = "cross_origin"


def shown(value: object) -> str:
    """A value as it stands in a message: cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def without_folders(text: str, directory: Path) -> str:
    """A text in which files of this directory are named by their place in it, and not by where it is."""
    folders = {str(directory), str(directory.absolute()), os.path.realpath(directory)}
    for folder in sorted(folders, key=len, reverse=True):
        text = text.replace(folder + os.sep, "") if len(folder) > 1 else text
    return text


def error_response(
    status: int,
    code: str,
    message: str,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
    questions: tuple[ImportQuestion, ...] | None = None,
) -> JSONResponse:
    """The one shape of every error: {"error": {"code", "message", "field"}}, with `questions` where there are any."""
    field = None if field is None else _told(field)
    document = ErrorDocument(error=ErrorDetail(code=code, message=_told(message), field=field, questions=questions))
    left_out = {"error": {"questions"}} if questions is None else None
    return JSONResponse(document.model_dump(mode="json", exclude=left_out), status, headers)


def _told(text: str) -> str:
    """A text that every client can read: cut where it is long, and Unicode."""
    text = text if len(text) <= _MESSAGE_CHARACTERS else text[: _MESSAGE_CHARACTERS - 1] + "…"
    return text.encode(errors="backslashreplace").decode()


def refusal_response(refusal: Refusal) -> JSONResponse:
    """The response to a refusal by the server itself."""
    return error_response(refusal.status, refusal.code, refusal.detail, refusal.field, refusal.headers)


def core_error_response(error: NtmError, told: Callable[[str], str] = str) -> JSONResponse:
    """The response to a refusal by the core, with the core's own code, and its message as it is told."""
    if isinstance(error, UnansweredError):
        questions = tuple(ImportQuestion(**asdict(question), answer=None) for question in error.questions)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return error_response(status, "unanswered", str(error), "wishes.answers", questions=questions)
    status = CORE_STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    return error_response(status, error.code, told(str(error)), _CORE_FIELD.get(error.code))


def install(app: FastAPI, headers: Mapping[str, str], directory: Path) -> None:
    """Give every error of `app` its shape; `headers` go on a 500, which no middleware of the app passes on.

    Where on this computer `directory` is, no client is told.
    """

    async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, Refusal):
            error.detail = without_folders(error.detail, directory)
            return refusal_response(error)
        if not isinstance(error, HTTPException):
            raise error
        return error_response(
            error.status_code, _code_of(error.status_code), _message_of(request, error), headers=error.headers
        )

    async def on_core_error(_request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, NtmError):
            raise error
        return core_error_response(error, lambda text: without_folders(text, directory))

    async def on_validation_error(_request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, RequestValidationError):
            raise error
        return validation_response(error.errors())

    async def on_departure(request: Request, _error: Exception) -> JSONResponse:
        logger.info("the client left while it was sending the body of %s %s", request.method, request.scope["path"])
        return error_response(HTTPStatus.BAD_REQUEST, "client_left", "the body ended early")

    async def on_bug(request: Request, _error: Exception) -> JSONResponse:
        message = f"{request.method} {request.scope['path']} failed inside the server; its log says why"
        return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", message, headers=headers)

    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(NtmError, on_core_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(ClientDisconnect, on_departure)
    app.add_exception_handler(Exception, on_bug)


def validation_response(problems: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """The response to a request that breaks its schema: the first field, and the first few broken rules."""
    first = problems[0]
    if first["loc"] == ("body",) and isinstance(first["input"], bytes):
        return refusal_response(UnsupportedMediaType("the body must be JSON, sent as Content-Type: application/json"))
    lines = [_describe(problem) for problem in problems[:_SHOWN_PROBLEMS]]
    if len(problems) > _SHOWN_PROBLEMS:
        lines.append(f"and {len(problems) - _SHOWN_PROBLEMS} more")
    return error_response(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", "; ".join(lines), _field_of(first["loc"]) or None
    )


def _describe(problem: Mapping[str, Any]) -> str:
    """One line: the field, its value and the broken rule."""
    field = _field_of(problem["loc"]) or "the request"
    rule = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{field} is missing: {rule}"
    return f"{field} is {shown(problem['input'])}: {rule}"


def _field_of(location: Sequence[str | int]) -> str:
    """The field's path as the client wrote it: without "body", the tag of a task, and pydantic's names of types."""
    parts = field_path(location)
    if parts and parts[0] in _BODY_SOURCES:
        parts = parts[1:]
    if len(parts) > 1 and parts[0] == "task":
        parts = [parts[0], *parts[2:]]
    return ".".join(parts)


def _code_of(status: int) -> str:
    """A stable code for a status of the framework: 404 is "not_found", 405 is "method_not_allowed"."""
    return HTTPStatus(status).name.lower()


def _message_of(request: Request, error: HTTPException) -> str:
    """What the framework's refusal means here."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"there is nothing at {_path_of(request)}"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "another method")
        return f"{request.method} is not possible at {_path_of(request)}; it takes {allowed}"
    return error.detail


def _path_of(request: Request) -> str:
    """The path of a request, cut where it is long."""
    return (
        shown(request.scope["path"])[1:-1] if len(request.scope["path"]) > _SHOWN_CHARACTERS else request.scope["path"]
    )
