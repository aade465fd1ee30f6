"""The state of a run on disk: all that is needed to go on to the same bits. Safetensors, never pickled, never half."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import safetensors
import safetensors.torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from ntm_core.atomic import atomic_write
from ntm_core.compiled import Core
from ntm_core.config import describe_validation_error
from ntm_core.errors import TrainingError
from ntm_core.training.metrics import MetricRow
from ntm_core.training.plan import Plan
from ntm_core.training.spent import Spent
from ntm_core.training.trainer import Counts

_KEY = "training_state"

_BEST = "best."
"""Before the names of tensors to which the run may go back."""


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    plan: Plan
    counts: Counts
    seconds: float
    cpu_seconds: float = 0.0
    rows: tuple[MetricRow, ...]
    core: Core = "eager"  # as it was before there was another


@dataclass(frozen=True)
class TrainingState:
    """A run between two iterations.

    Attributes:
        plan: what is being trained.
        counts: how far it is.
        spent: time spent so far.
        rows: its evaluations so far.
        tensors: the trainer's tensors.
        core: what computes it; the other core would give other last bits.
        best: the trainer's tensors at the best evaluation, where the run may have to go back there.
    """

    plan: Plan
    counts: Counts
    spent: Spent
    rows: tuple[MetricRow, ...]
    tensors: dict[str, Tensor]
    core: Core
    best: dict[str, Tensor] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Replace the file by this state, all of it or nothing."""
        header = _Header(
            plan=self.plan,
            counts=self.counts,
            seconds=self.spent.seconds,
            cpu_seconds=self.spent.cpu_seconds,
            rows=self.rows,
            core=self.core,
        )
        tensors = self.tensors | {_BEST + name: value for name, value in self.best.items()}
        atomic_write(path, safetensors.torch.save(tensors, {_KEY: header.model_dump_json()}))

    @classmethod
    def load(cls, path: Path) -> "TrainingState":
        """The state in the file. TrainingError if it is not one that this version can go on from."""
        try:
            with safetensors.safe_open(path, "pt") as file:
                text = (file.metadata() or {}).get(_KEY, "")
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
        except (OSError, safetensors.SafetensorError) as error:
            raise TrainingError(f"{path} is not a readable training state: {error}") from None
        try:
            header = _Header.model_validate_json(text)
        except ValidationError as error:
            raise TrainingError(
                f"{path} is not a training state of this version: {describe_validation_error(error)}"
            ) from None
        spent = Spent(header.seconds, header.cpu_seconds)
        best = {name.removeprefix(_BEST): tensors.pop(name) for name in list(tensors) if name.startswith(_BEST)}
        return cls(header.plan, header.counts, spent, header.rows, tensors, header.core, best)
