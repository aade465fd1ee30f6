"""What an importer looks at: the named arrays of a file, whatever container they came in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntm_core.checkpoints.containers import Container, flatten

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Contents:
    """A file's content as importers see it.

    Attributes:
        kind: the kind of container.
        root: the inert data of the file.
        tensors: every array by the path that leads to it, with dots between the steps.
        rebuilders: the functions of torch that the file names to make its tensors.
        unread: what lies beside the model and was left unread, and why.
    """

    kind: str
    root: Any
    tensors: Mapping[str, Array]
    rebuilders: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @classmethod
    def of(cls, container: Container) -> "Contents":
        """The contents of an opened file."""
        notes = container.notes
        return cls(container.kind, container.root, flatten(container.root), notes.rebuilders, notes.unread)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays of a file that is one list of arrays without names; else none."""
        root = self.root
        listed = isinstance(root, (list, tuple)) and bool(root) and all(isinstance(item, np.ndarray) for item in root)
        return tuple(root) if listed else ()

    @property
    def vector(self) -> Array | None:
        """The numbers of a file that is one list of numbers; else None."""
        root = self.root
        if isinstance(root, np.ndarray) and root.ndim == 1 and root.size > 1:
            return root
        if not isinstance(root, list) or len(root) < 2:
            return None
        if not all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in root):
            return None
        return np.asarray(root, np.float64)

    def prefix(self, anchor: str) -> str | None:
        """What stands before the first key that ends with the pattern `anchor`, such as "module."; None if none does.

        A state dict may lie deeper in a file, or belong to a module that wraps the machine.
        """
        pattern = re.compile(rf"(?:^|.*\.){anchor}$")
        for name in self.tensors:
            if pattern.match(name):
                return re.sub(rf"{anchor}$", "", name)
        return None

    def under(self, prefix: str) -> dict[str, Array]:
        """The tensors whose path begins with `prefix`, which is taken off."""
        return {name[len(prefix) :]: value for name, value in self.tensors.items() if name.startswith(prefix)}

    def missing(self, signature: Sequence[str]) -> tuple[str, ...]:
        """The patterns of a signature that no key matches; the first one finds the prefix of the others."""
        prefix = self.prefix(signature[0]) or ""
        names = self.under(prefix)
        return tuple(
            pattern.replace("\\", "") for pattern in signature if not any(re.fullmatch(pattern, name) for name in names)
        )
