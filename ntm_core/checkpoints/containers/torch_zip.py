"""The container of torch since 1.6: a zip archive of one pickle and one member for each storage."""

from collections.abc import Mapping

from ntm_core.checkpoints.containers.container import Container, ContainerLimits
from ntm_core.checkpoints.containers.dtypes import STORED
from ntm_core.checkpoints.containers.pickles import read_pickle
from ntm_core.checkpoints.containers.torch_pickles import TorchReferences, torch_container
from ntm_core.checkpoints.containers.wording import shown
from ntm_core.errors import CheckpointError

_PICKLE = "data.pkl"


def read_torch_zip(archive: Mapping[str, memoryview], limits: ContainerLimits) -> Container:
    """The content of a zip archive that torch wrote, from its members; CheckpointError says what else it is."""
    members = _in_folder(archive)
    if "constants.pkl" in members or any(name.startswith("code/") for name in members):
        raise CheckpointError("this is a TorchScript archive, which holds a program: save the module's state_dict()")
    if _PICKLE not in members:
        raise CheckpointError(f"this zip archive is not a file of torch: it has no {_PICKLE}")
    if members.get("byteorder", b"little") != b"little":
        raise CheckpointError("the file was written on a big-endian machine, whose storages are not read")
    references = TorchReferences(limits)
    content = bytes(members[_PICKLE])
    pickle = read_pickle(content, 0, limits.max_operations, references.load)
    if pickle.end != len(content):
        raise CheckpointError(f"{len(content) - pickle.end} bytes follow the pickle in {_PICKLE}")
    for key, storage in references.storages.items():
        member = members.get(f"data/{key}")
        size = storage.count * STORED[storage.dtype].itemsize
        if member is None or len(member) != size:
            held = "is not there" if member is None else f"has {len(member)} bytes"
            raise CheckpointError(f"storage {shown(key)} should have {size} bytes, but member data/{shown(key)} {held}")
        storage.data = member
    return torch_container("torch_zip", pickle, references, limits)


def _in_folder(members: Mapping[str, memoryview]) -> dict[str, memoryview]:
    """The members by their names within the one folder that holds them all."""
    folders = {name.partition("/")[0] for name in members}
    if len(folders) != 1 or not all("/" in name for name in members):
        raise CheckpointError(f"this zip archive is not a file of torch: it has {len(folders)} top-level names, not 1")
    return {name.partition("/")[2]: content for name, content in members.items()}
