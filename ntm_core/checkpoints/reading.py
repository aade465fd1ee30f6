"""Any checkpoint: a native file as it is, and a file of another program through the importer that knows it."""

import os
from pathlib import Path

from ntm_core.checkpoints.containers import ContainerLimits, open_container
from ntm_core.checkpoints.importers import Contents, Wishes, import_contents
from ntm_core.checkpoints.native import Checkpoint, CheckpointLimits, is_native, load_checkpoint, read_bytes
from ntm_core.errors import CheckpointError


def read_checkpoint(
    source: str | os.PathLike[str] | bytes, wishes: Wishes | None = None, limits: CheckpointLimits | None = None
) -> Checkpoint:
    """The checkpoint in a file or in its bytes; `CheckpointError` names what is wrong with it.

    No code of the file is run. `wishes` decide about an import, and are refused for a native file.
    """
    limits = limits or CheckpointLimits()
    data = source if isinstance(source, bytes) else read_bytes(Path(source), limits)
    if is_native(data):
        if wishes not in (None, Wishes()):
            raise CheckpointError("this is a native checkpoint, which says all itself: nothing about it can be wished")
        return load_checkpoint(data, limits)
    contents = Contents.of(open_container(data, ContainerLimits(max_bytes=limits.max_bytes)))
    return import_contents(contents, wishes, limits).checkpoint()
