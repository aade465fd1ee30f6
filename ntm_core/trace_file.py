"""Trace files: one `.npz` without pickles, which numpy alone can write and read.

Schema, version 1. The archive's member `header` is a 1-D uint8 array holding the JSON of `TraceHeader`. Every other
member is one array of the schema in `ntm_core.trace` under its own name: episode and initial arrays with the axes
listed there, step arrays with the step axis first; little-endian numbers of the header's dtype, C order. A reader takes
truth values, whole numbers, half precision, big-endian numbers and Fortran order too, if no number changes. All arrays
that the header lists must be there, and nothing else, but for `violation`: the JSON of the first constraint that an
intervention left, as bytes like the header, where one did. M_t is not stored: see `Trace.memory` for the rule that
rebuilds it.

Reading trusts nothing: names, dtypes and shapes are held against the header before an array is allocated, and an
archive that unpacks to more than its limit is refused.
"""

import io
import lzma
import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from pydantic import ValidationError

from ntm_core.atomic import atomic_write
from ntm_core.config import describe_validation_error
from ntm_core.errors import TraceError
from ntm_core.interventions import Violation
from ntm_core.trace import Array, Group, Trace, TraceHeader, check_episode, group_size

MAX_HEADER_BYTES = 1 << 20
DEFAULT_MAX_BYTES = 2 << 30
"""The most that a trace file may unpack to, unless the caller says otherwise."""

_MEMBER_OVERHEAD = 4096
_WHOLE = 1 << 53
"""Below it float64 holds every whole number."""

_NPY_HEADER = re.compile(
    rb"\{'descr': '(?P<dtype>[<>|=]?[biufcUSVO]\d{0,3})', 'fortran_order': (?P<fortran>False|True), "
    rb"'shape': \((?P<shape>(?:\d{1,18}, ?)*(?:\d{1,18})?)\),? ?\} *\n?"
)
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)
"""All that zipfile and the decompressors raise at a damaged archive."""

_GROUPS: tuple[Group, ...] = ("episode", "initial", "step")


def trace_bytes(trace: Trace) -> bytes:
    """The bytes of a trace file."""
    buffer = io.BytesIO()
    header = np.frombuffer(trace.header.model_dump_json().encode(), np.uint8)
    arrays = {name: trace[name] for name in trace.names}
    if trace.violation is not None:
        arrays["violation"] = np.frombuffer(trace.violation.model_dump_json().encode(), np.uint8)
    np.savez_compressed(buffer, allow_pickle=False, header=header, **arrays)
    return buffer.getvalue()


def save_trace(path: str | os.PathLike[str], trace: Trace) -> None:
    """Write a trace file, all of it or nothing."""
    atomic_write(path, trace_bytes(trace))


def load_trace(source: str | os.PathLike[str] | bytes, max_bytes: int = DEFAULT_MAX_BYTES) -> Trace:
    """The trace in a file or in its bytes; `TraceError` says what is wrong with it."""
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        raise TraceError(f"{source!s} cannot be read: {error.strerror}") from None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read_archive(archive, max_bytes)
    except TraceError:
        raise
    except _UNREADABLE as error:
        raise TraceError(f"this is not a trace file: {error}") from None


def _read_archive(archive: zipfile.ZipFile, max_bytes: int) -> Trace:
    members = {info.filename: info for info in archive.infolist()}
    if len(members) != len(archive.infolist()):
        raise TraceError("the archive holds two members of the same name")
    total = sum(info.file_size for info in members.values())
    if total > max_bytes:
        raise TraceError(f"the file unpacks to {total} bytes, more than the limit of {max_bytes}")
    header = _read_header(archive, members)
    expected = {"header.npy"} | {f"{field.name}.npy" for group in _GROUPS for field in header.fields[group]}
    for name in sorted(expected ^ (set(members) - {"violation.npy"})):
        state = "missing" if name in expected else "not part of the schema"
        raise TraceError(f"array {name.removesuffix('.npy')!r} is {state}")
    holders: dict[Group, Array] = {}
    left = max_bytes
    for group in _GROUPS:
        numbers = group_size(header.config, group, header.steps, header.interventions)
        left -= numbers * np.dtype(header.dtype).itemsize
        if numbers > total:
            raise TraceError(f"the header asks for {numbers} {group} numbers, but the file holds {total} bytes")
        if left < 0:
            raise TraceError(f"the header asks for more bytes of arrays than the limit of {max_bytes}")
        dtype = header.record_dtype(group)
        shape = (header.steps,) if group == "step" else ()
        holder = np.zeros(shape, dtype)
        for name in dtype.names or ():
            holder[name] = _read_array(archive, members[f"{name}.npy"], name, holder[name])
        holders[group] = holder
    check_episode(header, holders["episode"])
    violation = _read_violation(archive, members)
    return Trace(header, holders["episode"], holders["initial"], holders["step"], violation)


def _read_header(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> TraceHeader:
    info = members.get("header.npy")
    if info is None:
        raise TraceError("array 'header' is missing: this archive is not a trace")
    return TraceHeader.parse(_read_text(archive, info, "header"))


def _read_violation(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> Violation | None:
    info = members.get("violation.npy")
    if info is None:
        return None
    try:
        return Violation.model_validate_json(_read_text(archive, info, "violation"))
    except ValidationError as error:
        raise TraceError(f"the violation breaks the schema: {describe_validation_error(error)}") from None


def _read_text(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bytes:
    """The bytes of a member that holds JSON."""
    if info.file_size > MAX_HEADER_BYTES:
        raise TraceError(f"the {name} has {info.file_size} bytes, more than the limit of {MAX_HEADER_BYTES}")
    with archive.open(info) as member:
        shape, _, dtype = _npy_header(member, name)
        if dtype != np.uint8 or len(shape) != 1 or shape[0] > info.file_size:
            raise TraceError(f"array {name!r} must be one row of bytes, not {dtype} of shape {shape}")
        return member.read(shape[0])


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, like: Array) -> Array:
    """The array of a member, of the shape and the type of `like`; another type is converted where no number changes."""
    with archive.open(info) as member:
        shape, fortran, dtype = _npy_header(member, name)
        if shape != like.shape or not _may_become(dtype, like.dtype):
            raise TraceError(f"array {name!r} is {dtype} of shape {shape}, but must be {like.dtype} of {like.shape}")
        size = like.size * dtype.itemsize
        if info.file_size > size + _MEMBER_OVERHEAD:
            raise TraceError(f"array {name!r} has {info.file_size} bytes, but its shape takes {size}")
        data = member.read(size)
        if member.read(1):
            raise TraceError(f"array {name!r} goes on after its {size} bytes")
    if len(data) != size:
        raise TraceError(f"array {name!r} ends after {len(data)} of {size} bytes")
    found = np.frombuffer(data, dtype).reshape(like.shape, order="F" if fortran else "C")
    return found if dtype == like.dtype else _converted(found, name, like.dtype)


def _may_become(dtype: np.dtype[np.generic], wanted: np.dtype[np.generic]) -> bool:
    """Whether numbers of one type may be another's: truth values, whole numbers, half precision, or another order."""
    return dtype.kind in "biu" or (dtype.kind == "f" and dtype.itemsize in (2, wanted.itemsize))


def _converted(found: Array, name: str, wanted: np.dtype[np.generic]) -> Array:
    """The same numbers in another type. TraceError for the first that it does not hold."""
    numbers = found.astype(wanted)
    if found.dtype.kind in "iu":
        # Beyond 2^53 whole numbers would be held against rounded ones.
        lost = (numbers.astype(np.float64) != found) | (np.abs(numbers.astype(np.float64)) >= _WHOLE)
        if lost.any():
            raise TraceError(f"array {name!r} is {found.dtype} and holds {found[lost][0]}: {wanted} does not hold that")
    return numbers


def _npy_header(member: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, Fortran order and dtype. numpy writes this one form; its own parser evaluates a Python literal."""
    magic, version = member.read(6), member.read(2)
    length_bytes = {b"\x01\x00": 2, b"\x02\x00": 4}.get(version)
    if magic != b"\x93NUMPY" or length_bytes is None:
        raise TraceError(f"array {name!r} is not a numpy array of format 1.0 or 2.0")
    length = int.from_bytes(member.read(length_bytes), "little")
    found = _NPY_HEADER.fullmatch(member.read(min(length, _MEMBER_OVERHEAD)))
    if found is None:
        raise TraceError(f"array {name!r} is not a numpy array: its header is of another form")
    try:
        dtype = np.dtype(found["dtype"].decode())
    except TypeError as error:
        raise TraceError(f"array {name!r} is not a numpy array: {error}") from None
    if dtype.hasobject:
        raise TraceError(f"array {name!r} holds pickled objects, which are never read")
    shape = tuple(int(part) for part in found["shape"].split(b",") if part.strip())
    return shape, found["fortran"] == b"True", dtype
