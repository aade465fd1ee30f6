"""What is patched: one quantity of one head at one step, taken from a clean run."""

from collections.abc import Sequence
from dataclasses import dataclass

from ntm_core.config import MachineConfig
from ntm_core.interventions import Intervention
from ntm_core.interventions.quantities import QUANTITIES, Quantity, names_on

PATCHED: tuple[Quantity, ...] = (
    "key",
    "key_strength",
    "interpolation_gate",
    "shift_weighting",
    "sharpening",
    "weighting",
    "erase_vector",
    "add_vector",
    "read_vector",
)
"""The quantities that a map has unless others are asked for."""

CLEAN = "the clean run"
"""The name under which patches find the clean trace; no other source may have it."""


@dataclass(frozen=True)
class Row:
    """One row of the map: a quantity, and the head that has it, by index on the head axis (None if none has)."""

    quantity: Quantity
    head: int | None
    head_name: str | None


def rows_of(config: MachineConfig, quantities: Sequence[Quantity] = PATCHED) -> tuple[Row, ...]:
    """The rows of a map of this machine; a head that both reads and writes has its addressing once."""
    rows: list[Row] = []
    for quantity in quantities:
        axis = QUANTITIES[quantity].heads
        if axis is None:
            rows.append(Row(quantity, None, None))
            continue
        names = names_on(config, axis)
        if axis == "head" and config.head_roles == "read_and_write":
            names = names[: config.read_heads]
        rows += [Row(quantity, config.head_names.index(name), name) for name in names]
    return tuple(rows)


def taken_from_clean(row: Row, step: int) -> Intervention:
    """The patch of one cell of the map."""
    heads = None if row.head_name is None else (row.head_name,)
    return Intervention(quantity=row.quantity, operation="take", source=CLEAN, heads=heads, steps=(step, step + 1))


def patching_cells(
    config: MachineConfig,
    length: int,
    quantities: Sequence[Quantity] = PATCHED,
    steps: tuple[int, int] | None = None,
) -> int:
    """How many memory cells the patched runs of a map go through, all steps together: each run from its patch on."""
    first, last = steps or (0, length)
    computed = sum(length - step for step in range(max(0, first), min(last, length)))
    return len(rows_of(config, quantities)) * computed * config.memory_size * config.word_size
