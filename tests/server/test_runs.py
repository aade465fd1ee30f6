"""Runs over HTTP: trained by a process of their own, halted, taken up again, and never lost."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from ntm_core.config import Controller
from ntm_core.tasks import TASKS
from ntm_core.training import Recipe, default_machine, default_recipe
from server.app import create_app
from server.settings import Settings
from server.training.run import Run, RunProgress, Status
from tests.server.conftest import ADDRESS

QUICK: dict[str, Any] = {
    "name": "a small one",
    "task": {"name": "copy", "bits": 2, "lengths": [1, 3]},
    "machine": {"memory_size": 8, "word_size": 4, "controller_size": 8},
    "recipe": {"evaluate_every": 10, "max_iterations": 30, "extra": 0},
    "seed": 3,
}
LONG = QUICK | {"recipe": {"evaluate_every": 100_000, "max_iterations": 1_000_000}}
PATIENCE = 60.0


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(data_directory=tmp_path), {}), ADDRESS) as running:
        yield running


def started(client: TestClient, **asked: Any) -> str:
    answer = client.post("/api/runs", json=QUICK | asked)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def waited(client: TestClient, run_id: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        run: dict[str, Any] = client.get(f"/api/runs/{run_id}").json()
        if until(run):
            return run
        time.sleep(0.05)
    raise AssertionError(f"still {run['status']}: {run}")


def stands(status: str) -> Callable[[dict[str, Any]], bool]:
    return lambda run: run["status"] == status


def moves(run: dict[str, Any]) -> bool:
    return run["status"] == "running" and run["progress"] is not None and run["progress"]["live"] is not None


def test_a_run_is_trained_to_its_end_and_tells_what_it_measured(client: TestClient) -> None:
    run_id = started(client)
    run = waited(client, run_id, stands("finished"))
    assert run["progress"]["iteration"] == run["progress"]["last_iteration"] == 30
    assert run["plan"]["seed"] == 3
    assert run["plan"]["config"]["memory_size"] == 8
    assert run["series"] == [0, 1, 2, 5, 10, 20]
    assert run["checkpoint"]
    assert (run["place"], run["message"]) == (None, None)
    assert (run["core"], run["why_eager"]) == ("compiled", None)
    rows = client.get(f"/api/runs/{run_id}/metrics").json()["rows"]
    assert [row["iteration"] for row in rows] == [0, 10, 20, 30]
    assert rows[-1] == run["progress"]["row"]
    assert [one["id"] for one in client.get("/api/runs").json()["runs"]] == [run_id]


def test_half_a_line_is_no_measurement_yet(client: TestClient, tmp_path: Path) -> None:
    run_id = started(client)
    waited(client, run_id, stands("finished"))
    path = tmp_path / "runs" / run_id / "metrics.jsonl"
    before = client.get(f"/api/runs/{run_id}/metrics").json()
    with path.open("a") as file:
        file.write('{"iterat')
    assert client.get(f"/api/runs/{run_id}/metrics").json() == before
    path.write_text("{}\n")
    answer = client.get(f"/api/runs/{run_id}/metrics")
    assert answer.status_code == 422
    assert "is not one of this version" in answer.json()["error"]["message"]


def test_one_is_trained_at_a_time_and_the_others_have_a_place(client: TestClient) -> None:
    first, second, third = (started(client, **LONG) for _ in range(3))
    waited(client, first, moves)
    assert [client.get(f"/api/runs/{one}").json()["place"] for one in (first, second, third)] == [None, 0, 1]
    assert client.post(f"/api/runs/{second}", json={"action": "pause"}).json()["status"] == "paused"
    client.post(f"/api/runs/{first}", json={"action": "stop"})
    waited(client, first, stands("stopped"))
    waited(client, third, stands("running"))


def test_a_run_is_paused_and_goes_on_where_it_was(client: TestClient) -> None:
    run_id = started(client, **LONG)
    waited(client, run_id, moves)
    client.post(f"/api/runs/{run_id}", json={"action": "pause"})
    paused = waited(client, run_id, stands("paused"))["progress"]["iteration"]
    assert client.post(f"/api/runs/{run_id}", json={"action": "resume"}).status_code == 200
    assert waited(client, run_id, moves)["progress"]["iteration"] >= paused > 0


def test_what_cannot_be_done_with_a_run_is_refused(client: TestClient) -> None:
    run_id = started(client)
    waited(client, run_id, stands("finished"))
    for action in ("pause", "stop", "resume"):
        answer = client.post(f"/api/runs/{run_id}", json={"action": action})
        assert answer.status_code == 409
        assert "the run is finished" in answer.json()["error"]["message"]
    assert client.post(f"/api/runs/{run_id}", json={"action": "dance"}).status_code == 422
    for answer in (client.get("/api/runs/run-0"), client.delete("/api/runs/run-0"), client.get("/api/runs/..%2F..")):
        assert answer.status_code == 404


def test_a_killed_worker_loses_little_and_the_run_says_what_happened(client: TestClient, tmp_path: Path) -> None:
    run_id = started(client, **LONG)
    waited(client, run_id, moves)
    [pid] = _workers(tmp_path)
    os.kill(pid, signal.SIGKILL)
    run = waited(client, run_id, stands("failed"))
    live = run["progress"]["live"]
    assert f"its process ended with signal 9; iteration {live} was saved" in run["message"]
    client.post(f"/api/runs/{run_id}", json={"action": "resume"})
    assert waited(client, run_id, moves)["progress"]["iteration"] >= live


def test_a_run_survives_the_server(tmp_path: Path) -> None:
    app = Settings(data_directory=tmp_path)
    with TestClient(create_app(app, {}), ADDRESS) as client:
        run_id = started(client, **LONG)
        live = waited(client, run_id, moves)["progress"]["live"]
    assert _workers(tmp_path) == []
    with TestClient(create_app(app, {}), ADDRESS) as client:
        assert waited(client, run_id, moves)["progress"]["iteration"] >= live


def test_a_run_that_cannot_be_trained_says_why(client: TestClient, tmp_path: Path) -> None:
    run_id = started(client)
    waited(client, run_id, stands("finished"))
    broken = tmp_path / "runs" / run_id / "state.safetensors"
    broken.write_bytes(b"no state")
    record = tmp_path / "runs" / run_id / "run.json"
    record.write_text(
        Run.model_validate_json(record.read_text()).model_copy(update={"status": Status.QUEUED}).model_dump_json()
    )
    with TestClient(create_app(Settings(data_directory=tmp_path), {}), ADDRESS) as again:
        message = waited(again, run_id, stands("failed"))["message"]
    assert "is not a readable training state" in message


def test_a_deleted_run_leaves_nothing(client: TestClient, tmp_path: Path) -> None:
    run_id = started(client, **LONG)
    waited(client, run_id, moves)
    assert client.delete(f"/api/runs/{run_id}").status_code == 204
    assert client.get(f"/api/runs/{run_id}").status_code == 404
    assert _workers(tmp_path) == []
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_that_is_deleted_while_the_list_is_made_is_left_out(tmp_path: Path) -> None:
    app = create_app(Settings(data_directory=tmp_path, max_trainings=1), {})
    with TestClient(app, ADDRESS) as client:
        first, second = started(client, **LONG), started(client, **LONG)
        foreman = app.state.foreman
        runs = foreman.all()
        client.delete(f"/api/runs/{second}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(foreman, "all", lambda: runs)
            assert [run["id"] for run in client.get("/api/runs").json()["runs"]] == [first]
        client.delete(f"/api/runs/{first}")


def test_no_message_tells_where_the_data_directory_is(client: TestClient, tmp_path: Path) -> None:
    run_id = started(client, **LONG)
    waited(client, run_id, moves)
    client.post(f"/api/runs/{run_id}", json={"action": "stop"})
    waited(client, run_id, stands("stopped"))
    (tmp_path / "runs" / run_id / "metrics.jsonl").write_text("{}\n", encoding="utf-8")
    answer = client.get(f"/api/runs/{run_id}/metrics")
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith(f"runs/{run_id}/metrics.jsonl is not one of this version")


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"machine": {"memory_size": 100_000}}, None, "memory_size is 100000"),
        ({"machine": {"memory_size": 5000}}, "machine.memory_size", "memory_size is 5000: the limit is 4096"),
        ({"machine": {"similarity": "taxicab"}}, None, "similarity is 'taxicab'"),
        ({"machine": {"nonsense": 1}}, None, "nonsense"),
        ({"machine": {"controller": ["lstm"]}}, None, "controller is ['lstm']: Input should be 'lstm', "),
        ({"machine": {"controller": {}}}, None, "controller is {}: Input should be 'lstm', "),
        ({"machine": {"input_size": 7}}, None, "has 3 input and 2 output channels, but the machine has 7 and 2"),
        ({"machine": {"output_size": 9}}, None, "has 3 input and 2 output channels, but the machine has 3 and 9"),
        ({"machine": {"output_activation": "softmax"}}, None, "output_activation is 'softmax'"),
        ({"recipe": {"batch": 0}}, None, "batch is 0"),
        (
            {"recipe": {"batch": 4096}, "machine": {"memory_size": 4096, "word_size": 512}},
            "recipe.batch",
            "the limit is",
        ),
        ({"machine": {"controller_size": 8192, "controller_layers": 16}}, "machine", "bytes of memory: the limit is"),
        (
            {
                "task": {"name": "copy"},
                "machine": {"memory_size": 4096, "word_size": 20, "read_heads": 64, "write_heads": 64},
                "recipe": {"batch": 40},
            },
            "machine",
            "in batches of 40 sequences takes",
        ),
        (
            {
                "task": {"name": "copy", "lengths": [1, 1000]},
                "machine": {"memory_size": 1, "word_size": 1, "controller_size": 4096},
                "recipe": {"batch": 4096},
            },
            "machine",
            "the limit is 4294967296",
        ),
        ({"task": {"name": "copy", "lengths": [1, 8000]}}, "task", "16001"),
        ({"seed": -1}, "seed", "seed"),
        ({"name": ""}, "name", "name"),
        ({"name": "  "}, "name", "must not be blank"),
        ({"name": "a\u202eb"}, "name", "U+202E must not stand in a name"),
        ({"machine": {"memory_size": True}}, "machine.memory_size", "memory_size is True: it must be a number"),
        ({"machine": {"memory_size": "5"}}, "machine.memory_size", "memory_size is '5': it must be a number"),
        ({"recipe": {"batch": "2"}}, "recipe.batch", "batch is '2': it must be a number"),
        ({"recipe": {"learning_rate": True}}, "recipe.learning_rate", "learning_rate is True"),
        ({"recipe": {"max_iterations": 10**9}}, None, "max_iterations is 1000000000"),
    ],
)
def test_a_bad_request_names_the_value_and_the_rule(
    client: TestClient, asked: dict[str, Any], field: str | None, words: str
) -> None:
    answer = client.post("/api/runs", json=QUICK | asked)
    error = answer.json()["error"]
    assert answer.status_code == 422
    assert words in error["message"]
    assert error["field"] == field


def test_a_runs_checkpoints_are_checkpoints_like_any_other(client: TestClient) -> None:
    """The newest under the run's id, each of the series, and one that is kept when the run is gone."""
    run_id = started(client)
    waited(client, run_id, stands("finished"))
    asked = {"task": QUICK["task"], "seed": 1}
    final = client.post("/api/traces?format=json", json=asked | {"checkpoint": run_id}).json()
    first = client.post("/api/traces?format=json", json=asked | {"checkpoint": f"{run_id}.0"}).json()
    assert final != first
    listed = {one["id"]: one for one in client.get("/api/checkpoints").json()["checkpoints"]}
    assert (listed[run_id]["source"], listed[run_id]["name"]) == ("trained", "a small one")
    assert client.get(f"/api/checkpoints/{run_id}.20").json()["training"]["iterations"] == 20
    for missing in (f"{run_id}.3", f"{run_id}.x", f"{run_id}.-1", f"{run_id}.{'1' * 5000}", "run-00000000"):
        assert client.get(f"/api/checkpoints/{missing}").status_code == 404
    assert "belongs to a run" in client.delete(f"/api/checkpoints/{run_id}").json()["error"]["message"]
    kept = client.post(f"/api/checkpoints/{run_id}/keep", params={"name": "mine"}).json()
    assert (kept["source"], kept["name"], kept["config"]) == ("uploaded", "mine", listed[run_id]["config"])
    client.delete(f"/api/runs/{run_id}")
    again = client.post("/api/traces?format=json", json=asked | {"checkpoint": kept["id"]}).json()
    assert again["step"] == final["step"]


def test_there_are_only_so_many_runs(tmp_path: Path) -> None:
    settings = Settings(data_directory=tmp_path, max_runs=1)
    with TestClient(create_app(settings, {}), ADDRESS) as client:
        started(client)
        answer = client.post("/api/runs", json=QUICK)
        assert answer.status_code == 507
        assert "1 runs are stored: that is the limit" in answer.json()["error"]["message"]


def test_a_run_is_paused_when_its_time_is_over(tmp_path: Path) -> None:
    settings = Settings(data_directory=tmp_path, max_training_seconds=0.01)
    with TestClient(create_app(settings, {}), ADDRESS) as client:
        run = waited(client, started(client, **LONG), stands("paused"))
        assert "0 s is the limit" in run["message"]


def test_each_change_is_an_event(tmp_path: Path) -> None:
    """Streamed by a real server in the browser tests; here, what one event says."""
    settings = Settings(data_directory=tmp_path)
    with TestClient(create_app(settings, {}), ADDRESS) as client:
        run_id = started(client)
        waited(client, run_id, stands("finished"))
        document = json.loads(client.get("/api/runs").text)
    assert RunProgress.model_validate(document["runs"][0]["progress"]).iteration == 30


def test_the_options_hold_every_choice_and_the_best_known_recipes(client: TestClient) -> None:
    options = client.get("/api/runs/options").json()
    assert "similarity" in options["machine_schema"]["properties"]
    assert "learning_rate" in options["recipe_schema"]["properties"]
    best = {(one["task"], one["controller"]): one for one in options["best_known"]}
    assert len(best) == len(get_args(Controller)) * len(TASKS)
    assert best["copy", "lstm"]["machine"] == default_machine("copy")
    assert best["copy", "feedforward"]["recipe"] == Recipe(**default_recipe("copy", "feedforward")).model_dump()
    assert options["words"]["initial_weighting"]["one_hot"] == "one-hot at location 0"
    assert options["matters"]["head_order"] == {"step_order": ["listed"]}
    assert options["growable"]["dynamic_ngrams"] == ["context"]
    assert options["growable"]["copy"] == []


def _workers(data: Path) -> list[int]:
    """The processes that train a run of this data directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"server.training" in command and str(data).encode() in command:
                found.append(int(entry.name))
    return found
