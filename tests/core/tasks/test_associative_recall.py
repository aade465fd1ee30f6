import numpy as np
import pytest

from ntm_core.errors import TaskError
from ntm_core.tasks.associative_recall import AssociativeRecall

TASK = AssociativeRecall(bits=1, item_length=2)
ROWS = [
    [0, 1, 0],
    [1, 0, 0],
    [0, 0, 0],
    [0, 1, 0],
    [0, 0, 0],
    [1, 0, 0],
    [0, 1, 0],
    [1, 0, 0],
    [1, 0, 0],
    [0, 0, 1],
    [0, 0, 0],
    [1, 0, 0],
    [0, 0, 1],
    [0, 0, 0],
    [0, 0, 0],
]
"""Three items, 10, 01 and 11; asked with 01, so the answer is 11."""


def test_the_encoding_by_hand() -> None:
    episode = TASK.interpret(ROWS)
    assert episode.inputs[:, 0].tolist() == ROWS
    assert episode.targets[:, 0].tolist() == [[0]] * 13 + [[1], [1]]
    assert episode.mask[:, 0].tolist() == [0] * 13 + [1, 1]
    assert [episode.phases[phase] for phase in episode.phase] == [
        *["item delimiter", "item", "item"] * 3,
        *["query delimiter", "query", "query", "query delimiter"],
        *["output", "output"],
    ]


def test_the_channels() -> None:
    assert AssociativeRecall(bits=2).input_channels == ("bit 0", "bit 1", "item delimiter", "query delimiter")
    assert AssociativeRecall(bits=2).output_channels == ("bit 0", "bit 1")


def test_the_first_occurrence_of_the_query_counts() -> None:
    rows = np.array(ROWS, np.float32)
    rows[[1, 2], 0] = [0, 1]  # the first item now equals the second, and the query
    assert TASK.interpret(rows).targets[-2:, 0].tolist() == [[0], [1]]


def test_every_item_but_the_last_is_queried_equally_often() -> None:
    task = AssociativeRecall(bits=20, item_length=1, items=(4, 4))
    episode = task.episodes(0, 900)
    items, query = episode.inputs[1:8:2, :, :20], episode.inputs[9, :, :20]
    asked = (items == query).all(-1)
    assert asked.sum(0).tolist() == [1] * 900
    assert asked.sum(1)[:3].tolist() == pytest.approx([300] * 3, abs=50)
    assert asked.sum(1)[3] == 0
    np.testing.assert_array_equal(episode.targets[-1], items[asked.argmax(0) + 1, np.arange(900)])


def test_of_length_fixes_the_number_of_items() -> None:
    assert AssociativeRecall().of_length(20) == AssociativeRecall(items=(20, 20))
    assert AssociativeRecall().longest == 32


@pytest.mark.parametrize(
    ("row", "channel", "value", "rule"),
    [
        (4, 0, 3, "row 4, channel 'bit 0' is 3: a bit must be 0 or 1"),
        (11, 0, 0.5, "row 11, channel 'bit 0' is 0.5: a bit must be 0 or 1"),
        (10, 0, 1, "the query in rows 10 … 11 is none of the first 2 items"),
        (3, 1, 0, "row 3, channel 'item delimiter' is 0: it must be 1, since row 3 .* 'item delimiter'"),
        (9, 2, 0, "row 9, channel 'query delimiter' is 0: it must be 1, since row 9 .* 'query delimiter'"),
        (14, 0, 1, "row 14, channel 'bit 0' is 1: it must be 0, since row 14 is a row of the phase 'output'"),
    ],
)
def test_rows_that_are_no_recall_task_are_refused(row: int, channel: int, value: float, rule: str) -> None:
    rows = np.array(ROWS, np.float32)
    rows[row, channel] = value
    with pytest.raises(TaskError, match=rule):
        TASK.interpret(rows)


@pytest.mark.parametrize("count", [1, 6, 9, 11, 13, 14])
def test_another_number_of_rows_is_refused(count: int) -> None:
    with pytest.raises(TaskError, match=rf"there are {count} rows: there must be 12 for 2 items and 3 for each more"):
        TASK.interpret(ROWS[:count])
