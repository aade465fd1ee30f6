"""What torch writes today and wrote before opens to the same tensors."""

import argparse
import datetime as dt
import decimal
import enum
import pathlib
import pickle
import random
import types
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from ntm_core.checkpoints.containers import Record, flatten, open_container
from ntm_core.errors import CheckpointError
from tests.core.containers.builders import (
    FOUR,
    Archive,
    Member,
    name,
    numbers,
    saved,
    state_dict,
    storage,
    tensor,
    text,
    torch_legacy,
    torch_members,
    torch_zip,
)

LEGACY = pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])


class Network(nn.Module):
    """A module with everything that a state dict has and has not."""

    def __init__(self) -> None:
        super().__init__()
        self.controller = nn.LSTM(3, 4, num_layers=2)
        self.heads = nn.ModuleList([nn.Linear(4, 2), nn.Linear(4, 2, bias=False)])
        self.norm = nn.BatchNorm1d(4)
        self.gains = nn.ParameterList([nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(3))])
        self.start = nn.Parameter(torch.randn(1, 4, dtype=torch.float64))
        self.activation = nn.functional.relu
        self.mode = "r"
        self.register_buffer("memory", torch.full((5, 2), 1e-6))
        self.register_buffer("scratch", torch.ones(9), persistent=False)
        self.live_state = [torch.ones(7)]


def assert_holds(found: dict[str, np.ndarray], expected: dict[str, torch.Tensor]) -> None:
    assert list(found) == list(expected)
    for key, value in expected.items():
        array = found[key]
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.dtype == (np.float64 if value.dtype == torch.float64 else np.float32)
        np.testing.assert_array_equal(array, value.detach().to(torch.float64).numpy())


@LEGACY
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_state_dict(legacy: bool, protocol: int) -> None:
    expected = Network().state_dict()
    container = open_container(saved(expected, legacy=legacy, protocol=protocol))
    assert container.kind == ("torch_legacy" if legacy else "torch_zip")
    assert container.notes.has_metadata
    assert container.notes.rebuilders == ("torch._utils._rebuild_tensor_v2",)
    assert container.notes.stored_dtypes == ("float32", "float64", "int64")
    assert_holds(flatten(container.root), expected)


@LEGACY
@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
def test_a_pickled_module_flattens_to_its_state_dict(legacy: bool) -> None:
    network = Network()
    container = open_container(saved(network, legacy=legacy))
    assert_holds(flatten(container.root), network.state_dict())
    assert isinstance(container.root, Record)
    fields = container.root.fields
    assert container.root.class_name == f"{Network.__module__}.Network"
    assert fields["mode"] == "r"
    assert fields["activation"].class_name == "torch.nn.functional.relu"
    np.testing.assert_array_equal(fields["live_state"][0], np.ones(7, np.float32))
    assert "torch.nn.modules.rnn.LSTM" in container.notes.classes
    assert (container.notes.dropped_sources > 0) is legacy


@LEGACY
def test_a_checkpoint_with_other_things_in_it(legacy: bool) -> None:
    network = nn.Linear(3, 2)
    optimizer = {"state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.ones(2, 3)}}, "param_groups": [{"lr": 0.1}]}
    checkpoint = {
        "epoch": 3,
        "loss": float("inf"),
        "best": np.float64(0.5),
        "steps": np.arange(3),
        "args": argparse.Namespace(lr=0.1, sizes=(1, 2)),
        "shape": torch.Size([1, 2]),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "model": network.state_dict(),
        "optimizer": optimizer,
    }
    root = open_container(saved(checkpoint, legacy=legacy)).root
    assert (root["epoch"], root["loss"], root["best"], root["shape"]) == (3, float("inf"), 0.5, (1, 2))
    assert type(root["best"]) is float
    assert root["device"] == "cpu"
    assert root["dtype"].class_name == "torch.float32"
    assert root["args"].class_name == "argparse.Namespace"
    assert root["args"].fields == {"lr": 0.1, "sizes": (1, 2)}
    np.testing.assert_array_equal(root["steps"], [0, 1, 2])
    np.testing.assert_array_equal(root["optimizer"]["state"][0]["exp_avg"], np.ones((2, 3)))
    assert_holds(flatten(root), network.state_dict())


@dataclass
class Settings:
    """A program's own class."""

    rate: float = 0.1


class Slots:
    """Its state is no dict."""

    __slots__ = ("rate",)

    def __init__(self) -> None:
        self.rate = 0.1


class Options(dict[str, Any]):
    """Options whose items are attributes too."""


class Scores(NamedTuple):
    """A tuple of a program's own."""

    best: float


class Mode(enum.Enum):
    """Something to choose from."""

    FAST = "fast"


_NOT_A_NUMBER = torch.tensor([1.0, float("nan")])
BESIDE: dict[str, tuple[Any, str]] = {
    "tensor with NaN": (_NOT_A_NUMBER, "tensor 'beside' holds NaN or infinity"),
    "array of numpy with infinity": (np.array([np.inf]), "tensor 'beside' holds NaN or infinity"),
    "state of numpy's random numbers": (np.random.RandomState(1).get_state(), "'beside.1' is uint32"),
    "generator of numpy": (np.random.default_rng(1), "numpy.random._pickle.__generator_ctor"),
    "state of a generator of numpy": (np.random.default_rng(1).bit_generator.state, ""),
    "state of Python's random numbers": (random.getstate(), ""),
    "state of torch's random numbers": (torch.get_rng_state(), ""),
    "array of text": (np.array(["a", "bc"]), "a numpy array of type 'U2' at 'beside', which is not read"),
    "structured array": (np.zeros(2, [("a", "f8")]), "of a structure at 'beside'"),
    "complex number of numpy": (np.complex64(1j), "a number of numpy's type 'c8'"),
    "date": (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "an instance of 'datetime.datetime' at 'beside'"),
    "path": (pathlib.PurePosixPath("a/b"), "an instance of 'pathlib.PurePosixPath'"),
    "decimal number": (decimal.Decimal("0.1"), "decimal.Decimal"),
    "identifier": (uuid.UUID(int=5), "uuid.UUID"),
    "name space": (types.SimpleNamespace(rate=0.1), "types.SimpleNamespace"),
    "counter": (Counter({"a": 2}), ""),
    "dict with defaults": (defaultdict(list, {"loss": [0.5]}), ""),
    "queue": (deque([1.0, 2.0], maxlen=5), ""),
    "complex number": (1j, "an instance of 'builtins.complex' at 'beside', which is not data"),
    "version of torch": (torch.__version__, "torch.torch_version.TorchVersion"),
    "instance of a class": (Settings(), "Settings' at 'beside', which is no module of torch"),
    "instance with slots": (Slots(), "Slots' at 'beside', without named fields"),
    "dict of a class": (Options(rate=0.1), "Options' at 'beside', without named fields"),
    "tuple of a class": (Scores(0.5), "an instance of"),
    "class": (Settings, "the name 'tests.core.containers.test_torch_files.Settings' at 'beside'"),
    "optimiser": (torch.optim.Adam(nn.Linear(1, 1).parameters()), "an instance of 'torch.optim.adam.Adam'"),
    "keys of many kinds": ({(1, "a"): 1, 0.5: 2, None: 3, True: 4, Scores(1.0): 5, frozenset({1}): 6}, ""),
    "transposed array": (np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0), ""),
}
"""What programs keep beside a model, and what is told of it."""


@LEGACY
@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize("kind", BESIDE)
def test_what_lies_beside_a_model_does_not_keep_it_closed(kind: str, protocol: int, legacy: bool) -> None:
    beside, told = BESIDE[kind]
    network = nn.Linear(3, 2)
    data = saved({"beside": beside, "model": network.state_dict()}, legacy=legacy, protocol=protocol)
    container = open_container(data)
    assert_holds(flatten(container.root), network.state_dict())
    assert bool(told) == bool(container.notes.unread)
    assert all(told in line for line in container.notes.unread[:1])


def test_what_takes_the_place_of_a_model_is_refused_by_what_it_is() -> None:
    for beside, told in ((_NOT_A_NUMBER, "'model.0' holds NaN"), (Settings(), "no tensors, but an instance of")):
        container = open_container(saved({"model": [beside]}))
        with pytest.raises(CheckpointError, match=told):
            flatten(container.root)


def test_what_is_told_of_what_was_left_unread_is_short() -> None:
    container = open_container(saved({"model": {"a": torch.ones(2)}, "dates": [b""] * 5000}))
    assert len(container.notes.unread) == 9
    assert container.notes.unread[-1] == "4992 more"


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_an_array_of_any_order_of_axes_is_what_it_was(axes: tuple[int, ...]) -> None:
    array = np.arange(24.0).reshape(2, 3, 4).transpose(axes)
    np.testing.assert_array_equal(open_container(pickle.dumps(array, 5)).root, array)


@LEGACY
def test_views_are_made_contiguous_and_aliases_stay_one(legacy: bool) -> None:
    base = torch.arange(24.0).reshape(4, 6)
    views = OrderedDict(
        base=base,
        transposed=base.t(),
        column=base[:, 2],
        every_second=base[::2, 1::2],
        flat=base.view(-1),
        scalar=base[1, 1],
        empty=base[:0],
        tied=base,
        alone=torch.zeros(0, 3),
    )
    found = flatten(open_container(saved(views, legacy=legacy)).root)
    assert_holds(found, views)
    assert found["tied"] is found["base"]
    found["base"][0, 0] = 99
    assert found["flat"][0] == 0


@LEGACY
@pytest.mark.parametrize(
    "value",
    [
        torch.tensor([1.5, -0.0, 65504.0], dtype=torch.float16),
        torch.tensor([1.5, -3e38, 1e-40], dtype=torch.bfloat16),
        torch.tensor(0.25, dtype=torch.bfloat16),
        torch.tensor([1e300], dtype=torch.float64),
        torch.tensor([-(2**24), 2**24, 2**40], dtype=torch.int64),
        torch.tensor([-(2**31)], dtype=torch.int32),
        torch.tensor([-(2**15)], dtype=torch.int16),
        torch.tensor([-128, 127], dtype=torch.int8),
        torch.tensor([255], dtype=torch.uint8),
        torch.tensor([True, False]),
        torch.zeros((2, 0), dtype=torch.int64),
    ],
    ids=lambda value: f"{value.dtype}-{value.numel()}",
)
def test_every_type_of_number_is_converted_without_loss(value: torch.Tensor, legacy: bool) -> None:
    container = open_container(saved({"a": value}, legacy=legacy))
    assert_holds(flatten(container.root), {"a": value})
    assert container.notes.stored_dtypes == (str(value.dtype).removeprefix("torch."),)


def test_parameters_are_tensors_however_they_were_pickled() -> None:
    plain = tensor()
    body = state_dict(
        ("new", name("torch._utils", "_rebuild_parameter") + b"(" + plain + b"\x88)tR"),
        ("first", name("torch.nn.parameter", "Parameter") + plain + b"\x85R(\x88\x89Ntb"),
        ("variable", name("torch.autograd.variable", "Variable") + plain + b"\x85R(\x88\x89Ntb"),
    )
    tensors = flatten(open_container(torch_legacy(body)).root)
    assert list(tensors) == ["new", "first", "variable"]
    assert tensors["new"] is tensors["variable"]
    np.testing.assert_array_equal(tensors["first"], [[0, 1], [2, 3]])


def test_a_storage_of_a_graphics_card_is_read_like_any_other() -> None:
    on_card = storage().replace(b"ctorch\n", b"ctorch.cuda\n").replace(text("cpu"), text("cuda:0"))
    found = flatten(open_container(torch_legacy(state_dict(("a", tensor(stored=on_card))))).root)
    np.testing.assert_array_equal(found["a"], [[0, 1], [2, 3]])


def test_pairs_of_python_2_make_a_dict() -> None:
    pairs = (
        name("collections", "OrderedDict") + b"](](" + text("a") + tensor() + b"e](" + text("b") + tensor() + b"ee\x85R"
    )
    assert list(flatten(open_container(torch_legacy(pairs)).root)) == ["a", "b"]


def test_a_large_archive_with_64_bit_sizes() -> None:
    members = torch_members(state_dict(("weight", tensor())))
    for member in members:
        member.extra = b"\x01\x00\x10\x00" + len(member.content).to_bytes(8, "little") * 2
        member.size = member.packed = 0xFFFFFFFF
    found = flatten(open_container(Archive(members, count=0xFFFF, end_64={}).data()).root)
    np.testing.assert_array_equal(found["weight"], [[0, 1], [2, 3]])


def test_extra_fields_of_an_archive_are_skipped() -> None:
    members = torch_members(state_dict(("weight", tensor())))
    for member in members:
        size = len(member.content).to_bytes(8, "little")
        member.extra = b"FB\x03\x00ZZZ" + b"\x01\x00\x08\x00" + size
        member.size, member.packed = 0xFFFFFFFF, len(member.content)
    assert list(flatten(open_container(Archive(members).data()).root)) == ["weight"]


def test_a_member_that_nothing_refers_to_is_ignored() -> None:
    members = [*torch_members(state_dict(("weight", tensor()))), Member("net/data/99", b"x"), Member("net/.extra", b"")]
    assert list(flatten(open_container(Archive(members).data()).root)) == ["weight"]


def test_the_file_is_not_needed_once_it_is_open() -> None:
    data = bytearray(torch_zip(state_dict(("weight", tensor()))))
    found = flatten(open_container(bytes(data)).root)["weight"]
    assert found.base is None


def test_numbers_next_to_what_is_refused() -> None:
    small = storage(count=1, kind="LongStorage")
    good = torch_zip(state_dict(("a", tensor((1,), stored=small))), {"0": numbers("<i8", 2**24 + 2)})
    assert flatten(open_container(good).root)["a"][0] == 2**24 + 2
    bad = torch_zip(state_dict(("a", tensor((1,), stored=small))), {"0": numbers("<i8", 2**24 + 1)})
    with pytest.raises(CheckpointError, match="does not hold exactly"):
        flatten(open_container(bad).root)


def test_a_storage_may_be_covered_four_times_by_different_views() -> None:
    views = [tensor((4,), (1,)), tensor((2, 2)), tensor((1, 4)), tensor((4, 1))]
    named = state_dict(*((f"t{place}", view) for place, view in enumerate(views)))
    assert len(flatten(open_container(torch_zip(named, {"0": FOUR})).root)) == 4
