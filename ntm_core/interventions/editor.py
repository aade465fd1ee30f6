"""Interventions at work: an `Editor` is handed to a machine's run and asked for each quantity where it is computed.

It works for any number of sequences, and may hold a list of interventions of its own for each. It never changes a
tensor that it is given.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ntm_core.config import MachineConfig
from ntm_core.errors import InterventionError
from ntm_core.interventions.intervention import Intervention
from ntm_core.interventions.program import Source, check, first_violation, taken
from ntm_core.interventions.quantities import QUANTITIES, Quantity, head_indices, names_on
from ntm_core.interventions.rules import Violation, broken_value

Place = tuple[slice, *tuple[Tensor | slice | int, ...]]


def refuse(violation: Violation) -> None:
    """Raise the violation as an InterventionError."""
    raise InterventionError(f"{violation.message}; leave_constraints allows it")


def allow(_violation: Violation) -> None:
    """Nothing: the constraint may be left."""


@dataclass(frozen=True)
class Placed:
    """One intervention on this machine: the heads it means, and the sequences of the batch."""

    asked: Intervention
    heads: tuple[int, ...]
    batch: slice

    def within(self, heads: slice | None) -> tuple[int, ...]:
        """The places of its heads among those of a slice of the head axis."""
        if heads is None:
            return self.heads
        return tuple(head - heads.start for head in self.heads if heads.start <= head < heads.stop)


class Editor:
    """The interventions of a run: of all its sequences, or (see `stacked`) of each.

    InterventionError if one of them cannot be made on this machine. `on_violation` is told of each constraint that is
    left, and by default refuses it; a value that the machine's own already breaks, or that is not changed, is none.
    """

    def __init__(
        self,
        config: MachineConfig,
        interventions: Sequence[Intervention],
        sources: Mapping[str, Source] | None = None,
        *,
        steps: int | None = None,
        on_violation: Callable[[Violation], None] = refuse,
    ) -> None:
        self._config = config
        self._sources = sources or {}
        self._on_violation = on_violation
        self._placed: list[Placed] = []
        self._place(interventions, slice(None), steps)

    @classmethod
    def stacked(
        cls,
        config: MachineConfig,
        lists: Sequence[Sequence[Intervention]],
        sources: Mapping[str, Source] | None = None,
        *,
        steps: int | None = None,
        on_violation: Callable[[Violation], None] = refuse,
    ) -> Self:
        """An editor with one list of interventions for each sequence of the batch."""
        editor = cls(config, (), sources, steps=steps, on_violation=on_violation)
        for index, interventions in enumerate(lists):
            editor._place(interventions, slice(index, index + 1), steps)
        return editor

    def at(self, step: int) -> "StepEditor | None":
        """The editor of one step, the first being 0; None if nothing is changed in it."""
        acting: dict[Quantity, list[Placed]] = {}
        for placed in self._placed:
            if placed.asked.acts_at(step):
                acting.setdefault(placed.asked.quantity, []).append(placed)
        return StepEditor(self._config, step, acting, self._sources, self._on_violation) if acting else None

    def _place(self, interventions: Sequence[Intervention], batch: slice, steps: int | None) -> None:
        check(self._config, interventions, self._sources, steps)
        violation = first_violation(self._config, interventions)
        if violation is not None:
            self._on_violation(violation)
        for asked in interventions:
            has_heads = QUANTITIES[asked.quantity].heads is not None
            heads = head_indices(self._config, asked.quantity, asked.heads) if has_heads else ()
            self._placed.append(Placed(asked, heads, batch))


@dataclass(frozen=True)
class StepEditor:
    """The interventions that act in one step, by quantity."""

    config: MachineConfig
    step: int
    acting: Mapping[Quantity, Sequence[Placed]]
    sources: Mapping[str, Source]
    on_violation: Callable[[Violation], None]

    def edit(
        self,
        quantity: Quantity,
        tensor: Tensor,
        heads: slice | None = None,
        stages: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """The quantity as the interventions leave it; the tensor itself if none changes it.

        The tensor is (batch, head, entry …), without the head axis if the quantity has none. `heads` says which part
        of the quantity's head axis it holds (all if None), `stages` holds the earlier stages of the same heads.
        """
        placed = [one for one in self.acting.get(quantity, ()) if one.within(heads) or not one.heads]
        if not placed:
            return tensor
        edited = tensor.clone()
        for one in placed:
            place = _place(self.config, one, heads)
            edited[place] = self._changed(one, edited[place], heads, stages or {})
        for one in placed:
            if one.asked.operation in ("set", "scale", "add", "take") and QUANTITIES[quantity].rule is not None:
                self._judge(one, tensor, edited, heads)
        return edited

    def _changed(self, placed: Placed, own: Tensor, heads: slice | None, stages: Mapping[str, Tensor]) -> Tensor:
        """What becomes of the part of a quantity that is changed, (batch, head, entry …)."""
        asked = placed.asked
        match asked.operation:
            case "harden":
                return torch.zeros_like(own).scatter(-1, own.argmax(-1, keepdim=True), 1)
            case "one_hot":
                hot = asked.location if asked.shift is None else asked.shift + self.config.shift_range
                assert hot is not None
                return torch.zeros_like(own).index_fill(-1, torch.tensor(hot, device=own.device), 1)
            case "stage":
                assert asked.stage is not None
                return stages[asked.stage][_place(self.config, placed, heads)]
            case "take":
                assert asked.source is not None
                source = taken(self.sources[asked.source], asked.quantity)[self.step + asked.offset]
                whole = torch.tensor(source, dtype=own.dtype, device=own.device).unsqueeze(0)
                first = heads.start if heads else 0
                meant = tuple(first + head for head in placed.within(heads))
                return whole[_place(self.config, Placed(asked, meant, slice(None)), None)].expand_as(own)
            case _:
                return _with_value(asked, own)

    def _judge(self, placed: Placed, before: Tensor, after: Tensor, heads: slice | None) -> None:
        """Tell of the first head whose values were changed, were within their rule, and no longer are."""
        quantity = placed.asked.quantity
        axis = QUANTITIES[quantity].heads
        assert axis is not None
        for head in placed.within(heads):
            for own, now in zip(before[placed.batch, head], after[placed.batch, head], strict=True):
                broken = None if torch.equal(own, now) else broken_value(self.config, quantity, now)
                if broken is not None and broken_value(self.config, quantity, own) is None:
                    value = None if math.isnan(broken[0]) else broken[0]
                    name = names_on(self.config, axis)[head + (heads.start if heads else 0)]
                    self.on_violation(
                        Violation(step=self.step, head=name, quantity=quantity, value=value, rule=broken[1])
                    )


def _with_value(asked: Intervention, own: Tensor) -> Tensor:
    """What is changed, set to the intervention's value, scaled by it, or with it added."""
    value = _value(asked, own)
    match asked.operation:
        case "scale":
            return own * value
        case "add":
            # -0 + 0 is 0, so adding nothing is not adding at all.
            return torch.where(value == 0, own, own + value)
        case _:
            return value


def _value(asked: Intervention, own: Tensor) -> Tensor:
    """The intervention's number or list in the shape of what it changes."""
    value = torch.tensor(asked.value, dtype=own.dtype, device=own.device)
    if value.ndim:
        lengths = [1 if axis in asked.selected else -1 for axis in QUANTITIES[asked.quantity].entries]
        value = value.reshape(lengths)
    return value.expand_as(own)


def _place(config: MachineConfig, placed: Placed, heads: slice | None) -> Place:
    """The index of what an intervention changes in a tensor (batch, head, entry …)."""
    asked = placed.asked
    index: list[Tensor | slice | int] = [torch.tensor(placed.within(heads))] if placed.heads else []
    selected = {} if asked.operation == "one_hot" else asked.selected
    for axis in QUANTITIES[asked.quantity].entries:
        chosen = selected.get(axis)
        if chosen is None:
            index.append(slice(None))
        else:
            first = chosen + config.shift_range if axis == "shift" else chosen
            index.append(slice(first, first + 1))
    return (placed.batch, *index)
