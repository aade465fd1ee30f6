"""Checkpoints on disk: the shipped ones, which stay, those of training runs, and uploads, which come and go.

An upload is an entry of the shelf, named after the hash of its content: `upload-….safetensors`, the native checkpoint,
and for a file of another program `upload-….source`, the bytes as they came, so that it can be imported otherwise later.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import torch
from pydantic import ValidationError

from ntm_core.checkpoints.importers import Wishes
from ntm_core.checkpoints.native import Checkpoint, CheckpointLimits, checkpoint_bytes, is_native, load_checkpoint
from ntm_core.config import MachineConfig
from ntm_core.errors import CheckpointError, NtmError, TaskError
from ntm_core.tasks import Task, parse_task
from ntm_core.trace import DType
from server.errors import LimitExceeded, Mismatch, ShippedCheckpoint, UnknownCheckpoint, shown
from server.imports import FileReader
from server.schemas import ImportReport
from server.settings import Settings
from server.stores.shelf import CHECKPOINTS, Shelf
from server.stores.showing import why_not_shown

logger = logging.getLogger("ntm_scope")

_SOURCE = ".source"


@dataclass(frozen=True)
class CheckpointInfo:
    """One stored checkpoint and what it says about itself, without its tensors."""

    id: str
    name: str
    source: Literal["shipped", "uploaded", "trained"]
    path: Path
    version: int
    bytes: int
    about: Checkpoint
    parameters: int
    dtype: DType
    task: Task | None
    warnings: tuple[str, ...]
    imported: ImportReport | None
    importable_again: bool
    series: tuple[int, ...]


class Trained(Protocol):
    """Who knows the checkpoints of training runs."""

    def checkpoints(self) -> tuple[str, ...]:
        """The ids of the newest checkpoint of each run."""

    def checkpoint(self, checkpoint_id: str) -> tuple[Path, str] | None:
        """File and name of a run's checkpoint; None if there is none with this id."""


class CheckpointStore:
    """The checkpoints that there are. Every method may be called from any thread."""

    def __init__(
        self,
        shipped: Mapping[str, Path],
        settings: Settings,
        shelf: Shelf | None = None,
        reader: FileReader | None = None,
        trained: Trained | None = None,
    ) -> None:
        """`shipped` are files by id; ID.N is the machine of ID after N iterations of its training."""
        self._shipped = dict(shipped)
        self._settings = settings
        self._shelf = shelf or Shelf(settings)
        self._reader = reader or FileReader(settings)
        self._trained = trained
        self._lock = threading.RLock()
        self._known: dict[str, CheckpointInfo] = {}

    def list(self) -> tuple[CheckpointInfo, ...]:
        """All checkpoints: shipped ones in their order, runs, then uploads, oldest first; without unreadable files.

        What is of a series is left out: its last checkpoint is there.
        """
        found = []
        shipped = (name for name in self._shipped if "." not in name)
        trained = self._trained.checkpoints() if self._trained else ()
        for checkpoint_id in (*shipped, *trained, *self._shelf.entries(CHECKPOINTS)):
            try:
                found.append(self.info(checkpoint_id))
            except (NtmError, LimitExceeded, UnknownCheckpoint, OSError) as error:
                logger.warning("checkpoint %s is left out of the list: %s", checkpoint_id, error)
        return tuple(found)

    def info(self, checkpoint_id: str) -> CheckpointInfo:
        """What is known about one checkpoint. UnknownCheckpoint; CheckpointError if its file cannot be read."""
        with self._lock:
            path = self._path(checkpoint_id)
            known = self._known.get(checkpoint_id)
            if known is None or known.version != _version(path):
                known = self._known[checkpoint_id] = self._info(checkpoint_id, self._read(checkpoint_id, path))
            return known

    def load(self, checkpoint_id: str) -> Checkpoint:
        """A checkpoint with its tensors, read from its file."""
        return self._read(checkpoint_id, self._path(checkpoint_id))

    def add(self, data: bytes, name: str, wishes: Wishes | None = None) -> CheckpointInfo:
        """Store an upload under the hash of its content, native or of another program.

        The same content again only takes the new name, and the wishes if there are any. CheckpointError if it is no
        checkpoint, LimitExceeded if its machine is too large for this server, CannotStore if there is no room.
        """
        checkpoint_id = f"upload-{hashlib.sha256(data).hexdigest()[:12]}"
        if is_native(data):
            if wishes is not None:
                raise Mismatch("this is a native checkpoint, which says all itself: nothing about it can be wished")
            return self._store(checkpoint_id, self._reader.native(data), name, {".safetensors": data})
        if wishes is None and self._shelf.has(CHECKPOINTS, checkpoint_id):
            return self._store(checkpoint_id, self.load(checkpoint_id), name, {})
        return self._store_import(checkpoint_id, self._reader.read(data, wishes), name, {_SOURCE: data})

    def import_again(self, checkpoint_id: str, wishes: Wishes) -> CheckpointInfo:
        """The checkpoint made anew of the file that it was imported from, as wished.

        UnknownCheckpoint, Mismatch if it was not imported, and all that `add` refuses.
        """
        self._path(checkpoint_id)
        try:
            data = self._shelf.path(CHECKPOINTS, checkpoint_id, _SOURCE).read_bytes()
        except OSError:
            raise Mismatch(
                f"checkpoint {checkpoint_id!r} was not made of another program's file: there is nothing to import"
            ) from None
        name = self._shelf.name(CHECKPOINTS, checkpoint_id)
        return self._store_import(checkpoint_id, self._reader.read(data, wishes), name, {})

    def delete(self, checkpoint_id: str) -> None:
        """Remove an upload. ShippedCheckpoint, UnknownCheckpoint."""
        if checkpoint_id in self._shipped:
            raise ShippedCheckpoint(f"{checkpoint_id!r} came with the program: only uploads can be deleted")
        if self._of_run(checkpoint_id):
            raise ShippedCheckpoint(f"{checkpoint_id!r} belongs to a run: delete that")
        with self._lock:
            self._path(checkpoint_id)
            self._shelf.remove(CHECKPOINTS, checkpoint_id)
            self._known.pop(checkpoint_id, None)

    def keep(self, checkpoint_id: str, name: str) -> CheckpointInfo:
        """A copy of a checkpoint among the uploads, which stays when the checkpoint itself changes or goes."""
        return self.add(self._path(checkpoint_id).read_bytes(), name)

    def hold(self, checkpoint_id: str) -> Callable[[], None]:
        """Keep an upload from making room for others until what is returned is called."""
        return self._shelf.hold(checkpoint_id)

    def _store_import(
        self, checkpoint_id: str, checkpoint: Checkpoint, name: str, files: dict[str, bytes]
    ) -> CheckpointInfo:
        made = checkpoint_bytes(checkpoint)
        return self._store(checkpoint_id, checkpoint, name, {**files, ".safetensors": made})

    def _store(self, checkpoint_id: str, checkpoint: Checkpoint, name: str, files: dict[str, bytes]) -> CheckpointInfo:
        self._check_machine(checkpoint.config)
        _check_about(checkpoint)
        with self._lock:
            for gone in self._shelf.put(CHECKPOINTS, checkpoint_id, name, files):
                self._known.pop(gone, None)
            self._known[checkpoint_id] = info = self._info(checkpoint_id, checkpoint)
        return info

    def _info(self, checkpoint_id: str, checkpoint: Checkpoint) -> CheckpointInfo:
        path, trained = self._path(checkpoint_id), self._of_run(checkpoint_id)
        shelved = checkpoint_id not in self._shipped and trained is None
        source = self._shelf.path(CHECKPOINTS, checkpoint_id, _SOURCE) if shelved else path
        task, warnings = _task_of(checkpoint)
        imported = _report(checkpoint)
        return CheckpointInfo(
            id=checkpoint_id,
            name=self._name(checkpoint_id, trained),
            source="trained" if trained else "uploaded" if shelved else "shipped",
            path=path,
            version=_version(path),
            bytes=(source if source.is_file() else path).stat().st_size,
            about=replace(checkpoint, tensors={}),
            parameters=checkpoint.parameters,
            dtype="float64" if next(iter(checkpoint.tensors.values())).dtype == torch.float64 else "float32",
            task=task,
            warnings=checkpoint.config.warnings + warnings + (imported.warnings if imported else ()),
            imported=imported,
            importable_again=shelved and source.is_file(),
            series=self._series_of(checkpoint_id),
        )

    def _name(self, checkpoint_id: str, trained: tuple[Path, str] | None) -> str:
        if trained is not None:
            return trained[1]
        if checkpoint_id not in self._shipped:
            return self._shelf.name(CHECKPOINTS, checkpoint_id)
        name, _, iteration = checkpoint_id.partition(".")
        return f"{name}, iteration {iteration}" if iteration else name

    def _series_of(self, checkpoint_id: str) -> tuple[int, ...]:
        """The iterations N for which a shipped ID.N is there, ascending."""
        parts = (name.partition(".") for name in self._shipped)
        return tuple(sorted(int(iteration) for name, _, iteration in parts if iteration and name == checkpoint_id))

    def _path(self, checkpoint_id: str) -> Path:
        if checkpoint_id in self._shipped:
            return self._shipped[checkpoint_id]
        if trained := self._of_run(checkpoint_id):
            return trained[0]
        if not self._shelf.has(CHECKPOINTS, checkpoint_id):
            raise UnknownCheckpoint(f"there is no checkpoint {shown(checkpoint_id)}", "checkpoint")
        return self._shelf.path(CHECKPOINTS, checkpoint_id)

    def _of_run(self, checkpoint_id: str) -> tuple[Path, str] | None:
        return self._trained.checkpoint(checkpoint_id) if self._trained else None

    def _read(self, checkpoint_id: str, path: Path) -> Checkpoint:
        checkpoint = load_checkpoint(path, None if checkpoint_id in self._shipped else self._stored_limits())
        self._check_machine(checkpoint.config)
        if checkpoint_id not in self._shipped:
            _check_about(checkpoint)
        return checkpoint

    def _check_machine(self, config: MachineConfig) -> None:
        for name, limit in (
            ("memory_size", self._settings.max_memory_size),
            ("word_size", self._settings.max_word_size),
        ):
            if getattr(config, name) > limit:
                raise LimitExceeded(f"the machine's {name} is {getattr(config, name)}: the limit is {limit}")

    def _stored_limits(self) -> CheckpointLimits:
        """What was imported may take more bytes as a native file than it came in."""
        return CheckpointLimits(max_bytes=max(CheckpointLimits.max_bytes, self._settings.max_upload_bytes))


def _version(path: Path) -> int:
    """Another number whenever the file is another."""
    return path.stat().st_mtime_ns


def _report(checkpoint: Checkpoint) -> ImportReport | None:
    """What the checkpoint says of the file that it was made of; None if it was made of none, or says it otherwise."""
    try:
        return None if checkpoint.origin is None else ImportReport.model_validate(checkpoint.origin)
    except ValidationError:
        return None


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
    """CheckpointError unless what the file says about itself can be shown."""
    for name in ("task", "training", "results", "card", "origin"):
        if reason := why_not_shown(getattr(checkpoint, name)):
            raise CheckpointError(f"the checkpoint's {name} {reason}")
