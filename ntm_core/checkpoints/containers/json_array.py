"""The container JSON: one flat array of numbers, and nothing else.

The text is read in slices, so that memory follows the numbers and not what a general reader of JSON would make of it.
"""

import json
import math
import re
from collections.abc import Iterator

import numpy as np

from ntm_core.checkpoints.containers.container import Container, ContainerLimits, Notes
from ntm_core.errors import CheckpointError

_ARRAY = re.compile(rb"\s*\[([0-9eE+\-.,\s]*)\]\s*")
_SLICE_BYTES = 1 << 20


def read_json_array(data: bytes, limits: ContainerLimits) -> Container:
    """The content of a JSON file: its root is an array of one dimension, float64."""
    match = _ARRAY.fullmatch(data)
    if match is None:
        raise CheckpointError("the file starts as a JSON array, but it is not one flat array of finite numbers")
    count = data.count(b",") + 1
    if count > limits.max_elements:
        raise CheckpointError(f"the file holds {count} numbers: the limit is {limits.max_elements}")
    numbers = np.empty(count)
    reached = 0
    for part in _slices(data, *match.span(1)):
        values = _numbers(part, reached)
        numbers[reached : reached + len(values)] = values
        reached += len(values)
    return Container("json", numbers, Notes(stored_dtypes=("float64",)))


def _slices(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """The text of the numbers in parts, cut at commas, which belong to no part."""
    while end - start > _SLICE_BYTES:
        cut = data.find(b",", start + _SLICE_BYTES, end)
        if cut < 0:
            break
        yield data[start:cut]
        start = cut + 1
    yield data[start:end]


def _numbers(part: bytes, reached: int) -> list[float]:
    """The numbers of a part; `reached` numbers came before it."""
    try:
        values = json.loads(b"[" + part + b"]", parse_int=float)
    except ValueError:
        values = []
    if not values:
        raise CheckpointError(f"the JSON array holds something that is not a number after its first {reached} numbers")
    for place, value in enumerate(values):
        if not math.isfinite(value):
            raise CheckpointError(f"number {reached + place + 1} of the JSON array is too large for float64")
    return values
