"""Importer of vlgiitr/ntm-pytorch: heads that hear the LSTM's cell, and write without an erase vector of their own."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ntm_core.checkpoints.containers.container import Record
from ntm_core.checkpoints.importers import assembly
from ntm_core.checkpoints.importers.candidate import Candidate
from ntm_core.checkpoints.importers.contents import Array, Contents
from ntm_core.checkpoints.importers.encodings import Encoding, copy_layout, encodings, repeat_layout
from ntm_core.checkpoints.importers.importer import Answers, KeyedImporter
from ntm_core.checkpoints.importers.tables import Table, indices
from ntm_core.config import HeadKind, MachineConfig
from ntm_core.errors import CheckpointError

_MODES: dict[str, HeadKind] = {"r": "read", "w": "write"}
"""What a head of a pickled module calls what it does."""

_WRITING = ("write_data", "erase_weight")
"""The layers of a head that writes."""

_UNTRAINED = 1.4 * 6**0.5
"""Times 1 / √(H + W): the largest weight of a layer that was never trained."""


class Vlgiitr(KeyedImporter):
    """An LSTM cell and pairs of a read and a write head, each with one layer a parameter; M_0 is learned."""

    name = "vlgiitr"
    title = "vlgiitr/ntm-pytorch"
    signature = (
        r"heads\.0\.key_fc\.weight",
        r"memory\.memory_bias_fc\.bias",
        r"controller\.controller_net\.weight_ih",
        r"controller\.out_net\.weight",
        r"controller\.h_bias_fc\.bias",
        r"controller\.c_bias_fc\.bias",
    )

    def candidates(self, contents: Contents, _answers: Answers) -> tuple[Candidate, ...]:
        """The one machine that the shapes describe."""
        table = self.table(contents)
        heads, said = indices(table.tensors, r"heads\.(\d{1,6})\."), _modes(contents.root)
        if said is None and heads % 2:
            raise CheckpointError(f"the file has {heads} heads: they must be pairs of a read and a write head")
        if said is not None and (len(said) != heads or len(set(said)) != 2):
            raise CheckpointError(f"the heads are {', '.join(said)}: there must be {heads}, of both kinds")
        kinds = said or ("read", "write") * (heads // 2)
        reads = kinds.count("read")
        size = table.take("controller.controller_net.weight_hh", None, None).shape[1]
        word = table.take("heads.0.key_fc.weight", None, size).shape[0]
        cells = table.take("memory.memory_bias_fc.bias", None)
        if len(cells) % word:
            raise CheckpointError(
                f"memory_bias_fc.bias has {len(cells)} cells: not a multiple of {word}, the word size"
            )
        width = table.take("controller.controller_net.weight_ih", 4 * size, None).shape[1]
        output = table.linear("controller.out_net", None, size + reads * word)
        erases = any(".erase_weight_fc." in name for name in table.tensors)
        config = MachineConfig.make(
            input_size=width - reads * word,
            output_size=output.outputs,
            memory_size=len(cells) // word,
            word_size=word,
            controller_size=size,
            head_input="cell",
            initial_memory="learned_sigmoid",
            initial_weighting="zeros",
            initial_read="fresh_uniform",
            sharpening_epsilon=1e-16,
            erase_activation="sigmoid" if erases else "ones",
            clip=None,
            **assembly.head_order(kinds),
        )
        tensors = {
            "initial.memory_value": cells.reshape(config.memory_size, word),
            **assembly.lstm_layer(table, "controller.controller_net.{}", 0, width, size),
            **{
                f"controller.initial_{ours}": table.take(f"controller.{theirs}_bias_fc.bias", size)[None]
                for ours, theirs in (("hidden", "h"), ("cell", "c"))
            },
            **_heads(table, kinds, word, size, erases=erases),
            **assembly.output_tensors(output),
        }
        return (
            Candidate(
                "only",
                "code since July 2018",
                config,
                tensors,
                _encodings(config.input_size, config.output_size),
                inferred=(
                    f"{config.memory_size} locations of {word} cells, from memory_bias_fc and key_fc",
                    f"{reads} read and {heads - reads} write heads, an LSTM of {size} units",
                    *(() if said is None else (f"heads in the order {', '.join(said)}, as the pickled module says",)),
                    f"{config.input_size} input and {config.output_size} output channels",
                ),
                assumed=(
                    *(("heads in turn: read, write, read, write and so on",) if said is None else ()),
                    "all activations",
                    "r_0 is drawn anew for each episode within ±√(6/W), as its program does",
                ),
                warnings=(*(() if said else _doubts(table, kinds, word, size)), *_unused(table, kinds)),
            ),
        )


def _heads(table: Table, kinds: tuple[HeadKind, ...], word: int, size: int, *, erases: bool) -> dict[str, Array]:
    addressing: dict[HeadKind, list[Any]] = {"read": [], "write": []}
    writing = []
    for head, kind in enumerate(kinds):
        before = f"heads.{head}"
        addressing[kind].append(
            assembly.addressing(
                table.linear(f"{before}.key_fc", word, size),
                table.linear(f"{before}.key_strength_fc", 1, size),
                table.linear(f"{before}.interpolation_gate_fc", 1, size),
                table.linear(f"{before}.shift_weighting_fc", 3, size).reversed(),
                table.linear(f"{before}.sharpen_factor_fc", 1, size),
            )
        )
        if kind == "write":
            erase = table.linear(f"{before}.erase_weight_fc", word, size) if erases else None
            writing.append(assembly.writing(erase, table.linear(f"{before}.write_data_fc", word, size)))
    return assembly.head_tensors([*addressing["read"], *addressing["write"]], writing)


def _modes(root: Any, depth: int = 6) -> tuple[HeadKind, ...] | None:
    """What each head of a pickled module says that it does; None where nobody says so, as in a state dict."""
    inside = root.fields.get("_modules") if isinstance(root, Record) else root
    if not isinstance(inside, Mapping) or not depth:
        return None
    heads = inside.get("heads")
    listed = heads.fields.get("_modules") if isinstance(heads, Record) else None
    if isinstance(listed, Mapping):
        modes = [head.fields.get("mode") if isinstance(head, Record) else None for head in listed.values()]
        known = [_MODES[mode] for mode in modes if isinstance(mode, str) and mode in _MODES]
        return tuple(known) if known and len(known) == len(modes) else None
    return next((found for each in inside.values() if (found := _modes(each, depth - 1))), None)


def _unused(table: Table, kinds: tuple[HeadKind, ...]) -> tuple[str, ...]:
    """The tensors that no machine of this program reads; heads that read have layers for writing too."""
    spare = [f"heads.{head}.{name}_fc." for head, kind in enumerate(kinds) if kind == "read" for name in _WRITING]
    return tuple(
        f"tensor {name!r} plays no part"
        for name in table.left
        if not name.startswith(tuple(spare)) and not re.fullmatch(r".*\w_bias_fc\.(weight|bias)", name)
    )


def _doubts(table: Table, kinds: tuple[HeadKind, ...], word: int, size: int) -> tuple[str, ...]:
    """Signs that a head which is taken to read was trained to write."""
    bound = _UNTRAINED / (size + word) ** 0.5 * (1 + 1e-5)
    return tuple(
        f"heads.{head}.write_data_fc has a weight of {largest:.3g}, beyond the {bound:.3g} of an untrained layer: "
        "this head may write, and not read"
        for head, kind in enumerate(kinds)
        if kind == "read" and f"heads.{head}.write_data_fc.weight" in table
        for largest in [float(np.abs(table.take(f"heads.{head}.write_data_fc.weight", word, size)).max())]
        if largest > bound
    )


def _encodings(inputs: int, outputs: int) -> tuple[Encoding, ...]:
    """The repository's four tasks, told apart by how many more inputs than outputs there are."""
    if inputs == outputs + 1:
        repeat = repeat_layout("start_and_count", outputs - 1, 9, count_mean=4.5)
        sort = {"name": "column_sort", "bits": outputs}
        return encodings({"repeat_copy_with_start": repeat, "column_sort": sort})[:: 1 if outputs == 9 else -1]
    if inputs == outputs + 2:
        recall = {"name": "associative_recall", "bits": outputs, "item_length": 3, "items": (2, 5)}
        copy = copy_layout("start_and_end", outputs, 19)
        found = encodings({"associative_recall": recall, "copy_with_start_and_end": copy})
        return found[:: 1 if outputs == 6 else -1]
    return ()
