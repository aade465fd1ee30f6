"""What travels as JSON about training: the request for a run, and what is said of one."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from ntm_core.choice_words import MATTERS, WORDS
from ntm_core.compiled import Core
from ntm_core.config import Controller, MachineConfig
from ntm_core.tasks import TASKS, Task
from ntm_core.training import Plan, Recipe, default_machine, default_recipe
from ntm_core.training.metrics import MetricRow
from ntm_core.training.plan import MAX_SEED, growable
from server.schemas import Name
from server.training.run import RunProgress, Status

_Answer = ConfigDict(frozen=True, extra="forbid")
_EXAMPLE_REQUEST: dict[str, Any] = {
    "name": "copy with a GRU",
    "task": {"name": "copy", "bits": 8, "lengths": [1, 20]},
    "machine": {"controller": "gru", "memory_size": 64},
    "recipe": {"max_iterations": 20000},
    "seed": 1,
}


class RunRequest(BaseModel):
    """What is to be trained: the best known machine and recipe for the task, with these fields changed."""

    model_config = ConfigDict(**_Answer, json_schema_extra={"examples": [_EXAMPLE_REQUEST]})

    name: Name = Field(min_length=1, max_length=80, description="What to call the run.")
    task: Task
    machine: Annotated[dict[str, Any], Field(max_length=64)] = Field({}, description="Fields of MachineConfig.")
    recipe: Annotated[dict[str, Any], Field(max_length=32)] = Field({}, description="Fields of Recipe.")
    seed: int = Field(0, strict=True, ge=0, le=MAX_SEED, description="Seed of the first parameters and of all data.")


class RunInfo(BaseModel):
    """One run."""

    model_config = _Answer

    id: str = Field(description="Also the id of its checkpoint, once it has one; ID.N is the one after N iterations.")
    name: str
    plan: Plan
    status: Status
    message: str | None = Field(description="Why it failed, or was paused by the server.")
    created: float = Field(description="When it was asked for: seconds since 1970.")
    place: int | None = Field(description="How many runs begin before this one; null if it does not wait.")
    progress: RunProgress | None = Field(description="Null before its first iteration.")
    core: Core = Field(description="What computes it: the compiled core, or PyTorch operation by operation (eager).")
    why_eager: str | None = Field(description="Why PyTorch computes it, about ten times slower; null if it does not.")
    series: tuple[int, ...] = Field(description="The iterations N for which there is a checkpoint ID.N, ascending.")
    checkpoint: bool = Field(description="Whether there is a checkpoint ID.")


class RunList(BaseModel):
    """All runs, the newest first."""

    model_config = _Answer

    runs: tuple[RunInfo, ...]


class RunMetrics(BaseModel):
    """All measurements of a run."""

    model_config = _Answer

    rows: tuple[MetricRow, ...]


class BestKnown(BaseModel):
    """What is trained if nothing else is asked for."""

    model_config = _Answer

    task: str
    controller: Controller
    machine: dict[str, Any] = Field(description="Fields of MachineConfig that differ from their defaults.")
    recipe: Recipe


class TrainingOptions(BaseModel):
    """Everything that a run can be asked with."""

    model_config = _Answer

    machine_schema: dict[str, Any] = Field(description="JSON schema of MachineConfig.")
    recipe_schema: dict[str, Any] = Field(description="JSON schema of Recipe.")
    best_known: tuple[BestKnown, ...]
    words: dict[str, dict[str, str]] = Field(description="What an alternative of a field of the machine is, in words.")
    matters: dict[str, dict[str, tuple[str, ...]]] = Field(
        description="Fields of the machine that matter only where another field has one of these values."
    )
    growable: dict[str, tuple[str, ...]] = Field(description="For each task, the settings that a recipe may let grow.")


class RunAction(BaseModel):
    """What to do with a run."""

    model_config = _Answer

    action: Literal["pause", "resume", "stop"]


def training_options(tasks: tuple[str, ...]) -> TrainingOptions:
    """The options, with the best known machine and recipe of each task and controller."""
    controllers: tuple[Controller, ...] = get_args(Controller)
    return TrainingOptions(
        machine_schema=MachineConfig.model_json_schema(),
        recipe_schema=Recipe.model_json_schema(),
        best_known=tuple(
            BestKnown(
                task=task,
                controller=controller,
                machine=default_machine(task, controller),
                recipe=Recipe.make(**default_recipe(task, controller)),
            )
            for task in tasks
            for controller in controllers
        ),
        words=WORDS,
        matters=MATTERS,
        growable={task: growable(TASKS[task]()) for task in tasks},
    )
