from pathlib import Path

import pytest
import safetensors.torch
import torch

from ntm_core.errors import TrainingError
from ntm_core.training.spent import Spent
from ntm_core.training.state import TrainingState
from ntm_core.training.trainer import Counts, Trainer
from tests.core.training.plans import row, small_plan


def state() -> TrainingState:
    trainer = Trainer(small_plan())
    trainer.update()
    best = {name: value.clone() for name, value in trainer.tensors().items()}
    trainer.update()
    return TrainingState(small_plan(), trainer.counts, Spent(1.25, 0.5), (row(0),), trainer.tensors(), "eager", best)


def test_a_state_survives_its_file(tmp_path: Path) -> None:
    saved = state()
    saved.save(tmp_path / "state")
    loaded = TrainingState.load(tmp_path / "state")
    assert (loaded.plan, loaded.counts, loaded.spent, loaded.rows) == (
        saved.plan,
        Counts(iteration=2),
        Spent(1.25, 0.5),
        (row(0),),
    )
    assert loaded.tensors.keys() == saved.tensors.keys()
    assert all(torch.equal(loaded.tensors[name], value) for name, value in saved.tensors.items())
    assert loaded.best.keys() == saved.best.keys()
    assert all(torch.equal(loaded.best[name], value) for name, value in saved.best.items())


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nowhere is not a readable training state"):
        TrainingState.load(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"junk that is no safetensors file", b"\x80\x04pickle"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(TrainingError, match="state is not a readable training state"):
        TrainingState.load(tmp_path / "state")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    state().save(tmp_path / "state")
    (tmp_path / "state").write_bytes((tmp_path / "state").read_bytes()[:-1])
    with pytest.raises(TrainingError, match="not a readable training state"):
        TrainingState.load(tmp_path / "state")


def test_tensors_without_a_header_are_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(safetensors.torch.save({"a": torch.zeros(1)}))
    with pytest.raises(TrainingError, match="is not a training state of this version"):
        TrainingState.load(tmp_path / "state")


def test_another_version_is_refused(tmp_path: Path) -> None:
    state().save(tmp_path / "state")
    data = (tmp_path / "state").read_bytes().replace(b'\\"version\\":1,', b'\\"version\\":2,')
    (tmp_path / "state").write_bytes(data)
    with pytest.raises(TrainingError, match="not a training state of this version: version is 2"):
        TrainingState.load(tmp_path / "state")
