"""Which core computes a trace, and how that is said: compiled once it is warm, but for branches of what came before."""

import json

import pytest
from fastapi.testclient import TestClient

from ntm_core.recording import record
from ntm_core.tasks import parse_task
from ntm_core.trace_file import load_trace
from server import traces
from tests.server.conftest import MakeClient, small_machine
from tests.server.test_traces import traced

GATE = {"quantity": "interpolation_gate", "operation": "set", "value": 0.5, "steps": [5, 7]}


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The compiled core is not ready yet, until this is undone."""
    monkeypatch.setattr(traces, "is_warm", lambda: False)
    return monkeypatch


def test_every_form_says_that_the_compiled_core_computed(client: TestClient) -> None:
    trace = traced(client).trace
    assert trace.header.core == "compiled"
    document = json.loads(client.post("/api/traces?format=json", json={"checkpoint": "small"}).text)
    assert document["header"]["core"] == "compiled"
    archive = load_trace(client.post("/api/traces?format=npz", json={"checkpoint": "small"}).content)
    assert archive.header == trace.header
    assert archive.records.tobytes() == trace.records.tobytes()


def test_a_server_computes_step_by_step_until_the_compiled_core_is_warm(
    make_client: MakeClient, cold: pytest.MonkeyPatch
) -> None:
    client = make_client()
    machine = small_machine()
    machine.core = "eager"
    task = parse_task({"name": "copy", "bits": 2, "lengths": [3, 3]})
    trace = traced(client).trace
    assert trace.header.core == "eager"
    assert trace.records.tobytes() == record(machine, task.episodes(0)).records.tobytes()
    cold.undo()
    assert traced(client, seed=1).trace.header.core == "compiled"


def test_a_branch_is_computed_by_the_core_of_its_root(make_client: MakeClient, cold: pytest.MonkeyPatch) -> None:
    client = make_client()
    root = traced(client).trace
    cold.undo()
    again, branch = traced(client).trace, traced(client, interventions=[GATE]).trace
    assert (again.header.core, branch.header.core) == ("eager", "eager")
    assert branch.records[:5].tobytes() == root.records[:5].tobytes()
    assert branch.records[5:].tobytes() != root.records[5:].tobytes()


def test_a_root_that_is_forgotten_binds_nobody(make_client: MakeClient, cold: pytest.MonkeyPatch) -> None:
    client = make_client(cached_trace_bytes=0)
    assert traced(client).trace.header.core == "eager"
    cold.undo()
    assert traced(client, interventions=[GATE]).trace.header.core == "compiled"
