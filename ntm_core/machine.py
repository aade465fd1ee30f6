"""The Neural Turing Machine: a controller, heads and a memory, one step at a time.

A `Machine` holds parameters and nothing else. `step(inputs, state)` takes the state in and gives it back inside its
result, so a sequence is a loop over `step` and a trace is the list of its results. Time comes first on every axis
list: (step, batch, channel).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ntm_core.access import access
from ntm_core.addressing import Weightings
from ntm_core.compiled import Core, Start, core_for, fits
from ntm_core.config import MachineConfig
from ntm_core.controllers import Controller, ControllerState
from ntm_core.heads import HeadLayout, HeadParameters, head_parameters
from ntm_core.initial import Initial


@dataclass(frozen=True)
class MachineState:
    """All that passes from one step to the next.

    Attributes:
        controller: (batch, layer, unit) hidden and, for an LSTM, cell.
        read_vector: r_{t-1}, (batch, read_head, word).
        weighting: w_{t-1}, (batch, head, location).
        memory: M_{t-1}, (batch, location, word).
    """

    controller: ControllerState
    read_vector: Tensor
    weighting: Tensor
    memory: Tensor


@dataclass(frozen=True)
class StepResult:
    """All that one step computed, and the state after it.

    Attributes:
        logits: the output before its sigmoid, (batch, output).
        parameters: what the controller asked of the heads.
        weightings: the four stages of addressing, (batch, head, location) each.
        read_vector: r_t, (batch, read_head, word).
        state: what the next step starts from; holds w_t and M_t.
    """

    logits: Tensor
    parameters: HeadParameters
    weightings: Weightings
    read_vector: Tensor
    state: MachineState

    @property
    def outputs(self) -> Float[Tensor, "batch output"]:
        """y_t in [0, 1]: the sigmoid of the logits."""
        return self.logits.sigmoid()


class Machine(nn.Module):
    """A Neural Turing Machine built from its config, with parameters drawn from a seed.

    The same config and seed give the same parameters; the global random state is left alone.

    Attributes:
        core: what `forward` computes with; set it to "eager" to keep the compiled core away.
    """

    def __init__(self, config: MachineConfig, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.core: Core = core_for(config)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.controller = Controller(config)
            self.heads = nn.Linear(config.controller_size, HeadLayout.of(config).size)
            reading = config.read_heads * config.word_size
            self.output = nn.Linear(config.controller_size + reading, config.output_size)
            self.initial = Initial(config)
            self._draw()

    def _draw(self) -> None:
        """Draw the first parameters: Glorot for heads and output, recurrent biases zero."""
        nn.init.xavier_uniform_(self.heads.weight, gain=1.4)
        nn.init.normal_(self.heads.bias, std=0.01)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        for name, parameter in self.controller.named_parameters():
            if "bias" in name:
                nn.init.zeros_(parameter)

    def initial_state(self, batch: int = 1) -> MachineState:
        """The state before step 1, the same for every sequence of the batch."""
        like = self.output.weight
        return MachineState(
            self.controller.initial_state(like, batch),
            self.initial.read(like).expand(batch, -1, -1),
            self.initial.weighting(like).expand(batch, -1, -1),
            self.initial.memory(like).expand(batch, -1, -1),
        )

    def step(self, inputs: Float[Tensor, "batch input"], state: MachineState) -> StepResult:
        """One time step: the controller speaks, the heads access the memory, the output is formed from r_t."""
        config = self.config
        hidden, controller = self.controller(torch.cat([inputs, state.read_vector.flatten(1)], 1), state.controller)
        asked = head_parameters(config, self.heads(hidden))
        done = access(config, state.memory, state.weighting, asked)
        logits = self.output(torch.cat([hidden, done.read_vector.flatten(1)], 1))
        if config.clip is not None:
            logits = logits.clamp(-config.clip, config.clip)
        after = MachineState(controller, done.read_vector, done.weightings.weighting, done.memory)
        return StepResult(logits, asked, done.weightings, done.read_vector, after)

    def run(self, inputs: Float[Tensor, "step batch input"], state: MachineState | None = None) -> Iterator[StepResult]:
        """The result of each step in turn, from the initial state or a given one."""
        state = state or self.initial_state(inputs.shape[1])
        for row in inputs:
            result = self.step(row, state)
            state = result.state
            yield result

    def forward(
        self, inputs: Float[Tensor, "step batch input"], state: MachineState | None = None
    ) -> Float[Tensor, "step batch output"]:
        """The logits of every step of a whole batch of sequences, by the compiled core where it can compute them.

        Eager mode computes the rest: other types than float32, other devices than the CPU, a graph that is traced, and
        gradients of gradients.
        """
        state = state or self.initial_state()
        cell, hidden = state.controller.cell, state.controller.hidden
        start = Start(state.memory, state.weighting, state.read_vector, hidden, cell)
        weights = self._weights()
        if self.core == "compiled" and fits((inputs, *start, *weights)):
            from ntm_core.compiled.function import sequence_logits  # noqa: PLC0415  # it imports numba

            return sequence_logits(self.config, inputs, start, weights, self._eager)
        return self._eager(inputs, start)

    def _eager(self, inputs: Tensor, start: Start) -> Tensor:
        """The logits step by step."""
        memory, weighting, read, hidden, cell = (
            None if tensor is None else tensor.expand(inputs.shape[1], *tensor.shape[1:]) for tensor in start
        )
        assert memory is not None
        assert weighting is not None
        assert read is not None
        assert hidden is not None
        state = MachineState(ControllerState(hidden, cell), read, weighting, memory)
        return torch.stack([result.logits for result in self.run(inputs, state)])

    def _weights(self) -> list[Tensor]:
        """The parameters of the controller's layers, then those of the heads and of the output."""
        parts = [*self.controller.layers, self.heads, self.output]
        return [parameter for part in parts for parameter in part.parameters()]


def warm_up(say: Callable[[str], None] = lambda _: None) -> None:
    """Make the compiled core ready, so that the first sequence need not wait; `say` is told what may take long.

    numba compiles it once on a computer, and then loads it from its cache in a second.
    """
    machine = Machine(MachineConfig(input_size=1, output_size=1, memory_size=1, word_size=1, controller_size=1))
    if machine.core == "compiled":
        say("Loading the compiled core; the first time, numba compiles it, which takes about half a minute …")
        machine(torch.zeros(1, 1, 1)).sum().backward()
