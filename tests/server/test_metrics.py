"""/api/metrics: what is measured, how it is told, and what is refused."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ntm_core.analysis.metrics import Measurement, Metrics
from ntm_core.checkpoints.native import load_checkpoint
from ntm_core.interventions import MODES
from ntm_core.tasks import Copy
from tests.server.conftest import MakeClient, MakeServer
from tests.server.live import eventually
from tests.server.test_errors import failure
from tests.server.test_streaming import trace_status

LINES = "application/x-ndjson"
ASKED: dict[str, Any] = {"checkpoint": "copier", "lengths": [3, 2], "sequences": 5}


def told(client: TestClient, path: str, **asked: Any) -> list[dict[str, Any]]:
    """The lines of an answer."""
    response = client.post(path, json=asked)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == LINES
    return [json.loads(line) for line in response.text.splitlines()]


def refused(client: TestClient, status: int, path: str = "/api/metrics", **asked: Any) -> dict[str, Any]:
    response = client.post(path, json=asked)
    assert response.status_code == status, response.text
    return failure(response)


def progress_of(lines: list[dict[str, Any]]) -> list[int]:
    """The progress that all lines but the last tell."""
    assert all(set(line) == {"progress"} for line in lines[:-1])
    assert len({line["progress"]["total"] for line in lines[:-1]}) == 1
    return [line["progress"]["done"] for line in lines[:-1]]


def test_progress_and_then_the_core_s_own_numbers(client: TestClient, shipped: dict[str, Any]) -> None:
    lines = told(client, "/api/metrics", **ASKED)
    done = progress_of(lines)
    assert done[0] == 0
    assert done == sorted(set(done))
    assert done[-1] == lines[0]["progress"]["total"] == 2 * (7 + 5)
    work = Measurement(load_checkpoint(shipped["copier"]).machine(), Copy(bits=2), (3, 2), 5)
    for _ in work.run():
        pass
    assert set(lines[-1]) == {"result"}
    assert Metrics.model_validate(lines[-1]["result"]) == work.result()


def test_a_mode_comes_before_interventions(client: TestClient) -> None:
    change = {"quantity": "sharpening", "operation": "set", "value": 1.0}
    result = told(client, "/api/metrics", **ASKED, mode="no_read", interventions=[change])[-1]["result"]
    mode = [one.model_dump(mode="json") for one in MODES["no_read"].interventions]
    assert result["interventions"][:-1] == mode
    assert result["interventions"][-1]["quantity"] == "sharpening"
    assert not result["lengths"][0]["memory_used"]


def test_the_task_s_own_lengths_and_another_task(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Copy, "evaluation_lengths", (1, 3))
    own = told(client, "/api/metrics", checkpoint="small", sequences=1)[-1]["result"]
    assert [row["length"] for row in own["lengths"]] == list(Copy.evaluation_lengths)
    task = {"name": "copy", "bits": 2, "lengths": [1, 4]}
    other = told(client, "/api/metrics", checkpoint="taskless", task=task, lengths=[2], sequences=1)[-1]["result"]
    assert [row["length"] for row in other["lengths"]] == [2]


@pytest.mark.parametrize(
    ("asked", "status", "code", "words"),
    [
        ({"checkpoint": "nobody"}, 404, "unknown_checkpoint", "nobody"),
        ({"checkpoint": "taskless"}, 422, "mismatch", "name a task"),
        ({"checkpoint": "small", "lengths": [0]}, 422, "bad_task", "lengths"),
        ({"checkpoint": "small", "lengths": [5000]}, 422, "limit_exceeded", "10001 steps: the limit is 10000"),
        ({"checkpoint": "small", "lengths": [2000] * 32, "sequences": 1000}, 422, "limit_exceeded", "the limit is"),
        ({"checkpoint": "small", "sequences": 0}, 422, "invalid_request", "sequences"),
        ({"checkpoint": "small", "mode": "fast"}, 422, "invalid_request", "mode"),
        ({"checkpoint": "small", "task": {"name": "copy", "bits": 3}}, 422, "bad_task", "channels"),
        (
            {"checkpoint": "small", "interventions": [{"quantity": "key", "operation": "take", "source": "other"}]},
            422,
            "bad_intervention",
            "no such trace",
        ),
    ],
)
def test_what_cannot_be_measured_has_a_status_of_its_own(
    client: TestClient, asked: dict[str, Any], status: int, code: str, words: str
) -> None:
    error = refused(client, status, **asked)
    assert error["code"] == code
    assert words in error["message"]


def test_a_fault_after_the_first_line_is_the_last_line(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Measurement) -> Any:
        yield 0
        raise ArithmeticError("a secret")

    monkeypatch.setattr(Measurement, "run", broken)
    lines = told(make_client(), "/api/metrics", **ASKED)
    assert set(lines[-1]) == {"error"}
    assert lines[-1]["error"]["code"] == "internal_error"
    assert "secret" not in lines[-1]["error"]["message"]


def test_a_constraint_is_kept_unless_it_may_be_left(client: TestClient) -> None:
    decided = {"quantity": "sharpening", "operation": "set", "value": 0.5}
    assert refused(client, 422, **ASKED, interventions=[decided])["code"] == "bad_intervention"
    found_out = {"quantity": "sharpening", "operation": "scale", "value": 0.5}
    lines = told(client, "/api/metrics", **ASKED, interventions=[found_out])
    assert lines[-1]["error"]["code"] == "bad_intervention"
    assert "sharpening is 0.5: it must be at least 1" in lines[-1]["error"]["message"]
    for change in (decided, found_out):
        left = told(client, "/api/metrics", **ASKED, interventions=[change], leave_constraints=True)
        assert left[-1]["result"]["lengths"][0]["sequences"] == 5


def test_a_client_that_leaves_stops_its_measurement_and_gives_its_place_back(make_server: MakeServer) -> None:
    server = make_server(max_traces=1)
    long = {"checkpoint": "small", "lengths": [2400], "sequences": 100}
    with server.client() as client:
        with server.post("/api/metrics", json.dumps(long).encode(), Content_Type="application/json") as connection:
            assert connection.recv(65536)
            response = client.post("/api/metrics", json=ASKED)
            assert (response.status_code, failure(response)["code"]) == (503, "busy")
            assert int(response.headers["retry-after"]) >= 1
        eventually(lambda: trace_status(client) == 200, seconds=10)
