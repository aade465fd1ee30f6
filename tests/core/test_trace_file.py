"""Trace files: the same bits back, and nothing but a `TraceError` from any file that is not one."""

import io
import json
import pickle
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core.config import MachineConfig
from ntm_core.errors import TraceError
from ntm_core.recording import record
from ntm_core.trace import Trace, TraceHeader
from ntm_core.trace_file import load_trace, save_trace, trace_bytes
from tests.core.machines import DTYPES, any_episode, at_rest, configs, small_config, stirred

Header = dict[str, Any]


def a_trace(config: MachineConfig, steps: int = 3, dtype: torch.dtype = torch.float32, **about: Any) -> Trace:
    name: Any = str(dtype).removeprefix("torch.")
    header = TraceHeader.of(config, steps, dtype=name, phases=("input", "output"), **about)
    return record(at_rest(stirred(config, dtype=dtype)), any_episode(config, steps), header)


TRACE = a_trace(small_config(memory_size=3, word_size=2, controller_size=2))
DATA = trace_bytes(TRACE)


def assert_same(found: Trace, expected: Trace) -> None:
    assert found.header == expected.header
    for group in ("episode", "initial", "records"):
        one, other = getattr(found, group), getattr(expected, group)
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


# Building files that break one rule each


def npy(array: np.ndarray[Any, Any], *, allow_pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def raw_npy(header: str, body: bytes = b"", version: int = 1) -> bytes:
    """A .npy member with this text as its header, whatever it says."""
    text = header.encode("latin1") + b"\n"
    length = struct.pack("<H", len(text)) if version == 1 else struct.pack("<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + body


def members(data: bytes = DATA) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def with_member(name: str, part: bytes) -> bytes:
    return archive_of(members() | {name: part})


def with_header(change: Callable[[Header], object]) -> bytes:
    header: Header = json.loads(TRACE.header.model_dump_json())
    change(header)
    return with_member("header.npy", npy(np.frombuffer(json.dumps(header).encode(), np.uint8)))


def refusal(data: bytes | str | Path, **limits: int) -> str:
    with pytest.raises(TraceError) as caught:
        load_trace(data, **limits)
    return str(caught.value)


# Round trip


@given(configs(), st.integers(1, 6), st.sampled_from(DTYPES))
@settings(max_examples=15)
def test_a_trace_survives_its_file_bit_for_bit(config: MachineConfig, steps: int, dtype: torch.dtype) -> None:
    trace = a_trace(config, steps, dtype, checkpoint="copy-lstm", seed=7, task={"name": "copy", "bits": 8})
    found = load_trace(trace_bytes(trace))
    assert_same(found, trace)
    assert found.memory.tobytes() == trace.memory.tobytes()


def test_a_trace_survives_a_path(tmp_path: Path) -> None:
    save_trace(tmp_path / "one.npz", TRACE)
    assert_same(load_trace(tmp_path / "one.npz"), TRACE)
    assert_same(load_trace(str(tmp_path / "one.npz")), TRACE)
    assert [path.name for path in tmp_path.iterdir()] == ["one.npz"]


def test_numpy_alone_reads_a_trace_file() -> None:
    with np.load(io.BytesIO(DATA), allow_pickle=False) as archive:
        assert set(archive.files) == {"header", *TRACE.names}
        for name in TRACE.names:
            assert np.array_equal(archive[name], TRACE[name])
        assert json.loads(archive["header"].tobytes())["version"] == 1


def test_numpy_alone_writes_a_trace_file() -> None:
    buffer = io.BytesIO()
    with np.load(io.BytesIO(DATA), allow_pickle=False) as archive:
        np.savez(buffer, **{name: archive[name] for name in archive.files})
    assert_same(load_trace(buffer.getvalue()), TRACE)


def test_a_loaded_trace_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        load_trace(DATA)["weighting"][...] = 0


def test_a_name_that_is_not_ascii_survives() -> None:
    trace = a_trace(small_config(), checkpoint="κόπια", task_note="row 3: “delimiter”")
    assert_same(load_trace(trace_bytes(trace)), trace)


# Not a file, not an archive


def test_a_path_that_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "missing.npz")
    assert str(tmp_path / "missing.npz") in refusal(str(tmp_path / "missing.npz"))
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip" * 100, b"\x93NUMPY", pickle.dumps({"a": 1})])
def test_bytes_that_are_no_archive(data: bytes) -> None:
    assert "not a trace file" in refusal(data)


def test_a_file_without_its_end() -> None:
    for length in range(0, len(DATA), 61):
        refusal(DATA[:length])


def test_a_file_without_its_beginning() -> None:
    for length in range(1, len(DATA), 61):
        outcome(DATA[length:])


# Members


@pytest.mark.parametrize("name", ["inputs", "initial_cell", "weighting", "cell"])
def test_a_missing_array(name: str) -> None:
    parts = members()
    del parts[f"{name}.npy"]
    assert f"array '{name}' is missing" in refusal(archive_of(parts))


def test_a_missing_header() -> None:
    parts = members()
    del parts["header.npy"]
    assert "array 'header' is missing" in refusal(archive_of(parts))


@pytest.mark.parametrize("name", ["extra.npy", "memory.npy", "../weighting.npy", "weighting", "folder/"])
def test_a_member_that_is_not_in_the_schema(name: str) -> None:
    assert "not part of the schema" in refusal(with_member(name, npy(np.zeros(1))))


def test_a_cell_of_a_controller_that_has_none() -> None:
    gru = trace_bytes(a_trace(small_config(controller="gru")))
    assert "array 'cell' is not part of the schema" in refusal(
        archive_of(members(gru) | {"cell.npy": members()["cell.npy"]})
    )


def test_two_members_of_one_name() -> None:
    buffer = io.BytesIO(DATA)
    with zipfile.ZipFile(buffer, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile's own, about the name that is there already
        archive.writestr("mask.npy", members()["mask.npy"])
    assert "two members of the same name" in refusal(buffer.getvalue())


# Arrays


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("mask", lambda a: a.astype("<f8"), "'mask' is float64 of shape (3,), but must be float32 of (3,)"),
        ("mask", lambda a: a.astype("<c8"), "'mask' is complex64 of shape (3,)"),
        ("mask", lambda a: a.astype("<U1"), "'mask' is <U1 of shape (3,)"),
        ("mask", lambda a: 0.5 + a.astype("<f2"), "array 'mask' holds 0.5: it must be a whole number"),
        ("inputs", lambda a: 16777217 + 0 * a.astype("<i8"), "'inputs' is int64 and holds 16777217: float32 does not"),
        ("inputs", lambda a: 2**63 - 1 + 0 * a.astype("<i8"), "holds 9223372036854775807: float32 does not"),
        ("inputs", lambda a: 2**64 - 1 + 0 * a.astype("<u8"), "holds 18446744073709551615: float32 does not"),
        ("mask", lambda a: a[:, None], "'mask' is float32 of shape (3, 1)"),
        ("mask", lambda a: a[:2], "'mask' is float32 of shape (2,)"),
        ("mask", lambda a: a[0], "'mask' is float32 of shape ()"),
        ("initial_memory", lambda a: a.T.copy(), "'initial_memory' is float32 of shape (2, 3)"),
        ("inputs", lambda a: a.view([("a", "<f4"), ("b", "<f4"), ("c", "<f4")]), "'inputs' is"),
        ("header", lambda a: a.astype(np.int16), "array 'header' must be one row of bytes, not int16"),
        ("header", lambda a: a[None], "array 'header' must be one row of bytes"),
    ],
)
def test_an_array_of_the_wrong_kind(name: str, change: Callable[[Any], Any], words: str) -> None:
    array = np.load(io.BytesIO(members()[f"{name}.npy"]))
    assert words in refusal(with_member(f"{name}.npy", npy(change(array))))


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in ("mask", "phase") for kind in ("?", "u1", "<i4", ">i8", "<f2", ">f4")]
    + [("inputs", ">f4"), ("initial_memory", ">f4"), ("weighting", ">f4")],
)
def test_an_array_of_another_kind_whose_numbers_survive(name: str, kind: str) -> None:
    assert_same(load_trace(with_member(f"{name}.npy", npy(TRACE[name].astype(kind)))), TRACE)


def test_arrays_of_whole_numbers_and_halves_are_read_as_they_are() -> None:
    rows = np.array([[0, 1, -3]] * 3)
    for kind in ("<i8", "<f2", ">i2"):
        found = load_trace(with_member("inputs.npy", npy(rows.astype(kind))))
        assert found["inputs"].tolist() == rows.tolist()
    nothing = np.full((3, 2), np.nan, np.float16)
    assert np.isnan(load_trace(with_member("targets.npy", npy(nothing)))["targets"]).all()


@pytest.mark.parametrize("name", ["initial_memory", "weighting", "inputs"])
def test_fortran_order_is_read(name: str) -> None:
    assert_same(load_trace(with_member(f"{name}.npy", npy(np.asfortranarray(TRACE[name])))), TRACE)


def test_an_array_that_ends_too_soon() -> None:
    assert "'mask' ends after 4 of 12 bytes" in refusal(with_member("mask.npy", members()["mask.npy"][:-8]))


def test_an_array_that_goes_on_too_long() -> None:
    refusal(with_member("mask.npy", members()["mask.npy"] + b"more"))


class Mark:
    """Pickles to a call that leaves a mark."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["header.npy", "mask.npy", "weighting.npy"])
def test_pickled_content_is_refused_and_never_run(name: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    objects = np.empty(1, object)
    objects[0] = Mark(mark)
    assert "holds pickled objects, which are never read" in refusal(with_member(name, npy(objects, allow_pickle=True)))
    assert "not a numpy array" in refusal(with_member(name, pickle.dumps(Mark(mark))))
    assert not mark.exists()


NPY_HEADERS = [
    "",
    "{}",
    "[]",
    "1",
    "{'descr': '<f4', 'fortran_order': False}",
    "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3.0,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,)}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': 'nonsense', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': [('a', '<f4'), ('a', '<f4')], 'fortran_order': False, 'shape': (3,)}",
    "{'descr': ('<f4', -1), 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}",
    "__import__('os').getcwd()",
    "\0",
    "(" * 200 + ")" * 200,
]
BAD_NPY_HEADERS = {
    "an unhashable key": "{[]: 1}",
    "an open string": "'''",
    "an uneven indent": "\n  x\n y",
    "a Python 2 number": "{'descr': '<f4', 'fortran_order': False, 'shape': (3L,)}",
    "a deprecated type": "{'descr': 'a', 'fortran_order': False, 'shape': (3,)}",
    "open brackets": "(" * 500,
}


@pytest.mark.parametrize("name", ["header.npy", "weighting.npy"])
@pytest.mark.parametrize("text", NPY_HEADERS)
def test_a_member_with_a_broken_array_header(text: str, name: str) -> None:
    refusal(with_member(name, raw_npy(text, b"\0" * 12)))


@pytest.mark.parametrize("name", ["header.npy", "weighting.npy"])
@pytest.mark.parametrize("case", BAD_NPY_HEADERS)
def test_a_member_with_an_array_header_that_upsets_the_parser(case: str, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refusal(with_member(name, raw_npy(BAD_NPY_HEADERS[case], b"\0" * 12)))


def test_an_array_header_too_nested_for_the_parser() -> None:
    refusal(with_member("header.npy", raw_npy("-" * 9000 + "1")))


@pytest.mark.parametrize("version", [0, 2, 3, 4, 255])
def test_a_member_of_another_numpy_version(version: int) -> None:
    """Version 2, a longer header, is read as the array it is; the others are refused."""
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}"
    data = with_member("mask.npy", raw_npy(text, TRACE["mask"].tobytes(), version))
    if version == 2:
        assert_same(load_trace(data), TRACE)
    else:
        assert "'mask' is not a numpy array" in refusal(data)


def test_a_member_whose_header_length_lies() -> None:
    for lie in (
        b"\x93NUMPY\x01\x00\xff\xff{}",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}",
        b"\x93NUMPY\x01\x00",
        b"\x93NUM",
    ):
        assert "'mask' is not a numpy array" in refusal(with_member("mask.npy", lie))


# The trace's own header


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda h: h.update(version=2), "version 2 is unknown"),
        (lambda h: h.update(version=None), "version None is unknown"),
        (lambda h: h.update(format="npz"), "format must be"),
        (lambda h: h.update(dtype="float64"), "must be float64"),
        (lambda h: h.update(surprise=1), "surprise is 1"),
        (lambda h: h["config"].update(memory_size=4), "axes do not follow"),
        (lambda h: h["config"].update(memory_size=0), "memory_size is 0"),
        (lambda h: h["config"].update(similarity="x"), "similarity is 'x'"),
        (lambda h: (h.update(steps=4), h["axes"].update(step=4)), "must be float32 of (4,"),
        (lambda h: (h.update(steps=10**6), h["axes"].update(step=10**6)), "header asks for"),
        (lambda h: h["fields"]["step"].pop(), "fields do not follow"),
    ],
)
def test_a_header_that_does_not_fit_its_arrays(change: Callable[[Header], object], words: str) -> None:
    assert words in refusal(with_header(change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda h: h.update(steps="3"), "steps is '3': Input should be a valid integer"),
        (lambda h: h.update(steps=0), "steps is 0: Input should be greater than or equal to 1"),
        (lambda h: h.pop("steps"), "steps is missing: it has no default"),
        (lambda h: h.pop("config"), "config is missing: it has no default"),
        (lambda h: h["config"].update(similarity="x"), "config.similarity is 'x': Input should be "),
        (lambda h: h.update(interventions=5), "interventions is 5: Input should be a valid tuple"),
    ],
)
def test_a_fault_is_told_without_what_would_follow_from_it(change: Callable[[Header], object], words: str) -> None:
    def bare(header: Header) -> None:
        for name in ("warnings", "input_channels", "output_channels", "heads", "shifts", "axes", "fields"):
            del header[name]
        change(header)

    told = refusal(with_header(bare))
    assert told.startswith(f"the header breaks the schema: {words}")
    assert ";" not in told


def test_a_header_without_a_phase() -> None:
    assert "the header's phases is []: at least one must be named" in refusal(
        with_header(lambda h: h.update(phases=[]))
    )


def test_arrays_may_take_no_more_than_the_file_may_unpack_to() -> None:
    """Truth values take a quarter of the room in the file."""
    trace = a_trace(small_config(), 4000)
    parts = {name: npy(np.load(io.BytesIO(part)) > 0) for name, part in members(trace_bytes(trace)).items()}
    data = archive_of(parts | {"header.npy": members(trace_bytes(trace))["header.npy"]})
    total = sum(len(part) for part in members(data).values())
    assert "more bytes of arrays than the limit" in refusal(data, max_bytes=total)
    assert len(load_trace(data, max_bytes=4 * total)) == 4000


@pytest.mark.parametrize("steps", [14 * 10**7, 2**28 + 1, 10**9, 10**12, 10**30])
def test_a_header_of_more_steps_than_numpy_can_lay_out(steps: int) -> None:
    """16 bytes a step: 1.4e8 steps wrap to a negative size, 2^28 + 1 to one of 16 bytes for 4 GiB of arrays."""
    header = TraceHeader.of(small_config(input_size=1, output_size=1), steps)
    text = np.frombuffer(header.model_dump_json().encode(), np.uint8)
    assert "the header asks for" in refusal(with_member("header.npy", npy(text)))


def test_a_header_of_a_larger_memory_than_numpy_can_lay_out() -> None:
    """65536 × 4096 in float64 are 2 GiB; every array before M_0 is as it should be."""
    header = TraceHeader.of(small_config(memory_size=65536, word_size=4096, controller_size=2), 3, dtype="float64")
    text = np.frombuffer(header.model_dump_json().encode(), np.uint8)
    parts = {name: npy(np.load(io.BytesIO(part)).astype("<f8")) for name, part in members().items()}
    refusal(archive_of(parts | {"header.npy": npy(text)}))


def test_a_header_that_is_no_json() -> None:
    for text in (b"", b"{", b"\xff\xfe", b"[" * 50_000, b"nul"):
        refusal(with_member("header.npy", npy(np.frombuffer(text, np.uint8))))


# Archives that lie about their sizes


def central_entry(data: bytes, name: str) -> int:
    """Where the central directory's entry of a member begins."""
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(name.encode()))
    assert data[at + 46 : at + 46 + len(name)] == name.encode()
    return at


def with_claim(data: bytes, name: str, *, size: int) -> bytes:
    """The same archive with another unpacked size in its directory."""
    changed = bytearray(data)
    struct.pack_into("<I", changed, central_entry(data, name) + 24, size)
    return bytes(changed)


def peak_while(function: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    bomb = with_member("mask.npy", members()["mask.npy"] + bytes(60 << 20))
    assert len(bomb) < 1 << 20
    assert peak_while(lambda: refusal(bomb)) < 4 << 20
    assert "unpacks to" in refusal(bomb, max_bytes=1 << 20)


def test_a_bomb_in_the_header_is_refused_before_it_unpacks() -> None:
    bomb = with_member("header.npy", members()["header.npy"] + bytes(20 << 20))
    assert peak_while(lambda: refusal(bomb)) < 4 << 20
    assert "the header has" in refusal(bomb)


def test_a_bomb_that_claims_to_be_small_unpacks_no_further_than_it_claims() -> None:
    parts = members()
    honest = len(parts["mask.npy"])
    bomb = with_claim(with_member("mask.npy", parts["mask.npy"] + bytes(20 << 20)), "mask.npy", size=honest)
    assert peak_while(lambda: refusal(bomb)) < 4 << 20


def test_a_member_that_claims_more_than_it_holds() -> None:
    assert "unpacks to" in refusal(with_claim(DATA, "mask.npy", size=(1 << 32) - 2))
    assert "'mask' has" in refusal(with_claim(DATA, "mask.npy", size=1 << 20))
    refusal(with_claim(DATA, "mask.npy", size=1))


def test_an_archive_may_not_unpack_beyond_the_limit() -> None:
    total = sum(len(part) for part in members().values())
    assert_same(load_trace(DATA, max_bytes=total), TRACE)
    assert f"unpacks to {total} bytes, more than the limit of {total - 1}" in refusal(DATA, max_bytes=total - 1)


@pytest.mark.parametrize(
    "compression",
    [
        zipfile.ZIP_STORED,
        zipfile.ZIP_BZIP2,
        zipfile.ZIP_LZMA,
    ],
)
def test_a_member_compressed_otherwise(compression: int) -> None:
    data = archive_of(members(), compression)
    assert_same(load_trace(data), TRACE)
    for name in ("mask.npy", "weighting.npy"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            start = archive.getinfo(name).header_offset + 30 + len(name)
        for offset in range(24):
            damaged = bytearray(data)
            damaged[start + offset] ^= 0xFF
            outcome(bytes(damaged))


def test_an_encrypted_member() -> None:
    damaged = bytearray(DATA)
    damaged[central_entry(DATA, "mask.npy") + 8] |= 1
    refusal(bytes(damaged))


# Damage anywhere


def outcome(data: bytes) -> None:
    """Loading either works or is a TraceError; every other exception fails the test."""
    with suppress(TraceError):
        load_trace(data)


@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=200)
def test_flipped_bytes_are_only_ever_a_trace_error(flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(DATA)
    for at, value in flips:
        damaged[at] = value
    outcome(bytes(damaged))


@given(st.binary(max_size=200), st.integers(0, len(DATA)), st.integers(0, 60))
@settings(max_examples=150)
def test_spliced_bytes_are_only_ever_a_trace_error(piece: bytes, at: int, gone: int) -> None:
    outcome(DATA[:at] + piece + DATA[at + gone :])


def structure(data: bytes) -> dict[str, range]:
    """The bytes of one local header, the start of its data, one directory entry and the end record."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        local = archive.getinfo("mask.npy").header_offset
    central, end = central_entry(data, "mask.npy"), data.rindex(b"PK\x05\x06")
    return {"local": range(local, local + 90), "central": range(central, central + 54), "end": range(end, end + 22)}


@pytest.mark.parametrize("value", [0x00, 0x01, 0x7F, 0x80, 0xFF])
@pytest.mark.parametrize("part", ["local", "central", "end"])
def test_every_byte_of_the_archive_structure(part: str, value: int) -> None:
    for at in structure(DATA)[part]:
        damaged = bytearray(DATA)
        damaged[at] = value
        outcome(bytes(damaged))


def test_a_directory_that_points_before_the_file() -> None:
    damaged = bytearray(DATA)
    end = DATA.rindex(b"PK\x05\x06")
    struct.pack_into("<I", damaged, end + 12, len(DATA))  # the directory's size
    refusal(bytes(damaged))
    damaged = bytearray(DATA)
    struct.pack_into("<I", damaged, central_entry(DATA, "header.npy") + 42, 0xFFFFFFF0)  # the member's offset
    refusal(bytes(damaged))
