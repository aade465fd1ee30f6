"""Adam, the optimiser of most recipes.

Written out for the same reason as `RmsProp`; the arithmetic is that of `torch.optim.Adam`, bit for bit.
"""

import math

import torch

from ntm_core.training.flat import FlatParameters
from ntm_core.training.recipe import Recipe


class Adam:
    """The running averages of Adam for the parameters of a machine; the recipe's momentum is its β1, decay its β2.

    Attributes:
        mean_square: decayed mean of each number's squared gradient.
        velocity: decayed mean of each number's gradient.
    """

    def __init__(self, parameters: FlatParameters, recipe: Recipe) -> None:
        self._parameters = parameters
        self._recipe = recipe
        self._root = torch.empty_like(parameters.values)
        self.mean_square = torch.zeros_like(parameters.values)
        self.velocity = torch.zeros_like(parameters.values)

    @torch.no_grad()
    def step(self, number: int, rate: float = 1.0) -> None:
        """Move each parameter along its gradient, at this share of the learning rate.

        `number` is that of this step, counted from 1: both means start at zero, which the first steps make up for.
        """
        recipe, gradient = self._recipe, self._parameters.gradient
        self.velocity.lerp_(gradient, 1 - recipe.momentum)
        self.mean_square.mul_(recipe.decay).addcmul_(gradient, gradient, value=1 - recipe.decay)
        torch.sqrt(self.mean_square, out=self._root)
        self._root.div_(math.sqrt(1 - recipe.decay**number)).add_(recipe.epsilon)
        length = rate * recipe.learning_rate / (1 - recipe.momentum**number)
        self._parameters.values.addcdiv_(self.velocity, self._root, value=-length)
