"""What holds for every task."""

import contextlib
import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_core.errors import TaskError
from ntm_core.tasks import (
    MAX_BATCH,
    TASKS,
    AssociativeRecall,
    ColumnSort,
    Copy,
    CopyLayout,
    DyckWords,
    DynamicNgrams,
    Episode,
    PrioritySort,
    RecallLayout,
    RepeatCopy,
    RepeatCopyLayout,
    Task,
    TaskBase,
    parse_task,
)

DIGESTS = {
    "copy": "616e714e5c88242cb8c26ae5a922154d93d32e321d85666cf5fb8b7e3c86bf3d",
    "repeat_copy": "accb164bd6cd5817981867c35cf1f5195e4e218e2e08a01183a7903dc6e5cefe",
    "associative_recall": "24738acb140323aedcc12104d54d3b3fe4c041e68d0c99e29e9fa75d485e7de3",
    "dynamic_ngrams": "9bba0f9fac5fc9a6181c0648562562d3d566ea5ffeba47580e0059e9501ce611",
    "priority_sort": "dee70695f12b916b6125cdbef3dcd2d0c93f27b1c2ef602621247bcd42457ad9",
    "copy_layout": "d93ed53c8421f0beb21862716bc704cf566b4a0d326d0feb983899da31ef15e6",
    "repeat_copy_layout": "921a6130899c046e7d2411345efc05157e559525741320bede7cb76e41507653",
    "recall_layout": "7b9516f0190a51e84248e8858a1d4107792e9c62e1cc9dae04d1e159d7932915",
    "column_sort": "e857b3bf586d55210d234e722809a86b4ae2b7961bba83edc79c5245f01ae0ae",
    "dyck_words": "47e14f3abb4b87ca6f60ad4ccbb29c5567e726911e0efa056475bc886a9be618",
}
"""SHA-256 of three sequences from the seeds (1, 2): the same on every platform and with every NumPy."""

ALL = [task() for task in TASKS.values()]


def named(task: TaskBase) -> str:
    return task.title


def digest(episode: Episode) -> str:
    parts = [getattr(episode, name).astype("<f4").tobytes() for name in ("inputs", "targets", "mask", "phase")]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def small_tasks() -> st.SearchStrategy[Task]:
    """Tasks of every kind with settings of every kind, small."""
    few = st.integers(1, 4)
    ranges = st.tuples(few, few).map(lambda pair: (min(pair), max(pair)))
    items = ranges.map(lambda pair: (pair[0] + 1, pair[1] + 1))
    sort = st.tuples(few, few).map(lambda pair: PrioritySort(bits=3, items=max(pair), kept=min(pair)))
    return st.one_of(
        st.builds(Copy, bits=few, lengths=ranges),
        st.builds(RepeatCopy, bits=few, lengths=ranges, repeats=ranges),
        st.builds(AssociativeRecall, bits=few, item_length=few, items=items),
        st.builds(DynamicNgrams, context=few, length=st.integers(6, 20)),
        sort,
        st.tuples(few, few).map(lambda pair: ColumnSort(bits=3, items=max(pair), kept=min(pair))),
        st.builds(
            CopyLayout,
            layout=st.sampled_from(("start_and_end", "between_tokens", "end_marker")),
            answer=st.sampled_from(("copy", "reversed", "upside_down", "sorted")),
            bits=few,
            lengths=ranges,
        ),
        st.builds(
            RepeatCopyLayout,
            layout=st.sampled_from(("count_row", "start_and_count", "unary_count", "binary_count")),
            bits=few,
            lengths=ranges,
            repeats=ranges,
        ),
        st.builds(RecallLayout, bits=few, items=items, item_lengths=ranges),
        st.builds(DyckWords, pairs=ranges),
    )


@pytest.mark.parametrize("task", ALL, ids=named)
def test_a_seed_gives_the_same_bits_on_every_platform(task: Task) -> None:
    assert digest(task.episodes((1, 2), 3)) == DIGESTS[task.name]


@pytest.mark.parametrize("task", ALL, ids=named)
def test_another_seed_gives_another_episode(task: Task) -> None:
    digests = {digest(task.episodes(seed)) for seed in (0, 1, (0, 0), (0, 1), 2**32 - 1)}
    assert len(digests) == 5


@pytest.mark.parametrize("task", ALL, ids=named)
def test_a_number_seeds_as_a_tuple_of_one(task: Task) -> None:
    assert digest(task.episodes(7)) == digest(task.episodes((7,)))


@pytest.mark.parametrize("task", ALL, ids=named)
def test_an_episode_leaves_the_global_random_state_alone(task: Task) -> None:
    before = digest(task.episodes(3))
    np.random.seed(0)  # noqa: NPY002  # the global state is what must not matter
    assert digest(task.episodes(3)) == before


@pytest.mark.parametrize("task", ALL, ids=named)
@pytest.mark.parametrize("seed", [-1, 2**32, (), (1, -1), (2**40,), 1.5, 1.0, "1", None, [1, 2], (1, 0.5)], ids=str)
def test_a_seed_out_of_bounds_is_refused(task: Task, seed: Any) -> None:
    with pytest.raises(TaskError, match=r"seed is .*: it must be one or several whole numbers of 0 … 4294967295"):
        task.episodes(seed)


def test_a_whole_number_of_numpys_is_one() -> None:
    assert digest(Copy().episodes(np.int64(7), np.int32(2))) == digest(Copy().episodes(7, 2))  # type: ignore[arg-type]
    assert digest(Copy().episodes((np.uint8(7), 1))) == digest(Copy().episodes((7, 1)))  # type: ignore[arg-type]


@pytest.mark.parametrize("batch", [0, -1, MAX_BATCH + 1, 1.5, "1"])
def test_a_batch_out_of_bounds_is_refused(batch: Any) -> None:
    with pytest.raises(TaskError, match=rf"batch is {batch!r}: it must be a whole number of 1 … {MAX_BATCH}"):
        Copy().episodes(0, batch)


@given(small_tasks(), st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_the_shapes_fit_the_channels_and_phases(task: Task, seed: int, batch: int) -> None:
    episode = task.episodes(seed, batch)
    steps = len(episode)
    assert steps <= task.longest
    assert episode.inputs.shape == (steps, batch, len(task.input_channels))
    assert episode.targets.shape == (steps, batch, len(task.output_channels))
    assert episode.mask.shape == (steps, batch)
    assert episode.phase.shape == (steps,)
    assert episode.phases == task.phases
    assert {array.dtype for array in (episode.inputs, episode.targets, episode.mask)} == {np.dtype(np.float32)}
    assert set(episode.phase.tolist()) <= set(range(len(task.phases)))
    assert set(np.unique(episode.targets).tolist()) <= {0.0, 1.0}
    assert not episode.targets[episode.mask == 0].any()
    asked = [task.phases[phase] in ("output", "end") for phase in episode.phase]
    if not isinstance(task, DynamicNgrams):  # its last step, the end, asks nothing
        assert (episode.mask == np.array(asked)[:, None]).all()


@given(small_tasks(), st.integers(0, 2**32 - 1))
def test_interpreting_an_episodes_inputs_gives_the_episode(task: Task, seed: int) -> None:
    batch = task.episodes(seed, 2)
    for index in range(2):
        episode = batch.one(index)
        again = task.interpret(episode.inputs[:, 0])
        for name in ("inputs", "targets", "mask", "phase"):
            np.testing.assert_array_equal(getattr(again, name), getattr(episode, name))


@pytest.mark.parametrize("task", ALL, ids=named)
def test_interpreting_takes_lists(task: Task) -> None:
    episode = task.episodes(5)
    assert digest(task.interpret(episode.inputs[:, 0].tolist())) == digest(episode)


@given(small_tasks(), st.integers(0, 1000), st.data())
def test_no_row_can_be_changed_unseen(task: Task, seed: int, data: st.DataObject) -> None:
    """A changed number is refused, unless it makes another episode that has exactly these inputs."""
    rows = task.episodes(seed).inputs[:, 0].copy()
    step = data.draw(st.integers(0, len(rows) - 1))
    channel = data.draw(st.integers(0, rows.shape[1] - 1))
    rows[step, channel] += data.draw(st.sampled_from([-1.0, -0.5, 0.25, 1.0, 3.0]))
    with contextlib.suppress(TaskError):
        np.testing.assert_array_equal(task.interpret(rows).inputs[:, 0], rows)


@pytest.mark.parametrize("task", ALL, ids=named)
@pytest.mark.parametrize("rows", [[], [[]], [1.0], "text", [["a"]], [[0.0], [0.0, 1.0]], None], ids=str)
def test_what_is_no_table_of_numbers_is_refused(task: Task, rows: object) -> None:
    with pytest.raises(TaskError, match="rows"):
        task.interpret(rows)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(value: float) -> None:
    rows = Copy(bits=1).of_length(1).episodes(0).inputs[:, 0]
    rows[2, 1] = value
    with pytest.raises(TaskError, match=rf"row 2, channel 'delimiter' is {value:g}: it must be finite"):
        Copy(bits=1).interpret(rows)


@pytest.mark.parametrize("task", ALL, ids=named)
def test_a_task_survives_json(task: Task) -> None:
    assert parse_task(task.model_dump(mode="json")) == task


@pytest.mark.parametrize("task", ALL, ids=named)
def test_every_evaluation_length_is_a_task(task: Task) -> None:
    for length in task.evaluation_lengths:
        fixed = task.of_length(length)
        assert len(fixed.episodes(0)) == len(fixed.episodes(1)) == fixed.longest


@pytest.mark.parametrize("task", ALL, ids=named)
@pytest.mark.parametrize("length", [0, -1, 10**9])
def test_a_length_out_of_bounds_is_refused(task: Task, length: int) -> None:
    with pytest.raises(TaskError, match=str(length)):
        task.of_length(length)


@pytest.mark.parametrize("task", ALL, ids=named)
def test_titles_and_descriptions_are_there_to_be_read(task: Task) -> None:
    assert task.title
    assert task.description.endswith(".")


@pytest.mark.parametrize("task", ALL, ids=named)
def test_perfect_logits_have_no_wrong_bits_and_undecided_ones_half(task: Task) -> None:
    episode = task.episodes(1, 50)
    asked = episode.mask.sum(0) * len(task.output_channels)
    perfect = np.where(episode.targets > 0.5, 20, -20).astype(np.float32)
    probabilities = 1 / (1 + np.exp(-perfect))
    assert not task.wrong_bits(episode, probabilities).any()
    assert task.wrong_bits(episode, 1 - probabilities).tolist() == asked.tolist()
    assert task.loss_bits(episode, perfect).max() < 1e-4
    assert task.loss_bits(episode, 0 * perfect) == pytest.approx(asked)


@pytest.mark.parametrize("task", [task for task in ALL if task.name != "dynamic_ngrams"], ids=named)
def test_the_metric_is_wrong_bits(task: Task) -> None:
    episode = task.episodes(1, 4)
    logits = np.random.RandomState(0).normal(size=episode.targets.shape).astype(np.float32)
    probabilities = 1 / (1 + np.exp(-logits))
    assert task.measure(episode, logits).tolist() == task.wrong_bits(episode, probabilities).tolist()
    assert task.metric == "wrong bits"


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"name": "copy", "lengths": (20, 1)}, r"lengths is \(20, 1\): the smallest, 20, must not exceed the largest"),
        ({"name": "copy", "lengths": (0, 3)}, r"lengths.0 is 0: .* greater than or equal to 1"),
        ({"name": "copy", "lengths": (1, 60_000)}, "an episode could have 120001 steps; at most 100000 are allowed"),
        ({"name": "copy", "lengths": (1, 10**12)}, r"lengths.1 is 1000000000000: .* less than or equal to 100000"),
        ({"name": "copy", "lengths": (1, 2, 3)}, "lengths is .*at most 2"),
        ({"name": "copy", "bits": 0}, "bits is 0: .* greater than or equal to 1"),
        ({"name": "copy", "lenghts": (1, 2)}, "lenghts is .*: Extra inputs are not permitted"),
        ({"name": "repeat_copy", "repeats": (5, 4)}, r"repeats is \(5, 4\): the smallest, 5, must not exceed"),
        ({"name": "repeat_copy", "lengths": (1, 999), "repeats": (1, 999)}, "could have 999002 steps"),
        ({"name": "repeat_copy", "normalised_over": (3, 3)}, r"normalised_over is \(3, 3\): .* must differ"),
        ({"name": "associative_recall", "items": (1, 4)}, r"items is \(1, 4\): there must be at least 2 items"),
        ({"name": "associative_recall", "item_length": 0}, "item_length is 0"),
        ({"name": "dynamic_ngrams", "context": 11}, "context is 11: .* less than or equal to 10"),
        ({"name": "dynamic_ngrams", "length": 6}, "length is 6: with a context of 5 it must be at least 7"),
        ({"name": "priority_sort", "items": 3, "kept": 4}, "kept is 4: it must not exceed the number of items, 3"),
        ({"name": "recall_layout", "items": (1, 4)}, r"items is \(1, 4\): there must be at least 2 items"),
        ({"name": "column_sort", "items": 3, "kept": 4}, "kept is 4: it must not exceed the number of items, 3"),
        ({"name": "copy_layout", "layout": "sideways"}, "layout is 'sideways'"),
        ({"name": "juggling"}, "'juggling'"),
        ({}, "name"),
        ([], "dictionary"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused_with_value_and_rule(settings: object, rule: str) -> None:
    with pytest.raises(TaskError, match=rule):
        parse_task(settings)
