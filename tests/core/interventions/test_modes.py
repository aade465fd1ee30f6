"""The addressing modes on the machine whose program is known: what each breaks, said before it is run.

The program (`ntm_core.hand_compiled`): while rows come in, both heads step forward and the write head writes each row
at the next location; at the delimiter the read head jumps by content to the marker at location 0; then it steps forward
and reads the rows back. Its γ is 1 throughout, and its weightings are one-hot but for 1e-30.
"""

from typing import Any, get_args

import numpy as np
import pytest

from ntm_core.hand_compiled import hand_compiled_copy
from ntm_core.interventions import MODES, ModeName, expanded
from ntm_core.interventions.intervention import Intervention
from ntm_core.recording import record
from ntm_core.tasks import parse_task
from ntm_core.trace import Trace

BITS, ROWS, LOCATIONS = 3, 5, 12
READ, WRITE = 0, 1


def traced(mode: ModeName, *others: Intervention) -> Trace:
    task = parse_task({"name": "copy", "bits": BITS, "lengths": [ROWS, ROWS]})
    return record(hand_compiled_copy(BITS, LOCATIONS), task.episodes(1), interventions=expanded(mode, others))


def focus(trace: Trace, head: int) -> list[int]:
    """Where a head looks in each step."""
    found: list[int] = trace["weighting"][:, head].argmax(-1).tolist()
    return found


FULL = traced("full")
ONES = int(FULL["targets"].sum())
WROTE = [1, 2, 3, 4, 5]
"""The locations at which the machine writes its rows."""


def test_the_table_names_every_mode_once_and_says_what_it_does() -> None:
    assert tuple(MODES) == get_args(ModeName)
    assert all(mode.name == name and mode.title and mode.definition for name, mode in MODES.items())
    assert [name for name, mode in MODES.items() if not mode.interventions] == ["full"]
    assert [name for name, mode in MODES.items() if not mode.equation] == ["full"]
    assert 0 < ONES < BITS * ROWS


def test_full_copies_and_is_what_is_recorded_without_a_mode() -> None:
    assert FULL.wrong_bits == 0
    assert focus(FULL, WRITE) == [*WROTE, 5, 5, 5, 5, 5, 5]
    assert focus(FULL, READ) == [*WROTE, 0, *WROTE]


def test_without_sharpening_nothing_changes_since_there_was_none() -> None:
    assert traced("no_sharpening").records.tobytes() == FULL.records.tobytes()


def test_hard_attention_copies_exactly_with_weightings_that_are_exact() -> None:
    trace = traced("hard")
    assert trace.wrong_bits == 0
    assert set(np.unique(trace["weighting"])) == {0.0, 1.0}
    assert (trace["weighting"].sum(-1) == 1).all()
    assert set(np.unique(FULL["weighting"])) != {0.0, 1.0}


def test_content_only_leaves_the_read_head_at_the_marker_and_spreads_the_writes() -> None:
    trace = traced("content_only")
    assert focus(trace, READ) == [0] * 11
    assert trace["weighting"].tobytes() == trace["content_weighting"].tobytes()
    np.testing.assert_allclose(trace["weighting"][:, WRITE], 1 / LOCATIONS, rtol=1e-6)
    assert not (trace["outputs"] > 0.5).any()
    assert trace.wrong_bits == ONES


def test_location_only_never_jumps_so_that_it_reads_beyond_what_was_written() -> None:
    trace = traced("location_only")
    assert focus(trace, READ) == [*WROTE, 5, 6, 7, 8, 9, 10]
    assert focus(trace, WRITE) == focus(FULL, WRITE)
    assert not (trace["outputs"][6:] > 0.5).any()
    assert trace.wrong_bits == ONES


def test_without_a_shift_each_row_overwrites_the_one_before_and_the_marker() -> None:
    trace = traced("no_shift")
    assert focus(trace, WRITE) == [0] * 11
    assert (trace["shift_weighting"] == [0, 1, 0]).all()
    np.testing.assert_allclose(trace.memory[-1][0], [*trace["inputs"][4][:BITS], 0], atol=1e-6)
    np.testing.assert_allclose(trace["weighting"][5:, READ], 1 / LOCATIONS, rtol=1e-6)  # no row is like the key
    assert trace.wrong_bits == ONES


def test_without_interpolation_the_read_head_is_one_past_the_marker_in_every_step() -> None:
    trace = traced("no_interpolation")
    assert focus(trace, READ) == [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(trace["weighting"][:, WRITE], 1 / LOCATIONS, rtol=1e-6)
    assert trace.wrong_bits == ONES


def test_a_frozen_memory_stays_m_0() -> None:
    trace = traced("frozen_memory")
    assert (trace.memory == trace["initial_memory"]).all()
    assert focus(trace, READ) == focus(FULL, READ)
    assert trace.wrong_bits == ONES


def test_without_reads_the_heads_go_on_as_before_and_the_answer_is_nothing() -> None:
    trace = traced("no_read")
    assert not trace["read_vector"].any()
    assert trace["weighting"].tobytes() == FULL["weighting"].tobytes()  # this controller does not hear the reads
    assert trace.wrong_bits == ONES


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"heads": ("write 0",)}, 0),  # it never looks by content
        ({"heads": ("read 0",)}, ONES),
        ({"steps": (0, 5)}, 0),  # the jump is in step 5
        ({"steps": (5, 6)}, ONES),
    ],
    ids=str,
)
def test_only_the_gate_that_opens_matters(changes: dict[str, Any], wrong: int) -> None:
    closed = Intervention(quantity="interpolation_gate", operation="set", value=0.0, **changes)
    assert traced("full", closed).wrong_bits == wrong
