"""How much is read from a client and how long it may take, whatever it says in Content-Length; and what is JSON."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.errors import BodyTooLarge, BodyTooSlow, InvalidJson

_MAX_DEPTH = 64
"""How deep a body may be nested: no request needs a tenth of it."""

_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
"""What a surrogate begins with in a JSON text. UTF-8 holds none that is not escaped."""


class JsonRoute(APIRoute):
    """A route whose JSON body is strictly that: UTF-8, not too deep, and without half a surrogate pair."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answer = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await answer(_JsonRequest(request.scope, request.receive))

        return strictly


class _JsonRequest(Request):
    """A request whose JSON body is parsed here, or refused as InvalidJson."""

    async def json(self) -> Any:
        """What the body says."""
        return parsed_json(await self.body())


def parsed_json(body: bytes) -> Any:
    """What a JSON text says; InvalidJson names the value and the rule."""
    try:
        found = json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        byte = body[error.start]
        raise InvalidJson(f"the body is not JSON: byte {error.start} is 0x{byte:02x}, which is no UTF-8") from None
    except json.JSONDecodeError as error:
        raise InvalidJson(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise InvalidJson(f"the body is nested more than {_MAX_DEPTH} deep: that is the limit") from None
    except ValueError:
        raise InvalidJson("the body holds a whole number of more than 4300 digits: that is the limit") from None
    if _is_deeper(found, _MAX_DEPTH):
        raise InvalidJson(f"the body is nested more than {_MAX_DEPTH} deep: that is the limit")
    if _HALF_PAIR.search(body) and not _is_unicode(found):
        raise InvalidJson("the body holds text that is no Unicode: half of a surrogate pair")
    return found


def _is_deeper(value: object, most: int) -> bool:
    """Whether lists and objects are nested more than so deep; numbers, of which there may be many, cost little."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return most < 0 or any(isinstance(item, dict | list) and _is_deeper(item, most - 1) for item in inner)


def _is_unicode(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


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
