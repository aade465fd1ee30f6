"""Rows are matched: a copy on other locations is recovered by name, and then nothing differs."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core.analysis.divergence import divergence
from ntm_core.analysis.matching import Matchings, comparison_size, matchings
from ntm_core.errors import AnalysisError
from ntm_core.trace import Trace
from tests.core.analysis.copies import SIZE, late_and_not, original, rearranged, run

PLACES = np.arange(SIZE)


def holds(found: Matchings, a: Trace, b: Trace) -> None:
    """The best matching leaves nothing, as it says and as subtraction shows."""
    rows, best = found.best.rows, found.best
    assert best.memory is not None
    assert max(best.weighting, best.memory) < 1e-6
    assert np.abs(a["weighting"] - b["weighting"][..., rows]).max() < 1e-6
    assert np.abs(a.memory - b.memory[:, rows]).max() < 1e-6
    assert divergence(a, b, rows).first is None


@given(st.integers(0, 99), st.permutations(range(SIZE)))
@settings(max_examples=10)
def test_a_copy_with_its_locations_permuted_differs_by_nothing_once_matched(seed: int, order: list[int]) -> None:
    machine = original(seed, moves=False)
    a, b = run(machine), run(rearranged(machine, np.array(order)))
    found = matchings(a, b)
    holds(found, a, b)
    assert found.best.rows.tolist() == list(order)


@pytest.mark.parametrize("offset", [1, 3, 6])
def test_a_rotation_is_recovered_by_name(offset: int) -> None:
    machine = original()
    a, b = run(machine), run(rearranged(machine, (PLACES + offset) % SIZE))
    found = matchings(a, b)
    assert found.best.name == f"rotation by {offset}"
    holds(found, a, b)
    assert found.found[0].difference > 0.1


@pytest.mark.parametrize("offset", [0, 2, 6])
def test_a_reflection_is_recovered_by_name(offset: int) -> None:
    machine = original()
    a, b = run(machine), run(rearranged(machine, (offset - PLACES) % SIZE, mirrored=True))
    found = matchings(a, b)
    assert found.best.name == f"reflection by {offset}"
    holds(found, a, b)


def test_rows_are_matched_over_the_steps_that_stand_beside_each_other() -> None:
    machine = original()
    _, a = late_and_not(machine)
    late, _ = late_and_not(rearranged(machine, (PLACES + 3) % SIZE))
    found = matchings(a, late, 2)
    assert found.best.name == "rotation by 3"
    assert found.best.difference < 1e-9
    assert matchings(late, a, -2).best.name == f"rotation by {SIZE - 3}"
    assert min(matching.difference for matching in matchings(a, late).found) > 0.01
    with pytest.raises(AnalysisError, match="no step of B, 11 later"):
        matchings(a, late, 11)


def test_the_same_machine_is_matched_by_the_identity_although_an_assignment_fits_as_well() -> None:
    trace = run(original())
    found = matchings(trace, trace)
    assert [matching.kind for matching in found.found] == ["identity", "rotation", "reflection", "assignment"]
    assert (found.best.name, found.best.weighting, found.best.difference) == ("identity", 0, 0)
    assert found.found[3].difference == 0


def test_the_numbers_are_those_of_a_plain_subtraction() -> None:
    a, b = run(original(1)), run(original(2))
    found = matchings(a, b)
    for matching in found.found:
        rows = matching.rows
        weightings = [
            np.concatenate([trace["initial_weighting"][None], trace["weighting"]])[..., order]
            for trace, order in ((a, PLACES), (b, rows))
        ]
        memories = a.memory, b.memory[:, rows]
        assert matching.weighting == pytest.approx(np.abs(weightings[0] - weightings[1]).mean())
        assert matching.memory == pytest.approx(np.abs(memories[0] - memories[1]).mean())
        shares = [
            np.abs(first - second).sum() / (np.abs(first).sum() + np.abs(second).sum())
            for first, second in (weightings, memories)
        ]
        assert matching.difference == pytest.approx(sum(shares) / 2)
    identity, rotation, reflection, assignment = (matching.difference for matching in found.found)
    assert assignment <= min(rotation, reflection)
    assert rotation <= identity


def test_traces_of_other_lengths_are_matched_over_their_common_steps() -> None:
    machine = original()
    a, b = run(machine, 9), run(rearranged(machine, (PLACES + 2) % SIZE), 9)
    shorter = Trace(b.header.of(b.header.config, 4, dtype="float64"), episode_of(b, 4), b.initial, b.records[:4].copy())
    found = matchings(a, shorter)
    assert found.best.name == "rotation by 2"
    assert comparison_size(a.header.config, 4) == SIZE**2 * 5 * (3 + 4)


def episode_of(trace: Trace, steps: int) -> np.ndarray:
    """The first steps of a trace's episode."""
    header = trace.header.of(trace.header.config, steps, dtype="float64")
    episode = np.zeros((), header.record_dtype("episode"))
    for name in episode.dtype.names or ():
        episode[name] = trace.episode[name][:steps]
    return episode


def test_words_of_other_lengths_leave_the_weightings() -> None:
    found = matchings(run(original(moves=False)), run(original(moves=False, word_size=3)))
    assert not found.by_memory
    assert all(matching.memory is None for matching in found.found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"memory_size": 8}, "A has 7 locations and B 8"),
        ({"read_heads": 1}, "A has 2 read heads and B 1"),
        ({"write_heads": 2}, "A has 1 write heads and B 2"),
    ],
)
def test_machines_of_other_shapes_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        matchings(run(original()), run(original(**changes)))


def test_a_weighting_that_is_not_a_number_is_refused() -> None:
    trace = run(original())
    records = trace.records.copy()
    records["weighting"][3, 0, 0] = np.nan
    with pytest.raises(AnalysisError, match="weightings of B hold what is not a number"):
        matchings(trace, Trace(trace.header, trace.episode, trace.initial, records))
    records = trace.records.copy()
    records["add_vector"][:] = np.nan
    assert not matchings(trace, Trace(trace.header, trace.episode, trace.initial, records)).by_memory
