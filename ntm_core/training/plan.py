"""A plan: everything that decides what a training run computes."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ntm_core.compiled import why_eager
from ntm_core.config import MachineConfig, describe_validation_error
from ntm_core.errors import TaskError, TrainingError
from ntm_core.evaluation import require_fitting
from ntm_core.tasks import Task
from ntm_core.training.recipe import NO_MEMORY, Recipe, default_machine, default_recipe

MAX_SEED = 2**31 - 1
"""The largest seed of a run: larger ones seed the fixed sequences, which no run trains on."""

LIMITS = frozenset({"max_iterations"})
"""The fields of a recipe that only say when to stop: a run may be resumed with other values."""


class Plan(BaseModel):
    """What is trained, on what, how, and from which seed. The same plan gives the same bits on the same machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Task
    config: MachineConfig
    recipe: Recipe
    seed: int = Field(0, ge=0, le=MAX_SEED, description="Seed of the first parameters and of all training data.")
    memory: bool = Field(True, description="False: the controller alone is trained, an LSTM without heads and memory.")

    @classmethod
    def make(cls, **fields: Any) -> Self:
        """The plan with these fields; TrainingError names the value and the rule."""
        try:
            return cls(**fields)
        except ValidationError as error:
            raise TrainingError(describe_validation_error(error)) from None

    @classmethod
    def best_known(
        cls, task: Task, machine: dict[str, Any], recipe: dict[str, Any], seed: int = 0, *, memory: bool = True
    ) -> Self:
        """The best known machine and recipe for a task, with these fields changed.

        ConfigError, TrainingError; TaskError if such a machine cannot do the task.
        """
        channels = {"input_size": len(task.input_channels), "output_size": len(task.output_channels)}
        asked = {"controller": machine["controller"]} if "controller" in machine else {}
        kind = MachineConfig.make(**channels, **asked).controller if memory else NO_MEMORY
        config = MachineConfig.make(**(channels | default_machine(task.name, kind) | machine))
        require_fitting(config, task)
        fields = default_recipe(task.name, kind) | recipe
        return cls.make(task=task, config=config, recipe=Recipe.make(**fields), seed=seed, memory=memory)

    @property
    def why_eager(self) -> str | None:
        """One sentence why PyTorch computes this plan here, operation by operation, or None if it need not."""
        return why_eager(self.config) if self.memory else "An LSTM without a memory is computed by PyTorch."

    def lesson(self, iteration: int) -> Task:
        """The task of the sequences of this iteration, counted from 1: easier than the plan's while a setting grows."""
        name = self.recipe.grow
        whole = getattr(self.task, name) if name else 1
        now = 1 + (iteration - 1) // self.recipe.grow_every
        return self.task if name is None or now >= whole else self.task.with_settings(**{name: now})

    @model_validator(mode="after")
    def _can_grow(self) -> Self:
        reason = None if self.recipe.grow is None else _why_not_growing(self.task, self.recipe.grow)
        if reason is not None:
            raise ValueError(reason)
        return self

    @model_validator(mode="after")
    def _is_offered(self) -> Self:
        if not self.memory and self.config.controller != "lstm":
            raise ValueError(f"controller is {self.config.controller!r}: without a memory, only an LSTM is offered")
        return self

    def differences(self, other: "Plan") -> list[str]:
        """What differs from another plan, one `name: this, not that` each, leaving out when to stop."""
        mine, theirs = _flat(self), _flat(other)
        return [
            f"{name}: {mine.get(name)}, not {theirs.get(name)}"
            for name in mine | theirs
            if mine.get(name) != theirs.get(name)
        ]


def growable(task: Task) -> tuple[str, ...]:
    """The settings of a task that a recipe may let grow."""
    return tuple(name for name in type(task).model_fields if _why_not_growing(task, name) is None)


def _why_not_growing(task: Task, name: str) -> str | None:
    """One sentence why this setting cannot grow from 1, or None if it can."""
    if not isinstance(getattr(task, name, None), int) or name not in type(task).model_fields:
        return f"grow is {name!r}: it must be a setting of {task.name} that is one whole number"
    try:
        first = task.with_settings(**{name: 1})
    except TaskError as error:
        return f"grow is {name!r}, which cannot begin at 1: {error}"
    if (first.input_channels, first.output_channels) != (task.input_channels, task.output_channels):
        return f"grow is {name!r}: it must leave the number of channels as it is"
    return None


def _flat(plan: Plan) -> dict[str, Any]:
    """Every field that decides the path of a run, by its dotted name."""
    parts = plan.model_dump(mode="json")
    recipe = {name: value for name, value in parts["recipe"].items() if name not in LIMITS}
    groups = {"task": parts["task"], "config": parts["config"], "recipe": recipe}
    flat = {f"{group}.{name}": value for group, fields in groups.items() for name, value in fields.items()}
    return flat | {"seed": plan.seed, "memory": plan.memory}
