"""Importer of clemkoa/ntm: one read and one write head over learned or random initial states, in three layouts."""

from typing import Any

import numpy as np

from ntm_core.checkpoints.importers import assembly
from ntm_core.checkpoints.importers.candidate import Candidate
from ntm_core.checkpoints.importers.contents import Array, Contents
from ntm_core.checkpoints.importers.encodings import Encoding, encodings, repeat_layout
from ntm_core.checkpoints.importers.importer import Answers, KeyedImporter
from ntm_core.checkpoints.importers.tables import Table
from ntm_core.config import MachineConfig

SHARED, OWN = "shared_previous", "own_previous"

_TITLES = {
    SHARED: "code before June 2021: the write head interpolates with the read head's previous weighting",
    OWN: "code since June 2021: the write head interpolates with its own previous weighting",
}

_UNTRAINED_SPREAD = 3e-5
"""The write head's w_0 logits are drawn with a spread of 1e-5, and stay so if nothing ever trains them."""


class Clemkoa(KeyedImporter):
    """An LSTM or two feed-forward layers, and a head of each kind with one layer a parameter."""

    name = "clemkoa"
    title = "clemkoa/ntm"
    signature = (
        r"read_head\.k_layer\.weight",
        r"write_head\.e_layer\.weight",
        r"memory\.initial_read",
        r"memory\.(initial|intial)_state",
        r"controller\._controller\.(layer\.weight_ih_l0|layer_1\.weight)",
        r"fc\.weight",
    )

    def candidates(self, contents: Contents, _answers: Answers) -> tuple[Candidate, ...]:
        """One machine for each previous weighting that the write head may use: the fingerprint tells the likelier."""
        table = self.table(contents)
        choices, tensors, inferred = _read(table)
        order, evidence = _likelier(table)
        warnings = tuple(f"tensor {name!r} plays no part" for name in table.left if "_initial_state" not in name)
        return tuple(
            Candidate(
                variant,
                _TITLES[variant],
                MachineConfig.make(**choices, previous_weighting="read_head" if variant == SHARED else "own"),
                tensors,
                _encodings(choices["input_size"], choices["output_size"]),
                inferred=(*inferred, evidence),
                assumed=("all activations",),
                warnings=warnings,
            )
            for variant in order
        )


def _read(table: Table) -> tuple[dict[str, Any], dict[str, Array], tuple[str, ...]]:
    """The choices that all layouts share, the tensors, and what was inferred."""
    early = "memory.intial_state" in table
    name = "memory.intial_state" if early else "memory.initial_state"
    memory = table.take(name, None, None)
    memory_size, word = memory.shape
    read = table.take("memory.initial_read", 1, word)
    for head in ("read_head", "write_head"):
        for alias, array in ((name, memory), ("memory.initial_read", read)):
            if f"{head}.{alias}" in table:
                table.same(alias, array, f"{head}.{alias}")
    controller, tensors = _controller(table, word)
    size = controller["controller_size"]
    output = table.linear("fc", None, size + word)
    tensors |= _heads(table, word, size) | assembly.output_tensors(output)
    tensors["initial.read_value"] = read
    choices: dict[str, Any] = {
        "output_size": output.outputs,
        "memory_size": memory_size,
        "word_size": word,
        "similarity_offset": 1e-16,
        "sharpening_epsilon": 1e-16,
        "clip": None,
        "initial_read": "random" if early else "learned",
        "initial_weighting": "learned" if _learns_weightings(table) else "zeros",
        **controller,
        **assembly.constant_or_given(memory),
    }
    if choices["initial_memory"] == "given":
        tensors["initial.memory_value"] = memory
    if choices["initial_weighting"] == "learned":
        logits = [table.take(f"{head}._initial_state", 1, memory_size) for head in ("read_head", "write_head")]
        tensors["initial.weighting_logits"] = np.concatenate(logits)
    inferred = (
        f"{memory_size} locations of {word} cells, from {name}",
        f"a controller of {size} units; {choices['input_size']} input and {output.outputs} output channels",
        "layout of before 23 May 2020" if early else "layout of 23 May 2020 or later",
    )
    return choices, tensors, inferred


def _controller(table: Table, word: int) -> tuple[dict[str, Any], dict[str, Array]]:
    before = "controller._controller"
    if f"{before}.layer_1.weight" in table:
        first = table.linear(f"{before}.layer_1")
        size, width = first.weight.shape
        second = table.linear(f"{before}.layer_2", size, size)
        tensors = {
            f"controller.layers.{index}.{part}": getattr(layer, part)
            for index, layer in enumerate((first, second))
            for part in ("weight", "bias")
        }
        kind = {"controller": "feedforward", "controller_layers": 2, "controller_activation": "relu"}
        return {**kind, "controller_size": size, "input_size": width - word}, tensors
    size = table.take(f"{before}.layer.weight_hh_l0", None, None).shape[1]
    width = table.take(f"{before}.layer.weight_ih_l0", 4 * size, None).shape[1]
    tensors = assembly.lstm_layer(table, f"{before}.layer.{{}}_l0", 0, width, size)
    for ours, theirs in (("hidden", "h"), ("cell", "c")):
        tensors[f"controller.initial_{ours}"] = table.take(f"{before}.lstm_{theirs}_state", 1, 1, size)[0]
    return {"controller": "lstm", "controller_size": size, "input_size": width - word}, tensors


def _heads(table: Table, word: int, size: int) -> dict[str, Array]:
    addressing = [
        assembly.addressing(
            table.linear(f"{head}.k_layer", word, size),
            table.linear(f"{head}.beta_layer", 1, size),
            table.linear(f"{head}.g_layer", 1, size),
            table.linear(f"{head}.s_layer", 3, size).reversed(),
            table.linear(f"{head}.gamma_layer", 1, size),
        )
        for head in ("read_head", "write_head")
    ]
    erase, add = (table.linear(f"write_head.{name}_layer", word, size) for name in ("e", "a"))
    return assembly.head_tensors(addressing, [assembly.writing(erase, add)])


def _likelier(table: Table) -> tuple[tuple[str, str], str]:
    """The variants, the likelier first, and why: a w_0 that no path leads to is never trained."""
    if not _learns_weightings(table):
        return (SHARED, OWN), "layouts without a learned w_0 are older than the write head's own previous weighting"
    spread = {
        head: float(np.std(table.tensors[f"{head}._initial_state"], dtype=np.float64))
        for head in ("read_head", "write_head")
    }
    shown = f"w_0 logits have a spread of {spread['write_head']:.2g} (write) and {spread['read_head']:.2g} (read)"
    if spread["write_head"] < _UNTRAINED_SPREAD and spread["read_head"] > 10 * _UNTRAINED_SPREAD:
        return (SHARED, OWN), f"{shown}: the write head's were never trained, so nothing used them"
    if max(spread.values()) <= _UNTRAINED_SPREAD:
        return (OWN, SHARED), f"{shown}: neither was trained, which tells nothing"
    return (OWN, SHARED), f"{shown}: both were trained"


def _learns_weightings(table: Table) -> bool:
    """Whether there is a w_0 of any head: then both must be there."""
    return any(f"{head}._initial_state" in table for head in ("read_head", "write_head"))


def _encodings(inputs: int, outputs: int) -> tuple[Encoding, ...]:
    """Both tasks have one channel more than outputs; repeat copy's last output is a flag."""
    if inputs != outputs + 1:
        return ()
    copy = {"name": "copy", "bits": outputs, "lengths": (1, 20)}
    repeat = repeat_layout("count_row", outputs - 1, count_mean=0, count_deviation=10)
    return encodings({"copy": copy, "repeat_copy_with_count_row": repeat})[:: -1 if outputs == 9 else 1]
