import pytest
import torch

from ntm_core.compiled import Core
from ntm_core.training.flat import FlatParameters
from ntm_core.training.recipe import Recipe
from ntm_core.training.rmsprop import RmsProp
from tests.core.training.beside_torch import require_equal_steps


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(learning_rate=0.01, decay=0.5, momentum=0.5, epsilon=1e-3)])
@pytest.mark.parametrize(("core", "error"), [("eager", 0), ("compiled", 1e-6)])
def test_it_moves_as_that_of_torch_bit_for_bit_or_compiled_to_the_last_digits(
    recipe: Recipe, core: Core, error: float
) -> None:
    require_equal_steps(
        RmsProp,
        recipe,
        lambda parameters: torch.optim.RMSprop(
            parameters, recipe.learning_rate, recipe.decay, recipe.epsilon, momentum=recipe.momentum
        ),
        core,
        error,
    )


def test_a_parameter_without_a_gradient_stays() -> None:
    module = torch.nn.ParameterDict({"used": torch.ones(2), "idle": torch.ones(2)})
    optimiser = RmsProp(FlatParameters(module), Recipe())
    module["used"].sum().backward()
    optimiser.step(1)
    assert (module["used"] < 1).all()
    assert (module["idle"] == 1).all()
