"""What an importer makes of a file: the machines that it may be, and what it had to guess."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ntm_core.checkpoints.importers.contents import Array
from ntm_core.checkpoints.importers.encodings import Encoding
from ntm_core.checkpoints.native import Checkpoint, CheckpointLimits, checkpoint_bytes, load_checkpoint
from ntm_core.config import MachineConfig
from ntm_core.errors import CheckpointError


@dataclass(frozen=True)
class Question:
    """A whole number that a file does not hold and its importer must know.

    Attributes:
        name: what to call the answer.
        text: what is asked, for a person.
        default: the answer if none is given; None if there must be one.
        minimum, maximum: the bounds of an answer.
    """

    name: str
    text: str
    default: int | None = None
    minimum: int = 1
    maximum: int = 65536

    def answer(self, answers: Mapping[str, int]) -> int:
        """The answer given, or the default; CheckpointError names the value and the rule."""
        value = answers.get(self.name, self.default)
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            raise CheckpointError(
                f"{self.name} is {value!r}: it must be a whole number of {self.minimum} … {self.maximum}"
            )
        return value


class UnansweredError(CheckpointError):
    """A file that leaves open what must be known; `questions` are all that can be answered."""

    def __init__(self, title: str, questions: Sequence[Question], missing: Sequence[Question]) -> None:
        self.questions = tuple(questions)
        asked = "; ".join(f"{question.name} ({question.text})" for question in missing)
        super().__init__(f"this {title} file does not tell all that must be known, so answer: {asked}")


@dataclass(frozen=True, eq=False)
class Candidate:
    """One machine that a file may hold.

    Attributes:
        variant: a short name, unique among the candidates of a file.
        title: the same for a person.
        config: the machine.
        tensors: its state dict, all float32 or all float64: the machine runs in their type.
        encodings: the tasks it may have been trained on, in their own encoding, the likeliest first.
        inferred: what the file itself tells, one sentence each.
        assumed: what it does not tell and was taken for granted.
        warnings: what will surprise.
    """

    variant: str
    title: str
    config: MachineConfig
    tensors: Mapping[str, Array]
    encodings: tuple[Encoding, ...] = ()
    inferred: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def dtype(self) -> str:
        """The type of its numbers: float64 if one tensor is."""
        return "float64" if any(array.dtype == np.float64 for array in self.tensors.values()) else "float32"

    def checkpoint(
        self,
        encoding: Encoding | None = None,
        limits: CheckpointLimits | None = None,
        origin: dict[str, Any] | None = None,
    ) -> Checkpoint:
        """The native checkpoint of this machine, held against the limits; CheckpointError if a tensor does not fit."""
        tensors = {
            name: torch.from_numpy(np.array(array, self.dtype, order="C")) for name, array in self.tensors.items()
        }
        task = None if encoding is None else encoding.settings
        return load_checkpoint(checkpoint_bytes(Checkpoint(self.config, tensors, task=task, origin=origin)), limits)
