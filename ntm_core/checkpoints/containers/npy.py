"""The container `.npy`: a short text header, then either numbers or, for an array of objects, one pickle."""

import re

from ntm_core.checkpoints.containers.container import Container, ContainerLimits, Notes
from ntm_core.checkpoints.containers.pickle_names import NUMPY_DTYPES, OBJECT_CODES
from ntm_core.checkpoints.containers.pickled import PickledArray, PickledDtype
from ntm_core.checkpoints.containers.pickles import read_pickle
from ntm_core.checkpoints.containers.roots import unfold
from ntm_core.checkpoints.containers.wording import shown
from ntm_core.errors import CheckpointError

MAGIC = b"\x93NUMPY"
MAX_HEADER_BYTES = 10_000

_LENGTH_BYTES = {1: 2, 2: 4, 3: 4}
_HEADER = re.compile(
    r"\{'descr': '([<>|=]?)(\w{1,4})', 'fortran_order': (True|False), "
    r"'shape': \((|\d{1,18}L?(?:, \d{1,18}L?){0,7},?)\), ?\} *\n?",
    re.ASCII,
)
"""What numpy writes, and nothing else that Python would take for a dict."""


def read_npy(data: bytes, limits: ContainerLimits) -> Container:
    """The content of a `.npy` file: its root is an array, or a list if it is an array of objects."""
    root, stored_dtypes, classes, unread = unfold(npy_value(data, limits), limits)
    return Container("npy", root, Notes(stored_dtypes=stored_dtypes, classes=classes, unread=unread))


def npy_value(data: bytes, limits: ContainerLimits) -> PickledArray:
    """The array of a `.npy` file, before it is unfolded; CheckpointError if the file is damaged."""
    order, code, fortran_order, shape, start = _header(data)
    if code in OBJECT_CODES:
        pickle = read_pickle(data, start, limits.max_operations)
        if pickle.end != len(data):
            raise CheckpointError(f"{len(data) - pickle.end} bytes follow the pickle: a .npy file ends there")
        array = pickle.value
        if not isinstance(array, PickledArray) or array.shape != shape or not isinstance(array.content, list):
            raise CheckpointError(f"the .npy file says that it holds objects of shape {shape}, but its pickle does not")
        return array
    if code not in NUMPY_DTYPES:
        raise CheckpointError(f"the .npy file holds an array of type {shown(order + code)}, which is not read")
    return PickledArray(shape, PickledDtype(code, order == ">"), fortran_order, data[start:])


def _header(data: bytes) -> tuple[str, str, bool, tuple[int, ...], int]:
    """(byte order, type code, whether in Fortran's order, shape, where the content starts)."""
    version = data[len(MAGIC)] if len(data) > len(MAGIC) else 0
    if version not in _LENGTH_BYTES:
        raise CheckpointError(f"the .npy file is of version {version}: versions 1 to 3 are read")
    start = len(MAGIC) + 2 + _LENGTH_BYTES[version]
    length = int.from_bytes(data[len(MAGIC) + 2 : start], "little")
    if length > min(MAX_HEADER_BYTES, len(data) - start):
        raise CheckpointError(f"the .npy file says that its header has {length} bytes: it has not, or too many")
    header = data[start : start + length].decode("latin-1")
    match = _HEADER.fullmatch(header)
    if match is None:
        raise CheckpointError(f"the .npy file has the header {shown(header)}, which numpy does not write")
    order, code, fortran_order, sizes = match.groups()
    shape = tuple(int(size) for size in re.findall(r"\d+", sizes))
    return order, code, fortran_order == "True", shape, start + length
