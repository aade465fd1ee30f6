"""/api/patching: a map, how it is told, and what is refused."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ntm_core.analysis.patches import PATCHED
from ntm_core.analysis.patching import Patching
from ntm_core.checkpoints.native import load_checkpoint
from ntm_core.recording import record
from ntm_core.tasks import parse_task
from tests.server.conftest import MakeClient, MakeServer
from tests.server.live import eventually
from tests.server.test_metrics import progress_of, refused, told
from tests.server.test_streaming import trace_status

COPY = {"name": "copy", "bits": 2, "lengths": [3, 3]}
CLEAN = {"checkpoint": "small", "seed": 1}
CORRUPTED = {"checkpoint": "small", "seed": 2}


def test_a_map_is_what_the_core_computes(client: TestClient, shipped: dict[str, Any]) -> None:
    lines = told(client, "/api/patching", clean=CLEAN, corrupted=CORRUPTED)
    machine, task = load_checkpoint(shipped["small"]).machine(), parse_task(COPY)
    work = Patching(machine, record(machine, task.episodes(1)), record(machine, task.episodes(2)))
    for _ in work.run():
        pass
    found, result = work.result(), lines[-1]["result"]
    assert progress_of(lines)[-1] == work.total
    assert (result["loss_clean"], result["loss_corrupted"]) == (found.loss_clean, found.loss_corrupted)
    assert result["steps"] == [0, 7]
    assert [(row["quantity"], row["head"], row["head_name"]) for row in result["rows"]] == [
        (row.quantity, row.head, row.head_name) for row in found.rows
    ]
    assert {row["quantity"] for row in result["rows"]} == set(PATCHED)
    assert [row["restored"] for row in result["rows"]] == found.restored.tolist()
    assert [row["loss"] for row in result["rows"]] == found.loss.tolist()


def test_only_what_is_asked_is_patched(client: TestClient) -> None:
    asked = {"quantities": ["read_vector"], "steps": [2, 4]}
    (row,) = told(client, "/api/patching", clean=CLEAN, corrupted=CORRUPTED, **asked)[-1]["result"]["rows"]
    assert (row["quantity"], row["head_name"], len(row["restored"])) == ("read_vector", "read 0", 2)


@pytest.mark.parametrize(
    ("asked", "status", "code", "words"),
    [
        ({"corrupted": CLEAN}, 422, "bad_analysis", "must differ"),
        (
            {"corrupted": {**CORRUPTED, "task": {**COPY, "lengths": [4, 4]}}},
            422,
            "bad_analysis",
            "7 steps and the corr",
        ),
        ({"clean": {**CLEAN, "inputs": [[0.0, 0.0, 0.0]] * 7}}, 422, "bad_analysis", "asks for nothing"),
        ({"clean": {"checkpoint": "wide", "seed": 1, "task": COPY}}, 422, "bad_intervention", "has shape"),
        ({"clean": {"checkpoint": "nobody"}}, 404, "unknown_checkpoint", "nobody"),
        ({"steps": [5, 9]}, 422, "bad_analysis", "steps is [5, 9]"),
        ({"quantities": ["hidden"]}, 422, "invalid_request", "quantities"),
    ],
)
def test_what_cannot_be_patched_has_a_status_of_its_own(
    client: TestClient, asked: dict[str, Any], status: int, code: str, words: str
) -> None:
    error = refused(client, status, "/api/patching", **{"clean": CLEAN, "corrupted": CORRUPTED, **asked})
    assert error["code"] == code
    assert words in error["message"]


def test_what_was_changed_in_the_corrupted_run_stays_changed(client: TestClient) -> None:
    take = {"quantity": "key", "operation": "take", "source": "another"}
    corrupted = {**CORRUPTED, "mode": "hard", "interventions": [take], "sources": {"another": {**CLEAN, "seed": 5}}}
    changed = told(client, "/api/patching", clean=CLEAN, corrupted=corrupted, quantities=["read_vector"])[-1]["result"]
    plain = told(client, "/api/patching", clean=CLEAN, corrupted=CORRUPTED, quantities=["read_vector"])[-1]["result"]
    assert changed["loss_clean"] == plain["loss_clean"]
    assert changed["loss_corrupted"] != plain["loss_corrupted"]
    end = client.post("/api/traces?format=json", json=corrupted).json()["end"]
    assert end["loss_bits"] != changed["loss_corrupted"], "that is the loss of what the corrupted episode asks"


def test_a_map_that_is_too_large_is_refused(make_client: MakeClient) -> None:
    client = make_client(max_analysis_cells=1000)
    error = refused(client, 422, "/api/patching", clean=CLEAN, corrupted=CORRUPTED)
    assert (error["code"], error["field"]) == ("limit_exceeded", "steps")


def test_a_client_that_leaves_stops_its_map_and_gives_its_place_back(make_server: MakeServer) -> None:
    server = make_server(max_traces=1)
    task = {"name": "copy", "bits": 2, "lengths": [400, 400]}
    long = {"clean": {**CLEAN, "task": task}, "corrupted": {**CORRUPTED, "task": task}}
    with server.client() as client:
        with server.post("/api/patching", json.dumps(long).encode(), Content_Type="application/json") as connection:
            assert connection.recv(65536)
            assert trace_status(client) == 503
        eventually(lambda: trace_status(client) == 200, seconds=10)
