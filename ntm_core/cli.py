"""The commands that need no server: train, curves, evaluate, trace, modes."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Any, Self, get_args

import torch
from tqdm import tqdm  # type: ignore[import-untyped]  # it ships no types

from ntm_core import zoo
from ntm_core.analysis.mode_table import markdown, mode_rows
from ntm_core.atomic import atomic_write
from ntm_core.checkpoints.importers import Wishes
from ntm_core.checkpoints.native import Checkpoint, load_checkpoint
from ntm_core.checkpoints.reading import read_checkpoint
from ntm_core.cli_inputs import initial_state, input_rows, interventions, sources
from ntm_core.cli_options import add_options, given
from ntm_core.compiled import ALONE, Core, Crew, yet_to_compile
from ntm_core.config import MachineConfig
from ntm_core.errors import CheckpointError, NtmError, TaskError, TraceError, TrainingError
from ntm_core.evaluation import EVALUATION_SEED, LengthResult, Results, errors_by_length
from ntm_core.interventions import MODES, expanded
from ntm_core.machine import Machine, warm_up
from ntm_core.recording import record
from ntm_core.tasks import TASKS, Task, parse_task
from ntm_core.tasks.rows import judged_rows
from ntm_core.threads import require_threads
from ntm_core.trace import TraceHeader
from ntm_core.trace_file import save_trace
from ntm_core.training import Plan, Progress, Recipe
from ntm_core.training import train as train_plan
from ntm_core.training.curves import Measured, curves_csv, curves_svg, read_curve, spreads, spreads_csv, spreads_svg
from ntm_core.training.recipe import NO_MEMORY
from ntm_core.training.session import FINAL, RESULTS, core_of, saved_plan, saved_progress
from ntm_core.training.tensorboard import scalar_report

REFUSED = 2
"""Exit status of a command that could not do what it was asked."""

STOPPED = 130
"""Exit status of a run that was stopped and can be resumed: what a shell reports after Ctrl-C."""

UNREAD = 141
"""Exit status of a command whose output nobody reads any more: what a shell reports of a broken pipe."""

_FROM_TASK = {"input_size", "output_size"}


def add_commands(subparsers: Any, crew_of: Callable[[int], Crew] = lambda _: ALONE) -> None:
    """Add the commands train, curves, evaluate, trace and modes to an argparse parser's subparsers.

    The parsed arguments then have a `run`: a function of the arguments that gives the exit status. `crew_of` lends so
    many threads.
    """
    _add_train(subparsers, crew_of)
    _add_curves(subparsers)
    _add_evaluate(subparsers)
    _add_trace(subparsers)
    _add_modes(subparsers)


def main(words: Sequence[str] | None = None) -> int:
    """The exit status of one command, given as a list of words (default: those of the command line)."""
    parser = argparse.ArgumentParser(prog="ntm-scope", allow_abbrev=False)
    add_commands(parser.add_subparsers(required=True, metavar="COMMAND"))
    arguments = parser.parse_args(words)
    status: int = arguments.run(arguments)
    return status


def _add_train(subparsers: Any, crew_of: Callable[[int], Crew]) -> None:
    parser = subparsers.add_parser(
        "train",
        help="train a machine on a task",
        description="Train a machine on a task, by its recipe. A run that was stopped with Ctrl-C, or killed, "
        "goes on where it was left when the same command is given again, and ends in the same bits.",
        allow_abbrev=False,
    )
    parser.add_argument("task", nargs="?", choices=tuple(TASKS), metavar="TASK", help=" · ".join(TASKS))
    parser.add_argument("--out", type=Path, metavar="DIR", help="Default: runs/TASK-CONTROLLER-seed-SEED.")
    parser.add_argument(
        "--resume", type=Path, metavar="DIR", help="Go on with the run in this directory, by its own plan."
    )
    parser.add_argument("--seed", default=None, help="Seed of the first parameters and of all data. Default: 0.")
    parser.add_argument(
        "--core",
        choices=get_args(Core),
        help="What computes the machine. Default: what a resumed run began with, otherwise compiled where it can.",
    )
    parser.add_argument("--task-json", metavar="JSON", help='Settings of the task, such as {"lengths": [1, 10]}.')
    parser.add_argument(
        "--no-memory",
        action="store_true",
        help="Train the LSTM alone, to compare with: what else is said of heads and memory is not read.",
    )
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="Write the measurements for TensorBoard too; it must be installed.",
    )
    _add_threads(parser)
    add_options(parser, "recipe (some defaults differ by task)", Recipe, set())
    add_options(parser, "machine (some defaults differ by task)", MachineConfig, _FROM_TASK)
    parser.set_defaults(run=_guarded(partial(_train, crew_of)))


def _add_curves(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "curves",
        help="write the learning curves of runs",
        description="Write the learning curves of runs: as a table of all measurements (.csv), or as a picture of the "
        "loss against the sequences trained on (.svg).",
        allow_abbrev=False,
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="Directories of runs.")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="The .csv or .svg to write.")
    parser.add_argument(
        "--median",
        action="store_true",
        help="Runs that differ in seed alone are one curve: the median and the range of those that were measured.",
    )
    _add_threads(parser)
    parser.set_defaults(run=_guarded(_curves))


def _add_evaluate(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "evaluate",
        help="measure a checkpoint's errors by length",
        description="Measure a checkpoint's errors by length, on sequences that no run trains on.",
        allow_abbrev=False,
    )
    _add_checkpoint(parser)
    _add_measured(parser)
    parser.add_argument("--json", action="store_true", help="Write one JSON document, not a table.")
    _add_threads(parser)
    parser.set_defaults(run=_guarded(_evaluate))


def _add_trace(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "trace",
        help="record a checkpoint's run over one sequence",
        description="Record everything that a checkpoint computes on one sequence, in one .npz file.",
        allow_abbrev=False,
    )
    _add_checkpoint(parser)
    parser.add_argument("--seed", type=int, default=0, help="Seed of the sequence. Default: 0.")
    parser.add_argument(
        "--inputs",
        type=Path,
        metavar="FILE",
        help="Rows (step, input) to run on: .json, .npy, or a .npz trace.",
    )
    parser.add_argument(
        "--initial-state",
        type=Path,
        metavar="FILE",
        help="Parts of the state before step 1 (memory, weighting, read_vector, hidden, cell): .json or .npz.",
    )
    parser.add_argument(
        "--initial-seed", type=int, default=0, help="Seed of what the machine draws anew before step 1. Default: 0."
    )
    _add_interventions(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="The .npz file to write.")
    _add_threads(parser)
    parser.set_defaults(run=_guarded(_trace))


def _add_modes(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "modes",
        help="measure a checkpoint in each addressing mode",
        description="Measure a checkpoint's wrong bits in each addressing mode: a Markdown table with a row for each "
        f"mode ({', '.join(MODES)}) and a column for each length, with the median over the sequences and, where they "
        "differ, the lowest and the highest in brackets.",
        allow_abbrev=False,
    )
    _add_checkpoint(parser)
    _add_measured(parser)
    _add_threads(parser)
    parser.set_defaults(run=_guarded(_modes))


def _add_measured(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lengths", type=int, nargs="+", metavar="N", help="Default: the task's own list.")
    parser.add_argument("--sequences", type=int, default=100, metavar="N", help="Of each length. Default: 100.")
    parser.add_argument("--seed", type=int, default=EVALUATION_SEED, help=f"Default: {EVALUATION_SEED}.")


def _add_interventions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mode", choices=tuple(MODES), default="full", help="Addressing mode, made before the interventions."
    )
    parser.add_argument(
        "--interventions", type=Path, metavar="FILE", help="Changes to what the machine computes: a JSON list."
    )
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="A .npz trace from which interventions take; may be given several times.",
    )
    parser.add_argument(
        "--leave-constraints", action="store_true", help="Let interventions leave the constraints of what they change."
    )


def _add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help=f"A file, ours or of another program, or a shipped checkpoint: {', '.join(zoo.names())}.",
    )
    parser.add_argument(
        "--import-json",
        metavar="JSON",
        help='What to decide about a file of another program, such as {"variant": "own_previous", "answers": {}}.',
    )
    parser.add_argument(
        "--task-json", metavar="JSON", help='Settings to change of its own task, such as {"lengths": [30, 30]}.'
    )


def _add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="Threads that compute. Default: 1.",
    )


def _guarded(command: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The command on its number of threads, with a refusal told in one line rather than as a traceback.

    One that is stopped, or whose output nobody reads any more, ends without a word, as a shell expects.
    """

    def run(arguments: argparse.Namespace) -> int:
        try:
            _use_threads(arguments.threads)
            return command(arguments)
        except KeyboardInterrupt:
            return STOPPED
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python has yet to write
            return UNREAD
        except NtmError as error:
            sys.stderr.write(f"ntm-scope: {error}\n")
            return REFUSED
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            sys.stderr.write(f"ntm-scope: {where}{error.strerror or error}\n")
            return REFUSED

    return run


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Within it the file is written; NtmError says in words why it cannot be."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NtmError(f"{path} cannot be written: {error.strerror}") from None


def _use_threads(threads: int) -> None:
    require_threads(threads, "--threads")
    torch.set_num_threads(threads)


def _train(crew_of: Callable[[int], Crew], arguments: argparse.Namespace) -> int:
    plan = _resumed_plan(arguments) if arguments.resume else _new_plan(arguments)
    name = f"{plan.task.name}-{plan.config.controller if plan.memory else NO_MEMORY}-seed-{plan.seed}"
    directory = arguments.resume or arguments.out or Path("runs") / name
    scalars = scalar_report(directory) if arguments.tensorboard else None
    if core_of(plan, directory, arguments.core) == "compiled":
        # The crew has the threads: with several, the little that PyTorch sums up beside it would have other last bits.
        torch.set_num_threads(1)
        warm_up(lambda words: print(words, file=sys.stderr))
    with _stop_on_signal() as stop, _ProgressBar(plan.recipe.batch, scalars) as bar:
        crew = crew_of(arguments.threads)
        outcome = train_plan(plan, directory, core=arguments.core, stop=stop, report=bar, crew=crew)
    progress = outcome.progress
    if outcome.results is None:
        sys.stderr.write(
            f"Stopped after iteration {progress.iteration}. To go on: ntm-scope train --resume {directory}\n"
        )
        return STOPPED
    converged = progress.marks.converged
    sys.stdout.write(
        f"{'Did not converge' if converged is None else f'Converged at iteration {converged}'}; "
        f"{progress.iteration} iterations in {outcome.spent.seconds:.1f} s, of which the processor worked "
        f"{outcome.spent.cpu_seconds:.1f} s: {directory / (FINAL if plan.memory else RESULTS)}\n"
    )
    _write_table(outcome.results.errors_by_length)
    return 0


def _new_plan(arguments: argparse.Namespace) -> Plan:
    if arguments.task is None:
        raise TrainingError(f"TASK is missing: name one of {', '.join(TASKS)}, or give --resume DIR")
    changed = _json_object(arguments.task_json, "--task-json")
    if changed.get("name", arguments.task) != arguments.task:
        raise TaskError(
            f"--task-json names the task {changed['name']!r}, but TASK is {arguments.task}: name one of them"
        )
    task = parse_task({"name": arguments.task, **changed})
    machine, recipe = given(arguments, MachineConfig), given(arguments, Recipe)
    return Plan.best_known(task, machine, recipe, arguments.seed or 0, memory=not arguments.no_memory)


def _resumed_plan(arguments: argparse.Namespace) -> Plan:
    fixed = {name: getattr(arguments, name) for name in ("task", "out", "seed", "task_json")}
    fixed |= given(arguments, MachineConfig) | {"no_memory": arguments.no_memory or None}
    for name, value in fixed.items():
        if value is not None:
            raise TrainingError(f"{name} is given as {value}, but --resume takes it from the run: leave it out")
    saved = saved_plan(arguments.resume)
    return saved.model_copy(update={"recipe": Recipe.make(**{**saved.recipe.model_dump(), **given(arguments, Recipe)})})


def _curves(arguments: argparse.Namespace) -> int:
    kind, kinds = arguments.output.suffix, (".csv", ".svg")
    if kind not in kinds:
        raise TrainingError(f"--output is {arguments.output}: it must end in {' or '.join(kinds)}")
    curves = [read_curve(run) for run in arguments.runs]
    if len({curve.name for curve in curves}) < len(curves):  # then where they are tells them apart
        curves = [replace(curve, name=str(run)) for curve, run in zip(curves, arguments.runs, strict=True)]
    if arguments.median:
        known = map(saved_progress, arguments.runs)
        runs = [Measured(plan, curve, done) for (plan, _, done), curve in zip(known, curves, strict=True)]
        found = spreads(runs)
        text = spreads_csv(found) if kind == ".csv" else spreads_svg(found)
    else:
        text = curves_csv(curves) if kind == ".csv" else curves_svg(curves)
    with _writing(arguments.output):
        atomic_write(arguments.output, text.encode())
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    checkpoint = _checkpoint(arguments)
    task = _task_of(checkpoint, arguments.task_json)
    lengths = arguments.lengths or task.evaluation_lengths
    measured = errors_by_length(_machine(checkpoint), task, lengths, arguments.sequences, arguments.seed)
    if arguments.json:
        results = Results(metric=task.metric, unit=task.unit, seed=arguments.seed, errors_by_length=tuple(measured))
        sys.stdout.write(results.model_dump_json(indent=2) + "\n")
    else:
        _write_table(measured)
    return 0


def _modes(arguments: argparse.Namespace) -> int:
    checkpoint = _checkpoint(arguments)
    task = _task_of(checkpoint, arguments.task_json)
    lengths = arguments.lengths or task.evaluation_lengths
    rows = mode_rows(_machine(checkpoint), task, lengths, arguments.sequences, arguments.seed)
    first = next(rows)  # what cannot be measured is refused before the table's head is written
    for line in markdown(lengths, chain([first], rows)):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    return 0


def _trace(arguments: argparse.Namespace) -> int:
    checkpoint = _checkpoint(arguments)
    if not 0 <= arguments.initial_seed < 2**32:
        raise TraceError(f"--initial-seed is {arguments.initial_seed}: it must be 0 … {2**32 - 1}")
    machine, given = _machine(checkpoint), initial_state(arguments.initial_state) if arguments.initial_state else {}
    if arguments.inputs is None:
        task: Task | None = _task_of(checkpoint, arguments.task_json)
        assert task is not None
        episode, note = task.episodes(arguments.seed), None
    else:
        known = checkpoint.task is not None or arguments.task_json is not None
        task = _task_of(checkpoint, arguments.task_json) if known else None
        episode, note = judged_rows(input_rows(arguments.inputs), task, checkpoint.config.output_size)
    header = TraceHeader.of(
        checkpoint.config,
        len(episode),
        dtype="float64" if machine.output.weight.dtype == torch.float64 else "float32",
        checkpoint=Path(arguments.checkpoint).stem,
        seed=arguments.seed if arguments.inputs is None else None,
        initial_seed=arguments.initial_seed,
        initial_given=tuple(given),
        task=None if task is None else task.model_dump(mode="json"),
        task_note=note,
        input_channels=None if task is None else task.input_channels,
        output_channels=None if task is None else task.output_channels,
        phases=episode.phases,
        mode=arguments.mode,
        interventions=expanded(
            arguments.mode, interventions(arguments.interventions) if arguments.interventions else ()
        ),
        leave_constraints=arguments.leave_constraints,
    )
    trace = record(machine, episode, header, given, sources=sources(arguments.source))
    with _writing(arguments.output):
        save_trace(arguments.output, trace)
    return 0


def _checkpoint(arguments: argparse.Namespace) -> Checkpoint:
    """The checkpoint in the file of this name, whichever program wrote it, or the shipped one."""
    name, wishes = arguments.checkpoint, _json_object(arguments.import_json, "--import-json")
    if unknown := wishes.keys() - {field.name for field in fields(Wishes)}:
        raise CheckpointError(f"--import-json has {sorted(unknown)}: it may have {[f.name for f in fields(Wishes)]}")
    if not Path(name).is_file() and name in zoo.files():
        if wishes:
            raise CheckpointError(f"{name} came with the program and says all itself: leave --import-json out")
        return load_checkpoint(zoo.path(name))
    return read_checkpoint(name, Wishes(**wishes))


def _machine(checkpoint: Checkpoint) -> Machine:
    """The checkpoint's machine, with a word beforehand if what computes it has yet to be compiled."""
    machine = checkpoint.machine()
    if machine.usable_core() == "compiled" and (words := yet_to_compile()):
        print(words, file=sys.stderr, flush=True)
    return machine


def _task_of(checkpoint: Checkpoint, changes: str | None) -> Task:
    """The task that the checkpoint was trained on, with some of its settings changed, or another one."""
    changed = _json_object(changes, "--task-json")
    own = checkpoint.task or {}
    if changed.get("name", own.get("name")) != own.get("name"):
        own = {}
    if not own and "name" not in changed:
        raise CheckpointError("the checkpoint names no task: give one with --task-json '{\"name\": …}'")
    return parse_task({**own, **changed})


def _json_object(text: str | None, option: str) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise TaskError(f"{option} is {text!r}, which is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise TaskError(f"{option} is {text!r}: it must be an object of settings")
    return value


def _write_table(rows: Sequence[LengthResult] | Iterator[LengthResult]) -> None:
    """Write one line for each length, as soon as it is measured, under a head once there is one."""
    head = "length  steps  sequences  perfect  wrong bits (mean, worst)  of asked  loss bits     metric\n"
    for row in rows:
        sys.stdout.write(head)
        head = ""
        sys.stdout.write(
            f"{row.length:6}  {row.steps:5}  {row.sequences:9}  {row.perfect:7}  {row.wrong_bits:16.3f}, {row.worst:6}"
            f"  {row.asked_bits:8}  {row.loss_bits:9.3f}  {row.metric:9.3f}\n"
        )
        sys.stdout.flush()


@contextmanager
def _stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or a polite kill has asked to stop; a second one stops at once."""
    received: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        signal.signal(number, at_once[number])

    at_once: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, remember)
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _ProgressBar:
    """A bar over the sequences of a run, with the loss, the wrong bits, the speed and the time left."""

    def __init__(self, batch: int, scalars: Callable[[Progress], None] | None = None) -> None:
        """`scalars` is told of all progress too."""
        self._batch = batch
        self._scalars = scalars
        self._loss: float | None = None
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, progress: Progress) -> None:
        if self._scalars is not None:
            self._scalars(progress)
        sequences, total = progress.iteration * self._batch, progress.last_iteration * self._batch
        if progress.update is None or self._bar is None:
            interval = 0.2 if sys.stderr.isatty() else 30.0
            options = {"unit": "seq", "unit_scale": True, "dynamic_ncols": True, "mininterval": interval}
            self._bar = tqdm(initial=sequences, total=total, **options)
            return
        loss = progress.update.loss_bits
        self._loss = loss if self._loss is None else 0.98 * self._loss + 0.02 * loss
        wrong = progress.row.wrong_bits if progress.row else float("nan")
        self._bar.set_postfix_str(f"loss {self._loss:.3g} bits/seq, wrong {wrong:.3g} bits/seq", refresh=False)
        self._bar.total = total
        self._bar.update(sequences - self._bar.n)


if __name__ == "__main__":
    sys.exit(main())
