"""The public programs, simulated in plain numpy, each with random files in its own layout."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.core.importers.kernel import (
    Numbers,
    Run,
    Tensors,
    address,
    clamped_cosine,
    hard_sigmoid,
    locate,
    lstm,
    relu,
    sigmoid,
    softmax,
    softplus,
    torch_shifts,
)

Functions = Mapping[str, Callable[[Numbers], Numbers]]


def identity(x: Numbers) -> Numbers:
    return x


PLAIN: Functions = {
    "k": identity,
    "beta": softplus,
    "s": softmax,
    "gamma": softplus,
    "e": sigmoid,
    "a": identity,
}
EARLY: Functions = {
    "k": relu,
    "beta": relu,
    "s": lambda x: softmax(relu(x)),
    "gamma": relu,
    "e": relu,
    "a": relu,
}
SOFTPLUS_SHIFT: Functions = {**PLAIN, "s": lambda x: softmax(softplus(x))}
BATCH_SOFTMAX: Functions = {**PLAIN, "s": np.ones_like}


@dataclass(frozen=True)
class Drawn:
    """A source of random tensors."""

    random: np.random.RandomState

    def __call__(self, *shape: int, scale: float = 0.5) -> Numbers:
        return scale * self.random.standard_normal(shape)


def draw(seed: int = 0) -> Drawn:
    return Drawn(np.random.RandomState(seed))


# --- loudinthecloud -----------------------------------------------------------------------------------------------


def loudinthecloud_file(kinds: Sequence[str], layers: int, seed: int = 0) -> Tensors:
    make, reads, word, size, rows, inputs, outputs = draw(seed), list(kinds).count("read"), 4, 6, 7, 5, 3
    tensors: Tensors = {}
    for layer in range(layers):
        width = inputs + reads * word if layer == 0 else size
        tensors[f"ntm.controller.lstm.weight_ih_l{layer}"] = make(4 * size, width)
        tensors[f"ntm.controller.lstm.weight_hh_l{layer}"] = make(4 * size, size)
        tensors[f"ntm.controller.lstm.bias_ih_l{layer}"] = make(4 * size)
        tensors[f"ntm.controller.lstm.bias_hh_l{layer}"] = make(4 * size)
    tensors["ntm.controller.lstm_h_bias"] = make(layers, 1, size)
    tensors["ntm.controller.lstm_c_bias"] = make(layers, 1, size)
    tensors["ntm.memory.mem_bias"] = tensors["memory.mem_bias"] = make(rows, word)
    for index in range(reads):
        tensors[f"ntm.read{index}_bias"] = make(1, word)
    for index, kind in enumerate(kinds):
        tensors[f"ntm.heads.{index}.fc_{kind}.weight"] = make(word + 6 if kind == "read" else 3 * word + 6, size)
        tensors[f"ntm.heads.{index}.fc_{kind}.bias"] = make(word + 6 if kind == "read" else 3 * word + 6)
        tensors[f"ntm.heads.{index}.memory.mem_bias"] = tensors["memory.mem_bias"]
    tensors["ntm.fc.weight"], tensors["ntm.fc.bias"] = make(outputs, size + reads * word), make(outputs)
    return tensors


def run_loudinthecloud(
    tensors: Tensors, inputs: Numbers, act: Functions = PLAIN, *, content_is_one: bool = False
) -> Run:
    kinds: list[str] = []
    while any(f"ntm.heads.{len(kinds)}.fc_{kind}.weight" in tensors for kind in ("read", "write")):
        kinds.append("read" if f"ntm.heads.{len(kinds)}.fc_read.weight" in tensors else "write")
    memory, similarity = tensors["memory.mem_bias"].copy(), clamped_cosine(1e-8, 1e-16)
    word, layers = memory.shape[1], len(tensors["ntm.controller.lstm_h_bias"])
    reads = [tensors[f"ntm.read{index}_bias"][0] for index in range(kinds.count("read"))]
    hidden = [row[0] for row in tensors["ntm.controller.lstm_h_bias"]]
    cells = [row[0] for row in tensors["ntm.controller.lstm_c_bias"]]
    weightings = [np.zeros(len(memory)) for _ in kinds]
    run = Run()
    for x in inputs:
        heard = np.concatenate([x, *reads])
        for layer in range(layers):
            names = f"ntm.controller.lstm.{{}}_l{layer}"
            hidden[layer], cells[layer] = lstm(tensors, names, heard, hidden[layer], cells[layer])
            heard = hidden[layer]
        reads, counts = [], {"read": 0, "write": 0}
        for index, kind in enumerate(kinds):
            raw = tensors[f"ntm.heads.{index}.fc_{kind}.weight"] @ heard + tensors[f"ntm.heads.{index}.fc_{kind}.bias"]
            key = act["k"](raw[:word])
            strength, gate = float(act["beta"](raw[word])), float(sigmoid(raw[word + 1]))
            shifts = torch_shifts(act["s"](raw[word + 2 : word + 5]))
            sharpening = 1 + float(act["gamma"](raw[word + 5]))
            previous = weightings[index]
            if content_is_one:
                w = locate(np.ones(len(memory)), gate, shifts, sharpening, previous, normaliser=1e-16)
            else:
                alike = similarity(key, memory)
                w = address(alike, strength, gate, shifts, sharpening, previous, normaliser=1e-16)
            weightings[index] = run.weighting(f"{kind} {counts[kind]}", w)
            counts[kind] += 1
            if kind == "read":
                reads.append(w @ memory)
            else:
                erase, add = act["e"](raw[word + 6 : 2 * word + 6]), act["a"](raw[2 * word + 6 :])
                memory = memory * (1 - np.outer(w, erase)) + np.outer(w, add)
        run.memory.append(memory)
        run.outputs.append(sigmoid(tensors["ntm.fc.weight"] @ np.concatenate([heard, *reads]) + tensors["ntm.fc.bias"]))
    return run


# --- vlgiitr ------------------------------------------------------------------------------------------------------


def vlgiitr_file(pairs: int, seed: int = 0, *, erases: bool = False) -> Tensors:
    make, word, size, rows, inputs, outputs = draw(seed), 4, 6, 7, 5, 3
    tensors: Tensors = {
        "controller.controller_net.weight_ih": make(4 * size, inputs + pairs * word),
        "controller.controller_net.weight_hh": make(4 * size, size),
        "controller.controller_net.bias_ih": make(4 * size),
        "controller.controller_net.bias_hh": make(4 * size),
        "controller.out_net.weight": make(outputs, size + pairs * word),
        "controller.out_net.bias": make(outputs),
        "memory.memory_bias_fc.weight": make(rows * word, 1),
        "memory.memory_bias_fc.bias": make(rows * word),
    }
    for name in ("h", "c"):
        tensors[f"controller.{name}_bias_fc.weight"] = make(size, 1)
        tensors[f"controller.{name}_bias_fc.bias"] = make(size)
    layers = {"key": word, "key_strength": 1, "interpolation_gate": 1, "shift_weighting": 3, "sharpen_factor": 1}
    for head in range(2 * pairs):
        for name, outs in {**layers, "write_data": word, **({"erase_weight": word} if erases else {})}.items():
            tensors[f"heads.{head}.{name}_fc.weight"] = make(outs, size, scale=0.1)
            tensors[f"heads.{head}.{name}_fc.bias"] = make(outs)
    return tensors


def run_vlgiitr(tensors: Tensors, inputs: Numbers, reads: list[Numbers]) -> Run:
    pairs, word = len(reads), len(reads[0])
    memory = sigmoid(tensors["memory.memory_bias_fc.bias"]).reshape(-1, word)
    hidden, cell = (tensors[f"controller.{name}_bias_fc.bias"] for name in "hc")
    weightings = [np.zeros(len(memory)) for _ in range(2 * pairs)]
    similarity, run = clamped_cosine(1e-8), Run()
    for x in inputs:
        hidden, cell = lstm(tensors, "controller.controller_net.{}", np.concatenate([x, *reads]), hidden, cell)
        reads = []
        for head in range(2 * pairs):
            raw = {
                name: tensors[f"heads.{head}.{name}_fc.weight"] @ cell + tensors[f"heads.{head}.{name}_fc.bias"]
                for name in (
                    "key",
                    "key_strength",
                    "interpolation_gate",
                    "shift_weighting",
                    "sharpen_factor",
                    "write_data",
                )
            }
            w = address(
                similarity(raw["key"], memory),
                float(softplus(raw["key_strength"])[0]),
                float(sigmoid(raw["interpolation_gate"])[0]),
                torch_shifts(softmax(raw["shift_weighting"])),
                1 + float(softplus(raw["sharpen_factor"])[0]),
                weightings[head],
                normaliser=1e-16,
            )
            weightings[head] = run.weighting(f"{('read', 'write')[head % 2]} {head // 2}", w)
            if head % 2 == 0:
                reads.append(w @ memory)
                continue
            erase = np.ones(word)
            if f"heads.{head}.erase_weight_fc.weight" in tensors:
                before = f"heads.{head}.erase_weight_fc"
                erase = sigmoid(tensors[f"{before}.weight"] @ cell + tensors[f"{before}.bias"])
            memory = memory * (1 - np.outer(w, erase)) + np.outer(w, raw["write_data"])
        run.memory.append(memory)
        out = tensors["controller.out_net.weight"] @ np.concatenate([hidden, *reads])
        run.outputs.append(sigmoid(out + tensors["controller.out_net.bias"]))
    return run


# --- clemkoa ------------------------------------------------------------------------------------------------------


def clemkoa_file(*, early: bool = False, feedforward: bool = False, spread: float = 0.5, seed: int = 0) -> Tensors:
    make, word, size, rows, inputs, outputs = draw(seed), 4, 6, 7, 5, 4
    before, state = "controller._controller", "intial_state" if early else "initial_state"
    tensors: Tensors = {}
    if feedforward:
        for index, width in ((1, inputs + word), (2, size)):
            tensors[f"{before}.layer_{index}.weight"] = make(size, width)
            tensors[f"{before}.layer_{index}.bias"] = make(size)
    else:
        tensors |= {f"{before}.lstm_{name}_state": make(1, 1, size) for name in "hc"}
        tensors[f"{before}.layer.weight_ih_l0"] = make(4 * size, inputs + word)
        tensors[f"{before}.layer.weight_hh_l0"] = make(4 * size, size)
        tensors[f"{before}.layer.bias_ih_l0"] = make(4 * size)
        tensors[f"{before}.layer.bias_hh_l0"] = make(4 * size)
    memory = make(rows, word) if early else np.full((rows, word), 1e-6)
    read = make(1, word)
    for owner in ("memory", "read_head.memory", "write_head.memory"):
        tensors[f"{owner}.{state}"], tensors[f"{owner}.initial_read"] = memory, read
    for head in ("read_head", "write_head"):
        if not early:
            tensors[f"{head}._initial_state"] = make(1, rows, scale=1.0 if head == "read_head" else spread)
        for name, outs in {"k": word, "beta": 1, "g": 1, "s": 3, "gamma": 1, "e": word, "a": word}.items():
            if head == "write_head" or name not in "ea":
                tensors[f"{head}.{name}_layer.weight"] = make(outs, size)
                tensors[f"{head}.{name}_layer.bias"] = make(outs)
    tensors["fc.weight"], tensors["fc.bias"] = make(outputs, size + word), make(outputs)
    return tensors


def run_clemkoa(tensors: Tensors, inputs: Numbers, *, shared: bool) -> Run:
    early = "memory.intial_state" in tensors
    memory = tensors["memory.intial_state" if early else "memory.initial_state"].copy()
    read, before = tensors["memory.initial_read"][0], "controller._controller"
    heads = ("read_head", "write_head")
    previous = {
        head: np.zeros(len(memory)) if early else softmax(tensors[f"{head}._initial_state"][0]) for head in heads
    }
    recurrent = f"{before}.layer.weight_hh_l0" in tensors
    hidden, cell = (
        (tensors[f"{before}.lstm_{name}_state"][0, 0] for name in "hc") if recurrent else (np.zeros(1), np.zeros(1))
    )
    similarity, run = clamped_cosine(1e-8, 1e-16), Run()
    for x in inputs:
        heard = np.concatenate([x, read])
        if recurrent:
            hidden, cell = lstm(tensors, f"{before}.layer.{{}}_l0", heard, hidden, cell)
        else:
            hidden = heard
            for index in (1, 2):
                name = f"{before}.layer_{index}"
                hidden = relu(tensors[f"{name}.weight"] @ hidden + tensors[f"{name}.bias"])
        raw = {
            name.removesuffix("_layer.weight"): tensors[name] @ hidden + tensors[name.replace(".weight", ".bias")]
            for name in tensors
            if name.endswith("_layer.weight")
        }
        acting = {}
        for head in heads:
            acting[head] = address(
                similarity(raw[f"{head}.k"], memory),
                float(softplus(raw[f"{head}.beta"])[0]),
                float(sigmoid(raw[f"{head}.g"])[0]),
                torch_shifts(softmax(raw[f"{head}.s"])),
                1 + float(softplus(raw[f"{head}.gamma"])[0]),
                previous["read_head"] if shared else previous[head],
                normaliser=1e-16,
            )
        previous = acting
        run.weighting("read 0", acting["read_head"])
        w = run.weighting("write 0", acting["write_head"])
        read = acting["read_head"] @ memory
        memory = memory * (1 - np.outer(w, sigmoid(raw["write_head.e"]))) + np.outer(w, raw["write_head.a"])
        run.memory.append(memory)
        run.outputs.append(sigmoid(tensors["fc.weight"] @ np.concatenate([hidden, read]) + tensors["fc.bias"]))
    return run


# --- rs9000 -------------------------------------------------------------------------------------------------------


def rs9000_file(seed: int = 0) -> Tensors:
    make, word, sizes, channels = draw(seed), 4, (8, 6), 5
    shapes = {
        "controller.fc1": (sizes[0], channels + word),
        "controller.fc2": (sizes[1], sizes[0]),
        "read_head.fc_read": (word + 6, sizes[1]),
        "write_head.fc_write": (3 * word + 6, sizes[1]),
        "fc_out": (channels, channels + word),
    }
    tensors: Tensors = {}
    for name, shape in shapes.items():
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = make(*shape), make(shape[0])
    return tensors


def run_rs9000(tensors: Tensors, inputs: Numbers, memory: Numbers, read: Numbers) -> Run:
    def layer(name: str, x: Numbers) -> Numbers:
        return tensors[f"{name}.weight"] @ x + tensors[f"{name}.bias"]

    word, similarity, run = len(read), clamped_cosine(1e-16), Run()
    previous = {"read": np.zeros(len(memory)), "write": np.zeros(len(memory))}
    for x in inputs:
        heard = sigmoid(layer("controller.fc2", sigmoid(layer("controller.fc1", np.concatenate([x, read])))))
        raw = {"read": layer("read_head.fc_read", heard), "write": layer("write_head.fc_write", heard)}
        for kind, values in raw.items():
            previous[kind] = run.weighting(
                f"{kind} 0",
                address(
                    similarity(np.tanh(values[:word]), memory),
                    float(softplus(values[word])),
                    float(sigmoid(values[word + 1])),
                    torch_shifts(softmax(values[word + 2 : word + 5])),
                    1 + float(softplus(values[word + 5])),
                    previous[kind],
                    normaliser=1e-16,
                ),
            )
        read, w = previous["read"] @ memory, previous["write"]
        add, erase = np.tanh(raw["write"][word + 6 : 2 * word + 6]), sigmoid(raw["write"][2 * word + 6 :])
        memory = memory * (1 - np.outer(w, erase)) + np.outer(w, add)
        run.memory.append(memory)
        run.outputs.append(sigmoid(layer("fc_out", np.concatenate([x, read]))))
    return run


# --- lasagne ------------------------------------------------------------------------------------------------------

GATES = {"dense": 1, "recurrent": 1, "gru": 3, "lstm": 4}


def lasagne_file(
    controller: str, kinds: Sequence[str] = ("write", "read"), *, newer: bool = False, taps: int = 3, seed: int = 0
) -> list[Numbers]:
    make, word, size, rows, inputs, outputs = draw(seed), 4, 6, 7, 5, 3
    arrays = [make(1, size)]
    if controller == "lstm":
        arrays.append(make(1, size))
    for _ in range(GATES[controller]):
        arrays += [make(inputs, size), make(size), make(list(kinds).count("read") * word, size), make(size)]
        if controller != "dense":
            arrays += [make(size, size), make(size)]
    arrays.append(make(rows, word))
    lead = (1,) if newer else ()
    for kind in kinds:
        weighting = [np.abs(make(1, rows))]
        addressing = [make(*lead, *shape) for outs in (word, 1, 1, taps, 1) for shape in ((size, outs), (outs,))]
        writing = [make(*lead, *shape) for _ in range(2) for shape in ((size, word), (word,))]
        arrays += [*addressing, *weighting] if newer else [*weighting, *addressing]
        if kind == "write":
            arrays += writing
    return [*arrays, make(size, outputs), make(outputs)]


@dataclass(frozen=True)
class Layer:
    """A layer as this program multiplies: x W + b."""

    weight: Numbers
    bias: Numbers

    def __call__(self, x: Numbers) -> Numbers:
        return x @ self.weight + self.bias


@dataclass
class LasagneHead:
    kind: str
    layers: list[Layer]
    writing: list[Layer]
    weighting: Numbers


@dataclass
class LasagneController:
    kind: str
    gates: list[list[Layer]]
    hidden: Numbers
    cell: Numbers

    def step(self, x: Numbers, reads: Numbers) -> Numbers:
        def total(gate: int, state: Numbers) -> Numbers:
            return np.sum([part(value) for part, value in zip(self.gates[gate], (x, reads, state), strict=False)], 0)

        match self.kind:
            case "gru":
                update, reset = sigmoid(total(0, self.hidden)), sigmoid(total(1, self.hidden))
                candidate = np.tanh(total(2, self.hidden * reset))
                self.hidden = (1 - update) * candidate + update * self.hidden
            case "lstm":
                enter, forget, leave = (sigmoid(total(gate, self.hidden)) for gate in range(3))
                self.cell = forget * self.cell + enter * np.tanh(total(3, self.hidden))
                self.hidden = leave * np.tanh(self.cell)
            case _:
                self.hidden = relu(total(0, self.hidden))
        return self.hidden


def run_lasagne(
    arrays: list[Numbers],
    controller: str,
    kinds: Sequence[str],
    inputs: Numbers,
    vector: Callable[[Numbers], Numbers],
    *,
    newer: bool = False,
) -> Run:
    left = [array.reshape(array.shape[1:]) if array.ndim == 3 else array for array in arrays]
    take = left.pop

    def layers(count: int) -> list[Layer]:
        return [Layer(take(0), take(0).reshape(-1)) for _ in range(count)]

    hidden = take(0)[0]
    cell = take(0)[0] if controller == "lstm" else np.zeros(1)
    gates = [layers(2 if controller == "dense" else 3) for _ in range(GATES[controller])]
    net, memory, heads, run = LasagneController(controller, gates, hidden, cell), take(0).copy(), [], Run()
    for kind in kinds:
        early = None if newer else take(0)[0]
        addressing = layers(5)
        weighting = take(0)[0] if early is None else early
        heads.append(LasagneHead(kind, addressing, layers(2) if kind == "write" else [], weighting))
    (out,) = layers(1)
    for x in inputs:
        memory = _lasagne_write(memory, heads, net.hidden, vector)
        hidden = net.step(x, np.concatenate([head.weighting @ memory for head in heads if head.kind == "read"]))
        run.outputs.append(sigmoid(out(hidden)))
        run.memory.append(memory)
        _lasagne_address(run, memory, heads, hidden, vector, joint=newer)
    return run


def _lasagne_write(
    memory: Numbers, heads: list[LasagneHead], hidden: Numbers, vector: Callable[[Numbers], Numbers]
) -> Numbers:
    kept, added = np.ones_like(memory), np.zeros_like(memory)
    for head in heads:
        if head.kind == "write":
            kept *= 1 - np.outer(head.weighting, hard_sigmoid(head.writing[0](hidden)))
            added += np.outer(head.weighting, vector(head.writing[1](hidden)))
    return memory * kept + added


def _lasagne_address(
    run: Run,
    memory: Numbers,
    heads: list[LasagneHead],
    hidden: Numbers,
    vector: Callable[[Numbers], Numbers],
    *,
    joint: bool,
) -> None:
    for kind in ("read", "write"):
        members = [head for head in heads if head.kind == kind]
        raws = [[layer(hidden) for layer in head.layers] for head in members]
        scores = [_scores(vector(raw[0]), float(relu(raw[1])[0]), memory) for raw in raws]
        together = softmax(np.concatenate(scores)).reshape(len(members), -1)
        contents = together if joint else [softmax(score) for score in scores]
        for index, (head, raw, content) in enumerate(zip(members, raws, contents, strict=True)):
            first = (len(raw[3]) - 1) // 2
            shifts = {tap - first: float(share) for tap, share in enumerate(softmax(raw[3]))}
            gate, sharpening = float(hard_sigmoid(raw[2])[0]), 1 + float(relu(raw[4])[0])
            w = locate(content, gate, shifts, sharpening, head.weighting, circular=False, inside=1e-6)
            head.weighting = run.weighting(f"{kind} {index}", w)


def _scores(key: Numbers, strength: float, memory: Numbers) -> Numbers:
    return strength * (memory @ key) / np.sqrt((key @ key) * (memory**2).sum(1) + 1e-6)


# --- fumin --------------------------------------------------------------------------------------------------------


def fumin_length(inputs: int, outputs: int, size: int, heads: int, rows: int, word: int) -> int:
    first = size * (heads * word + inputs + 1)
    second = (outputs + heads * (3 * word + 4)) * (size + 1)
    return first + second + heads * rows + rows * word


def run_fumin(vector: Numbers, sizes: tuple[int, int, int, int, int, int], x_rows: Numbers) -> Run:
    inputs, outputs, size, heads, rows, word = sizes
    numbers = iter(vector)

    def matrix(height: int, width: int) -> Numbers:
        return np.array([[next(numbers) for _ in range(width)] for _ in range(height)])

    first = matrix(size, heads * word + inputs + 1)
    second = matrix(outputs + heads * (3 * word + 4), size + 1)
    weightings, memory = [softmax(row) for row in matrix(heads, rows)], matrix(rows, word)
    reads, run = [w @ memory for w in weightings], Run()
    for x in x_rows:
        hidden = sigmoid(first @ np.concatenate([*reads, x, [1.0]]))
        spoken = second @ np.append(hidden, 1.0)
        run.outputs.append(sigmoid(spoken[:outputs]))
        kept, added, old = np.ones_like(memory), np.zeros_like(memory), memory
        for head in range(heads):
            raw = spoken[outputs + head * (3 * word + 4) :][: 3 * word + 4]
            erase, add, key = sigmoid(raw[:word]), sigmoid(raw[word : 2 * word]), raw[2 * word : 3 * word]
            strength, gate, turn, sharp = raw[3 * word :]
            alike = (old @ key) / (np.linalg.norm(old, axis=1) * np.linalg.norm(key))
            xi = float(2 * sigmoid(turn) - 1)
            shifts = {0: 1 - abs(xi), (-1 if xi >= 0 else 1): abs(xi)}
            w = address(
                alike,
                float(np.exp(strength)),
                float(sigmoid(gate)),
                shifts,
                1 + float(softplus(sharp)),
                weightings[head],
            )
            weightings[head] = run.weighting(f"read {head}", w)
            run.weighting(f"write {head}", w)
            reads[head] = w @ old
            kept *= 1 - np.outer(w, erase)
            added += np.outer(w, add)
        memory = old * kept + added
        run.memory.append(memory)
    return run
