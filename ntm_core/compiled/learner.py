"""Training's door to the kernel: gradients are added where they are wanted, without a graph of autograd's.

What lies where is found out once, and again if it has moved: for a small machine that takes as long as to compute. So
of its own a learner holds addresses, the initial state, and one block for the gradients by that.
"""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from ntm_core.compiled.buffers import Block, Start
from ntm_core.compiled.crew import ALONE, Crew
from ntm_core.compiled.layout import Lesson, Records, Sizes, as_record
from ntm_core.compiled.passes import parameter_gradients, run_backward, run_forward, start_gradients, weight_zeros
from ntm_core.compiled.plan import (
    Addresses,
    Layer,
    Plan,
    addresses_as_they_lie,
    addresses_in,
    addresses_of,
    beginning,
    contiguous,
    layers_of,
    plan_for,
)
from ntm_core.compiled.support import fits
from ntm_core.config import MachineConfig


class Learner:
    """Adds the gradients of one lesson after the other to `grad` of a machine's parameters. It is for one thread."""

    def __init__(
        self,
        config: MachineConfig,
        parameters: Sequence[Tensor],
        start: Callable[[int, int | None], Start],
        learned: Start | None,
        weighting: Callable[[], Tensor],
        crew: Crew = ALONE,
    ) -> None:
        """Learn by these parameters, in the order of `sequence_logits`.

        `start` gives the initial state of a batch, by a seed. `learned` are the parameters that it is made of: each
        part is one as it is, w_0 the softmax of one, which `weighting` computes: (head, location). Where that is None,
        autograd finds what the state was computed from. The rest of the state must stay what it is.
        """
        self._config, self._parameters, self._crew = config, parameters, crew
        self._start, self._learned, self._weighting = start, learned, weighting
        self._all = [part for part in (*parameters, *(learned or ())) if part is not None]
        self._find()

    @torch.no_grad()
    def _find(self) -> None:
        """Find out where parameters and gradients lie, and the initial state if it stays there, but for w_0."""
        config, learned = self._config, self._learned
        _require_plain("a parameter", self._parameters)
        self._own = [_own_gradient(parameter) for parameter in self._parameters]
        self._own_start = None if learned is None else tuple(map(_own_gradient, learned))
        self._weights = addresses_as_they_lie(config, self._parameters)
        self._wanted = addresses_as_they_lie(config, self._own)
        in_place = learned is not None and all(part is None or part.is_contiguous() for part in learned)
        self._fixed = self._begun(self._start(1, None)) if in_place and not config.draws_fresh else None
        self._slopes: _Slopes | None = None
        self._found = self._places()

    def _places(self) -> list[tuple[int, int, bool]]:
        """What changes when someone moves a parameter or its gradient, takes the gradient away, or freezes it."""
        return [
            (part.data_ptr(), 0 if part.grad is None else part.grad.data_ptr(), part.requires_grad)
            for part in self._all
        ]

    @torch.no_grad()
    def add_gradients(self, inputs: Tensor, targets: Tensor, mask: Tensor, seed: int | None = None) -> float:
        """The mean binary cross entropy of the bits at the steps whose mask is 1, in nats; its gradients are added.

        That is what `backward()` of this loss would do. Inputs are (step, batch, input), targets (step, batch, output),
        the mask is (step, batch); the seed is that of the initial state. ValueError for other shapes, and for other
        numbers than float32 on the CPU.
        """
        plan = plan_for(self._config, inputs.shape[0], inputs.shape[1], kept=True, crew=self._crew.size)
        _require(plan.sizes, inputs, targets, mask)
        if self._places() != self._found:
            self._find()
        inputs, targets, mask = inputs.contiguous(), targets.contiguous(), mask.contiguous()
        record, start = self._begin(inputs.shape[1], seed)
        record["inputs"] = inputs.data_ptr()
        weights, _held = self._multiplied_with()
        kept, slopes = run_forward(plan, weights, record, self._crew), self._slopes_of(plan)
        wanted, zeros = self._added_to(plan)
        lesson = as_record(Lesson(targets.data_ptr(), mask.data_ptr()))
        loss = run_backward(plan, kept, weights, Block(plan.backward), slopes.block, wanted, lesson, self._crew)
        if zeros is not None:
            self._add_from(zeros, plan.sizes)
        if self._own_start is None:
            _by_autograd(start, slopes.parts)
        else:
            slopes.add_by_hand(start.weighting[0])
        return loss

    def _begin(self, batch: int, seed: int | None) -> tuple[Records, Start]:
        """The initial state for the kernel, and its parts as they lie."""
        if self._fixed is None:
            with torch.set_grad_enabled(self._learned is None):
                return self._begun(self._start(batch if self._config.draws_fresh else 1, seed))
        record, start = self._fixed
        if self._learned is not None and self._learned.weighting is not None:
            start = start._replace(weighting=self._weighting().unsqueeze(0))
            record["weighting"] = start.weighting.data_ptr()
        return record, start

    def _begun(self, start: Start) -> tuple[Records, Start]:
        """A state for the kernel."""
        _require_plain("the initial state", start)
        return beginning(start)

    def _multiplied_with(self) -> tuple[Addresses, list[Layer]]:
        """What the kernel multiplies with: the parameters as they lie, or copies, which must live until it has run."""
        if self._weights is not None:
            return self._weights, []
        layers = contiguous(layers_of(self._config, self._parameters))
        return addresses_of(layers), layers

    def _added_to(self, plan: Plan) -> tuple[Addresses, Block | None]:
        """Where the kernel adds gradients: at those of the parameters, or in a block of zeros."""
        if self._wanted is not None:
            return self._wanted, None
        zeros = weight_zeros(plan)
        return addresses_in(zeros, plan.sizes), zeros

    def _slopes_of(self, plan: Plan) -> "_Slopes":
        """Where the kernel leaves the gradients by the initial state."""
        if self._slopes is None or self._slopes.batch != plan.sizes.batch:
            self._slopes = _Slopes(plan, self._own_start)
        return self._slopes

    def _add_from(self, zeros: Block, s: Sizes) -> None:
        """Add the gradients by the parameters, from those by what the kernel multiplied with."""
        for own, found in zip(self._own, parameter_gradients(self._config, s, zeros), strict=True):
            if own is not None:
                own.add_(found)


class _Slopes:
    """The gradients by the initial state of each sequence, in a block that suits all lessons of a batch.

    Attributes:
        batch: B.
        block: in which the kernel leaves them.
        parts: they.
    """

    def __init__(self, plan: Plan, own: tuple[Tensor | None, ...] | None) -> None:
        """`own` are the gradients of the parameters that the state is, to which `add_by_hand` adds."""
        self.batch, self.block = plan.sizes.batch, Block(plan.start_gradients, reused=False)
        self.parts = start_gradients(plan.sizes, self.block)
        pairs = {
            name: (gradient, part)
            for name, gradient, part in zip(Start._fields, own or (None,) * len(self.parts), self.parts, strict=True)
            if gradient is not None and part is not None
        }
        self._own = [gradient for gradient, _ in pairs.values()]
        self._of_all = [part for _, part in pairs.values()]
        self._of_first = [part[0] for part in self._of_all]
        self._weighting = list(pairs).index("weighting") if "weighting" in pairs else None

    def add_by_hand(self, weighting: Tensor) -> None:
        """Add them to those of the parameters that the state is: that by w_0, (head, location), through the softmax."""
        summed = list(self._of_first) if self.batch == 1 else [part.sum(0) for part in self._of_all]
        if self._weighting is not None:
            slope = torch._softmax_backward_data(summed[self._weighting], weighting, -1, torch.float32)  # noqa: SLF001
            summed[self._weighting] = slope
        if summed:
            torch._foreach_add_(self._own, summed)


def _require(s: Sizes, inputs: Tensor, targets: Tensor, mask: Tensor) -> None:
    shapes = tuple(inputs.shape), tuple(targets.shape), tuple(mask.shape)
    expected = (s.steps, s.batch, s.inputs), (s.steps, s.batch, s.outputs), (s.steps, s.batch)
    if shapes != expected:
        raise ValueError(f"inputs, targets and mask have the shapes {shapes}: they must have {expected}")
    if not all(tensor.dtype is torch.float32 and tensor.is_cpu for tensor in (inputs, targets, mask)):
        kinds = ", ".join(f"{tensor.dtype} on {tensor.device}" for tensor in (inputs, targets, mask))
        raise ValueError(f"inputs, targets and mask are {kinds}: they must be float32 on the CPU")


def _require_plain(what: str, tensors: Iterable[Tensor | None]) -> None:
    if not fits(tensors):
        kinds = ", ".join(sorted({f"{tensor.dtype} on {tensor.device}" for tensor in tensors if tensor is not None}))
        raise ValueError(f"{what} is not plain float32 on the CPU: there is {kinds}")


def _own_gradient(parameter: Tensor | None) -> Tensor | None:
    """Where the gradients of a parameter are added up; None if they are not wanted."""
    if parameter is None:
        return None
    if parameter.requires_grad and parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad if parameter.requires_grad else None


def _by_autograd(start: Start, slopes: Start) -> None:
    """Add the gradients by the initial state to those of what it was computed from."""
    found = [
        (part, slope.sum(0, keepdim=True) if len(part) < len(slope) else slope.clone())
        for part, slope in zip(start, slopes, strict=True)
        if part is not None and part.requires_grad and slope is not None
    ]
    if found:
        torch.autograd.backward([part for part, _ in found], [slope for _, slope in found])
