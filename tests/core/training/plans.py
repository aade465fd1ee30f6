"""Small plans that train in a blink, and a row of metrics."""

from typing import Any

from ntm_core.config import MachineConfig
from ntm_core.tasks import Copy, Task
from ntm_core.training import Plan, Recipe
from ntm_core.training.metrics import MetricRow

TASK = Copy(bits=2, lengths=(1, 2))


def small_plan(task: Task = TASK, seed: int = 0, config: dict[str, Any] | None = None, **recipe: Any) -> Plan:
    """A plan for a machine of 8 locations of 4 cells and a controller of 8 units."""
    sizes = {"memory_size": 8, "word_size": 4, "controller_size": 8}
    channels = {"input_size": len(task.input_channels), "output_size": len(task.output_channels)}
    quick = {"evaluate_every": 4, "max_iterations": 10, "converged_below": 0.0}
    return Plan(
        task=task,
        config=MachineConfig(**(sizes | channels | (config or {}))),
        recipe=Recipe(**(quick | recipe)),
        seed=seed,
    )


def row(iteration: int) -> MetricRow:
    """A row as an evaluation after this iteration might leave it."""
    return MetricRow(
        iteration=iteration,
        sequences=4 * iteration,
        loss_bits=1.5,
        wrong_bits=0.1,
        metric=1 / 3,
        gradient_norm=None,
        skipped_updates=0,
        seconds=2.0,
    )
