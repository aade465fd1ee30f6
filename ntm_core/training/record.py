"""The record of a training run that a checkpoint carries."""

import torch
from pydantic import BaseModel, ConfigDict, Field

from ntm_core.compiled import Core
from ntm_core.training.metrics import MetricRow
from ntm_core.training.plan import Plan
from ntm_core.training.recipe import Recipe
from ntm_core.training.relapse import relapses
from ntm_core.training.spent import Spent
from ntm_core.training.structure import DIAGONAL
from ntm_core.training.trainer import Counts

HISTORY_ROWS = 40


class HistoryRow(BaseModel):
    """One evaluation, in short."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iteration: int
    loss_bits: float
    metric: float


class Marks(BaseModel):
    """The iterations of a run at which something was first measured; null where it was not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    diagonal: int | None = Field(description=f"A read head moved on by one at {DIAGONAL:.0%} of the asked steps.")
    content_jump: int | None = Field(description="A head looked far away because of what was there.")
    converged: int | None = Field(description="The task's metric was below the recipe's limit.")


class TrainingRecord(BaseModel):
    """How a checkpoint was trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: Recipe
    seed: int = Field(description="Seed of the first parameters and of all training data.")
    iterations: int = Field(description="Iterations done.")
    sequences: int = Field(description="Sequences trained on.")
    seconds: float = Field(description="Time spent, evaluations included.")
    cpu_seconds: float | None = Field(
        None, description="Processor time spent, which other programs do not lengthen; null in older files."
    )
    marks: Marks | None = Field(None, description="Where something was first measured; null in older files.")
    converged_at: int | None = Field(description="Iteration at which the run was first seen converged.")
    skipped_updates: int = Field(description="Updates skipped because the gradient was not finite.")
    relapses: tuple[int, ...] = Field(
        (), description="Iterations after which the run went back to where it had been best, and slower."
    )
    torch: str = Field(description="Version of PyTorch.")
    core: Core = Field("eager", description="What computed it: the compiled core, or PyTorch operation by operation.")
    history: tuple[HistoryRow, ...] = Field(description="Evaluations, evenly spaced, the last one included.")


def converged_at(recipe: Recipe, rows: tuple[MetricRow, ...]) -> int | None:
    """The first evaluated iteration at which the metric was below the recipe's limit."""
    return next((row.iteration for row in rows if row.metric < recipe.converged_below), None)


def falling_at(recipe: Recipe, rows: tuple[MetricRow, ...]) -> int | None:
    """The first evaluated iteration after which the learning rate falls."""
    return next((row.iteration for row in rows if row.metric < recipe.falls_below), None)


def marks(recipe: Recipe, rows: tuple[MetricRow, ...]) -> Marks:
    """Where in a run each mark was first seen."""
    return Marks(
        diagonal=next((row.iteration for row in rows if (row.diagonal or 0) >= DIAGONAL), None),
        content_jump=next((row.iteration for row in rows if row.content_jumps), None),
        converged=converged_at(recipe, rows),
    )


def training_record(
    plan: Plan, counts: Counts, spent: Spent, rows: tuple[MetricRow, ...], core: Core
) -> TrainingRecord:
    """The record of a run that is this far."""
    stride = -(-len(rows) // HISTORY_ROWS) or 1
    kept = rows[::-1][::stride][::-1]
    return TrainingRecord(
        recipe=plan.recipe,
        seed=plan.seed,
        iterations=counts.iteration,
        sequences=counts.iteration * plan.recipe.batch,
        seconds=round(spent.seconds, 3),
        cpu_seconds=round(spent.cpu_seconds, 3),
        marks=marks(plan.recipe, rows),
        converged_at=converged_at(plan.recipe, rows),
        skipped_updates=counts.skipped,
        relapses=relapses(plan.recipe, rows),
        torch=torch.__version__,
        core=core,
        history=tuple(HistoryRow(iteration=row.iteration, loss_bits=row.loss_bits, metric=row.metric) for row in kept),
    )
