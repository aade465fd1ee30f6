"""Traces that other programs recorded: uploaded, listed, opened like any other, and refused where they are none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from ntm_core.recording import record
from ntm_core.trace import Trace
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


README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
NUMPY_ALONE = README.partition("<!-- trace -->\n```python\n")[2].partition("```")[0]


def test_the_trace_that_the_readme_writes_with_numpy_alone_opens(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(NUMPY_ALONE, "README.md", "exec"), {})  # noqa: S102 - the README's own words
    response = upload(client, (tmp_path / "mine.npz").read_bytes())
    assert response.status_code == 201, response.text
    header = response.json()["header"]
    assert header["output_channels"] == ["output 0", "output 1"]
    assert header["phases"] == ["input"]
    found = read_trace([client.get(response.headers["location"]).content])
    assert np.isnan(found.trace["content_weighting"]).all()
    assert (found.trace["weighting"][:, 0] == 0.125).all()
    assert (found.end.wrong_bits, found.end.loss_bits) == (None, None)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("mask", np.nan, "array 'mask' holds nan: it must be a whole number of 0 … 1"),
        ("mask", 0.5, "array 'mask' holds 0.5"),
        ("phase", np.nan, "array 'phase' holds nan: it must be a whole number of 0 … 1"),
        ("phase", 2, "array 'phase' holds 2"),
        ("phase", -1, "array 'phase' holds -1"),
    ],
)
def test_a_mask_and_phases_that_index_nothing_are_refused(
    client: TestClient, name: str, value: float, said: str
) -> None:
    trace = a_trace()
    episode = trace.episode.copy()
    episode[name][2] = value
    response = upload(client, trace_bytes(Trace(trace.header, episode, trace.initial, trace.records)))
    assert response.status_code == 422
    assert said in failure(response)["message"]


def test_a_trace_of_nothing_but_nan_is_sent_as_it_is(client: TestClient) -> None:
    trace = a_trace()
    records = trace.records.copy()
    for name in records.dtype.names or ():
        records[name] = np.nan
    location = upload(client, trace_bytes(Trace(trace.header, trace.episode, trace.initial, records))).headers[
        "location"
    ]
    found = read_trace([client.get(location).content])
    assert found.end.loss_bits is None
    assert client.get(f"{location}?format=json").json()["step"]["outputs"][0] == [None, None]
