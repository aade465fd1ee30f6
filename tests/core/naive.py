"""The machine one number at a time: equations 1-8 and every open choice as loops over Python floats.

Written from the equations and from what each choice is said to mean, not from the vectorised code, so that the two can
disagree. It knows the machine only by its config and by the names of its parameters. One sequence at a time, no batch.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ntm_core.config import MachineConfig
from ntm_core.machine import Machine

Vector = list[float]
Matrix = list[Vector]


@dataclass(frozen=True)
class Asked:
    """What one head is asked: k, β, g, s by offset, γ."""

    key: Vector
    key_strength: float
    interpolation_gate: float
    shift: dict[int, float]
    sharpening: float


@dataclass
class State:
    """All that passes from one step to the next."""

    hidden: Matrix
    cell: Matrix
    reads: Matrix
    weightings: Matrix
    memory: Matrix


def identity(x: float) -> float:
    return x


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def hard_sigmoid(x: float) -> float:
    return min(1.0, max(0.0, 0.2 * x + 0.5))


def softmax(values: Sequence[float]) -> Vector:
    top = max(values)
    powers = [math.exp(value - top) for value in values]
    return [power / math.fsum(powers) for power in powers]


def dot(u: Sequence[float], v: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(u, v, strict=True))


def norm(u: Sequence[float]) -> float:
    return math.sqrt(dot(u, u))


def affine(weight: Matrix, bias: Vector, x: Sequence[float]) -> Vector:
    return [dot(row, x) + b for row, b in zip(weight, bias, strict=True)]


def cosine(u: Sequence[float], v: Sequence[float], epsilon: float, placement: str) -> float:
    """Eq. 2, with ε in one of four places."""
    if placement == "each_norm":
        return dot(u, v) / (max(norm(u), epsilon) * max(norm(v), epsilon))
    if placement == "norm_product":
        return dot(u, v) / max(norm(u) * norm(v), epsilon)
    if placement == "added_to_norm_product":
        return dot(u, v) / (norm(u) * norm(v) + epsilon)
    assert placement == "inside_root"
    return dot(u, v) / math.sqrt((norm(u) * norm(v)) ** 2 + epsilon)


def centred(u: Sequence[float]) -> Vector:
    mean = math.fsum(u) / len(u)
    return [a - mean for a in u]


def similarity(config: MachineConfig, u: Vector, v: Vector) -> float:
    epsilon, placement = config.similarity_epsilon, config.similarity_epsilon_placement
    if config.similarity == "cosine":
        return cosine(u, v, epsilon, placement)
    if config.similarity == "pearson":
        return cosine(centred(u), centred(v), epsilon, placement)
    if config.similarity == "dot":
        return dot(u, v)
    if config.similarity == "scaled_dot":
        return dot(u, v) / math.sqrt(len(u))
    assert config.similarity == "negative_euclidean"
    return -math.dist(u, v)


def scores(config: MachineConfig, memory: Matrix, asked: Asked) -> Vector:
    """β K[k, M(i)] at every location."""
    more = config.similarity_offset
    key, rows = [x + more for x in asked.key], [[x + more for x in row] for row in memory]
    return [asked.key_strength * similarity(config, key, row) for row in rows]


def content(config: MachineConfig, memory: Matrix, asked: Asked, of_its_kind: Sequence[Asked]) -> Vector:
    """Eq. 1, with the softmax over the head's locations, over those of all heads of its kind, or over each alone."""
    if config.content_softmax == "each_location":
        return [1.0] * len(memory)
    mine = scores(config, memory, asked)
    if config.content_softmax == "each_head":
        return softmax(mine)
    together = softmax([score for head in of_its_kind for score in scores(config, memory, head)])
    first = next(i for i, head in enumerate(of_its_kind) if head is asked) * len(memory)
    return together[first : first + len(memory)]


def gated(now: Vector, previous: Vector, gate: float) -> Vector:
    """Eq. 3."""
    return [gate * c + (1 - gate) * p for c, p in zip(now, previous, strict=True)]


def shifted(weighting: Vector, shift: Mapping[int, float], edge: str) -> Vector:
    """Eq. 4: what stands at i comes from i - offset."""
    size = len(weighting)
    result = []
    for i in range(size):
        total = 0.0
        for offset, share in shift.items():
            source = i - offset
            if edge == "circular":
                total += weighting[source % size] * share
            elif 0 <= source < size:
                total += weighting[source] * share
        result.append(total)
    return result


def sharpened(config: MachineConfig, weighting: Vector, gamma: float) -> Vector:
    """Eq. 5 with its ε. Without one, all is divided by the largest weight, and uniform where all are zero."""
    epsilon = config.sharpening_epsilon
    if epsilon and config.sharpening_epsilon_placement == "normaliser":
        powers = [w**gamma for w in weighting]
        return [power / (math.fsum(powers) + epsilon) for power in powers]
    weighting = [w + epsilon for w in weighting]
    top = max(weighting)
    if top == 0:
        return [1 / len(weighting)] * len(weighting)
    powers = [(w / top) ** gamma for w in weighting]
    return [power / math.fsum(powers) for power in powers]


def read(memory: Matrix, weighting: Vector) -> Vector:
    """Eq. 6."""
    return [math.fsum(w * row[j] for w, row in zip(weighting, memory, strict=True)) for j in range(len(memory[0]))]


def erased(memory: Matrix, weighting: Vector, erase: Vector) -> Matrix:
    """Eq. 7."""
    return [
        [m * (1 - w * e) for m, e in zip(row, erase, strict=True)] for row, w in zip(memory, weighting, strict=True)
    ]


def added(memory: Matrix, weighting: Vector, add: Vector) -> Matrix:
    """Eq. 8."""
    return [[m + w * a for m, a in zip(row, add, strict=True)] for row, w in zip(memory, weighting, strict=True)]


def vector(raw: Vector, activation: str) -> Vector:
    """A key or an add vector from its raw value."""
    functions: dict[str, Callable[[float], float]] = {
        "tanh": math.tanh,
        "identity": identity,
        "clip": lambda x: min(1.0, max(0.0, x)),
        "relu": lambda x: max(0.0, x),
        "sigmoid": sigmoid,
    }
    return [functions[activation](x) for x in raw]


def key_strength(x: float, activation: str) -> float:
    if activation == "softplus":
        return softplus(x)
    if activation == "exp":
        return math.exp(min(x, 40.0))
    if activation == "relu":
        return max(0.0, x)
    assert activation == "scaled_sigmoid"
    return 10 * sigmoid(x)


def gate(x: float, activation: str) -> float:
    return {"sigmoid": sigmoid, "hard_sigmoid": hard_sigmoid}[activation](x)


def shift_by_offset(raw: Vector, kernel: str, reach: int) -> dict[int, float]:
    """s(offset): a softmax, R tanh(x) shared between the two whole offsets around it, or 1 everywhere."""
    offsets = range(-reach, reach + 1)
    if kernel == "ones":
        return dict.fromkeys(offsets, 1.0)
    functions = {"softmax": identity, "softmax_of_relu": lambda x: max(0.0, x), "softmax_of_softplus": softplus}
    if kernel in functions:
        return dict(zip(offsets, softmax([functions[kernel](x) for x in raw]), strict=True))
    assert kernel == "fractional"
    where = reach * math.tanh(raw[0])
    below = math.floor(where)
    share = dict.fromkeys(offsets, 0.0)
    share[below] += 1 - (where - below)
    if where > below:
        share[below + 1] += where - below
    return share


def sharpening(x: float, activation: str) -> float:
    """γ = 1 + something that is never negative."""
    if activation == "softplus":
        return 1 + softplus(x)
    if activation == "relu":
        return 1 + max(0.0, x)
    if activation == "elu":
        return 1 + (x if x > 0 else math.expm1(x)) + 1
    assert activation == "scaled_sigmoid"
    return 1 + 4 * sigmoid(x)


def erase_vector(raw: Vector, activation: str) -> Vector:
    if activation == "none":
        return [0.0] * len(raw)
    if activation == "ones":
        return [1.0] * len(raw)
    if activation == "relu":
        return [max(0.0, x) for x in raw]
    return [gate(x, activation) for x in raw]


STAGES = ("content_weighting", "gated_weighting", "shifted_weighting", "weighting")


class Access:
    """What the heads do to the memory in one step, head by head, in the order of the config."""

    def __init__(
        self, config: MachineConfig, previous: Matrix, asked: list[Asked], erases: Matrix, adds: Matrix
    ) -> None:
        self.config, self.previous, self.asked, self.erases, self.adds = config, previous, asked, erases, adds
        self.stages: dict[str, Any] = {name: [[] for _ in asked] for name in STAGES}
        self.reads: Matrix = [[] for _ in range(config.read_heads)]
        self.all_reads = list(range(config.read_heads))
        self.all_writes = list(range(config.read_heads, config.heads))

    def act(self, memory: Matrix) -> Matrix:
        """The memory after the step; stages and reads are filled on the way."""
        if self.config.step_order == "listed":
            return self.listed(memory)
        if self.config.step_order == "write_then_read":
            memory = self.write_together(memory)
            self.read_all(memory)
            return memory
        self.read_all(memory)
        return self.write_together(memory)

    def listed(self, memory: Matrix) -> Matrix:
        assert self.config.head_order is not None
        reads, writes = iter(self.all_reads), iter(self.all_writes)
        for kind in self.config.head_order:
            if kind == "read":
                self.read(next(reads), memory)
            else:
                head = next(writes)
                memory = self.write(head, self.look(head, memory), memory)
        return memory

    def look(self, head: int, memory: Matrix) -> Vector:
        """The head's weighting over this memory (eq. 1-5)."""
        asked = self.asked[head]
        reads = self.config.read_heads
        of_its_kind = self.asked[:reads] if head < reads else self.asked[reads:]
        borrowed = self.config.previous_weighting == "read_head" and head >= reads
        c = content(self.config, memory, asked, of_its_kind)
        g = gated(c, self.previous[head - reads if borrowed else head], asked.interpolation_gate)
        s = shifted(g, asked.shift, self.config.shift_edge)
        w = sharpened(self.config, s, asked.sharpening)
        for name, stage in zip(STAGES, (c, g, s, w), strict=True):
            self.stages[name][head] = stage
        return w

    def read(self, head: int, memory: Matrix) -> None:
        self.reads[head] = read(memory, self.look(head, memory))

    def read_all(self, memory: Matrix) -> None:
        for head in self.all_reads:
            self.read(head, memory)

    def write(self, head: int, w: Vector, memory: Matrix) -> Matrix:
        """One head's erase and add."""
        index = head - self.config.read_heads
        return added(erased(memory, w, self.erases[index]), w, self.adds[index])

    def write_together(self, memory: Matrix) -> Matrix:
        """Every write head looks at this memory; then they write, in the write order."""
        return self.write_all(memory, [self.look(head, memory) for head in self.all_writes])

    def write_all(self, memory: Matrix, looks: Matrix) -> Matrix:
        """What the write heads leave of this memory, looking so."""
        if self.config.write_order == "one_by_one":
            for head, w in zip(self.all_writes, looks, strict=True):
                memory = self.write(head, w, memory)
            return memory
        for w, e in zip(looks, self.erases, strict=True):
            memory = erased(memory, w, e)
        for w, a in zip(looks, self.adds, strict=True):
            memory = added(memory, w, a)
        return memory


class NaiveMachine:
    """A machine's config and numbers, run as loops; the seed and the place in the batch decide what is drawn anew."""

    def __init__(self, machine: Machine, seed: int = 0, place: int = 0) -> None:
        self.config, self.seed, self.place = machine.config, seed, place
        self.values: dict[str, Any] = {name: value.tolist() for name, value in machine.state_dict().items()}

    def initial(self) -> State:
        """M_0, w_0, r_0 and the controller's first state."""
        config = self.config
        units = [[0.0] * config.controller_size for _ in range(config.controller_layers)]
        memory = self._initial_memory()
        rows = config.write_heads if config.head_roles == "read_and_write" else config.heads
        weightings = [self._initial_weighting(head % rows) for head in range(config.heads)]
        return State(
            hidden=self.values.get("controller.initial_hidden", units),
            cell=self.values.get("controller.initial_cell", units),
            reads=self._initial_reads(memory, weightings),
            weightings=weightings,
            memory=memory,
        )

    def _drawn(self, draw: Callable[[np.random.RandomState], float], stream: int, rows: int) -> Matrix:
        """Numbers drawn one by one, row by row and sequence by sequence; those of this sequence."""
        random = np.random.RandomState(np.array([self.seed, stream], np.uint32))
        width = self.config.word_size
        drawn = [[[draw(random) for _ in range(width)] for _ in range(rows)] for _ in range(self.place + 1)]
        return drawn[self.place]

    def _initial_memory(self) -> Matrix:
        config = self.config
        if config.initial_memory in ("zeros", "constant"):
            value = config.initial_memory_value if config.initial_memory == "constant" else 0.0
            return [[value] * config.word_size for _ in range(config.memory_size)]
        if config.initial_memory == "fresh_uniform":
            bound = 1 / math.sqrt(config.memory_size + config.word_size)
            return self._drawn(lambda random: bound * (2 * random.random_sample() - 1), 0, config.memory_size)
        function = {"learned_tanh": math.tanh, "learned_sigmoid": sigmoid}.get(config.initial_memory, identity)
        return [[function(x) for x in row] for row in self.values["initial.memory_value"]]

    def _initial_weighting(self, head: int) -> Vector:
        size = self.config.memory_size
        match self.config.initial_weighting:
            case "learned":
                return softmax(self.values["initial.weighting_logits"][head])
            case "learned_decaying":
                return softmax([x - i for i, x in enumerate(self.values["initial.weighting_logits"][head])])
            case "given":
                row: Vector = self.values["initial.weighting_value"][head]
                return row
            case "one_hot":
                return [1.0] + [0.0] * (size - 1)
            case "uniform":
                return [1 / size] * size
            case "zeros":
                return [0.0] * size

    def _initial_reads(self, memory: Matrix, weightings: Matrix) -> Matrix:
        config = self.config
        match config.initial_read:
            case "zeros":
                return [[0.0] * config.word_size for _ in range(config.read_heads)]
            case "from_memory":
                return [read(memory, weighting) for weighting in weightings[: config.read_heads]]
            case "fresh_uniform":
                bound = math.sqrt(6 / config.word_size)
                return self._drawn(lambda random: bound * (2 * random.random_sample() - 1), 1, config.read_heads)
            case "fresh_tanh_normal":
                return self._drawn(lambda random: math.tanh(random.standard_normal()), 1, config.read_heads)
        function = math.tanh if config.initial_read == "learned_tanh" else identity
        return [[function(x) for x in row] for row in self.values["initial.read_value"]]

    def run(self, inputs: Matrix) -> list[dict[str, Any]]:
        """Every trace field of every step, and the memory after it."""
        state = self.initial()
        steps = []
        for row in inputs:
            step, state = self.step(row, state)
            steps.append(step)
        return steps

    def step(self, inputs: Vector, state: State) -> tuple[dict[str, Any], State]:
        """One time step, and the state after it."""
        config = self.config
        if config.schedule == "address_first":
            hidden, cell = self._controller([*inputs, *(x for read in state.reads for x in read)], state)
            asked, erases, adds, parameters = self._heads(self._heard(hidden, cell))
            access = Access(config, state.weightings, asked, erases, adds)
            memory = access.act(state.memory)
            reads = access.reads
        else:
            _, erases, adds, _ = self._heads(self._heard(state.hidden, state.cell))
            acting = state.weightings
            memory = Access(config, [], [], erases, adds).write_all(state.memory, acting[config.read_heads :])
            reads = [read(memory, weighting) for weighting in acting[: config.read_heads]]
            hidden, cell = self._controller([*inputs, *(x for r in reads for x in r)], state)
            asked, _, _, parameters = self._heads(self._heard(hidden, cell))
            access = Access(config, state.weightings, asked, erases, adds)
            for head in range(config.heads):
                access.look(head, memory)
        raw = affine(
            self.values["output.weight"], self.values["output.bias"], self._said_to_output(inputs, hidden, reads)
        )
        logits = self._clipped(raw)
        step = parameters | access.stages
        step |= {"erase_vector": erases, "add_vector": adds, "read_vector": reads, "memory": memory}
        step["hidden"] = [h + [0.0] * (config.controller_size - len(h)) for h in hidden]
        one_by_one = config.output_activation == "sigmoid"
        step |= {"logits": logits, "outputs": [sigmoid(x) for x in logits] if one_by_one else softmax(logits)}
        if config.controller == "lstm":
            step["cell"] = cell
        return step, State(hidden, cell, reads, access.stages["weighting"], memory)

    def _heard(self, hidden: Matrix, cell: Matrix) -> Vector:
        """What the heads hear: the top layer's output without what pads it, or its cells."""
        top = cell[-1] if self.config.head_input == "cell" else hidden[-1]
        return top[: len(self.values["heads.weight"][0])]

    def _said_to_output(self, inputs: Vector, hidden: Matrix, reads: Matrix) -> Vector:
        read_out = [x for r in reads for x in r]
        choices = {
            "hidden_and_reads": hidden[-1] + read_out,
            "input_and_reads": inputs + read_out,
            "hidden": hidden[-1],
        }
        return choices[self.config.output_input]

    def _clipped(self, raw: Vector) -> Vector:
        clip = self.config.clip
        return raw if clip is None else [min(clip, max(-clip, x)) for x in raw]

    def _controller(self, x: Vector, state: State) -> tuple[Matrix, Matrix]:
        hidden, cells = [], []
        for layer in range(self.config.controller_layers):
            x, cell = self._layer(layer, x, state.hidden[layer], state.cell[layer])
            hidden.append(x)
            cells.append(cell)
        return hidden, cells

    def _layer(self, layer: int, x: Vector, h: Vector, c: Vector) -> tuple[Vector, Vector]:
        """One layer's output and cell; LSTM: gates i, f, g, o; GRU: r, z, n, as `torch.nn` stacks them."""

        def held(name: str) -> Any:
            return self.values[f"controller.layers.{layer}.{name}"]

        function = {"tanh": math.tanh, "relu": lambda v: max(0.0, v), "sigmoid": sigmoid}
        activation = function[self.config.controller_activation]
        if self.config.controller == "feedforward":
            return [activation(v) for v in affine(held("weight"), held("bias"), x)], c
        size = self.config.controller_size
        from_x = affine(held("weight_ih"), held("bias_ih"), x)
        if self.config.controller == "recurrent":
            heard = zip(from_x, affine(held("weight_hh"), held("bias_hh"), h), strict=True)
            return [activation(a + b) for a, b in heard], c
        if self.config.gru_reset_gate == "before_product" and self.config.controller == "gru":
            return self._reset_first(from_x, h, held("weight_hh"), held("bias_hh")), c
        from_h = affine(held("weight_hh"), held("bias_hh"), h)
        blocks_x = [from_x[k : k + size] for k in range(0, len(from_x), size)]
        blocks_h = [from_h[k : k + size] for k in range(0, len(from_h), size)]
        new_h, new_c = [], []
        for unit in range(size):
            a = [block[unit] for block in blocks_x]
            b = [block[unit] for block in blocks_h]
            if self.config.controller == "lstm":
                i, f, o = sigmoid(a[0] + b[0]), sigmoid(a[1] + b[1]), sigmoid(a[3] + b[3])
                new_c.append(f * c[unit] + i * math.tanh(a[2] + b[2]))
                new_h.append(o * math.tanh(new_c[-1]))
            else:
                r, z = sigmoid(a[0] + b[0]), sigmoid(a[1] + b[1])
                new_h.append((1 - z) * math.tanh(a[2] + r * b[2]) + z * h[unit])
        return new_h, new_c

    def _reset_first(self, from_x: Vector, h: Vector, weight: Matrix, bias: Vector) -> Vector:
        """A GRU layer whose reset gate scales h before it meets the candidate's matrix."""
        size = len(h)
        gates = [sigmoid(a + b) for a, b in zip(from_x, affine(weight[: 2 * size], bias[: 2 * size], h), strict=False)]
        scaled = [r * x for r, x in zip(gates[:size], h, strict=True)]
        from_h = affine(weight[2 * size :], bias[2 * size :], scaled)
        candidate = [math.tanh(a + b) for a, b in zip(from_x[2 * size :], from_h, strict=True)]
        return [(1 - z) * n + z * x for z, n, x in zip(gates[size:], candidate, h, strict=True)]

    def _heads(self, hidden: Vector) -> tuple[list[Asked], Matrix, Matrix, dict[str, Any]]:
        """Each head's raw key, strength, gate, shift, sharpening; then each write head's raw erase and add vector."""
        config = self.config
        raw = iter(self._clipped(affine(self.values["heads.weight"], self.values["heads.bias"], hidden)))

        def take(count: int) -> Vector:
            return [next(raw) for _ in range(count)]

        asked = []
        shared = config.head_roles == "read_and_write"
        for _ in range(config.write_heads if shared else config.heads):
            key = vector(take(config.word_size), config.key_activation)
            beta = key_strength(next(raw), config.key_strength_activation)
            g = gate(next(raw), config.interpolation_gate_activation)
            taps = take(1 if config.shift_kernel == "fractional" else 2 * config.shift_range + 1)
            shift = shift_by_offset(taps, config.shift_kernel, config.shift_range)
            asked.append(Asked(key, beta, g, shift, sharpening(next(raw), config.sharpening_activation)))
        erases, adds = [], []
        for _ in range(config.write_heads):
            erases.append(erase_vector(take(config.word_size), config.erase_activation))
            adds.append(vector(take(config.word_size), config.add_activation))
        assert next(raw, None) is None
        if shared:
            asked = asked + [replace(head) for head in asked]
        parameters = {
            "key": [head.key for head in asked],
            "key_strength": [head.key_strength for head in asked],
            "interpolation_gate": [head.interpolation_gate for head in asked],
            "shift_weighting": [[head.shift[offset] for offset in config.shifts] for head in asked],
            "sharpening": [head.sharpening for head in asked],
        }
        return asked, erases, adds, parameters


def as_sequence(inputs: torch.Tensor) -> Matrix:
    """The rows of a (step, channel) tensor as Python floats."""
    rows: Matrix = inputs.tolist()
    return rows
