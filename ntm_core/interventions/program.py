"""Interventions held against one machine, before it runs: what they mean there, and what is wrong with them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from ntm_core.config import MachineConfig
from ntm_core.errors import InterventionError
from ntm_core.interventions.intervention import Intervention
from ntm_core.interventions.quantities import QUANTITIES, Quantity, entry_shape, head_indices, names_on
from ntm_core.interventions.rules import Violation, broken_value, holds_always

Array = npt.NDArray[Any]


class Source(Protocol):
    """Another run, to take quantities from: a `Trace` is one."""

    def __len__(self) -> int:
        """Its number of steps."""

    def __getitem__(self, name: str) -> Array:
        """A quantity, (step, …) with the axes of the trace schema."""

    @property
    def found_memory(self) -> Array:
        """M_{t-1} as each step found it, (step, location, word)."""


def taken(source: Source, quantity: Quantity) -> Array:
    """The quantity in every step of another run, the step axis first."""
    return source.found_memory if quantity == "memory" else source[quantity]


def check(
    config: MachineConfig,
    interventions: Sequence[Intervention],
    sources: Mapping[str, Source],
    steps: int | None = None,
) -> None:
    """Nothing, if all can be made on this machine; else InterventionError names the first that cannot, and why not.

    Without the number of steps, only the steps are not checked.
    """
    for index, asked in enumerate(interventions):
        for broken in _broken_places(config, asked, steps):
            raise InterventionError(f"intervention {index}: {broken}")
        if asked.operation == "take":
            for broken in _broken_source(config, asked, sources, steps):
                raise InterventionError(f"intervention {index}: {broken}")


def first_violation(config: MachineConfig, interventions: Sequence[Intervention]) -> Violation | None:
    """The first value that is set and breaks a rule whatever the machine computes; None if none does."""
    for asked in interventions:
        if not _is_decided(config, asked, interventions):
            continue
        numbers = torch.tensor(asked.value, dtype=torch.float64).expand(entry_shape(config, asked.quantity))
        broken = broken_value(config, asked.quantity, numbers)
        if broken is not None:
            axis = QUANTITIES[asked.quantity].heads
            head = names_on(config, axis)[head_indices(config, asked.quantity, asked.heads)[0]] if axis else None
            step = asked.steps[0] if asked.steps else 0
            return Violation(step=step, head=head, quantity=asked.quantity, value=broken[0], rule=broken[1])
    return None


def may_violate(config: MachineConfig, interventions: Sequence[Intervention]) -> bool:
    """Whether only the run can tell if a rule is broken."""
    return any(
        QUANTITIES[asked.quantity].rule is not None
        and asked.operation in ("set", "scale", "add", "take")
        and not _is_decided(config, asked, interventions)
        for asked in interventions
    )


def _is_decided(config: MachineConfig, asked: Intervention, interventions: Sequence[Intervention]) -> bool:
    """Whether the value alone tells if a rule is broken: it is set whole, and no other touches the same quantity."""
    others = sum(other.quantity == asked.quantity for other in interventions) - 1
    return asked.operation == "set" and not asked.selected and not others and holds_always(config, asked.quantity)


def _broken_places(config: MachineConfig, asked: Intervention, steps: int | None) -> list[str]:
    broken = []
    if QUANTITIES[asked.quantity].heads is not None:
        try:
            head_indices(config, asked.quantity, asked.heads)
        except ValueError as error:
            broken.append(str(error))
    if steps is not None and asked.steps is not None and asked.steps[1] > steps:
        broken.append(f"steps is {list(asked.steps)}, but the run has {steps} steps: they end at {steps}")
    lengths = dict(zip(QUANTITIES[asked.quantity].entries, entry_shape(config, asked.quantity), strict=True))
    for name, index in asked.selected.items():
        low, high = (-config.shift_range, config.shift_range) if name == "shift" else (0, lengths[name] - 1)
        if not low <= index <= high:
            broken.append(f"{name} is {index}: it must be {low} … {high} with this machine")
    if isinstance(asked.value, tuple):
        left = next(length for name, length in lengths.items() if name not in asked.selected)
        if len(asked.value) != left:
            broken.append(f"value has {len(asked.value)} numbers: {asked.quantity} takes {left} here")
    return broken


def _broken_source(
    config: MachineConfig, asked: Intervention, sources: Mapping[str, Source], steps: int | None
) -> list[str]:
    source = sources.get(asked.source or "")
    if source is None:
        known = ", ".join(map(repr, sources)) or "none"
        return [f"source is {asked.source!r}: there is no such trace, known are {known}"]
    axis = QUANTITIES[asked.quantity].heads
    heads = (len(names_on(config, axis)),) if axis else ()
    expected, found = (*heads, *entry_shape(config, asked.quantity)), _shape(source, asked.quantity)
    if found != expected:
        return [f"{asked.quantity} of source {asked.source!r} has shape {found}: this machine's has {expected}"]
    first, last = asked.steps or (0, steps or 0)
    if not (first + asked.offset >= 0 and last + asked.offset <= len(source)):
        asked_for = f"{first + asked.offset} … {last + asked.offset - 1}"
        return [f"steps {asked_for} are taken from source {asked.source!r}, which has {len(source)} steps"]
    return []


def _shape(source: Source, quantity: Quantity) -> tuple[int, ...]:
    """The shape of the quantity in one step of another run."""
    stored = source["initial_memory"] if quantity == "memory" else np.asarray(source[quantity])[0]
    return tuple(stored.shape)
