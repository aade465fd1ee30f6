"""Uploaded files, each parsed first in a process of its own: whatever is in one, this process goes on."""

from ntm_core.checkpoints.containers.transport import read_packed, unpack
from ntm_core.checkpoints.importers import Contents, Wishes, import_contents
from ntm_core.checkpoints.native import Checkpoint, CheckpointLimits, load_checkpoint
from ntm_core.trace import Trace
from ntm_core.trace_file import load_trace
from server.sandbox import Sandbox, SandboxLimits
from server.settings import Settings
from server.trial import try_trace


class FileReader:
    """Reads what a stranger sent. Any thread may call it."""

    def __init__(self, settings: Settings) -> None:
        limits = SandboxLimits(memory_bytes=settings.import_memory_bytes, wall_seconds=settings.import_seconds)
        self._limits = CheckpointLimits(max_bytes=settings.max_upload_bytes)
        self._trace_limits = {"max_bytes": settings.max_trace_bytes}
        self._sandbox, self._traces = Sandbox(read_packed, limits), Sandbox(try_trace, limits)

    def read(self, data: bytes, wishes: Wishes | None = None) -> Checkpoint:
        """The checkpoint that a file holds, as wished or as it seems; CheckpointError says why there is none."""
        document, arrays = self._sandbox.run(data, {"max_bytes": self._limits.max_bytes})
        contents = Contents.of(unpack(document, arrays))
        return import_contents(contents, wishes, self._limits).checkpoint()

    def native(self, data: bytes) -> Checkpoint:
        """The native checkpoint in these bytes; CheckpointError says why there is none."""
        self._sandbox.run(data, {"max_bytes": self._limits.max_bytes})
        return load_checkpoint(data, self._limits)

    def trace(self, data: bytes) -> Trace:
        """The trace in these bytes; TraceError says why there is none."""
        self._traces.run(data, self._trace_limits)
        return load_trace(data, **self._trace_limits)

    def close(self) -> None:
        """End the processes that wait for the next file."""
        self._sandbox.close()
        self._traces.close()
