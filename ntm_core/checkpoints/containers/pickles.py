"""A pickle read as data: a small machine of its own, in which nothing can be called.

Python's own unpickler, even a restricted subclass of it, works by importing what a file names and calling it: what is
safe then depends on every object within reach and on the version of Python. It also allocates what a file declares (a
memo of 2**32 places, bytes of 2**40) before it looks whether that much is there. So it is not used. The machine below
is inert because of what it does not contain:

* No import, no attribute look-up, no call of a value. A GLOBAL only makes a `Global`, a name. REDUCE, NEWOBJ and BUILD
  look the name up in the table of `pickle_names`, whose functions are ours and take data to data.
* An allow-list of the binary instructions that Python writes for data since protocol 2. Any other instruction ends the
  reading: persistent ids as text, INST and OBJ, extension registries, out-of-band buffers, the text forms of
  protocol 0.
* Every argument is cut from the bytes that are there; every instruction makes at most one small value; their number is
  bounded. So memory and time are, too. Keys of dicts are text or 64-bit integers, so no dict can be made slow.

A value may still be reached many times or contain itself: `roots` unfolds it, with bounds of its own.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from ntm_core.checkpoints.containers.pickle_names import build, check_name, instantiate, reduce
from ntm_core.checkpoints.containers.pickled import Global, PickledInstance, PickledSet, PickledUnread, add_item
from ntm_core.errors import CheckpointError

_MAX_INTEGER_BYTES = 32
"""More than the state of a generator of random numbers takes."""
_PROTOCOLS = range(2, 6)

_OF_ANY_KIND = (PickledInstance, PickledUnread)
"""Its class may have been a list or a dict, whose items are left unread."""

PersistentLoad: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True)
class Pickle:
    """What a pickle holds, before it is unfolded.

    Attributes:
        value: plain data and the stand-ins of `pickled`.
        end: where the pickle ends in the bytes that it was read from.
        called: the names of all functions and classes that it asks to be called.
        has_metadata: whether a dict of it is given an attribute `_metadata`.
    """

    value: Any
    end: int
    called: frozenset[str]
    has_metadata: bool


def read_pickle(data: bytes, start: int, max_operations: int, persistent_load: PersistentLoad | None = None) -> Pickle:
    """The pickle that begins at `start`; CheckpointError if it is damaged or asks for anything but data.

    `persistent_load` takes the persistent ids of the pickle, which are plain data, to values.
    """
    machine = _Machine(data, start, persistent_load)
    try:
        value = machine.run(max_operations)
    except IndexError:
        raise CheckpointError(f"the pickle takes a value from an empty stack at byte {machine.position}") from None
    return Pickle(value, machine.position, frozenset(machine.called), machine.has_metadata)


@dataclass
class _Machine:
    data: bytes
    position: int
    persistent_load: PersistentLoad | None
    stack: list[Any] = field(default_factory=list)
    marks: list[list[Any]] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    has_metadata: bool = False

    def run(self, max_operations: int) -> Any:
        for _ in range(max_operations):
            code = self.take(1)
            if code == b".":
                return self.stack.pop()
            operation = _OPERATIONS.get(code)
            if operation is None:
                name = _REFUSED.get(code, f"0x{code.hex()}")
                raise CheckpointError(f"the pickle has the instruction {name} at byte {self.position - 1}: not allowed")
            operation(self)
        raise CheckpointError(f"the pickle has more than {max_operations} instructions: that is the limit")

    def take(self, size: int) -> bytes:
        """The next bytes."""
        start, self.position = self.position, self.position + size
        if self.position > len(self.data):
            raise CheckpointError(f"the pickle is cut off: {size} bytes should follow byte {start}")
        return self.data[start : self.position]

    def number(self, layout: str) -> Any:
        """The next number, in a layout of `struct`."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def line(self) -> bytes:
        """The bytes up to the end of the line."""
        end = self.data.find(b"\n", self.position)
        if end < 0:
            raise CheckpointError(f"the pickle is cut off: a line should follow byte {self.position}")
        line = self.data[self.position : end]
        self.position = end + 1
        return line

    def above_mark(self) -> list[Any]:
        """The values above the last mark, taken off the stack together with the mark."""
        above, self.stack = self.stack, self.marks.pop()
        return above

    def text(self, size: int) -> str:
        start = self.position
        return _decode(self.take(size), start)


def _decode(raw: bytes, start: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise CheckpointError(f"the pickle holds text at byte {start} that is not UTF-8") from None


# --- what the instructions do -------------------------------------------------------------------------------------


def _protocol(machine: _Machine) -> None:
    protocol = machine.number("<B")
    if protocol not in _PROTOCOLS:
        raise CheckpointError(f"the pickle is of protocol {protocol}: protocols 2 to 5 are read")


def _frame(machine: _Machine) -> None:
    machine.take(8)


def _mark(machine: _Machine) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _pop(machine: _Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.above_mark()


def _pop_mark(machine: _Machine) -> None:
    machine.above_mark()


def _integer(machine: _Machine) -> None:
    size = machine.number("<B")
    if size > _MAX_INTEGER_BYTES:
        raise CheckpointError(f"the pickle holds an integer of {size} bytes: the limit is {_MAX_INTEGER_BYTES}")
    machine.stack.append(int.from_bytes(machine.take(size), "little", signed=True))


def _number(layout: str) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.number(layout))


def _constant(value: Any) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(value)


def _empty(make: type[list[Any]] | type[dict[Any, Any]]) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(make())


def _text(layout: str) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.text(machine.number(layout)))


def _bytes(layout: str) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.take(machine.number(layout)))


def _old_text(layout: str) -> Callable[[_Machine], None]:
    """Python 2 wrote text and bytes alike: latin-1 keeps both."""

    def operation(machine: _Machine) -> None:
        size = machine.number(layout)
        if size < 0:
            raise CheckpointError(f"the pickle holds text of {size} bytes at byte {machine.position}")
        machine.stack.append(machine.take(size).decode("latin-1"))

    return operation


def _tuple(machine: _Machine) -> None:
    items = tuple(machine.above_mark())
    machine.stack.append(items)


def _short_tuple(size: int) -> Callable[[_Machine], None]:
    def operation(machine: _Machine) -> None:
        items = [machine.stack.pop() for _ in range(size)]
        machine.stack.append(tuple(reversed(items)))

    return operation


def _append(machine: _Machine) -> None:
    value = machine.stack.pop()
    _extend(machine, [value])


def _appends(machine: _Machine) -> None:
    values = machine.above_mark()
    _extend(machine, values)


def _extend(machine: _Machine, values: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, list):
        target.extend(values)
    elif not isinstance(target, _OF_ANY_KIND):
        raise CheckpointError(f"the pickle appends to something that is not a list at byte {machine.position}")


def _empty_set(machine: _Machine) -> None:
    machine.stack.append(PickledSet([]))


def _add_items(machine: _Machine) -> None:
    values = machine.above_mark()
    target = machine.stack[-1]
    if not isinstance(target, PickledSet):
        raise CheckpointError(f"the pickle adds to something that is not a set at byte {machine.position}")
    target.elements.extend(values)


def _frozenset(machine: _Machine) -> None:
    elements = machine.above_mark()
    machine.stack.append(PickledSet(elements))


def _set_item(machine: _Machine) -> None:
    value = machine.stack.pop()
    key = machine.stack.pop()
    _set_items_of(machine, [key, value])


def _set_items(machine: _Machine) -> None:
    items = machine.above_mark()
    _set_items_of(machine, items)


def _set_items_of(machine: _Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, _OF_ANY_KIND):
        return
    if not isinstance(target, dict) or len(items) % 2:
        raise CheckpointError(f"the pickle sets items of something that is not a dict at byte {machine.position}")
    for key, value in zip(items[::2], items[1::2], strict=True):
        add_item(target, key, value)


def _put(layout: str) -> Callable[[_Machine], None]:
    def operation(machine: _Machine) -> None:
        machine.memo[machine.number(layout)] = machine.stack[-1]

    return operation


def _memoize(machine: _Machine) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _get(layout: str) -> Callable[[_Machine], None]:
    def operation(machine: _Machine) -> None:
        place = machine.number(layout)
        if place not in machine.memo:
            raise CheckpointError(f"the pickle refers to its value {place} before it is there")
        machine.stack.append(machine.memo[place])

    return operation


def _global(machine: _Machine) -> None:
    start = machine.position
    module, name = _decode(machine.line(), start), _decode(machine.line(), start)
    machine.stack.append(Global(check_name(module, name)))


def _stack_global(machine: _Machine) -> None:
    name = machine.stack.pop()
    module = machine.stack.pop()
    if not isinstance(module, str) or not isinstance(name, str):
        raise CheckpointError(f"the pickle names a global by something that is not text at byte {machine.position}")
    machine.stack.append(Global(check_name(module, name)))


def _reduce(machine: _Machine) -> None:
    arguments = machine.stack.pop()
    function = machine.stack.pop()
    if not isinstance(function, Global) or not isinstance(arguments, tuple):
        raise CheckpointError(f"the pickle calls something that is not a name at byte {machine.position}")
    machine.called.add(function.name)
    machine.stack.append(reduce(function.name, arguments))


def _new_object(machine: _Machine) -> None:
    arguments = machine.stack.pop()
    class_ = machine.stack.pop()
    if not isinstance(class_, Global) or not isinstance(arguments, tuple):
        raise CheckpointError(f"the pickle makes an object of something that is not a class at byte {machine.position}")
    machine.called.add(class_.name)
    machine.stack.append(instantiate(class_.name, arguments))


def _build(machine: _Machine) -> None:
    state = machine.stack.pop()
    target = machine.stack[-1]
    if isinstance(target, dict):
        machine.has_metadata = True
    build(target, state)


def _persistent(machine: _Machine) -> None:
    persistent_id = machine.stack.pop()
    if machine.persistent_load is None:
        raise CheckpointError("the pickle refers to data outside itself, which this kind of file does not have")
    machine.stack.append(machine.persistent_load(persistent_id))


_OPERATIONS: Mapping[bytes, Callable[[_Machine], None]] = MappingProxyType(
    {
        b"\x80": _protocol,
        b"\x95": _frame,
        b"(": _mark,
        b"0": _pop,
        b"1": _pop_mark,
        b"N": _constant(None),
        b"\x88": _constant(True),
        b"\x89": _constant(False),
        b"J": _number("<i"),  # BININT
        b"K": _number("<B"),  # BININT1
        b"M": _number("<H"),  # BININT2
        b"\x8a": _integer,  # LONG1
        b"G": _number(">d"),  # BINFLOAT
        b"T": _old_text("<i"),  # BINSTRING
        b"U": _old_text("<B"),  # SHORT_BINSTRING
        b"X": _text("<I"),  # BINUNICODE
        b"\x8c": _text("<B"),  # SHORT_BINUNICODE
        b"\x8d": _text("<Q"),  # BINUNICODE8
        b"B": _bytes("<I"),  # BINBYTES
        b"C": _bytes("<B"),  # SHORT_BINBYTES
        b"\x8e": _bytes("<Q"),  # BINBYTES8
        b"\x96": _bytes("<Q"),  # BYTEARRAY8: here nobody changes it
        b"]": _empty(list),
        b"a": _append,
        b"e": _appends,
        b")": _constant(()),
        b"t": _tuple,
        b"\x85": _short_tuple(1),
        b"\x86": _short_tuple(2),
        b"\x87": _short_tuple(3),
        b"}": _empty(dict),
        b"s": _set_item,
        b"u": _set_items,
        b"\x8f": _empty_set,
        b"\x90": _add_items,
        b"\x91": _frozenset,
        b"q": _put("<B"),  # BINPUT
        b"r": _put("<I"),  # LONG_BINPUT
        b"\x94": _memoize,
        b"h": _get("<B"),  # BINGET
        b"j": _get("<I"),  # LONG_BINGET
        b"c": _global,
        b"\x93": _stack_global,
        b"R": _reduce,
        b"\x81": _new_object,
        b"b": _build,
        b"Q": _persistent,  # BINPERSID
    }
)
"""The instructions that are carried out, by their byte; STOP ends the run."""

_REFUSED: Mapping[bytes, str] = MappingProxyType(
    {
        b"I": "INT",
        b"L": "LONG",
        b"\x8b": "LONG4",
        b"F": "FLOAT",
        b"S": "STRING",
        b"V": "UNICODE",
        b"\x97": "NEXT_BUFFER",
        b"\x98": "READONLY_BUFFER",
        b"l": "LIST",
        b"d": "DICT",
        b"2": "DUP",
        b"p": "PUT",
        b"g": "GET",
        b"\x82": "EXT1",
        b"\x83": "EXT2",
        b"\x84": "EXT4",
        b"i": "INST",
        b"o": "OBJ",
        b"\x92": "NEWOBJ_EX",
        b"P": "PERSID",
    }
)
"""The other instructions that there are: no file of data needs them."""
