"""Files that people uploaded: written whole or not at all, under a quota that the least recently used make room for.

An entry is some files of one name and different suffixes, in a folder of the data directory. One of them, the folder's
`commit` suffix, is written last and removed first: an entry is there exactly if that file is. The `.json` file, the
name that a person gave, carries the time of the last use as its own.

What a process that was killed left half-written is removed when the next one starts.
"""

import errno
import json
import logging
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ntm_core.atomic import write_part
from server.errors import CannotStore
from server.settings import Settings
from server.stores.showing import why_not_shown

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
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return entry
        return name if isinstance(name, str) and why_not_shown(name) is None else entry

    def put(self, folder: Folder, entry: str, name: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
        """Write an entry, or some of its files anew; the names of those that then made room for it.

        CannotStore if there is no room, even without all that is not in use, or if the disk will not take it; then
        no entry is lost, also none that would have made room. One that was there may have its new name already.
        """
        files = {".json": json.dumps({"name": name}).encode(), **files}
        with self._lock:
            kept = sum(path.stat().st_size for path in self._files(folder, entry) if path.suffix not in files)
            going = self._in_the_way(entry, kept + sum(map(len, files.values())))
            with _refused("the upload cannot be written"):
                parts = self._parts(folder, entry, files)
                try:
                    for suffix in sorted(parts, key=lambda suffix: suffix == folder.commit):
                        parts[suffix].replace(self.path(folder, entry, suffix))
                except OSError:
                    _discard(parts.values())
                    if not self.has(folder, entry):
                        _discard(self._files(folder, entry))
                    raise
            return self._make_room(going)

    def remove(self, folder: Folder, entry: str) -> None:
        """Remove an entry. CannotStore if the disk does not let go of it."""
        with self._lock, _refused(f"{entry} cannot be deleted"):
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
        found = [path for path in self._directory(folder).glob(f"{entry}.*") if path.stem == entry and path.is_file()]
        return sorted(found, key=lambda path: path.suffix != folder.commit)

    def _remove_files(self, folder: Folder, entry: str) -> None:
        """Remove an entry. OSError if it stays; a file beside the committing one may, until the next start."""
        self.path(folder, entry).unlink(missing_ok=True)
        _discard(self._files(folder, entry))

    def _parts(self, folder: Folder, entry: str, files: Mapping[str, bytes]) -> dict[str, Path]:
        """The files of an entry beside the places that they will take, by suffix; OSError, and then none is left."""
        parts: dict[str, Path] = {}
        try:
            self._directory(folder).mkdir(parents=True, exist_ok=True)
            for suffix, data in files.items():
                target = self.path(folder, entry, suffix)
                if target.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target.name)
                parts[suffix] = write_part(target, data)
        except OSError:
            _discard(parts.values())
            raise
        return parts

    def _make_room(self, going: Iterable[tuple[Folder, str]]) -> tuple[str, ...]:
        """Remove entries, as far as the disk lets go of them; the names of those that went."""
        gone = []
        for folder, entry in going:
            try:
                self._remove_files(folder, entry)
            except OSError as error:
                logger.warning("upload %s should make room for another and cannot be deleted: %s", entry, error)
            else:
                logger.info("upload %s was used longest ago and makes room for another", entry)
                gone.append(entry)
        return tuple(gone)

    def _in_the_way(self, entry: str, size: int) -> list[tuple[Folder, str]]:
        """The entries that were used longest ago, as many as must go for this one to fit; CannotStore if it cannot."""
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
        return going

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


@contextmanager
def _refused(what: str) -> Iterator[None]:
    """An OSError becomes a CannotStore that says what could not be done, and not where on this computer."""
    try:
        yield
    except OSError as error:
        raise CannotStore(f"{what}: {error.strerror}") from error


def _discard(files: Iterable[Path]) -> None:
    """Remove files that nobody needs, as far as the disk lets go of them."""
    for file in files:
        with suppress(OSError):
            file.unlink(missing_ok=True)


def _time_of(path: Path) -> float:
    """When a file was last changed; 0 if it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
