"""Traces that other programs recorded: uploaded, listed, opened like any other, and refused where they are none."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from ntm_core.config import MachineConfig
from ntm_core.recording import record
from ntm_core.trace import Trace, fields_of
from ntm_core.trace_file import load_trace, trace_bytes
from server.wire import MEDIA_TYPE, read_trace
from tests.core.machines import any_episode
from tests.server.conftest import MakeClient, small_machine
from tests.server.test_checkpoints import OCTETS, of_seed
from tests.server.test_checkpoints import upload as upload_checkpoint
from tests.server.test_errors import failure


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    """A client of a server of the test's own, which may be uploaded to."""
    return make_client()


def a_trace(seed: int = 0, steps: int = 6, **fields: Any) -> Trace:
    machine = small_machine(seed, **fields)
    return record(machine, any_episode(machine.config, steps))


def upload(client: TestClient, data: bytes, name: str = "theirs") -> Any:
    return client.post("/api/uploaded-traces", content=data, headers=OCTETS, params={"name": name})


def test_a_trace_is_uploaded_listed_opened_and_deleted(client: TestClient, tmp_path: Path) -> None:
    trace = a_trace()
    data = trace_bytes(trace)
    response = upload(client, data)
    assert response.status_code == 201, response.text
    info = response.json()
    assert (info["name"], info["bytes"], info["header"]["steps"]) == ("theirs", len(data), 6)
    assert client.get("/api/uploaded-traces").json() == {"traces": [info]}
    opened = client.get(response.headers["location"])
    assert opened.headers["content-type"] == MEDIA_TYPE
    found = read_trace([opened.content])
    assert found.trace.records.tobytes() == trace.records.tobytes()
    assert found.trace.memory.tobytes() == trace.memory.tobytes()
    assert (found.end.wrong_bits, found.end.seconds) == (trace.wrong_bits, 0)
    assert client.delete(response.headers["location"]).status_code == 204
    assert client.get("/api/uploaded-traces").json() == {"traces": []}
    assert list((tmp_path / "data" / "traces").iterdir()) == []


def test_the_other_forms_carry_the_same_numbers(client: TestClient) -> None:
    trace = a_trace()
    location = upload(client, trace_bytes(trace)).headers["location"]
    archive = client.get(f"{location}?format=npz")
    assert load_trace(archive.content).records.tobytes() == trace.records.tobytes()
    assert "attachment" in archive.headers["content-disposition"]
    document = client.get(f"{location}?format=json").json()
    np.testing.assert_array_equal(np.array(document["step"]["weighting"], np.float32), trace["weighting"])


def test_an_uploaded_trace_names_no_checkpoint(client: TestClient) -> None:
    """A name in it may be that of another checkpoint of ours."""
    data = client.post("/api/traces?format=npz", json={"checkpoint": "copier"}).content
    assert load_trace(data).header.checkpoint == "copier"
    info = upload(client, data).json()
    assert info["header"]["checkpoint"] is None
    assert read_trace([client.get(f"/api/uploaded-traces/{info['id']}").content]).trace.header.checkpoint is None


def test_the_same_trace_again_takes_the_new_name(client: TestClient, tmp_path: Path) -> None:
    first, second = (upload(client, trace_bytes(a_trace()), name).json() for name in ("One", "Two"))
    assert second == first | {"name": "Two"}
    assert len(list((tmp_path / "data" / "traces").iterdir())) == 2


def test_uploaded_traces_outlive_the_server(make_client: MakeClient) -> None:
    info = upload(make_client(), trace_bytes(a_trace())).json()
    client = make_client()
    assert client.get("/api/uploaded-traces").json() == {"traces": [info]}
    assert client.get(f"/api/uploaded-traces/{info['id']}").status_code == 200


def test_traces_and_checkpoints_share_one_quota(make_client: MakeClient) -> None:
    client = make_client(max_uploads=2)
    first = upload(client, trace_bytes(a_trace(1))).json()["id"]
    second = upload(client, trace_bytes(a_trace(2))).json()["id"]
    client.get(f"/api/uploaded-traces/{first}")
    assert upload_checkpoint(client, of_seed(1)).status_code == 201
    assert [info["id"] for info in client.get("/api/uploaded-traces").json()["traces"]] == [first]
    assert failure(client.get(f"/api/uploaded-traces/{second}"))["code"] == "unknown_trace"


@pytest.mark.parametrize("path", ["nobody", "trace-000000000000", "..%2Ftraces", "upload-000000000000"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_trace_is_a_404(client: TestClient, method: str, path: str) -> None:
    assert client.request(method, f"/api/uploaded-traces/{path}").status_code == 404


def test_a_trace_over_a_limit_is_refused(make_client: MakeClient, tmp_path: Path) -> None:
    data = trace_bytes(a_trace())
    assert "the limit is 5" in failure(upload(make_client(max_steps=5), data))["message"]
    assert "the limit of 1024" in failure(upload(make_client(max_trace_bytes=1024), data))["message"]
    assert upload(make_client(max_upload_bytes=1024), data).status_code == 413
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("data", [b"", b"no archive", of_seed(1), b"PK\x05\x06" + bytes(18)])
def test_what_is_no_trace_is_refused(client: TestClient, tmp_path: Path, data: bytes) -> None:
    response = upload(client, data)
    assert response.status_code == 422
    assert failure(response)["code"] == "bad_trace"
    assert not (tmp_path / "data").exists()


def test_an_upload_must_be_the_bare_file(client: TestClient) -> None:
    assert client.post("/api/uploaded-traces", files={"file": b"x"}).status_code == 415


def numpy_alone(steps: int, config: dict[str, Any], arrays: dict[str, Any]) -> bytes:
    """A trace file as the README tells other frameworks to write one."""
    header = {"format": "ntm-scope-trace", "version": 1, "dtype": "float32", "steps": steps, "config": config}
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    buffer = io.BytesIO()
    members: dict[str, Any] = {name: np.asarray(value, "<f4") for name, value in arrays.items()}
    np.savez_compressed(buffer, header=text, **members)
    return buffer.getvalue()


def test_a_trace_written_with_numpy_alone_opens(client: TestClient) -> None:
    """Only sizes in its header, and NaN for what its program does not compute."""
    config = {
        "input_size": 3,
        "output_size": 2,
        "memory_size": 8,
        "word_size": 4,
        "controller": "gru",
        "controller_size": 5,
    }
    made = MachineConfig.make(**config)
    axes = {"step": 4, "input": 3, "output": 2, "head": 2, "read_head": 1, "write_head": 1, "location": 8, "word": 4}
    axes |= {"shift": 3, "layer": 1, "controller": 5}
    arrays = {}
    for group in ("episode", "initial", "step"):
        for field in fields_of(made, group):
            shape = [axes[axis] for axis in field.axes]
            arrays[field.name] = np.zeros([4, *shape] if group == "step" else shape)
    arrays["content_weighting"][:] = np.nan
    arrays["initial_memory"][:] = 0.5
    response = upload(client, numpy_alone(4, config, arrays))
    assert response.status_code == 201, response.text
    header = response.json()["header"]
    assert header["output_channels"] == ["output 0", "output 1"]
    assert header["phases"] == ["input"]
    trace = read_trace([client.get(response.headers["location"]).content]).trace
    assert np.isnan(trace["content_weighting"]).all()
    assert (trace.memory == 0.5).all()
