"""Functions that read what a stranger sent, each call in a process of its own that can take nothing down.

A call's process is a fresh interpreter (`sandbox_child`), never a fork of this program and its threads. It gets the
bytes through a pipe and gives JSON and safetensors back through another one; nothing is pickled, no file is written.
It ends with the call, so nothing of one upload reaches the next. Behind each call the process for the next one is
started, and waits with the function already imported: an interpreter with numpy takes longer to start than most files
take to read.

Limits on the process, beyond wall time, which holds everywhere:

* Linux: memory (address space beyond what the imports took), processor time, open files, no bytes into files, no
  child processes, and the first to go if the machine runs out of memory.
* macOS and other Unix: the same, without the limit on memory.
* Windows: none. A crash or a loop still ends with the child process alone, but its memory is not bounded.
"""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np
import safetensors.numpy

from ntm_core.errors import CheckpointError, NtmError
from server.errors import Busy

logger = logging.getLogger("ntm_scope")

Parser: TypeAlias = Callable[[bytes, dict[str, Any]], tuple[Any, Sequence[np.ndarray]]]
"""A function of a file's bytes and of options (JSON data) that returns JSON data and arrays."""

_CHILD = Path(__file__).with_name("sandbox_child.py")
_CHUNK_BYTES = 1 << 20
"""What a pipe holds (where that can be chosen), and what is read from it at once: two processes rarely wait."""
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class SandboxLimits:
    """What one call may use."""

    memory_bytes: int = 1 << 30
    """Address space beyond what the interpreter and the function's imports have taken."""
    cpu_seconds: int = 20
    """Processor time."""
    wall_seconds: float = 60.0
    """Time until the answer is complete, the start of the process included."""
    open_files: int = 16
    """File descriptors, the three pipes included."""
    result_bytes: int = 1 << 30
    """Bytes of the answer."""


class Sandbox:
    """A parser that runs outside this process. Any thread may call it, and several may at the same time.

    Args:
        parser: a function at the top level of a module; the child imports it by name.
        limits: what one call may use.
    """

    def __init__(self, parser: Parser, limits: SandboxLimits | None = None) -> None:
        self._limits = limits or SandboxLimits()
        self._setup = json.dumps(
            {
                "path": sys.path,
                "parser": f"{parser.__module__}:{parser.__qualname__}",
                "limits": asdict(self._limits),
            }
        )
        self._lock = threading.Lock()
        self._waiting: subprocess.Popen[bytes] | None = None
        self._is_open = True

    def warm(self) -> None:
        """Start the process for the next call already."""
        with self._lock:
            if self._is_open and self._waiting is None:
                self._waiting = self._start()

    def run(self, data: bytes, options: dict[str, Any] | None = None) -> tuple[Any, list[np.ndarray]]:
        """What the parser returns for `data`: JSON data, and arrays that may be written to.

        An `NtmError` of the parser is raised here again; a CheckpointError if the process exceeds a limit or ends
        without an answer; Busy if the system has no room for another process.
        """
        with self._process() as process:
            return self._answer(process, data, options or {})

    def close(self) -> None:
        """End the waiting process; later calls still work, each starting a process of its own."""
        with self._lock:
            self._is_open = False
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            _end(waiting)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _process(self) -> Iterator[subprocess.Popen[bytes]]:
        """A process for one call; when that is over, another one is started to wait for the next."""
        with self._lock:
            process, self._waiting = self._waiting, None
        if process is not None and process.poll() is not None:
            _end(process)
            process = None
        try:
            process = process or self._start()
        except OSError as error:
            raise _busy(error) from error
        try:
            yield process
        finally:
            _end(process)
            with contextlib.suppress(OSError):  # the next call will tell that nothing can be started
                self.warm()

    def _start(self) -> subprocess.Popen[bytes]:
        # Isolated: no variable of the environment and no folder but those of this program decides what it imports.
        return subprocess.Popen(  # noqa: S603 - this interpreter and a file of this package
            [sys.executable, "-I", "-B", str(_CHILD), self._setup],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pipesize=_CHUNK_BYTES,
            env={**os.environ, **_ONE_THREAD},
            start_new_session=True,
        )

    def _answer(
        self, process: subprocess.Popen[bytes], data: bytes, options: dict[str, Any]
    ) -> tuple[Any, list[np.ndarray]]:
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        watch = threading.Timer(self._limits.wall_seconds, stop)
        try:
            watch.start()
        except RuntimeError as error:  # no thread can be started
            raise _busy(error) from error
        try:
            _send(process, json.dumps(options).encode(), data)
            answer = self._receive(process)
            if answer is None:
                reason = self._reason(process.wait(), is_late=late.is_set())
                raise CheckpointError(f"the file could not be read: {reason}")
        finally:
            watch.cancel()
        return _decoded(answer)

    def _receive(self, process: subprocess.Popen[bytes]) -> bytes | None:
        """The whole answer; None if the process ended without a whole one."""
        assert process.stdout is not None
        head = process.stdout.read(8)
        size = int.from_bytes(head, "little")
        if len(head) < 8:
            return None
        if size > self._limits.result_bytes:
            raise CheckpointError(
                f"the file could not be read: its content takes {size} bytes: the limit is {self._limits.result_bytes}"
            )
        answer = bytearray()
        while len(answer) < size:
            chunk = process.stdout.read(min(_CHUNK_BYTES, size - len(answer)))
            if not chunk:
                return None
            answer += chunk
        return bytes(answer)

    def _reason(self, status: int, *, is_late: bool) -> str:
        """Why a process ended without an answer."""
        if is_late:
            return f"that took longer than {self._limits.wall_seconds:g} seconds, which is the limit"
        if sys.platform != "win32" and -status == signal.SIGXCPU:
            return f"that took more than {self._limits.cpu_seconds} seconds of processor time, which is the limit"
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"status {status}"
        logger.error("a sandboxed parser ended with %s", name)
        return f"the process that reads it ended with {name}"


def _busy(error: Exception) -> Busy:
    """What a caller is told where the system has no room for another process or thread."""
    logger.warning("the process that reads uploads cannot be started: %s", error)
    return Busy("the process that reads uploads cannot be started, so try again soon", retry_after_seconds=5)


def _send(process: subprocess.Popen[bytes], options: bytes, data: bytes) -> None:
    """Send a call; a process that ends before it has read it all says why by its status."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(len(options).to_bytes(8, "little") + options)
        process.stdin.write(data)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


def _decoded(answer: bytes) -> tuple[Any, list[np.ndarray]]:
    """The result in an answer, or its error, raised."""
    end = 8 + int.from_bytes(answer[:8], "little")
    document = json.loads(answer[8:end])
    if "error" in document:
        code, message = document["error"]
        kinds = {kind.code: kind for kind in NtmError.__subclasses__()}
        if code not in kinds:
            logger.error("a sandboxed parser failed: %s", message)
            raise CheckpointError(f"the file could not be read: {message}")
        raise kinds[code](message)
    arrays = safetensors.numpy.load(answer[end:])
    return document["result"], [arrays[str(place)].copy() for place in range(len(arrays))]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process that is still there, and give back what it held."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
