"""The shipped checkpoints: by name, the default one first, each loadable."""

from pathlib import Path

import pytest

from ntm_core import zoo
from ntm_core.checkpoints.native import load_checkpoint


def test_every_shipped_checkpoint_can_be_loaded() -> None:
    for name in zoo.names():
        checkpoint = load_checkpoint(zoo.path(name))
        assert checkpoint.task is not None
        assert checkpoint.training is not None
        assert checkpoint.results is not None
        assert checkpoint.card


def test_names_come_in_their_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("zebra", "copy-feedforward", "another", "copy-lstm"):
        (tmp_path / f"{name}.safetensors").touch()
    (tmp_path / "notes.txt").touch()
    monkeypatch.setattr(zoo, "__file__", str(tmp_path / "__init__.py"))
    assert zoo.names() == ("copy-lstm", "copy-feedforward", "another", "zebra")
    assert zoo.path("copy-lstm") == tmp_path / "copy-lstm.safetensors"


@pytest.mark.parametrize("name", ["missing", "", "../native", "copy-lstm.safetensors"])
def test_an_unknown_name_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        zoo.path(name)
