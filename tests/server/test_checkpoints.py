"""/api/checkpoints and the store behind it."""

import json
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.testclient import TestClient

from ntm_core import zoo
from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes
from ntm_core.config import open_choices
from server.app import create_app
from server.errors import CannotStore
from server.imports import FileReader
from server.settings import Settings
from server.stores.checkpoints import CheckpointStore
from server.stores.showing import MAX_ABOUT_BYTES
from tests.server.conftest import ADDRESS, MakeClient, small_checkpoint, small_machine
from tests.server.test_errors import failure

COPY = {"name": "copy", "bits": 2, "lengths": [2, 2]}
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    """A client of a server of the test's own, which may be uploaded to."""
    return make_client()


def upload(client: TestClient, data: bytes, name: str | None = None) -> Any:
    return client.post("/api/checkpoints", content=data, headers=OCTETS, params={"name": name} if name else {})


def listed(client: TestClient) -> list[str]:
    return [checkpoint["id"] for checkpoint in client.get("/api/checkpoints").json()["checkpoints"]]


def stored(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "data" / "checkpoints").glob("*"))


def of_seed(seed: int) -> bytes:
    return checkpoint_bytes(Checkpoint.of(small_machine(seed)))


def test_the_list_has_the_shipped_ones_in_their_order(client: TestClient) -> None:
    checkpoints = client.get("/api/checkpoints").json()["checkpoints"]
    assert [checkpoint["id"] for checkpoint in checkpoints] == ["copier", "small", "taskless", "wide"]
    copier, _, taskless, _ = checkpoints
    assert copier["source"] == "shipped"
    assert copier["task"] == {"name": "copy", "bits": 2, "lengths": [1, 7]}
    assert copier["training"] == {"note": "compiled by hand"}
    assert copier["results"] == {"wrong_bits": {"7": 0.0}}
    assert copier["config"]["memory_size"] == 16
    assert (taskless["task"], taskless["training"], taskless["results"]) == (None, None, None)


def test_sizes_are_those_of_file_and_machine(client: TestClient, shipped: dict[str, Path]) -> None:
    small = client.get("/api/checkpoints/small").json()
    assert small["bytes"] == shipped["small"].stat().st_size
    assert small["parameters"] == sum(value.numel() for value in small_machine().state_dict().values())


def test_the_detail_says_all_that_is_known(client: TestClient) -> None:
    summary = client.get("/api/checkpoints").json()["checkpoints"][0]
    detail = client.get("/api/checkpoints/copier").json()
    assert {key: detail[key] for key in summary} == summary
    assert detail["card"] == "The read head jumps back at the delimiter."
    config = small_machine().config.model_validate(detail["config"])
    assert detail["choices"] == [choice.model_dump(mode="json") for choice in open_choices(config)]
    assert client.get("/api/checkpoints/small").json()["card"] == ""


@pytest.mark.parametrize("path", ["nobody", "upload-000000000000", "..%2Fcopier", "%2e%2e", "upload-%2A", "%00"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_checkpoint_is_a_404(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, f"/api/checkpoints/{path}")
    assert response.status_code == 404
    assert failure(response)["code"] in {"unknown_checkpoint", "not_found"}


def test_the_warnings_of_a_machine_are_shown(client: TestClient) -> None:
    machine = small_machine(initial_weighting="zeros")
    detail = upload(client, checkpoint_bytes(Checkpoint.of(machine))).json()
    assert detail["warnings"] == list(machine.config.warnings) != []


def test_an_upload_is_listed_traced_and_deleted(client: TestClient, tmp_path: Path) -> None:
    data = small_checkpoint(task={"name": "copy", "bits": 2}, card="Mine.")
    response = upload(client, data, "My machine")
    assert response.status_code == 201
    detail = response.json()
    assert response.headers["location"] == f"/api/checkpoints/{detail['id']}"
    assert detail["id"].startswith("upload-")
    assert (detail["name"], detail["source"], detail["bytes"]) == ("My machine", "uploaded", len(data))
    assert detail == client.get(response.headers["location"]).json()
    assert listed(client) == ["copier", "small", "taskless", "wide", detail["id"]]
    asked = {"checkpoint": detail["id"], "seed": 2}
    assert client.post("/api/traces", json=asked).status_code == 200
    deleted = client.delete(f"/api/checkpoints/{detail['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.post("/api/traces", json=asked).status_code == 404
    assert client.delete(f"/api/checkpoints/{detail['id']}").status_code == 404
    assert listed(client) == ["copier", "small", "taskless", "wide"]
    assert stored(tmp_path) == []


def test_the_same_content_again_takes_the_new_name(client: TestClient, tmp_path: Path) -> None:
    data = small_checkpoint()
    first = upload(client, data, "First").json()
    second = upload(client, data, "Second").json()
    assert second == first | {"name": "Second"}
    assert len(listed(client)) == 5
    assert len(stored(tmp_path)) == 2


def test_uploads_outlive_the_server(make_client: MakeClient) -> None:
    detail = upload(make_client(), small_checkpoint(), "Kept").json()
    assert make_client().get(f"/api/checkpoints/{detail['id']}").json() == detail


def test_an_upload_whose_name_was_lost_is_called_by_its_id(make_client: MakeClient, tmp_path: Path) -> None:
    detail = upload(make_client(), small_checkpoint(), "Lost").json()
    for content in (b"[]", b"{", b'{"name": 3}', b'{"other": 3}', None):
        path = tmp_path / "data" / "checkpoints" / f"{detail['id']}.json"
        path.unlink() if content is None else path.write_bytes(content)
        assert make_client().get(f"/api/checkpoints/{detail['id']}").json()["name"] == detail["id"]


def test_a_file_that_was_damaged_on_disk_is_left_out_of_the_list(make_client: MakeClient, tmp_path: Path) -> None:
    detail = upload(make_client(), small_checkpoint()).json()
    (tmp_path / "data" / "checkpoints" / f"{detail['id']}.safetensors").write_bytes(b"damaged")
    client = make_client()
    assert listed(client) == ["copier", "small", "taskless", "wide"]
    response = client.get(f"/api/checkpoints/{detail['id']}")
    assert response.status_code == 422
    assert failure(response)["code"] == "bad_checkpoint"


def test_other_files_in_the_data_directory_are_left_alone(make_client: MakeClient, tmp_path: Path) -> None:
    directory = tmp_path / "data" / "checkpoints"
    directory.mkdir(parents=True)
    for name in ("upload-x.safetensors", "copy.safetensors", ".upload-000000000000.safetensors.x.part"):
        (directory / name).write_bytes(small_checkpoint())
    assert listed(make_client()) == ["copier", "small", "taskless", "wide"]


def test_a_shipped_checkpoint_cannot_be_deleted(client: TestClient, shipped: dict[str, Path]) -> None:
    response = client.delete("/api/checkpoints/copier")
    assert response.status_code == 403
    assert failure(response)["code"] == "shipped_checkpoint"
    assert shipped["copier"].exists()


def safetensors_with(metadata: dict[str, Any], tensors: bytes = b"") -> bytes:
    header = json.dumps({"__metadata__": metadata}).encode()
    return len(header).to_bytes(8, "little") + header + tensors


BAD_FILES = {
    "empty": b"",
    "text": b"not a checkpoint, but long enough to have a header",
    "pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    "zip": b"PK\x03\x04" + bytes(60),
    "torch": b"PK\x03\x04" + b"archive/data.pkl" + bytes(60),
    "header longer than the file": (1 << 40).to_bytes(8, "little") + b"{}",
    "header of all bits": b"\xff" * 16,
    "no metadata": safetensors_with({})[:8] + safetensors_with({})[8:],
    "another format": safetensors_with({"format": "pt"}),
    "another version": safetensors_with({"format": "ntm-scope-checkpoint", "format_version": "2"}),
    "no config": safetensors_with({"format": "ntm-scope-checkpoint", "format_version": "1"}),
    "nested config": safetensors_with(
        {"format": "ntm-scope-checkpoint", "format_version": "1", "config": "[" * 50_000}
    ),
    "cut": small_checkpoint()[:-4],
    "longer": small_checkpoint() + bytes(4),
}


@pytest.mark.parametrize("data", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_what_is_not_a_checkpoint_is_refused_and_not_stored(client: TestClient, tmp_path: Path, data: bytes) -> None:
    response = upload(client, data)
    assert response.status_code == 422
    assert failure(response)["code"] == "bad_checkpoint"
    assert not (tmp_path / "data").exists()


def test_a_pickle_is_never_opened(client: TestClient, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"weights": Trap()}, tmp_path / "trap.pt")
    assert upload(client, (tmp_path / "trap.pt").read_bytes()).status_code == 422
    assert not (tmp_path / "sprung").exists()


def test_weights_that_are_not_finite_are_refused(client: TestClient) -> None:
    machine = small_machine()
    machine.output.bias[0] = 12345.5
    data = checkpoint_bytes(Checkpoint.of(machine))
    response = upload(client, data.replace(struct.pack("<f", 12345.5), struct.pack("<f", float("inf"))))
    assert response.status_code == 422
    assert "output.bias" in failure(response)["message"]


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"training": {"log": "x" * MAX_ABOUT_BYTES}}, f"the limit is {MAX_ABOUT_BYTES}"),
        ({"card": "x" * MAX_ABOUT_BYTES}, f"the limit is {MAX_ABOUT_BYTES}"),
        (
            {"results": {"a": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}},
            "nested more than 32",
        ),
    ],
    ids=["long training", "long card", "deep results"],
)
def test_an_upload_that_says_too_much_about_itself_is_refused(client: TestClient, about: Any, said: str) -> None:
    response = upload(client, small_checkpoint(**about))
    assert response.status_code == 422
    assert said in failure(response)["message"]


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"name": "juggling"}, "not one that this version knows"),
        ({"name": "copy", "bits": 5}, "has 6 input and 5 output"),
    ],
)
def test_a_task_that_does_not_fit_is_left_out_with_a_warning(client: TestClient, task: Any, said: str) -> None:
    detail = upload(client, small_checkpoint(task=task)).json()
    assert detail["task"] is None
    assert said in detail["warnings"][-1]
    assert client.post("/api/traces", json={"checkpoint": detail["id"], "inputs": [[0, 0, 0]]}).status_code == 200


@pytest.mark.parametrize(("setting", "value"), [("max_memory_size", 7), ("max_word_size", 3)])
def test_too_large_a_machine_is_refused(make_client: MakeClient, tmp_path: Path, setting: str, value: int) -> None:
    response = upload(make_client(**{setting: value}), small_checkpoint())
    assert response.status_code == 422
    assert failure(response)["code"] == "limit_exceeded"
    assert not (tmp_path / "data").exists()


def test_a_machine_of_a_small_file_and_a_huge_memory_is_refused(make_client: MakeClient) -> None:
    config = small_machine().config.model_dump(mode="json") | {"memory_size": 65536, "word_size": 4096}
    data = safetensors_with({"format": "ntm-scope-checkpoint", "format_version": "1", "config": json.dumps(config)})
    response = upload(make_client(max_memory_size=65536, max_word_size=4096), data)
    assert response.status_code == 422
    assert "more than the limit" in failure(response)["message"]


def test_the_upload_used_longest_ago_makes_room(make_client: MakeClient) -> None:
    client = make_client(max_uploads=2)
    first, second = (upload(client, of_seed(seed)).json()["id"] for seed in (1, 2))
    assert client.post("/api/traces", json={"checkpoint": first, "task": COPY}).status_code == 200
    third = upload(client, of_seed(3)).json()["id"]
    assert listed(client)[4:] == [first, third]
    assert client.get(f"/api/checkpoints/{second}").status_code == 404
    assert upload(client, of_seed(3), "Again").status_code == 201
    assert listed(client)[4:] == [first, third]


def test_uploads_make_room_for_bytes_as_well(make_client: MakeClient) -> None:
    size = len(of_seed(1)) + 40
    client = make_client(max_stored_bytes=2 * size)
    ids = [upload(client, of_seed(seed)).json()["id"] for seed in (1, 2, 3)]
    assert listed(client)[4:] == ids[1:]


def test_an_upload_that_never_fits_removes_none(make_client: MakeClient, tmp_path: Path) -> None:
    kept = upload(make_client(), of_seed(1)).json()["id"]
    client = make_client(max_stored_bytes=1024)
    refused = upload(client, of_seed(2))
    assert refused.status_code == 507
    assert failure(refused)["code"] == "cannot_store"
    assert "the limit is 1024" in failure(refused)["message"]
    assert stored(tmp_path) == [f"{kept}.json", f"{kept}.safetensors"]


@pytest.mark.parametrize("name", ["x" * 81, "a\nb", "\x7f", "a\x00", " ", "\u3000\u200b", "a\u202eb", "a\u2028b"])
def test_a_name_that_cannot_be_shown_is_refused(client: TestClient, name: str) -> None:
    response = upload(client, small_checkpoint(), name)
    assert response.status_code == 422
    assert failure(response)["field"] == "name"


@pytest.mark.parametrize("name", ["größer <b>", "../../etc", "名前", "a" * 80, " a ", "👩\u200d💻"])
def test_any_other_name_is_kept_as_it_is(client: TestClient, name: str) -> None:
    assert upload(client, small_checkpoint(), name).json()["name"] == name


def test_an_upload_must_be_the_bare_file(client: TestClient) -> None:
    response = client.post("/api/checkpoints", files={"file": small_checkpoint()})
    assert response.status_code == 415
    assert "multipart/form-data" in failure(response)["message"]


def test_an_upload_that_cannot_be_written_leaves_nothing(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shipped: dict[str, Path]
) -> None:
    settings = Settings(data_directory=tmp_path / "data")
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if target.suffix == ".safetensors":
            raise OSError(28, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    with closing(FileReader(settings)) as reader:
        store = CheckpointStore(shipped, settings, reader=reader)
        with pytest.raises(CannotStore, match="No space left"):
            store.add(small_checkpoint(), "Never")
    monkeypatch.undo()
    assert [info.id for info in store.list()] == list(shipped)
    assert listed(client) == list(shipped)


def test_a_store_full_of_what_is_in_use_refuses_before_it_writes(tmp_path: Path) -> None:
    settings = Settings(data_directory=tmp_path, max_uploads=1)
    with closing(FileReader(settings)) as reader:
        store = CheckpointStore({}, settings, reader=reader)
        one = store.add(of_seed(1), "One")
        before = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
        release = store.hold(one.id)
        with pytest.raises(CannotStore, match="1 uploads are in use"):
            store.add(of_seed(2), "Two")
        assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == before
        release()
        two = store.add(of_seed(2), "Two")
        assert [info.id for info in store.list()] == [two.id]


def test_a_shipped_series_is_told_with_its_checkpoint_and_not_listed(shipped: dict[str, Path], tmp_path: Path) -> None:
    series = {"small": shipped["small"], "small.20": shipped["small"], "small.3": shipped["small"]}
    client = TestClient(create_app(Settings(data_directory=tmp_path), series), ADDRESS)
    assert listed(client) == ["small"]
    assert client.get("/api/checkpoints").json()["checkpoints"][0]["series"] == [3, 20]
    assert client.get("/api/checkpoints/small").json()["series"] == [3, 20]
    member = client.get("/api/checkpoints/small.20").json()
    assert (member["name"], member["source"], member["series"]) == ("small, iteration 20", "shipped", [])
    assert client.delete("/api/checkpoints/small.20").status_code == 403


def test_the_servers_own_checkpoints_are_those_of_the_zoo(tmp_path: Path) -> None:
    client = TestClient(create_app(Settings(data_directory=tmp_path)), ADDRESS)
    assert listed(client) == list(zoo.names())


def test_a_checkpoint_says_why_pytorch_computes_it(make_client: MakeClient) -> None:
    client = make_client()
    assert client.get("/api/checkpoints/small").json()["why_eager"] is None
    for machine, why in (
        (small_machine().double(), "The compiled core computes in float32, and this checkpoint is in float64."),
        (
            small_machine(content_softmax="heads_of_a_kind"),
            "The compiled core does not know content_softmax = 'heads_of_a_kind'.",
        ),
    ):
        answer = client.post("/api/checkpoints", content=checkpoint_bytes(Checkpoint.of(machine)), headers=OCTETS)
        assert answer.json()["why_eager"] == why, answer.text
