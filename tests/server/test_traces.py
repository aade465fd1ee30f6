"""/api/traces: what is traced, in which form, and what is refused."""

import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes, load_checkpoint
from ntm_core.recording import record
from ntm_core.tasks import parse_task
from ntm_core.trace import TraceHeader
from ntm_core.trace_file import load_trace
from server.schemas import TraceDocument
from server.wire import MEDIA_TYPE, ReadTrace, read_trace
from tests.server.conftest import MakeClient, small_machine
from tests.server.test_errors import failure

COPY = {"name": "copy", "bits": 2, "lengths": [3, 3]}
ROWS = [[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]


def traced(client: TestClient, **asked: Any) -> ReadTrace:
    """The trace that a request gives."""
    response = client.post("/api/traces", json={"checkpoint": "small", **asked})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    return read_trace([response.content])


def refused(client: TestClient, status: int, **asked: Any) -> dict[str, Any]:
    """The error that a request gives."""
    response = client.post("/api/traces", json={"checkpoint": "small", **asked})
    assert response.status_code == status, response.text
    return failure(response)


def test_a_trace_is_what_the_core_records(client: TestClient, shipped: dict[str, Any]) -> None:
    machine = load_checkpoint(shipped["copier"]).machine()
    task = parse_task({"name": "copy", "bits": 2, "lengths": [1, 7]})
    expected = record(machine, task.episodes(5))
    found = traced(client, checkpoint="copier", seed=5)
    for name in expected.names:
        assert found.trace[name].tobytes() == expected[name].tobytes(), name
    header = found.trace.header
    assert (header.checkpoint, header.seed, header.task, header.task_note) == (
        "copier",
        5,
        {"name": "copy", "bits": 2, "lengths": [1, 7]},
        None,
    )
    assert header.input_channels == ("bit 0", "bit 1", "delimiter")
    assert header.output_channels == ("bit 0", "bit 1")
    assert header.phases == ("input", "delimiter", "output")
    assert found.end.wrong_bits == 0
    assert found.end.seconds > 0


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(client: TestClient) -> None:
    first, again, other = (traced(client, seed=seed).trace for seed in (1, 1, 2))
    assert first.records.tobytes() == again.records.tobytes()
    assert first["inputs"].tobytes() != other["inputs"].tobytes()


def test_a_task_of_ones_own_replaces_the_checkpoints(client: TestClient) -> None:
    trace = traced(client, task={"name": "copy", "bits": 2, "lengths": [9, 9]}).trace
    assert len(trace) == 19
    assert trace.header.task == {"name": "copy", "bits": 2, "lengths": [9, 9]}


def test_one_recording_after_another_shares_a_machine(client: TestClient) -> None:
    long = traced(client, task={"name": "copy", "bits": 2, "lengths": [9, 9]}).trace
    traced(client, seed=3)
    again = traced(client, task={"name": "copy", "bits": 2, "lengths": [9, 9]}).trace
    assert long.records.tobytes() == again.records.tobytes()


def test_rows_that_follow_the_task_have_targets(client: TestClient) -> None:
    found = traced(client, checkpoint="copier", inputs=ROWS)
    header = found.trace.header
    assert (header.seed, header.task_note, header.steps) == (None, None, 5)
    assert found.trace["targets"][3:].tolist() == [[1, 0], [1, 1]]
    assert found.trace["mask"].tolist() == [0, 0, 0, 1, 1]
    assert found.end.wrong_bits == 0


def test_rows_that_do_not_follow_the_task_run_without_targets(client: TestClient) -> None:
    rows = [[1, 0, 0], [0.5, 1, 0]]
    found = traced(client, inputs=rows)
    header = found.trace.header
    assert header.task_note is not None
    assert header.task_note.startswith("the rows do not follow the task 'copy': none of the 2 rows")
    assert (header.seed, header.phases) == (None, ("input",))
    assert header.task == COPY
    assert found.trace["inputs"].tolist() == rows
    assert not found.trace["mask"].any()
    assert (found.end.wrong_bits, found.end.loss_bits) == (None, None)


def test_a_machine_without_a_task_runs_on_rows(client: TestClient) -> None:
    found = traced(client, checkpoint="taskless", inputs=ROWS)
    assert found.trace.header.task is None
    assert found.trace.header.task_note == "no task is named, so nothing is asked of the machine"
    assert found.trace.header.input_channels == ("input 0", "input 1", "input 2")
    assert traced(client, checkpoint="taskless", inputs=ROWS, task=COPY).trace["mask"].sum() == 2


def test_a_machine_without_a_task_or_rows_is_refused(client: TestClient) -> None:
    error = refused(client, 422, checkpoint="taskless")
    assert (error["code"], error["field"]) == ("mismatch", "task")
    assert "name a task or give input rows" in error["message"]


@pytest.mark.parametrize(
    "name", ["nobody", "upload-000000000000", "../copier", "copier.safetensors", "upload-*", "\x00"]
)
def test_an_unknown_checkpoint_is_a_404(client: TestClient, name: str) -> None:
    error = refused(client, 404, checkpoint=name)
    assert (error["code"], error["field"]) == ("unknown_checkpoint", "checkpoint")
    assert repr(name) in error["message"]


def test_a_task_of_other_channels_is_refused(client: TestClient) -> None:
    error = refused(client, 422, task={"name": "copy", "bits": 3})
    assert (error["code"], error["field"]) == ("mismatch", "task")
    assert "4 input and 3 output channels" in error["message"]
    assert "3 and 2" in error["message"]


def test_rows_of_other_channels_are_refused(client: TestClient) -> None:
    error = refused(client, 422, inputs=[[0, 0, 0], [0, 0]])
    assert (error["code"], error["field"]) == ("mismatch", "inputs.1")
    assert "row 1 has 2 numbers" in error["message"]


def test_too_many_steps_are_refused_before_any_is_made(make_client: MakeClient) -> None:
    client = make_client(max_steps=7)
    assert len(traced(client).trace) == 7
    error = refused(client, 422, task={"name": "copy", "bits": 2, "lengths": [1, 4]})
    assert (error["code"], error["field"]) == ("limit_exceeded", "task")
    assert error["message"] == "an episode of the task can have 9 steps: the limit is 7"
    error = refused(client, 422, inputs=[[0, 0, 0]] * 8)
    assert (error["code"], error["field"]) == ("limit_exceeded", "inputs")
    assert error["message"] == "there are 8 input rows: the limit is 7"


def test_too_large_a_trace_is_refused(make_client: MakeClient) -> None:
    trace = traced(make_client()).trace
    size = trace.episode.nbytes + trace.initial.nbytes + trace.records.nbytes
    assert len(traced(make_client(max_trace_bytes=size)).trace) == 7
    error = refused(make_client(max_trace_bytes=size - 4), 422)
    assert (error["code"], error["field"]) == ("limit_exceeded", "task")
    assert f"{size} bytes with this machine: the limit is {size - 4}" in error["message"]


@pytest.mark.parametrize(("setting", "value", "size"), [("max_memory_size", 7, 8), ("max_word_size", 3, 4)])
def test_too_large_a_machine_is_refused(make_client: MakeClient, setting: str, value: int, size: int) -> None:
    error = refused(make_client(**{setting: value}), 422)
    assert error["code"] == "limit_exceeded"
    assert error["message"] == f"the machine's {setting.removeprefix('max_')} is {size}: the limit is {value}"


def test_all_forms_hold_the_same_trace(client: TestClient) -> None:
    asked = {"checkpoint": "taskless", "task": COPY, "seed": 4}
    answers = {form: client.post(f"/api/traces?format={form}", json=asked) for form in ("stream", "json", "npz")}
    streamed = read_trace([answers["stream"].content])
    archived = load_trace(answers["npz"].content)
    document = answers["json"].json()
    assert archived.header == streamed.trace.header == TraceHeader.parse(json.dumps(document["header"]))
    for group in ("episode", "initial", "step"):
        assert list(document[group]) == [field.name for field in archived.header.fields[group]]
        for name, numbers in document[group].items():
            assert np.array(numbers, np.float32).tobytes() == archived[name].tobytes() == streamed.trace[name].tobytes()
    assert document["end"]["wrong_bits"] == streamed.end.wrong_bits
    assert document["end"]["loss_bits"] == streamed.end.loss_bits
    TraceDocument.model_validate(document)


@pytest.mark.parametrize(
    ("form", "media_type", "name"),
    [("json", "application/json", "small-seed-6.json"), ("npz", "application/x-npz", "small-seed-6.npz")],
)
def test_what_a_person_keeps_has_a_file_name(client: TestClient, form: str, media_type: str, name: str) -> None:
    response = client.post(f"/api/traces?format={form}", json={"checkpoint": "small", "seed": 6})
    assert response.headers["content-type"] == media_type
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'


def test_an_unknown_form_is_refused(client: TestClient) -> None:
    response = client.post("/api/traces?format=xml", json={"checkpoint": "small"})
    assert response.status_code == 422
    assert failure(response)["field"] == "format"


@pytest.mark.parametrize("form", ["stream", "json", "npz"])
def test_a_refusal_is_the_same_in_every_form(client: TestClient, form: str) -> None:
    response = client.post(f"/api/traces?format={form}", json={"checkpoint": "nobody"})
    assert response.status_code == 404
    assert failure(response)["code"] == "unknown_checkpoint"


def test_numbers_that_are_not_finite_are_null_in_json_and_themselves_in_the_stream(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = small_machine()
    machine.output.bias[0] = float("nan")
    monkeypatch.setattr("ntm_core.checkpoints.native.Checkpoint.machine", lambda _: machine)
    client = make_client()
    response = client.post("/api/traces?format=json", json={"checkpoint": "small"})
    document = json.loads(response.content, parse_constant=lambda token: pytest.fail(f"bare {token}"))
    assert all(row[0] is None and row[1] is not None for row in document["step"]["outputs"])
    assert document["end"]["loss_bits"] is None
    streamed = traced(client)
    assert np.isnan(streamed.trace["outputs"][:, 0]).all()
    assert streamed.end.loss_bits is None


def test_a_float64_machine_is_traced_in_float64_and_takes_twice_the_room(make_client: MakeClient) -> None:
    double = checkpoint_bytes(Checkpoint.of(small_machine().double(), task=COPY))

    def client_with(**settings: Any) -> tuple[TestClient, str]:
        client = make_client(**settings)
        octets = {"Content-Type": "application/octet-stream"}
        return client, client.post("/api/checkpoints", content=double, headers=octets).json()["id"]

    client, checkpoint = client_with()
    trace = traced(client, checkpoint=checkpoint).trace
    assert trace["weighting"].dtype == np.float64
    size = trace.episode.nbytes + trace.initial.nbytes + trace.records.nbytes
    client, checkpoint = client_with(max_trace_bytes=size - 8)
    assert refused(client, 422, checkpoint=checkpoint)["code"] == "limit_exceeded"
