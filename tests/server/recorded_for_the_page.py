"""Streams of machines that address and write in every way there is, with their records and memories, bit for bit.

`python -m tests.server.recorded_for_the_page` writes them anew.
"""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ntm_core.interventions import Intervention
from ntm_core.recording import record
from ntm_core.trace import Trace
from server import wire
from server.coded_steps import Position
from server.wire import Kind, TraceEnd
from tests.core.machines import any_episode, at_rest, small_config, stirred

FILE = Path(__file__).parents[1] / "frontend" / "recorded_by_python.json"

LAST = {"schedule": "address_last", "step_order": "write_then_read"}
SHARED = {"head_roles": "read_and_write", "read_heads": 2, "write_heads": 2}
ODD = "numbers that nobody foresees"
LISTED = {"step_order": "listed", "head_order": ("write", "read", "write"), "write_heads": 2}
EDITED = "a memory that interventions change"
MACHINES: dict[str, tuple[dict[str, Any], str]] = {
    "the paper's way": ({}, "float32"),
    "addressing last": (LAST | {"write_heads": 2}, "float32"),
    "addressing last, one by one": (LAST | {"write_heads": 2, "write_order": "one_by_one"}, "float64"),
    "heads that read and write": (SHARED, "float32"),
    "heads that read and write, addressing last": (LAST | SHARED, "float64"),
    "the read head's previous weighting": ({"previous_weighting": "read_head", "erase_activation": "relu"}, "float32"),
    EDITED: ({"write_heads": 2}, "float32"),
    "reading what was just written": ({"step_order": "write_then_read", "read_heads": 2}, "float32"),
    "heads in a listed order": (LISTED, "float32"),
    "another similarity": ({"similarity": "negative_euclidean"}, "float32"),
    "an edge that loses what is shifted beyond it": ({"shift_edge": "zero_padded", "shift_range": 3}, "float32"),
    "a softened sharpening": ({"sharpening_epsilon": 1e-3}, "float32"),
    ODD: ({}, "float32"),
}
STEP_NAMES = (
    "key",
    "key_strength",
    "interpolation_gate",
    "shift_weighting",
    "sharpening",
    "content_weighting",
    "gated_weighting",
    "shifted_weighting",
    "weighting",
)
INTERVENTIONS = {
    EDITED: (
        Intervention(quantity="memory", operation="set", steps=(3, 4), location=1, value=0.5),
        Intervention(quantity="memory", operation="add", steps=(15, 19), value=0.1),
    ),
}


def trace_of(name: str) -> Trace:
    """The trace of the machine of this name."""
    changes, dtype = MACHINES[name]
    config = small_config(**changes)
    machine = at_rest(stirred(config, dtype=getattr(torch, dtype)))
    trace = record(machine, any_episode(config, 20), interventions=INTERVENTIONS.get(name, ()))
    return _with_odd_numbers(trace) if name == ODD else trace


def _with_odd_numbers(trace: Trace) -> Trace:
    """The trace with numbers in what the read head asks and does that no prediction foresees."""
    records = trace.records.copy()
    odd = np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 1e-42, -1.0, 3e38], np.float32)
    for step, number in enumerate(odd):
        for place, name in enumerate(STEP_NAMES):
            records[name][step + place].flat[0] = number
    return replace(trace, records=records)


def stream_of(trace: Trace) -> bytes:
    """The frames of a trace."""
    end = wire.text_frame(Kind.END, TraceEnd(wrong_bits=trace.wrong_bits, loss_bits=trace.loss_bits, seconds=0))
    position, steps = Position.at_start(trace.initial), b""
    for start in range(0, len(trace), 7):
        frame, position = wire.steps_frame(trace.header, position, trace.records[start : start + 7])
        steps += frame
    return wire.opening_frames(trace.header, trace.episode, trace.initial) + steps + end


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def main() -> None:
    """Write the file."""
    found = []
    for name in MACHINES:
        trace = trace_of(name)
        parts = {"stream": stream_of(trace), "records": trace.records.tobytes(), "memory": trace.memory.tobytes()}
        found.append({"name": name} | {part: _text(data) for part, data in parts.items()})
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
