"""Which fields of a trace are sent as corrections, by which rule, and what each is predicted to be."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from ntm_core.access import head_groups
from ntm_core.config import MachineConfig
from ntm_core.trace import Array, TraceHeader
from server import prediction

Seen = Literal["found", "left"] | None
"""The memory that a head addresses: M_{t-1}, M_t, or another."""


def coding_of(header: TraceHeader) -> dict[str, str]:
    """The rule of each field that is coded, in the order of the layout."""
    config = header.config
    if header.dtype != "float32":
        return {}
    plain_cosine = config.similarity == "cosine" and not config.similarity_offset
    rules: dict[str, str | None] = {
        "content_weighting": "cosine" if plain_cosine and config.content_softmax == "each_head" else None,
        "gated_weighting": "gate",
        "shifted_weighting": config.shift_edge,
        "weighting": None if config.sharpening_epsilon else "sharpening",
    }
    return {name: rule for name, rule in rules.items() if rule is not None}


def seen_memory_of(header: TraceHeader) -> tuple[Seen, ...]:
    """The memory that each head sees; None for each if no prediction needs it."""
    config = header.config
    if "content_weighting" not in coding_of(header):
        return (None,) * config.heads
    last: Seen = "left"
    return (last,) * config.heads if config.schedule == "address_last" else _seen_in_groups(config)


def _seen_in_groups(config: MachineConfig) -> tuple[Seen, ...]:
    """The memory that each head sees where heads act in groups, one after the other."""
    seen: list[Seen] = [None] * config.heads
    written = 0
    for group in head_groups(config):
        indices = range(config.heads)[group]
        for head in indices:
            seen[head] = "found" if written == 0 else "left" if written == config.write_heads else None
        written += sum(head >= config.read_heads for head in indices)
    return tuple(seen)


def heads_by_memory(header: TraceHeader) -> dict[Seen, list[int]]:
    """The heads that see each memory, in the order in which they can be predicted."""
    seen = seen_memory_of(header)
    order: tuple[Seen, ...] = (None, "found", "left")
    return {kind: [head for head, its in enumerate(seen) if its == kind] for kind in order if kind in seen}


def predicted(
    header: TraceHeader, name: str, records: Array, heads: Sequence[int], memory: Array | None, previous: Array
) -> Array:
    """What these heads' rows of a field are expected to be, (step, head, location), from the fields before it.

    0 where the rule gives NaN, whose bits are not alike everywhere. numpy is to be told not to warn.
    """
    rows = _by_rule(header, name, records, heads, memory, previous)
    return np.where(np.isnan(rows), np.float32(0), rows)


def _by_rule(
    header: TraceHeader, name: str, records: Array, heads: Sequence[int], memory: Array | None, previous: Array
) -> Array:
    part = {field: records[field][:, heads] for field in _NEEDED[name]}
    floored = header.core == "compiled"
    if name == "content_weighting":
        if memory is None:
            return np.zeros_like(records[name][:, heads])
        return prediction.content(
            memory, part["key"], part["key_strength"], header.config.similarity_epsilon, floored=floored
        )
    if name == "gated_weighting":
        lenders = _lenders(header.config)
        own = previous[:, [lenders[head] for head in heads]]
        return prediction.gated(part["content_weighting"], own, part["interpolation_gate"])
    if name == "shifted_weighting":
        circular = header.config.shift_edge == "circular"
        return prediction.shifted(part["gated_weighting"], part["shift_weighting"], header.shifts, circular=circular)
    return prediction.sharpened(part["shifted_weighting"], part["sharpening"], floored=floored)


_NEEDED: Mapping[str, tuple[str, ...]] = {
    "content_weighting": ("key", "key_strength"),
    "gated_weighting": ("content_weighting", "interpolation_gate"),
    "shifted_weighting": ("gated_weighting", "shift_weighting"),
    "weighting": ("shifted_weighting", "sharpening"),
}
"""The fields of the same step from which each is predicted."""


def _lenders(config: MachineConfig) -> list[int]:
    """For each head the one whose previous weighting it interpolates with."""
    own = list(range(config.heads))
    return own if config.previous_weighting == "own" else own[: config.read_heads] + own[: config.write_heads]
