"""The container safetensors: 8 bytes of header length, a JSON header, then the tensors' bytes without a gap.

The library of that name needs a further package for bfloat16 and lets the last of two equal names win, so the few
lines are written out here.
"""

import json
from typing import Any

from ntm_core.checkpoints.containers.container import Container, ContainerLimits, Notes
from ntm_core.checkpoints.containers.dtypes import STORED
from ntm_core.checkpoints.containers.pickled import add_item
from ntm_core.checkpoints.containers.storages import MAX_DIMENSIONS, Storage, Tensors, View, gapless_strides
from ntm_core.checkpoints.containers.wording import shown
from ntm_core.errors import CheckpointError

MAX_HEADER_BYTES = 4 << 20

_LENGTH_BYTES = 8
_METADATA = "__metadata__"
_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}


def is_safetensors(data: bytes) -> bool:
    """Whether a file starts as safetensors files do: with the length of a JSON object that fits into it."""
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    return data[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{" and length <= len(data) - _LENGTH_BYTES


def read_safetensors(data: bytes, limits: ContainerLimits) -> Container:
    """The content of a safetensors file: its root is a dict of arrays by name."""
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if length > MAX_HEADER_BYTES:
        raise CheckpointError(f"the header has {length} bytes: the limit is {MAX_HEADER_BYTES}")
    header = _header(data[_LENGTH_BYTES : _LENGTH_BYTES + length])
    metadata = _metadata(header.pop(_METADATA, {}))
    _check_unicode(*header, *metadata, *metadata.values())
    if len(header) > limits.max_tensors:
        raise CheckpointError(f"the file holds {len(header)} tensors: the limit is {limits.max_tensors}")
    body = memoryview(data)[_LENGTH_BYTES + length :]
    views: dict[str, View] = {}
    reached = 0
    entries = [(name, *_entry(entry, shown(name))) for name, entry in header.items()]
    for name, dtype, shape, start, end in sorted(entries, key=lambda entry: entry[3:]):
        if start != reached or not start <= end <= len(body):
            raise CheckpointError(
                f"tensor {shown(name)} is at bytes {start} to {end} of {len(body)}: "
                "the tensors must follow one another without gap or overlap"
            )
        reached = end
        views[name] = _view(body[start:end], dtype, shape, shown(name))
    if reached != len(body):
        raise CheckpointError(f"{len(body) - reached} bytes of the file belong to no tensor")
    tensors = Tensors(limits)
    root = {name: tensors.array(views[name], shown(name)) for name in header}
    return Container("safetensors", root, Notes(stored_dtypes=tuple(sorted(tensors.dtypes))), metadata)


def _header(raw: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        items: dict[str | int, Any] = {}
        for key, value in pairs:
            add_item(items, key, value)
        return {str(key): value for key, value in items.items()}

    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=unique)
    except CheckpointError:
        raise
    except (ValueError, RecursionError):
        raise CheckpointError("the header of the safetensors file is not JSON, or is nested too deep") from None
    assert isinstance(header, dict)  # it starts with a brace
    return header


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise CheckpointError("the metadata of the safetensors file is not text by name")
    return value


def _check_unicode(*texts: str) -> None:
    """CheckpointError if a text has half of a surrogate pair, which JSON can write and nothing can send on."""
    try:
        "".join(texts).encode("utf-8")
    except UnicodeEncodeError:
        raise CheckpointError("the header of the safetensors file holds text that is not Unicode") from None


def _entry(entry: Any, name: str) -> tuple[str, tuple[int, ...], int, int]:
    """(dtype, shape, start, end) of a tensor."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise CheckpointError(f"tensor {name} is not described by dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise CheckpointError(f"tensor {name} has the type {shown(str(dtype))}, which is not read")
    if not _are_sizes(shape, MAX_DIMENSIONS) or not _are_sizes(offsets, 2) or len(offsets) != 2:
        raise CheckpointError(
            f"tensor {name} must have a shape of at most {MAX_DIMENSIONS} sizes and two data_offsets, integers from 0"
        )
    return _DTYPES[dtype], tuple(shape), offsets[0], offsets[1]


def _are_sizes(value: Any, most: int) -> bool:
    if not isinstance(value, list) or len(value) > most:
        return False
    return all(type(size) is int and 0 <= size < 1 << 63 for size in value)


def _view(content: memoryview, dtype: str, shape: tuple[int, ...], name: str) -> View:
    strides, elements = gapless_strides(shape)
    if elements * STORED[dtype].itemsize != len(content):
        raise CheckpointError(
            f"tensor {name} of {dtype} and shape {shape} should have {elements * STORED[dtype].itemsize} bytes, "
            f"but has {len(content)}"
        )
    return View(Storage(dtype, elements, content), 0, shape, strides)
