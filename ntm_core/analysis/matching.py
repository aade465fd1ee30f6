"""Which location of one machine plays the part of which location of another: four ways to match rows, compared.

Two machines may do the same on other locations: from another start, or in the other direction. Before their memories
and weightings are subtracted, the rows of B are put into the order of A's: `rows[i]` is the location of B that stands
for location i of A. In the order from simple to free:

* `identity`: rows[i] = i;
* `rotation`: rows[i] = (i + offset) mod N, with the best offset;
* `reflection`: rows[i] = (offset − i) mod N, with the best offset;
* `assignment`: any permutation, the best of all by the Hungarian method.

Best means the smallest *difference*: Σ|A − B| over Σ|A| + Σ|B|, 0 for equal and at most 1, of the weightings of all
heads and of the memory, half each; over the steps that stand beside each other, and what was before them.

The matching to use is the simplest whose difference is at most `TOLERANCE` above the smallest of all, or at most a
tenth larger (`NEARLY`): a permutation has N! ways to fit what is only noise.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]  # it ships no types
from scipy.spatial.distance import cdist  # type: ignore[import-untyped]

from ntm_core.analysis.alignment import common_steps
from ntm_core.config import MachineConfig
from ntm_core.errors import AnalysisError
from ntm_core.trace import Trace

TOLERANCE = 1e-6
NEARLY = 1.1

Kind = Literal["identity", "rotation", "reflection", "assignment"]
Rows = NDArray[np.int64]
Costs = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Matching:
    """One way to match the rows of two machines, and how well it fits.

    Attributes:
        kind: the family it is from.
        offset: of a rotation or reflection, 0 … N − 1.
        rows: (location,): the location of B that stands for each location of A.
        weighting: mean |Δ| of the weightings after matching.
        memory: mean |Δ| of the memories after matching; None if they cannot be subtracted.
        difference: what is minimised, in [0, 1].
    """

    kind: Kind
    offset: int | None
    rows: Rows
    weighting: float
    memory: float | None
    difference: float

    @property
    def name(self) -> str:
        """The matching in words: "rotation by 3"."""
        return self.kind if self.offset is None else f"{self.kind} by {self.offset}"


@dataclass(frozen=True)
class Matchings:
    """The best of each family, the simplest first, and which of them to use."""

    found: tuple[Matching, ...]
    best: Matching
    by_memory: bool


@dataclass(frozen=True, eq=False)
class _Quantity:
    """What it costs to let row j of B stand for row i of A, Σ|Δ| over time: (location, location)."""

    costs: Costs
    numbers: int
    size: float

    def mean(self, rows: Rows) -> float:
        return self._cost(rows) / self.numbers

    def difference(self, rows: Rows) -> float:
        return self._cost(rows) / self.size if self.size else 0.0

    def _cost(self, rows: Rows) -> float:
        return float(self.costs[np.arange(len(rows)), rows].sum())


def matchings(a: Trace, b: Trace, offset: int = 0) -> Matchings:
    """The best matching of each family, and the one to use; step t + `offset` of B stands beside step t of A.

    AnalysisError if the machines differ in N or in their heads, if a weighting is not a number, or if no steps stand
    beside each other. The memory counts only where both have words of one length and no NaN.
    """
    _require_alike(a, b)
    steps = common_steps(a, b, offset)
    if not steps:
        raise AnalysisError(
            f"no step of B, {offset} later, stands beside one of A: rows are matched over those that do"
        )
    late = range(steps.start + offset, steps.stop + offset)
    weighting = _quantity(_rows_of_weightings(a, steps), _rows_of_weightings(b, late))
    memory = _quantity_of_memory(a, b, steps, late)
    used = [weighting] if memory is None else [weighting, memory]
    ways = _ways(np.sum([quantity.costs / (quantity.size or 1) for quantity in used], axis=0))
    found = tuple(
        Matching(
            kind,
            offset,
            rows,
            weighting.mean(rows),
            None if memory is None else memory.mean(rows),
            sum(quantity.difference(rows) for quantity in used) / len(used),
        )
        for kind, offset, rows in ways
    )
    return Matchings(found, simplest(found), memory is not None)


def simplest(found: tuple[Matching, ...]) -> Matching:
    """The first that is as good as the best of all, or nearly so."""
    least = min(matching.difference for matching in found)
    limit = max(least + TOLERANCE, NEARLY * least)
    return next(matching for matching in found if matching.difference <= limit)


def comparison_size(config: MachineConfig, steps: int) -> int:
    """How many pairs of numbers `matchings` holds against each other, of so many steps that stand side by side."""
    return config.memory_size**2 * (1 + steps) * (config.heads + config.word_size)


def _require_alike(a: Trace, b: Trace) -> None:
    first, second = a.header.config, b.header.config
    for field, what in (("memory_size", "locations"), ("read_heads", "read heads"), ("write_heads", "write heads")):
        sizes = getattr(first, field), getattr(second, field)
        if sizes[0] != sizes[1]:
            raise AnalysisError(
                f"A has {sizes[0]} {what} and B {sizes[1]}: rows are matched only where these are equal"
            )
    for name, trace in (("A", a), ("B", b)):
        if not (np.isfinite(trace["weighting"]).all() and np.isfinite(trace["initial_weighting"]).all()):
            raise AnalysisError(f"the weightings of {name} hold what is not a number: rows are matched by them")


def _rows_of_weightings(trace: Trace, steps: range) -> NDArray[np.float64]:
    """w of all heads before the first of these steps and after each, one row a location: (location, number)."""
    before = trace["weighting"][steps.start - 1] if steps.start else trace["initial_weighting"]
    every = np.concatenate([before[None], trace["weighting"][steps.start : steps.stop]]).astype(np.float64)
    return every.reshape(-1, every.shape[-1]).T


def _rows_of_memory(trace: Trace, steps: range) -> NDArray[np.float64]:
    """M before the first of these steps and after each, one row a location: (location, number)."""
    every = trace.memory[steps.start : steps.stop + 1].astype(np.float64)
    return np.moveaxis(every, 1, 0).reshape(every.shape[1], -1)


def _quantity_of_memory(a: Trace, b: Trace, steps: range, late: range) -> _Quantity | None:
    if a.header.config.word_size != b.header.config.word_size:
        return None
    first, second = _rows_of_memory(a, steps), _rows_of_memory(b, late)
    return _quantity(first, second) if np.isfinite(first).all() and np.isfinite(second).all() else None


def _quantity(a: NDArray[np.float64], b: NDArray[np.float64]) -> _Quantity:
    return _Quantity(cdist(a, b, "cityblock"), a.size, float(np.abs(a).sum() + np.abs(b).sum()))


def _ways(costs: Costs) -> list[tuple[Kind, int | None, Rows]]:
    """The cheapest rows of each family."""
    places = np.arange(len(costs))
    turned = [(places + offset) % len(costs) for offset in places]
    mirrored = [(offset - places) % len(costs) for offset in places]
    rotation, reflection = (int(np.argmin([costs[places, rows].sum() for rows in ways])) for ways in (turned, mirrored))
    return [
        ("identity", None, places),
        ("rotation", rotation, turned[rotation]),
        ("reflection", reflection, mirrored[reflection]),
        ("assignment", None, np.asarray(linear_sum_assignment(costs)[1], np.int64)),
    ]
