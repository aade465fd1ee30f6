import pytest
import torch

from ntm_core.compiled import Core
from ntm_core.training.adam import Adam
from ntm_core.training.flat import FlatParameters
from ntm_core.training.recipe import Recipe
from tests.core.training.beside_torch import require_equal_steps

ADAM = Recipe(optimiser="adam", decay=0.999)


@pytest.mark.parametrize("recipe", [ADAM, Recipe(learning_rate=0.01, decay=0.5, momentum=0.5, epsilon=1e-3)])
@pytest.mark.parametrize(("core", "error"), [("eager", 0), ("compiled", 1e-6)])
def test_it_moves_as_that_of_torch_bit_for_bit_or_compiled_to_the_last_digits(
    recipe: Recipe, core: Core, error: float
) -> None:
    require_equal_steps(
        Adam,
        recipe,
        lambda parameters: torch.optim.Adam(
            parameters, recipe.learning_rate, (recipe.momentum, recipe.decay), recipe.epsilon
        ),
        core,
        error,
    )


def test_the_first_step_is_as_long_as_the_learning_rate_whatever_the_gradient() -> None:
    module = torch.nn.ParameterDict({"a": torch.zeros(3), "idle": torch.ones(2)})
    optimiser = Adam(parameters := FlatParameters(module), ADAM.model_copy(update={"learning_rate": 0.5}))
    parameters.gradient[:3] = torch.tensor([1e-3, -2.0, 100.0])
    optimiser.step(1, rate=0.5)
    torch.testing.assert_close(module["a"].detach(), torch.tensor([-0.25, 0.25, -0.25]), rtol=1e-4, atol=0)
    assert (module["idle"] == 1).all()
