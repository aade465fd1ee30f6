"""The rows of other programs' tasks are as their authors lay them out."""

import numpy as np
import pytest

from ntm_core.checkpoints.importers.copying import (
    associative_recall_with_varied_items,
    copy_between_tokens,
    copy_with_end_marker,
    copy_with_start_and_end,
    repeat_copy_with_binary_count,
    repeat_copy_with_count_row,
    repeat_copy_with_start,
    repeat_copy_with_unary_count,
)
from ntm_core.checkpoints.importers.counting import column_sort, dyck_words
from ntm_core.checkpoints.importers.encodings import Encoding
from tests.core.golden import load_golden, peers_are_absent

with_peers = pytest.mark.skipif(peers_are_absent() is not None, reason=peers_are_absent() or "")

ALL = [
    copy_with_start_and_end(8),
    copy_between_tokens(10),
    copy_with_end_marker("copy", 8),
    copy_with_end_marker("reversed_copy", 8),
    copy_with_end_marker("upside_down_copy", 8),
    copy_with_end_marker("sort", 8),
    repeat_copy_with_binary_count(6),
    repeat_copy_with_count_row(8, lambda count: count / 10, "P / 10"),
    repeat_copy_with_start(8),
    repeat_copy_with_unary_count(8),
    associative_recall_with_varied_items(8),
    column_sort(8),
    dyck_words(),
    Encoding.ours({"name": "copy", "bits": 8}),
]


@pytest.mark.parametrize("encoding", ALL, ids=lambda encoding: encoding.name)
def test_episodes_have_the_channels_and_follow_the_seed(encoding: Encoding) -> None:
    for seed in range(20):
        episode = encoding.episodes((3, seed), batch=4)
        assert episode.inputs.shape == (len(episode), 4, len(encoding.input_channels))
        assert episode.targets.shape == (len(episode), 4, len(encoding.output_channels))
        assert episode.phase.shape == (len(episode),)
        assert set(episode.phase) <= set(range(len(episode.phases)))
        assert episode.mask.any()
        assert not episode.targets[episode.mask == 0].any()
        np.testing.assert_array_equal(encoding.episodes((3, seed), batch=4).inputs, episode.inputs)
    assert encoding.layout
    assert encoding.about()["input_channels"] == encoding.input_channels


def test_sort_and_its_like_turn_the_vectors() -> None:
    vectors = {}
    for turn in ("copy", "reversed_copy", "upside_down_copy", "sort"):
        episode = copy_with_end_marker(turn, 4).episodes(7)
        length = (len(episode) - 2) // 2
        assert length > 1
        shown, asked = episode.inputs[:length, 0, :4], episode.targets[length + 1 : -1, 0, :4]
        vectors[turn] = (shown, asked)
        assert episode.targets[-1, 0].tolist() == [0, 0, 0, 0, 1]
    shown, asked = vectors["reversed_copy"]
    np.testing.assert_array_equal(asked, shown[::-1])
    shown, asked = vectors["upside_down_copy"]
    np.testing.assert_array_equal(asked, shown[:, ::-1])
    shown, asked = vectors["sort"]
    assert asked.tolist() == sorted(shown.tolist())


def test_column_sort_counts_the_ones_of_each_channel() -> None:
    episode = column_sort(3, items=6, kept=4).episodes(1)
    ones = episode.inputs[:6, 0, :3].sum(0)
    np.testing.assert_array_equal(episode.targets[6:, 0], np.arange(4)[:, None] < ones)


def test_dyck_words_are_balanced_half_the_time() -> None:
    ends = []
    for seed in range(60):
        episode = dyck_words(6).episodes(seed, batch=5)
        depth = np.zeros(5)
        fallen = np.zeros(5, bool)
        for row, target in zip(episode.inputs[..., 0], episode.targets[..., 0], strict=True):
            depth += 1 - 2 * row
            fallen |= depth < 0
            np.testing.assert_array_equal(target, (depth == 0) & ~fallen)
        assert not depth.any()
        ends += list(~fallen)
    assert 0.4 < np.mean(ends) < 0.8


def test_binary_counts_stand_least_significant_digit_first() -> None:
    for seed in range(30):
        episode = repeat_copy_with_binary_count(6).episodes(seed)
        rows = episode.inputs[:, 0]
        start, delimiter, go = (int(np.flatnonzero(rows[:, channel])[0]) for channel in (6, 7, 9))
        digits = rows[delimiter + 1 : go, 8]
        repeats = int(sum(digit * 2**place for place, digit in enumerate(digits)))
        assert start == 0
        assert digits[-1] == 1
        assert int(episode.mask.sum()) == repeats * (delimiter - 1) + 1


@with_peers
@pytest.mark.parametrize(
    ("name", "encoding", "tail"),
    [
        ("vlgiitr-copy-10", copy_with_start_and_end(8), 0),
        ("fumin-copy-seed2-0", copy_with_start_and_end(8), 0),
        ("fumin-repeatcopy-seed11-0", repeat_copy_with_binary_count(6), 0),
        ("lasagne-copy-0", copy_with_end_marker("copy", 8), 0),
    ],
)
def test_recorded_rows_have_the_layout(name: str, encoding: Encoding, tail: int) -> None:
    """Some sequence of the encoding has the flags, blanks and asked rows of the recorded one."""
    golden = load_golden(name)
    rows = golden.arrays["input"]
    data = len(encoding.output_channels) - ("end" in encoding.output_channels)
    flags = rows[:, data:]
    lengths = set()
    for seed in range(2000):
        episode = encoding.episodes(seed)
        lengths.add(len(episode))
        if len(episode) == len(rows) + tail and np.array_equal(episode.inputs[:, 0, data:], flags):
            return
    pytest.fail(f"no sequence of {sorted(lengths)} steps has the flags {flags.tolist()}")
