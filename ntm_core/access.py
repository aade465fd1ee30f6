"""One step's access to the memory: every head addresses it, read heads read it, write heads write it.

Which memory a head sees is the order in a step (an open choice): heads act in groups, one after the other, and the
heads of a group all see the memory as the groups before them left it. Within a group, reading comes before writing.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ntm_core.addressing import Weightings, address
from ntm_core.config import MachineConfig
from ntm_core.heads import HeadParameters
from ntm_core.interventions import StepEditor
from ntm_core.memory import read_vectors, written_memory


@dataclass(frozen=True)
class Access:
    """What one step's access did: (batch, head, location) weightings, (batch, read_head, word) reads, and M_t."""

    weightings: Weightings
    read_vector: Tensor
    memory: Tensor


def head_groups(config: MachineConfig) -> tuple[slice, ...]:
    """The groups of heads, in the order in which they act, as slices of the head axis."""
    reads, writes = slice(0, config.read_heads), slice(config.read_heads, config.heads)
    match config.step_order:
        case "read_then_write":
            return (slice(0, config.heads),)
        case "write_then_read":
            return (writes, reads)
        case "listed":
            following = {"read": iter(range(config.read_heads)), "write": iter(range(config.read_heads, config.heads))}
            indices = [next(following[kind]) for kind in config.order]
            return tuple(slice(index, index + 1) for index in indices)


def previous_weighting(
    config: MachineConfig, previous: Float[Tensor, "batch head location"]
) -> Float[Tensor, "batch head location"]:
    """The w_{t-1} that each head interpolates with in eq. 3, from the weightings after the step before."""
    if config.previous_weighting == "own":
        return previous
    return torch.cat([previous[:, : config.read_heads], previous[:, : config.write_heads]], 1)


def readdress(
    config: MachineConfig,
    memory: Float[Tensor, "batch location word"],
    previous: Float[Tensor, "batch head location"],
    asked: HeadParameters,
    editor: StepEditor | None = None,
) -> Weightings:
    """Every head's weightings over one memory, without reading or writing it: for the step after (eq. 1-5)."""
    return address(
        config,
        memory,
        previous_weighting(config, previous),
        asked.key,
        asked.key_strength,
        asked.interpolation_gate,
        asked.shift_weighting,
        asked.sharpening,
        config.read_heads,
        editor,
    )


def access(
    config: MachineConfig,
    memory: Float[Tensor, "batch location word"],
    previous: Float[Tensor, "batch head location"],
    asked: HeadParameters,
    editor: StepEditor | None = None,
) -> Access:
    """Every head's weightings, what the read heads read, and the memory after the write heads (eq. 1-8)."""
    previous = previous_weighting(config, previous)
    acted: dict[int, Weightings] = {}
    reads: dict[int, Tensor] = {}
    first_write = config.read_heads
    for group in head_groups(config):
        reading = max(0, min(group.stop, first_write) - group.start)
        weightings = address(
            config,
            memory,
            previous[:, group],
            asked.key[:, group],
            asked.key_strength[:, group],
            asked.interpolation_gate[:, group],
            asked.shift_weighting[:, group],
            asked.sharpening[:, group],
            reading,
            editor,
            group,
        )
        acted[group.start] = weightings
        if reading:
            read = read_vectors(memory, weightings.weighting[:, :reading])
            if editor is not None:
                read = editor.edit("read_vector", read, slice(group.start, group.start + reading))
            reads[group.start] = read
        if group.stop > first_write:
            writing = slice(max(group.start, first_write) - first_write, group.stop - first_write)
            memory = written_memory(
                memory,
                weightings.weighting[:, reading:],
                asked.erase_vector[:, writing],
                asked.add_vector[:, writing],
                config.write_order,
            )
    return Access(_in_head_order(acted), _joined([reads[start] for start in sorted(reads)]), memory)


def _in_head_order(acted: dict[int, Weightings]) -> Weightings:
    if len(acted) == 1:
        return next(iter(acted.values()))
    ordered = [acted[start] for start in sorted(acted)]
    return Weightings(
        _joined([part.content_weighting for part in ordered]),
        _joined([part.gated_weighting for part in ordered]),
        _joined([part.shifted_weighting for part in ordered]),
        _joined([part.weighting for part in ordered]),
    )


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)
