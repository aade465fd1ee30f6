"""The container of torch before 1.6: five pickles in a row, then the storages.

1 a magic number; 2 the protocol version, 1001; 3 the byte order and the sizes of C's types on the machine that wrote
it; 4 the object; 5 the list of storage keys. Then for each key an 8-byte little-endian count and as many elements,
little-endian too. Nothing follows.
"""

from ntm_core.checkpoints.containers.container import Container, ContainerLimits
from ntm_core.checkpoints.containers.dtypes import STORED
from ntm_core.checkpoints.containers.pickles import Pickle, read_pickle
from ntm_core.checkpoints.containers.torch_pickles import TorchReferences, torch_container
from ntm_core.checkpoints.containers.wording import shown
from ntm_core.errors import CheckpointError

MAGIC = 0x1950A86A20F9469CFC6C

_PROTOCOL = 1001
_COUNT_BYTES = 8


def read_torch_legacy(data: bytes, first: Pickle, limits: ContainerLimits) -> Container:
    """The content of a legacy file whose first pickle, the magic number, has been read."""
    version = read_pickle(data, first.end, limits.max_operations)
    if version.value != _PROTOCOL:
        raise CheckpointError(f"the legacy torch file is of another version than {_PROTOCOL}, which is the only one")
    system = read_pickle(data, version.end, limits.max_operations)
    if not isinstance(system.value, dict) or system.value.get("little_endian") is not True:
        raise CheckpointError("the legacy torch file does not say that it was written on a little-endian machine")
    references = TorchReferences(limits)
    pickle = read_pickle(data, system.end, limits.max_operations, references.load)
    keys = read_pickle(data, pickle.end, limits.max_operations)
    _fill(references, keys.value, memoryview(data)[keys.end :])
    return torch_container("torch_legacy", pickle, references, limits)


def _fill(references: TorchReferences, keys: object, data: memoryview) -> None:
    """Give every storage its bytes, in the order of the keys."""
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise CheckpointError("the legacy torch file does not list its storages")
    if len(set(keys)) != len(keys) or set(keys) != references.storages.keys():
        raise CheckpointError(
            f"the legacy torch file lists {len(keys)} storages: not the {len(references.storages)} that it uses"
        )
    position = 0
    for key in keys:
        storage = references.storages[key]
        count = int.from_bytes(data[position : position + _COUNT_BYTES], "little")
        start = position + _COUNT_BYTES
        position = start + storage.count * STORED[storage.dtype].itemsize
        if count != storage.count or position > len(data):
            raise CheckpointError(
                f"storage {shown(key)} should hold {storage.count} {storage.dtype} numbers, "
                f"but it says {count} and {max(len(data) - start, 0)} bytes are left"
            )
        storage.data = data[start:position]
    if position != len(data):
        raise CheckpointError(f"{len(data) - position} bytes follow the last storage: a legacy torch file ends there")
