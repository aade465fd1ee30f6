"""How errors are described in the OpenAPI document."""

from http import HTTPStatus
from typing import Any

from server.schemas import ErrorDocument

_MEANING = {
    403: "Not allowed: the checkpoint was shipped, or a page of another site asks.",
    404: "There is nothing with this id.",
    408: "The body did not arrive in time.",
    409: "What is asked for does not go with how things stand.",
    413: "The body is larger than a limit allows.",
    415: "The body is of another kind than this address takes.",
    421: "The Host header names a host that this server does not answer for.",
    422: "The request breaks a rule or a limit: the message names the value and the rule.",
    500: "A fault of the server's own.",
    503: "As much under way as is allowed: come back after as many seconds as Retry-After says.",
    507: "The disk, or a setting, has no room for it; or the disk does not let go of it.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The entries of an operation's `responses` for these error statuses."""
    return {status: _described(status) for status in statuses}


def _described(status: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"model": ErrorDocument, "description": _MEANING[status]}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        entry["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return entry
