"""What the page's own tests hold its operations and divergences against is what Python says."""

import base64
import json

from server.wire import read_trace
from tests.server.analysed_for_the_page import FILE, MACHINES, divergences_told, operations_told, other_of, trace_of

ANALYSED = json.loads(FILE.read_text(encoding="ascii"))


def test_the_operations_and_divergences_follow_from_the_streams() -> None:
    """Else, or if the next test fails: python -m tests.server.analysed_for_the_page."""
    for analysed in ANALYSED:
        trace = read_trace([base64.b64decode(analysed["stream"])]).trace
        assert operations_told(trace) == analysed["operations"]
        assert other_of(trace).records.tobytes() == base64.b64decode(analysed["other"])
        assert divergences_told(trace) == analysed["divergences"]


def test_the_headers_are_those_of_today() -> None:
    assert [analysed["name"] for analysed in ANALYSED] == list(MACHINES)
    for analysed in ANALYSED:
        found = read_trace([base64.b64decode(analysed["stream"])]).trace.header
        assert found == trace_of(analysed["name"]).header


def test_the_operations_are_of_every_kind() -> None:
    names = {name for analysed in ANALYSED for step in analysed["operations"]["operation"] for name in step}
    assert {"content jump", "shift −1", "shift 0", "shift +1", "hold", "mixed"} <= names
