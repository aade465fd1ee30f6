"""The server's settings: read from the environment (NTM_SCOPE_…) or given by the command line, never at import."""

import ipaddress
import os
import re
import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ntm_core.compiled import BUILDING
from ntm_core.errors import NtmError

DEFAULT_PORT = 8347
MEBIBYTE = 1024 * 1024

LogLevel = Literal["error", "warning", "info", "debug"]

_PREFIX = "NTM_SCOPE_"
_DAY = 86_400.0
_HOST_NAME = re.compile("[0-9A-Za-z._-]+")


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return _PREFIX + name.upper()


def unknown_variables(environment: Iterable[str]) -> Iterator[str]:
    """One sentence for each variable of the environment that is named as a setting and is none."""
    known = list(Settings.model_fields)
    for name in environment:
        if name.upper() == BUILDING or not name.upper().startswith(_PREFIX):
            continue
        setting = name[len(_PREFIX) :].lower()
        if setting not in known:
            near = get_close_matches(setting, known, 1)
            yield f"{name} is no setting, and is ignored{f': did you mean {variable(near[0])}?' if near else ''}"


def default_data_directory() -> Path:
    """Where this platform keeps a program's own data, in a folder `ntm-scope`; NtmError if there is no such place."""
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Application Support"
        else:
            base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    except RuntimeError:
        raise NtmError(
            "there is no home directory to store uploads and runs in: name a directory with --data-directory or "
            "NTM_SCOPE_DATA_DIRECTORY"
        ) from None
    return base / "ntm-scope"


class Settings(BaseSettings):
    """Where the server listens, whom it answers, where it stores uploads, and every limit."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="forbid", frozen=True, allow_inf_nan=False)

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address to listen on; for 0.0.0.0 or ::, see NTM_SCOPE_ALLOWED_HOSTS.",
    )
    port: int = Field(DEFAULT_PORT, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Further names by which a browser may reach the server, separated by commas, without ports."
    )
    data_directory: Path = Field(
        default_factory=default_data_directory, description="Where uploads and training runs are stored."
    )
    log_level: LogLevel = Field("warning", description="How much the log tells: error, warning, info or debug.")

    max_request_bytes: int = Field(2 * MEBIBYTE, ge=1024, description="Bytes of any request body other than an upload.")
    max_upload_bytes: int = Field(64 * MEBIBYTE, ge=1024, description="Bytes of one uploaded checkpoint or trace.")
    max_uploads: int = Field(50, ge=1, description="Number of uploads that are stored; the longest unused make room.")
    max_stored_bytes: int = Field(1024 * MEBIBYTE, ge=1024, description="Bytes of all stored uploads together.")
    import_memory_bytes: int = Field(
        1024 * MEBIBYTE, ge=64 * MEBIBYTE, description="Memory of the process that parses an upload."
    )
    import_seconds: float = Field(60.0, gt=0, le=_DAY, description="Seconds in which an upload must have been parsed.")
    max_concurrent_uploads: int = Field(2, ge=1, description="Uploads received at the same time.")
    max_traces: int = Field(
        64, ge=1, le=1024, description="Traces and analyses under way at the same time; they take turns."
    )
    trace_threads: int = Field(4, ge=1, le=64, description="Threads in which traces and analyses take turns.")
    max_recording_bytes: int = Field(
        1024 * MEBIBYTE, ge=1024, description="Bytes of all traces that are being recorded; one alone may have more."
    )
    max_steps: int = Field(10_000, ge=1, description="T, the steps of one trace.")
    max_memory_size: int = Field(4096, ge=1, description="N, the memory locations of a machine.")
    max_word_size: int = Field(512, ge=1, description="W, the cells at a memory location.")
    max_trace_bytes: int = Field(128 * MEBIBYTE, ge=1024, description="Bytes of one trace on the wire.")
    max_trainings: int = Field(1, ge=1, le=64, description="Runs trained at the same time; others wait for their turn.")
    training_threads: int = Field(
        1, ge=1, le=64, description="Threads in which one run is trained, where its batches are large enough to share."
    )
    max_runs: int = Field(50, ge=1, description="Runs that are stored.")
    max_training_cells: int = Field(
        1 << 28, ge=1, description="Memory cells of all steps of a training batch: T x batch x N x W."
    )
    max_training_bytes: int = Field(
        4096 * MEBIBYTE,
        ge=1024,
        description="Memory of one run: its parameters with their copies, and what an iteration keeps of its steps.",
    )
    max_training_seconds: float = Field(3600.0, gt=0, le=365 * _DAY, description="Seconds after which a run is paused.")
    max_analysis_cells: int = Field(
        1 << 32, ge=1, description="Numbers that one analysis computes or compares, such as memory cells of all steps."
    )
    cached_machines: int = Field(4, ge=1, description="Machines kept ready in memory.")
    cached_trace_bytes: int = Field(256 * MEBIBYTE, ge=0, description="Bytes of finished traces kept in memory.")
    body_seconds: float = Field(60.0, gt=0, le=_DAY, description="Seconds in which a request's body must have arrived.")
    stall_seconds: float = Field(
        30.0, gt=0, le=_DAY, description="Seconds after which a client that takes no bytes is left."
    )

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, (name.strip() for name in value.split(",")))) if isinstance(value, str) else value

    @field_validator("allowed_hosts")
    @classmethod
    def _names_alone(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [name for name in value if not _is_host(name)]
        if wrong:
            raise ValueError(
                f"{wrong[0]!r} is no name of a host: give each without scheme, port and path, as in scope.example or "
                "[fd00::1]; none stands for all"
            )
        return value

    @field_validator("host", mode="before")
    @classmethod
    def _without_brackets(cls, value: Any) -> Any:
        bracketed = isinstance(value, str) and value.startswith("[") and value.endswith("]")
        return value[1:-1] if bracketed else value

    @field_validator("host")
    @classmethod
    def _can_be_asked_for(cls, value: str) -> str:
        try:
            value.encode("idna")
        except UnicodeError:
            raise ValueError("no host can have this name") from None
        return value

    @field_validator("data_directory", mode="before")
    @classmethod
    def _is_named(cls, value: Any) -> Any:
        if value == "":
            raise ValueError("it must name a directory")
        return value


def _is_host(name: str) -> bool:
    """Whether a Host header can carry this name, or this address with or without its brackets."""
    if ":" not in name:
        return _HOST_NAME.fullmatch(name) is not None
    try:
        address = ipaddress.IPv6Address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
    except ValueError:
        return False
    return address.scope_id is None
