"""A fuzzer for `open_container`: files changed at random, those that reach new code kept and changed further.

    python -m tests.core.containers.fuzzing INPUTS [SEED]

prints what it found as JSON. An input is the content of one part of a file, the part being the whole file, or the
pickle in an archive, or a header: around it the file is made right again, for else a checksum would stop nearly all.
"""

import contextlib
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from ntm_core.checkpoints import containers
from ntm_core.checkpoints.containers import Container, ContainerLimits, Record, Unread, flatten, open_container
from ntm_core.checkpoints.containers.transport import pack, unpack
from ntm_core.errors import CheckpointError
from tests.core.containers.builders import (
    FOUR,
    LEGACY_HEAD,
    Archive,
    Member,
    array_pickle,
    entry,
    name,
    npy,
    object_array,
    pickled,
    safetensors,
    seeds,
    state_dict,
    storage,
    tensor,
    text,
)

LIMITS = ContainerLimits(
    max_bytes=1 << 20, max_tensors=64, max_elements=1 << 14, max_nodes=1 << 11, max_operations=1 << 12
)
MOST_SECONDS = 2.0
MOST_BYTES = 8192
"""Of an input: longer ones find the same and take longer."""

_PACKAGE = str(Path(containers.__file__).parent)


def _in_zip(content: bytes) -> bytes:
    parts = {"data.pkl": content, "byteorder": b"little", "data/0": FOUR, "version": b"3"}
    return Archive([Member(f"n/{name}", part) for name, part in parts.items()]).data()


def _in_legacy(content: bytes) -> bytes:
    return LEGACY_HEAD + content + pickled(b"]" + text("0") + b"a") + (4).to_bytes(8, "little") + FOUR


PARTS: Mapping[str, Callable[[bytes], bytes]] = {
    "file": bytes,
    "pickle of a zip": _in_zip,
    "pickle of a legacy file": _in_legacy,
    "pickle of an array": lambda content: npy(content, shape="(1,)"),
    "header of safetensors": lambda content: safetensors(content, FOUR),
    "content of JSON": lambda content: b"[" + content + b"]",
}
"""What an input can be, and how it becomes a file."""

MODULE = state_dict(
    ("_parameters", state_dict(("weight", tensor()))), ("_buffers", b"}"), ("_modules", b"}"), ("mode", text("r"))
)
WORDS = (
    tensor(),
    tensor((4,), (1,), function="_rebuild_tensor"),
    storage(),
    array_pickle(),
    name("collections", "OrderedDict") + b")R",
    name("ntm.ntm", "NTM") + b")\x81" + MODULE + b"b",
    name("torch._utils", "_rebuild_parameter"),
    name("torch.nn.functional", "relu"),
    name("numpy.core.multiarray", "scalar"),
    name("os", "system"),
    text("_metadata"),
    b"](K\x01K\x02e",
    b"}(K\x01K\x02u",
    b"\x8f(K\x01\x90",
    b"q\x01h\x01",
    b'"a":{"dtype":"BF16","shape":[2,4],"data_offsets":[0,16]}',
    b"[1,2.5e3,",
    b"NaN",
    *(value.to_bytes(size, "little", signed=True) for value in (-1, 0, 1, 127) for size in (1, 2, 4, 8)),
    *(value.to_bytes(8, "little") for value in (1 << 31, 1 << 32, 1 << 62, (1 << 64) - 1)),
)
"""Pieces that files are made of, put in at random."""


class Input(NamedTuple):
    """The content of one part of a file."""

    part: str
    content: bytes

    def file(self) -> bytes:
        return PARTS[self.part](self.content)


@dataclass
class Report:
    """What a run found."""

    inputs: int = 0
    seconds: float = 0.0
    """Of processor time."""
    opened: int = 0
    """Inputs that were not refused."""
    reasons: int = 0
    """Different ones among those of the refusals, names and numbers aside."""
    kinds: dict[str, int] = field(default_factory=dict)
    steps: int = 0
    """Pairs of lines that followed one another, in the package."""
    kept: int = 0
    slowest_seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    @property
    def inputs_per_second(self) -> float:
        return self.inputs / self.seconds


class Coverage:
    """The pairs of lines of the package that have followed one another so far."""

    def __init__(self) -> None:
        self.steps: set[tuple[str, int, int]] = set()
        self._before = 0

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Notes the steps of what runs inside."""
        before = sys.gettrace()
        sys.settrace(self._on_call)
        try:
            yield
        finally:
            sys.settrace(before)

    def _on_call(self, frame: FrameType, _event: str, _value: Any) -> Callable[..., Any] | None:
        return self._on_line if frame.f_code.co_filename.startswith(_PACKAGE) else None

    def _on_line(self, frame: FrameType, event: str, _value: Any) -> Callable[..., Any]:
        if event == "line":
            self.steps.add((frame.f_code.co_filename, self._before, frame.f_lineno))
            self._before = frame.f_lineno
        return self._on_line


def first_inputs() -> list[Input]:
    """The inputs to start from."""
    files = [Input("file", content) for content in seeds().values()]
    network = state_dict(("weight", tensor()), ("module", name("ntm", "NTM") + b")\x81" + MODULE + b"b"))
    header = json.dumps({"__metadata__": {"a": "b"}, "weight": entry()}).encode()
    return [
        *files,
        Input("pickle of a zip", pickled(network)),
        Input("pickle of a legacy file", pickled(network)),
        Input("pickle of an array", object_array(array_pickle())),
        Input("header of safetensors", header),
        Input("content of JSON", b"1, -2.5, 3e-7"),
    ]


def change(content: bytes, draw: random.Random, others: list[Input]) -> bytes:
    """The content with a few changes."""
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 1, 2, 4))):
        place = draw.randrange(len(changed) + 1)
        end = min(len(changed), place + draw.choice((1, 1, 2, 4, 8, 32)))
        kind = draw.randrange(7)
        if kind == 0 and place < len(changed):
            changed[place] ^= 1 << draw.randrange(8)
        elif kind == 1 and place < len(changed):
            changed[place] = draw.randrange(256)
        elif kind == 2:
            changed[place:place] = draw.choice(WORDS)
        elif kind == 3:
            word = draw.choice(WORDS)
            changed[place : place + len(word)] = word
        elif kind == 4:
            del changed[place:end]
        elif kind == 5:
            changed[place:place] = changed[place:end] * draw.choice((1, 2, 40))
        else:
            other = draw.choice(others).content
            start = draw.randrange(len(other) + 1)
            changed[place:] = other[start:]
    return bytes(changed[:MOST_BYTES])


def fuzz(inputs: int, seed: int = 0) -> Report:
    """What `inputs` changed files lead to; the same seed leads to the same files."""
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    corpus = {True: first_inputs(), False: first_inputs()}  # what opened, and all
    coverage = Coverage()
    report = Report()
    reasons: set[str] = set()
    kinds: Counter[str] = Counter()
    start = time.process_time()
    while report.inputs < inputs:
        report.inputs += 1
        parent = draw.choice(corpus[draw.random() < 0.6])
        tried = Input(parent.part, change(parent.content, draw, corpus[False]))
        known, before = len(coverage.steps), time.process_time()
        outcome = attempt(tried, coverage)
        seconds = time.process_time() - before
        report.slowest_seconds = max(report.slowest_seconds, seconds)
        if seconds > MOST_SECONDS:
            report.failures.append(f"{tried!r}: {seconds} seconds")
        if outcome.failure is not None:
            report.failures.append(f"{tried!r}: {outcome.failure}")
        if outcome.kind is not None:
            kinds[outcome.kind] += 1
        reasons.add(re.sub(r"'.*?'|\d+", "", outcome.reason))
        if len(coverage.steps) > known:
            report.kept += 1
            corpus[False].append(tried)
            if outcome.kind is not None:
                corpus[True].append(tried)
    report.seconds = time.process_time() - start
    report.opened, report.kinds = kinds.total(), dict(kinds)
    report.reasons, report.steps = len(reasons), len(coverage.steps)
    return report


class Outcome(NamedTuple):
    """How an input ended: opened as a kind, refused with a reason, or as it must not."""

    kind: str | None = None
    reason: str = ""
    failure: str | None = None


def attempt(tried: Input, coverage: Coverage) -> Outcome:
    try:
        with coverage.listening():
            container = open_container(tried.file(), LIMITS)
        check(container)
    except CheckpointError as error:
        reason = str(error)
        return Outcome(reason=reason, failure=None if len(reason.encode()) < 2000 else "the reason is too long")
    except Exception as error:  # noqa: BLE001 - that is what a fuzzer looks for
        return Outcome(failure=f"{type(error).__name__}: {error}")
    return Outcome(kind=container.kind)


def check(container: Container) -> None:
    """AssertionError unless a container keeps its promises."""
    assert is_inert(container.root)
    document, arrays = pack(container)
    text = json.dumps(document, allow_nan=False)
    text.encode()
    assert pack(unpack(json.loads(text), arrays))[0] == document
    assert sum(array.size for array in arrays) <= LIMITS.max_elements
    with contextlib.suppress(CheckpointError):  # a root need not hold a tensor
        flatten(container.root)


def is_inert(value: Any) -> bool:
    """Whether a value is what a root may be made of."""
    if isinstance(value, np.ndarray):
        is_whole = value.flags.c_contiguous and value.flags.writeable and value.base is None
        return is_whole and value.dtype in (np.float32, np.float64) and bool(np.isfinite(value).all())
    if type(value) in (list, tuple):
        return all(map(is_inert, value))
    if type(value) is dict:
        return all(type(key) in (str, int) and is_inert(item) for key, item in value.items())
    if type(value) is Record:
        return is_inert(value.fields)
    return value is None or type(value) in (str, int, bool, float, Unread)


if __name__ == "__main__":
    found = fuzz(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    sys.stdout.write(json.dumps({**asdict(found), "inputs_per_second": found.inputs_per_second}, indent=1) + "\n")
