"""RMSprop with momentum, the optimiser of Graves et al. (2014).

Written out rather than taken from `torch.optim`, which on its first use imports PyTorch's compiler and takes seconds to
do so. The arithmetic is the same, bit for bit, on all parameters at once.
"""

import torch

from ntm_core.training.running_means import RunningMeans


class RmsProp(RunningMeans):
    """RMSprop for the parameters of a machine, with its velocity the decayed sum of scaled gradients."""

    @torch.no_grad()
    def step(self, number: int, rate: float = 1.0, scale: float = 1.0) -> None:  # noqa: ARG002  # Adam asks for the number
        """Move each parameter; one that never had a gradient stays."""
        recipe, length = self._recipe, rate * self._recipe.learning_rate
        if self._compiled_with is not None:
            from ntm_core.compiled.optimisers import rmsprop  # noqa: PLC0415  # it imports numba

            rmsprop(*self._compiled_with, scale, recipe.decay, recipe.momentum, recipe.epsilon, length)
            return
        gradient = self._parameters.gradient.mul_(scale)
        self.mean_square.mul_(recipe.decay).addcmul_(gradient, gradient, value=1 - recipe.decay)
        torch.sqrt(self.mean_square, out=self._root)
        self.velocity.mul_(recipe.momentum).addcdiv_(gradient, self._root.add_(recipe.epsilon))
        self._parameters.values.sub_(self.velocity, alpha=length)
