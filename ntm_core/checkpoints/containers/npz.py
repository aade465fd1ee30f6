"""The container `.npz`: a zip archive of `.npy` files, as `numpy.savez` writes it without compression."""

import re
from collections.abc import Mapping
from typing import Any

from ntm_core.checkpoints.containers.container import Container, ContainerLimits, Notes
from ntm_core.checkpoints.containers.npy import npy_value
from ntm_core.checkpoints.containers.pickled import add_item
from ntm_core.checkpoints.containers.roots import unfold
from ntm_core.errors import CheckpointError

SUFFIX = ".npy"

_UNNAMED = re.compile(r"arr_(0|[1-9]\d{0,5})")
"""What `numpy.savez` calls arrays that are given without names, in their order."""


def is_npz(members: Mapping[str, memoryview]) -> bool:
    """Whether the members of an archive are those of a `.npz` file."""
    return bool(members) and all(name.endswith(SUFFIX) for name in members)


def read_npz(members: Mapping[str, memoryview], limits: ContainerLimits) -> Container:
    """The arrays of a `.npz` file by name; its root is a list if they were saved without names.

    CheckpointError if an array cannot be read, or the file is a trace.
    """
    if f"header{SUFFIX}" in members and f"weighting{SUFFIX}" in members:
        raise CheckpointError("this is a trace, not a checkpoint: as one it can be uploaded, and looked at")
    named: dict[str | int, Any] = {}
    for name, content in members.items():
        add_item(named, name.removesuffix(SUFFIX), npy_value(bytes(content), limits))
    root, stored_dtypes, classes, unread = unfold(_in_order(named), limits)
    return Container("npz", root, Notes(stored_dtypes=stored_dtypes, classes=classes, unread=unread))


def _in_order(named: dict[str | int, Any]) -> dict[str | int, Any] | list[Any]:
    """The arrays by name; as a list if they had none."""
    places = [_UNNAMED.fullmatch(str(name)) for name in named]
    order = sorted(int(place[1]) for place in places if place)
    if order != list(range(len(named))):
        return named
    return [named[f"arr_{place}"] for place in order]
