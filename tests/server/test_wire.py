import json
import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_core.errors import TraceError
from ntm_core.recording import record
from ntm_core.tasks import parse_task
from ntm_core.trace import EPISODE_FIELDS, INITIAL_FIELDS, STEP_FIELDS, Trace, TraceHeader
from server import wire
from server.coded_steps import Position
from server.wire import Kind, StreamFailure, TraceEnd, TraceFailedError, TraceReader, read_trace
from server.wire_header import Origin, header_text
from tests.server.conftest import small_machine

END = TraceEnd(wrong_bits=3.0, loss_bits=float("nan"), seconds=0.5)
PAGE = Path(wire.__file__).with_name("WIRE.md").read_text(encoding="utf-8")


def recorded(**fields: Any) -> Trace:
    task = parse_task({"name": "copy", "bits": 2, "lengths": [3, 3]})
    return record(small_machine(**fields), task.episodes(0))


TRACE = recorded(write_heads=2)


def frames_of(trace: Trace, steps_a_frame: int = 3) -> Iterator[bytes]:
    yield wire.opening_frames(trace.header, trace.episode, trace.initial)
    position = Position.at_start(trace.initial)
    for start in range(0, len(trace), steps_a_frame):
        frame, position = wire.steps_frame(trace.header, position, trace.records[start : start + steps_a_frame])
        yield frame
    yield wire.text_frame(Kind.END, END)


STREAM = b"".join(frames_of(TRACE))


def raw_frame(kind: int, payload: bytes) -> bytes:
    return struct.pack("<II", len(payload), kind) + payload


def assert_same(found: Trace, expected: Trace) -> None:
    assert found.header == expected.header
    for part in ("episode", "initial", "records"):
        assert getattr(found, part).tobytes() == getattr(expected, part).tobytes()


@pytest.mark.parametrize("fields", [{}, {"controller": "gru"}, {"controller": "feedforward", "read_heads": 3}])
def test_what_is_written_is_read(fields: dict[str, Any]) -> None:
    trace = recorded(**fields)
    read = read_trace(frames_of(trace))
    assert_same(read.trace, trace)
    assert read.end == TraceEnd(wrong_bits=3.0, loss_bits=None, seconds=0.5)


def test_float64_travels_as_float64() -> None:
    machine = small_machine().double()
    episode = parse_task({"name": "copy", "bits": 2, "lengths": [2, 2]}).episodes(0)
    header = TraceHeader.of(machine.config, len(episode), dtype="float64", phases=episode.phases)
    trace = record(machine, episode, header)
    read = read_trace(frames_of(trace))
    assert read.trace["weighting"].dtype == np.float64
    assert_same(read.trace, trace)


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_a_stream_may_be_split_anywhere(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:stop] for start, stop in pairwise(bounds)]
    assert_same(read_trace(pieces).trace, TRACE)


def test_steps_can_be_followed_as_they_arrive() -> None:
    reader = TraceReader()
    seen = []
    for piece in frames_of(TRACE, steps_a_frame=2):
        reader.feed(piece)
        seen.append(reader.steps)
    assert seen == [0, 2, 4, 6, 7, 7]
    assert reader.header == TRACE.header


@given(st.integers(0, len(STREAM) - 1))
def test_a_cut_stream_is_refused(length: int) -> None:
    with pytest.raises(TraceError, match="the stream ended early"):
        read_trace([STREAM[:length]])


@given(st.binary(max_size=200))
def test_bytes_that_are_no_stream_are_refused(data: bytes) -> None:
    with pytest.raises(TraceError):
        read_trace([data])


@given(st.integers(0, len(STREAM) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_changes_numbers_only(position: int, change: int) -> None:
    damaged = bytearray(STREAM)
    damaged[position] ^= change
    try:
        read = read_trace([bytes(damaged)])
    except (TraceError, TraceFailedError):
        return
    assert read.trace.header.steps == len(TRACE)
    assert read.trace.header.axes == TRACE.header.axes


@given(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.integers()) | st.just({"step": 7}),
    st.sampled_from(sorted(json.loads(TRACE.header.model_dump_json()))),
)
def test_a_header_with_any_one_wrong_value_is_refused_or_means_the_same(value: Any, key: str) -> None:
    header = json.loads(TRACE.header.model_dump_json())
    text = json.dumps(header | {key: value}).encode()
    reader = TraceReader()
    try:
        reader.feed(raw_frame(Kind.HEADER, text + b" " * (-len(text) % 4)))
    except TraceError:
        return
    assert reader.header is not None
    assert reader.header.fields == TRACE.header.fields


def header_with(**changes: Any) -> bytes:
    text = json.dumps(json.loads(header_text(TRACE.header)) | changes).encode()
    return raw_frame(Kind.HEADER, text + b" " * (-len(text) % 4))


HEADER = header_with()
OPENING = wire.opening_frames(TRACE.header, TRACE.episode, TRACE.initial)
EPISODE = wire.frame(Kind.EPISODE, TRACE.episode.tobytes())
INITIAL = wire.frame(Kind.INITIAL, TRACE.initial.tobytes())
STEPS, _ = wire.steps_frame(TRACE.header, Position.at_start(TRACE.initial), TRACE.records)
LAST = wire.text_frame(Kind.END, END)


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (raw_frame(8, b""), "kind 8"),
        (raw_frame(0, b""), "kind 0"),
        (raw_frame(Kind.STEPS, b"123"), "length 3: it must be a multiple of 4"),
        (struct.pack("<II", 1 << 30, Kind.HEADER), "length 1073741824: the limit is 1048576"),
        (struct.pack("<II", (1 << 32) - 4, Kind.STEPS), "length 4294967292: the limit is"),
        (EPISODE, "the first frame has kind 2"),
        (LAST, "the first frame has kind 5"),
        (HEADER + HEADER, "a second header"),
        (HEADER + INITIAL, "the initial frame is out of order"),
        (HEADER + EPISODE + STEPS, "the step frame is out of order"),
        (HEADER + EPISODE + EPISODE, "the episode frame is out of order"),
        (OPENING + EPISODE, "the episode frame is out of order"),
        (HEADER + raw_frame(Kind.EPISODE, b""), "it must hold whole records"),
        (HEADER + EPISODE + raw_frame(Kind.INITIAL, b"1234"), "it must hold whole records"),
        (OPENING + STEPS + STEPS, "it must hold 1 to 0"),
        (OPENING + STEPS[:8] + STEPS[8:-4], "the stream ended early"),
        (OPENING + LAST, "the end frame came after 0 of 7 steps"),
        (OPENING + STEPS + LAST + LAST, "follows the last one"),
        (STREAM + b"1", "the stream ended early"),
        (header_with(version=1), "stream version 1 is unknown"),
        (header_with(coding={}), "coding is {}: for this machine it is {'content_weighting': 'cosine'"),
        (header_with(seen_memory=["left"] * 3), "seen_memory is"),
        (OPENING + wire.frame(Kind.STEPS, TRACE.records.tobytes()), "has kind 4: the header's coding asks"),
        (header_with(format="other"), "format"),
        (header_with(steps=10**12), "axes do not follow"),
        (header_with(dtype="float16"), "dtype"),
        (raw_frame(Kind.HEADER, b"{   "), "not JSON"),
        (raw_frame(Kind.HEADER, b"[" * 100_000), "not JSON"),
        (OPENING + STEPS + raw_frame(Kind.END, b"{}  "), "wrong_bits"),
        (OPENING + STEPS + raw_frame(Kind.END, b"end "), "not JSON"),
        (OPENING + STEPS + raw_frame(Kind.END, b"\xff\xff\xff\xff"), "not JSON"),
        (b"", "after 0 of unknown steps"),
    ],
)
def test_a_stream_that_breaks_a_rule_is_refused_with_the_rule(stream: bytes, said: str) -> None:
    with pytest.raises(TraceError, match=re.escape(said)):
        read_trace([stream])


def test_a_header_that_announces_more_than_the_limit_is_refused() -> None:
    size = len(STREAM)
    with pytest.raises(TraceError, match="the limit is 1000"):
        read_trace([STREAM], max_bytes=1000)
    assert_same(read_trace([STREAM], max_bytes=size).trace, TRACE)


def test_a_huge_machine_in_a_header_is_refused_without_building_it() -> None:
    config = TRACE.header.config.model_dump(mode="json") | {"memory_size": 65536, "word_size": 4096, "read_heads": 64}
    huge = TraceHeader.of(type(TRACE.header.config).make(**config), 10**9)
    with pytest.raises(TraceError, match="the header announces"):
        TraceReader().feed(wire.header_frame(huge))


def test_the_writers_own_failure_reaches_the_reader() -> None:
    failure = StreamFailure(code="stopped", message="the recording was stopped")
    with pytest.raises(TraceFailedError, match="the recording was stopped") as caught:
        read_trace([OPENING, wire.text_frame(Kind.ERROR, failure)])
    assert caught.value.failure == failure


def test_a_frame_of_another_length_is_not_written() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        wire.frame(Kind.STEPS, b"123")


def test_json_frames_are_padded_and_hold_no_bare_nan() -> None:
    frame = wire.text_frame(Kind.END, TraceEnd(wrong_bits=None, loss_bits=float("inf"), seconds=1.0))
    assert len(frame) % 4 == 0
    assert json.loads(frame[8:]) == {"wrong_bits": None, "loss_bits": None, "seconds": 1.0, "violation": None}


def test_the_page_lists_every_field_with_its_axes() -> None:
    groups = {"episode": EPISODE_FIELDS, "initial": INITIAL_FIELDS, "step": STEP_FIELDS}
    listed = re.findall(
        r"^\| (episode|initial|step) \| `(\w+)` \| ([\w, ]+) \| ([^|]*) \| ([^|]*) \|$", PAGE, re.MULTILINE
    )
    assert [tuple(part.strip() for part in row) for row in listed] == [
        (group, field.name, ", ".join(field.axes), field.symbol, field.meaning)
        for group, fields in groups.items()
        for field in fields
    ]


def test_the_page_lists_every_kind_and_header_key() -> None:
    kinds = re.findall(r"^\| (\d) \| (\w+) \|", PAGE, re.MULTILINE)
    assert [(int(number), name) for number, name in kinds] == [(kind.value, kind.name.lower()) for kind in Kind]
    section = PAGE.partition("## Header")[2].partition("## Fields")[0]
    keys = {key for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)}
    assert keys == set(TraceHeader.model_fields) | {"coding", "seen_memory"} | set(Origin.model_fields)
    assert wire.MEDIA_TYPE in PAGE
