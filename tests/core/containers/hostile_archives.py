"""Archives that must be refused: zip files and legacy files of torch that lie, or are cut."""

import pickle
import struct
import zlib
from typing import Any

from tests.core.containers.builders import (
    FOUR,
    LEGACY_HEAD,
    Archive,
    Corpus,
    Member,
    npy,
    pickled,
    state_dict,
    tensor,
    torch_legacy,
    torch_zip,
    with_members,
)


def _first(**changes: Any) -> bytes:
    """A good archive but for some fields of its first member."""

    def change(members: list[Member]) -> None:
        for field, value in changes.items():
            setattr(members[0], field, value)

    return with_members(change)


def _with_end(place: int, value: int) -> bytes:
    """A good archive but for a number at `place` in the record that ends it."""
    data = bytearray(torch_zip(b"}"))
    size = 2 if place < 12 else 4
    data[len(data) - 22 + place : len(data) - 22 + place + size] = value.to_bytes(size, "little")
    return bytes(data)


def _entry_with(place: int, value: bytes) -> bytes:
    """A good archive but for some bytes of its directory's first entry."""
    data = bytearray(torch_zip(b"}"))
    start = data.index(b"PK\x01\x02") + place
    data[start : start + len(value)] = value
    return bytes(data)


def zips() -> Corpus:
    return {
        "zip bomb": (_first(method=8, raw=zlib.compress(bytes(10_000_000))[2:-4], size=10_000_000), "compressed"),
        "zip with a lying size": (_first(size=1 << 31), "its sizes are"),
        "zip with a lying size, consistently": (_first(size=1 << 31, packed=1 << 31), "file ends before|over another"),
        "zip with a lying size in its header": (_first(local_size=5), "tells other sizes"),
        "zip member over another": (with_members(lambda m: setattr(m[1], "start", 0)), "over another|differs"),
        "zip member listed twice at one place": (
            with_members(lambda m: m.append(Member("net/data/1", b"", start=0))),
            "over another|differs",
        ),
        "zip member that is not there": (_first(start=5), "not where the directory says"),
        "zip member beyond the file": (_first(start=1 << 30), "not where the directory says"),
        "zip with two members of one name": (with_members(lambda m: m.append(m[0])), "two members 'net/data.pkl'"),
        "zip with two names for a member": (_first(local_name="net/data.pkk"), "differs from the directory"),
        "zip member with a wrong checksum": (_first(checksum=1), "damaged"),
        "zip member that is encrypted": (_first(flags=1), "encrypted"),
        "zip path that leads up": (with_members(lambda m: m.append(Member("net/../../x", b""))), "leads elsewhere"),
        "zip path from the root": (with_members(lambda m: m.append(Member("/etc/x", b""))), "leads elsewhere"),
        "zip path of Windows": (with_members(lambda m: m.append(Member("net\\..\\x", b""))), "leads elsewhere"),
        "zip path with a drive": (with_members(lambda m: m.append(Member("C:/net/x", b""))), "leads elsewhere"),
        "zip path with a null": (with_members(lambda m: m.append(Member("net/a\0b", b""))), "leads elsewhere"),
        "zip of two folders": (with_members(lambda m: m.append(Member("other/x", b""))), "2 top-level names"),
        "zip with 5000 members": (
            with_members(lambda m: m.extend(Member(f"net/x{place}", b"") for place in range(5000))),
            "members: the limit",
        ),
        "zip that claims fewer members": (with_members(lambda _: None, count=2), "more than its 2 entries"),
        "zip that claims more members": (with_members(lambda _: None, count=60_000), "members: the limit"),
        "zip whose directory is elsewhere": (with_members(lambda _: None, directory_start=3), "damaged at byte 3"),
        "zip with a comment": (with_members(lambda _: None, comment=b"hello"), "cut off, or something follows"),
        "zip with something behind it": (
            with_members(lambda _: None, tail=b"x" * 100),
            "cut off, or something follows",
        ),
        "zip cut in half": (torch_zip(state_dict(("weight", tensor())))[:300], "cut off"),
        "zip with two truths": (with_members(lambda _: None, end_64={"count": 3}), "contradict"),
        "zip with a 64-bit end elsewhere": (
            with_members(lambda _: None, end_64={"at": 1 << 60}),
            "64-bit directory is not where",
        ),
        "zip with a 64-bit end on another disk": (with_members(lambda _: None, end_64={"disk": 1}), "one of several"),
        "zip with 2**60 members": (
            with_members(lambda _: None, count=0xFFFF, end_64={"count": 1 << 60}),
            "members: the limit",
        ),
        "zip that promises a 64-bit end": (with_members(lambda _: None, count=0xFFFF), "64-bit form that is not there"),
        "zip that promises a 64-bit size": (
            _first(size=0xFFFFFFFF, packed=0xFFFFFFFF),
            "64-bit size that is not there",
        ),
        "zip with a 64-bit size of 2**63": (
            _first(size=0xFFFFFFFF, packed=0xFFFFFFFF, extra=struct.pack("<2H2Q", 1, 16, 1 << 63, 1 << 63)),
            "file ends before",
        ),
        "zip that is one of several": (_with_end(4, 7), "one of several"),
        "zip with a directory beyond its end": (_with_end(12, 0xFFFFFF), "should end at byte"),
        "zip with an entry beyond its directory": (_entry_with(32, b"\xff\xff"), "reaches beyond it"),
        "zip path that is not UTF-8": (torch_zip(b"}").replace(b"net/version", b"net/versio\xff"), "not UTF-8"),
        "zip without a pickle": (Archive([Member("net/x", b"")]).data(), "no data.pkl"),
        "npz that is a trace": (
            Archive([Member(f"{name}.npy", npy(b"", "<f8", "(0,)")) for name in ("header", "weighting")]).data(),
            "this is a trace",
        ),
        "npz with an array cut off": (
            Archive([Member("a.npy", npy(b"\0" * 7, "<f8", "(1,)"))]).data(),
            "holds 7 bytes of it",
        ),
        "npz with something else in it": (
            Archive([Member("a.npy", b"no array")]).data(),
            "the .npy file is of version",
        ),
        "zip of a big-endian machine": (with_members(lambda m: setattr(m[1], "content", b"big")), "big-endian"),
        "empty zip": (Archive([]).data(), "empty zip"),
    }


def legacies() -> Corpus:
    return {
        "legacy file cut in its storage": (
            torch_legacy(state_dict(("weight", tensor())))[:-3],
            "13 bytes are left|0 bytes are left|should hold 4",
        ),
        "legacy file cut in its pickle": (
            torch_legacy(state_dict(("weight", tensor())))[: len(LEGACY_HEAD) + 40],
            "cut off",
        ),
        "legacy file cut behind its magic number": (LEGACY_HEAD[:15], "cut off"),
        "legacy file with something behind it": (
            torch_legacy(state_dict(("weight", tensor()))) + b"x",
            "1 bytes follow",
        ),
        "legacy storage of another size": (
            torch_legacy(state_dict(("weight", tensor()))).replace(
                struct.pack("<q", 4) + FOUR, struct.pack("<q", 1 << 62) + FOUR
            ),
            "but it says 4611686018427387904",
        ),
        "legacy storages that are not used": (
            torch_legacy(state_dict(("weight", tensor())), {"0": FOUR, "1": FOUR}),
            "lists 2 storages",
        ),
        "legacy storages that are not there": (torch_legacy(state_dict(("weight", tensor())), {}), "lists 0 storages"),
        "legacy storages listed twice": (
            LEGACY_HEAD
            + pickled(state_dict(("weight", tensor())))
            + pickle.dumps(["0", "0"], 2)
            + (struct.pack("<q", 4) + FOUR) * 2,
            "lists 2 storages",
        ),
        "legacy storages listed by numbers": (
            LEGACY_HEAD + pickled(state_dict(("weight", tensor()))) + pickle.dumps([0], 2),
            "does not list",
        ),
        "legacy file of a big-endian machine": (
            torch_legacy(b"}", {}, head=LEGACY_HEAD.replace(b"\x88", b"\x89")),
            "little-endian",
        ),
        "legacy file of another version": (
            torch_legacy(b"}", {}, head=LEGACY_HEAD.replace(struct.pack("<H", 1001), struct.pack("<H", 1002))),
            "another version",
        ),
        "plain pickle with something behind it": (pickled(b"}") + b"x", "1 bytes follow the pickle"),
    }
