"""A real server on a real socket, in a thread of the test's process."""

import json
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx2
from fastapi import FastAPI

from server.serving import ScopeServer, listen

LONG_TRACE = {"checkpoint": "small", "task": {"name": "copy", "bits": 2, "lengths": [49_000, 49_000]}}
"""A trace that takes half a minute if nobody stops it."""

LONG_SETTINGS = {"max_steps": 100_000, "max_trace_bytes": 1 << 30}


class LiveServer:
    """The application behind uvicorn, on a free port of 127.0.0.1, while the context lasts."""

    def __init__(self, app: FastAPI) -> None:
        self._listener = listen("127.0.0.1", 0, fallback=False)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # Patient, so that a stream which ends was stopped, and not cut.
        self.server = ScopeServer(app, "error", patience_seconds=120)
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self._listener]})

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: self.server.started)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._listener.close()

    def stop(self) -> float:
        """Shut down, as Ctrl-C does; how many seconds that took."""
        started = time.perf_counter()
        self.server.should_exit = True
        self._thread.join(130)
        assert not self._thread.is_alive(), "the server does not stop"
        return time.perf_counter() - started

    def client(self, timeout: float = 20) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, timeout=timeout, trust_env=False)

    def connect(self) -> socket.socket:
        connection = socket.socket()
        connection.settimeout(20)
        # A small buffer, so that a test which reads nothing is soon seen to.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def post(self, path: str, body: bytes, **headers: str) -> socket.socket:
        """A connection on which this request has been sent."""
        connection = self.connect()
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return connection

    def ask_trace(self, asked: dict[str, Any], query: str = "") -> socket.socket:
        return self.post(f"/api/traces{query}", json.dumps(asked).encode(), Content_Type="application/json")


def eventually(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds."""
    deadline = time.perf_counter() + seconds
    while not holds():
        assert time.perf_counter() < deadline, f"this did not come to hold within {seconds} seconds"
        time.sleep(0.01)


def response_of(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of the one response that a server sends before it closes or falls silent."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields[b"content-length"]):
        body += _some(connection)
    return int(head.split()[1]), body


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    assert data, "the server closed the connection early"
    return data
