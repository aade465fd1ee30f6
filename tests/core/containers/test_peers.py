"""Every published file opens, and holds what its author's own loader, or an independent reading, finds in it."""

import json
import pickle
import struct
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ntm_core.checkpoints.containers import Record, flatten, open_container
from tests.core.containers.peers import peer_file

KINDS = {
    "clemkoa-copy.pt": "torch_legacy",
    "fumin-copy-seed2.json": "json",
    "fumin-repeatcopy-seed11.json": "json",
    "lasagne-associative-recall.npy": "npy",
    "lasagne-copy.npy": "npy",
    "loudinthecloud-copy-head-warm600.model": "torch_zip",
    "loudinthecloud-copy-hist1.model": "torch_legacy",
    "loudinthecloud-randinit-2heads-2layers.model": "torch_zip",
    "vlgiitr-associative.pt": "torch_legacy",
    "vlgiitr-copy.pt": "torch_legacy",
}
STATE_DICTS = [name for name in KINDS if name.startswith(("clemkoa", "loudinthecloud"))]
MODULES = [name for name in KINDS if name.startswith("vlgiitr")]


def assert_same(found: dict[str, np.ndarray], expected: dict[str, Any]) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == np.asarray(value).dtype
        np.testing.assert_array_equal(found[name], np.asarray(value))


@pytest.mark.parametrize("name", KINDS)
def test_the_kind_is_told_from_the_content(name: str) -> None:
    assert open_container(peer_file(name).read_bytes()).kind == KINDS[name]


@pytest.mark.parametrize("name", STATE_DICTS)
def test_a_state_dict_is_what_torch_loads(name: str) -> None:
    path = peer_file(name)
    assert_same(flatten(open_container(path.read_bytes()).root), torch.load(path, weights_only=True))


@pytest.mark.parametrize("name", MODULES)
def test_a_pickled_module_is_what_torch_would_unpickle(name: str) -> None:
    path = peer_file(name)
    container = open_container(path.read_bytes())
    assert_same(flatten(container.root), state_dict_of_stand_ins(path))
    assert isinstance(container.root, Record)
    assert container.root.class_name == "ntm.ntm.NTM"
    assert container.root.fields["num_heads"] == 1
    assert container.notes.dropped_sources == 7
    modes = [head.fields["mode"] for head in container.root.fields["_modules"]["heads"].fields["_modules"].values()]
    assert modes == ["r", "w"]


def test_the_source_in_a_pickled_module_goes_no_further() -> None:
    container = open_container(peer_file("vlgiitr-copy.pt").read_bytes())
    texts: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, Record):
            collect(value.fields)
        elif isinstance(value, dict):
            for key, item in value.items():
                collect(key)
                collect(item)
        elif isinstance(value, list | tuple):
            for item in value:
                collect(item)

    collect(container.root)
    assert texts
    assert not any("class " in text or "def " in text or "/" in text for text in texts)


@pytest.mark.parametrize(
    ("name", "rebuilder", "has_metadata"),
    [
        ("loudinthecloud-copy-hist1.model", "torch._utils._rebuild_tensor", False),
        ("loudinthecloud-copy-head-warm600.model", "torch._utils._rebuild_tensor_v2", True),
        ("clemkoa-copy.pt", "torch._utils._rebuild_tensor_v2", True),
        ("vlgiitr-copy.pt", "torch._utils._rebuild_tensor_v2", False),
    ],
)
def test_the_notes_tell_which_torch_wrote_it(name: str, rebuilder: str, has_metadata: bool) -> None:
    notes = open_container(peer_file(name).read_bytes()).notes
    assert notes.rebuilders == (rebuilder,)
    assert notes.has_metadata is has_metadata
    assert notes.stored_dtypes == ("float32",)


def test_names_of_one_tensor_share_one_array() -> None:
    tensors = flatten(open_container(peer_file("clemkoa-copy.pt").read_bytes()).root)
    assert len(tensors) == 40
    assert tensors["memory.initial_read"] is tensors["read_head.memory.initial_read"]
    assert tensors["memory.initial_read"] is not tensors["memory.initial_state"]


@pytest.mark.parametrize("name", [name for name in KINDS if KINDS[name] == "npy"])
def test_an_array_of_objects_is_what_numpy_loads(name: str) -> None:
    path = peer_file(name)
    expected = list(np.load(path, allow_pickle=True, encoding="latin1"))
    found = open_container(path.read_bytes())
    assert isinstance(found.root, list)
    assert found.notes.stored_dtypes == ("float64",)
    assert len(found.root) == len(expected) == 34
    for array, other in zip(found.root, expected, strict=True):
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array, other)


@pytest.mark.parametrize("name", [name for name in KINDS if KINDS[name] == "json"])
def test_a_flat_array_is_what_json_loads(name: str) -> None:
    path = peer_file(name)
    np.testing.assert_array_equal(open_container(path.read_bytes()).root, json.loads(path.read_bytes()))


class StandIn:
    """An instance of any class of a module."""


class Reader(pickle.Unpickler):
    """Python's own unpickler, with stand-ins for all that published modules name."""

    GLOBALS: Mapping[str, Any] = {
        "OrderedDict": OrderedDict,
        "FloatStorage": "float32",
        "_rebuild_tensor_v2": lambda key, offset, size, stride, *_: (key, offset, size, stride),
        "_get_thnn_function_backend": lambda: None,
    }

    def persistent_load(self, pid: Any) -> Any:
        return pid[1] if pid[0] == "module" else pid[2]

    def find_class(self, _module: str, name: str) -> Any:
        return self.GLOBALS.get(name, StandIn)


def state_dict_of_stand_ins(path: Path) -> dict[str, np.ndarray]:
    """The state dict of a legacy file's pickled module."""
    with path.open("rb") as file:
        for _ in range(3):
            Reader(file).load()
        root = Reader(file).load()
        storages = {}
        for key in Reader(file).load():
            (count,) = struct.unpack("<q", file.read(8))
            storages[key] = np.frombuffer(file.read(4 * count), "<f4")
        assert not file.read()
    return dict(walk(root, "", storages))


def walk(module: Any, prefix: str, storages: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    for name, value in [*module._parameters.items(), *module._buffers.items()]:
        if value is not None:
            key, offset, size, stride = value
            steps = [4 * step for step in stride]
            yield prefix + name, np.lib.stride_tricks.as_strided(storages[key][offset:], size, steps)
    for name, value in module._modules.items():
        yield from walk(value, f"{prefix}{name}.", storages)
