"""What the heads of a machine do while it runs on many sequences at once, summed up step by step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntm_core.analysis.focus import Floats, displacement, entropy_bits, focus
from ntm_core.analysis.operations import Addressing, borrowed_heads, operation_names, operations
from ntm_core.config import MachineConfig
from ntm_core.machine import StepResult


@dataclass(frozen=True, eq=False)
class HeadsAtWork:
    """Means over the steps of each sequence, (batch, head) each.

    Attributes:
        entropy_bits: of the weightings w_t; NaN where one of them holds NaN.
        speed: |locations| from the focus of a head's w_{t-1} to that of its w_t, the nearer way round; NaN likewise.
        operations: the share of the steps at which the head did each operation, by name; they sum to 1.
    """

    entropy_bits: NDArray[np.float64]
    speed: NDArray[np.float64]
    operations: dict[str, NDArray[np.float64]]


class HeadWatch:
    """Sums up what the heads do: tell it of each step, then ask for the `means`."""

    def __init__(self, config: MachineConfig, initial_weighting: Floats) -> None:
        """Begin with w_0, (batch, head, location)."""
        self._config = config
        self._before = initial_weighting
        self._steps = 0
        shape = initial_weighting.shape[:2]
        self._entropy, self._distance = np.zeros(shape), np.zeros(shape)
        self._counts = {name: np.zeros(shape) for name in operation_names(config.shifts)}

    def see(self, result: StepResult) -> None:
        """Take in one step."""
        addressing = self._addressing(result)
        weighting = addressing.weighting
        size, edge = weighting.shape[-1], self._config.shift_edge
        self._entropy += entropy_bits(weighting)
        moved = np.abs(displacement(focus(self._before), focus(weighting), size, edge))
        self._distance += np.where(np.isnan(weighting).any(-1), np.nan, moved)
        done = operations(addressing).operation
        for name in self._counts:
            self._counts[name] += done == name
        self._before = weighting
        self._steps += 1

    @property
    def means(self) -> HeadsAtWork:
        """The means over the steps so far."""
        shares = {name: count / self._steps for name, count in self._counts.items()}
        return HeadsAtWork(self._entropy / self._steps, self._distance / self._steps, shares)

    def _addressing(self, result: StepResult) -> Addressing:
        """The addressings of one step, (batch, head) leading."""
        config, asked, stages = self._config, result.parameters, result.weightings
        own = config.previous_weighting == "own"
        previous = self._before if own else self._before[:, borrowed_heads(config.read_heads, config.heads)]
        return Addressing(
            previous,
            stages.content_weighting.numpy(),
            asked.interpolation_gate.numpy(),
            asked.shift_weighting.numpy(),
            asked.sharpening.numpy(),
            stages.shifted_weighting.numpy(),
            stages.weighting.numpy(),
            config.shifts,
            config.shift_edge,
        )
