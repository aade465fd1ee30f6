"""An optimiser of ours and the one of PyTorch, side by side."""

import copy
from collections.abc import Callable, Iterator

import torch

from ntm_core.training.flat import FlatParameters
from ntm_core.training.recipe import Recipe
from ntm_core.training.running_means import RunningMeans


def require_equal_steps(
    ours: type[RunningMeans],
    recipe: Recipe,
    theirs: Callable[[Iterator[torch.nn.Parameter]], torch.optim.Optimizer],
) -> None:
    """Assert that both leave the same bits after twenty steps of the same network on the same inputs."""
    network = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    twin = copy.deepcopy(network)
    mine, other = ours(parameters := FlatParameters(network), recipe), theirs(twin.parameters())
    inputs = torch.randn(20, 4, 3, generator=torch.Generator().manual_seed(0))
    for number, batch in enumerate(inputs, start=1):
        parameters.gradient.zero_()
        twin.zero_grad()
        for model in (network, twin):
            model(batch).square().sum().backward()
        mine.step(number)
        other.step()
    for one, same in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, same, rtol=0, atol=0)
