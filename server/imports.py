"""From an uploaded file of any program to a checkpoint: its bytes are parsed in a process of their own."""

from typing import Any

from ntm_core.checkpoints.containers.transport import read_packed, unpack
from ntm_core.checkpoints.importers import Contents, Wishes, import_contents
from ntm_core.checkpoints.native import Checkpoint, CheckpointLimits
from server.sandbox import Sandbox, SandboxLimits
from server.settings import Settings


class FileReader:
    """Reads files of other programs. Any thread may call it."""

    def __init__(self, settings: Settings) -> None:
        limits = SandboxLimits(memory_bytes=settings.import_memory_bytes, wall_seconds=settings.import_seconds)
        self._limits = CheckpointLimits(max_bytes=settings.max_upload_bytes)
        self._sandbox = Sandbox(read_packed, limits)

    def read(self, data: bytes, wishes: Wishes | None = None) -> Checkpoint:
        """The checkpoint that a file holds, as wished or as it seems; CheckpointError says why there is none."""
        options: dict[str, Any] = {"max_bytes": self._limits.max_bytes}
        document, arrays = self._sandbox.run(data, options)
        contents = Contents.of(unpack(document, arrays))
        return import_contents(contents, wishes, self._limits).checkpoint()

    def close(self) -> None:
        """End the process that waits for the next file."""
        self._sandbox.close()
