"""A trace in the three forms in which it travels: a stream of frames, a JSON document, an .npz file.

A stream can be of a part: some steps from one on, for a reader who is ahead of what has arrived. It is a stream like
any other, of a run that begins in the state in which the machine was there. The whole run is recorded for it if it is
not kept, and then kept if there is room; until that is over, nothing is sent.

Each is an async iterator of bytes. Until its first bytes an error is still an answer of its own; in a stream that has
begun it becomes the last frame.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from pydantic_core import to_json

from ntm_core.errors import NtmError
from ntm_core.trace import Array, Trace
from ntm_core.trace_file import trace_bytes
from server import wire
from server.coded_steps import Position
from server.errors import Mismatch, Refusal
from server.recorder import Recorded, Run
from server.stores.recorded import Frame
from server.wire import Kind, StreamFailure, TraceEnd
from server.wire_header import Origin

Format = Literal["stream", "json", "npz"]

logger = logging.getLogger("ntm_scope")

_FRAME_BYTES = 512 * 1024
"""As many steps are put into one frame as have this size uncoded, so that no copy grows with the trace."""

_FIRST_SECONDS = 0.005
"""For so long a machine runs before its first steps are sent: a compiled one has recorded a short trace by then."""

_JSON_NUMBERS = 64 * 1024


@dataclass(frozen=True)
class Part:
    """Some steps of a run: from `first` on, `count` at most, or all; the first of the run is 0."""

    first: int
    count: int | None

    def of(self, steps: int) -> tuple[int, int]:
        """The first step and how many there are, of a run of so many; Mismatch if there is none."""
        if self.first >= steps:
            raise Mismatch(f"first is {self.first}: the trace has {steps} steps, so {steps - 1} is the last", "first")
        return self.first, min(steps - self.first, self.count or steps)


class Prepared(Recorded, Protocol):
    """A recording whose trace may be kept, or what stands for one."""

    @property
    def name(self) -> str:
        """Of the run: two of one name have the same numbers."""

    @property
    def kept(self) -> bool:
        """Whether the whole run was known."""

    @property
    def frames(self) -> Sequence[Frame]:
        """The first steps as they travel, as far as they are known from before."""

    @property
    def computed(self) -> int:
        """How many steps a machine has computed for it."""

    @property
    def may_be_refused(self) -> bool:
        """Whether only the run can tell if the request is to be refused."""

    @property
    def episode(self) -> Array:
        """The arrays of the episode."""

    @property
    def initial(self) -> Array:
        """The arrays of the state before step 1."""

    @property
    def records(self) -> Array:
        """The step records, as far as they are complete."""

    def trace(self) -> Trace:
        """The finished trace."""

    def position_after(self, steps: int) -> Position:
        """Where the stream is after so many of the steps that are known from before."""

    def keep_frames(self, frames: Sequence[Frame]) -> None:
        """Keep the steps as they travel."""


async def stream(run: Run, prepare: Callable[[], Prepared]) -> AsyncGenerator[bytes]:
    """Frames: all that is known at once, then the steps soon after they are recorded, then the end or what went wrong.

    A short trace comes whole. Where only the run can tell that the request is to be refused, nothing is sent before it
    is over.
    """
    pieces, begun, last = _pieces(run, prepare), False, False
    try:
        while not last:
            piece, last = await run.call(lambda: next(pieces))
            if piece:
                begun = True
                yield piece
    except Exception as error:
        if not begun:
            raise
        # The status is sent: a frame is the only way left to say it.
        yield wire.text_frame(Kind.ERROR, _failure(error))


def _pieces(run: Run, prepare: Callable[[], Prepared]) -> Iterator[tuple[bytes, bool]]:
    """What each turn of a thread has to send, maybe nothing, and whether it is the last."""
    recording = prepare()
    frames = _Frames(recording)
    origin = Origin(run=recording.name, kept=recording.kept)
    piece = wire.opening_frames(recording.header, recording.episode, recording.initial, origin)
    piece += b"".join(data for _, data in frames.made)
    steps, total = recording.run(), recording.header.steps
    while recording.may_be_refused and not run.exhausted:
        run.take(steps, total)
        yield b"", False
    seconds: float | None = _FIRST_SECONDS
    while True:
        if frames.sent >= run.complete:
            run.take(steps, total, seconds)
        piece += frames.following(run.complete)
        if run.exhausted and frames.sent == run.complete:
            break
        yield piece, False
        piece, seconds = b"", None
    end = _end_frame(recording.trace(), _seconds(run, recording))
    recording.keep_frames(frames.made)
    yield piece + end, True


class _Frames:
    """The steps of a recording as frames, one after the other.

    Attributes:
        made: the frames so far, those that are known from before first.
        sent: how many steps there are in them.
    """

    def __init__(self, recording: Prepared) -> None:
        self._recording = recording
        self.made = list(recording.frames)
        self.sent = sum(steps for steps, _ in self.made)
        self._position: Position | None = None

    def following(self, complete: int) -> bytes:
        """The next frame, of steps that are complete; nothing if all of these have been sent."""
        if self.sent >= complete:
            return b""
        recording = self._recording
        if self._position is None:
            self._position = recording.position_after(self.sent)
        records = recording.records[self.sent : min(complete, self.sent + _most_records(recording.records))]
        frame, self._position = wire.steps_frame(recording.header, self._position, records)
        self.made.append((len(records), frame))
        self.sent += len(records)
        return frame


def _seconds(run: Run, recording: Prepared) -> float:
    """How long a machine ran; 0 if nothing had to be computed."""
    return run.seconds if recording.computed else 0.0


def _most_records(records: Array) -> int:
    return max(1, _FRAME_BYTES // records.dtype.itemsize)


async def part(run: Run, prepare: Callable[[], Prepared], asked: Part) -> AsyncGenerator[bytes]:
    """Frames of some steps, once the whole trace has been recorded."""
    recording = await run.call(prepare)
    asked.of(recording.header.steps)
    trace = await _finished(run, recording)
    end, origin = _end(trace, _seconds(run, recording)), Origin(run=recording.name, kept=recording.kept)
    pieces = _frames(trace, end, asked, origin, run.check)
    while piece := await run.call(lambda: next(pieces, b"")):
        yield piece


async def document(run: Run, prepare: Callable[[], Prepared]) -> AsyncGenerator[bytes]:
    """One JSON document (`schemas.TraceDocument`), once the whole trace has been recorded."""
    trace = await _recorded(run, prepare)
    pieces = _json_pieces(trace, _end(trace, run.seconds))
    while piece := await run.call(lambda: next(pieces, b"")):
        yield piece


async def archive(run: Run, prepare: Callable[[], Prepared]) -> AsyncGenerator[bytes]:
    """One trace file, as `ntm_core.trace_file` reads it, once the whole trace has been recorded."""
    trace = await _recorded(run, prepare)
    yield await run.call(lambda: trace_bytes(trace))


async def _recorded(run: Run, prepare: Callable[[], Prepared]) -> Trace:
    return await _finished(run, await run.call(prepare))


async def _finished(run: Run, recording: Prepared) -> Trace:
    async for _ in run.steps(recording):
        pass
    return recording.trace()


async def stored(run: Run, load: Callable[[], Trace], form: Format, asked: Part | None = None) -> AsyncGenerator[bytes]:
    """A trace that lies in a file, in any of the forms, or a part of it; nothing ran, so its end says 0 seconds."""
    trace = await run.call(load)
    end = _end(trace, 0.0)
    if form == "npz":
        yield await run.call(lambda: trace_bytes(trace))
        return
    pieces = _frames(trace, end, asked, Origin(kept=True), run.check) if form == "stream" else _json_pieces(trace, end)
    while piece := await run.call(lambda: next(pieces, b"")):
        yield piece


def _frames(
    trace: Trace, end: TraceEnd, asked: Part | None, origin: Origin, check: Callable[[], None]
) -> Iterator[bytes]:
    """The frames of a whole trace, or of a part of it."""
    if asked is not None:
        first, steps = asked.of(len(trace))
        trace, origin = trace.part(first, steps, check), origin.model_copy(update={"first": first})
    yield wire.opening_frames(trace.header, trace.episode, trace.initial, origin)
    position, most = Position.at_start(trace.initial), _most_records(trace.records)
    for start in range(0, len(trace), most):
        frame, position = wire.steps_frame(trace.header, position, trace.records[start : start + most])
        yield frame
    yield wire.text_frame(Kind.END, end)


def _end_frame(trace: Trace, seconds: float) -> bytes:
    return wire.text_frame(Kind.END, _end(trace, seconds))


def _end(trace: Trace, seconds: float) -> TraceEnd:
    return TraceEnd(wrong_bits=trace.wrong_bits, loss_bits=trace.loss_bits, seconds=seconds, violation=trace.violation)


def _failure(error: Exception) -> StreamFailure:
    if isinstance(error, Refusal):
        return StreamFailure(code=error.code, message=error.detail)
    if isinstance(error, NtmError):
        return StreamFailure(code=error.code, message=str(error))
    logger.error("a trace broke off", exc_info=error)
    return StreamFailure(code="internal_error", message="the trace broke off inside the server; its log says why")


def _json_pieces(trace: Trace, end: TraceEnd) -> Iterator[bytes]:
    """The document in pieces, so that never all of its numbers are Python objects at once."""
    yield b'{"header":' + trace.header.model_dump_json().encode()
    for group, holder in (("episode", trace.episode), ("initial", trace.initial), ("step", trace.records)):
        for position, name in enumerate(holder.dtype.names or ()):
            yield (f',"{group}":{{' if position == 0 else ",").encode() + f'"{name}":'.encode()
            yield from _json_array(holder[name])
        yield b"}"
    yield b',"end":' + end.model_dump_json().encode() + b"}"


def _json_array(array: Array) -> Iterator[bytes]:
    """An array as nested lists, some rows at a time; null where a number is not finite."""
    rows = max(1, _JSON_NUMBERS * len(array) // max(1, array.size))
    for start in range(0, len(array), rows):
        text = to_json(np.asarray(array[start : start + rows]).tolist(), inf_nan_mode="null")
        yield (b"[" if start == 0 else b",") + text[1:-1]
    yield b"]"
