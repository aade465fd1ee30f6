"""Tensors taken from a file one by one: each with the shape that it must have, and none forgotten."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ntm_core.checkpoints.importers.contents import Array
from ntm_core.errors import CheckpointError


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear layer: weight (output, input) and bias (output)."""

    weight: Array
    bias: Array

    @classmethod
    def zeros(cls, outputs: int, like: "Linear") -> "Linear":
        """A layer of zeros with the inputs of `like`."""
        return cls(np.zeros((outputs, like.weight.shape[1]), like.weight.dtype), np.zeros(outputs, like.bias.dtype))

    @classmethod
    def stack(cls, layers: Sequence["Linear"]) -> "Linear":
        """The layers' outputs one after the other."""
        weights, biases = [layer.weight for layer in layers], [layer.bias for layer in layers]
        return cls(np.concatenate(weights), np.concatenate(biases))

    def rows(self, start: int, stop: int) -> "Linear":
        """The outputs from `start` to before `stop`."""
        return Linear(self.weight[start:stop], self.bias[start:stop])

    def split(self, *sizes: int) -> list["Linear"]:
        """The outputs in consecutive parts of these sizes."""
        ends = np.cumsum(sizes)
        return [self.rows(int(end) - size, int(end)) for size, end in zip(sizes, ends, strict=True)]

    def reversed(self) -> "Linear":
        """The outputs in reverse order."""
        return Linear(self.weight[::-1], self.bias[::-1])

    def scaled(self, factor: float) -> "Linear":
        """The outputs times a factor."""
        return Linear(self.weight * factor, self.bias * factor)

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        return len(self.bias)


@dataclass(eq=False)
class Table:
    """The tensors of one model by name; remembers which have been taken."""

    tensors: Mapping[str, Array]
    taken: set[str] = field(default_factory=set)

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def take(self, name: str, *shape: int | None) -> Array:
        """The tensor of this name; CheckpointError unless it has this shape, in which None stands for any size."""
        if name not in self.tensors:
            raise CheckpointError(f"tensor {name!r} is missing")
        array = self.tensors[name]
        fits = len(shape) == array.ndim and all(
            asked is None or asked == found for asked, found in zip(shape, array.shape, strict=True)
        )
        if not fits:
            asked = "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
            raise CheckpointError(f"tensor {name!r} has shape {array.shape}: it must be {asked}")
        if not array.size:
            raise CheckpointError(f"tensor {name!r} has shape {array.shape}: it holds no numbers")
        self.taken.add(name)
        return array

    def linear(self, name: str, outputs: int | None = None, inputs: int | None = None) -> Linear:
        """The linear layer of this name, of these sizes."""
        weight = self.take(f"{name}.weight", outputs, inputs)
        return Linear(weight, self.take(f"{name}.bias", len(weight)))

    def same(self, name: str, array: Array, alias: str) -> None:
        """Take another name of a tensor already taken; CheckpointError if its numbers differ."""
        if not np.array_equal(self.take(alias, *array.shape), array):
            raise CheckpointError(f"tensors {name!r} and {alias!r} must be the same, but they differ")

    @property
    def left(self) -> tuple[str, ...]:
        """The names of the tensors that have not been taken."""
        return tuple(name for name in self.tensors if name not in self.taken)


def indices(tensors: Mapping[str, Any], numbered: str) -> int:
    """How many things the names that match the pattern `numbered` count from 0, by its group; gaps count too.

    So a tensor that is missing is missed where it is taken. There are no more things than tensors.
    """
    pattern = re.compile(numbered)
    found = (pattern.match(name) for name in tensors)
    return min(len(tensors), 1 + max((int(each[1]) for each in found if each), default=-1))
