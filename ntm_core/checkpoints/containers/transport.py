"""A container as a JSON document and a list of arrays, to pass it between processes; never a pickle.

In the document, what JSON has stands for itself. All else is an object with one key that says what it is: "dict"
(pairs), "tuple", "record" (class name and fields), "unread" (why, and whether it is a tensor), "array" (its place in
the list) and "float" (NaN or infinity).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ntm_core.checkpoints.containers.container import Container, ContainerLimits, Notes, Record, Unread
from ntm_core.checkpoints.containers.opening import open_container


def read_packed(data: bytes, limits: dict[str, int]) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The packed container of a file; `limits` are those of `ContainerLimits` that differ from its own."""
    return pack(open_container(data, ContainerLimits(**limits)))


def pack(container: Container) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The document and the arrays of a container; an array that has several names is listed once."""
    packing = _Packing()
    root = packing.packed(container.root)
    document = {
        "kind": container.kind,
        "root": root,
        "notes": asdict(container.notes),
        "metadata": dict(container.metadata),
    }
    return document, packing.arrays


def unpack(document: dict[str, Any], arrays: Sequence[np.ndarray]) -> Container:
    """The container that was packed."""
    notes: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document["notes"].items()
    }
    return Container(document["kind"], _unpacked(document["root"], arrays), Notes(**notes), document["metadata"])


@dataclass
class _Packing:
    arrays: list[np.ndarray] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)

    def packed(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.packed(item) for item in value]
        if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
            return value
        return self._tagged(value)

    def _tagged(self, value: Any) -> dict[str, Any]:
        match value:
            case tuple():
                return {"tuple": self.packed(list(value))}
            case dict():
                return {"dict": [[key, self.packed(item)] for key, item in value.items()]}
            case Record():
                return {"record": [value.class_name, self.packed(value.fields)]}
            case Unread():
                return {"unread": [value.why, value.is_tensor]}
            case np.ndarray():
                return {"array": self._place(value)}
            case float():
                return {"float": repr(value)}
        raise TypeError(f"a root holds no {type(value).__name__}")

    def _place(self, array: np.ndarray) -> int:
        if id(array) not in self.places:
            self.places[id(array)] = len(self.arrays)
            self.arrays.append(array)
        return self.places[id(array)]


def _unpacked(value: Any, arrays: Sequence[np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpacked(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((what, content),) = value.items()
    return _untagged(what, content, arrays)


def _untagged(what: str, content: Any, arrays: Sequence[np.ndarray]) -> Any:
    match what:
        case "tuple":
            return tuple(_unpacked(content, arrays))
        case "dict":
            return {key: _unpacked(item, arrays) for key, item in content}
        case "record":
            return Record(content[0], _unpacked(content[1], arrays))
        case "unread":
            return Unread(*content)
        case "array":
            return arrays[content]
        case "float":
            return float(content)
    raise ValueError(f"a packed container has nothing called {what!r}")
