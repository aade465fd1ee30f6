import copy

import pytest
import torch

from ntm_core.training.recipe import Recipe
from ntm_core.training.rmsprop import RmsProp


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(learning_rate=0.01, decay=0.5, momentum=0.5, epsilon=1e-3)])
def test_it_moves_as_that_of_torch_bit_for_bit(recipe: Recipe) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    twin = copy.deepcopy(network)
    mine = RmsProp(dict(network.named_parameters()), recipe)
    theirs = torch.optim.RMSprop(
        twin.parameters(), recipe.learning_rate, recipe.decay, recipe.epsilon, momentum=recipe.momentum
    )
    inputs = torch.randn(20, 4, 3, generator=torch.Generator().manual_seed(0))
    for batch in inputs:
        for model in (network, twin):
            model.zero_grad()
            model(batch).square().sum().backward()
        mine.step()
        theirs.step()
    for one, other in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_parameter_without_a_gradient_stays() -> None:
    parameters = {"used": torch.ones(2, requires_grad=True), "idle": torch.ones(2, requires_grad=True)}
    optimiser = RmsProp(parameters, Recipe())
    parameters["used"].sum().backward()
    optimiser.step()
    assert (parameters["used"] < 1).all()
    assert (parameters["idle"] == 1).all()
