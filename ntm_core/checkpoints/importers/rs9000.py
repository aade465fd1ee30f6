"""Importer of rs9000/Neural-Turing-machine: two feed-forward layers; the file does not tell the memory's size.

For six minutes of its history the read head's gate was a softplus: weightings then become negative and the next power
of them not a number, so nothing can have been trained that way, and that variant is not offered.
"""

from ntm_core.checkpoints.importers import assembly
from ntm_core.checkpoints.importers.candidate import Candidate, Question
from ntm_core.checkpoints.importers.contents import Contents
from ntm_core.checkpoints.importers.encodings import copy_layout, encodings
from ntm_core.checkpoints.importers.importer import Answers, KeyedImporter
from ntm_core.checkpoints.importers.tables import Linear
from ntm_core.config import MachineConfig
from ntm_core.errors import CheckpointError

MEMORY_SIZE = Question(
    "memory_size", "N, the number of memory locations, which is not in the file (its program's default is 64)", 64
)


class Rs9000(KeyedImporter):
    """One read and one write head, each with one layer; M_0 and r_0 are drawn anew for each episode."""

    name = "rs9000"
    title = "rs9000/Neural-Turing-machine"
    signature = (
        r"read_head\.fc_read\.weight",
        r"write_head\.fc_write\.weight",
        r"controller\.fc1\.weight",
        r"controller\.fc2\.weight",
        r"fc_out\.weight",
    )

    def questions(self, _contents: Contents) -> tuple[Question, ...]:
        """N."""
        return (MEMORY_SIZE,)

    def candidates(self, contents: Contents, answers: Answers) -> tuple[Candidate, ...]:
        """The one machine that the shapes and N describe."""
        table = self.table(contents)
        first, second = table.linear("controller.fc1"), table.linear("controller.fc2")
        read = table.linear("read_head.fc_read", None, second.outputs)
        word = read.outputs - 6
        write = table.linear("write_head.fc_write", 3 * word + 6, second.outputs)
        inputs = first.weight.shape[1] - word
        if word < 1 or inputs < 1:
            raise CheckpointError(
                f"fc_read has {read.outputs} rows and fc1 {first.weight.shape[1]} columns: they must be W + 6 and I + W"
            )
        table.take("controller.fc2.weight", None, first.outputs)
        output = table.linear("fc_out", None, inputs + word)
        memory_size = MEMORY_SIZE.answer(answers)
        config = MachineConfig.make(
            input_size=inputs,
            output_size=output.outputs,
            memory_size=memory_size,
            word_size=word,
            controller="feedforward",
            controller_layers=2,
            controller_size=max(first.outputs, second.outputs),
            controller_layer_sizes=(first.outputs, second.outputs),
            controller_activation="sigmoid",
            output_input="input_and_reads",
            similarity_epsilon=1e-16,
            initial_memory="fresh_uniform",
            initial_weighting="zeros",
            initial_read="fresh_tanh_normal",
            key_activation="tanh",
            add_activation="tanh",
            sharpening_epsilon=1e-16,
            clip=None,
        )
        tensors = {
            **{f"controller.layers.{index}.weight": layer.weight for index, layer in enumerate((first, second))},
            **{f"controller.layers.{index}.bias": layer.bias for index, layer in enumerate((first, second))},
            **assembly.head_tensors([_addressing(read, word), _addressing(write, word)], [_writing(write, word)]),
            **assembly.output_tensors(output),
        }
        task = copy_layout("between_tokens", inputs, 3) | {"lengths": (3, 3)}
        return (
            Candidate(
                "only",
                "code since 5 May 2018",
                config,
                tensors,
                encodings({"copy_between_tokens": task}) if inputs == output.outputs and inputs > 1 else (),
                inferred=(
                    f"words of {word} cells, from fc_read; layers of {first.outputs} and {second.outputs} units",
                    f"{inputs} input and {output.outputs} output channels",
                ),
                assumed=(
                    f"{memory_size} memory locations",
                    "all activations",
                    "M_0 within ±1/√(N+W) and r_0 = tanh of a normal, drawn anew for each episode, as its program does",
                    "sequences of 3 vectors, the only length that the published file can do",
                ),
                warnings=tuple(f"tensor {name!r} plays no part" for name in table.left),
            ),
        )


def _addressing(layer: Linear, word: int) -> Linear:
    key, strength, gate, shift, sharpening = layer.rows(0, word + 6).split(word, 1, 1, 3, 1)
    return assembly.addressing(key, strength, gate, shift.reversed(), sharpening)


def _writing(layer: Linear, word: int) -> Linear:
    """The add vector stands before the erase vector."""
    add, erase = layer.rows(word + 6, 3 * word + 6).split(word, word)
    return assembly.writing(erase, add)
