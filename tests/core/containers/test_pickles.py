import contextlib
import pickle
import pickletools
import struct
from collections import Counter, OrderedDict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_core.checkpoints.containers import Container, ContainerLimits, Record, open_container
from ntm_core.checkpoints.containers.pickles import read_pickle
from ntm_core.errors import CheckpointError
from tests.core.containers.builders import integer, name, pickled, state_dict, storage, text

MANY = 1 << 16


def value_of(body: bytes, protocol: int = 4) -> Any:
    return read_pickle(pickled(body, protocol), 0, MANY).value


# --- every instruction ----------------------------------------------------------------------------------------------

DATA = {
    "PROTO": b"\x80\x02N",
    "FRAME": b"\x95" + struct.pack("<Q", 2) + b"N",
    "STOP": b"N",
    "MARK": b"(N1K\x01",
    "POP": b"K\x01N0",
    "POP_MARK": b"K\x01(NN1",
    "NONE": b"N",
    "NEWTRUE": b"\x88",
    "NEWFALSE": b"\x89",
    "BININT": b"J\xfe\xff\xff\xff",
    "BININT1": b"K\xff",
    "BININT2": b"M\x01\x02",
    "LONG1": b"\x8a\x09" + b"\x00" * 8 + b"\x01",
    "BINFLOAT": b"G" + struct.pack(">d", -0.1),
    "BINSTRING": b"T\x02\x00\x00\x00ab",
    "SHORT_BINSTRING": b"U\x02ab",
    "BINUNICODE": text("Σw"),
    "SHORT_BINUNICODE": b"\x8c\x03\xe2\x82\xac",
    "BINUNICODE8": b"\x8d" + struct.pack("<Q", 1) + b"a",
    "BINBYTES": b"B\x02\x00\x00\x00\x00\xff",
    "SHORT_BINBYTES": b"C\x02\x00\xff",
    "BINBYTES8": b"\x8e" + struct.pack("<Q", 1) + b"\x07",
    "EMPTY_LIST": b"]",
    "APPEND": b"]K\x01a",
    "APPENDS": b"](K\x01K\x02e",
    "EMPTY_TUPLE": b")",
    "TUPLE": b"(K\x01K\x02t",
    "TUPLE1": b"K\x01\x85",
    "TUPLE2": b"K\x01K\x02\x86",
    "TUPLE3": b"K\x01K\x02K\x03\x87",
    "EMPTY_DICT": b"}",
    "SETITEM": b"}" + text("a") + b"K\x01s",
    "SETITEMS": b"}(" + text("a") + b"K\x01K\x05Nu",
    "BINPUT": b"K\x01q\x05",
    "LONG_BINPUT": b"K\x01r\x05\x00\x00\x00",
    "MEMOIZE": b"K\x01\x94",
    "BINGET": b"]q\x05h\x05a0h\x050N",
    "LONG_BINGET": b"K\x01r\x05\x01\x00\x000j\x05\x01\x00\x00",
    "GLOBAL": name("collections", "OrderedDict") + b")R",
    "STACK_GLOBAL": text("collections") + text("OrderedDict") + b"\x93)R",
    "REDUCE": name("collections", "OrderedDict") + b")R",
}
"""Instructions that are carried out as Python carries them out, each in a pickle that uses it."""

OWN = {
    "EMPTY_SET": (b"\x8f", []),
    "ADDITEMS": (b"\x8f(K\x02K\x01\x90", [2, 1]),
    "FROZENSET": (b"(K\x02K\x01\x91", [2, 1]),
}
"""Instructions that are carried out in a way of our own: the elements of sets, in order."""

MODULE = state_dict(("_parameters", b"}"), ("_buffers", b"}"), ("_modules", b"}"), ("bits", b"K\x08"))
RECORDS = {
    "NEWOBJ": name("ntm", "NTM") + b")\x81" + MODULE + b"b",
    "BUILD": name("ntm", "NTM") + b")\x81" + MODULE + b"b",
}
"""Instructions that make and fill records."""

REFUSED = {
    "INT": b"I1\n",
    "LONG": b"L1L\n",
    "LONG4": b"\x8b\x01\x00\x00\x00\x01",
    "FLOAT": b"F1.5\n",
    "STRING": b"S'a'\n",
    "UNICODE": b"Va\n",
    "NEXT_BUFFER": b"\x97",
    "READONLY_BUFFER": b"N\x98",
    "LIST": b"(l",
    "DICT": b"(d",
    "DUP": b"N2",
    "PUT": b"Np0\n",
    "GET": b"Np0\n0g0\n",
    "EXT1": b"\x82\x01",
    "EXT2": b"\x83\x01\x00",
    "EXT4": b"\x84\x01\x00\x00\x00",
    "INST": b"(icollections\nOrderedDict\n",
    "OBJ": b"(" + name("collections", "OrderedDict") + b"o",
    "NEWOBJ_EX": name("collections", "OrderedDict") + b")}\x92",
    "PERSID": b"P1\n",
}
"""Instructions that no file needs, each in a pickle that Python would carry out."""


def test_every_instruction_is_accounted_for() -> None:
    known = Counter([*DATA, *OWN, *RECORDS, *REFUSED, "BYTEARRAY8", "BINPERSID"])
    assert set(known) == {opcode.name for opcode in pickletools.opcodes}
    assert set(known.values()) == {1}


@pytest.mark.parametrize("instruction", DATA)
def test_an_instruction_for_data_does_what_python_does(instruction: str) -> None:
    data = pickled(DATA[instruction], 4)
    assert instruction in [opcode.name for opcode, _, _ in pickletools.genops(data)]
    expected, found = pickle.loads(data), value_of(DATA[instruction])  # noqa: S301 - made above
    assert found == expected
    assert type(found) is (dict if isinstance(expected, OrderedDict) else type(expected))


@pytest.mark.parametrize("instruction", OWN)
def test_a_set_becomes_the_list_of_its_elements(instruction: str) -> None:
    body, elements = OWN[instruction]
    assert open_container(pickled(body, 4)).root == elements


def test_bytes_that_could_be_changed_are_bytes() -> None:
    assert value_of(b"\x96" + struct.pack("<Q", 2) + b"\x07\x08") == b"\x07\x08"


@pytest.mark.parametrize("instruction", RECORDS)
def test_an_instance_becomes_a_record(instruction: str) -> None:
    root = open_container(pickled(RECORDS[instruction])).root
    assert isinstance(root, Record)
    assert root.class_name == "ntm.NTM"
    assert root.fields == {"_parameters": {}, "_buffers": {}, "_modules": {}, "bits": 8}


@pytest.mark.parametrize("instruction", REFUSED)
def test_any_other_instruction_is_refused_by_name(instruction: str) -> None:
    with pytest.raises(CheckpointError, match=r"instruction (PUT|[A-Z_0-9]+) at byte"):
        value_of(REFUSED[instruction])


def test_persistent_ids_go_to_the_reader_that_knows_them() -> None:
    met = []

    def load(persistent_id: Any) -> str:
        met.append(persistent_id)
        return "loaded"

    found = read_pickle(pickled(text("id") + b"Q"), 0, MANY, load)
    assert (found.value, met) == ("loaded", ["id"])
    with pytest.raises(CheckpointError, match="outside itself"):
        read_pickle(pickled(storage()), 0, MANY)


@pytest.mark.parametrize("code", range(256))
def test_every_byte_is_an_instruction_that_ends_well(code: int) -> None:
    for stack in (b"", b"N", b"]", b"}", b"K\x01K\x02", b"(", text("a") * 3, name("ntm", "NTM") + b")"):
        for tail in (b"", b"\x00" * 8, b"\xff" * 8, b"a\nb\n"):
            with contextlib.suppress(CheckpointError):
                read_pickle(b"\x80\x04" + stack + bytes([code]) + tail + b".", 0, MANY)


# --- whole pickles --------------------------------------------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**100), 2**100)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=20)
)
KEYS = st.text(st.characters(codec="utf-8"), max_size=8) | st.integers(-(2**62), 2**62)
ROOTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5) | st.lists(inner, max_size=5).map(tuple) | st.dictionaries(KEYS, inner, max_size=5)
    ),
    max_leaves=30,
)


@given(root=ROOTS, protocol=st.integers(2, 5))
def test_inert_data_comes_back_as_it_was(root: Any, protocol: int) -> None:
    container = open_container(pickle.dumps(root, protocol))
    assert container.kind == "pickle"
    assert container.root == root
    assert repr(container.root) == repr(root)


@given(root=ROOTS, protocol=st.integers(2, 5), place=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_changed_byte_leaves_data_or_a_refusal(root: Any, protocol: int, place: int, value: int) -> None:
    data = bytearray(pickle.dumps(root, protocol))
    data[place % len(data)] = value
    with contextlib.suppress(CheckpointError):
        assert isinstance(open_container(bytes(data)), Container)


def test_a_value_in_two_places_is_unfolded_and_a_tensor_is_not() -> None:
    shared, array = ["x"], np.arange(3.0)
    root = open_container(pickle.dumps([shared, shared, array, array], 2)).root
    assert root[0] == root[1]
    assert root[0] is not root[1]
    assert root[2] is root[3]
    np.testing.assert_array_equal(root[2], array)


def test_limits_can_be_chosen() -> None:
    data = pickle.dumps(list(range(100)), 2)
    assert len(open_container(data, ContainerLimits(max_nodes=101)).root) == 100
    with pytest.raises(CheckpointError, match="more than 100 values"):
        open_container(data, ContainerLimits(max_nodes=100))
    with pytest.raises(CheckpointError, match="more than 99 instructions"):
        open_container(data, ContainerLimits(max_operations=99))


def test_an_integer_key_and_a_text_key_stay_apart() -> None:
    assert open_container(pickled(b"}(" + integer(1) + b"N" + text("1") + b"Nu")).root == {1: None, "1": None}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_of_every_protocol_come_back_as_they_were(protocol: int) -> None:
    """Protocol 5 gives the bytes of an array that can be written to as a bytearray, those of another as bytes."""
    arrays = [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6.0, dtype=np.float32).reshape(3, 2)),
        np.eye(3),
    ]
    arrays[2].setflags(write=False)
    root = open_container(pickle.dumps(arrays, protocol)).root
    for found, array in zip(root, arrays, strict=True):
        np.testing.assert_array_equal(found, array)


def test_the_losses_of_a_long_training_stand_beside_a_model() -> None:
    losses = list(np.random.RandomState(0).random_sample(40_000))
    root = open_container(pickle.dumps({"model": np.eye(3), "losses": losses}, 4)).root
    assert root["losses"] == losses
