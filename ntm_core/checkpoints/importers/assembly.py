"""From the parts of somebody's machine to the tensors of ours."""

from collections.abc import Sequence

import numpy as np

from ntm_core.checkpoints.importers.contents import Array
from ntm_core.checkpoints.importers.tables import Linear, Table
from ntm_core.config import HeadKind


def addressing(key: Linear, key_strength: Linear, gate: Linear, shift: Linear, sharpening: Linear) -> Linear:
    """One head's raw addressing parameters, in our order; tap j of `shift` moves the focus by j - R."""
    return Linear.stack([key, key_strength, gate, shift, sharpening])


def writing(erase: Linear | None, add: Linear) -> Linear:
    """One write head's raw erase and add vectors, in our order; zeros where nothing is learned about erasing."""
    return Linear.stack([erase or Linear.zeros(add.outputs, add), add])


def head_tensors(addressing_of: Sequence[Linear], writing_of: Sequence[Linear]) -> dict[str, Array]:
    """The heads' linear layer, from each head's part in the order of the head axis."""
    whole = Linear.stack([*addressing_of, *writing_of])
    return {"heads.weight": whole.weight, "heads.bias": whole.bias}


def output_tensors(layer: Linear) -> dict[str, Array]:
    """The output's linear layer."""
    return {"output.weight": layer.weight, "output.bias": layer.bias}


def constant_or_given(values: Array) -> dict[str, object]:
    """The choices of an M_0 that is not trained: a constant if all its cells are equal, else given numbers."""
    if np.all(values == values.flat[0]) and abs(float(values.flat[0])) <= 1e6:
        return {"initial_memory": "constant", "initial_memory_value": _shortest(values.flat[0])}
    return {"initial_memory": "given"}


def _shortest(value: np.floating) -> float:
    """The shortest decimal number that rounds to this value in its own type: 1e-06 for float32's 9.99999997e-07."""
    return float(str(value))


def head_order(kinds: Sequence[HeadKind]) -> dict[str, object]:
    """The choices that make heads act in this order, each write seen by the heads after it.

    Reads change nothing, so one write head after all read heads is the plain order of a step.
    """
    if list(kinds) == ["read"] * (len(kinds) - 1) + ["write"]:
        return {"read_heads": len(kinds) - 1, "write_heads": 1, "step_order": "read_then_write"}
    return {
        "read_heads": kinds.count("read"),
        "write_heads": kinds.count("write"),
        "step_order": "listed",
        "head_order": tuple(kinds),
        "write_order": "one_by_one",
    }


def lstm_layer(table: Table, pattern: str, layer: int, width: int, size: int) -> dict[str, Array]:
    """One LSTM layer whose tensors torch named by `pattern`, with {} for weight_ih and so on."""
    shapes = {"weight_ih": (4 * size, width), "weight_hh": (4 * size, size), "bias_ih": (4 * size,)}
    shapes["bias_hh"] = (4 * size,)
    return {
        f"controller.layers.{layer}.{name}": table.take(pattern.format(name), *shape) for name, shape in shapes.items()
    }
