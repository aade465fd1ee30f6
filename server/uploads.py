"""What all uploads share: the bare file as the body, a name for it, and only so many at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Query, Request

from server.errors import Busy, UnsupportedMediaType, shown
from server.schemas import Name

UPLOAD_TYPE = "application/octet-stream"

UploadName = Annotated[Name, Query(min_length=1, max_length=80, description="What to call it.")]


def upload_body(description: str) -> dict[str, Any]:
    """The entry of an operation in the OpenAPI document that says what its body is."""
    content = {UPLOAD_TYPE: {"schema": {"type": "string", "format": "binary"}}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


class UploadPlaces:
    """Gives out places for uploads, at most `limit` at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._places = asyncio.Semaphore(limit)

    @asynccontextmanager
    async def place(self, request: Request) -> AsyncIterator[bytes]:
        """The body of an upload, while it has a place. UnsupportedMediaType, Busy."""
        sent_as = request.headers.get("content-type", UPLOAD_TYPE).partition(";")[0].strip().lower()
        if sent_as != UPLOAD_TYPE:
            raise UnsupportedMediaType(
                f"Content-Type is {shown(sent_as)}: an upload is {UPLOAD_TYPE}, the file and nothing else"
            )
        async with self.any():
            yield await request.body()

    @asynccontextmanager
    async def any(self) -> AsyncIterator[None]:
        """A place, for as long as something is read that a stranger sent. Busy."""
        if self._places.locked():
            raise Busy(f"{self._limit} uploads are under way: that is the limit, so try again soon")
        async with self._places:
            yield
