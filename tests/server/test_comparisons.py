"""/api/comparisons: rows matched and the first difference found, of recorded and of uploaded traces."""

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes
from server.analysis_schemas import ComparisonResult
from server.recorder import Run
from server.traces import Recordings
from tests.core.analysis.copies import SIZE, original, rearranged
from tests.server.conftest import MakeClient
from tests.server.test_checkpoints import OCTETS
from tests.server.test_metrics import refused
from tests.server.test_uploaded_traces import upload

ROWS = (np.arange(SIZE) + 2) % SIZE
SMALL = {"trace": {"checkpoint": "small", "seed": 1}}


def compared(client: TestClient, a: dict[str, Any], b: dict[str, Any], **asked: Any) -> ComparisonResult:
    response = client.post("/api/comparisons", json={"a": a, "b": b, **asked})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return ComparisonResult.model_validate(response.json())


def test_a_trace_is_that_of_the_same_machine(client: TestClient) -> None:
    found = compared(client, SMALL, SMALL)
    assert (found.best, found.by_memory, found.not_matched) == ("identity", True, None)
    assert found.divergence.first is None
    assert found.matched_divergence == found.divergence


def test_a_machine_on_other_locations_is_matched(make_client: MakeClient) -> None:
    client, machine = make_client(), original()
    rows = np.random.default_rng(0).standard_normal((6, 3)).tolist()
    ids = [
        client.post("/api/checkpoints", content=checkpoint_bytes(Checkpoint.of(one)), headers=OCTETS).json()["id"]
        for one in (machine, rearranged(machine, ROWS))
    ]
    a, b = ({"trace": {"checkpoint": one, "inputs": rows}} for one in ids)
    found = compared(client, a, b)
    assert found.best == "rotation by 2"
    assert [matching.kind for matching in found.matchings] == ["identity", "rotation", "reflection", "assignment"]
    assert found.matchings[1].rows == tuple(ROWS)
    assert found.matchings[1].weighting < 1e-6
    assert found.divergence.first is not None
    assert (found.divergence.first.step, found.divergence.first.stage) == (0, "memory")
    assert found.matched_divergence is not None
    assert found.matched_divergence.first is None


def test_steps_apart_are_held_against_each_other(client: TestClient) -> None:
    rows = np.random.default_rng(0).standard_normal((6, 3)).tolist()
    late = {"trace": {"checkpoint": "small", "inputs": [[0, 0, 0], *rows]}}
    found = compared(client, {"trace": {"checkpoint": "small", "inputs": rows}}, late, offset=1)
    assert found.divergence.steps == 6
    assert found.divergence.first is not None
    assert found.divergence.first.stage == "memory"
    apart = compared(client, SMALL, SMALL, offset=7)
    assert (apart.divergence.steps, apart.best) == (0, None)
    assert apart.not_matched is not None


def test_an_uploaded_trace_is_compared_with_a_recorded_one(make_client: MakeClient) -> None:
    client = make_client()
    recorded = client.post("/api/traces?format=npz", json=SMALL["trace"]).content
    uploaded = {"uploaded_trace": upload(client, recorded).json()["id"]}
    for a, b in ((uploaded, SMALL), (SMALL, uploaded), (uploaded, uploaded)):
        found = compared(client, a, b)
        assert (found.best, found.divergence.first) == ("identity", None)
    other = compared(client, uploaded, {"trace": {**SMALL["trace"], "seed": 2}})
    assert other.divergence.first is not None
    assert other.divergence.first.stage == "inputs"


def test_machines_that_cannot_be_matched_are_told_apart_all_the_same(client: TestClient) -> None:
    other = {"trace": {"checkpoint": "taskless", "seed": 1, "task": {"name": "copy", "bits": 2, "lengths": [3, 3]}}}
    found = compared(client, SMALL, other, tolerance=1e-3)
    assert found.not_matched == "A has 1 write heads and B 2: rows are matched only where these are equal"
    assert (found.matchings, found.best, found.matched_divergence) == ((), None, None)
    assert found.divergence.tolerance == 1e-3
    assert found.divergence.first is not None


@pytest.mark.parametrize(
    ("b", "status", "code"),
    [
        ({"trace": {"checkpoint": "nobody"}}, 404, "unknown_checkpoint"),
        ({"uploaded_trace": "trace-000000000000"}, 404, "unknown_trace"),
        ({}, 422, "invalid_request"),
        ({**SMALL, "uploaded_trace": "trace-000000000000"}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_compared_is_refused(client: TestClient, b: dict[str, Any], status: int, code: str) -> None:
    assert refused(client, status, "/api/comparisons", a=SMALL, b=b)["code"] == code


LONG = {"trace": {"checkpoint": "small", "task": {"name": "copy", "bits": 2, "lengths": [400, 400]}}}


@pytest.mark.parametrize("path", ["comparisons", "patching"])
def test_what_is_too_much_is_refused_before_anything_is_computed(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def recorded(*_: Any) -> None:
        raise AssertionError("nothing may be computed")

    monkeypatch.setattr(Recordings, "finished", recorded)
    asked = {"a": LONG, "b": LONG} if path == "comparisons" else {"clean": LONG["trace"], "corrupted": LONG["trace"]}
    error = refused(make_client(max_analysis_cells=1000), 422, f"/api/{path}", **asked)
    assert error["code"] == "limit_exceeded"


@pytest.mark.parametrize("what", ["comparison", "patching", "sources", "upload"])
def test_the_bytes_of_every_trace_that_is_needed_are_counted(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """They are more than are left while something else is being recorded."""
    client = make_client(max_recording_bytes=40_000, cached_trace_bytes=0)
    seed = {"checkpoint": "small", "seed": 1}
    taken = {"quantity": "read_vector", "operation": "take", "steps": [1, 2], "source": "s0"}
    sources = {f"s{place}": {"checkpoint": "small", "seed": 2 + place} for place in range(4)}
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "comparison": ("comparisons", {"a": {"trace": seed}, "b": {"trace": {**seed, "seed": 2}}}),
        "patching": ("patching", {"clean": seed, "corrupted": {**seed, "seed": 2}}),
        "sources": ("traces", {**seed, "interventions": [taken], "sources": sources}),
        "upload": ("comparisons", {"a": {}, "b": {"trace": seed}}),
    }
    path, body = asked[what]
    if what == "upload":
        recorded = client.post("/api/traces?format=npz", json=seed).content
        body["a"] = {"uploaded_trace": upload(client, recorded).json()["id"]}
    reserved: list[int] = []
    reserve = Run.reserve

    def counted(run: Run, size: int) -> None:
        reserve(run, size)
        reserved.append(size)

    monkeypatch.setattr(Run, "reserve", counted)
    assert client.post("/api/traces", json=seed).status_code == 200
    assert client.post(f"/api/{path}", json=body).status_code == 200
    one, all_of_them = reserved
    assert all_of_them >= (5 if what == "sources" else 2) * one
    other = client.app.state.recorder.begin()  # type: ignore[attr-defined]
    other.reserve(40_000 - all_of_them + 1)
    refusal = client.post(f"/api/{path}", json=body)
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (503, "busy")
    other.close()
    assert client.post(f"/api/{path}", json=body).status_code == 200


def test_too_many_numbers_are_refused(make_client: MakeClient) -> None:
    error = refused(make_client(max_analysis_cells=1000), 422, "/api/comparisons", a=SMALL, b=SMALL)
    assert error["code"] == "limit_exceeded"
