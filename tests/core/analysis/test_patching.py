"""What a patch restores, held against one run at a time."""

from typing import Any

import numpy as np
import pytest
import torch

from ntm_core.analysis.patches import CLEAN, PATCHED, patching_cells, rows_of, taken_from_clean
from ntm_core.analysis.patching import Patching
from ntm_core.errors import AnalysisError
from ntm_core.interventions import MODES, Editor, Intervention, InterventionError, allow
from ntm_core.interventions.quantities import QUANTITIES
from ntm_core.machine import Machine
from ntm_core.recording import record
from ntm_core.tasks.episode import loss_bits
from ntm_core.trace import Trace
from tests.core.machines import any_episode, at_rest, small_config, stirred

STEPS = 4


def machine_of(**changes: Any) -> Machine:
    return at_rest(stirred(small_config(**changes), 4))


def trace_of(machine: Machine, seed: int, steps: int = STEPS) -> Trace:
    return record(machine, any_episode(machine.config, steps, seed=seed))


def patching(machine: Machine, **options: Any) -> Patching:
    return Patching(machine, trace_of(machine, 1), trace_of(machine, 2), **options)


def loss_one_by_one(machine: Machine, trace: Trace, interventions: list[Intervention]) -> float:
    """The corrupted run under these interventions, on its own, against what the clean episode asks."""
    clean, corrupted = any_episode(machine.config, STEPS, seed=1), any_episode(machine.config, STEPS, seed=2)
    editor = Editor(machine.config, interventions, {CLEAN: trace}, on_violation=allow)
    inputs = torch.from_numpy(corrupted.inputs).double()
    with torch.inference_mode():
        logits = torch.stack([result.logits for result in machine.run(inputs, machine.initial_state(1, 0), editor)])
    return float(loss_bits(clean, logits.numpy())[0])


CHANGES = [
    {},
    {"read_heads": 2, "write_heads": 2},
    {"schedule": "address_last", "step_order": "write_then_read"},
    {"head_roles": "read_and_write", "read_heads": 2, "write_heads": 2},
    {"controller": "feedforward", "initial_memory": "fresh_uniform"},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_the_map_is_that_of_one_run_at_a_time(changes: dict[str, Any]) -> None:
    machine = machine_of(**changes)
    work = patching(machine)
    assert list(work.run()) == list(range(work.total))
    found = work.result()
    assert found.rows == rows_of(machine.config, PATCHED)
    clean = trace_of(machine, 1)
    plain = loss_one_by_one(machine, clean, [])
    assert found.loss_corrupted == pytest.approx(plain)
    for index, row in enumerate(found.rows):
        for step in range(0, STEPS, 2):
            loss = loss_one_by_one(machine, clean, [taken_from_clean(row, step)])
            assert found.loss[index, step] == pytest.approx(loss, abs=1e-9)
            restored = (plain - loss) / (plain - found.loss_clean)
            assert found.restored[index, step] == pytest.approx(restored, abs=1e-9)
    assert np.abs(found.restored).max() > 1e-3


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_everything_patched_at_all_steps_restores_the_clean_run(changes: dict[str, Any]) -> None:
    work = patching(machine_of(**changes))
    everything = [Intervention(quantity=quantity, operation="take", source=CLEAN) for quantity in QUANTITIES]
    nothing: list[Intervention] = []
    full, none = work.losses([everything, nothing])
    assert full == pytest.approx(work.loss_clean, abs=1e-9)
    assert none == pytest.approx(work.loss_corrupted, abs=1e-9)


def test_a_map_is_the_same_however_its_runs_are_batched(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = machine_of()
    whole, small = patching(machine), patching(machine)
    monkeypatch.setattr("ntm_core.analysis.patching._MOST_RUNS", 4)
    small = patching(machine)
    for work in (whole, small):
        assert list(work.run()) == list(range(work.total))
    assert small.total > whole.total
    assert np.allclose(whole.result().loss, small.result().loss, atol=1e-12)


def test_only_what_is_asked_is_patched() -> None:
    work = patching(machine_of(), quantities=("read_vector", "inputs"), steps=(2, 4))
    for _ in work.run():
        pass
    found = work.result()
    assert [(row.quantity, row.head, row.head_name) for row in found.rows] == [
        ("read_vector", 0, "read 0"),
        ("inputs", None, None),
    ]
    assert (found.steps, found.restored.shape) == ((2, 4), (2, 2))


def test_a_head_that_reads_and_writes_has_its_addressing_once() -> None:
    config = small_config(head_roles="read_and_write", read_heads=2, write_heads=2)
    rows = [(row.quantity, row.head, row.head_name) for row in rows_of(config, ("key", "add_vector"))]
    assert rows == [
        ("key", 0, "read 0"),
        ("key", 1, "read 1"),
        ("add_vector", 2, "write 0"),
        ("add_vector", 3, "write 1"),
    ]


def test_a_map_costs_what_its_runs_compute_from_their_patch_on() -> None:
    config = small_config()
    assert patching_cells(config, 3, ("key",)) == 2 * (3 + 2 + 1) * 5 * 4
    assert patching_cells(config, 3, ("read_vector", "inputs"), (1, 3)) == 2 * (2 + 1) * 5 * 4


def test_what_was_changed_in_the_corrupted_run_stays_changed() -> None:
    machine = machine_of()
    hard = MODES["hard"].interventions
    doubled = Intervention(quantity="inputs", operation="scale", value=2.0)
    corrupted = record(machine, any_episode(machine.config, STEPS, seed=2), interventions=(*hard, doubled))
    work = Patching(machine, trace_of(machine, 1), corrupted)
    (loss,) = work.losses([[]])
    assert loss == pytest.approx(work.loss_corrupted)
    assert loss == pytest.approx(loss_one_by_one(machine, trace_of(machine, 1), [*hard, doubled]))


def compiled_pair(added: float) -> tuple[Machine, Trace, Trace]:
    """A float32 machine that reads nothing, and its runs as they are and with a number added to one row."""
    machine = at_rest(stirred(small_config(), 4, dtype=torch.float32))
    blind = MODES["no_read"].interventions
    other = Intervention(quantity="inputs", operation="add", value=added, steps=(2, 3))
    clean, corrupted = (
        record(machine, any_episode(machine.config, STEPS, seed=1), interventions=asked)
        for asked in (blind, (*blind, other))
    )
    return machine, clean, corrupted


def test_a_patch_that_changes_nothing_restores_nothing_whatever_recorded_the_traces() -> None:
    work = Patching(*compiled_pair(0.5), quantities=("read_vector", "inputs"))
    for _ in work.run():
        pass
    restored = work.result().restored
    assert (restored[0] == 0).all()
    assert (restored[1, [0, 1, 3]] == 0).all()
    assert restored[1, 2] == pytest.approx(1, abs=1e-3)


def test_losses_that_differ_by_rounding_alone_are_refused() -> None:
    with pytest.raises(AnalysisError, match="more than rounding"):
        Patching(*compiled_pair(0.0))


def test_losses_that_differ_by_little_more_than_rounding_are_refused_once_it_is_known() -> None:
    machine, clean, corrupted = compiled_pair(0.5)
    records = corrupted.records.copy()
    records["logits"] += 0.2 * (clean["logits"] - corrupted["logits"])
    work = Patching(machine, clean, Trace(corrupted.header, corrupted.episode, corrupted.initial, records))
    with pytest.raises(AnalysisError, match="more than rounding"):
        list(work.run())


def test_episodes_that_cannot_be_compared_are_refused() -> None:
    machine = machine_of()
    clean, corrupted = trace_of(machine, 1), trace_of(machine, 2)
    with pytest.raises(AnalysisError, match="4 steps and the corrupted one 3"):
        Patching(machine, clean, trace_of(machine, 2, 3))
    with pytest.raises(AnalysisError, match="must differ"):
        Patching(machine, clean, clean)
    with pytest.raises(AnalysisError, match=r"steps is \[3, 5\]"):
        Patching(machine, clean, corrupted, steps=(3, 5))
    with pytest.raises(AnalysisError, match="quantities is \\[\\]"):
        Patching(machine, clean, corrupted, quantities=())
    with pytest.raises(InterventionError, match="has shape"):
        Patching(machine, trace_of(machine_of(word_size=3), 1), corrupted)
    with pytest.raises(AnalysisError, match="clean run has 3 outputs and the corrupted one 2"):
        Patching(machine, trace_of(machine_of(output_size=3), 1), corrupted)
    episode = clean.episode.copy()
    episode["mask"] = 0
    with pytest.raises(AnalysisError, match="asks for nothing"):
        Patching(machine, Trace(clean.header, episode, clean.initial, clean.records), corrupted)
