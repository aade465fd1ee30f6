"""RMSprop with momentum, the optimiser of Graves et al. (2014).

Written out rather than taken from `torch.optim`, which on its first use imports PyTorch's compiler and takes seconds to
do so. The arithmetic is the same, bit for bit, on all parameters at once.
"""

import torch

from ntm_core.training.running_means import RunningMeans


class RmsProp(RunningMeans):
    """RMSprop for the parameters of a machine, with its velocity the decayed sum of scaled gradients."""

    @torch.no_grad()
    def step(self, number: int, rate: float = 1.0) -> None:  # noqa: ARG002  # Adam asks for the number
        """Move each parameter; one that never had a gradient stays."""
        recipe, gradient = self._recipe, self._parameters.gradient
        self.mean_square.mul_(recipe.decay).addcmul_(gradient, gradient, value=1 - recipe.decay)
        torch.sqrt(self.mean_square, out=self._root)
        self.velocity.mul_(recipe.momentum).addcdiv_(gradient, self._root.add_(recipe.epsilon))
        self._parameters.values.sub_(self.velocity, alpha=rate * recipe.learning_rate)
