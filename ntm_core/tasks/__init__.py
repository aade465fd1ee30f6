"""The five tasks of Graves et al. (2014), and those of other programs, whose checkpoints ask for their own rows.

Each gives the same episodes for the same seed on every platform.
A task is a frozen model of its settings; `TASKS` lists them by name, `parse_task` makes one from JSON.
"""

from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from ntm_core.config import describe_validation_error
from ntm_core.errors import TaskError
from ntm_core.tasks.associative_recall import AssociativeRecall
from ntm_core.tasks.base import MAX_BATCH, MAX_STEPS, TaskBase
from ntm_core.tasks.column_sort import ColumnSort
from ntm_core.tasks.copy import Copy
from ntm_core.tasks.copy_layout import CopyLayout
from ntm_core.tasks.dyck_words import DyckWords
from ntm_core.tasks.dynamic_ngrams import DynamicNgrams
from ntm_core.tasks.episode import Episode, loss_bits, wrong_bits
from ntm_core.tasks.priority_sort import PrioritySort
from ntm_core.tasks.recall_layout import RecallLayout
from ntm_core.tasks.repeat_copy import RepeatCopy
from ntm_core.tasks.repeat_copy_layout import RepeatCopyLayout

AnyTask = (
    Copy
    | RepeatCopy
    | AssociativeRecall
    | DynamicNgrams
    | PrioritySort
    | CopyLayout
    | RepeatCopyLayout
    | RecallLayout
    | ColumnSort
    | DyckWords
)
Task = Annotated[AnyTask, Field(discriminator="name")]

TASKS: dict[str, type[AnyTask]] = {
    "copy": Copy,
    "repeat_copy": RepeatCopy,
    "associative_recall": AssociativeRecall,
    "dynamic_ngrams": DynamicNgrams,
    "priority_sort": PrioritySort,
    "copy_layout": CopyLayout,
    "repeat_copy_layout": RepeatCopyLayout,
    "recall_layout": RecallLayout,
    "column_sort": ColumnSort,
    "dyck_words": DyckWords,
}

_TASK: TypeAdapter[Task] = TypeAdapter(Task)

__all__ = [
    "MAX_BATCH",
    "MAX_STEPS",
    "TASKS",
    "AssociativeRecall",
    "ColumnSort",
    "Copy",
    "CopyLayout",
    "DyckWords",
    "DynamicNgrams",
    "Episode",
    "PrioritySort",
    "RecallLayout",
    "RepeatCopy",
    "RepeatCopyLayout",
    "Task",
    "TaskBase",
    "loss_bits",
    "parse_task",
    "wrong_bits",
]


def parse_task(settings: object) -> Task:
    """The task with these settings, a mapping with its `name` among them. TaskError names the value and the rule."""
    try:
        return _TASK.validate_python(settings)
    except ValidationError as error:
        raise TaskError(describe_validation_error(error)) from None
