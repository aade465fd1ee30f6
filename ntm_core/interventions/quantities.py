"""What of a step can be changed: each quantity's name, its axes after the batch, and what must hold of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ntm_core.config import MachineConfig

Quantity = Literal[
    "inputs",
    "memory",
    "key",
    "key_strength",
    "interpolation_gate",
    "shift_weighting",
    "sharpening",
    "content_weighting",
    "gated_weighting",
    "shifted_weighting",
    "weighting",
    "erase_vector",
    "add_vector",
    "read_vector",
]
Stage = Literal["content_weighting", "gated_weighting", "shifted_weighting", "weighting"]
HeadAxis = Literal["head", "read_head", "write_head"]
Selector = Literal["location", "word", "shift", "channel"]
Rule = Literal["at_least_0", "at_least_1", "between_0_and_1", "simplex"]

STAGES: tuple[Stage, ...] = get_args(Stage)
"""The stages of addressing, in the order in which they are computed."""


@dataclass(frozen=True)
class QuantityInfo:
    """One quantity: the axis of its heads (None if it has none), the axes of its entries, its symbol and its rule."""

    heads: HeadAxis | None
    entries: tuple[Selector, ...]
    symbol: str
    rule: Rule | None = None


QUANTITIES: Mapping[Quantity, QuantityInfo] = {
    "inputs": QuantityInfo(None, ("channel",), "x_t"),
    "memory": QuantityInfo(None, ("location", "word"), "M_{t-1}"),
    "key": QuantityInfo("head", ("word",), "k_t"),
    "key_strength": QuantityInfo("head", (), "β_t", "at_least_0"),
    "interpolation_gate": QuantityInfo("head", (), "g_t", "between_0_and_1"),
    "shift_weighting": QuantityInfo("head", ("shift",), "s_t", "simplex"),
    "sharpening": QuantityInfo("head", (), "γ_t", "at_least_1"),
    "content_weighting": QuantityInfo("head", ("location",), "w^c_t", "simplex"),
    "gated_weighting": QuantityInfo("head", ("location",), "w^g_t", "simplex"),
    "shifted_weighting": QuantityInfo("head", ("location",), "w~_t", "simplex"),
    "weighting": QuantityInfo("head", ("location",), "w_t", "simplex"),
    "erase_vector": QuantityInfo("write_head", ("word",), "e_t", "between_0_and_1"),
    "add_vector": QuantityInfo("write_head", ("word",), "a_t"),
    "read_vector": QuantityInfo("read_head", ("word",), "r_t"),
}
"""`memory` is what the step finds, before it reads or writes; everything else is what the step computes."""


def entry_shape(config: MachineConfig, quantity: Quantity) -> tuple[int, ...]:
    """The lengths of a quantity's entry axes: (location, word) for memory, () for a gate."""
    lengths: dict[Selector, int] = {
        "channel": config.input_size,
        "location": config.memory_size,
        "word": config.word_size,
        "shift": len(config.shifts),
    }
    return tuple(lengths[axis] for axis in QUANTITIES[quantity].entries)


def names_on(config: MachineConfig, axis: HeadAxis) -> tuple[str, ...]:
    """The names of the heads along an axis of heads."""
    reads = config.read_heads
    return {"head": config.head_names, "read_head": config.head_names[:reads], "write_head": config.head_names[reads:]}[
        axis
    ]


def head_indices(config: MachineConfig, quantity: Quantity, names: tuple[str, ...] | None) -> tuple[int, ...]:
    """Where the named heads stand on the quantity's head axis; all of them for None.

    Where one head both reads and writes, each of its two names means both of its places. ValueError for a name that
    no head has, or whose head has no such quantity.
    """
    axis = QUANTITIES[quantity].heads
    assert axis is not None
    present = names_on(config, axis)
    if names is None:
        return tuple(range(len(present)))
    found: set[int] = set()
    for name in names:
        places = [present.index(other) for other in _names_of_one_head(config, name) if other in present]
        if not places:
            raise ValueError(f"head {name!r} has no {quantity}: it must be one of {', '.join(present)}")
        found.update(places)
    return tuple(sorted(found))


def _names_of_one_head(config: MachineConfig, name: str) -> tuple[str, ...]:
    if config.head_roles != "read_and_write" or name not in config.head_names:
        return (name,)
    index = config.head_names.index(name) % config.read_heads
    return (config.head_names[index], config.head_names[config.read_heads + index])
