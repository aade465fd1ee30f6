"""How much is read from a client and how long it may take, whatever it says in Content-Length."""

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.errors import BodyTooLarge, BodyTooSlow


class BodyLimit:
    """ASGI middleware: a body over its limit of bytes or seconds raises a refusal in whoever reads it."""

    def __init__(self, app: ASGIApp, limit_of: Callable[[Scope], int], seconds: float) -> None:
        self._app = app
        self._limit_of = limit_of
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a bounded body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope)
        announced = Headers(scope=scope).get("content-length", "0")
        deadline = asyncio.get_running_loop().time() + self._seconds
        received = 0
        complete = False

        async def bounded_receive() -> Message:
            nonlocal received, complete
            if complete:
                return await receive()
            if announced.isdecimal() and int(announced) > limit:
                raise BodyTooLarge(f"the body has {announced} bytes: the limit is {limit}")
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow(
                    f"only {received} bytes of the body had arrived after {self._seconds:g} seconds: that is the limit"
                ) from None
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                complete = not message.get("more_body", False)
            if received > limit:
                raise BodyTooLarge(f"the body has more than {limit} bytes: that is the limit")
            return message

        await self._app(scope, bounded_receive, send)
