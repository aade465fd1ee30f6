"""Streams of machines with the operations of their heads, and where each parts from a changed one: the page's oracle.

`python -m tests.server.analysed_for_the_page` writes them anew.
"""

import json
from base64 import b64encode
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ntm_core.analysis.divergence import divergence
from ntm_core.analysis.operations import operations_of
from ntm_core.interventions import Intervention
from ntm_core.recording import record
from ntm_core.trace import Trace
from tests.core.machines import any_episode, at_rest, small_config, stirred
from tests.server.recorded_for_the_page import LAST, SHARED, stream_of

FILE = Path(__file__).parents[1] / "frontend" / "analysed_by_python.json"

MACHINES: dict[str, tuple[dict[str, Any], str]] = {
    "the paper's way": ({}, "float32"),
    "addressing last": (LAST | {"write_heads": 2}, "float64"),
    "heads that read and write": (SHARED, "float32"),
    "the read head's previous weighting": ({"previous_weighting": "read_head"}, "float32"),
    "shifts by two, up to the edge": ({"shift_range": 2, "shift_edge": "zero_padded", "memory_size": 7}, "float32"),
    "memory that is changed": ({}, "float32"),
}
CHANGED = {
    "memory that is changed": (
        Intervention(quantity="memory", operation="add", value=0.5, location=1, steps=(5, 7)),
        Intervention(quantity="key", operation="scale", value=0.5, steps=(5, 6)),
    )
}


def trace_of(name: str) -> Trace:
    """The trace of one of these machines."""
    changes, dtype = MACHINES[name]
    config = small_config(**changes)
    machine = at_rest(stirred(config, scale=2.0, dtype=getattr(torch, dtype)))
    return record(machine, any_episode(config, 20), interventions=CHANGED.get(name, ()))


def other_of(trace: Trace) -> Trace:
    """The same trace with some numbers moved: a weighting of the last head at step 12, and an add vector before.

    Where interventions change the memory, also what step 6 finds there.
    """
    records = trace.records.copy()
    records["weighting"][12, -1, 1] += 0.25
    records["add_vector"][11, 0, 2] -= 1e-3
    if "memory_found" in (records.dtype.names or ()):
        records["memory_found"][6, 2, 1] += 1e-4
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
    """Where a trace parts from `other_of` it: with two tolerances, with its rows turned round, and steps apart."""
    size = trace.header.config.memory_size
    mirrored = (2 - np.arange(size)) % size
    told: list[dict[str, Any]] = []
    ways = [(None, 1e-6, 0), (None, 1e-2, 0), (mirrored, 1e-6, 0), (None, 10.0, 2), (None, 1e-6, -3)]
    for rows, tolerance, offset in ways:
        compared = divergence(trace, other_of(trace), rows, tolerance, offset)
        first = None if compared.first is None else asdict(compared.first)
        if first is not None:
            first["headName"] = first.pop("head_name")
        asked = {"rows": None if rows is None else rows.tolist(), "tolerance": tolerance, "offset": offset}
        told.append({**asked, "steps": compared.steps, "first": first})
    return told


def main() -> None:
    """Write the file."""
    lines = []
    for name in MACHINES:
        trace = trace_of(name)
        analysed = {
            "name": name,
            "stream": b64encode(stream_of(trace)).decode(),
            "operations": operations_told(trace),
            "other": b64encode(other_of(trace).records.tobytes()).decode(),
            "divergences": divergences_told(trace),
        }
        lines.append(json.dumps(analysed))
    FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="ascii")


if __name__ == "__main__":
    main()
