"""The header of a trace as the stream carries it: that of the trace, and how the steps are coded."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from ntm_core import trace
from ntm_core.config import describe_validation_error
from ntm_core.errors import TraceError
from ntm_core.trace import TraceHeader
from server.coding import coding_of, seen_memory_of

VERSION = 2
"""Of the stream; a trace file has versions of its own."""


class Origin(BaseModel):
    """Which run a stream's steps are of, and where in it they begin."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    run: str | None = Field(None, description="The name of the run: two of one name have the same numbers.")
    kept: bool = Field(False, description="Whether the whole run was known, so that any part of it is there at once.")
    first: int = Field(0, ge=0, description="The index in the run of the stream's first step.")


WHOLE = Origin()
"""Of a stream that holds a whole run, of no name."""


def header_text(header: TraceHeader, origin: Origin = WHOLE) -> bytes:
    """The JSON of a stream's header."""
    document = header.model_dump(mode="json") | {
        "version": VERSION,
        **_coding(header),
        **origin.model_dump(exclude_defaults=True),
    }
    return to_json(document, inf_nan_mode="null")


def parse_header(text: bytes) -> TraceHeader:
    """The trace's header in a stream's; `TraceError` if it is not one that this version can read."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TraceError(f"the header is not JSON: {error}") from None
    if not isinstance(found, dict):
        return TraceHeader.from_document(found)
    if found.get("version") != VERSION:
        raise TraceError(f"stream version {found.get('version')!r} is unknown: this program reads version {VERSION}")
    _check_origin({name: found.pop(name) for name in Origin.model_fields if name in found})
    coding = {name: found.pop(name, None) for name in ("coding", "seen_memory")}
    header = TraceHeader.from_document(found | {"version": trace.VERSION})
    for name, expected in _coding(header).items():
        if coding[name] != expected:
            raise TraceError(f"the header's {name} is {coding[name]!r}: for this machine it is {expected!r}")
    return header


def _check_origin(found: dict[str, Any]) -> None:
    try:
        Origin.model_validate(found)
    except ValidationError as error:
        raise TraceError(f"the header breaks the schema: {describe_validation_error(error)}") from None


def _coding(header: TraceHeader) -> dict[str, Any]:
    return {"coding": coding_of(header), "seen_memory": list(seen_memory_of(header))}
