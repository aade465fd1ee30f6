"""What the pickles of torch have in common, in whichever container: storages outside the pickle, and module sources."""

from dataclasses import dataclass, field
from typing import Any

from ntm_core.checkpoints.containers.container import Container, ContainerLimits, Kind, Notes
from ntm_core.checkpoints.containers.pickle_names import STORAGE_DTYPES
from ntm_core.checkpoints.containers.pickled import Global
from ntm_core.checkpoints.containers.pickles import Pickle
from ntm_core.checkpoints.containers.roots import unfold
from ntm_core.checkpoints.containers.storages import Storage
from ntm_core.checkpoints.containers.wording import shown
from ntm_core.errors import CheckpointError


@dataclass
class TorchReferences:
    """What a pickle of torch refers to outside itself: its `persistent ids` come to `load`, one after another.

    Attributes:
        storages: the storages met so far by key; their `data` is for the container to fill in.
        dropped_sources: how many modules came with the text of their class. The text goes no further than here.
    """

    limits: ContainerLimits
    storages: dict[str, Storage] = field(default_factory=dict)
    dropped_sources: int = 0

    def load(self, persistent_id: Any) -> Storage | Global:
        """The storage, or the name of the class, that a persistent id stands for."""
        if isinstance(persistent_id, tuple) and persistent_id:
            if persistent_id[0] == "storage":
                return self._storage(persistent_id[1:])
            if persistent_id[0] == "module" and len(persistent_id) == 4 and isinstance(persistent_id[1], Global):
                self.dropped_sources += 1
                return persistent_id[1]
        raise CheckpointError("the file refers to data outside its pickle in a way that torch does not")

    def _storage(self, arguments: tuple[Any, ...]) -> Storage:
        """(class, key, device, number of elements), and in old files also (view of another storage, or None)."""
        if not 4 <= len(arguments) <= 5 or not isinstance(arguments[0], Global) or not isinstance(arguments[1], str):
            raise CheckpointError("the file describes a storage in a way that torch does not")
        class_, key, _, count = arguments[:4]
        if arguments[4:] and arguments[4] is not None:
            raise CheckpointError(f"storage {shown(key)} is a view of another storage, which is not read")
        dtype = STORAGE_DTYPES.get(class_.name)
        if dtype is None:
            raise CheckpointError(f"the file uses the global {shown(class_.name)} as a storage: that is not allowed")
        if type(count) is not int or not 0 <= count <= self.limits.max_bytes:
            raise CheckpointError(
                f"storage {shown(key)} does not declare its number of elements, from 0 to {self.limits.max_bytes}"
            )
        storage = self.storages.setdefault(key, Storage(dtype, count))
        if (storage.dtype, storage.count) != (dtype, count):
            raise CheckpointError(
                f"storage {shown(key)} is declared as {storage.count} {storage.dtype} numbers, and as {count} {dtype}"
            )
        return storage


def torch_container(kind: Kind, pickle: Pickle, references: TorchReferences, limits: ContainerLimits) -> Container:
    """The container of a pickle whose storages have been filled in."""
    root, stored_dtypes, classes, unread = unfold(pickle.value, limits)
    notes = Notes(
        rebuilders=tuple(sorted(name for name in pickle.called if name.startswith("torch._utils."))),
        has_metadata=pickle.has_metadata,
        stored_dtypes=stored_dtypes,
        classes=classes,
        dropped_sources=references.dropped_sources,
        unread=unread,
    )
    return Container(kind, root, notes)
