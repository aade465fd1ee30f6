import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from server.bodies import BodyLimit
from tests.server.conftest import MakeClient, MakeServer, small_checkpoint
from tests.server.live import LiveServer, eventually, response_of
from tests.server.test_errors import failure

CHUNKED = "POST {} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: {}\r\n\r\n"


def chunked(server: LiveServer, path: str, media_type: str, *pieces: bytes) -> tuple[int, dict[str, Any]]:
    """The answer to a body that says nothing of its length and never ends."""
    with server.connect() as connection:
        connection.sendall(CHUNKED.format(path, media_type).encode())
        for piece in pieces:
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        status, body = response_of(connection)
        return status, json.loads(body)["error"]


@contextmanager
def unfinished_upload(server: LiveServer) -> Iterator[socket.socket]:
    """The connection of an upload that has its place, one byte long so far.

    A server says that it will take the body once someone there asks for it, which is when the upload has its place: who
    sent another one before that might have taken the place itself.
    """
    head = CHUNKED.format("/api/checkpoints", "application/octet-stream").removesuffix("\r\n")
    with server.connect() as connection:
        connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"1\r\nx\r\n")
        yield connection


@pytest.fixture
def bounded(make_client: MakeClient) -> TestClient:
    return make_client(max_request_bytes=1024, max_upload_bytes=len(small_checkpoint()))


@pytest.mark.parametrize(
    ("path", "limit"), [("/api/traces", 1024), ("/api/checkpoints", len(small_checkpoint()))], ids=["trace", "upload"]
)
def test_a_body_that_announces_too_much_is_a_413(bounded: TestClient, path: str, limit: int) -> None:
    media_type = "application/json" if path == "/api/traces" else "application/octet-stream"
    response = bounded.post(path, content=b" " * (limit + 1), headers={"Content-Type": media_type})
    assert response.status_code == 413
    error = failure(response)
    assert error["code"] == "body_too_large"
    assert f"{limit + 1} bytes: the limit is {limit}" in error["message"]


def test_a_body_of_exactly_the_limit_is_taken(bounded: TestClient) -> None:
    asked = json.dumps({"checkpoint": "small"}).encode().ljust(1024)
    assert bounded.post("/api/traces", content=asked, headers={"Content-Type": "application/json"}).status_code == 200
    octets = {"Content-Type": "application/octet-stream"}
    assert bounded.post("/api/checkpoints", content=small_checkpoint(), headers=octets).status_code == 201


def test_an_endless_body_without_a_length_is_a_413(make_server: MakeServer) -> None:
    server = make_server(max_request_bytes=1024, max_upload_bytes=2048)
    status, error = chunked(server, "/api/traces", "application/json", *[b" " * 100] * 11)
    assert (status, error["code"]) == (413, "body_too_large")
    assert "1024" in error["message"]
    status, error = chunked(server, "/api/checkpoints", "application/octet-stream", *[b"x" * 1000] * 3)
    assert (status, error["code"]) == (413, "body_too_large")
    assert "2048" in error["message"]


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/api/traces", "application/json"), ("/api/checkpoints", "application/octet-stream")],
    ids=["trace", "upload"],
)
def test_a_body_that_stops_coming_is_a_408(make_server: MakeServer, path: str, media_type: str) -> None:
    server = make_server(body_seconds=0.2)
    started = time.perf_counter()
    status, error = chunked(server, path, media_type, b"{")
    assert (status, error["code"]) == (408, "body_too_slow")
    assert "only 1 bytes of the body had arrived after 0.2 seconds" in error["message"]
    assert 0.2 <= time.perf_counter() - started < 5


def test_a_slow_upload_gives_its_place_to_others(make_server: MakeServer) -> None:
    server = make_server(max_concurrent_uploads=1, body_seconds=2)
    octets = {"Content-Type": "application/octet-stream"}
    with server.client() as client:

        def status() -> int:
            return client.post("/api/checkpoints", content=small_checkpoint(), headers=octets).status_code

        with unfinished_upload(server):
            assert status() == 503
            eventually(lambda: status() == 201)


def test_a_client_that_leaves_while_it_uploads_is_forgotten(make_server: MakeServer) -> None:
    server = make_server(max_concurrent_uploads=1)
    octets = {"Content-Type": "application/octet-stream"}
    with server.client() as client:
        with unfinished_upload(server):
            assert client.post("/api/checkpoints", content=b"x", headers=octets).status_code == 503
        eventually(lambda: client.post("/api/checkpoints", content=b"x", headers=octets).status_code == 422)


@pytest.mark.anyio
async def test_a_time_limit_on_the_body_is_none_on_the_answer() -> None:
    heard = []

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        heard.extend([await receive(), await receive()])

    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": b"x", "more_body": False}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        message = next(messages)
        await anyio.sleep(0.1 if message["type"] == "http.disconnect" else 0)
        return message

    async def send(_message: Message) -> None:
        raise AssertionError("nothing is sent")

    await BodyLimit(app, lambda _: 1, seconds=0.05)({"type": "http", "headers": []}, receive, send)
    assert [message["type"] for message in heard] == ["http.request", "http.disconnect"]
