"""Importer of snipsco/ntm-lasagne: a list of arrays without names, read from their order and shapes.

Each step writes and reads with the weightings of the step before, then runs the controller, then addresses. Its own
float32 turns into NaN at the lengths it was trained on, so these machines run in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ntm_core.checkpoints.importers import assembly
from ntm_core.checkpoints.importers.candidate import Candidate, Question
from ntm_core.checkpoints.importers.contents import Array, Contents
from ntm_core.checkpoints.importers.encodings import Encoding, copy_layout, encodings, repeat_layout
from ntm_core.checkpoints.importers.importer import Answers
from ntm_core.checkpoints.importers.tables import Linear
from ntm_core.config import Controller, HeadKind, MachineConfig
from ntm_core.errors import CheckpointError

_GATES: dict[Controller, int] = {"feedforward": 1, "recurrent": 1, "gru": 3, "lstm": 4}
"""How many sums a controller forms in a step."""

_SHORTEST_LIST = 20

_ANSWERS = {
    "copy_with_end_marker": "copy",
    "reversed_copy_with_end_marker": "reversed",
    "upside_down_copy_with_end_marker": "upside_down",
    "sort_with_end_marker": "sorted",
}
"""The repository's copying tasks, and what each asks."""

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("relu keys and adds, as in all published models", {"key_activation": "relu", "add_activation": "relu"}),
    "clip": (
        "keys and adds clipped to [0, 1], the library's default",
        {"key_activation": "clip", "add_activation": "clip"},
    ),
}


@dataclass(frozen=True, eq=False)
class Head:
    """One head as found: its parts in our order, tap j of the shift moving the focus by j - (taps - 1) // 2."""

    kind: HeadKind
    addressing: tuple[Linear, Linear, Linear, Linear, Linear]
    writing: Linear | None
    weighting: Array


@dataclass(eq=False)
class Reader:
    """The arrays of the list, one after the other."""

    arrays: Sequence[Array]
    position: int = 0

    @property
    def left(self) -> int:
        """How many arrays have not been taken."""
        return len(self.arrays) - self.position

    def fits(self, *shape: int | None, ahead: int = 0) -> bool:
        """Whether the next array, or one after it, has this shape; None stands for any size."""
        if self.left <= ahead:
            return False
        found = self.arrays[self.position + ahead].shape
        return len(found) == len(shape) and all(
            asked is None or asked == size for asked, size in zip(shape, found, strict=True)
        )

    def take(self, what: str, *shape: int | None) -> Array:
        """The next array; CheckpointError unless it has this shape."""
        if not self.fits(*shape):
            found = f"has shape {self.arrays[self.position].shape}" if self.left else "is missing"
            asked = ", ".join("any" if size is None else str(size) for size in shape)
            raise CheckpointError(f"array {self.position} ({what}) {found}: it must be ({asked})")
        if not self.arrays[self.position].size:
            raise CheckpointError(f"array {self.position} ({what}) holds no numbers")
        self.position += 1
        return self.arrays[self.position - 1].astype(np.float64)

    def linear(self, what: str, inputs: int, outputs: int | None, *, stacked: bool = False) -> Linear:
        """The next two arrays as a layer; `stacked` ones have an axis of length 1 before their own."""
        lead = (1,) if stacked else ()
        weight = self.take(what, *lead, inputs, outputs)
        bias = self.take(f"{what} bias", *lead, weight.shape[-1])
        return Linear(weight.reshape(weight.shape[-2:]).T, bias.reshape(-1))


@dataclass(frozen=True, eq=False)
class Model:
    """Everything that the list holds."""

    controller: Controller
    hidden: Array
    cell: Array | None
    sums: tuple[tuple[Linear, ...], ...]
    memory: Array
    heads: tuple[Head, ...]
    output: Linear
    layout: str = field(default="0.1")

    def of(self, kind: HeadKind) -> list[Head]:
        """The heads of a kind, in the order of the list."""
        return [head for head in self.heads if head.kind == kind]


class Lasagne:
    """A dense, recurrent, GRU or LSTM controller; M_0, w_0 and h_0 are frozen numbers in the file."""

    name = "lasagne"
    title = "snipsco/ntm-lasagne"

    def likeness(self, contents: Contents) -> tuple[float, tuple[str, ...]]:
        """1 for a list of arrays that begins as these do: a row h_0, then the controller's first matrix or row."""
        arrays = contents.arrays
        missing = []
        if len(arrays) < _SHORTEST_LIST:
            missing.append(f"a list of at least {_SHORTEST_LIST} arrays without names")
        if not arrays or arrays[0].ndim != 2 or len(arrays[0]) != 1:
            missing.append("a first array h_0 of shape (1, units)")
        return 1 - len(missing) / 2, tuple(missing)

    def questions(self, _contents: Contents) -> tuple[Question, ...]:
        """Nothing: order and shapes tell all."""
        return ()

    def candidates(self, contents: Contents, _answers: Answers) -> tuple[Candidate, ...]:
        """One machine for each nonlinearity of keys and adds, which no file tells."""
        model = _model(contents.arrays)
        choices, tensors = _machine(model)
        inferred = (
            f"{choices['memory_size']} locations of {choices['word_size']} cells, from the array M_0",
            f"a {model.controller} controller of {choices['controller_size']} units",
            f"heads in the order {', '.join(head.kind for head in model.heads)}, in layout {model.layout}",
            f"{choices['input_size']} input and {choices['output_size']} output channels",
        )
        assumed = (
            "hard sigmoid gates and erases, relu key strengths, sharpening 1 + relu, softmax shifts",
            "a shift that loses what leaves the edge; 1e-6 in the similarity's root and before the sharpening's power",
            "heads that act one step after they address",
        )
        return tuple(
            Candidate(
                variant,
                title,
                MachineConfig.make(**choices, **differing),
                tensors,
                _encodings(choices["input_size"], choices["output_size"]),
                inferred=inferred,
                assumed=(title, *assumed),
            )
            for variant, (title, differing) in VARIANTS.items()
        )


def _model(arrays: Sequence[Array]) -> Model:
    """The model in a list; CheckpointError with what hindered each kind of controller, if none fits."""
    hindrances = []
    for kind in _GATES:
        try:
            return _model_with(kind, arrays)
        except CheckpointError as error:
            hindrances.append(f"as {kind} {error}")
    raise CheckpointError(f"the list of {len(arrays)} arrays fits no controller: {'; '.join(hindrances)}")


def _model_with(kind: Controller, arrays: Sequence[Array]) -> Model:
    reader = Reader(arrays)
    hidden = reader.take("h_0", 1, None)
    size = hidden.shape[1]
    cell = reader.take("c_0", 1, size) if kind == "lstm" else None
    parts = ("inputs", "reads") if kind == "feedforward" else ("inputs", "reads", "hidden")
    sums = tuple(tuple(_part(reader, part, size) for part in parts) for _ in range(_GATES[kind]))
    memory = reader.take("M_0", None, None)
    memory_size, word = memory.shape
    stacked = reader.fits(1, size, word)
    heads = []
    while reader.left > 2:
        heads.append(_head(reader, size, memory_size, word, stacked=stacked))
    output = reader.linear("output", size, None)
    model = Model(kind, hidden, cell, sums, memory, tuple(heads), output, "0.2" if stacked else "0.1")
    width = sums[0][0].weight.shape[1]
    for gate in sums:
        found = tuple(part.weight.shape[1] for part in gate[:2])
        if found != (width, len(model.of("read")) * word):
            raise CheckpointError(
                f"the controller takes {found[0]} inputs and {found[1]} reads: it must be {width} and "
                f"{len(model.of('read'))} reads of {word}"
            )
    if not model.of("read") or not model.of("write"):
        raise CheckpointError("the list must hold at least one read and one write head")
    return model


def _part(reader: Reader, part: str, size: int) -> Linear:
    """One summand of a controller's sum. Matrices are (input, unit)."""
    weight = reader.take(f"controller's {part}", size if part == "hidden" else None, size)
    return Linear(weight.T, reader.take(f"controller's {part} bias", size))


def _head(reader: Reader, size: int, memory_size: int, word: int, *, stacked: bool) -> Head:
    weighting = None if stacked else reader.take("w_0", 1, memory_size)
    if not stacked and reader.fits(size, word) and reader.fits(size, word, ahead=2):
        raise CheckpointError(
            f"array {reader.position} is the sign of a key, an option of layout 0.1 that no published file uses: "
            "this version does not compute it"
        )
    key, strength, gate = (
        reader.linear(name, size, width, stacked=stacked) for name, width in (("key", word), ("β", 1), ("gate", 1))
    )
    shift = reader.linear("shift", size, None, stacked=stacked)
    sharpening = reader.linear("γ", size, 1, stacked=stacked)
    if weighting is None:
        weighting = reader.take("w_0", 1, memory_size)
    lead = (1,) if stacked else ()
    writing = None
    if reader.left >= 6 and reader.fits(*lead, size, word) and reader.fits(*lead, size, word, ahead=2):
        erase, add = (reader.linear(name, size, word, stacked=stacked) for name in ("erase", "add"))
        writing = assembly.writing(erase, add)
    parts = (key, strength, gate, _odd(shift), sharpening)
    return Head("read" if writing is None else "write", parts, writing, weighting)


def _odd(shift: Linear) -> Linear:
    """A shift of an odd number of taps, the middle one for no shift: tap q is for the offset q - (taps - 1) // 2.

    An even number gets one more tap at the lower end, whose softmax is exactly 0.
    """
    if shift.outputs % 2:
        return shift
    never = Linear.zeros(1, shift)
    never.bias[:] = -1e30
    return Linear.stack([never, shift])


def _machine(model: Model) -> tuple[dict[str, Any], dict[str, Array]]:
    """The choices that all variants share, and the tensors."""
    reads, writes = model.of("read"), model.of("write")
    heads = [*reads, *writes]
    taps = {head.addressing[3].outputs for head in heads}
    if len(taps) > 1:
        raise CheckpointError(f"the heads have {sorted(taps)} shift taps: all must have the same number")
    if min(taps) < 3:
        raise CheckpointError(f"the heads have {min(taps)} shift tap: there must be at least 2")
    memory_size, word = model.memory.shape
    weighting = np.concatenate([head.weighting for head in heads])
    one_hot = np.array_equal(weighting, np.eye(1, memory_size).repeat(len(heads), 0))
    shares_softmax = model.layout == "0.2" and max(len(reads), len(writes)) > 1
    choices: dict[str, Any] = {
        "input_size": model.sums[0][0].weight.shape[1],
        "output_size": model.output.outputs,
        "memory_size": memory_size,
        "word_size": word,
        "read_heads": len(reads),
        "write_heads": len(writes),
        "shift_range": (taps.pop() - 1) // 2,
        "controller": model.controller,
        "controller_size": model.hidden.shape[1],
        "controller_activation": "relu",
        "gru_reset_gate": "before_product" if model.controller == "gru" else "after_product",
        "output_input": "hidden",
        "similarity_epsilon": 1e-6,
        "similarity_epsilon_placement": "inside_root",
        "content_softmax": "heads_of_a_kind" if shares_softmax else "each_head",
        "initial_weighting": "one_hot" if one_hot else "given",
        "initial_read": "zeros",
        "initial_controller": "given",
        "key_strength_activation": "relu",
        "interpolation_gate_activation": "hard_sigmoid",
        "sharpening_activation": "relu",
        "sharpening_epsilon": 1e-6,
        "sharpening_epsilon_placement": "before_power",
        "erase_activation": "hard_sigmoid",
        "schedule": "address_last",
        "step_order": "write_then_read",
        "write_order": "erases_then_adds",
        "shift_edge": "zero_padded",
        "clip": None,
        **assembly.constant_or_given(model.memory),
    }
    tensors = {
        **_controller_tensors(model),
        **assembly.head_tensors(
            [assembly.addressing(*head.addressing) for head in heads],
            [head.writing for head in writes if head.writing is not None],
        ),
        **assembly.output_tensors(model.output),
    }
    if choices["initial_memory"] == "given":
        tensors["initial.memory_value"] = model.memory
    if not one_hot:
        tensors["initial.weighting_value"] = weighting
    return choices, tensors


def _controller_tensors(model: Model) -> dict[str, Array]:
    """The sums of inputs, reads and hidden state, in torch's order of the gates."""
    order = {"feedforward": (0,), "recurrent": (0,), "gru": (1, 0, 2), "lstm": (0, 1, 3, 2)}[model.controller]
    sums = [model.sums[gate] for gate in order]
    heard = [
        Linear(np.concatenate([inputs.weight, reads.weight], 1), inputs.bias + reads.bias) for inputs, reads, *_ in sums
    ]
    layer, before = Linear.stack(heard), "controller.layers.0"
    tensors = {"controller.initial_hidden": model.hidden}
    if model.cell is not None:
        tensors["controller.initial_cell"] = model.cell
    if model.controller == "feedforward":
        return {**tensors, f"{before}.weight": layer.weight, f"{before}.bias": layer.bias}
    recurrent = Linear.stack([gate[2] for gate in sums])
    return {
        **tensors,
        f"{before}.weight_ih": layer.weight,
        f"{before}.bias_ih": layer.bias,
        f"{before}.weight_hh": recurrent.weight,
        f"{before}.bias_hh": recurrent.bias,
    }


def _encodings(inputs: int, outputs: int) -> tuple[Encoding, ...]:
    """The repository's tasks: as many outputs as inputs, with one flag channel, with two, or with none."""
    if inputs != outputs:
        return ()
    if inputs == 1:
        return encodings({"dyck_words": {"name": "dyck_words"}})
    copies = {name: copy_layout("end_marker", inputs - 1, 5, answer) for name, answer in _ANSWERS.items()}
    unary = repeat_layout("unary_count", inputs - 2, lengths=(3, 5), repeats=(1, 5))
    flagged = {
        "associative_recall_with_varied_items": {"name": "recall_layout", "bits": inputs - 2},
        "repeat_copy_with_unary_count": unary,
    }
    return encodings({**flagged, **copies} if inputs == 10 else {**copies, **flagged})
