"""Activation patching: which head's which quantity at which step carries what the output needs.

A machine runs on a corrupted episode, and in each run one quantity of one head at one step is taken from the trace of a
clean episode. How much of the loss that restores is one cell of the map:

    restored = (loss_corrupted − loss_patched) / (loss_corrupted − loss_clean)

1 is as good as the clean run, 0 as bad as the corrupted one; less than 0 is worse still. The loss is the binary cross
entropy in bits of what the *clean* episode asks, of all three runs. The runs are computed many at a time, each batch
from the state that the corrupted run has before its first patch. Another batch, like the core that recorded the traces,
rounds in another way: so one run of each is not patched, what a patch does is its distance from that one, and how far
that one lies from the trace is what rounding does. Where that is not small beside the difference, there is no map.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ntm_core.analysis.patches import CLEAN, PATCHED, Row, rows_of, taken_from_clean
from ntm_core.errors import AnalysisError
from ntm_core.interventions import Editor, Intervention, allow
from ntm_core.interventions.quantities import Quantity
from ntm_core.machine import Machine, MachineState
from ntm_core.tasks.episode import Episode, loss_bits
from ntm_core.trace import Trace

_MOST_RUNS = 256
_MOST_CELLS = 1 << 24
_LEAST_DIFFERENCE = 1e-6
_ROUNDINGS = 10
"""How many times as much as rounding does the clean and the corrupted loss must lie apart."""


@dataclass(frozen=True, eq=False)
class PatchingMap:
    """How much each patch restores.

    Attributes:
        rows: what was patched.
        steps: the steps at which, from the first until before the second.
        loss_clean: bits, of the clean episode.
        loss_corrupted: bits, of the corrupted episode against what the clean one asks.
        loss: bits, of each patched run: (row, step).
        restored: (row, step).
    """

    rows: tuple[Row, ...]
    steps: tuple[int, int]
    loss_clean: float
    loss_corrupted: float
    loss: NDArray[np.float64]
    restored: NDArray[np.float64]


class Patching:
    """A map about to be computed: `run()` yields the index of each step of each batch of runs.

    Attributes:
        total: the number of steps that `run()` will yield.
    """

    def __init__(
        self,
        machine: Machine,
        clean: Trace,
        corrupted: Trace,
        quantities: Sequence[Quantity] = PATCHED,
        steps: tuple[int, int] | None = None,
        sources: Mapping[str, Trace] | None = None,
    ) -> None:
        """Prepare to patch a machine whose runs were recorded.

        What was changed in the corrupted run stays changed; `sources` are the traces that its interventions take from.

        AnalysisError if the episodes differ in length or in outputs, ask for nothing, have losses that differ by no
        more than rounding, or the steps or quantities are none; InterventionError if the clean trace has other shapes.
        """
        self._machine, self._clean, self._corrupted = machine, clean, corrupted
        self._steps = steps or (0, len(corrupted))
        # What was done to the inputs is in the trace's inputs already.
        self._base = tuple(asked for asked in corrupted.header.interventions if asked.quantity != "inputs")
        self._sources = {**(sources or {}), CLEAN: clean}
        _require_alike(clean, corrupted, self._steps, quantities)
        self._rows = rows_of(machine.config, tuple(dict.fromkeys(quantities)))
        self.loss_clean, self.loss_corrupted = self._loss_of(clean), self._loss_of(corrupted)
        self._require_difference(float(np.finfo(clean.header.dtype).eps) * max(self.loss_clean, self.loss_corrupted))
        cells = machine.config.memory_size * machine.config.word_size
        patches = [(row, step) for step in range(*self._steps) for row in range(len(self._rows))]
        size = max(1, min(_MOST_RUNS, _MOST_CELLS // cells))
        self._batches = [patches[start : start + size] for start in range(0, len(patches), size)]
        for row in self._rows:
            self._editor([[taken_from_clean(row, self._steps[0])]])
        self.total = len(corrupted) + sum(len(corrupted) - batch[0][1] for batch in self._batches)
        self._loss = np.full((len(self._rows), self._steps[1] - self._steps[0]), np.nan)

    @torch.inference_mode()
    def run(self) -> Iterator[int]:
        """The index of each step, once it has been computed; AnalysisError if rounding does too much for a map."""
        done = 0
        starts = {batch[0][1] for batch in self._batches}
        states: dict[int, MachineState] = {}
        for step, state in enumerate(self._states()):
            if step in starts:
                states[step] = state
            yield done
            done += 1
        for batch in self._batches:
            lists = [[], *([taken_from_clean(self._rows[row], step)] for row, step in batch)]
            logits: list[Tensor] = []
            for _ in self._patched(lists, batch[0][1], states[batch[0][1]], logits):
                yield done
                done += 1
            unpatched, *patched = self._losses(logits, len(lists))
            self._require_difference(_ROUNDINGS * abs(unpatched - self.loss_corrupted))
            for (row, step), loss in zip(batch, patched, strict=True):
                self._loss[row, step - self._steps[0]] = np.maximum(0.0, self.loss_corrupted + (loss - unpatched))

    def result(self) -> PatchingMap:
        """The map; NaN where `run()` has not yet been."""
        restored = (self.loss_corrupted - self._loss) / (self.loss_corrupted - self.loss_clean)
        return PatchingMap(self._rows, self._steps, self.loss_clean, self.loss_corrupted, self._loss, restored)

    @torch.inference_mode()
    def losses(self, lists: Sequence[Sequence[Intervention]]) -> NDArray[np.float64]:
        """The loss of the corrupted run under each of these lists of interventions, in one batch: (list,)."""
        logits: list[Tensor] = []
        for _ in self._patched(lists, 0, self._start(), logits):
            pass
        return self._losses(logits, len(lists))

    def _require_difference(self, least: float) -> None:
        """AnalysisError unless the clean and the corrupted loss lie further apart than this."""
        if not abs(self.loss_corrupted - self.loss_clean) > max(_LEAST_DIFFERENCE, least):
            raise AnalysisError(
                f"the clean run loses {self.loss_clean:g} bits and the corrupted one {self.loss_corrupted:g}: "
                "they must differ by more than rounding, for a patch to restore something"
            )

    def _states(self) -> Iterator[MachineState]:
        """The state of the corrupted run before each step."""
        state = self._start()
        for result in self._machine.run(self._inputs(1), state, self._editor([()])):
            yield state
            state = result.state

    def _patched(
        self, lists: Sequence[Sequence[Intervention]], first: int, state: MachineState, logits: list[Tensor]
    ) -> Iterator[None]:
        """Run with one list for each sequence of a batch, from step `first` on; the logits are added to the list."""
        for result in self._machine.run(self._inputs(len(lists))[first:], state, self._editor(lists), first):
            logits.append(result.logits)
            yield

    def _losses(self, logits: Sequence[Tensor], runs: int) -> NDArray[np.float64]:
        """The loss of each run, whose first steps were those of the corrupted run."""
        late = torch.stack(list(logits)).numpy()
        early = np.repeat(self._corrupted["logits"][: len(self._corrupted) - len(late), None], runs, 1)
        return loss_bits(_asked(self._clean, runs), np.concatenate([early, late]))

    def _loss_of(self, trace: Trace) -> float:
        """What a whole trace loses of what the clean one asks."""
        return float(loss_bits(_asked(self._clean, 1), trace["logits"][:, None])[0])

    def _editor(self, lists: Sequence[Sequence[Intervention]]) -> Editor:
        every = [(*self._base, *interventions) for interventions in lists]
        return Editor.stacked(
            self._machine.config, every, self._sources, steps=len(self._corrupted), on_violation=allow
        )

    def _start(self) -> MachineState:
        """The state of the corrupted run before step 1."""
        parts = ("memory", "weighting", "read_vector", "hidden", "cell")
        trace = self._corrupted
        given = {part: trace[f"initial_{part}"].copy() for part in parts if f"initial_{part}" in trace.names}
        return self._machine.state_of(given, trace.header.initial_seed or 0)

    def _inputs(self, runs: int) -> Tensor:
        return torch.from_numpy(self._corrupted["inputs"].copy()).unsqueeze(1).expand(-1, runs, -1)


def _asked(trace: Trace, runs: int) -> Episode:
    """The trace's episode for each of so many runs."""
    inputs, targets, mask = (np.repeat(trace[name][:, None], runs, 1) for name in ("inputs", "targets", "mask"))
    return Episode(inputs, targets, mask, trace["phase"].astype(np.int64), trace.header.phases)


def _require_alike(clean: Trace, corrupted: Trace, steps: tuple[int, int], quantities: Sequence[Quantity]) -> None:
    if len(clean) != len(corrupted):
        raise AnalysisError(f"the clean episode has {len(clean)} steps and the corrupted one {len(corrupted)}")
    outputs = [trace.header.config.output_size for trace in (clean, corrupted)]
    if outputs[0] != outputs[1]:
        raise AnalysisError(f"the clean run has {outputs[0]} outputs and the corrupted one {outputs[1]}")
    if not clean["mask"].any():
        raise AnalysisError("the clean episode asks for nothing: there is no loss to restore")
    if corrupted.header.config.output_activation != "sigmoid":
        raise AnalysisError(f"output_activation is {corrupted.header.config.output_activation!r}: it must be 'sigmoid'")
    if not 0 <= steps[0] < steps[1] <= len(corrupted):
        raise AnalysisError(f"steps is {list(steps)}: it must be a range within 0 … {len(corrupted)}")
    if not quantities or set(quantities) - set(get_args(Quantity)):
        raise AnalysisError(f"quantities is {list(quantities)}: it must name at least one, and only known ones")
