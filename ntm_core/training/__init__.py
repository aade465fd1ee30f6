"""Training a machine on a task: from a plan to a trained checkpoint, resumable at any moment to the same bits.

A `Plan` fixes everything that decides the result. A `Trainer` does one optimiser update at a time. `train` runs a plan
in a directory, which then holds the metrics, a series of checkpoints, the state to resume from and the final one.
"""

from ntm_core.training.plan import Plan
from ntm_core.training.recipe import Recipe, default_machine, default_recipe
from ntm_core.training.session import Outcome, Progress, train
from ntm_core.training.trainer import Trainer

__all__ = ["Outcome", "Plan", "Progress", "Recipe", "Trainer", "default_machine", "default_recipe", "train"]
