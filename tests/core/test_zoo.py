"""The shipped checkpoints: by name, the default one first, each loadable."""

from pathlib import Path

import pytest

from ntm_core import zoo
from ntm_core.checkpoints.native import load_checkpoint
from ntm_core.tasks import parse_task
from ntm_core.training import Plan, Recipe
from ntm_core.training.plan import LIMITS


def members(name: str) -> list[str]:
    """The names of the checkpoints of a training."""
    return [f"{name}.{iteration}" for iteration in zoo.series(name)]


def test_every_shipped_checkpoint_can_be_loaded_and_is_small() -> None:
    assert list(zoo.files()) == [one for name in zoo.names() for one in (name, *members(name))]
    for name, file in zoo.files().items():
        assert file.stat().st_size < 2e6
        assert load_checkpoint(file).training is not None, name
    for name in zoo.names():
        checkpoint = load_checkpoint(zoo.path(name))
        assert checkpoint.task is not None
        assert checkpoint.training is not None
        assert checkpoint.results is not None
        assert checkpoint.card


@pytest.mark.parametrize("name", zoo.files())
def test_every_shipped_checkpoint_is_what_todays_recipe_makes(name: str) -> None:
    checkpoint = load_checkpoint(zoo.path(name))
    assert checkpoint.task is not None
    assert checkpoint.training is not None
    task = parse_task(checkpoint.task)
    asked = {"controller": checkpoint.config.controller}
    plan = Plan.best_known(task, asked, {}, checkpoint.training["seed"])
    assert plan.config == checkpoint.config
    limits = {name: getattr(plan.recipe, name) for name in LIMITS}
    assert Recipe(**checkpoint.training["recipe"] | limits) == plan.recipe


def test_names_come_in_their_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("zebra", "copy-feedforward", "another", "copy-lstm"):
        (tmp_path / f"{name}.safetensors").touch()
    (tmp_path / "notes.txt").touch()
    monkeypatch.setattr(zoo, "__file__", str(tmp_path / "__init__.py"))
    assert zoo.names() == ("copy-lstm", "copy-feedforward", "another", "zebra")
    assert zoo.path("copy-lstm") == tmp_path / "copy-lstm.safetensors"


def test_a_series_is_told_by_its_iterations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "copy-lstm").mkdir()
    for name in ("copy-lstm", "other", "copy-lstm/500", "copy-lstm/0", "copy-lstm/2000"):
        (tmp_path / f"{name}.safetensors").touch()
    monkeypatch.setattr(zoo, "__file__", str(tmp_path / "__init__.py"))
    assert (zoo.series("copy-lstm"), zoo.series("other")) == ((0, 500, 2000), ())
    assert list(zoo.files()) == ["copy-lstm", "copy-lstm.0", "copy-lstm.500", "copy-lstm.2000", "other"]
    assert zoo.path("copy-lstm.500") == tmp_path / "copy-lstm" / "500.safetensors"
    for name in ("copy-lstm.1", "copy-lstm.", "copy-lstm.00", "other.0", "copy-lstm.500.0", ".500"):
        with pytest.raises(KeyError):
            zoo.path(name)


@pytest.mark.parametrize("name", ["missing", "", "../native", "copy-lstm.safetensors"])
def test_an_unknown_name_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        zoo.path(name)
