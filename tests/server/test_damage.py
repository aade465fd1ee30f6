"""What cannot be shown is refused before it is stored, and a damaged data directory or disk is never a 500."""

import io
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from ntm_core.trace_file import trace_bytes
from server import sandbox
from server.stores import shelf
from server.stores.showing import MAX_ABOUT_BYTES
from tests.server.conftest import MakeClient, small_checkpoint
from tests.server.test_checkpoints import OCTETS, listed, of_seed
from tests.server.test_checkpoints import upload as upload_checkpoint
from tests.server.test_errors import failure
from tests.server.test_uploaded_traces import a_trace, upload

ENTRY = "upload-0123456789ab"
HALF = "\ud800"


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    """A client of a server of the test's own, whose faults are 500s."""
    return make_client(raise_server_exceptions=False)


def trace_saying(**about: Any) -> bytes:
    """A trace file whose header says this."""
    archive = dict(np.load(io.BytesIO(trace_bytes(a_trace()))))
    header = json.loads(archive["header"].tobytes()) | about
    archive["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **archive)
    return buffer.getvalue()


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"x": value}
    return value


def lists(client: TestClient) -> None:
    """All that is told at once can be told."""
    for path in ("/", "/api/checkpoints", "/api/uploaded-traces", "/api/runs"):
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize(
    "about", [{"training": {"x": HALF}}, {"results": {HALF: 1}}, {"card": HALF}, {"task": {"a": HALF}}]
)
def test_a_checkpoint_that_says_what_is_no_text_is_refused_and_not_stored(
    client: TestClient, tmp_path: Path, about: dict[str, Any]
) -> None:
    response = upload_checkpoint(client, small_checkpoint(**about))
    assert response.status_code == 422
    assert "no Unicode" in failure(response)["message"]
    assert not (tmp_path / "data" / "checkpoints").exists()
    lists(client)


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"task_note": HALF}, "no Unicode"),
        ({"phases": [HALF, "b", "c", "d"]}, "no Unicode"),
        ({"task": nested(900)}, "nested more than 32 deep"),
        ({"task_note": "x" * MAX_ABOUT_BYTES}, f"the limit is {MAX_ABOUT_BYTES}"),
    ],
    ids=["note", "phases", "deep task", "long note"],
)
def test_a_trace_whose_header_cannot_be_shown_is_refused_and_not_stored(
    client: TestClient, tmp_path: Path, about: dict[str, Any], said: str
) -> None:
    response = upload(client, trace_saying(**about))
    assert response.status_code == 422
    assert said in failure(response)["message"]
    assert not (tmp_path / "data" / "traces").exists()
    lists(client)


def test_what_was_stored_and_cannot_be_shown_is_left_out_of_the_lists(
    client: TestClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for folder, name, data in (
        ("checkpoints", f"{ENTRY}.safetensors", small_checkpoint(card=HALF)),
        ("traces", "trace-0123456789ab.npz", trace_saying(task_note=HALF)),
    ):
        (tmp_path / "data" / folder).mkdir(parents=True)
        (tmp_path / "data" / folder / name).write_bytes(data)
    lists(client)
    assert ENTRY not in listed(client)
    assert f"checkpoint {ENTRY} is left out of the list" in caplog.text
    assert client.get("/api/uploaded-traces/trace-0123456789ab").status_code == 422


@pytest.mark.parametrize("name", [b'{"name":"\\ud800"}', b"[" * 100_000, b'{"name":' + b'"x' * 1 + b'"}', b"\xff"])
def test_a_damaged_name_is_no_500(client: TestClient, tmp_path: Path, name: bytes) -> None:
    info = upload_checkpoint(client, small_checkpoint()).json()
    (tmp_path / "data" / "checkpoints" / f"{info['id']}.json").write_bytes(name)
    lists(client)
    assert info["id"] in listed(client)


def test_a_folder_in_the_place_of_a_file_is_no_500(client: TestClient, tmp_path: Path) -> None:
    info = upload_checkpoint(client, small_checkpoint()).json()
    (tmp_path / "data" / "checkpoints" / f"{info['id']}.source").mkdir()
    lists(client)
    assert client.delete(f"/api/checkpoints/{info['id']}").status_code == 204
    assert listed(client) == listed(client)
    assert info["id"] not in listed(client)


def test_other_files_among_the_checkpoints_of_a_run_are_no_500(client: TestClient, tmp_path: Path) -> None:
    run = client.post("/api/runs", json={"name": "one", "task": {"name": "copy", "bits": 2, "lengths": [1, 2]}}).json()
    directory = tmp_path / "data" / "runs" / run["id"]
    (directory / "checkpoints").mkdir(exist_ok=True)
    (directory / "checkpoints" / "iteration-x.safetensors").write_bytes(b"")
    lists(client)
    client.post(f"/api/runs/{run['id']}", json={"action": "stop"})
    (directory / "metrics.jsonl").write_bytes(b"\xff\xfe\n")
    response = client.get(f"/api/runs/{run['id']}/metrics")
    assert response.status_code == 422
    assert str(tmp_path) not in failure(response)["message"]
    assert "metrics.jsonl" in failure(response)["message"]
    assert client.delete(f"/api/runs/{run['id']}").status_code == 204


@contextmanager
def read_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing can be written or deleted."""

    def refuse(path: Path, *_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        patch.setattr(shelf, "write_part", refuse)
        yield


def test_a_read_only_disk_is_a_507_and_changes_nothing(
    make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(raise_server_exceptions=False, max_uploads=2)
    checkpoint = upload_checkpoint(client, of_seed(1)).json()["id"]
    trace = upload(client, trace_bytes(a_trace())).json()["id"]
    paths = (f"/api/checkpoints/{checkpoint}", f"/api/uploaded-traces/{trace}")
    before = sorted(path.name for path in (tmp_path / "data").rglob("*"))
    with read_only(monkeypatch):
        refusals = [client.delete(path) for path in paths]
        refusals += [upload_checkpoint(client, of_seed(2)), upload(client, trace_bytes(a_trace(2)))]
    for refusal in refusals:
        assert refusal.status_code == 507
        assert failure(refusal)["message"].endswith("Read-only file system")
        assert str(tmp_path) not in failure(refusal)["message"]
    assert sorted(path.name for path in (tmp_path / "data").rglob("*")) == before
    lists(client)
    for path in paths:
        assert client.delete(path).status_code == 204


@pytest.mark.parametrize("fails", ["write_part", "replace"])
def test_an_upload_that_fails_makes_no_room(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    client = make_client(raise_server_exceptions=False, max_uploads=1)
    kept = upload_checkpoint(client, of_seed(1)).json()["id"]

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        owner: object = shelf if fails == "write_part" else Path
        patch.setattr(owner, fails, full)
        assert upload_checkpoint(client, of_seed(2)).status_code == 507
    assert kept in listed(client)
    new = upload_checkpoint(client, of_seed(2)).json()["id"]
    assert new in listed(client)
    assert kept not in listed(client)


def test_where_no_process_can_be_started_an_upload_is_told_to_come_back(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any, **__: Any) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    class Unstarted(threading.Timer):
        start = no_thread

    for name, replaced in (("subprocess.Popen", no_room), ("threading.Timer", Unstarted)):
        with monkeypatch.context() as patch:
            patch.setattr(f"{sandbox.__name__}.{name}", replaced)
            response = client.post("/api/checkpoints", content=small_checkpoint(), headers=OCTETS)
            assert (response.status_code, failure(response)["code"]) == (503, "busy")
            assert int(response.headers["retry-after"]) > 0
    assert upload_checkpoint(client, small_checkpoint()).status_code == 201


def test_to_keep_a_checkpoint_takes_a_place_among_the_uploads(make_client: MakeClient) -> None:
    client = make_client(max_concurrent_uploads=1)
    inside, go_on = threading.Event(), threading.Event()
    answers: list[int] = []
    popen = subprocess.Popen

    def slow(*arguments: Any, **named: Any) -> Any:
        inside.set()
        go_on.wait(60)
        return popen(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{sandbox.__name__}.subprocess.Popen", slow)
        keeping = threading.Thread(
            target=lambda: answers.append(client.post("/api/checkpoints/small/keep?name=a").status_code)
        )
        keeping.start()
        assert inside.wait(60)
        busy = client.post("/api/checkpoints/small/keep?name=b")
        go_on.set()
        keeping.join()
    assert (answers, busy.status_code, failure(busy)["code"]) == ([201], 503, "busy")
