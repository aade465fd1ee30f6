import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ntm_core.config import MachineConfig
from ntm_core.errors import TrainingError
from ntm_core.tasks import TASKS, Copy
from ntm_core.training import Plan, recipe
from ntm_core.training.recipe import Kind, Recipe, default_machine, default_recipe

KINDS: tuple[Kind, ...] = ("lstm", "gru", "feedforward", "no_memory")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of recipes of a test's own."""
    monkeypatch.setattr(recipe, "_RECIPES", tmp_path)
    recipe._file.cache_clear()
    yield tmp_path
    recipe._file.cache_clear()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_task_has_a_machine_and_a_recipe(task: str, kind: Kind) -> None:
    Recipe(**default_recipe(task, kind))
    MachineConfig(input_size=1, output_size=1, **default_machine(task, kind))


def test_every_file_is_of_a_task_and_every_table_of_something_that_is_trained() -> None:
    paths = list(recipe._RECIPES.glob("*"))
    assert {path.name for path in paths} >= {f"{task}.toml" for task in list(TASKS)[:5]}
    for path in paths:
        assert path.stem in TASKS
        settings = tomllib.loads(path.read_text())
        assert settings.keys() <= {"machine", "recipe", *KINDS}
        for kind in settings.keys() & set(KINDS):
            assert settings[kind].keys() <= {"machine", "recipe"}


def test_every_line_of_a_recipe_has_its_reason() -> None:
    for path in recipe._RECIPES.glob("*.toml"):
        lines = [line for line in path.read_text().splitlines() if "=" in line.partition("#")[0]]
        assert lines
        assert [line for line in lines if "  # " not in line] == [], path


def test_a_file_says_what_differs_and_a_table_of_a_controller_what_differs_for_it(files: Path) -> None:
    (files / "copy.toml").write_text(
        "[machine]\nmemory_size = 8\nword_size = 5\n[recipe]\nbatch = 2\n[gru.machine]\nword_size = 6\n"
    )
    assert default_machine("copy") == {"memory_size": 8, "word_size": 5}
    assert default_machine("copy", "gru") == {"memory_size": 8, "word_size": 6}
    assert default_recipe("copy", "gru") == {"batch": 2}
    assert (default_machine("repeat_copy"), default_recipe("repeat_copy", "lstm")) == ({}, {})


def test_a_plan_takes_them_for_its_controller_and_what_is_asked_comes_first(files: Path) -> None:
    (files / "copy.toml").write_text("[feedforward.recipe]\nbatch = 4\nmomentum = 0.5\n[no_memory.machine]\n")
    plan = Plan.best_known(Copy(), {"controller": "feedforward"}, {"momentum": 0.1})
    assert (plan.recipe.batch, plan.recipe.momentum, plan.memory) == (4, 0.1, True)
    assert Plan.best_known(Copy(), {}, {}).recipe == Recipe()
    assert not Plan.best_known(Copy(), {}, {}, memory=False).memory


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
