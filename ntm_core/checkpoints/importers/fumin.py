"""Importer of fumin/ntm, a Go program: one list of numbers, in which neither names nor sizes are written."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ntm_core.checkpoints.importers import assembly
from ntm_core.checkpoints.importers.candidate import Candidate, Question
from ntm_core.checkpoints.importers.contents import Array, Contents
from ntm_core.checkpoints.importers.encodings import Encoding, copy_layout, encodings, repeat_layout
from ntm_core.checkpoints.importers.importer import Answers
from ntm_core.checkpoints.importers.tables import Linear
from ntm_core.config import MachineConfig
from ntm_core.errors import CheckpointError


class Sizes(NamedTuple):
    """The sizes that fix the length of the list."""

    input_size: int
    output_size: int
    controller_size: int
    heads: int
    memory_size: int
    word_size: int

    @property
    def head_rows(self) -> int:
        """Raw parameters of one head."""
        return 3 * self.word_size + 4

    @property
    def numbers(self) -> int:
        """The length of the list."""
        hidden = self.controller_size * (self.heads * self.word_size + self.input_size + 1)
        spoken = (self.output_size + self.heads * self.head_rows) * (self.controller_size + 1)
        return hidden + spoken + self.heads * self.memory_size + self.memory_size * self.word_size

    def __str__(self) -> str:
        return (
            f"{self.input_size} inputs, {self.output_size} outputs, {self.controller_size} units, {self.heads} heads, "
            f"{self.memory_size} locations of {self.word_size} cells"
        )


_POEM = Sizes(3003, 3002, 512, 8, 128, 32)

_OWN = (Sizes(10, 8, 100, 1, 128, 20), Sizes(10, 7, 100, 2, 128, 20), Sizes(1, 1, 100, 1, 128, 20), _POEM)
"""Of the program's four tasks: copy, repeat copy, N-grams and poem."""

_TEXTS = {
    "input_size": "the number of input channels",
    "output_size": "the number of output channels",
    "controller_size": "the units of the hidden layer",
    "heads": "the number of heads, each of which reads and writes",
    "memory_size": "the number of memory locations",
    "word_size": "the cells of a location",
}


class Fumin:
    """A feed-forward controller and heads that both read and write; M_0 and w_0 are learned."""

    name = "fumin"
    title = "fumin/ntm"

    def likeness(self, contents: Contents) -> tuple[float, tuple[str, ...]]:
        """1 for a JSON text that is one list of numbers."""
        found = contents.kind == "json" and contents.vector is not None
        return (1.0, ()) if found else (0.0, ("a JSON text that is one list of numbers",))

    def questions(self, contents: Contents) -> tuple[Question, ...]:
        """All sizes; those of one of the program's own tasks are the defaults if the length is theirs."""
        own = _preset(len(_vector(contents)))
        defaults = own._asdict() if own else {}
        return tuple(
            Question(name, f"{text}, which the file does not tell", defaults.get(name)) for name, text in _TEXTS.items()
        )

    def candidates(self, contents: Contents, answers: Answers) -> tuple[Candidate, ...]:
        """The one machine that the sizes describe."""
        vector = _vector(contents)
        sizes = Sizes(*(question.answer(answers) for question in self.questions(contents)))
        if sizes.numbers != len(vector):
            raise CheckpointError(f"the file holds {len(vector)} numbers, but {sizes} make {sizes.numbers}")
        config = MachineConfig.make(
            input_size=sizes.input_size,
            output_size=sizes.output_size,
            memory_size=sizes.memory_size,
            word_size=sizes.word_size,
            read_heads=sizes.heads,
            write_heads=sizes.heads,
            controller="feedforward",
            controller_size=sizes.controller_size,
            controller_activation="sigmoid",
            head_roles="read_and_write",
            output_input="hidden",
            output_activation="softmax" if sizes == _POEM else "sigmoid",
            similarity_epsilon=1e-20,
            initial_memory="learned",
            initial_weighting="learned",
            initial_read="from_memory",
            key_strength_activation="exp",
            shift_kernel="fractional",
            add_activation="sigmoid",
            clip=None,
        )
        return (
            Candidate(
                "only",
                "the program as published",
                config,
                _tensors(vector, sizes),
                _encodings(sizes),
                inferred=(f"{len(vector)} numbers, as {sizes} make",),
                assumed=(
                    f"{sizes}, of which the file only tells the total",
                    "all activations",
                    f"a {config.output_activation} at the output",
                    "no ε anywhere: where its program would divide by a zero norm, the similarity here is 0",
                ),
            ),
        )


def _vector(contents: Contents) -> Array:
    if contents.vector is None:
        raise CheckpointError("the file is not one list of numbers")
    return contents.vector.astype(np.float64)


def _preset(numbers: int) -> Sizes | None:
    """The sizes of the program's own tasks that make so many numbers; other sizes may make as many."""
    return next((sizes for sizes in _OWN if sizes.numbers == numbers), None)


def _tensors(vector: Array, sizes: Sizes) -> Mapping[str, Array]:
    inputs, outputs, hidden, heads, memory_size, word = sizes
    shapes = (
        (hidden, heads * word + inputs + 1),
        (outputs + heads * sizes.head_rows, hidden + 1),
        (heads, memory_size),
        (memory_size, word),
    )
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    first, second, logits, memory = (
        part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), shapes, strict=True)
    )
    reads, shown, bias = first[:, : heads * word], first[:, heads * word : -1], first[:, -1]
    spoken = Linear(second[:, :-1], second[:, -1])
    output, *blocks = spoken.split(outputs, *[sizes.head_rows] * heads)
    addressing, writing = zip(*(_head(block, word) for block in blocks), strict=True)
    return {
        "controller.layers.0.weight": np.concatenate([shown, reads], 1),
        "controller.layers.0.bias": bias,
        "initial.weighting_logits": logits,
        "initial.memory_value": memory,
        **assembly.head_tensors(addressing, writing),
        **assembly.output_tensors(output),
    }


def _head(block: Linear, word: int) -> tuple[Linear, Linear]:
    """One head's addressing and writing. Its shift is 2σ(x) - 1 = tanh(x/2) locations towards lower indices."""
    erase, add, key, strength, gate, shift, sharpening = block.split(word, word, word, 1, 1, 1, 1)
    return assembly.addressing(key, strength, gate, shift.scaled(-0.5), sharpening), assembly.writing(erase, add)


def _encodings(sizes: Sizes) -> tuple[Encoding, ...]:
    match sizes.input_size - sizes.output_size:
        case 2:
            return encodings({"copy_with_start_and_end": copy_layout("start_and_end", sizes.output_size, 20)})
        case 3:
            return encodings({"repeat_copy_with_binary_count": repeat_layout("binary_count", sizes.output_size - 1)})
        case 0 if sizes.output_size == 1:
            return encodings({"dynamic_ngrams": {"name": "dynamic_ngrams", "context": 5, "length": 200}})
    return ()
