"""The tasks of other programs, whose rows only their checkpoints ask for."""

from typing import Any

import numpy as np
import pytest

from ntm_core.errors import TaskError
from ntm_core.tasks import ColumnSort, CopyLayout, DyckWords, RecallLayout, RepeatCopyLayout


def rows(task: Any, seed: int = 1) -> Any:
    return task.episodes(seed).inputs[:, 0]


def test_the_rows_of_copying_by_hand() -> None:
    """One vector of two bits."""
    vector = rows(CopyLayout(bits=2, lengths=(1, 1)))[1, :2].tolist()
    for layout, expected in (
        ("start_and_end", [[0, 0, 1, 0], [*vector, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]),
        ("between_tokens", [[1, 0], vector, [0, 1], [0, 0]]),
        ("end_marker", [[*vector, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]),
    ):
        task = CopyLayout(layout=layout, bits=2, lengths=(1, 1))
        episode = task.episodes(1)
        assert episode.inputs[:, 0].tolist() == expected
        assert episode.targets[-1, 0].tolist() == ([0, 0, 1] if layout == "end_marker" else vector)


def test_answers_turn_the_vectors() -> None:
    found = {}
    for answer in ("copy", "reversed", "upside_down", "sorted"):
        episode = CopyLayout(layout="end_marker", answer=answer, bits=4, lengths=(5, 5)).episodes(7)
        found[answer] = (episode.inputs[:5, 0, :4], episode.targets[6:-1, 0, :4])
        assert episode.targets[-1, 0].tolist() == [0, 0, 0, 0, 1]
    for answer, turned in (
        ("copy", lambda shown: shown.tolist()),
        ("reversed", lambda shown: shown[::-1].tolist()),
        ("upside_down", lambda shown: shown[:, ::-1].tolist()),
        ("sorted", lambda shown: sorted(shown.tolist())),
    ):
        shown, asked = found[answer]
        assert asked.tolist() == turned(shown)


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ("count_row", [[0, 1, 0], [0, 0, (3 - 5.5) / 8.25**0.5]]),
        ("start_and_count", [[0, 0, (3 - 5.5) / 8.25**0.5]]),
        ("unary_count", [[0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]),
        ("binary_count", [[0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]),
    ],
)
def test_three_repeats_are_said_so(layout: Any, said: list[list[float]]) -> None:
    task = RepeatCopyLayout(layout=layout, bits=1, lengths=(2, 2), repeats=(3, 3))
    episode = task.episodes(1)
    first = int("start" in task.input_channels)
    found = episode.inputs[first + 2 : first + 2 + len(said), 0]
    np.testing.assert_allclose(found, said, rtol=1e-6)
    vectors = episode.inputs[first : first + 2, 0, 0].tolist()
    asked = episode.targets[episode.mask[:, 0] > 0, 0, 0].tolist()
    assert asked[:6] == vectors * 3
    assert len(asked) == (6 if layout == "unary_count" else 7)


def test_binary_counts_stand_least_significant_digit_first() -> None:
    task = RepeatCopyLayout(layout="binary_count", bits=1, lengths=(1, 1), repeats=(6, 6))
    assert rows(task)[3:6, 3].tolist() == [0, 1, 1]


def test_the_item_after_the_first_of_two_alike_is_asked() -> None:
    task = RecallLayout(bits=1)
    shown = [[0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]]
    question = [[0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert task.interpret([*shown, *question]).targets[-1, 0].tolist() == [0, 0, 0]


def test_column_sort_counts_the_ones_of_each_channel() -> None:
    episode = ColumnSort(bits=3, items=6, kept=4).episodes(1)
    ones = episode.inputs[:6, 0, :3].sum(0)
    np.testing.assert_array_equal(episode.targets[6:, 0], np.arange(4)[:, None] < ones)


def test_dyck_words_are_balanced_half_the_time() -> None:
    ends = []
    for seed in range(60):
        episode = DyckWords(pairs=(1, 6)).episodes(seed, batch=5)
        depth, fallen = np.zeros(5), np.zeros(5, bool)
        for row, target in zip(episode.inputs[..., 0], episode.targets[..., 0], strict=True):
            depth += 1 - 2 * row
            fallen |= depth < 0
            np.testing.assert_array_equal(target, (depth == 0) & ~fallen)
        assert not depth.any()
        ends += list(~fallen)
    assert 0.4 < np.mean(ends) < 0.8


@pytest.mark.parametrize(
    ("task", "given", "rule"),
    [
        (CopyLayout(bits=1), [[0, 1, 0]] * 3, "there are 3 rows: there must be 2 for each vector and 2 more"),
        (CopyLayout(bits=1), [[0, 1, 0], [2, 0, 0], [0, 0, 1], [0, 0, 0]], "row 1, channel 'bit 0' is 2"),
        (RepeatCopyLayout(bits=1), [[1, 0, 0]] * 4, "none of the 4 rows has a number in channel 'delimiter'"),
        (RepeatCopyLayout(bits=1), [[0, 1, 0]] * 4, "with 0 vectors and 0 repeats"),
        (RepeatCopyLayout(bits=1), [[1, 0, 0], [0, 1, 0], [0, 0, 9], [0, 0, 0], [0, 0, 0]], "row 2, channel 'repeats'"),
        (RecallLayout(bits=1), [[1, 0, 0]] * 4, "there are 4 rows: there must be a flag in row 0"),
        (
            RecallLayout(bits=1),
            [[0, 1, 0], [1, 0, 0]] * 2 + [[0, 0, 1], [0, 0, 0], [0, 0, 1], [0, 0, 0]],
            "the query is none of the items but the last",
        ),
        (ColumnSort(bits=1, items=1, kept=1), [[0, 0]], "there are 1 rows: there must be 1 items and 1 blank rows"),
        (ColumnSort(bits=1, items=1, kept=1), [[0, 2], [0, 0]], "channel 'priority' is 2"),
        (DyckWords(), [[0.5]], "row 0, channel 'bracket' is 0.5"),
    ],
)
def test_rows_of_another_layout_are_refused(task: Any, given: Any, rule: str) -> None:
    with pytest.raises(TaskError, match=rule):
        task.interpret(given)
