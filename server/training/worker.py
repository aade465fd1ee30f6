"""The process that trains one run: `python -m server.training DIRECTORY THREADS`, with the plan in `plan.json`.

It writes one JSON object a line: {"preparing": "what takes long"}, {"progress": …} a few times a second, and at last
{"ended": "finished" | "stopped"} or {"failed": "why"}. It stops, with everything saved, as soon as its standard input
ends: when it is told to, and when the server that started it is gone, however that went. Before it trains, when nothing
is lost by it, it stops at once.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

from ntm_core import machine
from ntm_core.compiled import UNKEPT, is_kept
from ntm_core.errors import InUseError, NtmError
from ntm_core.training import Plan, Progress, train
from server.compiled import warm_up
from server.crews import crew_of
from server.training.run import RunProgress
from server.training.stopping import Stop

PLAN = "plan.json"
LIVE_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
"""So long may the worker of a server that was killed take to end."""

_TELL_SECONDS = 0.2
_SMOOTHING = 0.98


class Teller:
    """Tells the progress of a run, at most every `_TELL_SECONDS`, with the loss smoothed over some fifty updates."""

    def __init__(self) -> None:
        self._loss: float | None = None
        self._told = -_TELL_SECONDS
        self._row: int | None = None

    def __call__(self, progress: Progress) -> None:
        """Take note of the progress, and tell it if it is time or something was measured."""
        if progress.update is not None:
            loss = progress.update.loss_bits
            self._loss = loss if self._loss is None else _SMOOTHING * self._loss + (1 - _SMOOTHING) * loss
        now, row = time.monotonic(), progress.row.iteration if progress.row else None
        if now - self._told >= _TELL_SECONDS or row != self._row:
            self._told, self._row = now, row
            self.tell(progress)

    def tell(self, progress: Progress) -> None:
        """Tell the progress now."""
        say(progress=RunProgress.of(progress, self._loss).model_dump())


def say(**message: Any) -> None:
    """Write one message; if nobody reads any more, the end of the standard input follows."""
    _write(json.dumps(message, allow_nan=False))


def _write(line: str) -> None:
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        pass


def prepare() -> int:
    """The exit status, 0, once the core has been compiled; where that is not kept, whoever needs it must do so."""
    if not is_kept():
        _write(UNKEPT)
        return 0
    torch.set_num_threads(1)
    warm_up(_write)
    return 0


def main(directory: Path, threads: int, stop: Stop) -> int:
    """The exit status: 0 if the run is finished or was stopped, 1 if it failed."""
    torch.set_num_threads(1)
    machine.warm_up(lambda words: say(preparing=words))
    teller = Teller()
    try:
        plan = Plan.model_validate_json((directory / PLAN).read_bytes())
        crew = crew_of(threads)
        stop.begin()
        outcome = train(
            plan,
            directory,
            stop=stop,
            report=teller,
            live_seconds=LIVE_SECONDS,
            crew=crew,
            patience=PATIENCE_SECONDS,
        )
    except (NtmError, OSError, ValueError) as error:
        if isinstance(error, InUseError) and stop():
            say(ended="stopped")
            return 0
        say(failed=str(error))
        return 1
    teller.tell(outcome.progress)
    say(ended="stopped" if outcome.results is None else "finished")
    return 0
