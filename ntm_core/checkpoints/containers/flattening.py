"""The tensors of a root by dotted name: what `state_dict()` would have called them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ntm_core.checkpoints.containers.container import Record, Unread
from ntm_core.checkpoints.containers.roots import MODULE_FIELDS
from ntm_core.checkpoints.containers.wording import shown
from ntm_core.errors import CheckpointError

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params")
"""Keys under which training programs keep a model beside other things, the surest first."""

_OPTIMIZER = "optim"
_PARALLEL = "module."


def flatten(root: Any) -> dict[str, np.ndarray]:
    """The tensors of a root by name, in the order of the file; aliases are the same array.

    A module is flattened as its `state_dict()` would be: parameters, persistent buffers, then the modules within, by
    dotted path. Nested dicts and lists are joined by dots too; a root that is one array has the name "".

    Before that, a dict around the model is taken off: the entry called as one of `WRAPPERS` if it has more tensors than
    lie beside it, or the only entry with tensors, optimisers aside. After it goes the prefix `module.` that torch's
    parallel modules give to all names.

    CheckpointError if there is no tensor, one name for two, or one among them that could not be read.
    """
    named: dict[str, np.ndarray] = {}
    for name, array in _tensors(_unwrapped(root), ""):
        if isinstance(array, Unread):
            raise CheckpointError(array.why)
        if name in named:
            raise CheckpointError(f"the file holds two tensors named {shown(name)}")
        named[name] = array
    if not named:
        raise CheckpointError(f"the file holds no tensors{_but(root)}")
    if all(name.startswith(_PARALLEL) for name in named):
        return {name.removeprefix(_PARALLEL): array for name, array in named.items()}
    return named


def _but(root: Any) -> str:
    """What a root without tensors has instead, as far as it was left unread."""
    if isinstance(root, dict | list | tuple):
        return next(filter(None, map(_but, root.values() if isinstance(root, dict) else root)), "")
    return f", but {root.why}; a model's state_dict() would be read" if isinstance(root, Unread) else ""


def _unwrapped(root: Any) -> Any:
    """What is inside the dict around a model; the root itself if there is none around it."""
    if not isinstance(root, dict):
        return root
    beside = sum(_is_tensor(value) for value in root.values())
    counts = {
        key: sum(1 for _ in _tensors(value, ""))
        for key, value in root.items()
        if not _is_tensor(value) and not str(key).startswith(_OPTIMIZER)
    }
    wrapper = next((key for key in WRAPPERS if counts.get(key, 0) > beside), None)
    if wrapper is not None:
        return root[wrapper]
    if beside:
        return root
    holders = [key for key, count in counts.items() if count]
    return root[holders[0]] if len(holders) == 1 else {key: root[key] for key in holders}


def _is_tensor(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (isinstance(value, Unread) and value.is_tensor)


def _tensors(value: Any, path: str) -> Iterator[tuple[str, np.ndarray | Unread]]:
    if _is_tensor(value):
        yield path, value
    elif isinstance(value, Record):
        yield from _module_tensors(value, path)
    elif isinstance(value, dict | list | tuple):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _tensors(item, f"{path}.{key}" if path else str(key))


def _module_tensors(record: Record, path: str) -> Iterator[tuple[str, np.ndarray | Unread]]:
    """The tensors of a module's state dict; no others: a module may keep live state in further fields."""
    transient = record.fields.get("_non_persistent_buffers_set")
    for part in MODULE_FIELDS:
        held = record.fields.get(part)
        for key, item in held.items() if isinstance(held, dict) else ():
            if part != "_buffers" or not isinstance(transient, list) or key not in transient:
                yield from _tensors(item, f"{path}.{key}" if path else str(key))
