"""Lets a process of its own compile the kernel, so that every other computes with what lies in numba's cache.

What numba has compiled in a process is not, to the last bit, what it loads in the next: where it compiles, each part of
the kernel is there twice, by itself and within the whole, and the whole calls the former. A run that began in the one
process and went on in the other would come to other bits.
"""

import atexit
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]  # it ships no types
import numba

from ntm_core.atomic import atomic_write
from ntm_core.compiled.intrinsics import sources_fingerprint
from ntm_core.compiled.support import BUILDING

_LONGEST = 900
"""Seconds after which the other process is given up, and this one compiles for itself."""

_COMPILE = (
    "import os, threading; threading.Thread(target=lambda: os.read(0, 1) or os._exit(1), daemon=True).start(); "
    "from ntm_core.machine import warm_up; warm_up()"
)
"""The other process. It ends as soon as its standard input does, so that it does not outlive whoever waits for it."""


def build(entries: Sequence[Any], sources: str) -> None:
    """Wait until a process has compiled these entries of the kernel, unless one has done so before.

    `sources` is the fingerprint of their text. Where that process fails, or there is no cache, nothing is done: they
    are then compiled where they are called. The process that compiles leaves a mark in the cache when it ends: a file
    that says what is in the cache, so that it holds no longer once that has changed.
    """
    folder = entries[0].stats.cache_path
    if folder is None or not sys.executable:
        return
    mark = _mark(folder, sources)
    if os.environ.get(BUILDING):
        atexit.register(_leave, mark, entries)
    elif not _holds(mark, entries):
        words = [sys.executable, "-P", "-c", _COMPILE]
        environment = os.environ | {BUILDING: "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE} | dict.fromkeys(("stdout", "stderr"), subprocess.DEVNULL)
        with (
            suppress(OSError, subprocess.TimeoutExpired),
            subprocess.Popen(words, env=environment, **pipes) as compiling,  # noqa: S603  # our own words
        ):
            compiling.wait(_LONGEST)


def cache_folder() -> str | None:
    """Where numba keeps what it has compiled of this package; None if there is no place that can be written to."""
    try:
        probe: Any = numba.njit(cache=True)(_nothing)
    except RuntimeError:
        return None
    folder: str | None = probe.stats.cache_path
    return folder


def _nothing() -> None:
    pass


def is_built() -> bool:
    """Whether a process has left the mark, and all that it speaks of is there."""
    folder = cache_folder()
    if folder is None:
        return False
    mark = _mark(folder, sources_fingerprint())
    try:
        found = json.loads(mark.read_bytes())
        return all((mark.parent / name).stat().st_mtime_ns == written for name, written in found.items())
    except (OSError, ValueError):
        return False


def _mark(folder: str, sources: str) -> Path:
    return Path(folder) / f"kernel-{_key(sources)}.built"


def _leave(mark: Path, entries: Sequence[Any]) -> None:
    """Leave the mark, if all entries have been compiled, or loaded, and lie in the cache."""
    found = _cached(mark.parent, entries)
    if all(entry.signatures for entry in entries) and len(found) == len(entries):
        with suppress(OSError):
            atomic_write(mark, json.dumps(found).encode())


def _holds(mark: Path, entries: Sequence[Any]) -> bool:
    """Whether the mark is there, and all that it speaks of."""
    try:
        return bool(json.loads(mark.read_bytes()) == _cached(mark.parent, entries))
    except (OSError, ValueError):
        return False


def _cached(folder: Path, entries: Sequence[Any]) -> dict[str, int]:
    """The indexes that numba keeps of the entries, and when each was written."""
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    names = [f"kernel.*.{one.__name__}-{one.py_func.__code__.co_firstlineno}.{python}*.nbi" for one in entries]
    return {path.name: path.stat().st_mtime_ns for name in names for path in sorted(folder.glob(name))}


def _key(sources: str) -> str:
    """What decides whether that which lies in the cache can be used: the text, numba, Python and the processor."""
    features = numba.config.CPU_FEATURES or llvm.get_host_cpu_features().flatten()  # type: ignore[attr-defined]  # set at import
    about = (sources, numba.__version__, sys.version, llvm.get_host_cpu_name(), features)
    return hashlib.sha256(repr(about).encode()).hexdigest()[:16]
