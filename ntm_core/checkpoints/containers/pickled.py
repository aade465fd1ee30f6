"""What a pickle's instructions work on: inert stand-ins for everything that is not plain data."""

from dataclasses import dataclass
from typing import Any

from ntm_core.checkpoints.containers.wording import shown
from ntm_core.errors import CheckpointError

MAX_KEY_CHARACTERS = 256
MAX_KEY_PARTS = 8

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


@dataclass(frozen=True, eq=False)
class PickledUnread:
    """A value that is not read, whatever the file goes on to say of it; `what` it is, in words."""

    what: str


@dataclass(eq=False)
class PickledDtype:
    """A numpy dtype: a code such as "f8", its byte order, and whether it is a structure of others."""

    code: str
    big_endian: bool = False
    is_structure: bool = False


@dataclass(eq=False)
class PickledArray:
    """A numpy array; empty until the file has given its state.

    `content` is its bytes, as such or as latin-1 text, or a list of values if the array holds objects. It is kept as it
    is, for a pickle may use the same long value for many arrays. With `axes`, it is an array of `shape` and its axes in
    that order are those of this one.
    """

    shape: tuple[int, ...] = ()
    dtype: PickledDtype | None = None
    fortran_order: bool = False
    content: bytes | str | list[Any] = b""
    axes: tuple[int, ...] | None = None


def add_item(target: dict[str | int, Any], key: Any, value: Any) -> None:
    """Put an item into a dict; CheckpointError unless the key is new, and short text or a 64-bit integer.

    Other numbers, None, and short tuples of all these become their text; any other key that Python allows says which
    item of the dict it is.
    """
    if type(key) in (list, dict):
        raise CheckpointError(f"a dict of the file has a key of type {type(key).__name__}: Python allows none")
    if type(key) not in (str, int):
        key = repr(key) if _is_plain(key) else f"<{len(target)}>"
    if len(key) > MAX_KEY_CHARACTERS if isinstance(key, str) else not -_KEY_BOUND <= key < _KEY_BOUND:
        raise CheckpointError(
            f"a dict of the file has the key {shown(str(key))}: "
            f"the limits are {MAX_KEY_CHARACTERS} characters and 64 bits"
        )
    if key in target:
        raise CheckpointError(f"a dict of the file has the key {shown(str(key))} twice")
    target[key] = value


def _is_plain(key: Any) -> bool:
    """Whether the text of a key that is neither text nor an integer says all of it, at little cost."""
    parts = key if isinstance(key, tuple) else (key,)
    return len(parts) <= MAX_KEY_PARTS and all(
        part is None or type(part) in (bool, int, float) or (isinstance(part, str) and len(part) <= MAX_KEY_CHARACTERS)
        for part in parts
    )
