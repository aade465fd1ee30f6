"""Streams of machines that write in every way there is, with their memories: what the page must rebuild bit for bit.

`python -m tests.server.recorded_for_the_page` writes them anew.
"""

import base64
import json
from pathlib import Path
from typing import Any

import torch

from ntm_core.interventions import Intervention
from ntm_core.recording import record
from ntm_core.trace import Trace
from server import wire
from server.wire import Kind, TraceEnd
from tests.core.machines import any_episode, at_rest, small_config, stirred

FILE = Path(__file__).parents[1] / "frontend" / "recorded_by_python.json"

LAST = {"schedule": "address_last", "step_order": "write_then_read"}
SHARED = {"head_roles": "read_and_write", "read_heads": 2, "write_heads": 2}
EDITED = "a memory that interventions change"
MACHINES: dict[str, tuple[dict[str, Any], str]] = {
    "the paper's way": ({}, "float32"),
    "addressing last": (LAST | {"write_heads": 2}, "float32"),
    "addressing last, one by one": (LAST | {"write_heads": 2, "write_order": "one_by_one"}, "float64"),
    "heads that read and write": (SHARED, "float32"),
    "heads that read and write, addressing last": (LAST | SHARED, "float64"),
    "the read head's previous weighting": ({"previous_weighting": "read_head", "erase_activation": "relu"}, "float32"),
    EDITED: ({"write_heads": 2}, "float32"),
}
INTERVENTIONS = {
    EDITED: (
        Intervention(quantity="memory", operation="set", steps=(3, 4), location=1, value=0.5),
        Intervention(quantity="memory", operation="add", steps=(15, 19), value=0.1),
    )
}


def trace_of(name: str) -> Trace:
    """The trace of the machine of this name."""
    changes, dtype = MACHINES[name]
    config = small_config(**changes)
    machine = at_rest(stirred(config, dtype=getattr(torch, dtype)))
    return record(machine, any_episode(config, 20), interventions=INTERVENTIONS.get(name, ()))


def stream_of(trace: Trace) -> bytes:
    """The frames of a trace."""
    end = wire.text_frame(Kind.END, TraceEnd(wrong_bits=trace.wrong_bits, loss_bits=trace.loss_bits, seconds=0))
    return wire.opening_frames(trace.header, trace.episode, trace.initial) + wire.steps_frame(trace.records) + end


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def main() -> None:
    """Write the file."""
    found = []
    for name in MACHINES:
        trace = trace_of(name)
        found.append({"name": name, "stream": _text(stream_of(trace)), "memory": _text(trace.memory.tobytes())})
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
