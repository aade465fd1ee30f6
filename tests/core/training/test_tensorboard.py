import builtins
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ntm_core.errors import TrainingError
from ntm_core.training import train
from ntm_core.training.tensorboard import SCALARS, scalar_report
from tests.core.training.plans import small_plan


class Writer:
    """What TensorBoard's writer would be told."""

    written: list[tuple[str, float, int]]

    def __init__(self, directory: str) -> None:
        self.directory = directory
        Writer.written = []

    def add_scalar(self, name: str, value: float, step: int) -> None:
        Writer.written.append((name, value, step))

    def flush(self) -> None:
        pass


def test_each_measurement_is_written_once_against_the_sequences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=Writer))
    train(small_plan(batch=2), tmp_path, report=scalar_report(tmp_path))
    assert [step for name, _, step in Writer.written if name == "loss_bits"] == [0, 8, 16]
    # Before the first update there is no gradient.
    assert {name for name, _, step in Writer.written if step == 0} == set(SCALARS) - {"gradient_norm"}
    assert {name for name, _, step in Writer.written if step == 8} == set(SCALARS)


def test_without_tensorboard_the_refusal_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name == "torch.utils.tensorboard":
            raise ModuleNotFoundError("No module named 'tensorboard'")
        return honest(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TrainingError, match="--tensorboard needs the package tensorboard: pip install tensorboard"):
        scalar_report(tmp_path)
