import numpy as np
import pytest

from ntm_core.errors import TaskError
from ntm_core.tasks.priority_sort import PrioritySort

ROWS: list[list[float]] = [
    [1, 0, -0.5, 0],
    [0, 1, 0.75, 0],
    [1, 1, 0.25, 0],
    [0, 0, 0, 1],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
]


def test_the_encoding_by_hand() -> None:
    episode = PrioritySort(bits=2).interpret(ROWS)
    assert episode.inputs[:, 0].tolist() == ROWS
    assert episode.targets[:, 0].tolist() == [[0, 0]] * 4 + [[0, 1], [1, 1]]
    assert episode.mask[:, 0].tolist() == [0, 0, 0, 0, 1, 1]
    assert [episode.phases[phase] for phase in episode.phase] == [*["input"] * 3, "delimiter", *["output"] * 2]


def test_the_channels() -> None:
    assert PrioritySort(bits=2).input_channels == ("bit 0", "bit 1", "priority", "delimiter")
    assert PrioritySort(bits=2).output_channels == ("bit 0", "bit 1")


def test_of_equal_priorities_the_earlier_comes_first() -> None:
    rows = np.array(ROWS, np.float32)
    rows[:3, 2] = 0.25
    assert PrioritySort(bits=2).interpret(rows).targets[4:, 0].tolist() == [[1, 0], [0, 1]]


def test_targets_fall_in_priority() -> None:
    episode = PrioritySort(bits=16, items=6, kept=6).episodes(0, 20)
    for sequence in range(20):
        shown, priority = episode.inputs[:6, sequence, :16].tolist(), episode.inputs[:6, sequence, 16]
        asked = [priority[shown.index(vector)] for vector in episode.targets[7:, sequence].tolist()]
        assert asked == sorted(priority, reverse=True)


def test_priorities_are_uniform() -> None:
    priorities = PrioritySort().episodes(0, 1000).inputs[:20, :, 8]
    assert priorities.min() > -1
    assert priorities.max() < 1
    assert priorities.mean() == pytest.approx(0, abs=0.02)
    assert priorities.var() == pytest.approx(1 / 3, abs=0.01)


def test_of_length_keeps_the_share() -> None:
    assert PrioritySort().of_length(10) == PrioritySort(items=10, kept=8)
    assert PrioritySort().of_length(1) == PrioritySort(items=1, kept=1)


@pytest.mark.parametrize(
    ("row", "channel", "value", "rule"),
    [
        (1, 0, 2, "row 1, channel 'bit 0' is 2: a bit must be 0 or 1"),
        (2, 2, -1.5, "row 2, channel 'priority' is -1.5: it must be in -1 … 1"),
        (3, 2, 0.5, "row 3, channel 'priority' is 0.5: it must be 0, since row 3 is a row of the phase 'delimiter'"),
        (3, 3, 0, "none of the 6 rows has a 1 in channel 'delimiter'"),
        (1, 3, 1, "there are 6 rows: with the delimiter in row 1, 1 … 1 blank rows must follow, .* not 4"),
        (5, 1, 1, "row 5, channel 'bit 1' is 1: it must be 0, since row 5 is a row of the phase 'output'"),
    ],
)
def test_rows_that_are_no_sort_task_are_refused(row: int, channel: int, value: float, rule: str) -> None:
    rows = np.array(ROWS, np.float32)
    rows[row, channel] = value
    with pytest.raises(TaskError, match=rule):
        PrioritySort(bits=2).interpret(rows)


def test_a_delimiter_in_the_last_row_asks_nothing_and_is_refused() -> None:
    with pytest.raises(TaskError, match=r"there are 4 rows: .* not 0"):
        PrioritySort(bits=2).interpret(ROWS[:4])
