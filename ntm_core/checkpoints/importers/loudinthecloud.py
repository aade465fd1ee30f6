"""Importer of loudinthecloud/pytorch-ntm: one layout of keys for several periods of code that compute differently."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ntm_core.checkpoints.importers import assembly
from ntm_core.checkpoints.importers.candidate import Candidate
from ntm_core.checkpoints.importers.contents import Array, Contents
from ntm_core.checkpoints.importers.encodings import Encoding, encodings, repeat_layout
from ntm_core.checkpoints.importers.importer import Answers, KeyedImporter
from ntm_core.checkpoints.importers.tables import Linear, Table, indices
from ntm_core.config import HeadKind, MachineConfig
from ntm_core.errors import CheckpointError

CURRENT, EARLY, SOFTPLUS, WINDOW = "current", "relu", "softplus_shift", "batch_softmax"

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    CURRENT: ("code since 26 March 2018", {}),
    EARLY: (
        "code before 7 October 2017, relu everywhere",
        {
            "key_activation": "relu",
            "key_strength_activation": "relu",
            "shift_kernel": "softmax_of_relu",
            "sharpening_activation": "relu",
            "erase_activation": "relu",
            "add_activation": "relu",
        },
    ),
    SOFTPLUS: ("code of 7 October 2017 to 26 March 2018", {"shift_kernel": "softmax_of_softplus"}),
    WINDOW: (
        "code of 8 February to 17 March 2018, whose softmax ran over the batch",
        {"shift_kernel": "ones", "content_softmax": "each_location"},
    ),
}
"""Title, and the choices in which a period differs from the current code."""

_FIRST_REBUILDER = "torch._utils._rebuild_tensor"
"""What torch before 0.4, of April 2018, writes for a tensor: such a file is older than the current code."""


class Loudinthecloud(KeyedImporter):
    """An LSTM whose heads each have one linear layer; M_0 and r_0 are frozen numbers in the file."""

    name = "loudinthecloud"
    title = "loudinthecloud/pytorch-ntm"
    signature = (
        r"heads\.0\.fc_(read|write)\.weight",
        r"controller\.lstm\.weight_ih_l0",
        r"memory\.mem_bias",
        r"read0_bias",
        r"fc\.weight",
    )

    def likeness(self, contents: Contents) -> tuple[float, tuple[str, ...]]:
        """As of any; the memory may be known by another of its names."""
        share, missing = super().likeness(contents)
        if missing == ("memory.mem_bias",) and "memory.mem_bias" in self.table(contents):
            return 1.0, ()
        return share, missing

    def table(self, contents: Contents) -> Table:
        """The model's tensors; the memory, which heads and the module around them share, also by a name of theirs.

        A file in which each tensor stands once, such as those of safetensors' `save_model`, has it by one of its names.
        """
        table = super().table(contents)
        if "memory.mem_bias" in table:
            return table
        around = (contents.prefix(self.signature[0]) or "").removesuffix("ntm.")
        aliases = (name for name in table.tensors if re.fullmatch(r"heads\.\d+\.memory\.mem_bias", name))
        memory = contents.tensors.get(f"{around}memory.mem_bias", table.tensors.get(next(aliases, "")))
        return table if memory is None else Table({**table.tensors, "memory.mem_bias": memory})

    def candidates(self, contents: Contents, _answers: Answers) -> tuple[Candidate, ...]:
        """One machine a period of the code: the container tells which is the likeliest."""
        table = self.table(contents)
        choices, tensors, inferred = _read(table)
        old = _FIRST_REBUILDER in contents.rebuilders
        order = (EARLY, SOFTPLUS, CURRENT, WINDOW) if old else (CURRENT, EARLY, SOFTPLUS, WINDOW)
        written = "by torch before 0.4, so by code before April 2018" if old else "by torch 0.4 or later"
        return tuple(
            Candidate(
                variant,
                VARIANTS[variant][0],
                MachineConfig.make(**choices, **_differing(choices, VARIANTS[variant][1])),
                tensors,
                _encodings(choices["input_size"], choices["output_size"]),
                inferred=(*inferred, f"the file was written {written}"),
                assumed=(f"all activations: those of the {VARIANTS[variant][0]}",),
                warnings=tuple(f"tensor {name!r} plays no part" for name in table.left),
            )
            for variant in order
        )


def _differing(choices: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in variant.items() if name not in choices}


def _read(table: Table) -> tuple[dict[str, Any], dict[str, Array], tuple[str, ...]]:
    """The sizes and choices that all periods share, the tensors, and what was inferred."""
    memory = table.take("memory.mem_bias", None, None)
    memory_size, word = memory.shape
    kinds = _kinds(table)
    reads, writes = kinds.count("read"), kinds.count("write")
    if not reads or not writes:
        raise CheckpointError(f"the file has {reads} read and {writes} write heads: there must be one of each")
    layers = indices(table.tensors, r"controller\.lstm\.\w+_l(\d{1,6})$")
    size = table.take("controller.lstm.weight_hh_l0", None, None).shape[1]
    inputs = table.take("controller.lstm.weight_ih_l0", 4 * size, None).shape[1] - reads * word
    if inputs < 1:
        raise CheckpointError(
            f"the controller takes {inputs + reads * word} numbers: {reads} reads of {word} and inputs"
        )
    output = table.linear("fc", None, size + reads * word)
    tensors: dict[str, Array] = {"initial.memory_value": memory}
    for layer in range(layers):
        width = inputs + reads * word if layer == 0 else size
        tensors |= assembly.lstm_layer(table, f"controller.lstm.{{}}_l{layer}", layer, width, size)
    for ours, theirs in (("hidden", "h"), ("cell", "c")):
        state = table.take(f"controller.lstm_{theirs}_bias", layers, 1, size)
        tensors[f"controller.initial_{ours}"] = state[:, 0]
    tensors["initial.read_value"] = np.concatenate([table.take(f"read{j}_bias", 1, word) for j in range(reads)])
    tensors |= _heads(table, kinds, word, size) | assembly.output_tensors(output)
    for head in range(len(kinds)):
        if f"heads.{head}.memory.mem_bias" in table:
            table.same("memory.mem_bias", memory, f"heads.{head}.memory.mem_bias")
    bound = (memory_size + word) ** -0.5 * (1 + 1e-6)
    choices: dict[str, Any] = {
        "input_size": inputs,
        "output_size": output.outputs,
        "memory_size": memory_size,
        "word_size": word,
        "read_heads": reads,
        "write_heads": writes,
        "controller_size": size,
        "controller_layers": layers,
        "initial_memory": "random_uniform" if np.abs(memory).max() <= bound else "given",
        "initial_weighting": "zeros",
        "initial_read": "random",
        "similarity_offset": 1e-16,
        "sharpening_epsilon": 1e-16,
        "clip": None,
        **assembly.head_order(kinds),
    }
    inferred = (
        f"{memory_size} locations of {word} cells, from memory.mem_bias",
        f"heads in the order {', '.join(kinds)}",
        f"{layers} LSTM layers of {size} units; {inputs} input and {output.outputs} output channels",
    )
    return choices, tensors, inferred


def _kinds(table: Table) -> tuple[HeadKind, ...]:
    kinds: list[HeadKind] = []
    for head in range(indices(table.tensors, r"heads\.(\d{1,6})\.fc_")):
        said: list[HeadKind] = [
            kind
            for kind in ("read", "write")
            if any(f"heads.{head}.fc_{kind}.{part}" in table for part in ("weight", "bias"))
        ]
        if not said:
            raise CheckpointError(f"the file has a head {head + 1} or later, but tensor 'heads.{head}.fc_…' is missing")
        kinds += said[:1]
    return tuple(kinds)


def _heads(table: Table, kinds: tuple[HeadKind, ...], word: int, size: int) -> dict[str, Array]:
    addressing: dict[HeadKind, list[Linear]] = {"read": [], "write": []}
    writing = []
    for head, kind in enumerate(kinds):
        layer = table.linear(f"heads.{head}.fc_{kind}", word + 6 if kind == "read" else 3 * word + 6, size)
        key, strength, gate, shift, sharpening, rest = layer.split(word, 1, 1, 3, 1, layer.outputs - word - 6)
        addressing[kind].append(assembly.addressing(key, strength, gate, shift.reversed(), sharpening))
        if kind == "write":
            writing.append(assembly.writing(*rest.split(word, word)))
    return assembly.head_tensors([*addressing["read"], *addressing["write"]], writing)


def _encodings(inputs: int, outputs: int) -> tuple[Encoding, ...]:
    """Copy has one flag channel more than its outputs, and so has repeat copy, whose last output is a flag too."""
    if inputs != outputs + 1:
        return ()
    copy, repeat = {"name": "copy", "bits": outputs, "lengths": (1, 20)}, repeat_layout("count_row", outputs - 1)
    return encodings({"copy": copy, "repeat_copy_with_count_row": repeat})[:: -1 if outputs == 9 else 1]
