"""From a request to an analysis that is ready to run, within the limits of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from ntm_core.analysis.alignment import common_steps
from ntm_core.analysis.divergence import divergence
from ntm_core.analysis.matching import comparison_size, matchings
from ntm_core.analysis.metrics import Measurement
from ntm_core.analysis.patches import patching_cells
from ntm_core.analysis.patching import Patching
from ntm_core.errors import AnalysisError
from ntm_core.interventions import expanded
from ntm_core.trace import Trace
from server.analysis_schemas import ComparisonResult, MetricsRequest, PatchingRequest
from server.errors import LimitExceeded, Mismatch
from server.settings import Settings
from server.traces import Recordings

_NUMBERS_OF_A_CHANNEL = 64
_NUMBERS_OF_A_CELL = 256
"""For how much a number counts of the sequences, or of the memories that are compared: such numbers are kept."""


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

    def patching(
        self, asked: PatchingRequest, clean: Trace, corrupted: Trace, sources: Mapping[str, Trace]
    ) -> Patching:
        """What a request for patching asks for, from the two traces and those that the corrupted run takes from.

        LimitExceeded, or an error of the core.
        """
        machine = self.recordings.machine(asked.corrupted.checkpoint)
        cells = patching_cells(machine.config, len(corrupted), asked.quantities, asked.steps)
        self._require(cells, f"every quantity, head and step of {len(corrupted)} patched", "steps")
        return Patching(machine, clean, corrupted, asked.quantities, asked.steps, sources)

    def comparison(self, a: Trace, b: Trace, tolerance: float, offset: int) -> ComparisonResult:
        """Two traces compared; LimitExceeded if matching their rows would take too long."""
        plain = divergence(a, b, tolerance=tolerance, offset=offset)
        if a.header.config.memory_size == b.header.config.memory_size:
            config, steps = a.header.config, 1 + len(common_steps(a, b, offset))
            numbers = _NUMBERS_OF_A_CELL * config.memory_size * config.word_size * steps
            self._require(max(comparison_size(a, b, offset), numbers), f"rows of {steps} memories matched", None)
        try:
            found = matchings(a, b, offset)
        except AnalysisError as error:
            return ComparisonResult.unmatched(plain, str(error))
        return ComparisonResult.of(plain, found, divergence(a, b, found.best.rows, tolerance, offset))

    def _require(self, cells: int, what: str, field: str | None) -> None:
        limit = self.settings.max_analysis_cells
        if cells > limit:
            raise LimitExceeded(f"{what} are {cells} numbers with this machine: the limit is {limit}", field)
