import numpy as np
import pytest

from ntm_core.errors import TaskError
from ntm_core.tasks.repeat_copy import RepeatCopy

TASK = RepeatCopy(bits=2, normalised_over=(1, 3))
CODE = [-(1.5**0.5), 0.0, 1.5**0.5]
"""1, 2 and 3 repeats less their mean 2, over their standard deviation, the root of 2/3."""

ROWS = [
    [1, 0, 0, 0],
    [1, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
]


def test_the_encoding_by_hand() -> None:
    episode = TASK.interpret(ROWS)
    assert episode.inputs[:, 0].tolist() == ROWS
    assert episode.targets[:, 0].tolist() == [*[[0, 0, 0]] * 3, *[[1, 0, 0], [1, 1, 0]] * 2, [0, 0, 1]]
    assert episode.mask[:, 0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert [episode.phases[phase] for phase in episode.phase] == [
        *["input"] * 2,
        "delimiter",
        *["output"] * 4,
        "end",
    ]


def test_the_channels() -> None:
    assert TASK.input_channels == ("bit 0", "bit 1", "delimiter", "repeats")
    assert TASK.output_channels == ("bit 0", "bit 1", "end")


@pytest.mark.parametrize("repeats", [1, 2, 3])
def test_the_number_of_repeats_is_coded_by_mean_and_deviation(repeats: int) -> None:
    episode = TASK.of_length(2, repeats).episodes(0)
    assert episode.inputs[2, 0, 3] == pytest.approx(CODE[repeats - 1])
    assert len(episode) == 2 + 1 + 2 * repeats + 1


def test_the_codes_of_the_normalised_range_have_mean_0_and_variance_1() -> None:
    codes = [RepeatCopy().code(repeats) for repeats in range(1, 11)]
    assert np.mean(codes) == pytest.approx(0)
    assert np.var(codes) == pytest.approx(1)


def test_a_code_means_the_same_whatever_repeats_are_drawn() -> None:
    assert RepeatCopy(repeats=(20, 20)).code(20) == RepeatCopy().code(20)


def test_of_length_takes_the_most_repeats_unless_given() -> None:
    assert RepeatCopy().of_length(20) == RepeatCopy(lengths=(20, 20), repeats=(10, 10))
    assert RepeatCopy().of_length(10, 20) == RepeatCopy(lengths=(10, 10), repeats=(20, 20))


@pytest.mark.parametrize(
    ("row", "channel", "value", "rule"),
    [
        (0, 1, 7, "row 0, channel 'bit 1' is 7: a bit must be 0 or 1"),
        (2, 3, 0.3, "row 2, channel 'repeats' is 0.3: it must be the code of a whole number of at least 1"),
        (2, 3, CODE[0] - (CODE[1] - CODE[0]), "row 2, channel 'repeats' .* such as -1.2247 for 1 and 0.0000 for 2"),
        (2, 3, CODE[2], "there are 8 rows: with the delimiter in row 2 and 3 repeats there must be 10"),
        (2, 3, 1e30, "row 2, channel 'repeats' is 1e.30: it must be the code|there are 8 rows"),
        (1, 3, 1, "row 1, channel 'repeats' is 1: it must be 0, since row 1 is a row of the phase 'input'"),
        (7, 0, 1, "row 7, channel 'bit 0' is 1: it must be 0, since row 7 is a row of the phase 'end'"),
        (2, 2, 0, "none of the 8 rows has a 1 in channel 'delimiter'"),
    ],
)
def test_rows_that_are_no_repeat_copy_task_are_refused(row: int, channel: int, value: float, rule: str) -> None:
    rows = np.array(ROWS, np.float32)
    rows[row, channel] = value
    with pytest.raises(TaskError, match=rule):
        TASK.interpret(rows)
