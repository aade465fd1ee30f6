import numpy as np
import pytest
import safetensors.torch
import torch

from ntm_core.checkpoints.containers import ContainerLimits, flatten, open_container
from ntm_core.errors import CheckpointError
from tests.core.containers.builders import FOUR, entry
from tests.core.containers.builders import safetensors as build

TENSORS = {
    "double": torch.tensor([[1e300, -0.0]], dtype=torch.float64),
    "single": torch.arange(6.0).reshape(3, 2, 1),
    "half": torch.tensor([0.1, 65504], dtype=torch.float16),
    "brain": torch.tensor([0.1, 3e38], dtype=torch.bfloat16),
    "long": torch.tensor(7),
    "bytes": torch.tensor([0, 255], dtype=torch.uint8),
    "truths": torch.tensor([True, False]),
    "none": torch.zeros((0, 4)),
}


def test_what_the_library_writes_is_read_without_loss() -> None:
    container = open_container(safetensors.torch.save(TENSORS, {"format": "pt", "note": "ß"}))
    assert container.kind == "safetensors"
    assert container.metadata == {"format": "pt", "note": "ß"}
    found = flatten(container.root)
    assert set(found) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert found[name].dtype == (np.float64 if name == "double" else np.float32)
        np.testing.assert_array_equal(found[name], tensor.to(torch.float64).numpy())
    assert "bfloat16" in container.notes.stored_dtypes


def test_tensors_may_lie_in_any_order() -> None:
    data = build({"b": entry(shape=(2,), start=8, end=16), "a": entry(shape=(2,), end=8)})
    root = open_container(data).root
    assert list(root) == ["b", "a"]
    np.testing.assert_array_equal(root["a"], [0, 1])


def test_the_elements_are_limited() -> None:
    with pytest.raises(CheckpointError, match="have 4 elements: the limit is 3"):
        open_container(build({"a": entry()}, FOUR), ContainerLimits(max_elements=3))
