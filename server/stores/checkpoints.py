"""Checkpoints on disk: the shipped ones, which stay, and uploads, which come and go.

An upload is two files in the data directory, named after the hash of its content: `upload-….safetensors`, the bytes as
they came, and `upload-….json`, the name that a person gave it. The second is written first, so an upload is there
exactly if its `.safetensors` is. Both are written whole or not at all.
"""

import hashlib
import json
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from ntm_core.atomic import atomic_write
from ntm_core.checkpoints.native import Checkpoint, CheckpointLimits, load_checkpoint
from ntm_core.config import MachineConfig
from ntm_core.errors import CheckpointError, NtmError, TaskError
from ntm_core.tasks import Task, parse_task
from ntm_core.trace import DType
from server.errors import CannotStore, LimitExceeded, ShippedCheckpoint, UnknownCheckpoint
from server.settings import Settings

logger = logging.getLogger("ntm_scope")

MAX_ABOUT_BYTES = 256 * 1024
"""What an upload may say about itself, as JSON: the list of checkpoints carries it."""

_MAX_DEPTH = 32
_UPLOAD = re.compile(r"upload-[0-9a-f]{12}")


@dataclass(frozen=True)
class CheckpointInfo:
    """One stored checkpoint and what it says about itself, without its tensors."""

    id: str
    name: str
    source: Literal["shipped", "uploaded"]
    path: Path
    bytes: int
    about: Checkpoint
    parameters: int
    dtype: DType
    task: Task | None
    warnings: tuple[str, ...]


class CheckpointStore:
    """The checkpoints that there are. Every method may be called from any thread."""

    def __init__(self, shipped: Mapping[str, Path], settings: Settings) -> None:
        self._shipped = dict(shipped)
        self._settings = settings
        self._directory = settings.data_directory / "checkpoints"
        self._lock = threading.RLock()
        self._known: dict[str, CheckpointInfo] = {}

    def list(self) -> tuple[CheckpointInfo, ...]:
        """All checkpoints: shipped ones in their order, then uploads, the oldest first; without unreadable files."""
        found = []
        for checkpoint_id in (*self._shipped, *self._uploaded()):
            try:
                found.append(self.info(checkpoint_id))
            except (NtmError, LimitExceeded, UnknownCheckpoint) as error:
                logger.warning("checkpoint %s is left out of the list: %s", checkpoint_id, error)
        return tuple(found)

    def info(self, checkpoint_id: str) -> CheckpointInfo:
        """What is known about one checkpoint. UnknownCheckpoint; CheckpointError if its file cannot be read."""
        with self._lock:
            path = self._path(checkpoint_id)
            if checkpoint_id not in self._known:
                checkpoint = self._read(checkpoint_id, path)
                name = self._name(checkpoint_id)
                self._known[checkpoint_id] = _info(checkpoint_id, name, path, path.stat().st_size, checkpoint)
            return self._known[checkpoint_id]

    def load(self, checkpoint_id: str) -> Checkpoint:
        """A checkpoint with its tensors, read from its file."""
        return self._read(checkpoint_id, self._path(checkpoint_id))

    def add(self, data: bytes, name: str) -> CheckpointInfo:
        """Store an upload under the hash of its content; the same content again only takes the new name.

        CheckpointError if it is not a native checkpoint, LimitExceeded if its machine is too large for this server,
        CannotStore if there is no room.
        """
        checkpoint = load_checkpoint(data, self._limits())
        self._check_machine(checkpoint.config)
        _check_about(checkpoint)
        checkpoint_id = f"upload-{hashlib.sha256(data).hexdigest()[:12]}"
        path = self._directory / f"{checkpoint_id}.safetensors"
        info = _info(checkpoint_id, name, path, len(data), checkpoint)
        with self._lock:
            self._check_room(checkpoint_id, len(data))
            try:
                self._directory.mkdir(parents=True, exist_ok=True)
                atomic_write(path.with_suffix(".json"), json.dumps({"name": name}).encode())
                atomic_write(path, data)
            except OSError as error:
                raise CannotStore(f"the upload cannot be written to {self._directory}: {error.strerror}") from error
            self._known[checkpoint_id] = info
        return info

    def delete(self, checkpoint_id: str) -> None:
        """Remove an upload. ShippedCheckpoint, UnknownCheckpoint."""
        if checkpoint_id in self._shipped:
            raise ShippedCheckpoint(f"{checkpoint_id!r} came with the program: only uploads can be deleted")
        with self._lock:
            path = self._path(checkpoint_id)
            path.unlink()
            path.with_suffix(".json").unlink(missing_ok=True)
            self._known.pop(checkpoint_id, None)

    def _path(self, checkpoint_id: str) -> Path:
        if checkpoint_id in self._shipped:
            return self._shipped[checkpoint_id]
        path = self._directory / f"{checkpoint_id}.safetensors"
        if not _UPLOAD.fullmatch(checkpoint_id) or not path.is_file():
            raise UnknownCheckpoint(f"there is no checkpoint {checkpoint_id!r}", "checkpoint")
        return path

    def _name(self, checkpoint_id: str) -> str:
        if checkpoint_id in self._shipped:
            return checkpoint_id
        try:
            name = json.loads((self._directory / f"{checkpoint_id}.json").read_bytes())["name"]
        except (OSError, ValueError, KeyError, TypeError):
            return checkpoint_id
        return name if isinstance(name, str) else checkpoint_id

    def _read(self, checkpoint_id: str, path: Path) -> Checkpoint:
        checkpoint = load_checkpoint(path, None if checkpoint_id in self._shipped else self._limits())
        self._check_machine(checkpoint.config)
        return checkpoint

    def _uploaded(self) -> tuple[str, ...]:
        """The ids of all uploads, the oldest first."""
        paths = [path for path in self._directory.glob("upload-*.safetensors") if _UPLOAD.fullmatch(path.stem)]
        return tuple(path.stem for path in sorted(paths, key=lambda path: (path.stat().st_mtime, path.stem)))

    def _check_room(self, checkpoint_id: str, size: int) -> None:
        others = [
            path.stat().st_size for path in self._directory.glob("upload-*.safetensors") if path.stem != checkpoint_id
        ]
        if len(others) >= self._settings.max_uploads:
            raise CannotStore(
                f"{len(others)} uploads are stored: the limit is {self._settings.max_uploads}, so delete one first"
            )
        if sum(others) + size > self._settings.max_stored_bytes:
            raise CannotStore(
                f"with this upload {sum(others) + size} bytes would be stored: "
                f"the limit is {self._settings.max_stored_bytes}, so delete one first"
            )

    def _check_machine(self, config: MachineConfig) -> None:
        for name, limit in (
            ("memory_size", self._settings.max_memory_size),
            ("word_size", self._settings.max_word_size),
        ):
            if getattr(config, name) > limit:
                raise LimitExceeded(f"the machine's {name} is {getattr(config, name)}: the limit is {limit}")

    def _limits(self) -> CheckpointLimits:
        return CheckpointLimits(max_bytes=self._settings.max_upload_bytes)


def _info(checkpoint_id: str, name: str, path: Path, size: int, checkpoint: Checkpoint) -> CheckpointInfo:
    task, warnings = _task_of(checkpoint)
    return CheckpointInfo(
        id=checkpoint_id,
        name=name,
        source="uploaded" if _UPLOAD.fullmatch(checkpoint_id) else "shipped",
        path=path,
        bytes=size,
        about=Checkpoint(
            checkpoint.config, {}, checkpoint.task, checkpoint.training, checkpoint.results, checkpoint.card
        ),
        parameters=checkpoint.parameters,
        dtype="float64" if next(iter(checkpoint.tensors.values())).dtype == torch.float64 else "float32",
        task=task,
        warnings=checkpoint.config.warnings + warnings,
    )


def _task_of(checkpoint: Checkpoint) -> tuple[Task | None, tuple[str, ...]]:
    """The task that the machine was trained on, if this version knows it and it fits; else why not."""
    if checkpoint.task is None:
        return None, ()
    try:
        task = parse_task(checkpoint.task)
    except TaskError as error:
        return None, (f"The task it was trained on is not one that this version knows: {error}.",)
    channels = (len(task.input_channels), len(task.output_channels))
    config = checkpoint.config
    if channels != (config.input_size, config.output_size):
        return None, (_channels_differ(task, config),)
    return task, ()


def _channels_differ(task: Task, config: MachineConfig) -> str:
    return (
        f"The task it names, {task.name}, has {len(task.input_channels)} input and {len(task.output_channels)} output "
        f"channels, but the machine has {config.input_size} and {config.output_size}."
    )


def _check_about(checkpoint: Checkpoint) -> None:
    """CheckpointError unless what the file says about itself can be shown: not too long, not nested too deep."""
    for name in ("task", "training", "results", "card"):
        value = getattr(checkpoint, name)
        if _depth(value, _MAX_DEPTH) > _MAX_DEPTH:
            raise CheckpointError(f"the checkpoint's {name} is nested more than {_MAX_DEPTH} deep: that is the limit")
        size = len(json.dumps(value))
        if size > MAX_ABOUT_BYTES:
            raise CheckpointError(f"the checkpoint's {name} has {size} characters: the limit is {MAX_ABOUT_BYTES}")


def _depth(value: object, most: int) -> int:
    """How deep lists and objects are nested in JSON data, counted up to one more than `most`."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(item, most - 1) for item in inner), default=0) if most >= 0 else 1
