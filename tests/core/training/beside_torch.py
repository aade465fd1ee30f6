"""An optimiser of ours and the one of PyTorch, side by side."""

import copy
from collections.abc import Callable, Iterator

import torch

from ntm_core.compiled import Core
from ntm_core.training.flat import FlatParameters
from ntm_core.training.recipe import Recipe
from ntm_core.training.running_means import RunningMeans


def require_equal_steps(
    ours: type[RunningMeans],
    recipe: Recipe,
    theirs: Callable[[Iterator[torch.nn.Parameter]], torch.optim.Optimizer],
    core: Core = "eager",
    error: float = 0,
) -> None:
    """Assert that both leave the same bits, or nearly, after twenty steps of the same network on the same inputs.

    Every third gradient is made smaller, as a long one is.
    """
    network = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    twin = copy.deepcopy(network)
    mine, other = ours(parameters := FlatParameters(network), recipe, core), theirs(twin.parameters())
    inputs = torch.randn(20, 4, 3, generator=torch.Generator().manual_seed(0))
    for number, batch in enumerate(inputs, start=1):
        parameters.gradient.zero_()
        twin.zero_grad()
        for model in (network, twin):
            model(batch).square().sum().backward()
        scale = 0.25 if number % 3 == 0 else 1.0
        for parameter in twin.parameters():
            assert parameter.grad is not None
            parameter.grad *= scale
        mine.step(number, scale=scale)
        other.step()
    for one, same in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, same, rtol=error, atol=error)
