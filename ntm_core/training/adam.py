"""Adam, the optimiser of most recipes.

Written out for the same reason as `RmsProp`; the arithmetic is that of `torch.optim.Adam`, bit for bit.
"""

import math

import torch

from ntm_core.training.running_means import RunningMeans


class Adam(RunningMeans):
    """Adam for the parameters of a machine; the recipe's momentum is its β1, decay its β2."""

    @torch.no_grad()
    def step(self, number: int, rate: float = 1.0, scale: float = 1.0) -> None:
        """Move each parameter; the first steps make up for means that start at zero."""
        recipe = self._recipe
        length = rate * recipe.learning_rate / (1 - recipe.momentum**number)
        correction = math.sqrt(1 - recipe.decay**number)
        if self._compiled_with is not None:
            from ntm_core.compiled.optimisers import adam  # noqa: PLC0415  # it imports numba

            adam(*self._compiled_with, scale, recipe.decay, recipe.momentum, recipe.epsilon, length, correction)
            return
        gradient = self._parameters.gradient.mul_(scale)
        self.velocity.lerp_(gradient, 1 - recipe.momentum)
        self.mean_square.mul_(recipe.decay).addcmul_(gradient, gradient, value=1 - recipe.decay)
        torch.sqrt(self.mean_square, out=self._root)
        self._root.div_(correction).add_(recipe.epsilon)
        self._parameters.values.addcdiv_(self.velocity, self._root, value=-length)
