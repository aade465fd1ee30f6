"""The Neural Turing Machine: a controller, heads and a memory, one step at a time.

A `Machine` holds parameters and nothing else. `step(inputs, state)` takes the state in and gives it back inside its
result, so a sequence is a loop over `step` and a trace is the list of its results. Time comes first on every axis
list: (step, batch, channel).
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from ntm_core.access import access, readdress
from ntm_core.addressing import Weightings
from ntm_core.compiled import ALONE, Core, Crew, Start, core_for, fits, is_ready, why_eager, yet_to_compile
from ntm_core.config import MachineConfig, OutputActivation
from ntm_core.controllers import Controller, ControllerState
from ntm_core.errors import ConfigError, TraceError
from ntm_core.heads import HeadLayout, HeadParameters, edited_addressing, edited_writing, head_parameters
from ntm_core.initial import Initial
from ntm_core.interventions import Editor, StepEditor
from ntm_core.memory import read_vectors, written_memory

if TYPE_CHECKING:
    from ntm_core.compiled.learner import Learner
    from ntm_core.compiled.recorded_run import RecordedRun


@dataclass(frozen=True, eq=False)
class MachineState:
    """All that passes from one step to the next.

    Attributes:
        controller: (batch, layer, unit) hidden and, for an LSTM, cell.
        read_vector: r_{t-1}, (batch, read_head, word).
        weighting: w_{t-1}, (batch, head, location); not always of sum 1.
        memory: M_{t-1}, (batch, location, word).
    """

    controller: ControllerState
    read_vector: Tensor
    weighting: Tensor
    memory: Tensor

    def expand(self, batch: int) -> "MachineState":
        """The same state for this many sequences, where it is one for all of them."""
        cell = None if self.controller.cell is None else self.controller.cell.expand(batch, -1, -1)
        return MachineState(
            ControllerState(self.controller.hidden.expand(batch, -1, -1), cell),
            self.read_vector.expand(batch, -1, -1),
            self.weighting.expand(batch, -1, -1),
            self.memory.expand(batch, -1, -1),
        )


@dataclass(frozen=True, eq=False)
class StepResult:
    """All that one step computed, and the state after it.

    Attributes:
        logits: the output before its nonlinearity, (batch, output).
        parameters: what was asked of the heads; erase and add vectors are those that this step wrote with.
        weightings: the four stages of addressing, (batch, head, location) each.
        read_vector: r_t, (batch, read_head, word).
        state: what the next step starts from; holds w_t and M_t.
        memory_found: the M_{t-1} that the step found, (batch, location, word); an editor may have changed it.
        output_activation: the nonlinearity of the output.
    """

    logits: Tensor
    parameters: HeadParameters
    weightings: Weightings
    read_vector: Tensor
    state: MachineState
    memory_found: Tensor
    output_activation: OutputActivation = "sigmoid"

    @property
    def outputs(self) -> Float[Tensor, "batch output"]:
        """y_t in [0, 1]: the sigmoid of each logit, or the softmax of all."""
        return self.logits.sigmoid() if self.output_activation == "sigmoid" else self.logits.softmax(-1)


@dataclass(frozen=True)
class _StateParts:
    """The parts of a state that were given, held against the machine's shapes."""

    machine: "Machine"
    given: Mapping[str, ArrayLike]

    def __post_init__(self) -> None:
        cells = self.machine.config.controller == "lstm"
        known = ("memory", "weighting", "read_vector", "hidden", *(("cell",) if cells else ()))
        for name in self.given:
            if name not in known:
                raise TraceError(f"the initial state has no part {name!r}: its parts are {', '.join(known)}")

    def get(self, name: str, own: Tensor) -> Tensor:
        """The part of this name, with a batch axis of 1: the given one, or else the machine's own."""
        if name not in self.given:
            return own
        try:
            values = np.asarray(self.given[name], np.float64)
        except (ValueError, TypeError):
            raise TraceError(f"the initial {name} must be numbers of shape {tuple(own.shape[1:])}") from None
        if name == "weighting" and self.machine.config.head_roles == "read_and_write":
            values = self._of_both_roles(values)
        if values.shape != tuple(own.shape[1:]):
            raise TraceError(f"the initial {name} has shape {values.shape}: it must be {tuple(own.shape[1:])}")
        if not np.isfinite(values).all():
            raise TraceError(f"the initial {name} holds {values[~np.isfinite(values)][0]}: it must be finite")
        if name == "weighting" and (values < 0).any():
            raise TraceError(f"the initial weighting holds {values[values < 0][0]}: every entry must be at least 0")
        return torch.from_numpy(values).to(own).unsqueeze(0)

    def _of_both_roles(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        heads = self.machine.config.read_heads
        if len(values) == heads:
            return np.concatenate([values, values])
        if not np.array_equal(values[:heads], values[heads:]):
            raise TraceError("the initial weighting differs between read head i and write head i: they are one head")
        return values


def output_width(config: MachineConfig) -> int:
    """How many numbers the output is formed from."""
    reads = config.read_heads * config.word_size
    match config.output_input:
        case "hidden_and_reads":
            return config.layer_sizes[-1] + reads
        case "input_and_reads":
            return config.input_size + reads
        case "hidden":
            return config.layer_sizes[-1]


class Machine(nn.Module):
    """A Neural Turing Machine built from its config, with parameters drawn from a seed.

    The same config and seed give the same parameters; the global random state is left alone.

    It is an ordinary module: a layer that is replaced, pruned, parametrised or hooked is called, by eager mode.
    """

    def __init__(self, config: MachineConfig, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self._core: Core = core_for(config)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.controller = Controller(config)
            self.heads = nn.Linear(config.layer_sizes[-1], HeadLayout.of(config).size)
            self.output = nn.Linear(output_width(config), config.output_size)
            self.initial = Initial(config)
            self._draw()
        self._built = [_shapes_of(layer) for layer in self._layers()]

    @property
    def core(self) -> Core:
        """What `forward` computes with; set it to "eager" to keep the compiled core away.

        ConfigError for anything else, and for "compiled" where the kernel cannot compute this machine.
        """
        return self._core

    @core.setter
    def core(self, core: str) -> None:
        if core not in get_args(Core):
            raise ConfigError(f"core is {core!r}: it must be 'compiled' or 'eager'")
        reason = why_eager(self.config) if core == "compiled" else None
        if reason is not None:
            raise ConfigError(f"core cannot be 'compiled' for this machine. {reason}")
        self._core = cast("Core", core)

    def _draw(self) -> None:
        """Draw the first parameters: Glorot for heads and output, recurrent biases zero, those of gates as chosen."""
        nn.init.xavier_uniform_(self.heads.weight, gain=1.4)
        nn.init.normal_(self.heads.bias, std=0.01)
        with torch.no_grad():
            self.heads.bias[HeadLayout.of(self.config).gates] += self.config.interpolation_gate_bias
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        for name, parameter in self.controller.named_parameters():
            if "bias" in name:
                nn.init.zeros_(parameter)

    def initial_state(self, batch: int = 1, seed: int | None = None) -> MachineState:
        """The state before step 1, the same for every sequence of the batch, but for what is drawn anew for each.

        The seed decides those draws, 0 … 2^32 - 1; without one they come from torch's own generator.
        """
        like = self.output.weight
        memory = self.initial.memory(like, batch, seed)
        weighting = self.initial.weighting(like)
        read = self.initial.read(memory, weighting, seed)
        return MachineState(self.controller.initial_state(like, batch), read, weighting.expand(batch, -1, -1), memory)

    def state_of(self, given: Mapping[str, ArrayLike], seed: int | None = None) -> MachineState:
        """The state of one sequence before step 1 with these parts given; the others are the machine's own.

        Parts: `memory` (location, word), `weighting` (head, location), `read_vector` (read_head, word), `hidden` and
        `cell` (layer, controller), the arrays that a trace names `initial_memory` and so on. A machine whose heads
        both read and write also takes one `weighting` row a head. Weightings have no entry below 0; they may sum to
        anything, as those of other programs do. `TraceError` names the value and the rule.
        """
        parts = _StateParts(self, given)
        own = self.initial_state(1, seed)
        memory = parts.get("memory", own.memory)
        weighting = parts.get("weighting", own.weighting)
        read = parts.get("read_vector", self.initial.read(memory, weighting[0], seed))
        hidden = parts.get("hidden", own.controller.hidden)
        cell = None if own.controller.cell is None else parts.get("cell", own.controller.cell)
        return MachineState(ControllerState(hidden, cell), read, weighting, memory)

    def step(
        self, inputs: Float[Tensor, "batch input"], state: MachineState, editor: StepEditor | None = None
    ) -> StepResult:
        """One time step: the controller speaks, the heads access the memory, the output is formed from r_t.

        An editor changes each quantity where it is computed, so that all after it sees the change.
        """
        config = self.config
        if editor is not None:
            inputs = editor.edit("inputs", inputs)
            state = replace(state, memory=editor.edit("memory", state.memory))
        if config.schedule == "address_last":
            return self._address_last(inputs, state, editor)
        hidden, controller = self.controller(torch.cat([inputs, state.read_vector.flatten(1)], 1), state.controller)
        asked = self._asked(hidden, controller)
        if editor is not None:
            asked = edited_writing(edited_addressing(asked, editor), editor)
        done = access(config, state.memory, state.weighting, asked, editor)
        logits = self._logits(inputs, hidden, done.read_vector)
        after = MachineState(controller, done.read_vector, done.weightings.weighting, done.memory)
        return StepResult(
            logits, asked, done.weightings, done.read_vector, after, state.memory, config.output_activation
        )

    def _address_last(self, inputs: Tensor, state: MachineState, editor: StepEditor | None) -> StepResult:
        """One time step with the weightings of the step before: write, read, controller, output; then address."""
        config, reads = self.config, self.config.read_heads
        before = state.controller.hidden[:, -1, : config.layer_sizes[-1]]
        writing = self._asked(before, state.controller)
        if editor is not None:
            writing = edited_writing(writing, editor)
        acting, erase, add = state.weighting, writing.erase_vector, writing.add_vector
        memory = written_memory(state.memory, acting[:, reads:], erase, add, config.write_order)
        read_vector = read_vectors(memory, acting[:, :reads])
        if editor is not None:
            read_vector = editor.edit("read_vector", read_vector)
        hidden, controller = self.controller(torch.cat([inputs, read_vector.flatten(1)], 1), state.controller)
        logits = self._logits(inputs, hidden, read_vector)
        asked = self._asked(hidden, controller)
        if editor is not None:
            asked = edited_addressing(asked, editor)
        weightings = readdress(config, memory, state.weighting, asked, editor)
        after = MachineState(controller, read_vector, weightings.weighting, memory)
        asked = replace(asked, erase_vector=erase, add_vector=add)
        return StepResult(logits, asked, weightings, read_vector, after, state.memory, config.output_activation)

    def _asked(self, hidden: Tensor, controller: ControllerState) -> HeadParameters:
        """What the controller asks of the heads."""
        return head_parameters(self.config, self.heads(self._said_to_heads(hidden, controller)))

    def _said_to_heads(self, hidden: Tensor, controller: ControllerState) -> Tensor:
        """What the heads hear of the controller's state: (batch, unit)."""
        return controller.cell[:, -1] if self.config.head_input == "cell" and controller.cell is not None else hidden

    def _logits(self, inputs: Tensor, hidden: Tensor, read_vector: Tensor) -> Tensor:
        """The output before its nonlinearity: (batch, output)."""
        config = self.config
        match config.output_input:
            case "hidden_and_reads":
                heard = torch.cat([hidden, read_vector.flatten(1)], 1)
            case "input_and_reads":
                heard = torch.cat([inputs, read_vector.flatten(1)], 1)
            case "hidden":
                heard = hidden
        logits: Tensor = self.output(heard)
        return logits if config.clip is None else logits.clamp(-config.clip, config.clip)

    def run(
        self,
        inputs: Float[Tensor, "step batch input"],
        state: MachineState | None = None,
        editor: Editor | None = None,
        first: int = 0,
    ) -> Iterator[StepResult]:
        """The result of each step in turn, from the initial state or a given one, for all sequences or for each.

        For an editor the first of these rows is step number `first`.
        """
        state = (state or self.initial_state(inputs.shape[1])).expand(inputs.shape[1])
        for step, row in enumerate(inputs, start=first):
            result = self.step(row, state, editor.at(step) if editor is not None else None)
            state = result.state
            yield result

    def usable_core(self) -> Core:
        """What `forward` computes one sequence with here and now, unless its inputs or its state forbid it."""
        weights = self._weights()
        return "compiled" if self.core == "compiled" and weights is not None and fits(weights) else "eager"

    def recorded_run(
        self, inputs: Float[Tensor, "step input"], state: MachineState, records: NDArray[Any]
    ) -> "RecordedRun":
        """A run of one sequence by the compiled core, which writes float32 records of the trace schema, (step,)."""
        from ntm_core.compiled.recorded_run import RecordedRun  # noqa: PLC0415  # it imports numba

        weights = self._weights()
        assert weights is not None, "the compiled core cannot be used"
        return RecordedRun(self.config, inputs, _start_of(state), weights, records)

    def forward(
        self, inputs: Float[Tensor, "step batch input"], state: MachineState | None = None
    ) -> Float[Tensor, "step batch output"]:
        """The logits of every step of a whole batch of sequences, by the compiled core where it can compute them.

        Eager mode computes the rest: other types than float32, other devices than the CPU, a graph that is traced,
        gradients of gradients and those carried forward, and layers that are not as they were built. ValueError
        if inputs or state do not have the machine's shapes, or there is no step or no sequence; TypeError for inputs
        that are no tensor.
        """
        _require_inputs(self.config, inputs)
        state = state or self.initial_state(inputs.shape[1] if self.config.draws_fresh else 1)
        start = _start_of(state)
        _require_state(self.config, start, inputs.shape[1])
        weights = self._weights()
        if self.core == "compiled" and weights is not None and fits((inputs, *start, *weights)):
            from ntm_core.compiled.function import sequence_logits  # noqa: PLC0415  # it imports numba

            return sequence_logits(self.config, inputs, start, weights, self._eager)
        return self._eager(inputs, start)

    def learner(self, crew: Crew = ALONE) -> "Learner | None":
        """What adds gradients to `grad` of each parameter, as `backward()` of `sequence_loss` would, without a graph.

        So a small machine costs a third. None where the compiled core cannot compute it. The crew are threads that
        share a batch: they change no bit. To be asked anew when a parameter or a buffer is another object than before.
        """
        weights = self._weights()
        if self.core != "compiled" or weights is None or not fits((*self.parameters(), *self.buffers())):
            return None
        if not fits(_start_of(self.initial_state(1, 0))):
            return None
        from ntm_core.compiled.learner import Learner  # noqa: PLC0415  # it imports numba

        return Learner(
            self.config,
            weights,
            lambda batch, seed: _start_of(self.initial_state(batch, seed)),
            self._learned_start(),
            functools.partial(self.initial.weighting, self.output.weight),
            crew,
        )

    def _learned_start(self) -> Start | None:
        """The parameters that the initial state is made of, None for what is not learned.

        None in all where a part is neither a parameter as it is nor, for w_0, the softmax of one, but for a constant.
        """
        initial, controller, config = self.initial, self.controller, self.config
        through = (config.initial_memory, config.initial_read, config.head_roles)
        if not {"learned_tanh", "learned_sigmoid", "from_memory", "read_and_write"}.isdisjoint(through):
            return None
        hidden, cell = controller.initial_hidden, controller.initial_cell
        parts = (initial.memory_value, initial.weighting_logits, initial.read_value, hidden, cell)
        if not all(part is None or part.is_leaf for part in parts):
            return None
        return Start(*parts)  # type: ignore[arg-type]  # here any may be None

    def _eager(self, inputs: Tensor, start: Start) -> Tensor:
        """The logits step by step."""
        memory, weighting, read, hidden, cell = start
        state = MachineState(ControllerState(hidden, cell), read, weighting, memory)
        return torch.stack([result.logits for result in self.run(inputs, state)])

    def _layers(self) -> list[nn.Module]:
        """The controller's layers, then those of the heads and of the output."""
        return [*self.controller.layers, self.heads, self.output]

    def _weights(self) -> list[Tensor] | None:
        """The parameters of all layers, as the kernel takes them.

        None where only a call can tell what the machine computes: a layer is not as it was built, or somebody listens.
        """
        layers = self._layers()
        if type(self).step is not Machine.step or _is_changed(self.controller) or len(layers) != len(self._built):
            return None
        found: list[Tensor] = []
        for layer, (kind, shapes) in zip(layers, self._built, strict=True):
            if type(layer) is not kind or _is_changed(layer):
                return None
            own = layer._parameters  # noqa: SLF001  # ten times as fast as to ask for each by name
            for name, shape in shapes.items():
                parameter = own.get(name)
                if parameter is None or parameter.shape != shape:
                    return None
                found.append(parameter)
        return found


def _shapes_of(layer: nn.Module) -> tuple[type[nn.Module], dict[str, torch.Size]]:
    """What a layer is, and the shapes of its parameters."""
    return type(layer), {name: parameter.shape for name, parameter in layer.named_parameters()}


def _is_changed(layer: nn.Module) -> bool:
    """Whether a call of the layer does more, or other, than its class says."""
    hooks = (layer._forward_hooks, layer._forward_pre_hooks, layer._backward_hooks, layer._backward_pre_hooks)  # noqa: SLF001  # torch has no public question
    return any(hooks) or "forward" in vars(layer)


def _require_inputs(config: MachineConfig, inputs: object) -> None:
    if not isinstance(inputs, Tensor):
        raise TypeError(f"the inputs are of type {type(inputs).__name__}: they must be a tensor of torch's")
    if inputs.ndim != 3 or inputs.shape[2] != config.input_size or 0 in inputs.shape:
        raise ValueError(
            f"the inputs have the shape {tuple(inputs.shape)}: it must be (step, batch, {config.input_size}), with at "
            "least one step and one sequence"
        )


def _require_state(config: MachineConfig, start: Start, batch: int) -> None:
    unit = (config.controller_layers, config.controller_size)
    expected = {
        "memory": (config.memory_size, config.word_size),
        "weighting": (config.heads, config.memory_size),
        "read_vector": (config.read_heads, config.word_size),
        "hidden": unit,
        "cell": unit if config.controller == "lstm" else None,
    }
    for part, (name, shape) in zip(start, expected.items(), strict=True):
        if part is None and shape is None:
            continue
        found = None if part is None else tuple(part.shape)
        if shape is None or found not in ((1, *shape), (batch, *shape)):
            must = "there must be none" if shape is None else f"it must be {(1, *shape)} or {(batch, *shape)}"
            raise ValueError(f"the state's {name} has the shape {found}: {must}")


def _start_of(state: MachineState) -> Start:
    """The state as the compiled core is given it."""
    controller = state.controller
    return Start(state.memory, state.weighting, state.read_vector, controller.hidden, controller.cell)


def is_warm() -> bool:
    """Whether the compiled core is ready in this process, so that nothing waits for it."""
    return is_ready("ntm_core.compiled.kernel", "forward")


def warm_up(say: Callable[[str], None] = lambda _: None) -> None:
    """Make the compiled core ready, so that the first sequence need not wait; `say` is told what may take long.

    numba compiles it once on a computer, and then loads it from its cache in a second.
    """
    machine = Machine(MachineConfig(input_size=1, output_size=1, memory_size=1, word_size=1, controller_size=1))
    if machine.core == "compiled":
        say(yet_to_compile() or "Loading the compiled core …")
        machine(torch.zeros(1, 1, 1)).sum().backward()
