"""Files that people uploaded: written whole or not at all, under a quota that the least recently used make room for.

An entry is some files of one name and different suffixes, in a folder of the data directory. One of them, the folder's
`commit` suffix, is written last and removed first: an entry is there exactly if that file is. The `.json` file, the
name that a person gave, carries the time of the last use as its own.

What a process that was killed left half-written is removed when the next one starts.
"""

import json
import logging
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ntm_core.atomic import atomic_write
from server.errors import CannotStore
from server.settings import Settings

logger = logging.getLogger("ntm_scope")


@dataclass(frozen=True)
class Folder:
    """One kind of entries: where they lie, how their names look, and which of their files is written last."""

    name: str
    pattern: re.Pattern[str]
    commit: str


CHECKPOINTS = Folder("checkpoints", re.compile(r"upload-[0-9a-f]{12}"), ".safetensors")
TRACES = Folder("traces", re.compile(r"trace-[0-9a-f]{12}"), ".npz")
FOLDERS = (CHECKPOINTS, TRACES)


class Shelf:
    """All uploads, under one quota. Every method may be called from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.RLock()
        self._held: Counter[str] = Counter()
        self._sweep()

    def path(self, folder: Folder, entry: str, suffix: str = "") -> Path:
        """Where a file of an entry is, or would be; the committing one by default."""
        return self._directory(folder) / f"{entry}{suffix or folder.commit}"

    def has(self, folder: Folder, entry: str) -> bool:
        """Whether there is such an entry; a name of another look is none."""
        return bool(folder.pattern.fullmatch(entry)) and self.path(folder, entry).is_file()

    def entries(self, folder: Folder) -> tuple[str, ...]:
        """The names of the entries of a folder, the oldest first."""
        found = [path for path in self._directory(folder).glob(f"*{folder.commit}") if self.has(folder, path.stem)]
        return tuple(path.stem for path in sorted(found, key=lambda path: (_time_of(path), path.stem)))

    def name(self, folder: Folder, entry: str) -> str:
        """What a person called an entry; its own name if that was lost."""
        try:
            name = json.loads(self.path(folder, entry, ".json").read_bytes())["name"]
        except (OSError, ValueError, KeyError, TypeError):
            return entry
        return name if isinstance(name, str) else entry

    def put(self, folder: Folder, entry: str, name: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Write an entry, or some of its files anew; the names of those that made room for it.

        CannotStore if there is no room, even without all that is not in use, or if the disk will not take it; a new
        entry then leaves nothing behind.
        """
        files = {".json": json.dumps({"name": name}).encode(), **files}
        with self._lock:
            kept = sum(path.stat().st_size for path in self._files(folder, entry) if path.suffix not in files)
            gone = self._make_room(entry, kept + sum(map(len, files.values())))
            try:
                self._directory(folder).mkdir(parents=True, exist_ok=True)
                for suffix in sorted(files, key=lambda suffix: suffix == folder.commit):
                    atomic_write(self.path(folder, entry, suffix), files[suffix])
            except OSError as error:
                if not self.has(folder, entry):
                    self._remove_files(folder, entry)
                where = self._directory(folder)
                raise CannotStore(f"the upload cannot be written to {where}: {error.strerror}") from error
        return gone

    def remove(self, folder: Folder, entry: str) -> None:
        """Remove an entry."""
        with self._lock:
            self._remove_files(folder, entry)

    def hold(self, entry: str) -> Callable[[], None]:
        """Keep an entry from making room for others until what is returned is called, and mark it as used."""
        with self._lock:
            self._held[entry] += 1
            for folder in FOLDERS:
                if self.has(folder, entry):
                    with suppress(OSError):
                        os.utime(self.path(folder, entry, ".json"))

        def release() -> None:
            with self._lock:
                self._held[entry] -= 1

        return release

    def _directory(self, folder: Folder) -> Path:
        return self._settings.data_directory / folder.name

    def _files(self, folder: Folder, entry: str) -> list[Path]:
        """All files of an entry, the committing one first."""
        found = [path for path in self._directory(folder).glob(f"{entry}.*") if path.stem == entry]
        return sorted(found, key=lambda path: path.suffix != folder.commit)

    def _remove_files(self, folder: Folder, entry: str) -> None:
        for path in self._files(folder, entry):
            path.unlink(missing_ok=True)

    def _make_room(self, entry: str, size: int) -> tuple[str, ...]:
        """Remove the entries that were used longest ago, until this one fits; none if it would not fit even so."""
        others = [(folder, other) for folder in FOLDERS for other in self.entries(folder) if other != entry]
        sizes = {other: self._size(folder, other) for folder, other in others}
        used = {other: _time_of(self.path(folder, other, ".json")) for folder, other in others}
        count, total = len(others), sum(sizes.values()) + size
        going: list[tuple[Folder, str]] = []
        for folder, other in sorted(others, key=lambda pair: used[pair[1]]):
            if count < self._settings.max_uploads and total <= self._settings.max_stored_bytes:
                break
            if not self._held[other]:
                going.append((folder, other))
                count, total = count - 1, total - sizes[other]
        if count >= self._settings.max_uploads:
            raise CannotStore(f"{count} uploads are in use: no more than {self._settings.max_uploads} are stored")
        if total > self._settings.max_stored_bytes:
            raise CannotStore(
                f"with this upload {total} bytes would be stored, even without all uploads that are not in use: "
                f"the limit is {self._settings.max_stored_bytes}"
            )
        for folder, other in going:
            logger.info("upload %s was used longest ago and makes room for another", other)
            self._remove_files(folder, other)
        return tuple(other for _, other in going)

    def _size(self, folder: Folder, entry: str) -> int:
        return sum(path.stat().st_size for path in self._files(folder, entry))

    def _sweep(self) -> None:
        """Remove what a process that was killed left: files half-written, and those of entries never committed."""
        for folder in FOLDERS:
            for path in self._directory(folder).glob("*"):
                entry = path.name.lstrip(".").partition(".")[0]
                if not folder.pattern.fullmatch(entry):
                    continue
                partly = path.name.startswith(".") and path.suffix == ".part"
                if partly or not self.has(folder, entry):
                    with suppress(OSError):
                        path.unlink()


def _time_of(path: Path) -> float:
    """When a file was last changed; 0 if it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
