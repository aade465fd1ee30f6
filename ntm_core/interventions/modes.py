"""The named addressing modes: each is a list of interventions, over all heads and steps. One table for all readers."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ntm_core.interventions.intervention import Intervention

ModeName = Literal[
    "full",
    "content_only",
    "location_only",
    "no_shift",
    "no_sharpening",
    "no_interpolation",
    "hard",
    "frozen_memory",
    "no_read",
]


class AddressingMode(BaseModel):
    """A named list of interventions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ModeName
    title: str = Field(description="The name, as a person reads it.")
    definition: str = Field(description="What it does, in a sentence.")
    equation: str = Field(description="What is changed, in the symbols of eq. 1-8; empty if nothing is.")
    interventions: tuple[Intervention, ...]


_TABLE = (
    AddressingMode(
        name="full",
        title="Full",
        definition="The machine as it is: nothing is changed.",
        equation="",
        interventions=(),
    ),
    AddressingMode(
        name="content_only",
        title="Content only",
        definition="Every head looks by content alone: the gate, the shift and the sharpening have no effect.",
        equation="w_t = w^c_t",
        interventions=(Intervention(quantity="weighting", operation="stage", stage="content_weighting"),),
    ),
    AddressingMode(
        name="location_only",
        title="Location only",
        definition="Every head moves from where it was: the content has no effect.",
        equation="g_t = 0",
        interventions=(Intervention(quantity="interpolation_gate", operation="set", value=0.0),),
    ),
    AddressingMode(
        name="no_shift",
        title="No shift",
        definition="No head moves its focus: the shift is 0 with all its weight.",
        equation="s_t(0) = 1",
        interventions=(Intervention(quantity="shift_weighting", operation="one_hot", shift=0),),
    ),
    AddressingMode(
        name="no_sharpening",
        title="No sharpening",
        definition="No weighting is sharpened: what the shift blurs stays blurred.",
        equation="γ_t = 1",
        interventions=(Intervention(quantity="sharpening", operation="set", value=1.0),),
    ),
    AddressingMode(
        name="no_interpolation",
        title="No interpolation",
        definition="Every head looks by content in every step and forgets where it was; the shift is kept.",
        equation="g_t = 1",
        interventions=(Intervention(quantity="interpolation_gate", operation="set", value=1.0),),
    ),
    AddressingMode(
        name="hard",
        title="Hard attention",
        definition="Every weighting is one-hot, at its largest entry and at the first of equals.",
        equation="w_t = one-hot(argmax w_t)",
        interventions=(Intervention(quantity="weighting", operation="harden"),),
    ),
    AddressingMode(
        name="frozen_memory",
        title="Frozen memory",
        definition="Nothing is written: the memory stays as it was before step 1.",
        equation="e_t = 0, a_t = 0, so M_t = M_0",
        interventions=(
            Intervention(quantity="erase_vector", operation="set", value=0.0),
            Intervention(quantity="add_vector", operation="set", value=0.0),
        ),
    ),
    AddressingMode(
        name="no_read",
        title="No read",
        definition="Nothing is read: controller and output get zeros in place of what the heads read.",
        equation="r_t = 0",
        interventions=(Intervention(quantity="read_vector", operation="set", value=0.0),),
    ),
)

MODES: Mapping[ModeName, AddressingMode] = {mode.name: mode for mode in _TABLE}


def expanded(mode: ModeName, interventions: tuple[Intervention, ...] = ()) -> tuple[Intervention, ...]:
    """The interventions of a mode, then the others: in this order they are made."""
    return (*MODES[mode].interventions, *interventions)
