"""Parsers that do what a parser must not, for the sandbox to hold. They run in its process, never in this one."""

import ctypes
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ntm_core.errors import CheckpointError, ConfigError

Result = tuple[Any, Sequence[np.ndarray]]

_calls: list[bytes] = []


def echo(data: bytes, options: dict[str, Any]) -> Result:
    sys.stdout.write("this is not part of the answer\n")
    sys.stderr.write("neither is this\n")
    array = np.frombuffer(data, np.uint8).astype(np.float32)
    return {"size": len(data), "options": options}, [array, array.reshape(1, -1, 1), np.array(0.5)]


def identity(data: bytes, _options: dict[str, Any]) -> Result:
    _calls.append(data)
    descriptors = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0  # noqa: PTH208
    return {"pid": os.getpid(), "calls": len(_calls), "descriptors": descriptors}, []


def refuse(data: bytes, _options: dict[str, Any]) -> Result:
    raise CheckpointError(f"not like this: {data!r} «ß»")


def refuse_config(_data: bytes, _options: dict[str, Any]) -> Result:
    raise ConfigError("no such machine")


def fail(_data: bytes, _options: dict[str, Any]) -> Result:
    raise KeyError("weight")


def abort(_data: bytes, _options: dict[str, Any]) -> Result:
    os.abort()


def crash(_data: bytes, _options: dict[str, Any]) -> Result:
    ctypes.string_at(0)
    return None, []


def leave(_data: bytes, options: dict[str, Any]) -> Result:
    os._exit(options["status"])


def sleep(_data: bytes, _options: dict[str, Any]) -> Result:
    time.sleep(600)
    return None, []


def spin(_data: bytes, _options: dict[str, Any]) -> Result:
    while True:
        pass


def allocate(_data: bytes, options: dict[str, Any]) -> Result:
    return len(bytearray(options["bytes"])), []


def answer_at_length(_data: bytes, options: dict[str, Any]) -> Result:
    return "x" * options["bytes"], []


def write(_data: bytes, options: dict[str, Any]) -> Result:
    path = Path(options["path"])
    try:
        path.write_bytes(b"x" * 10)
    except OSError as error:
        return error.strerror, []
    return None, []


def open_many(_data: bytes, _options: dict[str, Any]) -> Result:
    opened: list[int] = []
    try:
        while len(opened) < 1000:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return {"error": error.strerror, "opened": len(opened)}, []
    return {"error": None, "opened": len(opened)}, []


def fork(_data: bytes, _options: dict[str, Any]) -> Result:
    try:
        if os.fork() == 0:
            os._exit(0)
    except OSError as error:
        return error.strerror, []
    return None, []
