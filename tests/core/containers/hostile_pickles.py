"""Pickles that must be refused: code that asks to be run, damage, structures that grow, keys."""

import pickle
import struct

from ntm_core.checkpoints.containers.pickle_names import _CALLS
from tests.core.containers.builders import (
    Archive,
    Corpus,
    Member,
    integer,
    name,
    one_value,
    pickled,
    state_dict,
    storage,
    tensor,
    text,
    torch_legacy,
    torch_zip,
    with_members,
)

_CALL = text("echo owned") + b"\x85R"
_FUNCTIONS = (
    ("os", "system"),
    ("posix", "system"),
    ("subprocess", "Popen"),
    ("builtins", "eval"),
    ("__builtin__", "exec"),
    ("builtins", "getattr"),
    ("builtins", "__import__"),
    ("importlib", "import_module"),
    ("operator", "attrgetter"),
    ("functools", "partial"),
    ("copyreg", "_reconstructor"),
    ("copy_reg", "_reconstructor"),
    ("pickle", "loads"),
    ("runpy", "run_path"),
    ("torch", "load"),
    ("torch.storage", "_load_from_bytes"),
    ("torch.hub", "load"),
    ("torch.jit", "load"),
    ("torch.serialization", "load"),
    ("torch._utils", "_rebuild_tensor_v3"),
    ("torch._utils", "_rebuild_sparse_tensor"),
    ("torch._utils", "_rebuild_device_tensor_from_numpy"),
    ("torch._tensor", "_rebuild_from_type_v2"),
    ("numpy", "load"),
    ("numpy.core.multiarray", "fromstring"),
    ("numpy.testing._private.utils", "runstring"),
)


def _laughs(levels: int, width: int) -> bytes:
    """Lists of the same list of the same list …: `width` to the power of `levels` values in a few bytes."""
    body = b"]q\x000"
    for level in range(levels):
        body += b"](" + (b"h" + bytes([level])) * width + b"eq" + bytes([level + 1]) + b"0"
    return body + b"h" + bytes([levels])


def calls() -> Corpus:
    return {
        f"calls {module}.{function}": (one_value(name(module, function) + _CALL), rf"{function}'.* is not allowed")
        for module, function in _FUNCTIONS
    }


def wrong_calls() -> Corpus:
    """Calls of every function that may be called, with arguments that it never gets."""
    corpus: Corpus = {}
    for full in _CALLS:
        module, _, function = full.rpartition(".")
        call = name(module, function) + b"(" + b"N" * 10 + b"tR"
        corpus[f"calls {full} with ten times nothing"] = (one_value(call), "not as expected")
    return corpus


def code() -> Corpus:
    return {
        "calls a class of its own": (
            one_value(name("evil.code", "Run") + _CALL),
            r"no tensors, but an instance of 'evil\.code\.Run' at 'weight'",
        ),
        "calls the class of a module": (
            one_value(name("torch.nn.modules.linear", "Linear") + b"K\x02K\x02\x86R"),
            "Linear'.* not allowed",
        ),
        "calls an attribute of a class": (
            one_value(name("ntm.ntm", "NTM.__init__.__globals__") + b")R"),
            "not allowed",
        ),
        "names os.system through the stack": (
            one_value(text("os") + text("system") + b"\x93" + _CALL),
            r"'os\.system'",
        ),
        "names a module with a line break": (one_value(text("os\nx") + text("system") + b"\x93)R"), "not allowed"),
        "names something of megabytes": (one_value(text("x" * 2_000_000) + text("y") + b"\x93)R"), "too long"),
        "makes an instance with arguments": (one_value(name("evil", "Run") + _CALL[:-1] + b"\x81}b"), r"'evil\.Run'"),
        "makes an instance that is no module": (
            one_value(name("evil", "Run") + b")\x81}b"),
            r"'evil\.Run'.*no module of torch",
        ),
        "makes an instance without fields": (
            one_value(name("evil", "Run") + b")\x81"),
            r"'evil\.Run' at 'weight', without named fields",
        ),
        "makes an instance of the library": (one_value(name("os", "system") + b")\x81}b"), r"'os\.system'"),
        "holds a class": (one_value(name("evil", "Run")), r"the name 'evil\.Run'.* not data"),
        "uses INST": (one_value(b"(ios\nsystem\n"), "INST"),
        "uses OBJ": (one_value(b"(" + name("ntm", "NTM") + b"o"), "OBJ"),
        "uses an extension registry": (one_value(b"\x82\x01"), "EXT1"),
        "uses NEWOBJ_EX": (one_value(name("ntm", "NTM") + b")}\x92"), "NEWOBJ_EX"),
        "uses a textual persistent id": (one_value(b"Pmodule\n"), "PERSID"),
        "uses an out-of-band buffer": (one_value(b"\x97"), "NEXT_BUFFER"),
        "names something by a number": (
            one_value(b"K\x01" + text("system") + b"\x93)R"),
            "by something that is not text",
        ),
        "makes an instance of a number": (one_value(b"K\x01)\x81"), "not a class"),
        "calls a number": (one_value(b"K\x01)R"), "not a name"),
        "sets the state of a list": (one_value(b"]}b"), "a list a dict as its state"),
        "sets a dict's attribute": (
            one_value(b"}" + state_dict(("__class__", b"K\x01")) + b"b"),
            "a dict a dict as its state",
        ),
        "sets a module's state twice": (one_value(name("evil", "Run") + b")\x81}b}b"), r"'evil\.Run'"),
        "module id with a library class": (
            torch_legacy(b"(" + text("module") + name("os", "system") + text("x") + text("y") + b"tQ)R"),
            r"'os\.system'",
        ),
        "persistent id of half a storage": (one_value(b"(" + text("storage") + b"NtQ"), "in a way that torch does not"),
        "persistent id of an unknown sort": (
            one_value(b"(" + text("exec") + text("x") + b"tQ"),
            "in a way that torch does not",
        ),
        "persistent id in a plain pickle": (pickled(storage()), "outside itself"),
        "TorchScript archive": (with_members(lambda m: m.append(Member("net/code/a.py", b"import os"))), "TorchScript"),
    }


def damage() -> Corpus:
    return {
        "takes from an empty stack": (one_value(b"R"), "empty stack"),
        "refers to a value that is not there": (one_value(b"h\x07"), "before it is there"),
        "memo beyond memory": (one_value(b"Nr\xff\xff\xff\xff0j\xfe\xff\xff\xff"), "before it is there"),
        "declares a text of 4 GB": (one_value(b"X\xff\xff\xff\xffabc"), "cut off"),
        "declares bytes of 2**62": (one_value(b"\x8e" + struct.pack("<Q", 1 << 62)), "cut off"),
        "old text of negative length": (one_value(b"T\xff\xff\xff\xff"), "text of -1 bytes"),
        "integer of 255 bytes": (one_value(b"\x8a\xff" + b"\x01" * 255), "integer of 255 bytes"),
        "text that is not UTF-8": (one_value(b"X\x02\x00\x00\x00\xff\xfe"), "not UTF-8"),
        "text with half a surrogate pair": (one_value(text("\ud800")), "not UTF-8"),
        "protocol 0": (torch_zip(b"").replace(pickled(b""), b"(lp0\n"), "damaged"),
        "protocol 255": (Archive([Member("net/data.pkl", b"\x80\xff}.")]).data(), "protocol 255"),
        "pickle without an end": (Archive([Member("net/data.pkl", b"\x80\x02}")]).data(), "cut off"),
        "bytes after the pickle": (
            Archive([Member("net/data.pkl", pickled(b"}") + b"x")]).data(),
            "1 bytes follow the pickle",
        ),
        "three million instructions": (one_value(b"N0" * 1_500_000 + b"N"), "instructions: that is the limit"),
        "unknown instruction": (one_value(b"\xff"), "0xff"),
    }


def growth() -> Corpus:
    return {
        "billion laughs": (one_value(_laughs(30, 10)), "values: that is the limit"),
        "billion laughs in a plain pickle": (pickled(_laughs(30, 10)), "values: that is the limit"),
        "list that contains itself": (one_value(b"]q\x00h\x00a"), "inside itself"),
        "dict that contains itself": (one_value(b"}q\x00" + text("a") + b"h\x00s"), "inside itself"),
        "module that contains itself": (
            one_value(
                name("ntm", "NTM")
                + b")\x81q\x00"
                + state_dict(("_parameters", b"}"), ("_buffers", b"}"), ("_modules", state_dict(("a", b"h\x00"))))
                + b"b"
            ),
            "inside itself",
        ),
        "20 000 nested lists": (one_value(b"]" * 20_000 + b"a" * 19_999), "inside itself, or deeper"),
        "20 000 nested tuples": (one_value(b")" + b"\x85" * 20_000), "inside itself, or deeper"),
        "version of a legacy file that laughs": (
            pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickled(_laughs(30, 10)),
            "another version",
        ),
        "storage whose size laughs": (
            one_value(
                b"("
                + text("storage")
                + name("torch", "FloatStorage")
                + text("0")
                + text("cpu")
                + _laughs(30, 10)
                + b"tQ"
            ),
            "number of elements",
        ),
        "text that laughs": (
            one_value(text("x" * 1_000_000) + b"q\x000](" + b"h\x00" * 1000 + b"e"),
            "characters: the limit",
        ),
        "keys that make long paths": (
            one_value((b"}" + text("k" * 250)) * 20 + b"N" + b"s" * 20),
            "characters: that is the limit",
        ),
        "the same tensor under 5000 names": (
            one_value(tensor() + b"q\x000](" + b"h\x00" * 5000 + b"e"),
            "more than 4096 tensors",
        ),
        "pairs of an ordered dict without end": (
            one_value(
                b"](]("
                + text("a")
                + b"K\x01eeq\x000"
                + (name("collections", "OrderedDict") + b"h\x00\x85R0") * 5000
                + name("collections", "OrderedDict")
                + b"](]("
                + text("a")
                + b"eer\x01\x00\x00\x00\x85R"
            ),
            "OrderedDict' with 1 arguments",
        ),
    }


def keys() -> Corpus:
    return {
        "same key twice": (torch_zip(state_dict(("weight", tensor()), ("weight", tensor()))), "'weight' twice"),
        "same key twice, one by one": (one_value(b"}" + text("a") + b"K\x01s" + text("a") + b"K\x02s"), "'a' twice"),
        "same key twice in old pairs": (
            one_value(
                name("collections", "OrderedDict") + b"](](" + text("a") + b"K\x01e](" + text("a") + b"K\x02ee\x85R"
            ),
            "'a' twice",
        ),
        "same name twice after joining": (
            torch_zip(state_dict(("a.b", tensor()), ("a", state_dict(("b", tensor()))))),
            "two tensors named 'a.b'",
        ),
        "key that is text twice, in a tuple": (
            one_value(b"}(" + text("a") + b"\x85K\x01" + text("('a',)") + b"K\x01u"),
            r"\('a',\).* twice",
        ),
        "tuple of megabytes as a key": (one_value(b"}(" + text("k" * 1_000_000) + b"\x85NK\x01K\x01u"), "no tensors"),
        "key that is a list": (one_value(b"}(]K\x01u"), "key of type list"),
        "key of megabytes": (one_value(b"}" + text("k" * 1_000_000) + b"Ns"), "256 characters"),
        "integer key of 100 bits": (one_value(b"}" + integer(1 << 100) + b"Ns"), "64 bits"),
        "appends to a dict": (one_value(b"}K\x01a"), "not a list"),
        "adds to a list": (one_value(b"](K\x01\x90"), "not a set"),
        "dict with half an item": (one_value(b"}(K\x01u"), "sets items"),
        "items of a list": (one_value(b"](K\x01K\x02u"), "sets items"),
    }
