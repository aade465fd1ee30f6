"""RMSprop with momentum, the optimiser of every recipe.

Written out rather than taken from `torch.optim`, which on its first use imports PyTorch's compiler and takes seconds to
do so. The arithmetic is the same, bit for bit.
"""

import torch
from torch import Tensor

from ntm_core.training.recipe import Recipe


class RmsProp:
    """The running averages of RMSprop for some named parameters.

    Attributes:
        mean_squares: decayed mean of each parameter's squared gradient, by name.
        velocities: decayed sum of each parameter's scaled gradients, by name.
    """

    def __init__(self, parameters: dict[str, Tensor], recipe: Recipe) -> None:
        self._parameters = parameters
        self._recipe = recipe
        self.mean_squares = {name: torch.zeros_like(value) for name, value in parameters.items()}
        self.velocities = {name: torch.zeros_like(value) for name, value in parameters.items()}

    @torch.no_grad()
    def step(self, rate: float = 1.0) -> None:
        """Move each parameter along its gradient, at this share of the learning rate.

        A parameter without a gradient stays.
        """
        recipe = self._recipe
        for name, parameter in self._parameters.items():
            gradient = parameter.grad
            if gradient is None:
                continue
            mean_square, velocity = self.mean_squares[name], self.velocities[name]
            mean_square.mul_(recipe.decay).addcmul_(gradient, gradient, value=1 - recipe.decay)
            velocity.mul_(recipe.momentum).addcdiv_(gradient, mean_square.sqrt().add_(recipe.epsilon))
            parameter.sub_(velocity, alpha=rate * recipe.learning_rate)
