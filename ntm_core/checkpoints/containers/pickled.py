"""What a pickle's instructions work on: inert stand-ins for everything that is not plain data."""

from dataclasses import dataclass
from typing import Any

from ntm_core.checkpoints.containers.wording import shown
from ntm_core.errors import CheckpointError

MAX_KEY_CHARACTERS = 256

_KEY_BOUND = 1 << 63


@dataclass(frozen=True)
class Global:
    """The name of a class or function, `module.name`; it is never looked up."""

    name: str


@dataclass(frozen=True, eq=False)
class PickledSet:
    """A set; its elements in the order of the file."""

    elements: list[Any]


@dataclass(eq=False)
class PickledInstance:
    """An instance of a class that stays a name; `state` is None until the file has given it."""

    class_name: str
    state: dict[str | int, Any] | None = None


@dataclass(eq=False)
class PickledDtype:
    """A numpy dtype: a code such as "f8", and its byte order."""

    code: str
    big_endian: bool = False


@dataclass(eq=False)
class PickledArray:
    """A numpy array; empty until the file has given its state.

    `content` is its bytes, as such or as latin-1 text, or a list of values if the array holds objects. It is kept as it
    is, for a pickle may use the same long value for many arrays.
    """

    shape: tuple[int, ...] = ()
    dtype: PickledDtype | None = None
    fortran_order: bool = False
    content: bytes | str | list[Any] = b""


def add_item(target: dict[str | int, Any], key: Any, value: Any) -> None:
    """Put an item into a dict; CheckpointError unless the key is new, and short text or a 64-bit integer."""
    if type(key) not in (str, int):
        raise CheckpointError(f"a dict of the file has a key of type {type(key).__name__}: only str and int are read")
    if len(key) > MAX_KEY_CHARACTERS if isinstance(key, str) else not -_KEY_BOUND <= key < _KEY_BOUND:
        raise CheckpointError(
            f"a dict of the file has the key {shown(str(key))}: "
            f"the limits are {MAX_KEY_CHARACTERS} characters and 64 bits"
        )
    if key in target:
        raise CheckpointError(f"a dict of the file has the key {shown(str(key))} twice")
    target[key] = value
