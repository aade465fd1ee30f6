import pytest

from ntm_core.training.metrics import MetricRow
from ntm_core.training.relapse import RECOVERY, is_best, lost, pace, relapses
from tests.core.training.plans import row, small_plan


def rows(*metrics: float) -> tuple[MetricRow, ...]:
    return tuple(row(10 * index).model_copy(update={"metric": metric}) for index, metric in enumerate(metrics))


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ((), ()),
        ((60.0,), ()),
        ((60.0, 40.0, 59.9, 60.1), (30,)),
        ((60.0, 40.0, 61.0, 41.0, 300.0, 62.0), (20, 40, 50)),
        ((60.0, 40.0, 60.0, 1.0, 15.0, 15.1), (50,)),
    ],
)
def test_a_relapse_is_so_many_times_the_best_before_but_never_below_the_limit(
    metrics: tuple[float, ...], expected: tuple[int, ...]
) -> None:
    recipe = small_plan(relapse=1.5, converged_below=10.0).recipe
    assert relapses(recipe, rows(*metrics)) == expected


def test_without_a_limit_of_its_own_a_recipe_knows_no_relapse() -> None:
    assert relapses(small_plan().recipe, rows(60.0, 1.0, 60.0)) == ()


def test_the_best_row_is_lower_than_all_before() -> None:
    assert is_best(rows(60.0))
    assert is_best(rows(60.0, 59.0))
    assert not is_best(rows(60.0, 59.0, 59.0))


def test_a_relapse_halves_the_rate_until_some_rows_have_passed_without_another() -> None:
    recipe = small_plan(relapse=1.5).recipe
    good = (1.0,) * (RECOVERY - 1)
    assert pace(recipe, rows(1.0)) == 1.0
    assert pace(recipe, rows(1.0, 2.0)) == 0.5
    assert pace(recipe, rows(1.0, 2.0, *good)) == 0.5
    assert pace(recipe, rows(1.0, 2.0, *good, 1.0)) == 1.0
    assert pace(recipe, rows(1.0, 2.0, *good, 2.0, *good)) == 0.25
    assert pace(recipe, rows(1.0, 2.0, *good, 2.0, *good, 1.0)) == 0.5
    assert pace(recipe, rows(1.0, *good, *good, *good, 2.0)) == 0.5
    assert pace(small_plan().recipe, rows(1.0, 2.0)) == 1.0


def test_what_relapses_undo_are_the_updates_since_the_best_row_before_each() -> None:
    recipe = small_plan(relapse=1.5).recipe
    assert lost(recipe, rows(4.0, 1.0, 1.2)) == 0
    assert lost(recipe, rows(4.0, 1.0, 1.2, 9.0)) == 20
    assert lost(recipe, rows(4.0, 1.0, 1.2, 9.0, 9.0)) == 30
    assert lost(recipe, rows(4.0, 1.0, 1.2, 9.0, 9.0, 0.5)) == 30
    assert lost(recipe, rows(4.0, 1.0, 1.2, 9.0, 9.0, 0.5, 1.0)) == 40
    assert lost(recipe, rows(4.0, 1.0, 1.2, 9.0, 9.0, 0.5, 0.6, 1.0)) == 50
    skipped = [row.model_copy(update={"skipped_updates": index}) for index, row in enumerate(rows(4.0, 1.0, 1.2, 9.0))]
    assert lost(recipe, skipped) == 18
    assert lost(small_plan().recipe, rows(4.0, 1.0, 9.0)) == 0
