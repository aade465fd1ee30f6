"""What the command line takes from files: rows, the state before step 1, interventions. Nothing is unpickled."""

import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from ntm_core.config import describe_validation_error
from ntm_core.errors import InterventionError, TraceError
from ntm_core.interventions import Intervention
from ntm_core.tasks.base import MAX_STEPS
from ntm_core.trace import Trace
from ntm_core.trace_file import load_trace

MAX_BYTES = 256 << 20
_UNREADABLE = (ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""All that numpy, zipfile and the decompressors raise at a damaged file, beside OSError."""

_PREFIX = "initial_"


def input_rows(path: Path) -> NDArray[np.float64]:
    """The (step, input) rows in a JSON file, a .npy file, or under `inputs` in a .npz file, such as a trace."""
    found = _content(path)
    rows = _numbers(found.get("inputs", found.get("input")) if isinstance(found, dict) else found, f"{path}: the rows")
    if rows.ndim != 2 or not 1 <= len(rows) <= MAX_STEPS:
        raise TraceError(f"{path}: the rows have shape {rows.shape}: it must be (step, input), 1 … {MAX_STEPS} steps")
    largest = np.finfo(np.float32).max
    if not (np.abs(rows) <= largest).all():
        wrong = rows[~(np.abs(rows) <= largest)][0]
        raise TraceError(f"{path}: the rows hold {wrong}: all must be finite in float32, {largest:.3g} at most")
    return rows


def initial_state(path: Path) -> dict[str, NDArray[np.float64]]:
    """The parts of a state in a JSON object or a .npz file, named `memory` or, as in a trace, `initial_memory`."""
    found = _content(path)
    if not isinstance(found, dict):
        raise TraceError(f"{path}: it must be a JSON object or a .npz file, with one array for each part of the state")
    parts = {name: value for name, value in found.items() if name.startswith(_PREFIX)} or found
    return {name.removeprefix(_PREFIX): _numbers(value, f"{path}: {name}") for name, value in parts.items()}


def interventions(path: Path) -> tuple[Intervention, ...]:
    """The list of interventions in a JSON file."""
    found = _content(path)
    if not isinstance(found, list):
        raise InterventionError(f"{path}: it must be a JSON list of interventions")
    try:
        return _INTERVENTIONS.validate_json(json.dumps(found))
    except ValidationError as error:
        raise InterventionError(f"{path}: {describe_validation_error(error)}") from None


def sources(named: Sequence[str]) -> dict[str, Trace]:
    """The traces in the files that are named as NAME=FILE."""
    found = {}
    for text in named:
        name, sign, path = text.partition("=")
        if not (name and sign and path):
            raise InterventionError(f"--source is {text!r}: it must be NAME=FILE")
        found[name] = load_trace(path)
    return found


_INTERVENTIONS: TypeAdapter[tuple[Intervention, ...]] = TypeAdapter(tuple[Intervention, ...])


def _content(path: Path) -> Any:
    """JSON data, an array, or arrays by name."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TraceError(f"{path} has {path.stat().st_size} bytes: the limit is {MAX_BYTES}")
        if path.suffix in (".npy", ".npz"):
            return _arrays(path)
        return json.loads(path.read_bytes())
    except OSError as error:
        raise TraceError(f"{path} cannot be read: {error.strerror or error}") from None
    except (*_UNREADABLE, RecursionError) as error:
        if isinstance(error, TraceError):
            raise
        raise TraceError(f"{path} cannot be read: {error}") from None


def _arrays(path: Path) -> Any:
    """An array, or arrays by name, of a file that numpy wrote; numpy takes any other for a pickle."""
    with path.open("rb") as file:
        if not file.read(6).startswith((b"PK\3\4", b"PK\5\6", b"\x93NUMPY")):
            raise TraceError(f"{path} is named as a file of numpy's, but is none: it begins otherwise")
        file.seek(0)
        loaded = np.load(file, allow_pickle=False)
        return loaded if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}


def _numbers(value: Any, what: str) -> NDArray[np.float64]:
    try:
        return np.asarray(value, np.float64)
    except (ValueError, TypeError):
        raise TraceError(f"{what} must be numbers in rows of one length") from None
