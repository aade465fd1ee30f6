from itertools import pairwise

import torch

from ntm_core.training.record import HISTORY_ROWS, converged_at, falling_at, training_record
from ntm_core.training.spent import Spent
from ntm_core.training.trainer import Counts
from tests.core.training.plans import row, small_plan


def test_a_run_converges_at_the_first_row_below_the_limit() -> None:
    rows = tuple(row(i).model_copy(update={"metric": metric}) for i, metric in enumerate([9.0, 0.01, 0.005, 3.0]))
    assert converged_at(small_plan(converged_below=0.01).recipe, rows) == 2
    assert converged_at(small_plan(converged_below=0.001).recipe, rows) is None
    assert converged_at(small_plan().recipe, ()) is None


def test_the_rate_falls_from_the_first_row_below_its_own_limit_on_or_else_from_convergence() -> None:
    rows = tuple(row(i).model_copy(update={"metric": metric}) for i, metric in enumerate([9.0, 4.0, 0.005]))
    assert falling_at(small_plan(converged_below=0.01, fall_below=5.0).recipe, rows) == 1
    assert falling_at(small_plan(converged_below=0.01).recipe, rows) == 2
    assert falling_at(small_plan(converged_below=0.01, fall_below=5.0).recipe, rows[:1]) is None


def test_the_record_says_how_it_was_trained() -> None:
    plan = small_plan(seed=4, batch=2)
    record = training_record(
        plan, Counts(iteration=7, skipped=1), Spent(3.14159, 2.71828), (row(0), row(5)), "compiled"
    )
    assert record.model_dump() == {
        "recipe": plan.recipe.model_dump(),
        "seed": 4,
        "iterations": 7,
        "sequences": 14,
        "seconds": 3.142,
        "cpu_seconds": 2.718,
        "marks": {"diagonal": None, "content_jump": None, "converged": None},
        "converged_at": None,
        "skipped_updates": 1,
        "relapses": (),
        "torch": torch.__version__,
        "core": "compiled",
        "history": tuple({"iteration": i, "loss_bits": 1.5, "metric": 1 / 3} for i in (0, 5)),
    }


def test_a_long_history_is_thinned_evenly_and_keeps_the_last_row() -> None:
    rows = tuple(row(i) for i in range(1001))
    history = [entry.iteration for entry in training_record(small_plan(), Counts(), Spent(), rows, "eager").history]
    assert len(history) <= HISTORY_ROWS
    assert history[-1] == 1000
    assert len({after - before for before, after in pairwise(history)}) == 1


def test_a_record_without_history() -> None:
    assert training_record(small_plan(), Counts(), Spent(), (), "eager").history == ()
