"""Importer of a plain state dict of our own `Machine`, saved with torch and without its config."""

from typing import Any

from ntm_core.checkpoints.importers.candidate import Candidate, Question
from ntm_core.checkpoints.importers.contents import Contents
from ntm_core.checkpoints.importers.encodings import Encoding, encodings
from ntm_core.checkpoints.importers.importer import Answers, KeyedImporter
from ntm_core.checkpoints.importers.tables import Table, indices
from ntm_core.config import Controller, MachineConfig
from ntm_core.errors import CheckpointError

_KINDS: dict[int, Controller] = {4: "lstm", 3: "gru", 1: "recurrent"}


class OwnStateDict(KeyedImporter):
    """Sizes come from the shapes; what shapes do not tell has our defaults. A config beside it in the file decides."""

    name = "own_state_dict"
    title = "a state dict of NTM Scope's own machine"
    signature = (
        r"controller\.layers\.0\.weight(_ih)?",
        r"heads\.weight",
        r"heads\.bias",
        r"output\.weight",
        r"output\.bias",
    )

    def questions(self, contents: Contents) -> tuple[Question, ...]:
        """The sizes that no tensor of this file shows."""
        if _config_beside(contents) is not None:
            return ()
        shown = _shown(self.table(contents))
        asked = (
            Question("memory_size", "N, the number of memory locations", 128),
            Question("word_size", "W, the number of cells at a location", 20),
            Question("read_heads", "the number of read heads", 1, maximum=64),
        )
        return tuple(question for question in asked if question.name not in shown)

    def candidates(self, contents: Contents, answers: Answers) -> tuple[Candidate, ...]:
        """The machine of the config in the file, or else the one that shapes, answers and defaults describe."""
        table = self.table(contents)
        config = _config_beside(contents)
        inferred: tuple[str, ...] = ("the config stands in the file",)
        assumed: tuple[str, ...] = ()
        if config is None:
            known = {question.name: question.answer(answers) for question in self.questions(contents)}
            config = _config(table, known)
            inferred = (f"the sizes: {_sizes(config)}",)
            assumed = (*(f"{name} = {value}" for name, value in known.items()), "every open choice: our defaults")
        return (
            Candidate(
                "only",
                "the config in the file" if not assumed else "our defaults",
                config,
                dict(table.tensors),
                _encodings(config),
                inferred=inferred,
                assumed=assumed,
            ),
        )


def _config_beside(contents: Contents) -> MachineConfig | None:
    """The config in a dict that holds one beside the state dict."""
    found = contents.root.get("config") if isinstance(contents.root, dict) else None
    return MachineConfig.make(**found) if isinstance(found, dict) and "input_size" in found else None


def _shown(table: Table) -> dict[str, int]:
    """The sizes that the initial state's tensors show."""
    shown: dict[str, int] = {}
    for name, axes in (
        ("initial.memory_value", ("memory_size", "word_size")),
        ("initial.read_value", ("read_heads", "word_size")),
        ("initial.weighting_logits", ("heads", "memory_size")),
        ("initial.weighting_value", ("heads", "memory_size")),
    ):
        if name in table:
            shown |= dict(zip(axes, table.take(name, None, None).shape, strict=True))
    return shown


def _config(table: Table, known: dict[str, int]) -> MachineConfig:
    shown = _shown(table) | known
    word, reads = shown["word_size"], shown["read_heads"]
    controller = _controller(table)
    inputs = controller.pop("width") - reads * word
    output = table.linear("output", None, controller["controller_size"] + reads * word)
    rows = table.take("heads.weight", None, None).shape[0]
    writes, taps = _write_heads_and_taps(rows, reads, word, shown.get("heads"))
    chosen: dict[str, Any] = {"shift_kernel": "fractional"} if taps == 1 else {"shift_range": (taps - 1) // 2}
    chosen["initial_memory"] = "learned" if "initial.memory_value" in table else "constant"
    chosen["initial_read"] = "learned" if "initial.read_value" in table else "zeros"
    has_weighting = {"initial.weighting_logits": "learned", "initial.weighting_value": "given"}
    chosen["initial_weighting"] = next((kind for name, kind in has_weighting.items() if name in table), "one_hot")
    if controller["controller"] != "feedforward":
        chosen["initial_controller"] = "learned" if "controller.initial_hidden" in table else "zeros"
    return MachineConfig.make(
        input_size=inputs,
        output_size=output.outputs,
        memory_size=shown["memory_size"],
        word_size=word,
        read_heads=reads,
        write_heads=writes,
        **controller,
        **chosen,
    )


def _controller(table: Table) -> dict[str, Any]:
    """The controller's kind, layers and size, and the width of what it hears."""
    if "controller.layers.0.weight" in table:
        size, width = table.take("controller.layers.0.weight", None, None).shape
        layers = indices(table.tensors, r"controller\.layers\.(\d{1,6})\.")
        return {"controller": "feedforward", "controller_layers": layers, "controller_size": size, "width": width}
    rows, width = table.take("controller.layers.0.weight_ih", None, None).shape
    size = table.take("controller.layers.0.weight_hh", None, None).shape[1]
    layers = indices(table.tensors, r"controller\.layers\.(\d{1,6})\.")
    if rows % size or rows // size not in _KINDS:
        raise CheckpointError(f"controller.layers.0.weight_ih has {rows} rows for {size} units: not 1, 3 or 4 a unit")
    kind = _KINDS[rows // size]
    return {"controller": kind, "controller_layers": layers, "controller_size": size, "width": width}


def _write_heads_and_taps(rows: int, reads: int, word: int, heads: int | None) -> tuple[int, int]:
    """The write heads and shift taps that make so many rows; CheckpointError unless exactly one pair fits best."""
    for writes in range(1, 65) if heads is None else (heads - reads,):
        taps, rest = divmod(rows - 2 * word * writes, reads + writes)
        taps -= word + 3
        if writes >= 1 and rest == 0 and taps >= 1 and taps % 2:
            return writes, taps
    raise CheckpointError(
        f"heads.weight has {rows} rows: no number of write heads beside {reads} read heads makes so many with words of "
        f"{word} cells"
    )


def _sizes(config: MachineConfig) -> str:
    return (
        f"{config.input_size} inputs, {config.output_size} outputs, {config.memory_size} locations of "
        f"{config.word_size} cells, {config.read_heads} read and {config.write_heads} write heads, "
        f"{config.controller} of {config.controller_layers} × {config.controller_size} units"
    )


def _encodings(config: MachineConfig) -> tuple[Encoding, ...]:
    """The tasks of ours that have these channels."""
    inputs, outputs = config.input_size, config.output_size
    settings: list[dict[str, Any]] = []
    if inputs == outputs + 1:
        settings += [{"name": "copy", "bits": outputs}, {"name": "repeat_copy", "bits": outputs - 1}]
    if inputs == outputs + 2:
        settings += [{"name": "associative_recall", "bits": outputs}, {"name": "priority_sort", "bits": outputs}]
    if inputs == outputs == 1:
        settings.append({"name": "dynamic_ngrams"})
    return encodings({each["name"]: each for each in settings})
