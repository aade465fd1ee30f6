"""The foreman: starts, watches and ends the workers of runs, so many at a time, and keeps their records."""

import json
import logging
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from ntm_core.training import Plan
from ntm_core.training.session import FINAL, LIVE, series_file
from server.errors import CannotStore, Refusal
from server.settings import Settings
from server.training.run import ACTIVE, RECORD, RESUMABLE, Run, RunProgress, Status
from server.training.worker import PLAN

logger = logging.getLogger("ntm_scope")

_PATIENCE_SECONDS = 20


class UnknownRun(Refusal):
    """No run has this id."""

    status = HTTPStatus.NOT_FOUND
    code = "unknown_run"


class WrongStatus(Refusal):
    """What was asked for cannot be done with a run that stands so."""

    status = HTTPStatus.CONFLICT
    code = "wrong_status"


class Foreman:
    """Runs and their workers. Any thread may call it; `version` grows with each change, `leaving` ends the watching."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._directory = settings.data_directory / "runs"
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}
        self._workers: dict[str, subprocess.Popen[str]] = {}
        self._wanted: dict[str, Status] = {}
        self._watchers: set[threading.Thread] = set()
        self._closed = False
        self.version = 0
        self.leaving = False

    def open(self) -> None:
        """Take up the runs of the data directory; those that were under way go on."""
        with self._lock:
            for record in self._directory.glob(f"*/{RECORD}"):
                try:
                    run = Run.model_validate_json(record.read_bytes())
                except (OSError, ValidationError) as error:
                    logger.warning("the run in %s is left out of the list: %s", record.parent, error)
                    continue
                self._runs[run.id] = run
                if run.status in ACTIVE:
                    self._change(run.id, status=Status.QUEUED)
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
                raise UnknownRun(f"there is no run {run_id!r}")
            return self._runs[run_id]

    def directory(self, run_id: str) -> Path:
        """Where the run's files are; UnknownRun."""
        return self._directory / self.get(run_id).id

    def checkpoints(self) -> tuple[str, ...]:
        """The runs that have a checkpoint, the newest first."""
        return tuple(run.id for run in self.all() if self.checkpoint(run.id))

    def checkpoint(self, checkpoint_id: str) -> tuple[Path, str] | None:
        """File and name of a run's checkpoint: ID the newest, ID.N that after N iterations; None if there is none."""
        run_id, _, iteration = checkpoint_id.partition(".")
        with self._lock:
            run = self._runs.get(run_id)
        if run is None or (iteration and not (iteration.isascii() and iteration.isdecimal())):
            return None
        directory = self._directory / run_id
        if iteration:
            paths, name = [directory / series_file(int(iteration))], f"{run.name}, iteration {int(iteration)}"
        else:
            paths, name = [directory / FINAL, directory / LIVE], run.name
        return next(((path, name) for path in paths if path.is_file()), None)

    def place(self, run_id: str) -> int | None:
        """How many queued runs begin before this one; None if it is not queued."""
        with self._lock:
            queue = self._queue()
            return queue.index(run_id) if run_id in queue else None

    def add(self, plan: Plan, name: str) -> Run:
        """A new run, which begins as soon as it is its turn; CannotStore if there are too many."""
        with self._lock:
            if len(self._runs) >= self._settings.max_runs:
                raise CannotStore(f"{len(self._runs)} runs are stored: that is the limit, so delete one first")
            run_id = f"run-{secrets.token_hex(4)}"
            directory = self._directory / run_id
            directory.mkdir(parents=True)
            (directory / PLAN).write_text(plan.model_dump_json(), encoding="utf-8")
            run = Run(id=run_id, name=name, plan=plan, status=Status.QUEUED, created=time.time())
            self._runs[run_id] = run
            self._change(run_id, status=Status.QUEUED)
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
        """End the run and remove its files; UnknownRun."""
        with self._lock:
            directory = self.directory(run_id)
            worker = self._workers.get(run_id)
            del self._runs[run_id]
            self.version += 1
        if worker is not None:
            worker.kill()
            _wait(worker)
        shutil.rmtree(directory, ignore_errors=True)

    def _halt(self, run_id: str, status: Status) -> Run:
        with self._lock:
            run = self.get(run_id)
            worker = self._workers.get(run_id)
            if run.status not in ACTIVE and not (run.status == Status.PAUSED and status == Status.STOPPED):
                raise WrongStatus(f"the run is {run.status}: it cannot become {status}")
            if worker is None:
                self._change(run_id, status=status)
            else:
                self._wanted[run_id] = status
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
            command = [sys.executable, "-m", "server.training.worker", str(self._directory / run_id)]
            worker = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            )
            self._workers[run_id] = worker
            self._change(run_id, status=Status.RUNNING)
            watcher = threading.Thread(target=self._watch, args=(run_id, worker), name=f"watch-{run_id}", daemon=True)
            self._watchers.add(watcher)
            watcher.start()

    def _watch(self, run_id: str, worker: "subprocess.Popen[str]") -> None:
        """Follow a worker to its end."""
        last: Mapping[str, Any] = {}
        began = time.monotonic()
        with worker:
            assert worker.stdout is not None
            for line in worker.stdout:
                last = json.loads(line)
                if "preparing" in last:
                    self._prepare(run_id, last["preparing"])
                if "progress" in last:
                    self._note(run_id, RunProgress.model_validate(last["progress"]), time.monotonic() - began)
            trouble = _tail(worker.stderr)
        status = worker.returncode
        with self._lock:
            self._workers.pop(run_id, None)
            self._watchers.discard(threading.current_thread())
            wanted = self._wanted.pop(run_id, None)
            if run_id in self._runs:
                self._settle(run_id, last, wanted, f"signal {-status}" if status < 0 else f"status {status}", trouble)
            self._start_next()

    def _settle(self, run_id: str, last: Mapping[str, Any], wanted: Status | None, how: str, trouble: str) -> None:
        """Note how a run stands whose worker has ended."""
        if last.get("ended") == "finished":
            self._change(run_id, status=Status.FINISHED, message=None)
        elif "failed" in last:
            self._change(run_id, status=Status.FAILED, message=last["failed"])
        elif last.get("ended") == "stopped" and (wanted is not None or self._closed):
            if wanted is not None:
                self._change(run_id, status=wanted)
        else:
            progress = self._runs[run_id].progress
            kept = "nothing" if progress is None or progress.live is None else f"iteration {progress.live}"
            said = f": {trouble}" if trouble else ""
            message = f"its process ended with {how}{said}; {kept} was saved, and it can go on from there"
            self._change(run_id, status=Status.FAILED, message=message)

    def _prepare(self, run_id: str, words: str) -> None:
        with self._lock:
            if run_id in self._runs:
                self._change(run_id, save=False, message=words)

    def _note(self, run_id: str, progress: RunProgress, seconds: float) -> None:
        with self._lock:
            if run_id not in self._runs:
                return
            measured = progress.row is not None and progress.row != _row(self._runs[run_id].progress)
            message = self._runs[run_id].message if run_id in self._wanted else None
            self._change(run_id, save=measured, progress=progress, message=message)
            limit = self._settings.max_training_seconds
            if seconds > limit and run_id not in self._wanted:
                self._change(run_id, message=f"it was paused after {seconds:.0f} s: {limit:.0f} s is the limit")
                self._wanted[run_id] = Status.PAUSED
                _end(self._workers[run_id])

    def _change(self, run_id: str, *, save: bool = True, **changes: Any) -> None:
        run = self._runs[run_id] = self._runs[run_id].model_copy(update=changes)
        self.version += 1
        if save:
            run.save(self._directory / run_id)


def _row(progress: RunProgress | None) -> Any:
    return None if progress is None else progress.row


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


def _tail(stream: IO[str] | None) -> str:
    """The last line that a worker wrote to its standard error."""
    lines = stream.read().strip().splitlines() if stream is not None else []
    return lines[-1] if lines else ""
