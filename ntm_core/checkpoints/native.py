"""The native checkpoint: one `.safetensors` file whose metadata says all that its tensors do not.

Metadata, version 1, every value a JSON text: `format` ("ntm-scope-checkpoint"), `format_version`, `config`
(`MachineConfig`), `task` (the task it was trained on, or null), `training` (the record of its training, or null),
`results` (measured errors, or null), `card` (what to look for when scrubbing it, or null), `origin` (of which file of
another program it was made, and how, or null; may be missing). The tensors are those of
`Machine.state_dict()`, float32 or float64, all of one dtype.

Reading trusts nothing: the header is parsed with bounds, sizes are held against limits before a machine is built, and
names and shapes must be exactly those of the config's machine.
"""

import json
import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from torch import Tensor

from ntm_core.atomic import atomic_write
from ntm_core.config import MachineConfig, describe_validation_error
from ntm_core.errors import CheckpointError
from ntm_core.heads import HeadLayout
from ntm_core.machine import Machine, output_width

FORMAT = "ntm-scope-checkpoint"
VERSION = 1
MAX_HEADER_BYTES = 4 << 20

_DTYPES = (torch.float32, torch.float64)
_OBJECTS = ("task", "training", "results", "origin")
"""What a checkpoint says of itself in JSON objects."""


@dataclass(frozen=True)
class CheckpointLimits:
    """The largest machine that a reader accepts."""

    max_bytes: int = 256 << 20
    max_memory_cells: int = 1 << 22
    """N times W."""
    max_weightings: int = 1 << 20
    """N times the number of heads."""


@dataclass(frozen=True)
class Checkpoint:
    """A machine at rest, with where it comes from.

    Attributes:
        config: the machine's config.
        tensors: its state dict.
        task: the task it was trained on, with settings, as JSON data, which a task that is given becomes; None if
            unknown.
        training: how it was trained, as JSON data; None if unknown.
        results: what was measured, as JSON data; None if nothing was.
        card: plain sentences that say what to look for; None if there are none.
        origin: which file of another program it was made of, and how, as JSON data; None if of none.
    """

    config: MachineConfig
    tensors: dict[str, Tensor]
    task: dict[str, Any] | None = None
    training: dict[str, Any] | None = None
    results: dict[str, Any] | None = None
    card: str | None = None
    origin: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in _OBJECTS:
            if isinstance(model := getattr(self, name), BaseModel):
                object.__setattr__(self, name, model.model_dump(mode="json"))

    @classmethod
    def of(cls, machine: Machine, **about: Any) -> "Checkpoint":
        """The checkpoint of a machine as it is now; its tensors are copies."""
        return cls(
            machine.config, {name: value.detach().clone() for name, value in machine.state_dict().items()}, **about
        )

    @property
    def parameters(self) -> int:
        """How many numbers its tensors hold."""
        return sum(tensor.numel() for tensor in self.tensors.values())

    def machine(self) -> Machine:
        """The machine, ready to run."""
        machine = Machine(self.config).to(next(iter(self.tensors.values())).dtype)
        machine.load_state_dict(self.tensors)
        return machine.eval().requires_grad_(False)


def checkpoint_bytes(checkpoint: Checkpoint) -> bytes:
    """The bytes of a native checkpoint file. CheckpointError, as from the reader, for what could not be read again."""
    require_readable(checkpoint.config)
    _check_tensors(checkpoint.config, checkpoint.tensors)
    about = {name: getattr(checkpoint, name) for name in ("task", "training", "results", "card")}
    if checkpoint.origin is not None:
        about["origin"] = checkpoint.origin
    metadata = {
        "format": FORMAT,
        "format_version": str(VERSION),
        "config": checkpoint.config.model_dump_json(),
        **{name: _json_text(value, name) for name, value in about.items()},
    }
    _about(metadata)
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()}
    data, most = _canonical(safetensors.torch.save(tensors, metadata)), CheckpointLimits().max_bytes
    _metadata(data)
    if len(data) > most:
        raise CheckpointError(f"the file would have {len(data)} bytes, more than the limit of {most}")
    return data


def _json_text(value: object, name: str) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"the checkpoint's {name} cannot be written as JSON: {error}") from None


def _canonical(data: bytes) -> bytes:
    """The same safetensors file with its metadata in order, so that the same checkpoint is the same bytes."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint file, all of it or nothing."""
    atomic_write(path, checkpoint_bytes(checkpoint))


def load_checkpoint(source: str | os.PathLike[str] | bytes, limits: CheckpointLimits | None = None) -> Checkpoint:
    """The checkpoint in a file or in its bytes; `CheckpointError` names what is wrong with it."""
    limits = limits or CheckpointLimits()
    data = source if isinstance(source, bytes) else read_bytes(Path(source), limits)
    if len(data) > limits.max_bytes:
        raise CheckpointError(f"the file has {len(data)} bytes, more than the limit of {limits.max_bytes}")
    metadata = _metadata(data)
    config = _config(metadata)
    require_readable(config, limits)
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError, OverflowError) as error:
        raise CheckpointError(f"this is not a readable safetensors file: {error}") from None
    _check_tensors(config, tensors)
    return Checkpoint(config, tensors, **_about(metadata))


def is_native(data: bytes) -> bool:
    """Whether a file says of itself that it is a native checkpoint; it may still be a broken one."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(len(data) - 8, MAX_HEADER_BYTES):
        return False
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError):
        return False
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return isinstance(metadata, dict) and metadata.get("format") == FORMAT


def read_bytes(path: Path, limits: CheckpointLimits) -> bytes:
    """The content of a file, as much of it as shows that it is too large; `CheckpointError` if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(limits.max_bytes + 1)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None


def _metadata(data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file: 8 bytes of header length, then a JSON header."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > len(data) - 8:
        raise CheckpointError("this is not a safetensors file: its header does not fit into it")
    if size > MAX_HEADER_BYTES:
        raise CheckpointError(f"the header has {size} bytes, more than the limit of {MAX_HEADER_BYTES}")
    header = _json(data[8 : 8 + size], "the header")
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise CheckpointError(f"this file is not an NTM Scope checkpoint: its metadata must say format {FORMAT!r}")
    if metadata.get("format_version") != str(VERSION):
        raise CheckpointError(
            f"checkpoint version {metadata.get('format_version')!r} is unknown: this program reads version {VERSION}"
        )
    return {name: value for name, value in metadata.items() if isinstance(value, str)}


def _config(metadata: dict[str, str]) -> MachineConfig:
    try:
        return MachineConfig.model_validate(_json(metadata.get("config", "null"), "config"))
    except ValidationError as error:
        raise CheckpointError(f"the checkpoint's config is wrong: {describe_validation_error(error)}") from None


def require_readable(config: MachineConfig, limits: CheckpointLimits | None = None) -> None:
    """CheckpointError if a machine is larger than what a reader accepts."""
    limits = limits or CheckpointLimits()
    cells = config.memory_size * config.word_size
    if cells > limits.max_memory_cells:
        raise CheckpointError(
            f"memory_size {config.memory_size} x word_size {config.word_size} is {cells} cells, "
            f"more than the limit of {limits.max_memory_cells}"
        )
    weightings = config.memory_size * config.heads
    if weightings > limits.max_weightings:
        raise CheckpointError(
            f"memory_size {config.memory_size} x {config.heads} heads is {weightings} weights a step, "
            f"more than the limit of {limits.max_weightings}"
        )


def _check_tensors(config: MachineConfig, tensors: dict[str, Tensor]) -> None:
    given, least = sum(tensor.numel() for tensor in tensors.values()), _least_parameters(config)
    if given < least:
        raise CheckpointError(f"the tensors hold {given} numbers, but the config asks for more than {least}")
    expected = Machine(config).state_dict()
    for name in sorted(expected.keys() ^ tensors.keys()):
        state = "is missing" if name in expected else "is not part of this machine"
        raise CheckpointError(f"tensor {name!r} {state}")
    dtypes = {tensor.dtype for tensor in tensors.values()}
    if len(dtypes) != 1 or not dtypes <= set(_DTYPES):
        names = ", ".join(sorted(str(dtype).removeprefix("torch.") for dtype in dtypes))
        raise CheckpointError(f"the tensors are {names}: all must be float32, or all float64")
    for name, tensor in tensors.items():
        found, asked = tuple(tensor.shape), tuple(expected[name].shape)
        if found != asked:
            raise CheckpointError(f"tensor {name!r} has shape {found}, but the config asks for {asked}")
        if not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"tensor {name!r} holds NaN or infinity")


def _least_parameters(config: MachineConfig) -> int:
    """Fewer numbers than a machine of this config holds, and at least an eighth of them, found without building it."""
    sizes = config.layer_sizes
    widths = (config.input_size + config.read_heads * config.word_size, *sizes)
    layout = HeadLayout.of(config)
    memory_is_held = config.initial_memory not in ("constant", "zeros", "fresh_uniform")
    weighting_is_held = config.initial_weighting in ("learned", "learned_decaying", "given")
    weights = [
        sum(width * size for width, size in pairwise(widths)),
        sum(size * size for size in sizes) * (config.controller != "feedforward"),
        sizes[-1] * layout.size,
        output_width(config) * config.output_size,
        config.memory_size * config.word_size * memory_is_held,
        layout.heads * config.memory_size * weighting_is_held,
    ]
    return sum(weights)


def _about(metadata: dict[str, str]) -> dict[str, Any]:
    """What a checkpoint says beside its machine. CheckpointError for what is of another kind."""
    return {name: _object(metadata, name) for name in _OBJECTS} | {"card": _text(metadata, "card")}


def _object(metadata: dict[str, str], name: str) -> dict[str, Any] | None:
    value = _json(metadata.get(name, "null"), name)
    if value is not None and not isinstance(value, dict):
        raise CheckpointError(f"the checkpoint's {name} must be a JSON object or null, not {type(value).__name__}")
    return value


def _text(metadata: dict[str, str], name: str) -> str | None:
    value = _json(metadata.get(name, "null"), name)
    if value is not None and not isinstance(value, str):
        raise CheckpointError(f"the checkpoint's {name} must be a JSON string or null, not {type(value).__name__}")
    return value


def _json(text: str | bytes, what: str) -> Any:
    def refuse(token: str) -> Any:
        raise CheckpointError(f"{what} holds the bare token {token}, which is not JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{what} is not JSON: {error}") from None
