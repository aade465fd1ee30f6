import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_core.checkpoints.containers import ContainerLimits, json_array, open_container
from ntm_core.errors import CheckpointError


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**30), 10**30), min_size=1))
def test_numbers_come_back_exactly(numbers: list[float]) -> None:
    root = open_container(json.dumps(numbers).encode()).root
    assert root.dtype == np.float64
    assert root.tolist() == [float(number) for number in numbers]


def test_long_arrays_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_array, "_SLICE_BYTES", 100)
    numbers = np.random.default_rng(0).normal(size=5000).tolist()
    container = open_container(json.dumps(numbers, indent=1).encode() + b"\n")
    assert container.kind == "json"
    assert container.root.tolist() == numbers


@pytest.mark.parametrize(
    ("text", "before"), [("1," * 100 + "-" + ",1" * 100, 60), ("1," * 120, 60), ("1" * 300 + "-", 0)]
)
def test_what_is_no_number_is_placed(monkeypatch: pytest.MonkeyPatch, text: str, before: int) -> None:
    monkeypatch.setattr(json_array, "_SLICE_BYTES", 60)
    with pytest.raises(CheckpointError, match="not a number after its first") as refusal:
        open_container(f"[{text}]".encode())
    assert int(str(refusal.value).split()[-2]) >= before


def test_the_number_of_numbers_is_limited() -> None:
    with pytest.raises(CheckpointError, match="3 numbers: the limit is 2"):
        open_container(b"[1,2,3]", ContainerLimits(max_elements=2))
