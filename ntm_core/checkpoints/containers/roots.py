"""A pickle's value unfolded into the root of a container: a tree of inert data, within bounds.

A pickle may use one value in many places, or inside itself. A reader of the root must not care, so every place gets a
value of its own; only tensors stay one. What would grow without end is stopped by the limits on nodes and on depth.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ntm_core.checkpoints.containers.container import ContainerLimits, Record, Unread
from ntm_core.checkpoints.containers.dtypes import STORED
from ntm_core.checkpoints.containers.pickle_names import (
    NUMPY_DTYPES,
    is_module_class,
    is_record_class,
    is_word,
    raw_bytes,
)
from ntm_core.checkpoints.containers.pickled import (
    Global,
    PickledArray,
    PickledDtype,
    PickledInstance,
    PickledSet,
    PickledUnread,
)
from ntm_core.checkpoints.containers.storages import Storage, Tensors, View, gapless_strides
from ntm_core.checkpoints.containers.wording import shown
from ntm_core.errors import CheckpointError

MAX_PATH_CHARACTERS = 2048

MODULE_FIELDS = ("_parameters", "_buffers", "_modules")
"""The fields that make a record a module, each a dict."""


MAX_UNREAD = 8
"""So many values that were left unread are told, and how many more there are."""


class Unfolded(NamedTuple):
    """A root, the stored types of its arrays and the classes of its records, both sorted, and what was left unread."""

    root: Any
    stored_dtypes: tuple[str, ...]
    classes: tuple[str, ...]
    unread: tuple[str, ...]


class _Place(NamedTuple):
    """Where in the root a value stands: a key below another place, and how deep and how long the path to it is."""

    key: str = ""
    above: "_Place | None" = None
    depth: int = 0
    length: int = 0

    def below(self, key: str | int) -> "_Place":
        return _Place(str(key), self, self.depth + 1, self.length + 1 + len(str(key)))

    def __str__(self) -> str:
        keys = []
        place: _Place | None = self
        while place is not None:
            keys.append(place.key)
            place = place.above
        return shown(".".join(key for key in reversed(keys) if key and key not in MODULE_FIELDS))


_ONE_MORE = Unread("more that is not data")


@dataclass
class _Unfolding:
    limits: ContainerLimits
    tensors: Tensors
    classes: set[str] = field(default_factory=set)
    nodes: int = 0
    characters: int = 0
    unread: list[str] = field(default_factory=list)
    more_unread: int = 0
    storages: dict[tuple[int, str], Storage] = field(default_factory=dict)
    """The storages of numpy's arrays, by the identity of their content and their type."""

    def unfold(self, value: Any, place: _Place) -> Any:
        self.nodes += 1
        if self.nodes > self.limits.max_nodes:
            raise CheckpointError(f"the file holds more than {self.limits.max_nodes} values: that is the limit")
        if place.depth > self.limits.max_depth:
            raise CheckpointError(
                f"the file nests {place} inside itself, or deeper than {self.limits.max_depth} levels"
            )
        if place.length > MAX_PATH_CHARACTERS:
            raise CheckpointError(f"the path {place} has more than {MAX_PATH_CHARACTERS} characters: that is the limit")
        unfold = _UNFOLDINGS.get(type(value))
        if unfold is None:
            return self.left_unread(_KINDS.get(type(value), type(value).__name__), place, "which is not data")
        return unfold(self, value, place)

    def left_unread(self, what: str, place: _Place, why: str) -> Unread:
        """A stand-in for a value beside the model, noted; of many only the first ones say what they are."""
        if len(self.unread) < MAX_UNREAD:
            return self.noted(Unread(f"{what} at {place}, {why}"))
        return self.noted(_ONE_MORE)

    def noted(self, value: Unread) -> Unread:
        """A stand-in, noted."""
        if len(self.unread) < MAX_UNREAD:
            self.unread.append(value.why)
        else:
            self.more_unread += 1
        return value

    def count_characters(self, text: str) -> None:
        self.characters += len(text)
        if self.characters > self.limits.max_characters:
            raise CheckpointError(f"the file's texts have more than {self.limits.max_characters} characters: the limit")


def unfold(value: Any, limits: ContainerLimits) -> Unfolded:
    """The root that a pickle's value stands for; CheckpointError names the place that is refused, and why."""
    unfolding = _Unfolding(limits, Tensors(limits))
    root = unfolding.unfold(value, _Place())
    more = (f"{unfolding.more_unread} more",) if unfolding.more_unread else ()
    return Unfolded(
        root,
        tuple(sorted(unfolding.tensors.dtypes)),
        tuple(sorted(unfolding.classes)),
        (*unfolding.unread, *more),
    )


def _scalar(_: _Unfolding, value: bool | float | None, __: _Place) -> bool | int | float | None:
    return value


def _text(unfolding: _Unfolding, value: str, _: _Place) -> str:
    unfolding.count_characters(value)
    return value


def _list(unfolding: _Unfolding, values: list[Any] | tuple[Any, ...], place: _Place) -> list[Any]:
    return [unfolding.unfold(value, place.below(index)) for index, value in enumerate(values)]


def _tuple(unfolding: _Unfolding, values: tuple[Any, ...], place: _Place) -> tuple[Any, ...]:
    return tuple(_list(unfolding, values, place))


def _set(unfolding: _Unfolding, value: PickledSet, place: _Place) -> list[Any]:
    return _list(unfolding, value.elements, place)


def _dict(unfolding: _Unfolding, values: dict[Any, Any], place: _Place) -> dict[Any, Any]:
    unfolded = {}
    for key, value in values.items():
        unfolding.count_characters(str(key))
        unfolded[key] = unfolding.unfold(value, place.below(key))
    return unfolded


def _word(unfolding: _Unfolding, value: Global, place: _Place) -> Record | Unread:
    if not is_word(value.name):
        return unfolding.left_unread(f"the name {shown(value.name)}", place, "which is not data")
    return Record(value.name, {})


def _unread(unfolding: _Unfolding, value: PickledUnread, place: _Place) -> Unread:
    return unfolding.left_unread(value.what, place, "which is not data")


def _record(unfolding: _Unfolding, instance: PickledInstance, place: _Place) -> Record | Unread:
    name, state = instance.class_name, instance.state
    if state is None or not all(isinstance(key, str) for key in state):
        return unfolding.left_unread(f"an instance of {shown(name)}", place, "without named fields")
    is_module = is_module_class(name) and all(isinstance(state.get(key), dict) for key in MODULE_FIELDS)
    if not is_module and not is_record_class(name):
        return unfolding.left_unread(f"an instance of {shown(name)}", place, "which is no module of torch")
    unfolding.classes.add(name)
    return Record(name, _dict(unfolding, state, place))


def _tensor(unfolding: _Unfolding, view: View, place: _Place) -> np.ndarray | Unread:
    found = unfolding.tensors.array(view, str(place))
    return unfolding.noted(found) if isinstance(found, Unread) else found


def _array(unfolding: _Unfolding, array: PickledArray, place: _Place) -> np.ndarray | list[Any] | Unread:
    if array.dtype is None:
        raise CheckpointError(f"the file holds a numpy array at {place} without its content")
    if isinstance(array.content, list):
        if array.shape != (len(array.content),):
            raise CheckpointError(
                f"the file holds an array of {len(array.content)} objects of shape {array.shape} at {place}: "
                "only one dimension is read, and as many objects as it says"
            )
        return _list(unfolding, array.content, place)
    if array.dtype.code not in NUMPY_DTYPES or array.dtype.is_structure:
        of = " of a structure" if array.dtype.is_structure else ""
        return unfolding.left_unread(f"a numpy array of type {shown(array.dtype.code)}{of}", place, "which is not read")
    shape, (strides, elements) = array.shape, gapless_strides(array.shape, fortran_order=array.fortran_order)
    if array.axes is not None:
        shape, strides = (tuple(sizes[axis] for axis in array.axes) for sizes in (shape, strides))
    storage = _storage(unfolding, array.content, array.dtype, elements, str(place))
    return _tensor(unfolding, View(storage, 0, shape, strides), place)


def _storage(unfolding: _Unfolding, content: bytes | str, dtype: PickledDtype, elements: int, name: str) -> Storage:
    """The storage of an array's content, one for all arrays that the pickle makes of the same value."""
    stored = NUMPY_DTYPES[dtype.code]
    if len(content) != elements * STORED[stored].itemsize:
        raise CheckpointError(
            f"tensor {name} should hold {elements} {stored} numbers, but the file holds {len(content)} bytes of it"
        )
    key = (id(content), f"{dtype.code} {dtype.big_endian}")
    if key not in unfolding.storages:
        unfolding.storages[key] = Storage(stored, elements, raw_bytes(content), dtype.big_endian)
    return unfolding.storages[key]


_UNFOLDINGS: Mapping[type, Callable[[_Unfolding, Any, _Place], Any]] = MappingProxyType(
    {
        type(None): _scalar,
        bool: _scalar,
        int: _scalar,
        float: _scalar,
        str: _text,
        list: _list,
        tuple: _tuple,
        dict: _dict,
        PickledSet: _set,
        PickledInstance: _record,
        PickledArray: _array,
        PickledUnread: _unread,
        View: _tensor,
        Global: _word,
    }
)
"""How each type of value unfolds; any other is not data."""

_KINDS: Mapping[type, str] = MappingProxyType(
    {bytes: "bytes", Storage: "a storage without a tensor", PickledDtype: "a type of numpy's"}
)
"""In words, what may stand in a file and is not data."""
