"""Files of numpy, safetensors, JSON and other kinds that must be refused."""

import struct

from tests.core.containers.builders import (
    FOUR,
    Corpus,
    array_pickle,
    entry,
    name,
    npy,
    numbers,
    object_array,
    pickled,
    safetensors,
    text,
)

_CALL = text("echo owned") + b"\x85R"


def _one_text_for_many() -> bytes:
    """An array of ten arrays of different shapes, all made of the same 8192 bytes."""
    long_text = b"T" + struct.pack("<i", 8192) + bytes(8192) + b"q\x000"
    items = [array_pickle((1 << place, 1024 >> place), state=b"h\x00") for place in range(4)]
    items += [array_pickle((1024 >> place, 1 << place), state=b"h\x00") for place in range(4)]
    made = array_pickle((8,), "O8", b"](" + b"".join(items) + b"e")
    return npy(pickled(long_text + made), shape="(8,)")


def _in_array(value: bytes) -> bytes:
    """An array of one object."""
    return npy(object_array(value), shape="(1,)")


def _array_in_itself() -> bytes:
    made = name("numpy.core.multiarray", "_reconstruct") + name("numpy", "ndarray") + b"K\x00\x85U\x01b\x87Rq\x00"
    dtype = name("numpy", "dtype") + text("O8") + b"K\x00K\x01\x87R"
    return made + b"(K\x01K\x01\x85" + dtype + b"\x89]h\x00atb"


def arrays() -> Corpus:
    return {
        "npy whose pickle calls os.system": (npy(pickled(name("os", "system") + _CALL)), r"'os\.system'"),
        "npy without its pickle": (npy(b""), "cut off"),
        "npy with something behind it": (npy(object_array(array_pickle(), array_pickle()) + b"x"), "1 bytes follow"),
        "npy of another shape than its pickle": (npy(object_array(array_pickle())), r"objects of shape \(2,\)"),
        "npy of objects in two dimensions": (
            npy(object_array(array_pickle(), shape=(1, 1)), shape="(1, 1)"),
            "only one dimension",
        ),
        "npy of a million objects in 1 kB": (
            npy(object_array(array_pickle(), shape=(1_000_000,)), shape="(1000000,)"),
            "as many objects as it says",
        ),
        "npy of 2 GB in 1 kB": (npy(b"", "<f8", "(268435456,)"), "the file holds 0 bytes of it"),
        "npy whose shape overflows": (
            npy(b"", "<f8", "(4294967296, 4294967296, 4294967296)"),
            "the file holds 0 bytes of it",
        ),
        "npy of a structured type": (npy(b"", "[('a', '<f8')]"), "numpy does not write"),
        "npy of text": (npy(b"abcd", "<U1", "(1,)"), "'<U1', which is not read"),
        "npy whose header is code": (npy(b"", "<f8", "(__import__('os').system('x'),)"), "numpy does not write"),
        "npy whose header nests": (npy(b"", "<f8", "(" * 5000), "numpy does not write"),
        "npy whose header takes forever": (npy(b"", "<f8", "(" + "1" * 9000), "numpy does not write"),
        "npy whose header is too long": (
            b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 30) + b" " * 100,
            "has 1073741824 bytes",
        ),
        "npy of version 9": (npy(b"", version=9), "version 9"),
        "npy cut in its magic": (b"\x93NUMPY", "version 0"),
        "npy with NaN": (npy(numbers("<f8", float("nan"), 1), "<f8"), "NaN"),
        "array in a pickle, too short": (
            npy(object_array(array_pickle(), array_pickle(raw=b"1234567"))),
            "holds 7 bytes",
        ),
        "array in a pickle, negative shape": (
            npy(object_array(array_pickle(), array_pickle((-1, -2)))),
            "none may be negative",
        ),
        "array in a pickle, without content": (
            npy(
                object_array(
                    array_pickle(),
                    name("numpy.core.multiarray", "_reconstruct") + name("numpy", "ndarray") + b"K\x00\x85U\x01b\x87R",
                )
            ),
            "without its content",
        ),
        "array in a pickle, of text": (
            npy(object_array(array_pickle(code="S8"), array_pickle(code="S8"))),
            "no tensors, but a numpy array of type 'S8' at '0', which is not read",
        ),
        "array in a pickle, of another class": (
            npy(object_array(array_pickle(), array_pickle().replace(b"cnumpy\nndarray\n", b"cnumpy\nmatrix\n"))),
            r"'numpy\.matrix'",
        ),
        "array in a pickle, structured": (
            npy(object_array(*[array_pickle().replace(b"NNNJ", b"N)NJ")] * 2)),
            "no tensors, but a numpy array of type 'f8'.* of a structure",
        ),
        "array in a pickle, wide text for bytes": (
            npy(object_array(array_pickle(), array_pickle(state=text("\u20ac" * 16)))),
            "not latin-1",
        ),
        "array in a pickle, described by one value": (
            _in_array(name("numpy.core.multiarray", "_reconstruct") + name("numpy", "ndarray") + b")N\x87R(Ntb"),
            "by 1 values, not by 5",
        ),
        "array in a pickle, described by nothing": (
            _in_array(name("numpy.core.multiarray", "_reconstruct") + name("numpy", "ndarray") + b")N\x87R(NNNNNtb"),
            "values of the wrong types",
        ),
        "array in a pickle, of a type in no order": (
            _in_array(array_pickle().replace(b"U\x01<N", b"U\x01?N")),
            "the numpy type 'f8' in an unknown way",
        ),
        "number in a pickle, of another size": (
            _in_array(
                name("numpy.core.multiarray", "scalar") + name("numpy", "dtype") + text("f8") + b"\x85RC\x02ab\x86R"
            ),
            "not as expected",
        ),
        "array that is in itself": (npy(pickled(_array_in_itself()), shape="(1,)"), "inside itself"),
        "array in a pickle, one long text for many": (_one_text_for_many(), "more than 4 times"),
    }


def safetensors_files() -> Corpus:
    return {
        "safetensors cut in its body": (safetensors({"a": entry()}, FOUR[:8]), "at bytes 0 to 16 of 8"),
        "safetensors with unused bytes": (
            safetensors({"a": entry(shape=(1, 1), end=4)}),
            "12 bytes of the file belong to no tensor",
        ),
        "safetensors with a gap": (
            safetensors({"a": entry(shape=(1,), end=4), "b": entry(shape=(2,), start=8)}),
            "without gap",
        ),
        "safetensors that overlap": (safetensors({"a": entry(), "b": entry()}), "without gap"),
        "safetensors of 2 GB": (safetensors({"a": entry(shape=(1 << 14, 1 << 15), end=1 << 31)}), "without gap"),
        "safetensors of another shape": (
            safetensors({"a": entry(shape=(1 << 14, 1 << 15))}),
            "should have 2147483648 bytes",
        ),
        "safetensors whose shape overflows": (safetensors({"a": entry(shape=(1 << 62, 1 << 62))}), "should have"),
        "safetensors with a negative size": (safetensors({"a": entry(shape=(-2, -2))}), "integers from 0"),
        "safetensors with sizes like 2.0": (safetensors({"a": entry(shape=(2.0, 2))}), "integers from 0"),  # type: ignore[arg-type]
        "safetensors with nine dimensions": (safetensors({"a": entry(shape=(1,) * 7 + (2, 2))}), "at most 8 sizes"),
        "safetensors with backward offsets": (safetensors({"a": entry(start=16, end=0)}), "without gap"),
        "safetensors with three offsets": (
            safetensors({"a": {**entry(), "data_offsets": [0, 8, 16]}}),
            "two data_offsets",
        ),
        "safetensors of an unknown type": (safetensors({"a": entry("F8_E4M3")}), "'F8_E4M3'"),
        "safetensors of a type that is a list": (
            safetensors({"a": {**entry(), "dtype": ["F32"]}}),
            "which is not read",
        ),
        "safetensors without a shape": (
            safetensors({"a": {"dtype": "F32", "data_offsets": [0, 16]}}),
            "not described by",
        ),
        "safetensors with the same name twice": (
            safetensors(
                b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
            ),
            "'a' twice",
        ),
        "safetensors whose header nests": (
            safetensors(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
            "nested too deep",
        ),
        "safetensors whose header is cut": (safetensors(b'{"a":'), "not JSON"),
        "safetensors whose header is not UTF-8": (safetensors(b'{"\xff":1}'), "not JSON"),
        "safetensors with a number of 5000 digits": (safetensors(b'{"a":' + b"9" * 5000 + b"}"), "not JSON"),
        "safetensors with half a surrogate pair": (
            safetensors(b'{"__metadata__":{"a":"\\ud800"}}', b""),
            "not Unicode",
        ),
        "safetensors with metadata that is no text": (safetensors({"__metadata__": {"a": 1}}, b""), "not text by name"),
        "safetensors with a header of 5 MB": (safetensors(b'{"a":1' + b" " * 5_000_000 + b"}"), "the limit is 4194304"),
        "safetensors of 5000 tensors": (
            safetensors({str(place): entry(shape=(0,), end=0) for place in range(5000)}, b""),
            "5000 tensors: the limit",
        ),
        "safetensors with NaN": (safetensors({"a": entry()}, numbers("<f4", 1, float("nan"), 2, 3)), "'a' holds NaN"),
        "safetensors with large integers": (
            safetensors({"a": entry("U64", (2,))}, numbers("<u8", 1, 2**64 - 1)),
            "'a' is uint64",
        ),
    }


def others() -> Corpus:
    return {
        "JSON with NaN": (b"[1, NaN]", "not one flat array of finite numbers"),
        "JSON with infinity": (b"[1, -Infinity]", "not one flat array of finite numbers"),
        "JSON with a number beyond float64": (b"[1, 1e999]", "number 2 .* too large"),
        "JSON with 10 000 digits": (b"[" + b"9" * 10_000 + b"]", "number 1 .* too large"),
        "JSON nested 1 000 000 deep": (b"[" * 1_000_000, "not one flat array"),
        "JSON of lists": (b"[[1],[2]]", "not one flat array"),
        "JSON with text": (b'[1,"2"]', "not one flat array"),
        "JSON with two numbers in one": (b"[1 2]", "not a number"),
        "JSON with a comma too many": (b"[1,]", "not a number"),
        "JSON without numbers": (b"[ ]", "not a number"),
        "JSON that is cut": (b"[1,2", "not one flat array"),
        "JSON with something behind it": (b"[1]\n[2]", "not one flat array"),
        "JSON object": (b'{"a": [1]}', "JSON object"),
        "empty file": (b"", "empty"),
        "one byte": (b"\x80", "cut off"),
        "tar archive": (b"pickle".ljust(257, b"\0") + b"ustar".ljust(255, b"\0"), "tar archive"),
        "gzip": (b"\x1f\x8b\x08" + bytes(40), "gzip"),
        "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
        "web page": (b"<!DOCTYPE html><html>", "web page"),
        "random bytes": (bytes(range(200, 0, -1)), "first bytes are unknown"),
    }
