"""A run as the server knows it: what is trained, how it stands, and how far it is."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from ntm_core.atomic import atomic_write
from ntm_core.compiled import Core
from ntm_core.training import Plan, Progress
from ntm_core.training.metrics import MetricRow
from ntm_core.training.record import Marks
from ntm_core.training.session import SERIES

RECORD = "run.json"

_OF_SERIES = re.compile(r"iteration-([0-9]{8}|[1-9][0-9]{8})\.safetensors")


class Status(StrEnum):
    """How a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"


RESUMABLE = frozenset({Status.PAUSED, Status.STOPPED, Status.FAILED})
ACTIVE = frozenset({Status.QUEUED, Status.RUNNING})


class RunProgress(BaseModel):
    """How far a run is."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    iteration: int = Field(description="Iterations done.")
    last_iteration: int = Field(description="The iteration at which it will end as things stand.")
    marks: Marks = Field(description="Where something was first seen.")
    live: int | None = Field(description="The iteration whose machine its live checkpoint holds.")
    core: Core | None = Field(None, description="What computes it; null in older records.")
    loss_bits: float | None = Field(description="Loss of the last updates, in bits for each sequence, smoothed.")
    row: MetricRow | None = Field(description="The last measurement on the fixed sequences.")

    @classmethod
    def of(cls, progress: Progress, loss_bits: float | None = None) -> Self:
        """The same as the core tells it, with a smoothed loss if there is one."""
        return cls(
            iteration=progress.iteration,
            last_iteration=progress.last_iteration,
            marks=progress.marks,
            live=progress.live,
            core=progress.core,
            loss_bits=loss_bits,
            row=progress.row,
        )


class Run(BaseModel):
    """One run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="Also the id of its checkpoint; ID.N is that after N iterations, for N of its series.")
    name: str = Field(description="What a person calls it.")
    plan: Plan
    status: Status
    message: str | None = Field(None, description="Why it failed, or was paused by the server.")
    created: float = Field(description="When it was asked for: seconds since 1970.")
    progress: RunProgress | None = Field(None, description="Null before its first iteration.")

    @property
    def core(self) -> Core:
        """What computes the run; before it has begun, what will."""
        begun = self.progress.core if self.progress else None
        return begun or ("eager" if self.plan.why_eager else "compiled")

    @property
    def why_eager(self) -> str | None:
        """One sentence why PyTorch computes the run, operation by operation; None if the compiled core does."""
        if self.core == "compiled":
            return None
        return self.plan.why_eager or "It began in eager mode, whose last bits differ, and so it goes on."

    def save(self, directory: Path) -> None:
        """Write the record into the run's directory."""
        atomic_write(directory / RECORD, self.model_dump_json().encode())


def series_of(directory: Path) -> tuple[int, ...]:
    """The iterations of which a run's directory holds a checkpoint, ascending."""
    names = (path.name for path in (directory / SERIES).glob("iteration-*.safetensors"))
    return tuple(sorted(int(found[1]) for name in names if (found := _OF_SERIES.fullmatch(name))))
