"""A part of a trace: the same bits as in the whole one, from any step on, and a refusal where there is no such step."""

import asyncio
import itertools
import json
import struct
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ntm_core import trace
from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes
from ntm_core.errors import TraceError
from ntm_core.recording import record
from ntm_core.trace import Trace, TraceHeader, memory_after_writes
from ntm_core.trace_file import trace_bytes
from server import formats, wire
from server.formats import Part
from server.recorder import Recorder, Stopped
from server.wire import ReadTrace, read_trace
from server.wire_header import parse_header
from tests.core.machines import any_episode
from tests.server.conftest import MakeClient, small_machine
from tests.server.test_checkpoints import OCTETS
from tests.server.test_checkpoints import upload as upload_checkpoint
from tests.server.test_errors import failure

STEPS = 41
ROWS = [[step % 2, int(step % 3 == 0), int(step % 7 == 0)] for step in range(STEPS)]
EDITS = [
    {"quantity": "interpolation_gate", "operation": "set", "heads": ["read 0"], "steps": [3, 30], "value": 0.5},
    {"quantity": "memory", "operation": "set", "steps": [5, 25], "location": 3, "value": 0},
]
SHIPPED: dict[str, dict[str, Any]] = {
    "one write head": {"checkpoint": "small"},
    "set by hand": {"checkpoint": "copier"},
    "two write heads": {"checkpoint": "taskless"},
    "another mode": {"checkpoint": "small", "mode": "content_only"},
    "edits of the memory": {"checkpoint": "small", "interventions": EDITS},
    "edits of the memory, two write heads": {"checkpoint": "taskless", "interventions": EDITS},
}


def streamed(client: TestClient, query: str = "", **asked: Any) -> ReadTrace:
    """What the stream of a request holds."""
    response = client.post(f"/api/traces{query}", json={"inputs": ROWS, **asked})
    assert response.status_code == 200, response.text
    return read_trace([response.content])


def header_of(stream: bytes) -> dict[str, Any]:
    """The header of a stream as it stands there."""
    length, _ = struct.unpack_from("<II", stream)
    found: dict[str, Any] = json.loads(stream[8 : 8 + length])
    return found


def assert_part(part: Trace, whole: Trace, first: int) -> None:
    """Expect the steps of the whole trace from the first on, and the memories that it has there, bit for bit."""
    last = first + len(part)
    assert part.records.tobytes() == whole.records[first:last].tobytes()
    assert part.memory.tobytes() == whole.memory[first : last + 1].tobytes()
    assert part.acting_weighting.tobytes() == whole.acting_weighting[first:last].tobytes()
    for name in ("inputs", "targets", "mask", "phase"):
        assert part[name].tobytes() == whole[name][first:last].tobytes()


@pytest.mark.parametrize("asked", SHIPPED.values(), ids=SHIPPED)
def test_the_steps_of_a_part_are_those_of_the_whole_trace(make_client: MakeClient, asked: dict[str, Any]) -> None:
    unknown, known = make_client(), make_client(cached_trace_bytes=0)
    whole = streamed(known, **asked)
    for client in (unknown, unknown, known):
        for first, count in ((0, 5), (1, 1), (17, 9), (29, 12)):
            part = streamed(client, f"?first={first}&count={count}", **asked)
            assert len(part.trace) == count
            assert_part(part.trace, whole.trace, first)
            assert (part.end.wrong_bits, part.end.loss_bits) == (whole.end.wrong_bits, whole.end.loss_bits)


@pytest.mark.parametrize(
    "fields",
    [
        {"schedule": "address_last", "step_order": "write_then_read", "write_heads": 2},
        {"write_order": "one_by_one", "write_heads": 2, "controller": "feedforward"},
        {"previous_weighting": "read_head", "read_heads": 2, "write_heads": 2},
        {"initial_memory": "fresh_uniform"},
    ],
    ids=", ".join,
)
def test_a_part_of_a_machine_with_other_choices_is_of_its_whole_trace(
    make_client: MakeClient, fields: dict[str, Any]
) -> None:
    client = make_client()
    file = checkpoint_bytes(Checkpoint.of(small_machine(**fields)))
    asked = {"checkpoint": upload_checkpoint(client, file).json()["id"]}
    assert_part(streamed(client, "?first=23", **asked).trace, streamed(client, **asked).trace, 23)


def test_a_part_without_a_count_goes_to_the_end_and_a_large_count_too(client: TestClient) -> None:
    for query in ("?first=30", "?first=30&count=1000"):
        assert len(streamed(client, query, checkpoint="small").trace) == STEPS - 30


def test_a_part_that_nobody_waits_for_any_more_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = small_machine()
    whole = replace(record(machine, any_episode(machine.config, STEPS)), landmarks={})
    recorder, written = Recorder(limit=1), itertools.count()
    run = recorder.begin()

    def leave_at_third(*arguments: Any, **named: Any) -> Any:
        if next(written) == 2:
            run.stop()
        return memory_after_writes(*arguments, **named)

    monkeypatch.setattr(trace, "memory_after_writes", leave_at_third)

    async def ask() -> None:
        async for _ in formats.stored(run, lambda: whole, "stream", Part(STEPS - 1, 1)):
            pass

    with pytest.raises(Stopped):
        asyncio.run(ask())
    assert next(written) == 3
    run.close()
    recorder.close()


def test_a_part_leaves_the_whole_run_known(make_client: MakeClient) -> None:
    client = make_client()
    assert streamed(client, "?first=30&count=2", checkpoint="small").end.seconds > 0
    assert streamed(client, checkpoint="small").end.seconds == 0


def test_a_part_says_where_it_begins_and_of_which_run_it_is(make_client: MakeClient) -> None:
    client = make_client()

    def header(query: str, **asked: Any) -> dict[str, Any]:
        return header_of(
            client.post(f"/api/traces{query}", json={"checkpoint": "small", "inputs": ROWS, **asked}).content
        )

    whole, part = header(""), header("?first=30&count=2")
    assert not {"first", "kept"} & set(whole)
    assert part["kept"] is True
    assert (part["first"], part["steps"], part["axes"]["step"]) == (30, 2, 2)
    assert part["run"] == whole["run"] != header("", mode="content_only")["run"]


def test_a_part_of_an_uploaded_trace_is_of_the_file(make_client: MakeClient) -> None:
    client = make_client()
    machine = small_machine(write_heads=2)
    recorded = record(machine, any_episode(machine.config, STEPS))
    location = client.post("/api/uploaded-traces", content=trace_bytes(recorded), headers=OCTETS).headers["location"]
    part = read_trace([client.get(f"{location}?first=20&count=7").content])
    assert_part(part.trace, recorded, 20)
    assert part.end.wrong_bits == recorded.wrong_bits
    beyond = client.get(f"{location}?first={STEPS}")
    assert (beyond.status_code, failure(beyond)["field"]) == (422, "first")


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("first=-1", "first", "first is '-1': Input should be greater than or equal to 0"),
        ("first=x", "first", "first is 'x': Input should be a valid integer"),
        (f"first={STEPS}", "first", f"first is {STEPS}: the trace has {STEPS} steps, so {STEPS - 1} is the last"),
        ("first=3&format=x", "format", "format is 'x': Input should be 'stream', 'json' or 'npz'"),
        (f"first={'9' * 4000}", "first", f"first is '{'9' * 78}…: Input should be less than or equal to"),
        ("first=3&count=0", "count", "count is '0': Input should be greater than or equal to 1"),
        ("count=3", "count", "count is 3, but first is not given"),
        ("first=3&format=npz", "first", "first is 3 and format is 'npz': only a stream can hold a part"),
        ("first=3&format=json", "first", "first is 3 and format is 'json': only a stream can hold a part"),
    ],
)
def test_a_part_that_cannot_be_is_refused_with_value_and_rule(
    client: TestClient, query: str, field: str, said: str
) -> None:
    response = client.post(f"/api/traces?{query}", json={"checkpoint": "small", "inputs": ROWS})
    assert response.status_code == 422, response.text
    assert failure(response)["field"] == field
    assert failure(response)["message"].startswith(said)
    assert failure(response)["message"].count("Input should") <= 1
    assert len(failure(response)["message"]) < 200


def test_a_reader_refuses_a_header_that_begins_nowhere() -> None:
    config = small_machine().config
    document = header_of(wire.header_frame(TraceHeader.of(config, 3)))
    for first in (-1, 1.5, None, "2"):
        with pytest.raises(TraceError, match="first"):
            parse_header(json.dumps({**document, "first": first}).encode())
