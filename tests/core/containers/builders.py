"""Small files of every container, written byte by byte, so that each part of one can be made wrong."""

import io
import json
import pickle
import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import torch

Corpus: TypeAlias = dict[str, tuple[bytes, str]]
"""Name of a kind of file to such a file and a pattern of the reason why it is refused."""

LEGACY_HEAD = (
    pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    + pickle.dumps(1001, 2)
    + pickle.dumps(
        {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}, 2
    )
)


# --- pickles, instruction by instruction --------------------------------------------------------------------------


def text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def integer(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def integers(values: Sequence[int]) -> bytes:
    return b"(" + b"".join(integer(value) for value in values) + b"t"


def pickled(body: bytes, protocol: int = 2) -> bytes:
    return b"\x80" + bytes([protocol]) + body + b"."


def storage(key: str = "0", count: int = 4, kind: str = "FloatStorage", *, view: bytes | None = None) -> bytes:
    """The persistent id of a storage; with `view`, the sixth part that old files have."""
    parts = text("storage") + name("torch", kind) + text(key) + text("cpu") + integer(count)
    return b"(" + parts + (view or b"") + b"tQ"


def tensor(
    shape: Sequence[int] = (2, 2),
    strides: Sequence[int] | None = None,
    offset: int = 0,
    stored: bytes | None = None,
    function: str = "_rebuild_tensor_v2",
) -> bytes:
    """A call that makes a tensor of the storage `stored`, four numbers unless it is given."""
    strides = gapless(shape) if strides is None else strides
    tail = b"" if function == "_rebuild_tensor" else b"\x89" + name("collections", "OrderedDict") + b")R"
    stored = storage() if stored is None else stored
    where = integer(offset) + integers(shape) + integers(strides)
    return name("torch._utils", function) + b"(" + stored + where + tail + b"tR"


def gapless(shape: Sequence[int]) -> tuple[int, ...]:
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def state_dict(*items: tuple[str, bytes]) -> bytes:
    """A dict of values that are pickled already."""
    return b"}(" + b"".join(text(key) + value for key, value in items) + b"u"


# --- zip archives -------------------------------------------------------------------------------------------------


@dataclass
class Member:
    """A member of an archive; what is not None replaces what would be right."""

    name: str
    content: bytes
    flags: int = 0
    method: int = 0
    raw: bytes | None = None
    checksum: int | None = None
    size: int | None = None
    packed: int | None = None
    local_name: str | None = None
    local_size: int | None = None
    start: int | None = None
    extra: bytes = b""


@dataclass
class Archive:
    """A zip archive; what is not None replaces what would be right."""

    members: list[Member] = field(default_factory=list)
    count: int | None = None
    directory_start: int | None = None
    comment: bytes = b""
    tail: bytes = b""
    end_64: Mapping[str, int] | None = None
    """The 64-bit end of directory; its fields `count`, `size`, `start`, `at` and `disk` may be replaced."""

    def data(self) -> bytes:
        body, directory = b"", b""
        for member in self.members:
            raw = member.content if member.raw is None else member.raw
            checksum = zlib.crc32(member.content) if member.checksum is None else member.checksum
            size = len(member.content) if member.size is None else member.size
            packed = len(raw) if member.packed is None else member.packed
            local_name = (member.local_name or member.name).encode()
            local_size = size if member.local_size is None else member.local_size
            start = len(body) if member.start is None else member.start
            body += struct.pack(
                "<4s2B4HL2L2H", b"PK\x03\x04", 0, 0, member.flags, member.method, 0, 0, checksum,
                local_size, local_size, len(local_name), 0,
            )  # fmt: skip
            body += local_name + raw
            encoded = member.name.encode()
            directory += struct.pack(
                "<4s4B4HL2L5H2L", b"PK\x01\x02", 0, 0, 0, 0, member.flags, member.method, 0, 0, checksum,
                packed, size, len(encoded), len(member.extra), 0, 0, 0, 0, start,
            )  # fmt: skip
            directory += encoded + member.extra
        count = len(self.members) if self.count is None else self.count
        start = len(body) if self.directory_start is None else self.directory_start
        end = struct.pack(
            "<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), start, len(self.comment)
        )  # fmt: skip
        return body + directory + self._end_64(len(body), len(directory)) + end + self.comment + self.tail

    def _end_64(self, start: int, size: int) -> bytes:
        if self.end_64 is None:
            return b""
        right = {"count": len(self.members), "size": size, "start": start, "at": start + size, "disk": 0}
        fields = {**right, **self.end_64}
        numbers = (fields["count"], fields["count"], fields["size"], fields["start"])
        end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, fields["disk"], 0, *numbers)
        return end + struct.pack("<4sLQL", b"PK\x06\x07", 0, fields["at"], 1)


FOUR = np.arange(4, dtype="<f4").tobytes()


def torch_members(body: bytes, storages: Mapping[str, bytes] | None = None) -> list[Member]:
    """The members of a zip file of torch around the pickle of `body`."""
    storages = {"0": FOUR} if storages is None else storages
    return [
        Member("net/data.pkl", pickled(body)),
        Member("net/byteorder", b"little"),
        *(Member(f"net/data/{key}", content) for key, content in storages.items()),
        Member("net/version", b"3\n"),
    ]


def torch_zip(body: bytes, storages: Mapping[str, bytes] | None = None) -> bytes:
    return Archive(torch_members(body, storages)).data()


def one_value(value: bytes, storages: Mapping[str, bytes] | None = None) -> bytes:
    """A zip file of torch with one value, pickled already, called "weight"."""
    return torch_zip(state_dict(("weight", value)), storages)


def with_members(change: Callable[[list[Member]], Any], **archive: Any) -> bytes:
    """A zip file of torch that is good but for what `change` does to its members."""
    members = torch_members(state_dict(("weight", tensor())))
    change(members)
    return Archive(members, **archive).data()


def torch_legacy(
    body: bytes, storages: Mapping[str, bytes] | None = None, *, head: bytes = LEGACY_HEAD, itemsize: int = 4
) -> bytes:
    storages = {"0": FOUR} if storages is None else storages
    tail = b"".join(struct.pack("<q", len(raw) // itemsize) + raw for raw in storages.values())
    return head + pickled(body) + pickle.dumps(list(storages), 2) + tail


# --- other containers ---------------------------------------------------------------------------------------------


def npy(content: bytes, descr: str = "|O", shape: str = "(2,)", version: int = 1, order: str = "False") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}".encode().ljust(70) + b"\n"
    return (
        b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + content
    )


def array_pickle(
    shape: Sequence[int] = (2,), code: str = "f8", state: bytes | None = None, raw: bytes | None = None
) -> bytes:
    """The instructions that make a numpy array, as Python 2 wrote them."""
    raw = np.arange(int(np.prod(shape)), dtype="<f8").tobytes() if raw is None else raw
    dtype = name("numpy", "dtype") + b"U" + bytes([len(code)]) + code.encode() + b"K\x00K\x01\x87R"
    dtype += b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    content = b"T" + struct.pack("<i", len(raw)) + raw if state is None else state
    made = name("numpy.core.multiarray", "_reconstruct") + name("numpy", "ndarray") + b"K\x00\x85U\x01b\x87R"
    return made + b"(K\x01" + integers(shape) + dtype + b"\x89" + content + b"tb"


def object_array(*items: bytes, shape: Sequence[int] | None = None) -> bytes:
    """The pickle of a one-dimensional array of objects."""
    content = b"](" + b"".join(items) + b"e"
    return pickled(array_pickle((len(items),) if shape is None else shape, "O8", content))


def numbers(dtype: str, *values: float) -> bytes:
    return np.array(values, dtype).tobytes()


def safetensors(header: Any, body: bytes = FOUR) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + body


def entry(dtype: str = "F32", shape: Sequence[int] = (2, 2), start: int = 0, end: int = 16) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


def saved(value: Any, *, legacy: bool = False, protocol: int = 2) -> bytes:
    """What torch itself writes."""
    file = io.BytesIO()
    torch.save(value, file, pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def seeds() -> dict[str, bytes]:
    """A small good file of every kind."""
    weights = OrderedDict(weight=torch.arange(4.0).reshape(2, 2), bias=torch.ones(2, dtype=torch.float64))
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    header = {"__metadata__": {"a": "b"}, "weight": entry(), "bias": entry(shape=(1,), start=16, end=20)}
    plain = {"a": np.arange(3.0), "b": [1, (2.5, None, True, "x")], "c": {1, 2}}
    return {
        "torch zip": saved(weights),
        "torch zip, module": saved(network),
        "torch zip, by hand": torch_zip(state_dict(("weight", tensor()), ("bias", tensor((4,), (1,))))),
        "torch legacy": saved(weights, legacy=True),
        "torch legacy, module": saved(network, legacy=True),
        "torch legacy, protocol 4": saved(weights, legacy=True, protocol=4),
        "npy of objects": npy(object_array(array_pickle(), array_pickle((2, 2)))),
        "npy of numbers": npy(np.arange(4.0).tobytes(), "<f8", "(2, 2)"),
        "pickle": pickle.dumps(plain, 4),
        "safetensors": safetensors(header, FOUR + FOUR[:4]),
        "json": b" [1, -2.5e-3,0.25,\n 7]",
    }
