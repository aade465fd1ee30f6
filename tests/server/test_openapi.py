"""The interface's own description: whole, typed, and with examples that are true."""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from server import analysis_schemas, schemas, wire
from server.app import create_app
from server.schemas import ErrorDocument
from server.settings import Settings
from server.training import schemas as training

OPERATIONS = {
    ("get", "/api/version"),
    ("get", "/api/checkpoints"),
    ("post", "/api/checkpoints"),
    ("post", "/api/checkpoints/{checkpoint_id}/import"),
    ("get", "/api/checkpoints/{checkpoint_id}"),
    ("delete", "/api/checkpoints/{checkpoint_id}"),
    ("get", "/api/importers"),
    ("get", "/api/tasks"),
    ("get", "/api/addressing-modes"),
    ("get", "/api/uploaded-traces"),
    ("post", "/api/uploaded-traces"),
    ("get", "/api/uploaded-traces/{trace_id}"),
    ("delete", "/api/uploaded-traces/{trace_id}"),
    ("post", "/api/traces"),
    ("post", "/api/metrics"),
    ("post", "/api/patching"),
    ("post", "/api/comparisons"),
    ("post", "/api/checkpoints/{checkpoint_id}/keep"),
    ("get", "/api/runs"),
    ("post", "/api/runs"),
    ("get", "/api/runs/options"),
    ("get", "/api/runs/events"),
    ("get", "/api/runs/{run_id}"),
    ("post", "/api/runs/{run_id}"),
    ("delete", "/api/runs/{run_id}"),
    ("get", "/api/runs/{run_id}/metrics"),
}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings(), {})


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return dict(TestClient(app, "http://localhost").get("/openapi.json").json())


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(method, path): op for path, item in document["paths"].items() for method, op in item.items()}


def test_every_operation_is_listed_and_no_other(document: dict[str, Any]) -> None:
    assert set(operations(document)) == OPERATIONS


def test_every_operation_says_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        assert operation["summary"], name
        failures = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert {"403", "421", "500"} <= set(failures), name
        for answer in failures.values():
            assert answer["description"]
            assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorDocument"}
        assert "HTTPValidationError" not in str(operation)


def test_every_answer_has_a_schema(document: dict[str, Any]) -> None:
    for (method, path), operation in operations(document).items():
        success = next(answer for status, answer in operation["responses"].items() if status < "300")
        if method == "delete":
            assert "content" not in success
        else:
            assert all(content["schema"] for content in success["content"].values()), path


def test_the_binary_forms_are_described(document: dict[str, Any]) -> None:
    content = document["paths"]["/api/traces"]["post"]["responses"]["200"]["content"]
    assert set(content) == {wire.MEDIA_TYPE, "application/json", "application/x-npz"}
    assert content[wire.MEDIA_TYPE]["schema"] == {"type": "string", "format": "binary"}
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/TraceDocument"}
    upload = document["paths"]["/api/checkpoints"]["post"]["requestBody"]["content"]
    assert upload == {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def test_answers_in_lines_are_described(document: dict[str, Any]) -> None:
    for path, model in (("metrics", "MetricsLine"), ("patching", "PatchingLine")):
        content = document["paths"][f"/api/{path}"]["post"]["responses"]["200"]["content"]
        assert content == {"application/x-ndjson": {"schema": {"$ref": f"#/components/schemas/{model}"}}}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    names = set(re.findall(r"'#/components/schemas/([^']+)'", str(document)))
    assert names <= set(document["components"]["schemas"])


def examples(model: type[BaseModel]) -> list[Any]:
    extra = model.model_config.get("json_schema_extra") or {}
    assert isinstance(extra, dict)
    found = extra.get("examples") or []
    assert isinstance(found, list)
    return found


NAMED = vars(schemas) | vars(training) | vars(analysis_schemas)
MODELS = [kind for kind in NAMED.values() if isinstance(kind, type) and issubclass(kind, BaseModel)]
WITH_EXAMPLES = [model for model in MODELS if examples(model)]


@pytest.mark.parametrize("model", WITH_EXAMPLES, ids=lambda model: model.__name__)
def test_every_example_fits_its_schema_and_is_published(model: type[BaseModel], document: dict[str, Any]) -> None:
    for example in examples(model):
        model.model_validate(example)
    assert document["components"]["schemas"][model.__name__]["examples"] == examples(model)


def test_requests_and_answers_have_examples() -> None:
    named = {model.__name__ for model in WITH_EXAMPLES}
    assert named == {
        "AddressingModeList",
        "CheckpointDetail",
        "CheckpointList",
        "CheckpointSummary",
        "ComparisonRequest",
        "ErrorDocument",
        "ImportWishes",
        "ImporterList",
        "MetricsRequest",
        "PatchingRequest",
        "RunRequest",
        "TaskList",
        "TraceRequest",
        "VersionInfo",
    }


def test_a_typo_is_refused_by_every_schema_of_ours() -> None:
    own = [model for model in MODELS if model.__module__.startswith("server.")]
    assert ErrorDocument in own
    assert all(model.model_config.get("extra") == "forbid" for model in own)


def test_no_page_of_documentation_loads_from_elsewhere(app: FastAPI) -> None:
    client = TestClient(app, "http://localhost")
    assert {client.get(path).status_code for path in ("/docs", "/redoc", "/docs/oauth2-redirect")} == {404}


def test_every_limit_that_a_client_can_meet_is_published() -> None:
    limits = {name for name in Settings.model_fields if name.startswith("max_")}
    assert limits - {"max_concurrent_uploads"} == set(schemas.Limits.model_fields)
