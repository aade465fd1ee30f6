"""The connections of the server: how much may come before a request's body, and how long that may take.

uvicorn leaves both open where httptools parses. Where that is not installed h11 does, with a limit of its own on the
size alone.
"""

import asyncio
import json
from typing import Any

try:
    from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
except ImportError:  # without the extra `fast`
    HttpToolsProtocol = None  # type: ignore[assignment,misc]

MAX_HEAD_BYTES = 64 * 1024
"""What the address and the headers of a request may have; a browser sends one or two thousand."""


def protocol(seconds: float, most_bytes: int) -> Any:
    """What uvicorn's `Config` takes as `http`.

    The head of a request must come within so many seconds; its body, with what cuts it into chunks, may have so many
    bytes, also where whoever reads it does not count.
    """
    if HttpToolsProtocol is None:
        return "auto"
    return type("BoundedHeads", (_BoundedHeads,), {"seconds": seconds, "most_bytes": most_bytes})


if HttpToolsProtocol is not None:

    class _BoundedHeads(HttpToolsProtocol):
        """uvicorn's protocol, which gives up a connection whose next request has too large a head, or too slow a one.

        It counts what arrives while the parser waits for the end of a head, since the parser keeps all of a line. Once
        a request has been answered, nothing more of its body is taken, nor of what may follow that.
        """

        seconds: float
        most_bytes: int
        _head_bytes = _body_bytes = 0
        _in_head = True
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._wait_no_longer()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._in_head:
                self._head_bytes += len(data)
            super().data_received(data)
            if self.transport.is_closing():
                return
            if not self._in_head:
                self._take_body(len(data))
                return
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse_head()
            elif self._head_bytes and self._deadline is None:
                self._wait()

        def on_header(self, name: bytes, value: bytes) -> None:
            if self._in_head:  # what comes behind a body is of no use
                super().on_header(name, value)

        def _take_body(self, size: int) -> None:
            """Close where nobody reads any more, or where more comes than a body may have, however it is cut."""
            self._body_bytes += size
            if not self._is_answering() or self._body_bytes > self.most_bytes:
                self.transport.close()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._wait()

        def on_headers_complete(self) -> None:
            self._in_head = False
            self._wait_no_longer()
            head_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if head_bytes > MAX_HEAD_BYTES:
                self._head_bytes = head_bytes
                raise ValueError("the head is too large")
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._in_head, self._head_bytes, self._body_bytes = True, 0, 0

        def send_400_response(self, msg: str) -> None:
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse_head()
            else:
                super().send_400_response(msg)

        def _refuse_head(self) -> None:
            """Say what is wrong, unless another answer is under way, and close."""
            if not self._is_answering():
                message = f"the address and the headers have more than {MAX_HEAD_BYTES} bytes: that is the limit"
                error = {"code": "head_too_large", "message": message, "field": None}
                body = json.dumps({"error": error}).encode()
                head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
                self.transport.write(STATUS_LINE[431] + head.encode() + body)
            self.transport.close()

        def _is_answering(self) -> bool:
            # Before the first request there is none, which uvicorn's types do not say.
            return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]

        def _wait(self) -> None:
            self._wait_no_longer()
            self._deadline = self.loop.call_later(self.seconds, self._be_late)

        def _wait_no_longer(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _be_late(self) -> None:
            """Close a connection that nothing is under way on, neither a request nor an answer."""
            if self._is_answering():
                self._wait()
            else:
                self._deadline = None
                self.transport.close()
