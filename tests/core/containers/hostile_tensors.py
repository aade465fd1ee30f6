"""Tensors that must be refused: shapes and strides that lie, storages that are not there, numbers that are none."""

import struct

import torch

from tests.core.containers.builders import (
    FOUR,
    Corpus,
    integers,
    name,
    numbers,
    one_value,
    saved,
    state_dict,
    storage,
    tensor,
    text,
    torch_legacy,
    torch_zip,
)


def tensors() -> Corpus:
    return {
        "2 GB declared in 1 kB, zip": (
            one_value(tensor((1 << 14, 1 << 15), stored=storage(count=1 << 29))),
            "does not declare|should have 2147483648 bytes",
        ),
        "2 GB declared in 1 kB, legacy": (
            torch_legacy(state_dict(("weight", tensor((1 << 13, 1 << 15), stored=storage(count=1 << 28))))),
            "should hold 268435456",
        ),
        "shape beyond its storage": (one_value(tensor((1 << 20, 1 << 20))), "beyond its storage"),
        "shape that overflows 64 bits": (one_value(tensor((1 << 31, 1 << 31, 1 << 31))), "beyond its storage"),
        "offset beyond its storage": (one_value(tensor(offset=1)), "beyond its storage"),
        "offset of 2**62": (one_value(tensor(offset=1 << 62)), "beyond its storage"),
        "negative offset": (one_value(tensor(offset=-1)), "none may be negative"),
        "negative size": (one_value(tensor((-2, -2))), "none may be negative"),
        "negative stride": (one_value(tensor((4,), (-1,), offset=3)), "none may be negative"),
        "no elements but an impossible shape": (one_value(tensor((0, 1 << 62, 1 << 62))), "impossible shape"),
        "stride beyond its storage": (one_value(tensor((2, 2), (1 << 40, 1))), "beyond its storage"),
        "stride 0": (one_value(tensor((1000, 4), (0, 1))), "share a place"),
        "strides that overlap": (one_value(tensor((3, 2), (1, 1))), "share a place"),
        "sizes and strides of different length": (one_value(tensor((2, 2), (1,))), "2 sizes and 1 strides"),
        "nine dimensions": (one_value(tensor((1,) * 9)), "not as expected"),
        "sizes that are not integers": (
            one_value(
                name("torch._utils", "_rebuild_tensor")
                + b"("
                + storage()
                + b"K\x00"
                + b"(G"
                + struct.pack(">d", 4)
                + b"t"
                + integers([1])
                + b"tR"
            ),
            "not as expected",
        ),
        "sizes that are booleans": (
            one_value(
                name("torch._utils", "_rebuild_tensor") + b"(" + storage() + b"K\x00\x88\x85" + integers([1]) + b"tR"
            ),
            "not as expected",
        ),
        "tensor of no storage": (
            one_value(name("torch._utils", "_rebuild_tensor") + b"(NK\x00" + integers([1]) + integers([1]) + b"tR"),
            "not as expected",
        ),
        "tensor with conjugate bits": (
            one_value(tensor()[:-2] + state_dict(("conj", b"\x88")) + b"tR"),
            "not as expected",
        ),
        "small file, many views": (
            torch_zip(
                state_dict(*((f"t{place}", tensor((990,), (1,), place, storage(count=1000))) for place in range(9))),
                {"0": FOUR * 250},
            ),
            "more than 4 times",
        ),
        "NaN": (one_value(tensor(), {"0": numbers("<f4", 1, 2, float("nan"), 4)}), "'weight' holds NaN or infinity"),
        "infinity": (
            one_value(tensor(), {"0": numbers("<f4", 1, 2, float("-inf"), 4)}),
            "'weight' holds NaN or infinity",
        ),
        "NaN of float16": (
            one_value(tensor(stored=storage(kind="HalfStorage")), {"0": numbers("<f2", 1, 2, float("nan"), 4)}),
            "'weight' holds NaN",
        ),
        "infinity of bfloat16": (
            one_value(tensor(stored=storage(kind="BFloat16Storage")), {"0": b"\x80\x7f" * 4}),
            "'weight' holds NaN",
        ),
        "NaN below other keys": (saved({"a": {"b": torch.tensor([float("nan")])}}), r"'a\.b' holds NaN"),
        "integer that float32 does not hold": (
            one_value(tensor((1,), stored=storage(count=1, kind="LongStorage")), {"0": numbers("<i8", 2**24 + 1)}),
            "'weight' is int64.*16777217",
        ),
        "integer of 63 bits": (
            one_value(tensor((1,), stored=storage(count=1, kind="LongStorage")), {"0": numbers("<i8", 2**62)}),
            "'weight' is int64",
        ),
        "bool of 2": (
            one_value(tensor(stored=storage(kind="BoolStorage")), {"0": b"\x00\x01\x02\x01"}),
            "bool but holds the byte 2",
        ),
        "complex numbers": (saved({"a": torch.ones(2, dtype=torch.complex64)}), r"'torch\.ComplexFloatStorage'"),
        "8-bit floats": (saved({"a": torch.ones(2).to(torch.float8_e5m2)}), r"_rebuild_tensor_v3'"),
        "quantised numbers": (one_value(tensor(stored=storage(kind="QInt8Storage"))), r"'torch\.QInt8Storage'"),
        "a storage by itself": (saved({"a": torch.ones(2).untyped_storage()}), r"UntypedStorage'"),
        "storage of a class that is none": (
            one_value(b"(" + text("storage") + name("torch", "Size") + text("0") + text("cpu") + b"K\x04tQ"),
            "as a storage",
        ),
        "storage that is a view": (
            one_value(tensor(stored=storage(view=text("1") + b"K\x00K\x02\x87"))),
            "view of another storage",
        ),
        "storage with a negative size": (one_value(tensor(stored=storage(count=-4))), "does not declare"),
        "storage of two types": (
            torch_zip(state_dict(("a", tensor()), ("b", tensor(stored=storage(kind="IntStorage"))))),
            "declared as 4 float32 numbers, and as 4 int32",
        ),
        "storage of two sizes": (
            torch_zip(state_dict(("a", tensor()), ("b", tensor((1,), stored=storage(count=1))))),
            "declared as 4 float32 numbers, and as 1",
        ),
        "storage that is not in the archive": (one_value(tensor(stored=storage("7"))), "member data/'7' is not there"),
        "storage with a path for a key": (one_value(tensor(stored=storage("../../etc/passwd"))), "is not there"),
        "storage that is too short": (one_value(tensor(), {"0": FOUR[:12]}), "has 12 bytes"),
        "storage that is too long": (one_value(tensor(), {"0": FOUR * 2}), "has 32 bytes"),
        "no tensor": (torch_zip(state_dict(("a", b"K\x01"))), "no tensors"),
        "bytes instead of a tensor": (one_value(b"C\x02ab"), "no tensors, but bytes at 'weight'"),
    }
