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
from ntm_core.compiled.support import BUILDING

_LONGEST = 900
"""Seconds after which the other process is given up, and this one compiles for itself."""


def build(entries: Sequence[Any], sources: str) -> None:
    """Wait until a process has compiled these entries of the kernel, unless one has done so before.

    `sources` is the fingerprint of their text. Where that process fails, or there is no cache, nothing is done: they
    are then compiled where they are called. The process that compiles leaves a mark in the cache when it ends: a file
    that says what is in the cache, so that it holds no longer once that has changed.
    """
    folder = entries[0].stats.cache_path
    if folder is None or not sys.executable:
        return
    mark = Path(folder) / f"kernel-{_key(sources)}.built"
    if os.environ.get(BUILDING):
        atexit.register(_leave, mark, entries)
    elif not _holds(mark, entries):
        words = [sys.executable, "-P", "-c", "from ntm_core.machine import warm_up; warm_up()"]
        environment = os.environ | {BUILDING: "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        silent: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(words, env=environment, timeout=_LONGEST, check=False, **silent)  # noqa: S603  # our own words


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
