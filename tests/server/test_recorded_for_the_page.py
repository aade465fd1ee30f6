"""What the page's own tests replay is what Python says."""

import base64
import json

from ntm_core.trace import TraceHeader
from server.wire import read_trace
from tests.server.recorded_for_the_page import FILE, MACHINES, trace_of

RECORDED = json.loads(FILE.read_text(encoding="ascii"))


def test_the_recorded_numbers_follow_from_the_recorded_streams() -> None:
    assert [recorded["name"] for recorded in RECORDED] == list(MACHINES)
    for recorded in RECORDED:
        trace = read_trace([base64.b64decode(recorded["stream"])]).trace
        assert trace.records.tobytes() == base64.b64decode(recorded["records"])
        assert trace.memory.tobytes() == base64.b64decode(recorded["memory"])


def test_the_recorded_headers_are_those_of_today() -> None:
    """Else: python -m tests.server.recorded_for_the_page."""
    for recorded, name in zip(RECORDED, MACHINES, strict=True):
        found: TraceHeader = read_trace([base64.b64decode(recorded["stream"])]).trace.header
        assert found == trace_of(name).header
