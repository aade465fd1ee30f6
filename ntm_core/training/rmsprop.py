"""RMSprop with momentum, the optimiser of Graves et al. (2014).

Written out rather than taken from `torch.optim`, which on its first use imports PyTorch's compiler and takes seconds to
do so. The arithmetic is the same, bit for bit, on all parameters at once.
"""

import torch

from ntm_core.training.flat import FlatParameters
from ntm_core.training.recipe import Recipe


class RmsProp:
    """The running averages of RMSprop for the parameters of a machine.

    Attributes:
        mean_square: decayed mean of each number's squared gradient.
        velocity: decayed sum of each number's scaled gradients.
    """

    def __init__(self, parameters: FlatParameters, recipe: Recipe) -> None:
        self._parameters = parameters
        self._recipe = recipe
        self._root = torch.empty_like(parameters.values)
        self.mean_square = torch.zeros_like(parameters.values)
        self.velocity = torch.zeros_like(parameters.values)

    @torch.no_grad()
    def step(self, number: int, rate: float = 1.0) -> None:  # noqa: ARG002  # Adam asks for the number
        """Move each parameter along its gradient, at this share of the learning rate.

        A parameter that never had a gradient stays.
        """
        recipe, gradient = self._recipe, self._parameters.gradient
        self.mean_square.mul_(recipe.decay).addcmul_(gradient, gradient, value=1 - recipe.decay)
        torch.sqrt(self.mean_square, out=self._root)
        self.velocity.mul_(recipe.momentum).addcdiv_(gradient, self._root.add_(recipe.epsilon))
        self._parameters.values.sub_(self.velocity, alpha=rate * recipe.learning_rate)
