"""The trace stream in bytes, written and read: server/WIRE.md is its page.

A stream is a sequence of frames. A frame is two little-endian unsigned 32-bit numbers, the payload's length and its
kind, and the payload, whose length is a multiple of 4.
"""

import json
import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ntm_core.config import describe_validation_error
from ntm_core.errors import TraceError
from ntm_core.interventions import Violation
from ntm_core.trace import Array, Group, Trace, TraceHeader
from server.coded_steps import Position, decoded, encoded
from server.coding import coding_of
from server.wire_header import WHOLE, Origin, header_text, parse_header

MEDIA_TYPE = "application/vnd.ntm-scope.trace"
DEFAULT_MAX_BYTES = 1 << 30
"""The longest trace, without its header, that a reader puts together unless the caller says otherwise."""

_PREFIX = struct.Struct("<II")
_MAX_TEXT_BYTES = 1 << 20
_ITEM_BYTES = {"float32": 4, "float64": 8}

Document = TypeVar("Document", bound=BaseModel)


class Kind(IntEnum):
    """What a frame holds."""

    HEADER = 1
    EPISODE = 2
    INITIAL = 3
    STEPS = 4
    END = 5
    ERROR = 6
    CODED_STEPS = 7


_GROUPS: dict[int, Group] = {
    Kind.EPISODE: "episode",
    Kind.INITIAL: "initial",
    Kind.STEPS: "step",
    Kind.CODED_STEPS: "step",
}


class TraceEnd(BaseModel):
    """The last frame of a whole trace: how well the machine did."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")

    wrong_bits: float | None = Field(description="Asked bits on the wrong side of ½; null if none was asked or known.")
    loss_bits: float | None = Field(description="Cross entropy of the asked bits, in bits; null if not a number.")
    seconds: float = Field(description="How long the machine ran.")
    violation: Violation | None = Field(
        None, description="The first constraint that an intervention left; null if none did."
    )


class StreamFailure(BaseModel):
    """The last frame of a trace that broke off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    message: str


class TraceFailedError(Exception):
    """The writer of a stream said that its trace broke off; `failure` says why."""

    def __init__(self, failure: StreamFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def frame(kind: Kind, payload: bytes) -> bytes:
    """One frame; the payload's length must be a multiple of 4."""
    if len(payload) % 4:
        raise ValueError(f"the payload has {len(payload)} bytes: a frame's length is a multiple of 4")
    return _PREFIX.pack(len(payload), kind) + payload


def opening_frames(header: TraceHeader, episode: Array, initial: Array, origin: Origin = WHOLE) -> bytes:
    """All that is known before the first step: the header, episode and initial frames."""
    return (
        header_frame(header, origin) + frame(Kind.EPISODE, episode.tobytes()) + frame(Kind.INITIAL, initial.tobytes())
    )


def header_frame(header: TraceHeader, origin: Origin = WHOLE) -> bytes:
    """The first frame of a stream."""
    return _text_frame(Kind.HEADER, header_text(header, origin))


def steps_frame(header: TraceHeader, position: Position, records: Array) -> tuple[bytes, Position]:
    """One or more whole step records in one frame, and the position of the stream after them."""
    if not coding_of(header):
        return frame(Kind.STEPS, records.tobytes()), position
    payload, position = encoded(header, position, records)
    return frame(Kind.CODED_STEPS, payload), position


def text_frame(kind: Kind, document: BaseModel) -> bytes:
    """A frame of JSON."""
    return _text_frame(kind, document.model_dump_json().encode())


def _text_frame(kind: Kind, text: bytes) -> bytes:
    """A frame of JSON, padded with spaces."""
    return frame(kind, text + b" " * (-len(text) % 4))


@dataclass(frozen=True)
class ReadTrace:
    """A trace as a stream brought it, and what its end said."""

    trace: Trace
    end: TraceEnd


class TraceReader:
    """Puts a stream together as it arrives, in pieces of any size; trusts nothing of it.

    `feed` takes bytes; `header`, `steps` and `end` say what has arrived; `result` is the whole trace. `TraceError` says
    which rule of the format the stream broke, `TraceFailedError` carries the writer's own error frame.
    """

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.header: TraceHeader | None = None
        self.end: TraceEnd | None = None
        self._max_bytes = max_bytes
        self._pending = bytearray()
        self._failure: StreamFailure | None = None
        self._sizes: dict[Group, int] = {}
        self._parts: dict[Group, bytearray] = {}
        self._position: Position | None = None

    @property
    def steps(self) -> int:
        """How many whole steps have arrived."""
        return len(self._parts["step"]) // self._sizes["step"] if self._sizes else 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._pending += data
        for kind, payload in self._complete_frames():
            self._accept(kind, payload)

    def result(self) -> ReadTrace:
        """The whole trace, once the stream is over."""
        if self._failure is not None:
            raise TraceFailedError(self._failure)
        if self.header is None or self.end is None or self._pending:
            expected = self.header.steps if self.header else "unknown"
            raise TraceError(f"the stream ended early, after {self.steps} of {expected} steps")
        holders = {
            group: np.frombuffer(bytes(self._parts[group]), self.header.record_dtype(group)) for group in self._parts
        }
        episode, initial = holders["episode"].reshape(()), holders["initial"].reshape(())
        return ReadTrace(Trace(self.header, episode, initial, holders["step"], self.end.violation), self.end)

    def _complete_frames(self) -> Iterator[tuple[int, bytes]]:
        """The frames that have arrived whole, taken off the pending bytes."""
        while len(self._pending) >= _PREFIX.size:
            length, kind = _PREFIX.unpack_from(self._pending)
            self._check_prefix(length, kind)
            if len(self._pending) < _PREFIX.size + length:
                return
            payload = bytes(self._pending[_PREFIX.size : _PREFIX.size + length])
            del self._pending[: _PREFIX.size + length]
            yield kind, payload

    def _check_prefix(self, length: int, kind: int) -> None:
        if kind not in set(Kind):
            raise TraceError(f"a frame has kind {kind}: it must be one of {', '.join(str(int(k)) for k in Kind)}")
        if length % 4:
            raise TraceError(f"a frame of kind {kind} has length {length}: it must be a multiple of 4")
        limit = _MAX_TEXT_BYTES if kind in (Kind.HEADER, Kind.END, Kind.ERROR) else self._max_bytes
        if length > limit:
            raise TraceError(f"a frame of kind {kind} has length {length}: the limit is {limit}")

    def _accept(self, kind: int, payload: bytes) -> None:
        if self.end is not None or self._failure is not None:
            raise TraceError(f"a frame of kind {kind} follows the last one")
        if kind == Kind.ERROR:
            self._failure = _parse(StreamFailure, payload)
        elif kind == Kind.HEADER:
            self._accept_header(payload)
        elif self.header is None:
            raise TraceError(f"the first frame has kind {kind}: it must be the header, kind {int(Kind.HEADER)}")
        elif kind == Kind.END:
            self._accept_end(self.header, payload)
        else:
            self._accept_numbers(self.header, kind, payload)

    def _accept_header(self, payload: bytes) -> None:
        if self.header is not None:
            raise TraceError("a second header arrived")
        header = parse_header(payload)
        groups: tuple[Group, ...] = ("episode", "initial", "step")
        sizes = {group: _record_bytes(header, group) for group in groups}
        total = sizes["episode"] + sizes["initial"] + sizes["step"] * header.steps
        if total > self._max_bytes:
            raise TraceError(f"the header announces {total} bytes: the limit is {self._max_bytes}")
        self.header, self._sizes = header, sizes
        self._parts = {group: bytearray() for group in groups}

    def _accept_numbers(self, header: TraceHeader, kind: int, payload: bytes) -> None:
        order: tuple[Group, ...] = ("episode", "initial", "step")
        group = _GROUPS[kind]
        if group == "step" and (kind == Kind.CODED_STEPS) != bool(coding_of(header)):
            raise TraceError(f"a frame of steps has kind {kind}: the header's coding asks for the other one")
        earlier = order[: order.index(group)]
        if any(not self._parts[before] for before in earlier) or (group != "step" and self._parts[group]):
            raise TraceError(f"the {group} frame is out of order")
        if kind == Kind.CODED_STEPS:
            payload = self._decoded(header, payload)
        size = self._sizes[group]
        whole = header.steps * size if group == "step" else size
        if not payload or len(payload) % size or len(self._parts[group]) + len(payload) > whole:
            raise TraceError(
                f"the {group} frame has {len(payload)} bytes: it must hold whole records of {size}, "
                f"{(whole - len(self._parts[group])) // size} at most"
            )
        self._parts[group] += payload

    def _decoded(self, header: TraceHeader, payload: bytes) -> bytes:
        """The step records in a frame of coded ones."""
        if self._position is None:
            initial = np.frombuffer(bytes(self._parts["initial"]), header.record_dtype("initial"))
            self._position = Position.at_start(initial[0])
        records, self._position = decoded(header, self._position, payload, header.steps - self.steps)
        return records.tobytes()

    def _accept_end(self, header: TraceHeader, payload: bytes) -> None:
        if self.steps != header.steps:
            raise TraceError(f"the end frame came after {self.steps} of {header.steps} steps")
        self.end = _parse(TraceEnd, payload)


def read_trace(chunks: Iterable[bytes], max_bytes: int = DEFAULT_MAX_BYTES) -> ReadTrace:
    """The trace in a stream's chunks, split anywhere; `TraceError` or `TraceFailedError` if it is not whole."""
    reader = TraceReader(max_bytes)
    for chunk in chunks:
        reader.feed(chunk)
    return reader.result()


def _record_bytes(header: TraceHeader, group: Group) -> int:
    """The size of one record of a group, reckoned without building it."""
    numbers = sum(math.prod(header.axes[axis] for axis in field.axes) for field in header.fields[group])
    return numbers * _ITEM_BYTES[header.dtype]


def _parse(model: type[Document], payload: bytes) -> Document:
    """The JSON of a frame as `model`."""
    try:
        return model.model_validate(json.loads(payload))
    except ValidationError as error:
        raise TraceError(f"the {model.__name__} frame is wrong: {describe_validation_error(error)}") from None
    except (ValueError, RecursionError) as error:
        raise TraceError(f"the {model.__name__} frame is not JSON: {error}") from None
