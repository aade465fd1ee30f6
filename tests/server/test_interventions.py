"""/api/addressing-modes and the interventions of /api/traces: what is changed, refused, marked, and computed anew."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ntm_core.checkpoints.native import Checkpoint, load_checkpoint, save_checkpoint
from ntm_core.compiled.recorded_run import RecordedRun
from ntm_core.interventions import MODES, Intervention, expanded
from ntm_core.machine import Machine
from ntm_core.recording import record
from ntm_core.tasks import parse_task
from ntm_core.trace_file import load_trace
from server.app import create_app
from server.schemas import TraceRequest
from server.settings import Settings
from server.stores.checkpoints import CheckpointStore
from server.stores.machines import MachineCache
from server.stores.recorded import TraceCache
from server.traces import Recordings
from tests.server.conftest import ADDRESS, MakeClient, small_machine
from tests.server.test_traces import COPY, ROWS, refused, traced

GATE = {"quantity": "interpolation_gate", "operation": "set", "value": 0.5, "steps": [5, 7]}


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each step that a machine computes."""
    steps: list[int] = []
    step, compute = Machine.step, RecordedRun.compute

    def counted(machine: Machine, *arguments: Any) -> Any:
        steps.append(1)
        return step(machine, *arguments)

    def counted_block(run: RecordedRun, first: int, last: int, parts: tuple[int, int] | None = None) -> None:
        steps.extend([1] * (last - first) if parts is None or parts[0] == 0 else [])
        compute(run, first, last, parts)

    monkeypatch.setattr(Machine, "step", counted)
    monkeypatch.setattr(RecordedRun, "compute", counted_block)
    return steps


def test_the_table_of_modes_is_that_of_the_core(client: TestClient) -> None:
    listed = client.get("/api/addressing-modes").json()["modes"]
    assert [mode["name"] for mode in listed] == list(MODES)
    for mode in listed:
        own = MODES[mode["name"]]
        assert (mode["title"], mode["definition"], mode["equation"]) == (own.title, own.definition, own.equation)
        assert tuple(map(Intervention.model_validate, mode["interventions"])) == own.interventions


@pytest.mark.parametrize("form", ["stream", "json", "npz"])
def test_a_mode_and_interventions_give_what_the_core_records(
    client: TestClient, shipped: dict[str, Path], form: str
) -> None:
    machine = load_checkpoint(shipped["small"]).machine()
    asked = expanded("hard", (Intervention.model_validate(GATE),))
    expected = record(machine, parse_task(COPY).episodes(0), interventions=asked)
    body = {"checkpoint": "small", "mode": "hard", "interventions": [GATE]}
    if form == "stream":
        trace = traced(client, **body).trace
    elif form == "npz":
        trace = load_trace(client.post("/api/traces?format=npz", json=body).content)
    else:
        header = client.post("/api/traces?format=json", json=body).json()["header"]
        assert (header["mode"], header["leave_constraints"], len(header["interventions"])) == ("hard", False, 2)
        return
    assert trace.records.tobytes() == expected.records.tobytes()
    assert trace.header.interventions == asked
    assert trace.header.mode == "hard"


@pytest.mark.parametrize("mode", ["hard", "no_shift", "no_sharpening", "full"])
def test_the_copier_copies_in_some_modes_only(client: TestClient, mode: str) -> None:
    wrong = traced(client, checkpoint="copier", inputs=ROWS, mode=mode).end.wrong_bits
    assert (wrong == 0) == (mode != "no_shift")


@pytest.mark.parametrize("form", ["stream", "json", "npz"])
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"operation": "set", "value": 2}, r"step 5, head 'read 0': interpolation_gate is 2: it must be in [0, 1]"),
        ({"operation": "add", "value": -2}, "step 5, head 'read 0': interpolation_gate is -1."),
        ({"operation": "set", "value": 0.5, "heads": ["read 1"]}, "intervention 0: head 'read 1' has no"),
        ({"operation": "set", "value": 0.5, "steps": [0, 8]}, "steps is [0, 8], but the run has 7 steps"),
    ],
)
def test_what_cannot_be_is_a_422_in_every_form(
    client: TestClient, form: str, asked: dict[str, Any], words: str
) -> None:
    body = {"checkpoint": "small", "interventions": [GATE | asked]}
    response = client.post(f"/api/traces?format={form}", json=body)
    assert response.status_code == 422
    error = response.json()["error"]
    assert (error["code"], error["field"]) == ("bad_intervention", "interventions")
    assert words in error["message"]


def test_a_typo_is_refused_by_its_place(client: TestClient) -> None:
    error = refused(client, 422, interventions=[GATE, GATE | {"quantity": "gate"}])
    assert (error["code"], error["field"]) == ("invalid_request", "interventions.1.quantity")
    error = refused(client, 422, interventions=[{k: v for k, v in GATE.items() if k != "value"}])
    assert "value is missing: set needs one" in error["message"]
    error = refused(client, 422, interventions=[GATE | {"value": "half"}])
    assert error["field"] == "interventions.0.value"
    assert error["message"].startswith("interventions.0.value is 'half': Input should be a valid number")
    assert refused(client, 422, interventions=[GATE | {"value": [1, None]}])["message"].count("interventions.0.value.1")
    assert refused(client, 422, mode="soft")["field"] == "mode"
    assert refused(client, 422, interventions=[GATE] * 257)["field"] == "interventions"
    nested = {"checkpoint": "small", "sources": {}}
    assert refused(client, 422, sources={"a": nested})["field"] == "sources.a.sources"


def test_a_constraint_may_be_left_by_wish_and_the_end_says_so(client: TestClient) -> None:
    found = traced(client, interventions=[GATE | {"operation": "add", "value": 1}], leave_constraints=True)
    assert found.end.violation is not None
    assert found.end.violation.step == 5
    assert found.end.violation.head == "read 0"
    assert found.end.violation.rule == "it must be in [0, 1]"
    assert found.trace.header.leave_constraints
    assert traced(client, interventions=[GATE], leave_constraints=True).end.violation is None


def test_quantities_are_taken_from_another_run(client: TestClient) -> None:
    other = traced(client, seed=1).trace
    asked = {"quantity": "read_vector", "operation": "take", "source": "other", "steps": [2, 4]}
    trace = traced(client, seed=2, interventions=[asked], sources={"other": {"checkpoint": "small", "seed": 1}}).trace
    assert trace["read_vector"][2:4].tobytes() == other["read_vector"][2:4].tobytes()
    error = refused(client, 422, interventions=[asked])
    assert "source is 'other': there is no such trace, known are none" in error["message"]
    error = refused(client, 404, interventions=[asked], sources={"other": {"checkpoint": "nobody"}})
    assert error["code"] == "unknown_checkpoint"


def test_memory_that_was_changed_counts_towards_the_size_of_a_trace(make_client: MakeClient) -> None:
    asked = {"quantity": "memory", "operation": "set", "location": 0, "value": 0.5}
    trace = traced(make_client(), interventions=[asked]).trace
    assert (trace["memory_found"][:, 0] == 0.5).all()
    size = trace.episode.nbytes + trace.initial.nbytes + trace.records.nbytes
    assert len(traced(make_client(max_trace_bytes=size), interventions=[asked]).trace) == 7
    assert refused(make_client(max_trace_bytes=size - 4), 422, interventions=[asked])["code"] == "limit_exceeded"


# What is kept


def test_a_request_costs_only_the_steps_that_no_kept_trace_holds(make_client: MakeClient, computed: list[int]) -> None:
    client = make_client()

    def cost(**asked: Any) -> int:
        before = len(computed)
        traced(client, **asked)
        return len(computed) - before

    late = [GATE | {"value": 0.25}]
    assert cost() == 7
    assert cost() == 0
    assert cost(interventions=[GATE]) == 2
    assert cost(interventions=[GATE]) == 0
    assert cost(interventions=[GATE | {"steps": [5, 6]}]) == 1
    assert cost(interventions=late) == 2
    assert cost(mode="location_only") == 7
    assert cost(mode="location_only", interventions=late) == 2
    assert cost(task=COPY) == 0
    assert cost(seed=1) == 7
    assert cost(inputs=ROWS) == 5
    assert cost(initial_state={"read_vector": [[0, 0, 0, 0]]}) == 7
    assert cost(checkpoint="copier", task=COPY) == 7


def test_what_is_kept_gives_the_same_bytes_as_what_is_computed(make_client: MakeClient) -> None:
    keeping, forgetting = make_client(), make_client(cached_trace_bytes=0)
    memory = {"quantity": "memory", "operation": "scale", "value": 0.5, "steps": [3, 5]}
    for asked in ([], [GATE], [memory], [memory, GATE], [GATE], []):
        kept, fresh = (traced(client, interventions=asked).trace for client in (keeping, forgetting))
        assert kept.records.tobytes() == fresh.records.tobytes()
        assert kept.header == fresh.header


def test_what_is_kept_does_not_grow_with_what_is_asked_of_it(shipped: dict[str, Path], tmp_path: Path) -> None:
    """A trace holds all its memories once it has been asked for them."""
    settings, cache = Settings(data_directory=tmp_path), TraceCache(1 << 20)
    recordings = Recordings(CheckpointStore(shipped, settings), MachineCache(1), settings, cache)
    request = TraceRequest(checkpoint="small")
    for _ in range(2):
        assert recordings.finished(recordings.plan(request)).memory.shape == (8, 8, 4)
    key = next(iter(cache._traces))
    kept = cache.get(key)
    assert kept is not None
    assert "memory" not in vars(kept)


def test_another_run_under_the_same_name_is_another_program(make_client: MakeClient, computed: list[int]) -> None:
    client = make_client()
    asked = {"quantity": "read_vector", "operation": "take", "source": "other", "steps": [2, 4]}

    def cost(seed: int) -> int:
        before = len(computed)
        traced(client, seed=2, interventions=[asked], sources={"other": {"checkpoint": "small", "seed": seed}})
        return len(computed) - before

    assert cost(1) == 7 + 7
    assert cost(1) == 0
    assert cost(3) == 7 + 5


def test_a_kept_trace_that_left_a_constraint_is_refused_to_whoever_must_not(make_client: MakeClient) -> None:
    client = make_client()
    asked = [GATE | {"operation": "add", "value": 1}]
    assert traced(client, interventions=asked, leave_constraints=True).end.violation
    assert "step 5, head 'read 0'" in refused(client, 422, interventions=asked)["message"]
    assert traced(client, interventions=asked, leave_constraints=True).end.violation


def test_a_checkpoint_that_changes_is_not_answered_with_its_past(tmp_path: Path) -> None:
    path = tmp_path / "training.safetensors"
    save_checkpoint(path, Checkpoint.of(small_machine(0), task=COPY))
    with TestClient(create_app(Settings(data_directory=tmp_path), {"small": path}), ADDRESS) as client:
        first = traced(client).trace
        save_checkpoint(path, Checkpoint.of(small_machine(1), task=COPY))
        second = traced(client).trace
    expected = record(small_machine(1), parse_task(COPY).episodes(0))
    assert second.records.tobytes() == expected.records.tobytes() != first.records.tobytes()
