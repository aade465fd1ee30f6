"""What must hold of a quantity (β ≥ 0, g in [0, 1], γ ≥ 1, weightings on the simplex), and how a breach is told."""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from ntm_core.config import MachineConfig
from ntm_core.interventions.quantities import QUANTITIES, Quantity

TOLERANCE = 1e-4
"""How far from 1 a weighting may sum: more than the rounding of float32 over thousands of locations."""


class Violation(BaseModel):
    """A constraint that an intervention left."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")

    step: int = Field(description="The step, the first being 0.")
    head: str | None = Field(description="The head's name; null if the quantity belongs to no head.")
    quantity: Quantity
    value: float | None = Field(description="The number that breaks the rule; null if it is not a number.")
    rule: str = Field(description="The rule, in words.")

    @property
    def message(self) -> str:
        """The violation in a sentence."""
        where = f"step {self.step}" + (f", head {self.head!r}" if self.head else "")
        number = "not a number" if self.value is None else _digits(self.value)
        return f"{where}: {self.quantity} is {number}: {self.rule}"


_RULES = {
    "at_least_0": (0.0, None, "it must be at least 0"),
    "at_least_1": (1.0, None, "it must be at least 1"),
    "between_0_and_1": (0.0, 1.0, "it must be in [0, 1]"),
}


def broken_value(config: MachineConfig, quantity: Quantity, values: Tensor) -> tuple[float, str] | None:
    """The first number among one head's values (entry …,) that breaks the quantity's rule, with the rule; or None."""
    rule = QUANTITIES[quantity].rule
    if rule is None:
        return None
    if rule == "simplex":
        return _off_simplex(config, quantity, values)
    if quantity == "erase_vector" and config.erase_activation == "relu":
        rule = "at_least_0"
    low, high, words = _RULES[rule]
    for number in values.flatten().tolist():
        if not (number >= low and (high is None or number <= high)):
            return number, words
    return None


def _off_simplex(config: MachineConfig, quantity: Quantity, values: Tensor) -> tuple[float, str] | None:
    lowest, total = float(values.min()), float(values.double().sum())
    if not lowest >= 0:
        return lowest, "every entry must be at least 0"
    if quantity == "shift_weighting" and config.shift_kernel == "ones":
        return None
    # A sum has no more digits than it is judged by.
    return None if abs(total - 1) <= TOLERANCE else (float(f"{total:.6g}"), "its sum must be 1")


def _digits(number: float) -> str:
    """The fewest digits that are this number and no other of its dtype, float32 if it can be that."""
    with np.errstate(over="ignore"):
        single = np.float32(number)
    return (str(single) if float(single) == number else repr(number)).removesuffix(".0")


def holds_always(config: MachineConfig, quantity: Quantity) -> bool:
    """Whether the machine itself keeps the quantity's rule in every step, whatever its state before step 1."""
    match quantity:
        case "content_weighting":
            return config.content_softmax == "each_head"
        case "gated_weighting" | "shifted_weighting":
            return False
        case "weighting":
            return config.sharpening_epsilon == 0 or config.sharpening_epsilon_placement == "before_power"
    return True
