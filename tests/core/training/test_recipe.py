import pytest

from ntm_core.config import MachineConfig
from ntm_core.errors import TrainingError
from ntm_core.tasks import TASKS
from ntm_core.training.recipe import Recipe, default_machine, default_recipe


def test_the_default_is_the_steadiest_recipe_for_copy() -> None:
    recipe = Recipe(**default_recipe("copy", "lstm"))
    assert (recipe.batch, recipe.learning_rate, recipe.clip_norm) == (1, 3e-4, 1.0)
    assert (recipe.decay, recipe.momentum, recipe.converged_below) == (0.95, 0.9, 0.01)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("controller", ["lstm", "gru", "feedforward"])
def test_every_task_has_a_recipe(task: str, controller: str) -> None:
    Recipe(**default_recipe(task, controller))  # type: ignore[arg-type]


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_machine(task: str) -> None:
    MachineConfig(input_size=1, output_size=1, **default_machine(task))


def test_copy_starts_from_a_nearly_uniform_weighting() -> None:
    assert default_machine("copy") == {"initial_weighting_scale": 0.01}


def test_a_feedforward_controller_learns_copy_in_batches_of_4() -> None:
    assert default_recipe("copy", "feedforward") == {"batch": 4, "learning_rate": 3e-4, "extra": 10_000}


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"batch": 0}, "batch is 0: .* greater than or equal to 1"),
        ({"learning_rate": 0}, "learning_rate is 0: .* greater than 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan: .* finite"),
        ({"momentum": 1}, "momentum is 1: .* less than 1"),
        ({"clip_norm": 0}, "clip_norm is 0: .* greater than 0"),
        ({"evaluate_every": "often"}, "evaluate_every is 'often': .* valid integer"),
        ({"patience": 3}, "patience is 3: Extra inputs are not permitted"),
    ],
    ids=str,
)
def test_a_wrong_recipe_is_refused_with_value_and_rule(fields: dict[str, object], rule: str) -> None:
    with pytest.raises(TrainingError, match=rule):
        Recipe.make(**fields)
