"""What an optimiser remembers of the gradients it has seen."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ntm_core.compiled import Core
from ntm_core.training.flat import FlatParameters
from ntm_core.training.recipe import Recipe


class RunningMeans(ABC):
    """An optimiser with two decayed means, zero at first, of all parameters of a machine at once.

    The compiled core moves them in one pass over memory, PyTorch in several: their last bits may differ.

    Attributes:
        mean_square: decayed mean of each number's squared gradient.
        velocity: what moves each number: decayed from step to step.
    """

    def __init__(self, parameters: FlatParameters, recipe: Recipe, core: Core = "eager") -> None:
        self._parameters = parameters
        self._recipe = recipe
        self._root = torch.empty_like(parameters.values)
        self.mean_square = torch.zeros_like(parameters.values)
        self.velocity = torch.zeros_like(parameters.values)
        moved = (parameters.values, parameters.gradient, self.mean_square, self.velocity)
        self._compiled_with: Sequence[NDArray[np.float32]] | None = (
            [tensor.numpy() for tensor in moved] if core == "compiled" else None
        )

    def norm(self) -> float:
        """The norm of the whole gradient, in float64: a long one, whose squares overflow in float32, can be clipped."""
        if self._compiled_with is not None:
            from ntm_core.compiled.optimisers import norm  # noqa: PLC0415  # it imports numba

            return norm(self._compiled_with[1])
        return torch.linalg.vector_norm(self._parameters.gradient, dtype=torch.float64).item()

    @abstractmethod
    def step(self, number: int, rate: float = 1.0, scale: float = 1.0) -> None:
        """Move each parameter along its gradient times `scale`, at this share of the learning rate.

        `number` is that of this step, counted from 1.
        """
