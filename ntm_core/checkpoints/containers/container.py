"""What a file held: inert data, how much of it there may be, and what was met on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["safetensors", "torch_zip", "torch_legacy", "npy", "npz", "pickle", "json"]


@dataclass(frozen=True)
class ContainerLimits:
    """How much one file may ask for, whatever it says about itself."""

    max_bytes: int = 256 << 20
    """Bytes of the file."""
    max_tensors: int = 4096
    """Tensors, each counted under every name that it has; and members of an archive."""
    max_elements: int = 1 << 26
    """Numbers in all different tensors together."""
    max_nodes: int = 1 << 20
    """Values in the root, each counted as often as it is reached."""
    max_characters: int = 1 << 24
    """Characters of all texts in the root, each counted as often as it is reached."""
    max_depth: int = 64
    """Containers within containers."""
    max_operations: int = 1 << 21
    """Instructions of one pickle: a history of 40 000 losses beside a model takes half a million."""


@dataclass(frozen=True)
class Notes:
    """What was met while reading: evidence of which program wrote the file, and when."""

    rebuilders: tuple[str, ...] = ()
    """The functions of torch that the file asks for to make its tensors, such as `torch._utils._rebuild_tensor`."""
    has_metadata: bool = False
    """Whether a state dict carries `_metadata`, as those of torch 0.4 and later do."""
    stored_dtypes: tuple[str, ...] = ()
    """The types of the numbers as stored: those of the root's arrays are float32 or float64."""
    classes: tuple[str, ...] = ()
    """The classes of the records in the root."""
    dropped_sources: int = 0
    """How many texts of Python source the file carries: they are neither run nor kept."""
    unread: tuple[str, ...] = ()
    """What was left unread, where it stands and why, in the order of the file; after the first few, how many more."""


@dataclass(frozen=True, eq=False)
class Record:
    """An instance of a class that this program does not have: the class's name, and the instance's fields."""

    class_name: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Unread:
    """What stands in a root for a value that is no data, or whose numbers no machine could use.

    Attributes:
        why: what it is, where, and why it was not read.
        is_tensor: whether a model that holds it must be refused.
    """

    why: str
    is_tensor: bool = False


@dataclass(frozen=True, eq=False)
class Container:
    """The content of a file.

    Attributes:
        kind: how the file is laid out.
        root: dict (keys text or int), list, tuple, str, int, float, bool, None, Record, Unread and numpy arrays.
            Arrays are float32 or float64, finite, C-contiguous, writable and share no memory, except that a tensor
            which the file holds under several names is one and the same array.
        notes: what was met while reading.
        metadata: what a safetensors file says about itself, text by name; empty for other kinds.
    """

    kind: Kind
    root: Any
    notes: Notes = Notes()
    metadata: Mapping[str, str] = field(default_factory=dict)
