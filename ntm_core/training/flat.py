"""All parameters of a module in one stretch of memory, and all their gradients in another.

An update of a small machine costs less than the dozen calls a parameter that PyTorch would need for it: on one flat
tensor each operation is one call. The module's parameters become views of it; their names and its state dict stay.
"""

import torch
from torch import Tensor, nn


class FlatParameters:
    """The parameters of a module as one tensor, with one gradient.

    Attributes:
        values: every parameter, one after the other.
        gradient: their gradients, to which `backward()` adds.
    """

    def __init__(self, module: nn.Module) -> None:
        named = dict(module.named_parameters())
        self.values = torch.cat([parameter.detach().flatten() for parameter in named.values()])
        self.gradient = torch.zeros_like(self.values)
        self._shapes = {name: parameter.shape for name, parameter in named.items()}
        values, gradients = self.named(self.values), self.named(self.gradient)
        for name, parameter in named.items():
            parameter.data, parameter.grad = values[name], gradients[name]

    def named(self, flat: Tensor) -> dict[str, Tensor]:
        """A tensor of this length as one view for each parameter, by name."""
        parts = flat.split([shape.numel() for shape in self._shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)}
