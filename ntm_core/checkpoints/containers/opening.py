"""Which container a file is, told from its content alone, and the reader for it."""

from ntm_core.checkpoints.containers.container import Container, ContainerLimits, Notes
from ntm_core.checkpoints.containers.json_array import read_json_array
from ntm_core.checkpoints.containers.npy import MAGIC as NPY_MAGIC
from ntm_core.checkpoints.containers.npy import read_npy
from ntm_core.checkpoints.containers.npz import is_npz, read_npz
from ntm_core.checkpoints.containers.pickles import read_pickle
from ntm_core.checkpoints.containers.roots import unfold
from ntm_core.checkpoints.containers.safetensors_file import is_safetensors, read_safetensors
from ntm_core.checkpoints.containers.torch_legacy import MAGIC as LEGACY_MAGIC
from ntm_core.checkpoints.containers.torch_legacy import read_torch_legacy
from ntm_core.checkpoints.containers.torch_zip import read_torch_zip
from ntm_core.checkpoints.containers.zip_members import zip_members
from ntm_core.errors import CheckpointError

_TAR_MARK = slice(257, 262)
_ELSEWHERE = (
    (b"\x1f\x8b", "it is compressed with gzip: unpack it first"),
    (b"\xfd7zXZ", "it is compressed with xz: unpack it first"),
    (b"BZh", "it is compressed with bzip2: unpack it first"),
    (b"7z\xbc\xaf", "it is a 7z archive: unpack it first"),
    (b"PK\x05\x06", "it is an empty zip archive"),
    (b"\x89HDF", "it is an HDF5 file, which is not read: save the weights with numpy or safetensors"),
    (b"{", "it is a JSON object: of JSON, one flat array of numbers is read"),
    (b"version https://git-lfs", "it only stands for a large file: fetch that with git lfs"),
    (b"<", "it is a web page or XML, not the file that a link on it would give"),
)
_KINDS = "safetensors, torch (zip or legacy), .npy, .npz, pickles of numpy arrays and a flat JSON array"


def open_container(data: bytes, limits: ContainerLimits | None = None) -> Container:
    """The content of a file as inert data; its name does not matter, and no code in it is run.

    CheckpointError says what the file is if it is none that can be read, or what is wrong with it.
    """
    limits = limits or ContainerLimits()
    if len(data) > limits.max_bytes:
        raise CheckpointError(f"the file has {len(data)} bytes, more than the limit of {limits.max_bytes}")
    if is_safetensors(data):
        return read_safetensors(data, limits)
    if data.startswith(b"PK\x03\x04"):
        archive = zip_members(data, limits)
        return read_npz(archive, limits) if is_npz(archive) else read_torch_zip(archive, limits)
    if data.startswith(NPY_MAGIC):
        return read_npy(data, limits)
    if data.startswith(b"\x80"):
        return _read_pickles(data, limits)
    if data[:64].lstrip().startswith(b"["):
        return read_json_array(data, limits)
    raise CheckpointError(f"this file cannot be opened: {_what_else(data)}. What can be: {_KINDS}")


def _read_pickles(data: bytes, limits: ContainerLimits) -> Container:
    """The content of a file that starts with a pickle: a legacy file of torch if that is its magic number."""
    first = read_pickle(data, 0, limits.max_operations)
    if first.value == LEGACY_MAGIC:
        return read_torch_legacy(data, first, limits)
    if first.end != len(data):
        raise CheckpointError(f"{len(data) - first.end} bytes follow the pickle: a file with one pickle ends there")
    root, stored_dtypes, classes, unread = unfold(first.value, limits)
    return Container("pickle", root, Notes(stored_dtypes=stored_dtypes, classes=classes, unread=unread))


def _what_else(data: bytes) -> str:
    """What a file is that cannot be opened."""
    if not data:
        return "it is empty"
    if data[_TAR_MARK] == b"ustar":
        return "it is a tar archive, as torch wrote them before 0.1.10: load it with an old torch and save it again"
    return next((what for start, what in _ELSEWHERE if data.startswith(start)), "its first bytes are unknown")
