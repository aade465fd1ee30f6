"""Writing a file so that a reader, or a crash, never meets half of it."""

import os
import secrets
from pathlib import Path


def atomic_write(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace the file's content by `data`: after a crash at any moment it holds the old content or the new.

    A link stays one, and the file that it leads to is replaced. What is no file, such as a pipe or a device, is written
    to. OSError names the path that was asked for.
    """
    asked = Path(path)
    try:
        if asked.exists() and not asked.is_file():
            asked.write_bytes(data)
        else:
            _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        error.filename = os.fspath(path)
        del error.filename2
        raise


def write_part(target: Path, data: bytes) -> Path:
    """A file beside the target that holds the data and is to take its place; nothing is left where that fails."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _replace(target: Path, data: bytes) -> None:
    temporary = write_part(target, data)
    try:
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
