"""Stored numbers and the tensors that are views of them, checked before a single byte is copied."""

from dataclasses import dataclass, field

import numpy as np

from ntm_core.checkpoints.containers.container import ContainerLimits, Unread
from ntm_core.checkpoints.containers.dtypes import STORED, as_floats
from ntm_core.errors import CheckpointError

MAX_DIMENSIONS = 8
MAX_COVER = 4
"""How often the tensors of one storage may cover it: a small file may not become a large one by overlaps."""


@dataclass(eq=False)
class Storage:
    """A run of numbers in the file; `data` is None until the reader has come to its bytes, and found enough of them."""

    dtype: str
    count: int
    data: bytes | memoryview | None = None
    big_endian: bool = False


@dataclass(frozen=True, eq=False)
class View:
    """A tensor: `shape` and `strides` count elements, `offset` is where it starts in its storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def gapless_strides(shape: tuple[int, ...], *, fortran_order: bool = False) -> tuple[tuple[int, ...], int]:
    """The strides of an array without gaps, in elements, and how many elements it has."""
    strides = []
    elements = 1
    for size in shape if fortran_order else reversed(shape):
        strides.append(elements)
        elements *= size
    return tuple(strides if fortran_order else reversed(strides)), elements


@dataclass
class Tensors:
    """The arrays of a file's views, made once each, within the limits."""

    limits: ContainerLimits
    dtypes: set[str] = field(default_factory=set)
    _reached: int = 0
    _elements: int = 0
    _cover: dict[Storage, int] = field(default_factory=dict)
    _made: dict[tuple[Storage, int, tuple[int, ...], tuple[int, ...]], np.ndarray | Unread] = field(
        default_factory=dict
    )

    def array(self, view: View, name: str) -> np.ndarray | Unread:
        """The numbers of a view, C-contiguous, float32 or float64; the same array for the same view.

        Numbers that no machine can use, such as NaN, are left unread. CheckpointError names the tensor and says why
        the view is refused.
        """
        self._reached += 1
        if self._reached > self.limits.max_tensors:
            raise CheckpointError(f"the file holds more than {self.limits.max_tensors} tensors: that is the limit")
        key = (view.storage, view.offset, view.shape, view.strides)
        if key not in self._made:
            self._admit(view, name)
            self._made[key] = _floats(view, name)
            self.dtypes.add(view.storage.dtype)
        return self._made[key]

    def _admit(self, view: View, name: str) -> None:
        elements = check_view(view, name)
        self._elements += elements
        if self._elements > self.limits.max_elements:
            raise CheckpointError(
                f"with tensor {name} the file's tensors have {self._elements} elements: "
                f"the limit is {self.limits.max_elements}"
            )
        covered = self._cover.get(view.storage, 0) + elements
        if covered > MAX_COVER * view.storage.count:
            raise CheckpointError(
                f"with tensor {name}, {covered} elements are views of {view.storage.count} stored numbers: "
                f"more than {MAX_COVER} times as many is refused"
            )
        self._cover[view.storage] = covered


def check_view(view: View, name: str) -> int:
    """How many elements a view has; CheckpointError unless each has a place of its own within the storage.

    A view without elements may start anywhere: nothing is read for it.
    """
    shape, strides = view.shape, view.strides
    if len(shape) != len(strides) or len(shape) > MAX_DIMENSIONS:
        raise CheckpointError(
            f"tensor {name} has {len(shape)} sizes and {len(strides)} strides: "
            f"there must be one for each of at most {MAX_DIMENSIONS} dimensions"
        )
    if view.offset < 0 or min(shape, default=0) < 0 or min(strides, default=0) < 0:
        raise CheckpointError(
            f"tensor {name} has offset {view.offset}, shape {shape} and strides {strides}: none may be negative"
        )
    elements = 1
    for size in shape:
        elements *= size
    if elements == 0:
        return 0
    last = view.offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if last >= view.storage.count:
        raise CheckpointError(
            f"tensor {name} of shape {shape} reaches beyond its storage, which holds {view.storage.count} numbers"
        )
    reached = 0
    for stride, size in sorted((stride, size) for size, stride in zip(shape, strides, strict=True) if size > 1):
        if stride <= reached:
            raise CheckpointError(f"tensor {name} has strides {strides}: some of its elements share a place")
        reached += (size - 1) * stride
    return elements


def _floats(view: View, name: str) -> np.ndarray | Unread:
    """The view's numbers as floats."""
    numbers = _stored_numbers(view, name)
    try:
        return as_floats(numbers, view.storage.dtype, name)
    except CheckpointError as error:
        return Unread(str(error), is_tensor=True)


def _stored_numbers(view: View, name: str) -> np.ndarray:
    """The view's numbers as they are stored, laid over the bytes of the file."""
    storage = view.storage
    dtype = STORED[storage.dtype]
    if 0 in view.shape:
        return _empty(view.shape, dtype, name)
    assert storage.data is not None
    assert len(storage.data) == storage.count * dtype.itemsize
    numbers = np.frombuffer(storage.data, dtype.newbyteorder(">") if storage.big_endian else dtype)
    strides = tuple(stride * dtype.itemsize for stride in view.strides)
    return np.lib.stride_tricks.as_strided(numbers[view.offset :], view.shape, strides, writeable=False)


def _empty(shape: tuple[int, ...], dtype: np.dtype, name: str) -> np.ndarray:
    """An array without elements; numpy refuses one whose other sizes overflow."""
    try:
        return np.empty(shape, dtype)
    except ValueError:
        raise CheckpointError(f"tensor {name} has the impossible shape {shape}") from None
