"""A run in a directory: it may be stopped, or killed at any moment, and goes on to the same bits.

* metrics.jsonl: one line an evaluation
* checkpoints/: iteration-00000000.safetensors and on, at iterations 0, 1, 2, 5, 10, 20, 50, …
* state.safetensors: what the run goes on from; replaced at each evaluation, and when the run is stopped
* live.safetensors: the machine as it is, if it is to be watched while it learns
* final.safetensors: the trained checkpoint, with its errors by length; written last. If the run is then given more
  iterations, it becomes one of the series
* .lock: locked by the process that trains

An LSTM without a memory has no checkpoints, for there is nothing in it to be shown: its weights are in the state, and
its errors by length, at the end that it came to last, in results.json.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ntm_core.atomic import atomic_write
from ntm_core.checkpoints.native import Checkpoint, load_checkpoint, require_readable, save_checkpoint
from ntm_core.claim import claimed
from ntm_core.compiled import ALONE, Core, Crew, core_for
from ntm_core.errors import TrainingError
from ntm_core.evaluation import Results, evaluate
from ntm_core.machine import Machine
from ntm_core.training.metrics import FixedSequences, MetricRow, MetricsFile
from ntm_core.training.plan import Plan
from ntm_core.training.recipe import Recipe
from ntm_core.training.record import Marks, falling_at, marks, training_record
from ntm_core.training.relapse import is_best, lost, pace, relapses
from ntm_core.training.spent import Spent, Stopwatch
from ntm_core.training.state import TrainingState
from ntm_core.training.structure import content_jumps, diagonal
from ntm_core.training.trainer import Trainer, Update

STATE, METRICS, SERIES = "state.safetensors", "metrics.jsonl", "checkpoints"
LIVE, FINAL, RESULTS = "live.safetensors", "final.safetensors", "results.json"


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        iteration: iterations done.
        last_iteration: the iteration at which the run will end as things stand.
        marks: where something was first seen.
        update: what the last iteration did; None before the first of this session.
        row: the last evaluation; None before the first.
        core: what computes it.
        live: the iteration whose machine is in the live checkpoint; None if there is none yet.
    """

    iteration: int
    last_iteration: int
    marks: Marks
    update: Update | None
    row: MetricRow | None
    core: Core
    live: int | None = None


@dataclass(frozen=True)
class Outcome:
    """How a session ended: results only if the run is finished, for a stopped run can be resumed."""

    progress: Progress
    spent: Spent
    results: Results | None


def train(
    plan: Plan,
    directory: Path,
    *,
    core: Core | None = None,
    stop: Callable[[], bool] = lambda: False,
    report: Callable[[Progress], None] = lambda _: None,
    live_seconds: float | None = None,
    crew: Crew = ALONE,
    patience: float = 0.0,
) -> Outcome:
    """Run the plan in the directory, from where it was left, until it is finished or `stop()`.

    `core` is what computes the machine: by default what a resumed run began with, and for a new one the fastest that
    can. `report` is called after each iteration. With `live_seconds`, state and live checkpoint are written that often,
    so that a kill loses no more. The crew are threads that share a batch: they change no bit.

    TrainingError if the directory holds the run of another plan or of another core, or if the loss stops being finite;
    the saved state then is the last good one. CheckpointError if the machine is too large for a checkpoint. InUseError
    if another process still trains there after `patience` seconds, or at `stop()`.
    """
    if plan.memory:
        require_readable(plan.config)
    with claimed(directory, patience, stop):
        run = _Run(plan, directory, core, crew)
        run.record()
        if not run.finished:
            run.reopen()
        report(run.progress())
        while not run.finished:
            if stop():
                run.save_state()
                return Outcome(run.progress(), run.spent, None)
            run.advance()
            if live_seconds is not None:
                run.show(live_seconds)
            report(run.progress())
        return Outcome(run.progress(), run.spent, run.finish())


def core_of(plan: Plan, directory: Path, asked: Core | None = None) -> Core:
    """What `train` will compute the plan with in this directory; TrainingError as there."""
    return _core(plan, directory, _saved_state(plan, directory), asked)


def saved_plan(directory: Path) -> Plan:
    """The plan of the run in the directory. TrainingError if there is none."""
    return _state_in(directory).plan


def saved_progress(directory: Path) -> tuple[Plan, Progress, bool]:
    """Plan and progress of the run in the directory, and whether it is finished. TrainingError if there is none."""
    state = _state_in(directory)
    plan, rows = state.plan, state.rows
    found = marks(plan.recipe, rows)
    row = rows[-1] if rows else None
    last = _last_iteration(plan.recipe, falling_at(plan.recipe, rows))
    iteration, end = state.counts.iteration, directory / (FINAL if plan.memory else RESULTS)
    return plan, Progress(iteration, last, found, None, row, state.core), iteration >= last and end.exists()


class _Run:
    """A run between two iterations, and its files."""

    def __init__(self, plan: Plan, directory: Path, core: Core | None, crew: Crew) -> None:
        (directory / SERIES).mkdir(parents=True, exist_ok=True)
        _remove_leftovers(directory)
        state = _saved_state(plan, directory)
        self._plan = plan
        self._directory = directory
        self._trainer = Trainer(plan, _core(plan, directory, state, core), crew)
        if state:
            self._trainer.load(state.tensors, state.counts)
        self._metrics = MetricsFile(directory / METRICS, state.rows if state else ())
        self._best = state.best if state else {}
        self._judge()
        self._fixed = FixedSequences(plan.task)
        self._update: Update | None = None
        self._stopwatch = Stopwatch(state.spent if state else Spent())
        self._live: int | None = None
        self._shown = -math.inf

    @property
    def spent(self) -> Spent:
        """Time spent on the run, in all its sessions."""
        return self._stopwatch.spent

    @property
    def finished(self) -> bool:
        """Whether the last iteration is done."""
        return self._trainer.counts.iteration >= self.progress().last_iteration

    def reopen(self) -> None:
        """Let what was the end of the run be a moment of it, if there was one: it has been given more iterations."""
        end = self._directory / FINAL
        if end.exists():
            training = load_checkpoint(end).training or {}
            end.replace(self._directory / series_file(training["iterations"]))

    def progress(self) -> Progress:
        """How far the run is."""
        iteration, core, rows = self._trainer.counts.iteration, self._trainer.machine.core, self._metrics.rows
        last, row = _last_iteration(self._plan.recipe, self._falling), rows[-1] if rows else None
        return Progress(iteration, last, self._marks, self._update, row, core, self._live)

    def advance(self) -> None:
        """Do one iteration and record it; after a relapse, from where the run was best."""
        self._go_back()
        self._update = self._trainer.update(self._rate())
        self.record()

    def _go_back(self) -> None:
        """After a relapse, take the parameters from where the run was best."""
        counts = self._trainer.counts
        if self._relapses[-1:] == (counts.iteration,):
            undone = lost(self._plan.recipe, self._metrics.rows)
            self._trainer.load(self._best, replace(counts, lost=undone))

    def _judge(self) -> None:
        """Tell from the measurements what has been seen in the run."""
        self._marks = marks(self._plan.recipe, self._metrics.rows)
        self._falling = falling_at(self._plan.recipe, self._metrics.rows)
        self._relapses = relapses(self._plan.recipe, self._metrics.rows)
        self._pace = pace(self._plan.recipe, self._metrics.rows)

    def _rate(self) -> float:
        """The share of the learning rate for the next iteration: it rises to 1, stays until it falls, and is 0 at last.

        After a relapse it is less.
        """
        recipe, falling, done = self._plan.recipe, self._falling, self._trainer.counts.iteration
        share = self._pace * min(1.0, (done + 1) / max(1, recipe.warm_up))
        return share if falling is None else share * recipe.extra_rate * (1 - (done - falling) / recipe.extra)

    def record(self) -> None:
        """Write what is due after this iteration, or what was due when the run was left.

        A crash before the state is saved lets the iterations since the last state be done again; a crash after it
        leaves at most this iteration's checkpoint to be written, which the next session begins with.
        """
        iteration, rows = self._trainer.counts.iteration, self._metrics.rows
        if iteration % self._plan.recipe.evaluate_every == 0 and (not rows or rows[-1].iteration < iteration):
            self._metrics.append(self._measured())
            self._judge()
            if self._plan.recipe.relapse is not None and is_best(self._metrics.rows):
                self._best = {name: value.clone() for name, value in self._trainer.tensors().items()}
            self.save_state()
        if is_in_series(iteration):
            self._save_checkpoint(self._directory / series_file(iteration))

    def show(self, seconds: float) -> None:
        """Write the live checkpoint, and the state with it, if the last one is this old."""
        if time.monotonic() - self._shown >= seconds:
            self.save_state()
            self._save_checkpoint(self._directory / LIVE)
            self._live, self._shown = self._trainer.counts.iteration, time.monotonic()

    def save_state(self) -> None:
        """Save all that the run needs to go on from here."""
        if self.finished and not self._plan.memory:  # those of the end before; without any it is not finished
            (self._directory / RESULTS).unlink(missing_ok=True)
        trainer = self._trainer
        rows, core = self._metrics.rows, trainer.machine.core
        state = TrainingState(self._plan, trainer.counts, self.spent, rows, trainer.tensors(), core, self._best)
        state.save(self._directory / STATE)

    def finish(self) -> Results:
        """Measure the trained machine and save the final checkpoint."""
        self._go_back()
        self.save_state()
        results = evaluate(self._trainer.machine, self._plan.task)
        self._save_checkpoint(self._directory / FINAL, results)
        if not self._plan.memory:
            atomic_write(self._directory / RESULTS, results.model_dump_json(indent=2).encode())
        return results

    def _measured(self) -> MetricRow:
        counts, scores = self._trainer.counts, self._fixed.measure(self._trainer.machine)
        machine, spent = self._trainer.machine, self.spent
        trace = self._fixed.trace(machine) if isinstance(machine, Machine) else None
        return MetricRow(
            iteration=counts.iteration,
            sequences=counts.iteration * self._plan.recipe.batch,
            loss_bits=float(scores.loss_bits.mean()),
            wrong_bits=float(scores.wrong_bits.mean()),
            metric=float(scores.metric.mean()),
            diagonal=diagonal(trace) if trace else None,
            content_jumps=content_jumps(trace) if trace else None,
            gradient_norm=self._update.gradient_norm if self._update else None,
            skipped_updates=counts.skipped,
            seconds=round(spent.seconds, 3),
            cpu_seconds=round(spent.cpu_seconds, 3),
        )

    def _save_checkpoint(self, path: Path, results: Results | None = None) -> None:
        machine, core = self._trainer.machine, self._trainer.machine.core
        if not isinstance(machine, Machine):
            return
        training = training_record(self._plan, self._trainer.counts, self.spent, self._metrics.rows, core)
        checkpoint = Checkpoint.of(
            machine,
            task=self._plan.task.model_dump(mode="json"),
            training=training.model_dump(mode="json"),
            results=results.model_dump(mode="json") if results else None,
            card=self._plan.task.look_for,
        )
        save_checkpoint(path, checkpoint)


def series_file(iteration: int) -> Path:
    """Where in a run's directory the checkpoint after this iteration is, if it is in the series."""
    return Path(SERIES) / f"iteration-{iteration:08d}.safetensors"


def is_in_series(iteration: int) -> bool:
    """Whether the checkpoint after this iteration is kept: 0, 1, 2, 5, 10, 20, 50, 100, and so on."""
    digits = str(iteration)
    return iteration == 0 or (digits[0] in "125" and set(digits[1:]) <= {"0"})


def _last_iteration(recipe: Recipe, falling: int | None) -> int:
    """The iteration at which a run ends whose learning rate falls from this one on."""
    most = recipe.max_iterations
    return most if falling is None else min(most, falling + recipe.extra)


def _state_in(directory: Path) -> TrainingState:
    if not (directory / STATE).exists():
        raise TrainingError(f"{directory} holds no run to resume: it has no {STATE}")
    return TrainingState.load(directory / STATE)


def _saved_state(plan: Plan, directory: Path) -> TrainingState | None:
    path = directory / STATE
    if not path.exists():
        return None
    state = TrainingState.load(path)
    differences = plan.differences(state.plan)
    if differences:
        raise TrainingError(
            f"{directory} holds a run that was planned otherwise, so it cannot be resumed: {'; '.join(differences)}"
        )
    return state


def _core(plan: Plan, directory: Path, state: TrainingState | None, asked: Core | None) -> Core:
    """What computes a run: for one that goes on what it began with, since the other core gives other last bits."""
    reason = plan.why_eager
    if state is not None and asked not in (None, state.core):
        raise TrainingError(
            f"{directory} holds a run of the {state.core} core, so it cannot go on with the {asked} core"
        )
    core = asked if state is None else state.core
    if core == "compiled" and reason is not None:
        raise TrainingError(f"the run needs the compiled core, which cannot be used: {reason}")
    return core or ("eager" if reason else core_for(plan.config))


def _remove_leftovers(directory: Path) -> None:
    """Remove the temporary files of writes that a kill has cut short."""
    for folder in (directory, directory / SERIES):
        for path in folder.glob(".*.safetensors.*.part"):
            path.unlink()
