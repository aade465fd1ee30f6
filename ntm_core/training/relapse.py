"""Relapses: measurements so much worse than the best one before that a run goes back to where that was measured.

Which they are follows from the rows alone, so that nothing else has to be kept but the tensors of the best one.
"""

import math
from collections.abc import Sequence

from ntm_core.training.metrics import MetricRow
from ntm_core.training.recipe import Recipe

RECOVERY = 10
"""Rows without a relapse after which a run is fast again."""


def is_best(rows: Sequence[MetricRow]) -> bool:
    """Whether the last row has a lower metric than all before."""
    return all(rows[-1].metric < row.metric for row in rows[:-1])


def relapses(recipe: Recipe, rows: Sequence[MetricRow]) -> tuple[int, ...]:
    """The iterations of the rows that are relapses; none where the recipe has no `relapse`.

    Below the limit of convergence no metric is one, and no best one counts as lower than that.
    """
    if recipe.relapse is None:
        return ()
    found, best = [], math.inf
    for row in rows:
        if row.metric > recipe.relapse * max(best, recipe.converged_below):
            found.append(row.iteration)
        best = min(best, row.metric)
    return tuple(found)


def lost(recipe: Recipe, rows: Sequence[MetricRow]) -> int:
    """How many updates the relapses have undone, all together: those since the best row before each."""
    thrown_back = frozenset(relapses(recipe, rows))
    undone, best, at_best = 0, math.inf, 0
    for row in rows:
        standing = row.iteration - row.skipped_updates - undone
        if row.iteration in thrown_back:
            undone += standing - at_best
        elif row.metric < best:
            best, at_best = row.metric, standing
    return undone


def pace(recipe: Recipe, rows: Sequence[MetricRow]) -> float:
    """The share of the learning rate that relapses leave: each halves it, and after some rows without it doubles again.

    So a run whose one unlucky batch threw it back soon goes on as before, and one that is too fast is slowed down.
    """
    share, quiet = 1.0, 0
    thrown_back = frozenset(relapses(recipe, rows))
    for row in rows:
        quiet += 1
        if row.iteration in thrown_back:
            share, quiet = share / 2, 0
        elif quiet == RECOVERY:
            share, quiet = min(1.0, 2 * share), 0
    return share
