import copy

import pytest
import torch

from ntm_core.training.flat import FlatParameters
from ntm_core.training.recipe import Recipe
from ntm_core.training.rmsprop import RmsProp


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(learning_rate=0.01, decay=0.5, momentum=0.5, epsilon=1e-3)])
def test_it_moves_as_that_of_torch_bit_for_bit(recipe: Recipe) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    twin = copy.deepcopy(network)
    mine = RmsProp(parameters := FlatParameters(network), recipe)
    theirs = torch.optim.RMSprop(
        twin.parameters(), recipe.learning_rate, recipe.decay, recipe.epsilon, momentum=recipe.momentum
    )
    inputs = torch.randn(20, 4, 3, generator=torch.Generator().manual_seed(0))
    for number, batch in enumerate(inputs, start=1):
        parameters.gradient.zero_()
        twin.zero_grad()
        for model in (network, twin):
            model(batch).square().sum().backward()
        mine.step(number)
        theirs.step()
    for one, other in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_parameter_without_a_gradient_stays() -> None:
    module = torch.nn.ParameterDict({"used": torch.ones(2), "idle": torch.ones(2)})
    optimiser = RmsProp(FlatParameters(module), Recipe())
    module["used"].sum().backward()
    optimiser.step(1)
    assert (module["used"] < 1).all()
    assert (module["idle"] == 1).all()
