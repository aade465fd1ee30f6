"""How a machine is trained: the optimiser's numbers, when to look, and when to stop."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ntm_core.config import Controller, describe_validation_error
from ntm_core.errors import TrainingError


class Recipe(BaseModel):
    """The numbers of a training run: RMSprop with momentum, a clipped gradient, and the convergence rule.

    An iteration is one optimiser update on a fresh batch. The loss is the mean over the asked bits of a batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    batch: int = Field(1, ge=1, le=4096, description="Sequences in an iteration.")
    learning_rate: float = Field(3e-4, gt=0, le=1, description="RMSprop's step size.")
    decay: float = Field(0.95, ge=0, lt=1, description="RMSprop's decay of the mean squared gradient.")
    momentum: float = Field(0.9, ge=0, lt=1, description="RMSprop's momentum.")
    epsilon: float = Field(1e-8, gt=0, le=1, description="RMSprop's epsilon, added to the root.")
    clip_norm: float | None = Field(1.0, gt=0, description="Largest norm of the whole gradient; none: unlimited.")
    evaluate_every: int = Field(250, ge=1, description="Iterations between two measurements on the fixed sequences.")
    converged_below: float = Field(
        0.01, ge=0, description="The run has converged once the task's metric on the fixed sequences is below this."
    )
    extra: int = Field(0, ge=0, description="Iterations to go on for after convergence.")
    extra_rate: float = Field(
        0.3,
        gt=0,
        le=1,
        description="Share of the learning rate with which these extra iterations begin; it falls in a line to zero.",
    )
    max_iterations: int = Field(100_000, ge=1, description="Iterations after which the run ends in any case.")

    @classmethod
    def make(cls, **fields: Any) -> Self:
        """The recipe with these fields; TrainingError names the value and the rule."""
        try:
            return cls(**fields)
        except ValidationError as error:
            raise TrainingError(describe_validation_error(error)) from None


_BY_TASK: dict[str, dict[str, Any]] = {
    "copy": {"batch": 1, "learning_rate": 3e-4, "extra": 10_000},
    "repeat_copy": {"batch": 16, "learning_rate": 3e-4, "max_iterations": 50_000},
    "associative_recall": {"batch": 16, "learning_rate": 3e-4, "extra": 4000, "max_iterations": 50_000},
    "dynamic_ngrams": {"batch": 8, "learning_rate": 1e-3, "converged_below": 0.3},
    "priority_sort": {"batch": 4, "learning_rate": 3e-4, "clip_norm": 10.0},
}
"""Where copying goes on at full rate after it has converged, it relapses: RMSprop divides by gradients near zero."""

_FEEDFORWARD: dict[str, dict[str, Any]] = {"copy": {"batch": 4, "learning_rate": 3e-4, "extra": 10_000}}


_MACHINE_BY_TASK: dict[str, dict[str, Any]] = {"copy": {"initial_weighting_scale": 0.01}}
"""A nearly uniform first w_0 lets copy reach lengths far beyond those trained on; associative recall wants N(0, 1)."""


def default_machine(task: str) -> dict[str, Any]:
    """The fields in which the machine that learns this task best differs from `MachineConfig`'s defaults."""
    return _MACHINE_BY_TASK.get(task, {})


def default_recipe(task: str, controller: Controller) -> dict[str, Any]:
    """The fields in which the best known recipe for this task and controller differs from `Recipe`'s defaults."""
    return _BY_TASK.get(task, {}) | (_FEEDFORWARD.get(task, {}) if controller == "feedforward" else {})
