"""What comes before a request's body: neither too large nor too late, whatever else a connection does."""

import json
import socket
import time

import pytest

from server.connections import MAX_HEAD_BYTES
from tests.server.conftest import MakeServer
from tests.server.live import LiveServer, eventually, response_of

pytest.importorskip("httptools")


def sent(connection: socket.socket, data: bytes, most: int) -> bool:
    """Whether the server has closed the connection before it took so many bytes."""
    try:
        for _ in range(0, most, len(data)):
            connection.sendall(data)
    except OSError:
        return True
    return False


@pytest.mark.parametrize(
    "beginning",
    [b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"GET / HTTP/1.1\r\nHost: x\r\n"],
    ids=["address", "one header", "many headers"],
)
def test_a_head_without_end_is_refused_and_its_connection_closed(make_server: MakeServer, beginning: bytes) -> None:
    server = make_server()
    piece = b"a: b\r\n" * 1000 if beginning.endswith(b"x\r\n") else b"a" * 6000
    with server.connect() as connection:
        connection.sendall(beginning)
        started = time.perf_counter()
        assert sent(connection, piece, 64 << 20)
        assert time.perf_counter() - started < 20
    eventually(lambda: not server.server.server_state.connections)


def test_a_head_of_the_limit_is_taken_and_a_larger_one_told(make_server: MakeServer) -> None:
    server = make_server()
    for size, status in ((MAX_HEAD_BYTES - 200, 200), (MAX_HEAD_BYTES, 431)):
        with server.connect() as connection:
            host = f"Host: 127.0.0.1:{server.port}"
            connection.sendall(f"GET /api/version HTTP/1.1\r\n{host}\r\nX: {'x' * size}\r\n\r\n".encode())
            found, body = response_of(connection)
        assert found == status
        assert status == 200 or json.loads(body)["error"]["code"] == "head_too_large"


def closed_within(server: LiveServer, data: bytes, seconds: float) -> bool:
    with server.connect() as connection:
        connection.settimeout(seconds)
        connection.sendall(data)
        try:
            return connection.recv(1) == b""
        except TimeoutError:
            return False


@pytest.mark.parametrize("data", [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_never_ends_is_not_waited_for(make_server: MakeServer, data: bytes) -> None:
    assert closed_within(make_server(body_seconds=0.5), data, 20)


@pytest.mark.parametrize(
    "rest", [b"0\r\n" + b"X: y\r\n" * 20_000, b"0\r\nX: " + b"y" * 100_000, b"1\r\nx\r\n" * 20_000], ids=len
)
def test_nothing_more_is_taken_of_a_request_that_has_been_answered(make_server: MakeServer, rest: bytes) -> None:
    """Neither what comes behind its body, without end, nor that body."""
    server = make_server()
    with server.connect() as connection:
        host = f"Host: 127.0.0.1:{server.port}"
        connection.sendall(f"GET /api/version HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        assert response_of(connection)[0] == 200
        assert sent(connection, rest, 64 << 20)
    eventually(lambda: not server.server.server_state.connections)


def test_a_body_that_is_never_finished_holds_no_connection(make_server: MakeServer) -> None:
    server = make_server()
    with server.connect() as connection:
        host = f"Host: 127.0.0.1:{server.port}"
        connection.sendall(f"GET /api/version HTTP/1.1\r\n{host}\r\nContent-Length: 10\r\n\r\n".encode())
        assert response_of(connection)[0] == 200
        connection.sendall(b"x")
        eventually(lambda: not server.server.server_state.connections)


def test_a_stream_and_the_requests_after_each_other_are_longer_there_than_a_head_may_take(
    make_server: MakeServer,
) -> None:
    server = make_server(body_seconds=0.5)
    with server.client() as client, client.stream("GET", "/api/runs/events") as events:
        lines = events.iter_lines()
        assert next(lines).startswith("data: ")
        for _ in range(4):
            assert client.get("/api/version").status_code == 200
            time.sleep(0.4)
        run = {"name": "one", "task": {"name": "copy", "bits": 2, "lengths": [1, 2]}}
        assert client.post("/api/runs", json=run).status_code == 201
        assert next(line for line in lines if line.startswith("data: "))


def test_only_so_many_watch_the_runs(make_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.routes.runs._MAX_WATCHERS", 1)
    server = make_server()
    with server.client() as client:
        with client.stream("GET", "/api/runs/events") as events:
            lines = events.iter_lines()  # held, for the connection is closed with it
            assert next(lines).startswith("data: ")
            busy = client.get("/api/runs/events")
            assert (busy.status_code, busy.json()["error"]["code"]) == (503, "busy")

        def is_free() -> bool:
            with client.stream("GET", "/api/runs/events") as events:
                return events.status_code == 200

        eventually(is_free)
