"""Step records as they travel: each weighting as what must be added to its prediction. server/WIRE.md describes it.

Coding is lossless whatever is predicted: corrections are differences of the numbers' bits, modulo 2^32.
"""

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ntm_core.compiled import core_for, is_ready
from ntm_core.config import MachineConfig
from ntm_core.errors import TraceError
from ntm_core.trace import Array, Trace, TraceHeader, memory_after_writes
from server.coding import coding_of, heads_by_memory, predicted, seen_memory_of

_NUMBER_BYTES = 4


@dataclass(frozen=True)
class Position:
    """Where a stream is: memory (location, word) and weightings (head, location) after the last step that travelled."""

    memory: Array
    weighting: Array

    @classmethod
    def at_start(cls, initial: Array) -> "Position":
        """Before step 1, from the arrays of the initial group."""
        return cls(initial["initial_memory"], initial["initial_weighting"])

    @classmethod
    def after(cls, trace: Trace, steps: int) -> "Position":
        """After so many steps of a trace."""
        if not steps:
            return cls.at_start(trace.initial)
        return cls(trace.memory_after(steps), trace["weighting"][steps - 1])


def encoded(header: TraceHeader, position: Position, records: Array) -> tuple[bytes, Position]:
    """The payload of a frame of these steps, one or more, and the position after them."""
    coded = _coded_by_kernel if header.core == "compiled" and is_warm() else _coded
    widths, corrections, after = coded(header, position, records)
    rows = records.view("<f4").reshape(len(records), -1)
    numbers = np.concatenate([rows[:, part] for part in _uncoded(header, records.dtype)], 1)
    payload = b"".join((len(records).to_bytes(4, "little"), numbers.tobytes(), widths.tobytes(), corrections))
    return payload + bytes(-len(payload) % 4), after


def _coded(header: TraceHeader, position: Position, records: Array) -> tuple[Array, bytes, Position]:
    """The widths of all rows, (step, field, head), their corrections, and the position after these steps."""
    coding = coding_of(header)
    with np.errstate(all="ignore"):
        found, left = _memories(header, position, records)
        previous = np.concatenate([position.weighting[None], records["weighting"][:-1]])
        expected = {name: np.zeros_like(records[name]) for name in coding}
        for seen, heads in heads_by_memory(header).items():
            memory = {"found": found, "left": left, None: None}[seen]
            for name in coding:
                expected[name][:, heads] = predicted(header, name, records, heads, memory, previous)
    away = np.stack([_bits(records[name]) - _bits(expected[name]) for name in coding], 1)
    widths = _widths(away)
    after = Position(position.memory if left is None else left[-1], records["weighting"][-1])
    return widths, _packed(away, widths), after


def _coded_by_kernel(header: TraceHeader, position: Position, records: Array) -> tuple[Array, bytes, Position]:
    """The same bytes for a trace of the compiled core, by compiled code."""
    kernel, config, coding = sys.modules[_KERNEL], header.config, coding_of(header)
    memory = np.array(position.memory.T, np.float32, order="C")
    weighting = np.array(position.weighting, np.float32)
    widths = np.empty((len(records), len(coding), config.heads), np.uint8)
    out = np.empty(_NUMBER_BYTES * widths.size * config.memory_size, np.uint8)
    fields: Mapping[str, Any] = records.dtype.fields or {}
    starts = [fields[name][1] // _NUMBER_BYTES if name in fields else -1 for name in kernel.FIELDS]
    rows = records.view("<f4").reshape(len(records), -1).copy()
    size = kernel.encode(
        rows,
        rows.view(np.int32),
        np.array(starts),
        memory,
        weighting,
        np.array([_SEEN[seen] for seen in seen_memory_of(header)]),
        config.read_heads,
        len(header.shifts),
        config.similarity_epsilon,
        config.shift_edge == "circular",
        config.write_order == "one_by_one",
        widths,
        out,
    )
    return widths, out[:size].tobytes(), Position(memory.T, weighting)


_KERNEL = "server.coding_kernel"
_SEEN = {None: 0, "found": 1, "left": 2}


def is_warm() -> bool:
    """Whether compiled code can code the steps of the compiled core's traces at once."""
    return is_ready(_KERNEL, "encode")


def warm_up() -> None:
    """Make that code ready, if numba is installed."""
    config = MachineConfig(input_size=1, output_size=1, memory_size=1, word_size=1, controller_size=1)
    if core_for(config) == "compiled":
        importlib.import_module(_KERNEL)
        header = TraceHeader.of(config, 1, core="compiled")
        start = Position.at_start(np.zeros((), header.record_dtype("initial")))
        _coded_by_kernel(header, start, np.zeros(1, header.record_dtype("step")))


def _memories(header: TraceHeader, position: Position, records: Array) -> tuple[Array | None, Array | None]:
    """The memory that each step found and left, (step, location, word) each; None if no prediction needs them."""
    if not any(seen_memory_of(header)):
        return None, None
    config, given = header.config, "memory_found" in (records.dtype.names or ())
    acting = records["weighting"]
    if header.acting_weighting == "previous":
        acting = np.concatenate([position.weighting[None], acting[:-1]])
    memory = position.memory
    found = records["memory_found"] if given else np.empty((len(records), *memory.shape), memory.dtype)
    left = np.empty((len(records), *memory.shape), memory.dtype)
    one_by_one = config.write_order == "one_by_one"
    for step, record in enumerate(records):
        if not given:
            found[step] = memory
        writes = acting[step, config.read_heads :], record["erase_vector"], record["add_vector"]
        memory = left[step] = memory_after_writes(found[step], *writes, one_by_one=one_by_one)
    return found, left


def _bits(numbers: Array) -> Array:
    """The bits of float32 numbers as int32."""
    return np.ascontiguousarray(numbers).view(np.int32)


def _widths(away: Array) -> Array:
    """How many bytes hold each row's corrections, (step, field, head): 0 if all are 0."""
    largest = (away ^ (away >> 31)).max(-1)
    return (away.any(-1) * (1 + (largest >= 1 << 7) + (largest >= 1 << 15) + (largest >= 1 << 23))).astype(np.uint8)


def _packed(away: Array, widths: Array) -> bytes:
    """The corrections in as many bytes as each row's width says."""
    planes = [(away >> 8 * place).astype(np.uint8) for place in range(widths.max())]
    if not planes:
        return b""
    return np.stack(planes, -2)[np.arange(len(planes)) < widths[..., None]].tobytes()


def _uncoded(header: TraceHeader, dtype: np.dtype[Any]) -> list[slice]:
    """Where the numbers lie in a record that are sent as they are."""
    coding = coding_of(header)
    parts: list[slice] = []
    start = 0
    for name in dtype.names or ():
        if name not in coding:
            parts.append(slice(start, start + dtype[name].itemsize // _NUMBER_BYTES))
        start += dtype[name].itemsize // _NUMBER_BYTES
    return parts


def decoded(header: TraceHeader, position: Position, payload: bytes, most: int) -> tuple[Array, Position]:
    """The records in a payload, `most` at most, and the position after them; `TraceError` if it breaks a rule."""
    dtype = header.record_dtype("step")
    parts = _uncoded(header, dtype)
    count, numbers, widths, corrections = _cut(header, payload, most, sum(part.stop - part.start for part in parts))
    records = np.zeros(count, dtype)
    rows = records.view("<f4").reshape(count, -1)
    at = 0
    for part in parts:
        rows[:, part] = numbers[:, at : at + part.stop - part.start]
        at += part.stop - part.start
    taken = _Corrections(corrections, widths, header.config.memory_size)
    with np.errstate(all="ignore"):
        for step in range(count):
            position = _decode_step(header, position, records[step : step + 1], taken, step)
    return records, position


def _decode_step(
    header: TraceHeader, position: Position, record: Array, corrections: "_Corrections", step: int
) -> Position:
    """Fill in the coded fields of one record, (1,); the position after it."""
    coding, previous = coding_of(header), position.weighting[None]
    if header.acting_weighting == "previous":
        found, left = _memories(header, position, record)
    else:
        found = record["memory_found"] if "memory_found" in (record.dtype.names or ()) else position.memory[None]
        left = None
    for seen, heads in heads_by_memory(header).items():
        if seen == "left" and left is None:
            left = _memories(header, position, record)[1]
        memory = {"found": found, "left": left, None: None}[seen]
        for index, name in enumerate(coding):
            bits = _bits(predicted(header, name, record, heads, memory, previous))
            for place, head in enumerate(heads):
                record[name][0, head] = (bits[0, place] + corrections.row(step, index, head)).view(np.float32)
    if left is None:
        left = _memories(header, position, record)[1]
    return Position(position.memory if left is None else left[-1], record["weighting"][0])


class _Corrections:
    """The corrections in a frame, row by row."""

    def __init__(self, data: Array, widths: Array, locations: int) -> None:
        self._data, self._widths, self._locations = data, widths, locations
        sizes = widths.astype(np.int64).ravel() * locations
        self._starts = (np.cumsum(sizes) - sizes).reshape(widths.shape)

    def row(self, step: int, field: int, head: int) -> Array:
        """What to add to the bits of one row, (location,) int32."""
        width, start = int(self._widths[step, field, head]), int(self._starts[step, field, head])
        if width == 0:
            return np.zeros(self._locations, np.int32)
        places = self._data[start : start + width * self._locations].reshape(width, self._locations)
        # The bytes stand at the upper end, so that shifting them down again spreads the sign.
        upper = np.zeros((self._locations, _NUMBER_BYTES), np.uint8)
        upper[:, _NUMBER_BYTES - width :] = places.T
        return upper.view("<i4")[:, 0] >> 8 * (_NUMBER_BYTES - width)


def _cut(header: TraceHeader, payload: bytes, most: int, plain: int) -> tuple[int, Array, Array, Array]:
    """How many steps a payload holds, their uncoded numbers, the rows' widths, and all corrections."""
    count = int.from_bytes(payload[:4], "little")
    if not 1 <= count <= most:
        raise TraceError(f"a frame of coded steps says that it holds {count}: it must hold 1 to {most}")
    config, fields = header.config, len(coding_of(header))
    numbers_end = 4 + 4 * count * plain
    widths_end = numbers_end + count * fields * config.heads
    widths = np.frombuffer(payload[numbers_end:widths_end], np.uint8)
    if len(widths) < widths_end - numbers_end or (widths > _NUMBER_BYTES).any():
        raise TraceError(f"a frame of {count} coded steps is too short, or has a width above {_NUMBER_BYTES}")
    end = widths_end + int(widths.sum(dtype=np.int64)) * config.memory_size
    if len(payload) != end + -end % 4:
        raise TraceError(
            f"a frame of {count} coded steps has {len(payload)} bytes: its widths ask for {end + -end % 4}"
        )
    numbers = np.frombuffer(payload[4:numbers_end], "<f4").reshape(count, plain)
    corrections = np.frombuffer(payload[widths_end:end], np.uint8)
    return count, numbers, widths.reshape(count, fields, config.heads), corrections
