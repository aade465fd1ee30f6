"""One optimiser update at a time: the part of training that computes, knowing neither files nor screens."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ntm_core.baseline import Baseline
from ntm_core.compiled import ALONE, Core, Crew
from ntm_core.errors import TrainingError
from ntm_core.evaluation import require_fitting
from ntm_core.machine import Machine, MachineState
from ntm_core.training.adam import Adam
from ntm_core.training.diagnosis import where_not_finite
from ntm_core.training.flat import FlatParameters
from ntm_core.training.loss import sequence_loss
from ntm_core.training.plan import Plan
from ntm_core.training.recipe import Optimiser
from ntm_core.training.rmsprop import RmsProp
from ntm_core.training.running_means import RunningMeans

_OPTIMISERS: dict[Optimiser, type[RunningMeans]] = {"adam": Adam, "rmsprop": RmsProp}

MAX_SKIPPED_IN_A_ROW = 100
"""So many updates without a finite gradient, one after the other, end a run."""


@dataclass(frozen=True)
class Update:
    """What one iteration did.

    Attributes:
        loss_bits: the batch's loss before the update, in bits per sequence.
        gradient_norm: norm of the whole gradient before it was clipped; None if it was not finite.
    """

    loss_bits: float
    gradient_norm: float | None


@dataclass(frozen=True)
class Counts:
    """How far a trainer is.

    Attributes:
        iteration: iterations done.
        skipped: updates skipped because the gradient was not finite.
        skipped_in_a_row: as many were the last ones.
        lost: updates that are undone, since the machine and the optimiser's means were taken back to where they were.
    """

    iteration: int = 0
    skipped: int = 0
    skipped_in_a_row: int = 0
    lost: int = 0


class Trainer:
    """A machine and its optimiser on the path that a plan fixes.

    The data of iteration i come from the seeds (plan.seed, i), and what a machine draws anew for each sequence from i,
    so nothing but `tensors()` and `counts` has to be kept to go on later.
    """

    def __init__(self, plan: Plan, core: Core | None = None, crew: Crew = ALONE) -> None:
        """Start on the plan; `core` is what computes the machine, by default the fastest that can.

        The crew are threads that share the sequences of a batch: they change no bit.
        """
        require_fitting(plan.config, plan.task)
        self.plan = plan
        self.counts = Counts()
        self.machine = (Machine if plan.memory else Baseline)(plan.config, plan.seed)
        self.machine.core = core or self.machine.core
        self._parameters = FlatParameters(self.machine)
        self._learner = self.machine.learner(crew) if isinstance(self.machine, Machine) else None
        self._optimiser = _OPTIMISERS[plan.recipe.optimiser](self._parameters, plan.recipe, self.machine.core)

    def update(self, rate: float = 1.0) -> Update:
        """Do one iteration at this share of the learning rate. A gradient that is not finite is skipped and counted.

        TrainingError, before anything is changed, if the loss is not finite: it names the iteration, and the step and
        quantity where the fault arose. Also after too many skipped updates in a row.
        """
        recipe, iteration = self.plan.recipe, self.counts.iteration + 1
        episode = self.plan.lesson(iteration).episodes((self.plan.seed, iteration), recipe.batch)
        inputs, targets, mask = (torch.from_numpy(array) for array in (episode.inputs, episode.targets, episode.mask))
        self._parameters.gradient.zero_()
        value = self._add_gradients(inputs, targets, mask, iteration)
        if not math.isfinite(value):
            where = where_not_finite(self.machine, inputs, self._start(recipe.batch, iteration))
            raise TrainingError(f"the loss of iteration {iteration} is {value}: {where}")
        norm = self._optimiser.norm()
        finite = math.isfinite(norm)
        if finite:
            scale = recipe.clip_norm / norm if recipe.clip_norm is not None and norm > recipe.clip_norm else 1.0
            self._optimiser.step(iteration - self.counts.skipped - self.counts.lost, rate, scale)
        self._count(iteration, finite=finite)
        asked_bits = float(episode.mask.sum()) * targets.shape[-1]
        return Update(value * asked_bits / recipe.batch / math.log(2), norm if finite else None)

    def _start(self, batch: int, seed: int) -> MachineState | None:
        """The state in which a batch begins: one for all, unless each draws its own."""
        return self.machine.initial_state(batch if self.plan.config.draws_fresh else 1, seed)

    def _add_gradients(self, inputs: Tensor, targets: Tensor, mask: Tensor, seed: int) -> float:
        """The loss of a batch, whose gradients are added: without autograd's graph where the compiled core can."""
        if self._learner is not None:
            return self._learner.add_gradients(inputs, targets, mask, seed)
        graph = sequence_loss(self.machine(inputs, self._start(inputs.shape[1], seed)), targets, mask)
        graph.backward()
        return graph.item()

    def _count(self, iteration: int, *, finite: bool) -> None:
        counts = self.counts
        in_a_row = 0 if finite else counts.skipped_in_a_row + 1
        if in_a_row > MAX_SKIPPED_IN_A_ROW:
            raise TrainingError(
                f"iterations {iteration - in_a_row + 1} … {iteration} had no finite gradient: "
                f"more than {MAX_SKIPPED_IN_A_ROW} in a row cannot be skipped"
            )
        self.counts = Counts(iteration, counts.skipped + (not finite), in_a_row, counts.lost)

    def tensors(self) -> dict[str, Tensor]:
        """The machine's and the optimiser's tensors, by names that `load` knows."""
        return {f"{group}.{name}": value for group, named in self._groups().items() for name, value in named.items()}

    def load(self, tensors: dict[str, Tensor], counts: Counts) -> None:
        """Go on from these tensors and counts. TrainingError if they are not those of this plan's machine."""
        mine = self.tensors()
        for name in sorted(mine.keys() ^ tensors.keys()):
            raise TrainingError(f"the saved state does not fit the plan: tensor {name!r} is in only one of them")
        for name, value in mine.items():
            if tensors[name].shape != value.shape or tensors[name].dtype != value.dtype:
                raise TrainingError(
                    f"the saved state does not fit the plan: tensor {name!r} is {_described(tensors[name])}, "
                    f"not {_described(value)}"
                )
            value.copy_(tensors[name])
        self.counts = counts

    def _groups(self) -> dict[str, dict[str, Tensor]]:
        return {
            "machine": self.machine.state_dict(),
            "mean_square": self._parameters.named(self._optimiser.mean_square),
            "velocity": self._parameters.named(self._optimiser.velocity),
        }


def _described(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
