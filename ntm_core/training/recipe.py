"""How a machine is trained: the optimiser's numbers, when to look, and when to stop.

The best known settings of each task are a file, `recipes/TASK.toml`: the tables `machine` and `recipe` hold what
differs from the defaults, and the same tables under the name of a controller what differs for that one. Each says why.
"""

import functools
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ntm_core.config import Controller, describe_validation_error
from ntm_core.errors import TrainingError

Optimiser = Literal["rmsprop", "adam"]

MAX_ITERATIONS = 10**9 - 1
"""No run is so long; the files of its series are numbered up to here."""

Iterations = Annotated[int, Field(le=MAX_ITERATIONS)]

NO_MEMORY: Literal["no_memory"] = "no_memory"
"""What recipes call an LSTM without a memory."""

Kind = Controller | Literal["no_memory"]
"""What a recipe is for: a controller with a memory, or none."""

_RECIPES = Path(__file__).parent / "recipes"


class Recipe(BaseModel):
    """The numbers of a training run: the optimiser, a clipped gradient, and the convergence rule.

    An iteration is one optimiser update on a fresh batch. The loss is the mean over the asked bits of a batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    batch: int = Field(1, ge=1, le=4096, description="Sequences in an iteration.")
    optimiser: Optimiser = Field(
        "rmsprop", description="What turns gradients into steps: RMSprop with momentum, or Adam."
    )
    learning_rate: float = Field(3e-4, gt=0, le=1, description="The optimiser's step size.")
    warm_up: int = Field(
        0, ge=0, le=MAX_ITERATIONS, description="Iterations in which the learning rate rises in a line from zero."
    )
    decay: float = Field(0.95, ge=0, lt=1, description="Decay of the mean squared gradient; Adam's β2.")
    momentum: float = Field(0.9, ge=0, lt=1, description="RMSprop's momentum; Adam's β1.")
    epsilon: float = Field(1e-8, gt=0, le=1, description="The optimiser's epsilon, added to the root.")
    clip_norm: float | None = Field(1.0, gt=0, description="Largest norm of the whole gradient; none: unlimited.")
    grow: str | None = Field(
        None,
        description="A setting of the task that begins at 1 and grows by one every grow_every iterations, up to its "
        "own value; none: the whole task from the start.",
    )
    grow_every: int = Field(
        400, ge=1, le=MAX_ITERATIONS, description="Iterations after which the growing setting is one larger."
    )
    evaluate_every: int = Field(
        250, ge=1, le=MAX_ITERATIONS, description="Iterations between two measurements on the fixed sequences."
    )
    converged_below: float = Field(
        0.01, ge=0, description="The run has converged once the task's metric on the fixed sequences is below this."
    )
    relapse: float | None = Field(
        None,
        gt=1,
        description="A metric so many times the best one before sends the run back to where that was measured, with "
        "half the learning rate until ten measurements later; none: it goes on as it is.",
    )
    fall_below: float | None = Field(
        None,
        ge=0,
        description="A metric below which the learning rate begins to fall, for the last iterations of the run; none: "
        "once it has converged.",
    )
    extra: Iterations = Field(0, ge=0, description="Iterations to go on for once the learning rate falls.")
    extra_rate: float = Field(
        0.3,
        gt=0,
        le=1,
        description="Share of the learning rate with which these extra iterations begin; it falls in a line to zero.",
    )
    max_iterations: int = Field(
        100_000, ge=1, le=MAX_ITERATIONS, description="Iterations after which the run ends in any case."
    )

    @property
    def falls_below(self) -> float:
        """The metric below which the learning rate begins to fall."""
        return self.converged_below if self.fall_below is None else self.fall_below

    @classmethod
    def make(cls, **fields: Any) -> Self:
        """The recipe with these fields; TrainingError names the value and the rule."""
        try:
            return cls(**fields)
        except ValidationError as error:
            raise TrainingError(describe_validation_error(error)) from None


def default_machine(task: str, controller: Kind = "lstm") -> dict[str, Any]:
    """The fields in which the machine that learns this task best differs from `MachineConfig`'s defaults."""
    return _settings(task, controller, "machine")


def default_recipe(task: str, controller: Kind) -> dict[str, Any]:
    """The fields in which the best known recipe for this task and controller differs from `Recipe`'s defaults."""
    return _settings(task, controller, "recipe")


def _settings(task: str, controller: str, table: str) -> dict[str, Any]:
    """A table of the task's file, with what the file says of this controller instead."""
    settings = _file(task)
    return settings.get(table, {}) | settings.get(controller, {}).get(table, {})


@functools.cache
def _file(task: str) -> dict[str, Any]:
    """What is in `recipes/TASK.toml`; nothing, if there is no such file."""
    path = _RECIPES / f"{task}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
