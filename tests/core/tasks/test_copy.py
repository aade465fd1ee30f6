import numpy as np
import pytest

from ntm_core.errors import TaskError
from ntm_core.tasks.copy import Copy

ROWS = [
    [1, 0, 0],
    [1, 1, 0],
    [0, 0, 1],
    [0, 0, 0],
    [0, 0, 0],
]


def test_the_encoding_by_hand() -> None:
    episode = Copy(bits=2).interpret(ROWS)
    assert episode.inputs[:, 0].tolist() == ROWS
    assert episode.targets[:, 0].tolist() == [[0, 0], [0, 0], [0, 0], [1, 0], [1, 1]]
    assert episode.mask[:, 0].tolist() == [0, 0, 0, 1, 1]
    assert [episode.phases[phase] for phase in episode.phase] == ["input", "input", "delimiter", "output", "output"]


def test_the_channels() -> None:
    assert Copy(bits=2).input_channels == ("bit 0", "bit 1", "delimiter")
    assert Copy(bits=2).output_channels == ("bit 0", "bit 1")


def test_lengths_and_bits_are_uniform() -> None:
    task = Copy(lengths=(2, 4))
    episodes = [task.episodes(seed) for seed in range(600)]
    lengths = [int(episode.mask.sum()) for episode in episodes]
    assert [lengths.count(length) for length in (2, 3, 4)] == pytest.approx([200] * 3, abs=40)
    bits = np.concatenate([episode.targets[episode.mask == 1].ravel() for episode in episodes])
    assert bits.mean() == pytest.approx(0.5, abs=0.02)


def test_of_length_fixes_the_length() -> None:
    assert Copy(bits=3).of_length(30) == Copy(bits=3, lengths=(30, 30))


@pytest.mark.parametrize(
    ("row", "channel", "value", "rule"),
    [
        (1, 0, 0.5, "row 1, channel 'bit 0' is 0.5: a bit must be 0 or 1"),
        (2, 1, 1, "row 2, channel 'bit 1' is 1: it must be 0, since row 2 is a row of the phase 'delimiter'"),
        (2, 2, 2, "row 2, channel 'delimiter' is 2: it must be 1"),
        (3, 0, 1, "row 3, channel 'bit 0' is 1: it must be 0, since row 3 is a row of the phase 'output'"),
        (4, 2, 1, "row 4, channel 'delimiter' is 1: it must be 0"),
        (0, 2, 1, "row 0, channel 'delimiter' is 1: at least one row of vectors must be before"),
        (1, 2, 1, "there are 5 rows: with the delimiter in row 1 there must be 3"),
        (2, 2, 0, "none of the 5 rows has a 1 in channel 'delimiter'"),
    ],
)
def test_rows_that_are_no_copy_task_are_refused(row: int, channel: int, value: float, rule: str) -> None:
    rows = np.array(ROWS, np.float32)
    rows[row, channel] = value
    with pytest.raises(TaskError, match=rule):
        Copy(bits=2).interpret(rows)


def test_another_number_of_channels_is_refused() -> None:
    with pytest.raises(TaskError, match=r"shape \(5, 3\): each row must have 9 numbers \(bit 0, .*, delimiter\)"):
        Copy().interpret(ROWS)
