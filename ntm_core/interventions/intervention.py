"""An intervention: which heads, which steps, which quantity, and what happens to it. Plain data, the same in JSON."""

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ntm_core.interventions.quantities import QUANTITIES, STAGES, Quantity, Selector, Stage

Operation = Literal["set", "scale", "add", "take", "harden", "one_hot", "stage"]

SELECTORS: tuple[Selector, ...] = ("location", "word", "shift", "channel")
LARGEST = 3.4e38
"""What float32 can hold."""

Number = Annotated[float, Field(strict=True, ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Index = Annotated[int, Field(strict=True, ge=0)]


class Intervention(BaseModel):
    """One change to what a machine computes, made where the quantity is computed, so that all after it sees it.

    `set`, `scale` and `add` take a `value`: one number, or a list of as many as are left of the quantity's entries.
    `take` copies the quantity from the trace named `source`, `offset` steps later. `harden` makes each weighting
    one-hot at its largest entry, the first of equals; `one_hot` puts 1 at the selected entry and 0 elsewhere. `stage`
    makes a weighting an earlier stage of the same head and step. Numbers may be numpy's, and one head be named alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    quantity: Quantity = Field(description="What is changed; memory is M_{t-1}, as the step finds it.")
    operation: Operation = Field(description="What happens to it.")
    heads: tuple[Annotated[str, Field(min_length=1, max_length=80)], ...] | None = Field(
        None, min_length=1, description='Names of heads, such as "read 0"; null: all that have the quantity.'
    )
    steps: tuple[Index, Index] | None = Field(
        None, description="From this step until before that one, the first step being 0; null: all."
    )
    location: Index | None = Field(None, description="One location of a weighting or row of the memory; null: all.")
    word: Index | None = Field(None, description="One cell of a word: of a key, a vector, the memory; null: all.")
    shift: Annotated[int, Field(strict=True)] | None = Field(
        None, description="One shift of a shift weighting, -R … R; null: all."
    )
    channel: Index | None = Field(None, description="One channel of the inputs; null: all.")
    value: Number | tuple[Number, ...] | None = Field(None, description="For set, scale and add.")
    source: str | None = Field(None, min_length=1, max_length=200, description="For take: the name of another trace.")
    offset: Annotated[int, Field(strict=True)] = Field(
        0, description="For take: how many steps later the source is read; negative: earlier."
    )
    stage: Stage | None = Field(None, description="For stage: the earlier stage that the weighting becomes.")

    @model_validator(mode="before")
    @classmethod
    def _plainly(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        plain = {name: _plain(value) for name, value in given.items()}
        return plain | {"heads": (plain["heads"],)} if isinstance(plain.get("heads"), str) else plain

    @model_validator(mode="after")
    def _combinations(self) -> Self:
        for broken in _broken_rules(self):
            raise ValueError(broken)
        return self

    @property
    def selected(self) -> dict[Selector, int]:
        """The entries that are selected, by axis."""
        chosen = {name: getattr(self, name) for name in SELECTORS}
        return {name: index for name, index in chosen.items() if index is not None}

    def acts_at(self, step: int) -> bool:
        """Whether it changes anything in this step."""
        return self.steps is None or self.steps[0] <= step < self.steps[1]


def _plain(value: Any) -> Any:
    """The same with Python's numbers in place of numpy's."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return type(value)(map(_plain, value)) if type(value) in (list, tuple) else value


def _broken_rules(asked: Intervention) -> list[str]:
    info = QUANTITIES[asked.quantity]
    broken = []
    if asked.heads is not None and info.heads is None:
        broken.append(f"heads is given but quantity is {asked.quantity!r}, which no head has")
    if asked.steps is not None and asked.steps[0] >= asked.steps[1]:
        broken.append(f"steps is {list(asked.steps)}: the first must be before the second")
    broken += [
        f"{name} is given but quantity is {asked.quantity!r}, which has no axis of that name"
        for name in asked.selected
        if name not in info.entries
    ]
    return [*broken, *_broken_operation_rules(asked)]


def _broken_operation_rules(asked: Intervention) -> list[str]:
    operation, broken = asked.operation, []
    needed = {"set": "value", "scale": "value", "add": "value", "take": "source", "stage": "stage"}.get(operation)
    for name in ("value", "source", "stage"):
        if (getattr(asked, name) is not None) != (name == needed):
            state = f"is missing: {operation} needs one" if name == needed else f"is given but {operation} takes none"
            broken.append(f"{name} {state}")
    if asked.offset and operation != "take":
        broken.append(f"offset is {asked.offset} but operation is {operation!r}: only take has one")
    if isinstance(asked.value, tuple) and len(_open_axes(asked)) != 1:
        broken.append(f"value is a list, but {len(_open_axes(asked))} axes of {asked.quantity} are left: it must be 1")
    if operation in ("harden", "one_hot") and QUANTITIES[asked.quantity].rule != "simplex":
        broken.append(f"operation is {operation!r} but quantity is {asked.quantity!r}: it must be a weighting")
    elif operation == "one_hot" and _open_axes(asked):
        broken.append(f"operation is 'one_hot': {_open_axes(asked)[0]} must say where the 1 is")
    if operation in ("harden", "stage") and asked.selected:
        broken.append(f"operation is {operation!r}: it changes a whole weighting, so no entry can be selected")
    return broken if operation != "stage" else [*broken, *_broken_stage_rules(asked)]


def _broken_stage_rules(asked: Intervention) -> list[str]:
    if asked.quantity not in STAGES:
        return [f"operation is 'stage' but quantity is {asked.quantity!r}: it must be a stage of addressing"]
    if asked.stage is not None and STAGES.index(asked.stage) >= STAGES.index(asked.quantity):
        return [f"stage is {asked.stage!r} but quantity is {asked.quantity!r}: a stage can only become an earlier one"]
    return []


def _open_axes(asked: Intervention) -> tuple[Selector, ...]:
    """The entry axes of the quantity that no selector fixes."""
    return tuple(axis for axis in QUANTITIES[asked.quantity].entries if axis not in asked.selected)
