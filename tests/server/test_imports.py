"""Files of other programs through HTTP: opened, told about, imported otherwise, kept, traced as by their authors."""

import datetime as dt
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient

from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes
from ntm_core.config import MachineConfig
from server.app import create_app
from server.imports import FileReader
from server.sandbox import Sandbox
from server.schemas import ImportReport
from server.settings import Settings
from server.stores.checkpoints import CheckpointStore
from server.wire import read_trace
from tests.core.golden import (
    CHECKPOINTS,
    EXACT,
    PEERS,
    comparison,
    load_golden,
    peers_are_absent,
)
from tests.core.importers import programs
from tests.server.conftest import ADDRESS, MakeClient, MakeServer, small_checkpoint, small_machine
from tests.server.live import LONG_SETTINGS, LONG_TRACE, eventually
from tests.server.test_checkpoints import OCTETS, listed, stored, upload
from tests.server.test_errors import failure

with_peers = pytest.mark.skipif(peers_are_absent() is not None, reason=peers_are_absent() or "")


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    """A client of a server of the test's own, which may be uploaded to."""
    return make_client()


def rs9000_file(seed: int = 0) -> bytes:
    """A file as one program of the families writes it, with random numbers: it asks for N and draws M_0 and r_0."""
    tensors = programs.rs9000_file(seed)
    return torch_file({name: torch.from_numpy(value.astype(np.float32)) for name, value in tensors.items()})


def torch_file(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def own_file() -> bytes:
    """A plain PyTorch state dict of our own machine."""
    return torch_file(small_machine().state_dict())


def wished(client: TestClient, data: bytes, **wishes: Any) -> Any:
    return client.post("/api/checkpoints", content=data, headers=OCTETS, params={"wishes": json.dumps(wishes)})


def test_another_programs_file_opens_with_all_that_was_found(client: TestClient, tmp_path: Path) -> None:
    data = rs9000_file()
    response = upload(client, data, "Theirs")
    assert response.status_code == 201, response.text
    detail = response.json()
    assert (detail["name"], detail["source"], detail["bytes"]) == ("Theirs", "uploaded", len(data))
    assert (detail["draws_fresh"], detail["importable_again"]) == (True, True)
    report = detail["imported"]
    assert set(report) == set(ImportReport.model_fields)
    assert (report["importer"], report["container"], report["dtype"]) == ("rs9000", "torch_zip", "float32")
    (question,) = report["questions"]
    assert (question["name"], question["default"], question["answer"]) == ("memory_size", 64, 64)
    assert report["inferred"]
    assert report["assumed"]
    assert [finding["variant"] for finding in report["ranking"]] == [report["variant"]]
    assert detail["task"] == report["encoding"]["settings"]
    assert client.get(f"/api/checkpoints/{detail['id']}").json() == detail
    assert stored(tmp_path) == [f"{detail['id']}{suffix}" for suffix in (".json", ".safetensors", ".source")]
    assert client.post("/api/traces", json={"checkpoint": detail["id"]}).status_code == 200


def test_a_native_checkpoint_was_not_imported(client: TestClient) -> None:
    detail = client.get("/api/checkpoints/copier").json()
    assert (detail["imported"], detail["importable_again"], detail["draws_fresh"]) == (None, False, False)
    assert detail["why_eager"] is None


def test_the_importers_are_listed(client: TestClient) -> None:
    found = client.get("/api/importers").json()
    assert {"vlgiitr", "clemkoa", "rs9000", "loudinthecloud", "lasagne", "fumin"} <= {
        importer["name"] for importer in found["importers"]
    }
    assert found["problems"] == []


def test_a_person_decides_otherwise_at_once_or_later(client: TestClient) -> None:
    wishes = {"answers": {"memory_size": 16}, "choices": {"key_activation": "identity"}}
    at_once = wished(client, rs9000_file(), **wishes).json()
    assert at_once["config"]["memory_size"] == 16
    assert at_once["config"]["key_activation"] == "identity"
    assert at_once["imported"]["wishes"]["answers"] == {"memory_size": 16}
    later = client.post(f"/api/checkpoints/{at_once['id']}/import", json={"answers": {"memory_size": 32}})
    assert later.status_code == 200, later.text
    assert later.json()["id"] == at_once["id"]
    assert (later.json()["config"]["memory_size"], later.json()["config"]["key_activation"]) == (32, "tanh")
    assert client.get(f"/api/checkpoints/{at_once['id']}").json() == later.json()
    trace = read_trace([client.post("/api/traces", json={"checkpoint": at_once["id"]}).content]).trace
    assert trace["initial_memory"].shape[0] == 32


def test_the_same_file_again_is_the_same_entry_and_keeps_what_was_decided(client: TestClient, tmp_path: Path) -> None:
    first = wished(client, rs9000_file(), answers={"memory_size": 16}).json()
    again = upload(client, rs9000_file(), "Again").json()
    assert again == first | {"name": "Again"}
    assert len(stored(tmp_path)) == 3


def test_an_import_outlives_the_server(make_client: MakeClient) -> None:
    detail = wished(make_client(), rs9000_file(), answers={"memory_size": 16}).json()
    client = make_client()
    assert client.get(f"/api/checkpoints/{detail['id']}").json() == detail
    assert client.post(f"/api/checkpoints/{detail['id']}/import", json={}).json()["config"]["memory_size"] == 64


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"importer": "nobody"}, "there is no importer 'nobody'"),
        ({"importer": "vlgiitr"}, "is missing"),
        ({"variant": "nobody"}, "there is no variant 'nobody'"),
        ({"encoding": "nobody"}, "there is no encoding 'nobody'"),
        ({"answers": {"memory_size": 0}}, "memory_size is 0: it must be a whole number of 1"),
        ({"answers": {"height": 3}}, "answer no question"),
        ({"choices": {"key_activation": "sideways"}}, "key_activation is 'sideways'"),
        ({"choices": {"colour": "red"}}, "the wish choices names 'colour'"),
        ({"choices": {"memory_size": 60_000}}, "60000"),
        ({"importers": "x"}, "not permitted"),
        ({"answers": {"memory_size": "many"}}, "memory_size"),
    ],
)
def test_wishes_that_cannot_be_are_refused_by_value_and_rule(
    client: TestClient, tmp_path: Path, wishes: Any, said: str
) -> None:
    response = wished(client, rs9000_file(), **wishes)
    assert response.status_code == 422
    assert said in failure(response)["message"]
    assert not (tmp_path / "data").exists()
    detail = upload(client, rs9000_file()).json()
    response = client.post(f"/api/checkpoints/{detail['id']}/import", json=wishes)
    assert response.status_code == 422
    assert said in failure(response)["message"]
    assert client.get(f"/api/checkpoints/{detail['id']}").json() == detail


def test_wishes_that_are_not_json_are_refused(client: TestClient) -> None:
    response = client.post("/api/checkpoints", content=own_file(), headers=OCTETS, params={"wishes": "{"})
    assert response.status_code == 422
    assert failure(response)["field"] == "wishes"


def test_nothing_can_be_wished_of_a_native_file_or_imported_of_a_shipped_one(
    client: TestClient, shipped: dict[str, Path]
) -> None:
    assert failure(wished(client, shipped["small"].read_bytes(), variant="x"))["code"] == "mismatch"
    assert failure(client.post("/api/checkpoints/copier/import", json={}))["code"] == "mismatch"
    assert client.post("/api/checkpoints/nobody/import", json={}).status_code == 404


def test_a_file_that_must_be_asked_about_says_what(client: TestClient, tmp_path: Path) -> None:
    """A bare list of numbers of no known length: its six sizes must be told."""
    sizes = {"input_size": 3, "output_size": 2, "controller_size": 5, "heads": 1, "memory_size": 4, "word_size": 3}
    numbers = np.random.RandomState(0).normal(size=programs.fumin_length(3, 2, 5, 1, 4, 3)).tolist()
    data = json.dumps(numbers).encode()
    response = upload(client, data)
    assert response.status_code == 422
    error = response.json()["error"]
    assert (error["code"], error["field"]) == ("unanswered", "wishes.answers")
    assert {question["name"] for question in error["questions"]} == set(sizes)
    assert not (tmp_path / "data").exists()
    detail = wished(client, data, answers=sizes).json()
    assert detail["config"]["head_roles"] == "read_and_write"
    assert detail["imported"]["importer"] == "fumin"


def test_a_module_of_unknown_layout_is_told_what_was_found_and_what_is_near(client: TestClient) -> None:
    layout = {"memory.memory_bias_fc.bias": torch.zeros(8), "heads.0.key_fc.weight": torch.zeros(2, 3)}
    message = failure(upload(client, torch_file(layout)))["message"]
    assert "'heads.0.key_fc.weight' (2, 3)" in message
    assert "the nearest is vlgiitr/ntm-pytorch" in message
    assert "controller.controller_net.weight_ih" in message


def test_a_global_that_is_not_allowed_is_named(client: TestClient, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.system, (f"touch {tmp_path / 'sprung'}",))

    message = failure(upload(client, torch_file({"weights": Trap()})))["message"]
    assert "posix.system" in message or "posix system" in message
    assert not (tmp_path / "sprung").exists()
    assert listed(client) == ["copier", "small", "taskless", "wide"]


def test_what_lies_beside_a_model_and_was_left_unread_is_told(client: TestClient) -> None:
    model = torch.load(io.BytesIO(rs9000_file()), weights_only=True)
    data = torch_file({"model": model, "losses": torch.tensor([1.0, float("nan")]), "at": dt.date(2026, 1, 2)})
    entry = wished(client, data, answers={"memory_size": 9}).json()
    told = client.get(f"/api/checkpoints/{entry['id']}").json()["imported"]["inferred"][-2:]
    assert told == [
        "left unread: tensor 'losses' holds NaN or infinity",
        "left unread: an instance of 'datetime.date' at 'at', which is not data",
    ]


def test_a_plain_state_dict_of_our_own_machine_opens(client: TestClient) -> None:
    detail = upload(client, own_file()).json()
    assert detail["imported"]["importer"] == "own_state_dict"
    assert detail["config"]["controller_size"] == 5


def test_what_another_program_draws_at_random_follows_the_seed_of_the_initial_state(client: TestClient) -> None:
    detail = upload(client, rs9000_file()).json()

    def traced(seed: int) -> Any:
        asked = {"checkpoint": detail["id"], "seed": 1, "initial_seed": seed}
        return read_trace([client.post("/api/traces", json=asked).content]).trace

    one, again, other = traced(3), traced(3), traced(4)
    assert one.header.initial_seed == 3
    assert one.records.tobytes() == again.records.tobytes()
    assert one["initial_memory"].tobytes() != other["initial_memory"].tobytes()
    assert one["inputs"].tobytes() == other["inputs"].tobytes()


def test_an_initial_state_is_taken_as_it_is_given(client: TestClient) -> None:
    config = small_machine().config
    random = np.random.RandomState(1)
    given = {
        "memory": random.normal(size=(config.memory_size, config.word_size)),
        "weighting": random.uniform(size=(config.heads, config.memory_size)),
        "read_vector": random.normal(size=(1, config.word_size)),
        "hidden": random.normal(size=(1, 5)),
        "cell": random.normal(size=(1, 5)),
    }
    asked = {"checkpoint": "small", "initial_state": {name: value.tolist() for name, value in given.items()}}
    trace = read_trace([client.post("/api/traces", json=asked).content]).trace
    assert trace.header.initial_given == tuple(given)
    for name, value in given.items():
        np.testing.assert_array_equal(trace[f"initial_{name}"], value.astype(np.float32))
    own = read_trace([client.post("/api/traces", json={"checkpoint": "small"}).content]).trace
    assert not np.array_equal(trace["weighting"][0], own["weighting"][0])


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"memory": [[0.0]]}, "the initial memory has shape (1, 1): it must be (8, 4)"),
        ({"weighting": [[0.0] * 8]}, "the initial weighting has shape (1, 8): it must be (2, 8)"),
        ({"memory": [[0.0], [0.0, 1.0]]}, "the initial memory must be numbers"),
        ({"hidden": []}, "the initial hidden has shape (0,)"),
        ({"memory": [["x"]]}, "initial_state.memory.0.0"),
        ({"memory": [[1e7]]}, "initial_state.memory.0.0"),
        ({"memoory": [[0.0]]}, "memoory"),
    ],
)
def test_an_initial_state_that_does_not_fit_is_refused(client: TestClient, state: Any, said: str) -> None:
    response = client.post("/api/traces", json={"checkpoint": "small", "initial_state": state})
    assert response.status_code == 422
    assert said in failure(response)["message"]


def test_a_machine_without_cells_takes_none(client: TestClient) -> None:
    asked = {"checkpoint": "taskless", "inputs": [[0, 0, 0]], "initial_state": {"cell": [[0.0] * 5]}}
    assert "has no part 'cell'" in failure(client.post("/api/traces", json=asked))["message"]


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1"])
def test_an_initial_seed_out_of_bounds_is_refused(client: TestClient, seed: Any) -> None:
    response = client.post("/api/traces", json={"checkpoint": "small", "initial_seed": seed})
    assert failure(response)["field"] == "initial_seed"


def test_rows_are_computed_with_exactly_as_they_are_given(client: TestClient) -> None:
    """Rows that follow a task but for rounding are judged by it, and not rounded."""
    rows = [[1, 0, 0], [0.9999, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
    trace = read_trace([client.post("/api/traces", json={"checkpoint": "small", "inputs": rows}).content]).trace
    np.testing.assert_array_equal(trace["inputs"], np.array(rows, np.float32))


# Killed in the middle


HALF_WRITTEN = """
import sys, pathlib, time
from server.sandbox import Sandbox
from server.settings import Settings
from server.stores.checkpoints import CheckpointStore

replace = pathlib.Path.replace

def slow(path, target):
    if target.suffix == sys.argv[2]:
        print("now", flush=True)
        time.sleep(60)
    return replace(path, target)

pathlib.Path.replace = slow
CheckpointStore({}, Settings(data_directory=sys.argv[1])).add(sys.stdin.buffer.read(), "Killed")
"""
"""A store whose process stops just before a file of this suffix takes its place."""


@pytest.mark.parametrize("suffix", [".json", ".source", ".safetensors"])
def test_a_server_killed_in_the_middle_of_an_upload_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HALF_WRITTEN, str(tmp_path), suffix],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(own_file())
    process.stdin.close()
    assert process.stdout.readline() == b"now\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert list((tmp_path / "checkpoints").iterdir())
    settings = Settings(data_directory=tmp_path)
    with closing(FileReader(settings)) as reader:
        store = CheckpointStore({}, settings, reader=reader)
        assert list((tmp_path / "checkpoints").iterdir()) == []
        assert store.list() == ()
        assert store.add(own_file(), "After").name == "After"


def test_an_upload_that_is_being_traced_makes_no_room_for_another(make_server: MakeServer) -> None:
    server = make_server(max_uploads=1, **LONG_SETTINGS)
    with server.client() as client:

        def send(data: bytes) -> Any:
            return client.post("/api/checkpoints", content=data, headers=OCTETS)

        traced = send(own_file()).json()["id"]
        connection = server.ask_trace(LONG_TRACE | {"checkpoint": traced})
        assert connection.recv(1)
        refused = send(small_checkpoint())
        assert refused.status_code == 507
        assert "1 uploads are in use" in refused.json()["error"]["message"]
        connection.close()
        eventually(lambda: send(small_checkpoint()).status_code == 201)
        assert client.get(f"/api/checkpoints/{traced}").status_code == 404


# The traces of the programs' own code


@pytest.fixture(scope="module")
def peers_client(shipped: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a server to which each of the peers' files is uploaded once: the same file again costs nothing."""
    settings = Settings(data_directory=tmp_path_factory.mktemp("peers"))
    with TestClient(create_app(settings, shipped), ADDRESS) as client:
        yield client


def golden_trace(client: TestClient, name: str) -> Any:
    """The trace that HTTP gives for a recorded run: its file uploaded, its rows and its initial state as numbers."""
    golden = load_golden(name)
    data = (PEERS / "checkpoints" / CHECKPOINTS[name]).read_bytes()
    response = upload(client, data, name)
    assert response.status_code == 201, response.text
    detail = response.json()
    config = MachineConfig.model_validate(detail["config"])
    asked = {
        "checkpoint": detail["id"],
        "inputs": golden.arrays["input"].tolist(),
        "initial_state": {part: values.tolist() for part, values in golden.initial(config).items()},
    }
    response = client.post("/api/traces", json=asked)
    assert response.status_code == 200, response.text
    return golden, read_trace([response.content]).trace


@with_peers
@pytest.mark.parametrize("name", list(CHECKPOINTS))
def test_a_recorded_run_is_reproduced_through_http(peers_client: TestClient, name: str) -> None:
    golden, trace = golden_trace(peers_client, name)
    assert trace.header.dtype == ("float64" if golden.double else "float32")
    found = comparison(golden, trace)
    within = 1e-6 if golden.double else 1e-4
    for quantity, difference in found.items():
        assert difference <= (within if quantity in EXACT else 1e-3), quantity


@with_peers
@pytest.mark.parametrize("file", sorted(set(CHECKPOINTS.values())))
def test_every_file_of_the_peers_opens_and_runs_at_once(peers_client: TestClient, file: str) -> None:
    detail = upload(peers_client, (PEERS / "checkpoints" / file).read_bytes(), file).json()
    assert detail["task"] is not None
    trace = read_trace([peers_client.post("/api/traces", json={"checkpoint": detail["id"], "seed": 1}).content])
    if "randinit" not in file:
        assert trace.end.wrong_bits == 0


def test_every_upload_is_read_by_a_process_of_its_own_first(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that this process then reads itself: what breaks a reader breaks that process."""
    read: list[int] = []
    run = Sandbox.run

    def counted(self: Sandbox, data: bytes, options: dict[str, Any]) -> Any:
        read.append(len(data))
        return run(self, data, options)

    monkeypatch.setattr(Sandbox, "run", counted)
    native = checkpoint_bytes(Checkpoint.of(small_machine()))
    assert upload(client, native).status_code == 201
    trace = client.post("/api/traces?format=npz", json={"checkpoint": listed(client)[0]}).content
    assert client.post("/api/uploaded-traces", content=trace, headers=OCTETS).status_code == 201
    assert upload(client, own_file()).status_code == 201
    assert read == [len(native), len(trace), len(own_file())]
