"""The types in which files store numbers, and how each becomes float32 or float64 without losing anything."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ntm_core.errors import CheckpointError

STORED: Mapping[str, np.dtype] = MappingProxyType(
    {
        "float64": np.dtype("<f8"),
        "float32": np.dtype("<f4"),
        "float16": np.dtype("<f2"),
        "bfloat16": np.dtype("<u2"),  # numpy has none: its 16 bits are the upper half of a float32
        "int64": np.dtype("<i8"),
        "int32": np.dtype("<i4"),
        "int16": np.dtype("<i2"),
        "int8": np.dtype("<i1"),
        "uint64": np.dtype("<u8"),
        "uint32": np.dtype("<u4"),
        "uint16": np.dtype("<u2"),
        "uint8": np.dtype("<u1"),
        "bool": np.dtype("<u1"),  # so that a byte other than 0 and 1 is a number, not undefined
    }
)
"""The types that are read, each with the numpy type of its bytes."""

_EXACT_IN_FLOAT32 = 1 << 24
_EXACT_IN_FLOAT64 = 1 << 53


def as_floats(stored: np.ndarray, dtype: str, name: str) -> np.ndarray:
    """The same numbers as float32 (float64 if stored so), in an array of their own.

    Args:
        stored: numbers of `STORED[dtype]`, in either byte order.
        dtype: a name of `STORED`.
        name: what to call the tensor in an error.

    CheckpointError if a number is NaN, infinite, or an integer that float32 does not hold exactly.
    """
    if dtype == "bfloat16":
        bits = stored.astype(np.uint32, order="C")
        bits <<= 16
        floats = bits.view(np.float32)
    elif stored.dtype.kind == "f":
        with np.errstate(invalid="ignore"):  # a NaN is found below
            floats = stored.astype(np.float64 if dtype == "float64" else np.float32, order="C")
    else:
        return _exact_integers(stored, dtype, name)
    if not np.isfinite(floats).all():
        raise CheckpointError(f"tensor {name} holds NaN or infinity")
    return floats


def _exact_integers(stored: np.ndarray, dtype: str, name: str) -> np.ndarray:
    largest = max(abs(int(stored.min())), abs(int(stored.max()))) if stored.size else 0
    if dtype == "bool" and largest > 1:
        raise CheckpointError(f"tensor {name} is bool but holds the byte {largest}: 0 and 1 are its values")
    floats = stored.astype(np.float32, order="C")
    if largest <= _EXACT_IN_FLOAT32:
        return floats
    if largest > _EXACT_IN_FLOAT64 or not np.array_equal(floats, stored.astype(np.float64)):
        raise CheckpointError(
            f"tensor {name} is {dtype} and holds integers as large as {largest}, which float32 does not hold exactly"
        )
    return floats
