"""Rows that a person or another program gives: judged by a task where they follow it, and otherwise only shown."""

import numpy as np
from numpy.typing import NDArray

from ntm_core.errors import TaskError
from ntm_core.tasks.base import TaskBase
from ntm_core.tasks.episode import Episode


def judged_rows(rows: NDArray[np.floating], task: TaskBase | None, outputs: int) -> tuple[Episode, str | None]:
    """The episode of these (step, input) rows exactly as they are, and why nothing is asked where that is so.

    What the task asks for stands in its targets, for a machine of so many outputs.
    """
    shown = rows[:, None]
    if task is None:
        return _without_targets(shown, outputs), "no task is named, so nothing is asked of the machine"
    try:
        asked = task.interpret(rows)
    except TaskError as error:
        return _without_targets(shown, outputs), f"the rows do not follow the task {_name_of(task)!r}: {error}"
    return Episode(shown, asked.targets, asked.mask, asked.phase, asked.phases), None


def _name_of(task: TaskBase) -> str:
    """The name by which a task is asked for."""
    name: str = task.model_dump()["name"]
    return name


def _without_targets(shown: NDArray[np.floating], outputs: int) -> Episode:
    """An episode that shows these (step, batch, input) rows and asks nothing."""
    steps = len(shown)
    return Episode(
        inputs=shown,
        targets=np.zeros((steps, 1, outputs), np.float32),
        mask=np.zeros((steps, 1), np.float32),
        phase=np.zeros(steps, np.int64),
        phases=("input",),
    )
