import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ntm_core import errors as core_errors
from ntm_core.errors import InUseError, NtmError, TraceError
from server.errors import CORE_STATUS, core_error_response
from server.security import SECURITY_HEADERS
from server.traces import Recordings
from tests.server.conftest import MakeClient

JSON = {"Content-Type": "application/json"}


def failure(response: Any) -> dict[str, Any]:
    """The error of a response, whose shape is checked."""
    document = response.json()
    assert list(document) == ["error"]
    assert list(document["error"]) == ["code", "message", "field"]
    assert response.headers["content-type"] == "application/json"
    return dict(document["error"])


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", "/static/nothing.js", "/api/version/", "/docs", "/redoc"])
def test_an_unknown_path_is_a_404_that_names_it(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert failure(response) == {"code": "not_found", "message": f"there is nothing at {path}", "field": None}


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/api/tasks"), ("GET", "/api/traces"), ("POST", "/"), ("POST", "/static/index.html")]
)
def test_another_method_is_a_405_that_names_it(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"]
    error = failure(response)
    assert error["code"] == "method_not_allowed"
    assert method in error["message"]
    assert path in error["message"]


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({}, "checkpoint", "checkpoint is missing"),
        ({"checkpoint": "small", "sed": 1}, "sed", "sed is 1: Extra inputs are not permitted"),
        ({"checkpoint": "small", "seed": -1}, "seed", "seed is -1"),
        ({"checkpoint": "small", "seed": 2**32}, "seed", "seed is 4294967296"),
        ({"checkpoint": "small", "seed": 1.5}, "seed", "seed is 1.5"),
        ({"checkpoint": "small", "seed": True}, "seed", "seed is True"),
        ({"checkpoint": "", "seed": 1}, "checkpoint", "checkpoint is ''"),
        ({"checkpoint": "small", "task": {"name": "copi"}}, "task", "'copi'"),
        (
            {"checkpoint": "small", "task": {"name": "copy", "lengths": [5, 3]}},
            "task.lengths",
            "task.lengths is [5, 3]",
        ),
        ({"checkpoint": "small", "task": {"name": "copy", "bits": 0}}, "task.bits", "task.bits is 0"),
        ({"checkpoint": "small", "task": {"name": "copy", "lenghts": [1, 2]}}, "task.lenghts", "task.lenghts"),
        ({"checkpoint": "small", "inputs": []}, "inputs", "inputs is []"),
        ({"checkpoint": "small", "inputs": [[0, "1", 0]]}, "inputs.0.1", "inputs.0.1 is '1'"),
        ({"checkpoint": "small", "inputs": [[0, 1, 0], [0, 2e6, 0]]}, "inputs.1.1", "inputs.1.1 is 2000000.0"),
        ([], None, "the request is []"),
    ],
)
def test_a_request_that_breaks_its_schema_is_a_422_that_names_field_value_and_rule(
    client: TestClient, body: Any, field: str | None, said: str
) -> None:
    response = client.post("/api/traces", json=body)
    assert response.status_code == 422
    error = failure(response)
    assert (error["code"], error["field"]) == ("invalid_request", field)
    assert said in error["message"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1e39", "null"])
def test_a_number_that_is_not_finite_is_a_422(client: TestClient, number: str) -> None:
    body = f'{{"checkpoint": "small", "inputs": [[0, {number}, 0]]}}'
    response = client.post("/api/traces", content=body, headers=JSON)
    assert response.status_code == 422
    assert failure(response)["field"] == "inputs.0.1"


def test_of_many_broken_rules_the_first_few_are_said(client: TestClient) -> None:
    response = client.post("/api/traces", json={"checkpoint": 1, "seed": -1, "a": 1, "b": 2, "c": 3})
    assert failure(response)["message"].endswith("; and 2 more")


def test_many_bad_numbers_are_refused_at_the_first(client: TestClient) -> None:
    response = client.post("/api/traces", json={"checkpoint": "small", "inputs": [["x"] * 1000] * 100})
    assert response.status_code == 422
    assert failure(response)["message"].count(";") == 0


def test_a_long_value_is_shortened(client: TestClient) -> None:
    response = client.post("/api/traces", json={"checkpoint": "x" * 5000})
    assert len(failure(response)["message"]) < 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "at character 1"),
        (b"\xff\xfe", "byte 0 is 0xff, which is no UTF-8"),
        (b"nul", "at character 0"),
        (b"{'checkpoint': 1}", "at character 1"),
        (b"[" * 100_000, "nested more than 64 deep"),
        (b"[" * 70 + b"]" * 70, "nested more than 64 deep"),
        (b'{"seed": ' + b"1" * 5000 + b"}", "more than 4300 digits"),
        (b'{"checkpoint": "\\ud800"}', "half of a surrogate pair"),
        (b'{"\\udfff": 1}', "half of a surrogate pair"),
    ],
)
@pytest.mark.parametrize("path", ["traces", "comparisons", "patching", "metrics", "runs", "checkpoints/small/import"])
def test_a_body_that_is_not_json_is_refused(client: TestClient, path: str, body: bytes, said: str) -> None:
    response = client.post(f"/api/{path}", content=body, headers=JSON)
    assert response.status_code == 422
    assert failure(response)["code"] == "invalid_json"
    assert said in failure(response)["message"]


def test_a_whole_pair_of_surrogates_is_one_character(client: TestClient) -> None:
    response = client.post("/api/traces", content=b'{"checkpoint": "\\ud83d\\ude00"}', headers=JSON)
    assert failure(response)["message"] == "there is no checkpoint '😀'"


@pytest.mark.parametrize("heads", [["\ud800"], ["x" * 81], [""]])
def test_a_head_that_no_machine_has_is_a_422(client: TestClient, heads: list[str]) -> None:
    change = {"quantity": "interpolation_gate", "operation": "set", "value": 0.5, "heads": heads}
    body = json.dumps({"checkpoint": "small", "interventions": [change]})
    assert client.post("/api/traces", content=body, headers=JSON).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/runs/{}"),
        ("GET", "/api/checkpoints/{}"),
        ("GET", "/api/uploaded-traces/{}"),
        ("GET", "/{}"),
        ("POST", "/{}"),
        ("PATCH", "/api/runs/{}"),
        ("DELETE", "/api/checkpoints/{}"),
    ],
)
def test_a_long_id_is_not_told_back_whole(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, path.format("x" * 60_000))
    assert response.status_code in {404, 405}
    assert len(failure(response)["message"]) < 300


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_json_under_another_name_is_a_415(client: TestClient, media_type: str | None) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    response = client.post("/api/traces", content=b'{"checkpoint": "small"}', headers=headers)
    assert response.status_code == 415
    assert failure(response)["code"] == "unsupported_media_type"


def test_a_fault_of_the_server_is_a_500_without_a_traceback(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Recordings, "prepare", broken)
    client = make_client(raise_server_exceptions=False)
    response = client.post("/api/traces", json={"checkpoint": "small"})
    assert response.status_code == 500
    assert failure(response)["code"] == "internal_error"
    assert "secret" not in response.text
    assert {name: response.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_every_core_error_that_a_request_can_cause_has_a_status() -> None:
    kinds = [kind for kind in vars(core_errors).values() if isinstance(kind, type) and issubclass(kind, NtmError)]
    codes = {kind.code for kind in kinds if kind not in (NtmError, InUseError)}
    assert codes == set(CORE_STATUS)


def test_a_core_error_keeps_its_code_and_message() -> None:
    response = core_error_response(TraceError("the rows are 3"))
    assert response.status_code == 422
    assert response.body == b'{"error":{"code":"bad_trace","message":"the rows are 3","field":null}}'


def test_a_core_error_that_no_request_can_cause_is_the_servers_fault() -> None:
    assert core_error_response(NtmError("what no request can cause")).status_code == 500
