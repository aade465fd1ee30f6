"""What an optimiser remembers of the gradients it has seen."""

from abc import ABC, abstractmethod

import torch

from ntm_core.training.flat import FlatParameters
from ntm_core.training.recipe import Recipe


class RunningMeans(ABC):
    """An optimiser with two decayed means, zero at first, of all parameters of a machine at once.

    Attributes:
        mean_square: decayed mean of each number's squared gradient.
        velocity: what moves each number: decayed from step to step.
    """

    def __init__(self, parameters: FlatParameters, recipe: Recipe) -> None:
        self._parameters = parameters
        self._recipe = recipe
        self._root = torch.empty_like(parameters.values)
        self.mean_square = torch.zeros_like(parameters.values)
        self.velocity = torch.zeros_like(parameters.values)

    @abstractmethod
    def step(self, number: int, rate: float = 1.0) -> None:
        """Move each parameter along its gradient, at this share of the learning rate.

        `number` is that of this step, counted from 1.
        """
