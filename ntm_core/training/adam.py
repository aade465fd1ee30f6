"""Adam, the optimiser of most recipes.

Written out for the same reason as `RmsProp`; the arithmetic is that of `torch.optim.Adam`, bit for bit.
"""

import math

import torch

from ntm_core.training.running_means import RunningMeans


class Adam(RunningMeans):
    """Adam for the parameters of a machine; the recipe's momentum is its β1, decay its β2."""

    @torch.no_grad()
    def step(self, number: int, rate: float = 1.0) -> None:
        """Move each parameter; the first steps make up for means that start at zero."""
        recipe, gradient = self._recipe, self._parameters.gradient
        self.velocity.lerp_(gradient, 1 - recipe.momentum)
        self.mean_square.mul_(recipe.decay).addcmul_(gradient, gradient, value=1 - recipe.decay)
        torch.sqrt(self.mean_square, out=self._root)
        self._root.div_(math.sqrt(1 - recipe.decay**number)).add_(recipe.epsilon)
        length = rate * recipe.learning_rate / (1 - recipe.momentum**number)
        self._parameters.values.addcdiv_(self.velocity, self._root, value=-length)
