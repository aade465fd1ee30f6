"""The members of a zip archive, as slices of its bytes: nothing is unpacked, nothing is written.

Only what torch and numpy write is read: members stored without compression, each in a place of its own, listed in a
directory that ends the file, in the 32-bit or the 64-bit form. So there is no bomb: no member is larger than the file.
The sizes in the directory must be those of the bytes, and the checksum of every member must be right.
"""

import struct
import zlib
from typing import NamedTuple

from ntm_core.checkpoints.containers.container import ContainerLimits
from ntm_core.checkpoints.containers.wording import shown
from ntm_core.errors import CheckpointError

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_EXTRA = struct.Struct("<2H")

_EXTRA_64 = 1
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # weak, strong, and a masked directory
_FULL_32 = 0xFFFFFFFF
_FULL = (0xFFFF, _FULL_32, _FULL_32)
"""What the count, the size and the start of a directory say where only the 64-bit form can tell."""


class _Entry(NamedTuple):
    """What the directory says about a member."""

    name: str
    checksum: int
    size: int
    start: int


def zip_members(data: bytes, limits: ContainerLimits) -> dict[str, memoryview]:
    """The content of each member by name; CheckpointError if the archive is damaged, or not as torch writes it."""
    count, size, start = _directory(data)
    if count > limits.max_tensors:
        raise CheckpointError(f"the archive has {count} members: the limit is {limits.max_tensors}")
    end = start + size
    if end > len(data) - _END.size:
        raise CheckpointError(f"the archive's directory should end at byte {end} of a file of {len(data)} bytes")
    entries: dict[str, _Entry] = {}
    position = start
    for _ in range(count):
        entry, position = _entry(data, position, end)
        if entry.name in entries:
            raise CheckpointError(f"the archive has two members {shown(entry.name)}")
        entries[entry.name] = entry
    if position != end:
        raise CheckpointError(f"the archive's directory has {end - position} bytes more than its {count} entries")
    return _contents(data, entries, start)


def _contents(data: bytes, entries: dict[str, _Entry], end: int) -> dict[str, memoryview]:
    """The content of each member, all of them before `end` and none over another."""
    members = {}
    reached = 0
    for entry in sorted(entries.values(), key=lambda entry: entry.start):
        if entry.start < reached:
            raise CheckpointError(f"member {shown(entry.name)} of the archive lies over another one")
        content = _content_start(data, entry)
        reached = content + entry.size
        if reached > end:
            raise CheckpointError(
                f"member {shown(entry.name)} of the archive should have {entry.size} bytes, but the file ends before"
            )
        members[entry.name] = memoryview(data)[content:reached]
        if zlib.crc32(members[entry.name]) != entry.checksum:
            raise CheckpointError(f"member {shown(entry.name)} of the archive is damaged: its checksum is wrong")
    return members


def _directory(data: bytes) -> tuple[int, int, int]:
    """How many entries the directory has, how many bytes, and where it starts."""
    at = len(data) - _END.size
    if at < 0 or data[at : at + 4] != b"PK\x05\x06":
        raise CheckpointError("the archive is cut off, or something follows it: its directory should end the file")
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(data, at)
    if disk or first_disk or here != count or comment:
        raise CheckpointError("the archive is one of several, or has a comment: torch writes neither")
    locator = at - _LOCATOR_64.size
    if locator >= 0 and data[locator : locator + 4] == b"PK\x06\x07":
        full = _directory_64(data, locator)
        if any(short not in (long, most) for short, long, most in zip((count, size, start), full, _FULL, strict=True)):
            raise CheckpointError("the archive's two directories contradict each other")
        return full
    if any(short == most for short, most in zip((count, size, start), _FULL, strict=True)):
        raise CheckpointError("the archive's directory refers to a 64-bit form that is not there")
    return count, size, start


def _directory_64(data: bytes, locator: int) -> tuple[int, int, int]:
    _, disk, at, disks = _LOCATOR_64.unpack_from(data, locator)
    if disk or disks != 1 or at + _END_64.size > locator or data[at : at + 4] != b"PK\x06\x06":
        raise CheckpointError("the archive's 64-bit directory is not where it should be")
    _, _, _, _, disk, first_disk, here, count, size, start = _END_64.unpack_from(data, at)
    if disk or first_disk or here != count:
        raise CheckpointError("the archive is one of several: torch writes a single one")
    return count, size, start


def _entry(data: bytes, position: int, end: int) -> tuple[_Entry, int]:
    """One entry of the directory, and where the next begins."""
    if position + _ENTRY.size > end or data[position : position + 4] != b"PK\x01\x02":
        raise CheckpointError(f"the archive's directory is damaged at byte {position}")
    fields = _ENTRY.unpack_from(data, position)
    flags, method, checksum, packed, size = fields[5], fields[6], *fields[9:12]
    name_size, extra_size, comment_size, disk, start = *fields[12:16], fields[18]
    name_start = position + _ENTRY.size
    extra_start = name_start + name_size
    position = extra_start + extra_size + comment_size
    if position > end:
        raise CheckpointError("the archive's directory is damaged: an entry reaches beyond it")
    name = _member_name(data[name_start:extra_start])
    size, packed, start = _sizes_64(data[extra_start : extra_start + extra_size], size, packed, start)
    if flags & _ENCRYPTED:
        raise CheckpointError(f"member {shown(name)} of the archive is encrypted")
    if method != 0:
        raise CheckpointError(
            f"member {shown(name)} of the archive is compressed (method {method}): "
            "only archives without compression are read, as torch and np.savez write them"
        )
    if packed != size or disk:
        raise CheckpointError(f"member {shown(name)} of the archive is stored, but its sizes are {packed} and {size}")
    return _Entry(name, checksum, size, start), position


def _member_name(raw: bytes) -> str:
    """A member's name; CheckpointError if it would leave the archive's folder, were it ever unpacked."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise CheckpointError(f"the archive has a member whose name is not UTF-8: {raw[:60]!r}") from None
    parts = name.split("/")
    is_elsewhere = not {"", ".", ".."}.isdisjoint(parts) or (len(parts[0]) == 2 and parts[0].endswith(":"))
    if is_elsewhere or "\\" in name or not name.isprintable():
        raise CheckpointError(f"the archive has a member with the path {shown(name)}, which leads elsewhere")
    return name


def _sizes_64(extra: bytes, size: int, packed: int, start: int) -> tuple[int, int, int]:
    """The sizes and the start, taken from the 64-bit extra field where the 32-bit ones say so."""
    values = [size, packed, start]
    asked = [index for index, value in enumerate(values) if value == _FULL_32]
    if not asked:
        return size, packed, start
    position = 0
    while position + _EXTRA.size <= len(extra):
        kind, length = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size
        field = extra[position : position + length]
        if kind == _EXTRA_64 and len(field) >= 8 * len(asked):
            for place, index in enumerate(asked):
                values[index] = int.from_bytes(field[8 * place : 8 * place + 8], "little")
            return values[0], values[1], values[2]
        position += length
    raise CheckpointError("the archive's directory refers to a 64-bit size that is not there")


def _content_start(data: bytes, entry: _Entry) -> int:
    """Where a member's content starts: behind its own header, which must agree with the directory."""
    if entry.start + _LOCAL.size > len(data) or data[entry.start : entry.start + 4] != b"PK\x03\x04":
        raise CheckpointError(f"member {shown(entry.name)} of the archive is not where the directory says")
    fields = _LOCAL.unpack_from(data, entry.start)
    flags, method, packed, size, name_size, extra_size = fields[3], fields[4], *fields[8:12]
    name_start = entry.start + _LOCAL.size
    if data[name_start : name_start + name_size] != entry.name.encode() or method != 0 or flags & _ENCRYPTED:
        raise CheckpointError(f"member {shown(entry.name)} of the archive has a header that differs from the directory")
    # A writer that did not know the size in advance left zeros; one of a large archive left it to the extra field.
    if {packed, size} - {0, _FULL_32, entry.size}:
        raise CheckpointError(f"member {shown(entry.name)} of the archive has a header that tells other sizes: {size}")
    return name_start + name_size + extra_size
