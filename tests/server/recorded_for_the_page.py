"""Streams of machines that write in every way there is, with what the page must find in them.

Their memories, bit for bit; the operations of their heads; and where each parts from the machine of another seed.

`python -m tests.server.recorded_for_the_page` writes them anew.
"""

import base64
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ntm_core.analysis.divergence import divergence
from ntm_core.analysis.operations import operations_of
from ntm_core.recording import record
from ntm_core.trace import Trace
from server import wire
from server.wire import Kind, TraceEnd
from tests.core.machines import any_episode, at_rest, small_config, stirred

FILE = Path(__file__).parents[1] / "frontend" / "recorded_by_python.json"

LAST = {"schedule": "address_last", "step_order": "write_then_read"}
SHARED = {"head_roles": "read_and_write", "read_heads": 2, "write_heads": 2}
MACHINES: dict[str, tuple[dict[str, Any], str]] = {
    "the paper's way": ({}, "float32"),
    "addressing last": (LAST | {"write_heads": 2}, "float32"),
    "addressing last, one by one": (LAST | {"write_heads": 2, "write_order": "one_by_one"}, "float64"),
    "heads that read and write": (SHARED, "float32"),
    "heads that read and write, addressing last": (LAST | SHARED, "float64"),
    "the read head's previous weighting": ({"previous_weighting": "read_head", "erase_activation": "relu"}, "float32"),
    "shifts by two, up to the edge": ({"shift_range": 2, "shift_edge": "zero_padded", "memory_size": 7}, "float32"),
}


def trace_of(changes: dict[str, Any], dtype: str) -> Trace:
    """The trace of a small machine of these choices."""
    config = small_config(**changes)
    return record(at_rest(stirred(config, scale=2.0, dtype=getattr(torch, dtype))), any_episode(config, 20))


def other_of(trace: Trace) -> Trace:
    """The same trace with two numbers moved: a weighting of the last head at step 12, and an add vector before."""
    records = trace.records.copy()
    records["weighting"][12, -1, 1] += 0.25
    records["add_vector"][11, 0, 2] -= 1e-3
    return Trace(trace.header, trace.episode, trace.initial, records)


def operations_told(trace: Trace) -> dict[str, Any]:
    """The operations of every step and head, as the page names them."""
    found = operations_of(trace)
    return {
        "operation": found.operation.tolist(),
        "displacement": found.displacement.tolist(),
        "contentShare": found.content_share.tolist(),
        "locationShare": found.location_share.tolist(),
    }


def divergences_told(trace: Trace) -> list[dict[str, Any]]:
    """Where a trace parts from `other_of` it: with both tolerances, and with its rows turned round."""
    size = trace.header.config.memory_size
    mirrored = (2 - np.arange(size)) % size
    told: list[dict[str, Any]] = []
    for rows, tolerance in ((None, 1e-6), (None, 1e-2), (mirrored, 1e-6)):
        compared = divergence(trace, other_of(trace), rows, tolerance)
        assert compared.first is not None
        first = asdict(compared.first)
        first["headName"] = first.pop("head_name")
        told.append({"rows": None if rows is None else rows.tolist(), "tolerance": tolerance, "first": first})
    return told


def stream_of(trace: Trace) -> bytes:
    """The frames of a trace."""
    end = wire.text_frame(Kind.END, TraceEnd(wrong_bits=trace.wrong_bits, loss_bits=trace.loss_bits, seconds=0))
    return wire.opening_frames(trace.header, trace.episode, trace.initial) + wire.steps_frame(trace.records) + end


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def main() -> None:
    """Write the file."""
    found = []
    for name, (changes, dtype) in MACHINES.items():
        trace = trace_of(changes, dtype)
        found.append(
            {
                "name": name,
                "stream": _text(stream_of(trace)),
                "memory": _text(trace.memory.tobytes()),
                "operations": operations_told(trace),
                "other": _text(other_of(trace).records.tobytes()),
                "divergences": divergences_told(trace),
            }
        )
    FILE.write_text("[\n" + ",\n".join(map(json.dumps, found)) + "\n]\n", encoding="ascii")


if __name__ == "__main__":
    main()
