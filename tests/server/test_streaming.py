"""The stream on a real socket: when it starts, when it stops, and that nothing else waits for it."""

import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from ntm_core import zoo
from ntm_core.trace import Array, TraceHeader
from server import formats
from server.app import create_app
from server.coded_steps import Position, encoded
from server.recorder import Recorder, Run
from server.settings import Settings
from server.stores.recorded import TraceCache
from server.traces import KnownRecording, Recordings
from server.wire import TraceFailedError, TraceReader, read_trace
from tests.server.conftest import ADDRESS, MakeClient, MakeServer
from tests.server.live import LONG_SETTINGS, LONG_TRACE, LiveServer, eventually
from tests.server.test_errors import failure

SHORT_TRACE = {"checkpoint": "small"}


def trace_status(client: httpx2.Client | TestClient) -> int:
    return client.post("/api/traces", json=SHORT_TRACE).status_code


@pytest.fixture
def server(make_server: MakeServer) -> LiveServer:
    return make_server(max_traces=1, **LONG_SETTINGS)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once a trace has its place: who asked for another before that might have taken the place itself."""
    event, begin = threading.Event(), Recorder.begin

    def begin_and_tell(recorder: Recorder) -> Run:
        run = begin(recorder)
        event.set()
        return run

    monkeypatch.setattr(Recorder, "begin", begin_and_tell)
    return event


def test_the_first_steps_arrive_long_before_the_last(server: LiveServer) -> None:
    reader = TraceReader()
    with server.client() as client, client.stream("POST", "/api/traces", json=LONG_TRACE) as response:
        pieces = response.iter_raw()
        reader.feed(next(pieces))
        assert reader.header is not None
        assert reader.header.steps == 98_001
        while not reader.steps:
            reader.feed(next(pieces))
        assert reader.steps < 8000
        assert reader.end is None


@pytest.mark.parametrize(("seconds", "first"), [(0.0, 64), (60.0, 201)])
def test_what_is_complete_after_a_moment_is_sent_then(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch, seconds: float, first: int
) -> None:
    monkeypatch.setattr(formats, "_FIRST_SECONDS", seconds)
    asked = {"checkpoint": "small", "task": {"name": "copy", "bits": 2, "lengths": [100, 100]}}
    reader = TraceReader()
    counts = []
    with server.client() as client, client.stream("POST", "/api/traces", json=asked) as response:
        for piece in response.iter_raw():
            reader.feed(piece)
            counts.append(reader.steps)
    assert reader.result().trace.header.steps == 201
    assert counts[-1] == 201
    assert min(count for count in counts if count) == first


@pytest.mark.parametrize("query", ["", "?format=json", "?format=npz", "?first=90000&count=8"])
def test_a_client_that_leaves_stops_its_computation(server: LiveServer, begun: threading.Event, query: str) -> None:
    with server.client() as client:
        with server.ask_trace(LONG_TRACE, query):
            assert begun.wait(20)
            assert trace_status(client) == 503
        started = time.perf_counter()
        eventually(lambda: trace_status(client) == 200)
        assert time.perf_counter() - started < 10


def test_a_client_that_leaves_in_mid_stream_stops_its_computation(server: LiveServer) -> None:
    with server.client() as client:
        with server.ask_trace(LONG_TRACE) as connection:
            for _ in range(5):
                assert connection.recv(65536)
            assert trace_status(client) == 503
        eventually(lambda: trace_status(client) == 200, seconds=10)


def test_a_client_that_takes_no_bytes_is_left(make_server: MakeServer, begun: threading.Event) -> None:
    server = make_server(max_traces=1, stall_seconds=0.3, **LONG_SETTINGS)
    asked = {"checkpoint": "wide", "task": {"name": "copy", "bits": 2, "lengths": [2000, 2000]}}
    with server.client() as client, server.ask_trace(asked) as silent:
        assert begun.wait(20)
        eventually(lambda: trace_status(client) == 200)
        received = b"".join(iter(lambda: silent.recv(1 << 20), b""))
    body = received.partition(b"\r\n\r\n")[2]
    assert len(body) < 4001 * 4 * 8 * 2048
    assert body


def test_other_requests_do_not_wait_for_a_trace(server: LiveServer) -> None:
    with server.client() as client, server.ask_trace(LONG_TRACE) as connection:
        assert connection.recv(65536)
        latencies = []
        for _ in range(50):
            started = time.perf_counter()
            assert client.get("/api/version").status_code == 200
            latencies.append(time.perf_counter() - started)
        assert trace_status(client) == 503, "the trace is over: it held nobody up"
    assert sorted(latencies)[25] < 1


def test_who_comes_too_many_is_told_when_to_come_back(server: LiveServer) -> None:
    with server.client() as client, server.ask_trace(LONG_TRACE) as connection:
        assert connection.recv(1)
        started = time.perf_counter()
        response = client.post("/api/traces?format=json", json=SHORT_TRACE)
        assert time.perf_counter() - started < 5
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    error = failure(response)
    assert error["code"] == "busy"
    assert "1 traces are being recorded or analysed: that is the limit" in error["message"]


def test_an_error_leaves_its_place_to_the_next(make_client: MakeClient) -> None:
    client = make_client(max_traces=1)
    for asked in ({"checkpoint": "nobody"}, {"checkpoint": "taskless"}, {"checkpoint": "small", "seed": "x"}) * 2:
        assert client.post("/api/traces", json=asked).status_code in {404, 422}
    eventually(lambda: trace_status(client) == 200)


def test_a_server_that_stops_ends_its_streams_with_an_error_frame(server: LiveServer) -> None:
    with server.client() as client, client.stream("POST", "/api/traces", json=LONG_TRACE) as response:
        pieces = response.iter_raw()
        received = next(pieces)
        with ThreadPoolExecutor(1) as aside:
            stopping = aside.submit(server.stop)
            # Read meanwhile: an error frame behind what nobody takes would wait.
            with pytest.raises(TraceFailedError, match="the recording was stopped after") as caught:
                read_trace([received, *pieces])
            assert stopping.result() < 60
    assert caught.value.failure.code == "stopped"


def test_a_server_that_stops_refuses_what_has_not_begun_to_answer(server: LiveServer, begun: threading.Event) -> None:
    with server.ask_trace(LONG_TRACE, "?format=json") as connection:
        assert begun.wait(20)
        assert server.stop() < 60
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 503")
    assert b'"code":"stopped"' in answer


def test_a_recording_that_breaks_off_ends_its_stream_with_an_error_frame(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __init__(self, recording: Any) -> None:
            self._run = recording.run

        def __call__(self) -> Any:
            next(self._run())
            yield 3
            raise ArithmeticError("secret")

    prepare = Recordings.prepare

    def prepare_broken(self: Recordings, *asked: Any) -> Any:
        recording = prepare(self, *asked)
        recording.run = Broken(recording)  # type: ignore[method-assign]
        return recording

    monkeypatch.setattr(Recordings, "prepare", prepare_broken)
    client = make_client()
    reader = TraceReader()
    reader.feed(client.post("/api/traces", json=SHORT_TRACE).content)
    assert reader.steps == 4
    with pytest.raises(TraceFailedError) as caught:
        reader.result()
    assert caught.value.failure.code == "internal_error"
    assert "secret" not in caught.value.failure.message


def watched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The recordings that the server prepares from now on."""
    made: list[Any] = []
    prepare = Recordings.prepare

    def prepare_watched(self: Recordings, *asked: Any) -> Any:
        made.append(prepare(self, *asked))
        return made[-1]

    monkeypatch.setattr(Recordings, "prepare", prepare_watched)
    return made


def test_nothing_is_computed_ahead_of_a_reader_who_stops_reading(
    make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that ten thousand steps lie in no buffer: neither as records nor as bytes that wait to be sent."""
    made = watched(monkeypatch)
    asked = {"checkpoint": "wide", "task": {"name": "copy", "bits": 2, "lengths": [4999, 4999]}}
    with make_server(max_traces=1, max_trace_bytes=1 << 30).ask_trace(asked) as silent:
        assert silent.recv(1000)

        def computed_in_a_while() -> int:
            before = made[0].computed
            time.sleep(0.3)
            return int(made[0].computed) - before

        eventually(lambda: computed_in_a_while() == 0)
        stopped_at = made[0].computed
        assert 0 < stopped_at < 3000
        while made[0].computed < stopped_at + 5:
            assert silent.recv(1 << 20)


def test_a_repeated_request_gets_the_same_steps_without_computing_them(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = watched(monkeypatch)
    client = make_client()
    first, again = (client.post("/api/traces", json=SHORT_TRACE).content for _ in range(2))
    assert made[0].computed == 7
    assert isinstance(made[1], KnownRecording)
    sent = b"".join(data for _, data in made[1].frames)
    assert sent
    assert sent in first
    assert sent in again
    one, other = (read_trace([content]) for content in (first, again))
    assert one.trace.records.tobytes() == other.trace.records.tobytes()
    assert one.end.seconds > 0
    assert other.end.seconds == 0, "nothing ran"
    assert (one.end.wrong_bits, one.end.loss_bits) == (other.end.wrong_bits, other.end.loss_bits)


@pytest.mark.parametrize("mode", ["full", "hard"])
def test_a_late_edit_sends_the_frames_of_the_steps_before_it_again(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """Also where only the run can tell whether it is refused."""
    client, coded = make_client(), []
    asked = {"checkpoint": "small", "task": {"name": "copy", "bits": 2, "lengths": [100, 100]}, "mode": mode}
    late = {"quantity": "interpolation_gate", "operation": "scale", "value": 0.5, "steps": [190, 201]}
    edited = {**asked, "interventions": [late]}

    def counted(header: TraceHeader, position: Position, records: Array) -> tuple[bytes, Position]:
        coded.append(len(records))
        return encoded(header, position, records)

    monkeypatch.setattr("server.wire.encoded", counted)
    monkeypatch.setattr(formats, "_FRAME_BYTES", 1)
    whole = read_trace([client.post("/api/traces", json=asked).content]).trace
    assert sum(coded) == 201
    coded.clear()
    found = read_trace([client.post("/api/traces", json=edited).content]).trace
    assert sum(coded) == 11
    assert found.records[:190].tobytes() == whole.records[:190].tobytes()
    fresh = read_trace([make_client().post("/api/traces", json=edited).content]).trace
    assert found.records.tobytes() == fresh.records.tobytes()


def test_steps_known_as_numbers_alone_are_sent_too(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_client()
    monkeypatch.setattr(TraceCache, "keep_frames", lambda *_: None)
    first, again = (read_trace([client.post("/api/traces", json=SHORT_TRACE).content]) for _ in range(2))
    assert first.trace.records.tobytes() == again.trace.records.tobytes()
    assert again.end.seconds == 0


def test_fifty_viewers_at_once_are_all_answered(make_server: MakeServer) -> None:
    asked = [{**SHORT_TRACE, "seed": seed} for seed in range(50)]
    server = make_server()
    connections = [server.ask_trace(request) for request in asked]
    for request, connection in zip(asked, connections, strict=True):
        with connection:
            head, _, _ = connection.recv(1 << 20).partition(b"\r\n")
        assert head == b"HTTP/1.1 200 OK", request


def test_a_trace_of_the_first_page_is_made_in_one_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that of many who ask at once the first need not wait until all others have had a turn too."""
    monkeypatch.setattr(formats, "_FIRST_SECONDS", 60.0)
    turns, take = [], Run.call

    def call(run: Run, work: Callable[[], Any]) -> Coroutine[Any, Any, Any]:
        turns.append(run)
        return take(run, work)

    monkeypatch.setattr(Run, "call", call)
    app = create_app(Settings(data_directory=tmp_path), {"copy-lstm": zoo.path("copy-lstm")})
    asked = {"checkpoint": "copy-lstm", "task": {"name": "copy", "bits": 8, "lengths": [24, 24]}}
    with TestClient(app, ADDRESS) as client:
        assert len(read_trace([client.post("/api/traces", json=asked).content]).trace) == 49
    assert len(turns) == 1


def test_traces_that_together_need_too_much_memory_wait(make_server: MakeServer) -> None:
    server = make_server(max_recording_bytes=100_000, **LONG_SETTINGS)
    with server.client() as client, server.ask_trace(LONG_TRACE) as connection:
        assert connection.recv(1)
        response = client.post("/api/traces", json=SHORT_TRACE)
    assert response.status_code == 503
    assert "bytes are needed" in failure(response)["message"]
