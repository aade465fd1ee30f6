"""The foreman: starts, watches and ends the workers of runs, so many at a time, and keeps their records."""

import json
import logging
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, NamedTuple

from pydantic import ValidationError

from ntm_core.atomic import atomic_write
from ntm_core.errors import NtmError, TrainingError
from ntm_core.training import Plan
from ntm_core.training.session import FINAL, LIVE, STATE, saved_progress, series_file
from server.errors import CannotStore, Refusal, shown
from server.settings import Settings
from server.stores.shelf import CHECKPOINTS
from server.training.run import ACTIVE, RECORD, RESUMABLE, Run, RunProgress, Status, series_of
from server.training.worker import PLAN

logger = logging.getLogger("ntm_scope")

_PATIENCE_SECONDS = 20
_ID = re.compile("[A-Za-z0-9_-]{1,80}")
"""How the id of a run looks: nothing that a checkpoint's id or an address would take otherwise."""

_DELETED = ".deleted-"
"""What the directory of a run is called before it is removed; no id begins so."""

_RESERVED = frozenset({"events", "options"})
"""What follows /api/runs/ and is no run."""

_ITERATION = re.compile("[0-9]{1,9}")
"""How an iteration looks in the id of a checkpoint, here as on the page."""


class UnknownRun(Refusal):
    """No run has this id."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_run"


class WrongStatus(Refusal):
    """What was asked for cannot be done with a run that stands so."""

    status = HTTPStatus.CONFLICT
    code = "wrong_status"


class Halt(NamedTuple):
    """How a run will stand once its worker has ended, and why, where a person has not said so."""

    status: Status
    reason: str | None = None


class Foreman:
    """Runs and their workers. Any thread may call it; `version` grows with each change, `leaving` ends the watching."""

    def __init__(self, settings: Settings, taken: Collection[str] = ()) -> None:
        """`taken` are the ids of other checkpoints, which no run may have."""
        self._settings = settings
        self._taken = taken
        self._directory = settings.data_directory / "runs"
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}
        self._workers: dict[str, subprocess.Popen[str]] = {}
        self._wanted: dict[str, Halt] = {}
        self._watchers: set[threading.Thread] = set()
        self._closed = False
        self.version = 0
        self.leaving = False

    def open(self) -> None:
        """Take up the runs of the data directory; those that were under way go on.

        A run that `ntm-scope train` has left there becomes one of the server's, under the name of its directory; so
        does one whose directory was renamed or copied.
        """
        with self._lock:
            for left in self._directory.glob(f"{_DELETED}*"):
                _remove(left)
            for record in self._directory.glob(f"*/{RECORD}"):
                try:
                    self._require_name(record.parent.name)
                    recorded = Run.model_validate_json(record.read_bytes())
                except (OSError, ValidationError, NtmError) as error:
                    logger.warning("the run in %s is left out of the list: %s", record.parent, error)
                    continue
                run = self._as_left(_under_its_name(recorded, record.parent), record)
                if run.id != recorded.id:
                    with suppress(OSError):
                        run.save(record.parent)
                self._runs[run.id] = run
                if run.status in ACTIVE:
                    self._change(run.id, status=Status.QUEUED, message=None)
            self._adopt()
            self._start_next()

    def leave(self) -> None:
        """Tell those who watch that there is nothing more to come."""
        self.leaving = True

    def close(self) -> None:
        """End all workers, with everything saved; their runs go on when the server is started again."""
        with self._lock:
            self._closed = True
            workers, watchers = tuple(self._workers.values()), tuple(self._watchers)
            for worker in workers:
                _end(worker)
        for worker in workers:
            _wait(worker)
        for watcher in watchers:
            watcher.join()

    def all(self) -> tuple[Run, ...]:
        """All runs, the newest first."""
        with self._lock:
            return tuple(sorted(self._runs.values(), key=lambda run: run.created, reverse=True))

    def get(self, run_id: str) -> Run:
        """The run; UnknownRun."""
        with self._lock:
            if run_id not in self._runs:
                raise UnknownRun(f"there is no run {shown(run_id)}")
            return self._runs[run_id]

    def directory(self, run_id: str) -> Path:
        """Where the run's files are; UnknownRun."""
        return self._directory / self.get(run_id).id

    def checkpoints(self) -> tuple[str, ...]:
        """The runs that have a checkpoint, the newest first."""
        return tuple(run.id for run in self.all() if self.checkpoint(run.id))

    def checkpoint(self, checkpoint_id: str) -> tuple[Path, str] | None:
        """File and name of a run's checkpoint: ID the newest, ID.N that after N iterations; None if there is none.

        A run that was never watched has none but those of its series, until it is finished.
        """
        run_id, _, iteration = checkpoint_id.partition(".")
        with self._lock:
            run = self._runs.get(run_id)
        if run is None or (iteration and not _ITERATION.fullmatch(iteration)):
            return None
        directory = self._directory / run_id
        if iteration:
            path = directory / series_file(int(iteration))
            return (path, f"{run.name}, iteration {int(iteration)}") if path.is_file() else None
        for path in (directory / FINAL, directory / LIVE):
            if path.is_file():
                return path, run.name
        series = series_of(directory)
        return (directory / series_file(series[-1]), run.name) if series else None

    def place(self, run_id: str) -> int | None:
        """How many queued runs begin before this one; None if it is not queued."""
        with self._lock:
            queue = self._queue()
            return queue.index(run_id) if run_id in queue else None

    def add(self, plan: Plan, name: str) -> Run:
        """A new run, which begins as soon as it is its turn; CannotStore if there are too many, or no room on disk."""
        with self._lock:
            if len(self._runs) >= self._settings.max_runs:
                raise CannotStore(f"{len(self._runs)} runs are stored: that is the limit, so delete one first")
            run_id = f"run-{secrets.token_hex(4)}"
            run = Run(id=run_id, name=name, plan=plan, status=Status.QUEUED, created=time.time())
            _write_new(run, self._directory / run_id)
            self._runs[run_id] = run
            self.version += 1
            self._start_next()
            return self._runs[run_id]

    def pause(self, run_id: str) -> Run:
        """The run, which ends its work for now; WrongStatus if it does none."""
        return self._halt(run_id, Status.PAUSED)

    def stop(self, run_id: str) -> Run:
        """The run, which is over as it is; WrongStatus if it is so already."""
        return self._halt(run_id, Status.STOPPED)

    def resume(self, run_id: str) -> Run:
        """The run, which goes on when it is its turn; WrongStatus if it is under way or finished."""
        with self._lock:
            run = self.get(run_id)
            if run.status not in RESUMABLE or run_id in self._workers:
                raise WrongStatus(f"the run is {run.status}: only one that is paused, stopped or failed can go on")
            self._change(run_id, status=Status.QUEUED, message=None)
            self._start_next()
            return self._runs[run_id]

    def delete(self, run_id: str) -> None:
        """End the run and remove its files; UnknownRun; CannotStore, and all stays, if the disk does not let go."""
        with self._lock:
            directory, deleted = self.directory(run_id), self._directory / f"{_DELETED}{run_id}"
            try:
                # At once: a directory of this name is no run, whatever is left in it.
                directory.rename(deleted)
            except OSError as error:
                raise CannotStore(f"run {run_id!r} cannot be deleted: {error.strerror}") from error
            worker = self._workers.get(run_id)
            del self._runs[run_id]
            self.version += 1
        if worker is not None:
            worker.kill()
            _wait(worker)
        _remove(deleted)

    def _require_name(self, name: str) -> None:
        """TrainingError unless the run in a directory of this name can be told by it from all else."""
        if not _ID.fullmatch(name) or name in self._taken or name in _RESERVED or CHECKPOINTS.pattern.fullmatch(name):
            raise TrainingError(
                "its directory must be called otherwise: at most 80 letters, digits, - and _, no shipped checkpoint, "
                f"no upload, and not {' or '.join(sorted(_RESERVED))}"
            )

    def _as_left(self, run: Run, record: Path) -> Run:
        """The run, as `ntm-scope train` has left it if it went on with it since the server last wrote of it."""
        directory = record.parent
        try:
            if (directory / STATE).stat().st_mtime_ns <= record.stat().st_mtime_ns:
                return run
            plan, progress, finished = saved_progress(directory)
        except (OSError, NtmError):
            return run
        live = run.progress.live if run.progress else None
        status = Status.PAUSED if run.status in (Status.FINISHED, Status.FAILED) else run.status
        run = run.model_copy(
            update={
                "plan": plan,
                "progress": RunProgress.of(replace(progress, live=live)),
                "status": Status.FINISHED if finished else status,
                "message": None,
            }
        )
        with suppress(OSError):
            _write(run, directory)
        return run

    def _adopt(self) -> None:
        """Take in each directory that holds a run without a record."""
        for state in self._directory.glob(f"*/{STATE}"):
            directory = state.parent
            if (directory / RECORD).exists():
                continue
            try:
                self._runs[directory.name] = self._adopted(directory)
            except (OSError, NtmError) as error:
                logger.warning("the run in %s is left out of the list: %s", directory, error)

    def _adopted(self, directory: Path) -> Run:
        """The run in the directory, with the record that it lacked; NtmError, OSError."""
        name = directory.name
        self._require_name(name)
        plan, progress, finished = saved_progress(directory)
        run = Run(
            id=name,
            name=name,
            plan=plan,
            status=Status.FINISHED if finished else Status.PAUSED,
            created=(directory / STATE).stat().st_mtime,
            progress=RunProgress.of(progress),
        )
        _write(run, directory)
        return run

    def _halt(self, run_id: str, status: Status) -> Run:
        with self._lock:
            run = self.get(run_id)
            worker = self._workers.get(run_id)
            if run.status not in ACTIVE and not (run.status == Status.PAUSED and status == Status.STOPPED):
                raise WrongStatus(f"the run is {run.status}: it cannot become {status}")
            if worker is None:
                self._change(run_id, status=status)
            else:
                self._wanted[run_id] = Halt(status)
                _end(worker)
            return self._runs[run_id]

    def _queue(self) -> list[str]:
        queued = [run for run in self._runs.values() if run.status == Status.QUEUED]
        return [run.id for run in sorted(queued, key=lambda run: run.created)]

    def _start_next(self) -> None:
        """Start workers while there are both a free place and a queued run."""
        for run_id in self._queue():
            if self._closed or len(self._workers) >= self._settings.max_trainings:
                return
            try:
                worker = _hired(self._directory / run_id, self._settings.training_threads)
            except OSError as error:
                self._fail(run_id, f"its process cannot be started: {error.strerror}")
                continue
            self._workers[run_id] = worker
            self._change(run_id, status=Status.RUNNING)
            watcher = threading.Thread(target=self._watch, args=(run_id, worker), name=f"watch-{run_id}", daemon=True)
            self._watchers.add(watcher)
            watcher.start()

    def _watch(self, run_id: str, worker: "subprocess.Popen[str]") -> None:
        """Follow a worker to its end; the next run then begins, whatever has happened to this one."""
        assert worker.stdout is not None
        assert worker.stderr is not None
        last: Mapping[str, Any] = {}
        trouble: deque[str] = deque(maxlen=1)
        began = time.monotonic()
        listener = threading.Thread(target=_log, args=(run_id, worker.stderr, trouble), daemon=True)
        listener.start()
        try:
            for line in worker.stdout:
                last = self._hear(run_id, line, began) or last
        finally:
            _end(worker)
            worker.stdout.close()
            worker.wait()
            listener.join()
            worker.stderr.close()
            with self._lock:
                self._workers.pop(run_id, None)
                self._watchers.discard(threading.current_thread())
                halt = self._wanted.pop(run_id, None)
                if run_id in self._runs:
                    self._settle(run_id, last, halt, _ending(worker.returncode, trouble))
                self._start_next()

    def _hear(self, run_id: str, line: str, began: float) -> Mapping[str, Any] | None:
        """What a worker's line says, once it is noted; None, and a line in the log, for what no worker should say."""
        try:
            said: Mapping[str, Any] = dict(json.loads(line))
            progress = RunProgress.model_validate(said["progress"]) if "progress" in said else None
        except (ValueError, TypeError):
            logger.warning("%s said what is not understood: %s", run_id, line.rstrip())
            return None
        if "preparing" in said:
            self._prepare(run_id, said["preparing"])
        if progress is not None:
            self._note(run_id, progress, time.monotonic() - began)
        return said

    def _settle(self, run_id: str, last: Mapping[str, Any], halt: Halt | None, ending: str) -> None:
        """Note how a run stands whose worker has ended.

        When the foreman is closed, a run that nobody has halted stays as it is, for it goes on at the next start.
        """
        stopped = last.get("ended") == "stopped"
        if last.get("ended") == "finished":
            self._change(run_id, status=Status.FINISHED, message=None)
        elif "failed" in last:
            self._fail(run_id, last["failed"])
        elif halt is not None and (stopped or self._closed):
            self._change(run_id, status=halt.status, message=halt.reason)
        elif self._closed:
            self._change(run_id, message=None)
        else:
            progress = self._runs[run_id].progress
            kept = "nothing" if progress is None or progress.live is None else f"iteration {progress.live}"
            self._fail(run_id, f"its process ended with {ending}; {kept} was saved, and it can go on from there")

    def _fail(self, run_id: str, message: str) -> None:
        logger.warning("%s failed: %s", run_id, message)
        self._change(run_id, status=Status.FAILED, message=message)

    def _prepare(self, run_id: str, words: str) -> None:
        with self._lock:
            if run_id in self._runs:
                self._change(run_id, save=False, message=words)

    def _note(self, run_id: str, progress: RunProgress, seconds: float) -> None:
        with self._lock:
            if run_id not in self._runs:
                return
            before = self._runs[run_id].progress
            if before is not None and progress.live is None:  # its live checkpoint is that of the last session still
                progress = progress.model_copy(update={"live": before.live})
            self._change(run_id, save=_is_new(progress, before), progress=progress, message=None)
            limit = self._settings.max_training_seconds
            if seconds > limit and run_id not in self._wanted:
                reason = f"it was paused after {seconds:.0f} s: {limit:.0f} s is the limit"
                self._wanted[run_id] = Halt(Status.PAUSED, reason)
                _end(self._workers[run_id])

    def _change(self, run_id: str, *, save: bool = True, **changes: Any) -> None:
        """Let a run stand otherwise, also where the disk does not take that: the next change that it takes counts."""
        run = self._runs[run_id] = self._runs[run_id].model_copy(update=changes)
        self.version += 1
        if save:
            try:
                run.save(self._directory / run_id)
            except OSError as error:
                logger.warning("%s is %s, which cannot be saved: %s", run_id, run.status, error)


def _remove(directory: Path) -> None:
    """Remove a directory as far as the disk lets go of it; of one that is only linked to, the link."""
    if directory.is_symlink():
        directory.unlink(missing_ok=True)
    else:
        shutil.rmtree(directory, ignore_errors=True)
    if directory.exists():
        logger.warning("not all files of the deleted run in %s could be removed", directory)


def _under_its_name(run: Run, directory: Path) -> Run:
    """The run that a directory records, as that of the directory: it may have been renamed, or copied.

    Such a one waits for a person to let it go on: the one that it was copied of may be under way.
    """
    if run.id == directory.name:
        return run
    logger.warning("the run in %s was recorded as %r: it is listed as %s", directory, run.id, directory.name)
    status = Status.PAUSED if run.status in ACTIVE else run.status
    name = directory.name if run.name == run.id else run.name
    return run.model_copy(update={"id": directory.name, "name": name, "status": status})


def _is_new(progress: RunProgress, before: RunProgress | None) -> bool:
    """Whether there is a measurement or a live checkpoint that there was not before."""
    return before is None or (progress.row, progress.live) != (before.row, before.live)


def _write_new(run: Run, directory: Path) -> None:
    """Write the directory of a new run; CannotStore, with nothing left, if the disk does not take it."""
    try:
        directory.mkdir(parents=True)
        _write(run, directory)
    except OSError as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise CannotStore(f"the run cannot be written: {error.strerror}") from error


def _write(run: Run, directory: Path) -> None:
    atomic_write(directory / PLAN, run.plan.model_dump_json().encode())
    run.save(directory)


def _hired(directory: Path, threads: int) -> "subprocess.Popen[str]":
    """A new worker on the run in the directory; OSError if the system has no room for it.

    It is in a process group of its own, so that a Ctrl-C in the server's terminal does not end it before all is saved.
    """
    return subprocess.Popen(  # noqa: S603
        _command(directory, threads),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        process_group=0,
    )


def _command(directory: Path, threads: int) -> list[str]:
    return [sys.executable, "-m", "server.training", str(directory), str(threads)]


def _end(worker: "subprocess.Popen[str]") -> None:
    """Ask a worker to save everything and end."""
    if worker.stdin is not None and not worker.stdin.closed:
        worker.stdin.close()


def _wait(worker: "subprocess.Popen[str]") -> None:
    try:
        worker.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def _log(run_id: str, stream: IO[str], trouble: deque[str]) -> None:
    """Put what a worker writes to its standard error into the log as it comes, and the last of it into `trouble`."""
    for line in stream:
        if words := line.strip():
            logger.warning("%s: %s", run_id, words)
            trouble.append(words)


def _ending(status: int, trouble: deque[str]) -> str:
    """How a process ended, with the last line of its standard error."""
    return ": ".join((f"signal {-status}" if status < 0 else f"status {status}", *trouble))
