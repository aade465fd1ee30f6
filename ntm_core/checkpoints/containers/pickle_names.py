"""The names that a pickle may use, and what each means here: the allow-list of the pickle machine.

A name is one of five things:

* a function of `_CALLS`, carried out by a function of ours that takes data to data;
* a word: a storage class, `numpy.ndarray`, a dtype, a function of `torch.nn.functional`. It may be named, never called;
* the class of a module, of which an instance may be made without arguments and be given its fields. Any class outside
  the standard library, torch and numpy may be one, for every program names its modules as it likes; `roots` leaves an
  instance unread that does not have the fields of a `torch.nn.Module`;
* a class whose instances are left unread, however they are made: any of those, and some of the standard library, torch
  and numpy that lie beside models, such as dates, paths and the states of generators of random numbers;
* anything else, which is refused by name.

Nothing here may take time or memory in proportion to a value that a pickle can use again at no cost: values are
passed on as they are, and read once, later and within bounds.
"""

import re
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from ntm_core.checkpoints.containers.dtypes import STORED
from ntm_core.checkpoints.containers.pickled import (
    Global,
    PickledArray,
    PickledDtype,
    PickledInstance,
    PickledSet,
    PickledUnread,
    add_item,
)
from ntm_core.checkpoints.containers.storages import MAX_DIMENSIONS, Storage, View
from ntm_core.checkpoints.containers.wording import shown
from ntm_core.errors import CheckpointError

MAX_NAME_CHARACTERS = 256

STORAGE_DTYPES: Mapping[str, str] = MappingProxyType(
    {
        f"{package}.{class_}Storage": dtype
        for package in ("torch", "torch.cuda")
        for class_, dtype in {
            "Double": "float64",
            "Float": "float32",
            "Half": "float16",
            "BFloat16": "bfloat16",
            "Long": "int64",
            "Int": "int32",
            "Short": "int16",
            "Char": "int8",
            "Byte": "uint8",
            "Bool": "bool",
        }.items()
    }
)
"""The storage classes of torch that are read, with the type of their numbers."""

NUMPY_DTYPES: Mapping[str, str] = MappingProxyType(
    {("b1" if name == "bool" else dtype.str[1:]): name for name, dtype in STORED.items() if name != "bfloat16"}
)
"""The codes of the numpy types that are read, with the name of each in `STORED`."""

OBJECT_CODES = frozenset({"O", "O8", "O4"})
_DTYPE_CODE = re.compile(r"[?a-zA-Z]\w{0,15}", re.ASCII)

_RENAMED = (("__builtin__.", "builtins."), ("numpy._core.", "numpy.core."))
_WORD_PREFIXES = ("torch.nn.functional.",)
_WORDS = frozenset({"torch.nn.backends.thnn._get_thnn_function_backend"})
_CLASS_PREFIXES = ("torch.nn.modules.", "torch.nn.parallel.")
_RECORD_CLASSES = frozenset({"argparse.Namespace"})
_UNREAD_PREFIXES = (
    "numpy.random.",
    "pathlib._local.",
    "torch.amp.grad_scaler.",
    "torch.cuda.amp.grad_scaler.",
    "torch.optim.",
    "torch.utils.data.",
)
_UNREAD_CLASSES = frozenset(
    {
        *(f"builtins.{name}" for name in ("bool", "complex", "dict", "float", "int", "list", "range", "slice", "str")),
        *(f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")),
        *(f"pathlib.{name}Path" for name in ("", "Posix", "PurePosix", "PureWindows", "Windows")),
        *("decimal.Decimal", "fractions.Fraction", "types.SimpleNamespace", "uuid.UUID"),
        "torch.torch_version.TorchVersion",
    }
)
_OWN_NAMES_ONLY = frozenset({*sys.stdlib_module_names, "__builtin__", "copy_reg", "cPickle", "torch", "numpy"})
"""Packages whose names must be in the tables: any other may hold the class of a module."""


def check_name(module: str, name: str) -> str:
    """The full name, with Python 2's and numpy 1's names made today's; CheckpointError if it is not allowed."""
    if len(module) + len(name) > MAX_NAME_CHARACTERS:
        raise CheckpointError(f"the file asks for the global {shown(module)}, {shown(name)}, whose name is too long")
    full = f"{module}.{name}"
    for old, new in _RENAMED:
        if full.startswith(old):
            full = new + full.removeprefix(old)
    is_attribute = any(part.startswith("__") and part.endswith("__") for part in name.split("."))
    if is_attribute or not all(part.isidentifier() for part in full.split(".")) or not _is_known(full):
        raise CheckpointError(f"the file asks for the global {shown(full)}, which is not allowed")
    return full


def is_word(name: str) -> bool:
    """Whether a name may stand in the root by itself."""
    return name in _WORDS or name.startswith(_WORD_PREFIXES) or name.removeprefix("torch.") in STORED


def is_module_class(name: str) -> bool:
    """Whether a name may be the class of a module."""
    return name.startswith(_CLASS_PREFIXES) or _is_own_class(name)


def _is_own_class(name: str) -> bool:
    """Whether a name may be that of some program's own class."""
    return name.partition(".")[0] not in _OWN_NAMES_ONLY


def _is_left_unread(name: str) -> bool:
    """Whether a name may be a class whose instances are left unread."""
    return _is_own_class(name) or name in _UNREAD_CLASSES or name.startswith(_UNREAD_PREFIXES)


def is_record_class(name: str) -> bool:
    """Whether an instance of this class is read although it is no module."""
    return name in _RECORD_CLASSES


def _is_known(name: str) -> bool:
    tables = (_CALLS, STORAGE_DTYPES, _RECORD_CLASSES, {"numpy.ndarray"})
    return any(name in table for table in tables) or is_word(name) or is_module_class(name) or _is_left_unread(name)


def reduce(name: str, arguments: tuple[Any, ...]) -> Any:
    """What calling the function `name` stands for; CheckpointError if it may not be called, or not so."""
    call = _CALLS.get(name)
    if call is not None:
        return call(name, arguments)
    if _is_left_unread(name):
        return PickledUnread(f"an instance of {shown(name)}")
    raise CheckpointError(f"the file asks to call {shown(name)}, which is not allowed")


def instantiate(name: str, arguments: tuple[Any, ...]) -> PickledInstance | PickledUnread:
    """An instance of a class, still without fields; CheckpointError if the class may not have one, or not so."""
    if not arguments and (is_module_class(name) or is_record_class(name)):
        return PickledInstance(name)
    if _is_left_unread(name):
        return PickledUnread(f"an instance of {shown(name)}")
    raise CheckpointError(
        f"the file asks for an instance of {shown(name)} made with {len(arguments)} arguments, which is not allowed"
    )


def build(target: Any, state: Any) -> None:
    """Give an object of the file its state; CheckpointError if it takes none, or not this one."""
    if isinstance(target, dict) and isinstance(state, dict) and state.keys() == {"_metadata"}:
        return  # a state dict's own note of the versions of its modules
    if isinstance(target, View) and isinstance(state, tuple):
        return  # what torch 0.3 knew of a parameter's gradient
    if isinstance(target, PickledUnread) or (isinstance(target, PickledInstance) and not isinstance(state, dict)):
        return
    if isinstance(target, PickledInstance) and target.state is None and isinstance(state, dict):
        target.state = state
    elif isinstance(target, PickledDtype) and isinstance(state, tuple):
        _build_dtype(target, state)
    elif isinstance(target, PickledArray) and target.dtype is None and isinstance(state, tuple):
        _build_array(target, state)
    else:
        raise CheckpointError(f"the file gives {_described(target)} a {type(state).__name__} as its state: not allowed")


def _described(target: Any) -> str:
    if isinstance(target, PickledInstance):
        return f"an instance of {shown(target.class_name)}"
    return f"a {type(target).__name__}"


def _refusal(name: str, arguments: tuple[Any, ...]) -> CheckpointError:
    kinds = ", ".join(type(argument).__name__ for argument in arguments[:8])
    return CheckpointError(f"the file calls {shown(name)} with {len(arguments)} arguments ({kinds}): not as expected")


def _is_sizes(value: Any) -> bool:
    """Whether a value is a tuple of integers, one a dimension."""
    return isinstance(value, tuple) and len(value) <= MAX_DIMENSIONS and all(type(size) is int for size in value)


# --- torch --------------------------------------------------------------------------------------------------------


def _tensor(name: str, arguments: tuple[Any, ...]) -> View:
    """(storage, offset, sizes, strides), and from torch 0.4 on (…, requires_grad, hooks, metadata)."""
    most = 4 if name.endswith("_rebuild_tensor") else 7
    if not 4 <= len(arguments) <= most or (len(arguments) == 7 and arguments[6]):
        raise _refusal(name, arguments)
    storage, offset, sizes, strides = arguments[:4]
    if not isinstance(storage, Storage) or type(offset) is not int or not (_is_sizes(sizes) and _is_sizes(strides)):
        raise _refusal(name, arguments)
    return View(storage, offset, sizes, strides)


def _parameter(name: str, arguments: tuple[Any, ...]) -> View:
    """(tensor, …): what else a parameter has concerns its gradient."""
    if not 1 <= len(arguments) <= 4 or not isinstance(arguments[0], View):
        raise _refusal(name, arguments)
    return arguments[0]


def _size(name: str, arguments: tuple[Any, ...]) -> tuple[int, ...]:
    if len(arguments) != 1 or not _is_sizes(arguments[0]):
        raise _refusal(name, arguments)
    return arguments[0]


def _device(name: str, arguments: tuple[Any, ...]) -> str:
    if not 1 <= len(arguments) <= 2 or not isinstance(arguments[0], str):
        raise _refusal(name, arguments)
    return arguments[0]


def _backend(name: str, arguments: tuple[Any, ...]) -> Global:
    if arguments:
        raise _refusal(name, arguments)
    return Global(name)


# --- Python -------------------------------------------------------------------------------------------------------


def _ordered_dict(name: str, arguments: tuple[Any, ...]) -> dict[str | int, Any]:
    """Empty, or filled from the one list of pairs that Python 2 wrote for it and for nothing else: it is used up."""
    items: dict[str | int, Any] = {}
    if not arguments:
        return items
    if len(arguments) != 1 or not isinstance(arguments[0], list):
        raise _refusal(name, arguments)
    pairs = arguments[0][:]
    arguments[0].clear()
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise _refusal(name, arguments)
        add_item(items, *pair)
    return items


def _counter(name: str, arguments: tuple[Any, ...]) -> dict[str | int, Any]:
    if len(arguments) > 1 or not all(isinstance(argument, dict) for argument in arguments):
        raise _refusal(name, arguments)
    return arguments[0] if arguments else {}


def _default_dict(name: str, arguments: tuple[Any, ...]) -> dict[str | int, Any]:
    """Empty; what it makes of a key that is not there is of no use here."""
    if len(arguments) > 1 or not all(isinstance(argument, Global | None) for argument in arguments):
        raise _refusal(name, arguments)
    return {}


def _deque(name: str, arguments: tuple[Any, ...]) -> list[Any]:
    """Empty, and as long as it gets."""
    if len(arguments) > 2 or (arguments and arguments[0] not in ((), [])):
        raise _refusal(name, arguments)
    return []


def _set(name: str, arguments: tuple[Any, ...]) -> PickledSet:
    if len(arguments) != 1 or not isinstance(arguments[0], list):
        raise _refusal(name, arguments)
    return PickledSet(arguments[0])


def _encoded(name: str, arguments: tuple[Any, ...]) -> str:
    """Bytes as Python 3 writes them for Python 2: they stay text here, one character a byte."""
    if len(arguments) != 2 or not isinstance(arguments[0], str) or arguments[1] not in ("latin1", "latin-1"):
        raise _refusal(name, arguments)
    return arguments[0]


def _no_bytes(name: str, arguments: tuple[Any, ...]) -> bytes:
    if arguments:
        raise _refusal(name, arguments)
    return b""


# --- numpy --------------------------------------------------------------------------------------------------------


def _array(name: str, arguments: tuple[Any, ...]) -> PickledArray:
    if len(arguments) != 3 or arguments[0] != Global("numpy.ndarray"):
        raise _refusal(name, arguments)
    return PickledArray()


def _filled_array(name: str, arguments: tuple[Any, ...]) -> PickledArray:
    """(content, dtype, shape, order, axes): an array as protocol 5 writes it, since numpy 2.3 in any order."""
    if len(arguments) not in (4, 5) or arguments[3] not in (("C", "F") if len(arguments) == 4 else ("C", "F", "K")):
        raise _refusal(name, arguments)
    content, dtype, shape, order, axes = (*arguments, None)[:5]
    if not isinstance(content, bytes) or not isinstance(dtype, PickledDtype) or not _is_sizes(shape):
        raise _refusal(name, arguments)
    if dtype.code in OBJECT_CODES:
        raise _refusal(name, arguments)
    if order != "K":
        return PickledArray(shape, dtype, order == "F", content)
    if not _is_sizes(axes) or sorted(axes) != list(range(len(shape))):
        raise _refusal(name, arguments)
    return PickledArray(shape, dtype, content=content, axes=axes)


def _dtype(name: str, arguments: tuple[Any, ...]) -> PickledDtype:
    if not 1 <= len(arguments) <= 3 or not isinstance(arguments[0], str) or not _DTYPE_CODE.fullmatch(arguments[0]):
        raise _refusal(name, arguments)
    return PickledDtype(arguments[0])


def _scalar(name: str, arguments: tuple[Any, ...]) -> bool | int | float | PickledUnread:
    if len(arguments) != 2 or not isinstance(arguments[0], PickledDtype) or not isinstance(arguments[1], bytes | str):
        raise _refusal(name, arguments)
    dtype, content = arguments
    stored = NUMPY_DTYPES.get(dtype.code)
    if stored is None or dtype.is_structure:
        return PickledUnread(f"a number of numpy's type {shown(dtype.code)}")
    if len(content) != STORED[stored].itemsize:
        raise _refusal(name, arguments)
    number = np.frombuffer(raw_bytes(content), STORED[stored].newbyteorder(">") if dtype.big_endian else STORED[stored])
    return bool(number[0]) if stored == "bool" else number[0].item()


def raw_bytes(content: bytes | str) -> bytes:
    """The bytes of a numpy value; CheckpointError if it is text with characters that are not bytes."""
    try:
        return content.encode("latin-1") if isinstance(content, str) else content
    except UnicodeEncodeError:
        raise CheckpointError("the file holds a numpy array whose bytes are text that is not latin-1") from None


def _build_dtype(target: PickledDtype, state: tuple[Any, ...]) -> None:
    """(version, byte order, sub-array, field names, fields, size, alignment, flags, …)."""
    if len(state) not in (8, 9) or state[1] not in ("<", ">", "=", "|"):
        raise CheckpointError(f"the file describes the numpy type {shown(target.code)} in an unknown way")
    target.is_structure = any(part is not None for part in state[2:5])
    target.big_endian = state[1] == ">"


def _build_array(target: PickledArray, state: tuple[Any, ...]) -> None:
    """(version, shape, dtype, whether in Fortran's order, content)."""
    if len(state) != 5:
        raise CheckpointError(f"the file describes a numpy array by {len(state)} values, not by 5")
    _, shape, dtype, fortran_order, content = state
    if (
        not _is_sizes(shape)
        or not isinstance(dtype, PickledDtype)
        or not isinstance(fortran_order, bool | int)
        or not isinstance(content, list if dtype.code in OBJECT_CODES else bytes | str)
    ):
        raise CheckpointError("the file describes a numpy array by values of the wrong types")
    target.shape, target.dtype, target.fortran_order, target.content = shape, dtype, bool(fortran_order), content


_CALLS: Mapping[str, Callable[[str, tuple[Any, ...]], Any]] = MappingProxyType(
    {
        "torch._utils._rebuild_tensor": _tensor,
        "torch._utils._rebuild_tensor_v2": _tensor,
        "torch._utils._rebuild_parameter": _parameter,
        "torch._utils._rebuild_parameter_with_state": _parameter,
        "torch.nn.parameter.Parameter": _parameter,
        "torch.autograd.variable.Variable": _parameter,
        "torch.Size": _size,
        "torch.device": _device,
        "torch.nn.backends.thnn._get_thnn_function_backend": _backend,
        "collections.Counter": _counter,
        "collections.OrderedDict": _ordered_dict,
        "collections.defaultdict": _default_dict,
        "collections.deque": _deque,
        "builtins.set": _set,
        "builtins.frozenset": _set,
        "builtins.bytes": _no_bytes,
        "_codecs.encode": _encoded,
        "numpy.core.multiarray._reconstruct": _array,
        "numpy.core.multiarray.scalar": _scalar,
        "numpy.core.numeric._frombuffer": _filled_array,
        "numpy.dtype": _dtype,
    }
)
"""The functions that a pickle may call."""
