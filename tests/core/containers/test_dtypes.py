import numpy as np
import pytest
import torch

from ntm_core.checkpoints.containers.dtypes import STORED, as_floats
from ntm_core.errors import CheckpointError

ALL_16_BITS = np.arange(1 << 16, dtype=np.uint16)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_finite_number_of_16_bits_is_exact(dtype: str) -> None:
    expected = torch.from_numpy(ALL_16_BITS.view(np.int16)).view(getattr(torch, dtype)).to(torch.float32).numpy()
    finite = np.isfinite(expected)
    stored = ALL_16_BITS[finite].view(STORED[dtype])
    np.testing.assert_array_equal(as_floats(stored, dtype, "'a'").view(np.uint32), expected[finite].view(np.uint32))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_other_number_of_16_bits_is_refused(dtype: str) -> None:
    numbers = torch.from_numpy(ALL_16_BITS.view(np.int16)).view(getattr(torch, dtype)).to(torch.float32).numpy()
    for stored in ALL_16_BITS[~np.isfinite(numbers)][:: 1 if dtype == "bfloat16" else 16]:
        with pytest.raises(CheckpointError, match="tensor 'a' holds NaN or infinity"):
            as_floats(np.array([stored]).view(STORED[dtype]), dtype, "'a'")


@pytest.mark.parametrize("dtype", [name for name in STORED if "int" in name])
def test_integers_are_exact_or_refused(dtype: str) -> None:
    info = np.iinfo(STORED[dtype])
    for value in sorted({info.min, info.max, 0, 1, 2**24 - 1, 2**24, 2**24 + 1, 2**24 + 2, 2**53, 2**53 + 1, 2**60}):
        if not info.min <= value <= info.max:
            continue
        stored = np.array([[value]], STORED[dtype])
        if abs(value) <= 2**53 and int(np.float32(value)) == value:
            assert as_floats(stored, dtype, "'a'").tolist() == [[value]]
        else:
            with pytest.raises(CheckpointError, match=f"tensor 'a' is {dtype}"):
                as_floats(stored, dtype, "'a'")
