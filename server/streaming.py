"""The response that carries a trace: it starts once there is something to say, and ends as soon as nobody listens."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from server.recorder import Run

logger = logging.getLogger("ntm_scope")


class TraceResponse(StreamingResponse):
    """Sends what `chunks` yields, and closes the run however this ends.

    The status is sent with the first chunk, so an error before it gets a status of its own. A client that leaves, or
    takes no bytes for `stall_seconds`, ends the response and with it the recording.
    """

    def __init__(
        self,
        run: Run,
        chunks: AsyncGenerator[bytes],
        *,
        media_type: str,
        headers: Mapping[str, str],
        stall_seconds: float,
    ) -> None:
        super().__init__(chunks, media_type=media_type, headers=headers)
        self._run = run
        self._chunks = chunks
        self._stall_seconds = stall_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        """Send, and listen for the client's departure meanwhile."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(self._stall_seconds):
                await send(message)

        sending = asyncio.ensure_future(self.stream_response(send_in_time))
        leaving = asyncio.ensure_future(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._run.close()
            leaving.cancel()
            sending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if not sending.cancelled():
            self._raise_unless_stalled(sending)

    async def stream_response(self, send: Send) -> None:
        """Send the chunks, the first one together with the status."""
        started = False
        async with aclosing(self._chunks) as chunks:
            async for chunk in chunks:
                if not started:
                    started = True
                    await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _raise_unless_stalled(self, sending: "asyncio.Future[None]") -> None:
        try:
            sending.result()
        except TimeoutError:
            logger.info("a client took no bytes for %g seconds; its trace was stopped", self._stall_seconds)
