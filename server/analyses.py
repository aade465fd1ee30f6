"""From a request to an analysis that is ready to run, within the limits of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ntm_core.analysis.alignment import common_steps
from ntm_core.analysis.divergence import divergence
from ntm_core.analysis.matching import comparison_size, matchings
from ntm_core.analysis.metrics import Measurement
from ntm_core.analysis.patches import patching_cells
from ntm_core.analysis.patching import Patching
from ntm_core.errors import AnalysisError
from ntm_core.interventions import expanded
from ntm_core.trace import Trace, TraceHeader
from server.analysis_schemas import ComparisonResult, MetricsRequest, PatchingRequest
from server.errors import LimitExceeded, Mismatch
from server.settings import Settings
from server.traces import Recordings

_NUMBERS_OF_A_CHANNEL = 64
_NUMBERS_OF_A_CELL = 256
"""For how much a number counts of the sequences, or of the memories that are compared: such numbers are kept."""

_BYTES_OF_A_MATCHED_CELL = 32
"""What two memory cells that are matched take beside the memories themselves: each is there twice in float64."""


@dataclass(frozen=True)
class Analyses:
    """Makes analyses out of what is stored and recorded."""

    recordings: Recordings
    settings: Settings

    def measurement(self, asked: MetricsRequest) -> Measurement:
        """What a request for metrics asks for; UnknownCheckpoint, Mismatch, LimitExceeded, or an error of the core."""
        info = self.recordings.checkpoints.info(asked.checkpoint)
        task = asked.task or info.task
        if task is None:
            raise Mismatch(f"checkpoint {info.id!r} does not say which task it was trained on: name a task", "task")
        lengths, config = asked.lengths or task.evaluation_lengths, info.about.config
        steps = [task.of_length(length).longest for length in lengths]
        if max(steps) > self.settings.max_steps:
            raise LimitExceeded(f"a sequence has {max(steps)} steps: the limit is {self.settings.max_steps}", "lengths")
        channels = _NUMBERS_OF_A_CHANNEL * (config.input_size + config.output_size)
        cells = 2 * sum(steps) * asked.sequences * max(config.memory_size * config.word_size, channels)
        self._require(cells, f"2 x {sum(steps)} steps x {asked.sequences} sequences", "sequences")
        machine = self.recordings.machine(asked.checkpoint)
        interventions = expanded(asked.mode, asked.interventions)
        return Measurement(
            machine,
            task,
            lengths,
            asked.sequences,
            asked.seed,
            interventions,
            leave_constraints=asked.leave_constraints,
        )

    def require_patchable(self, asked: PatchingRequest, corrupted: TraceHeader) -> None:
        """LimitExceeded if a map of the corrupted run would take too long."""
        cells = patching_cells(corrupted.config, corrupted.steps, asked.quantities, asked.steps)
        self._require(cells, f"every quantity, head and step of {corrupted.steps} patched", "steps")

    def patching(
        self, asked: PatchingRequest, clean: Trace, corrupted: Trace, sources: Mapping[str, Trace]
    ) -> Patching:
        """What a request for patching asks for, from the two traces and those that the corrupted run takes from.

        An error of the core.
        """
        machine = self.recordings.machine(asked.corrupted.checkpoint)
        return Patching(machine, clean, corrupted, asked.quantities, asked.steps, sources)

    def room_to_compare(self, a: TraceHeader, b: TraceHeader, offset: int) -> int:
        """How many bytes a comparison takes beside its traces; LimitExceeded if to match their rows takes too long."""
        if a.config.memory_size != b.config.memory_size:
            return 0
        config, common = a.config, len(common_steps(range(a.steps), range(b.steps), offset))
        steps, cells = 1 + common, config.memory_size * config.word_size
        numbers = max(comparison_size(config, common), _NUMBERS_OF_A_CELL * cells * steps)
        self._require(numbers, f"rows of {steps} memories matched", None)
        if b.config.word_size != config.word_size:
            return 0
        memories = sum(np.dtype(header.dtype).itemsize * (1 + header.steps) for header in (a, b))
        return cells * (memories + _BYTES_OF_A_MATCHED_CELL * steps)

    def comparison(self, a: Trace, b: Trace, tolerance: float, offset: int) -> ComparisonResult:
        """Two traces compared."""
        plain = divergence(a, b, tolerance=tolerance, offset=offset)
        try:
            found = matchings(a, b, offset)
        except AnalysisError as error:
            return ComparisonResult.unmatched(plain, str(error))
        return ComparisonResult.of(plain, found, divergence(a, b, found.best.rows, tolerance, offset))

    def _require(self, cells: int, what: str, field: str | None) -> None:
        limit = self.settings.max_analysis_cells
        if cells > limit:
            raise LimitExceeded(f"{what} are {cells} numbers with this machine: the limit is {limit}", field)
