"""Plain numpy pieces of the programs whose files are imported: written from what they compute, not from our machine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Tensors = dict[str, Numbers]


def sigmoid(x: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-x))


def softplus(x: Numbers) -> Numbers:
    return np.logaddexp(0, x)


def relu(x: Numbers) -> Numbers:
    return np.maximum(x, 0)


def hard_sigmoid(x: Numbers) -> Numbers:
    return np.clip(0.2 * x + 0.5, 0, 1)


def softmax(x: Numbers) -> Numbers:
    powers = np.exp(x - x.max())
    return powers / powers.sum()


def clamped_cosine(epsilon: float, added: float = 0.0) -> Callable[[Numbers, Numbers], Numbers]:
    def similarity(key: Numbers, memory: Numbers) -> Numbers:
        key, memory = key + added, memory + added
        rows = np.array([row / max(float(np.linalg.norm(row)), epsilon) for row in memory])
        return rows @ (key / max(float(np.linalg.norm(key)), epsilon))

    return similarity


def moved(weighting: Numbers, shifts: Mapping[int, float], *, circular: bool) -> Numbers:
    """Each shift d moves what is at i to i + d."""
    result = np.zeros_like(weighting)
    size = len(weighting)
    for offset, share in shifts.items():
        for i in range(size):
            target = i + offset
            if circular:
                result[target % size] += share * weighting[i]
            elif 0 <= target < size:
                result[target] += share * weighting[i]
    return result


def address(
    similarity: Numbers,
    strength: float,
    gate: float,
    shifts: Mapping[int, float],
    sharpening: float,
    previous: Numbers,
    *,
    circular: bool = True,
    normaliser: float = 0.0,
    inside: float = 0.0,
) -> Numbers:
    content = softmax(strength * similarity)
    return locate(content, gate, shifts, sharpening, previous, circular=circular, normaliser=normaliser, inside=inside)


def locate(
    content: Numbers,
    gate: float,
    shifts: Mapping[int, float],
    sharpening: float,
    previous: Numbers,
    *,
    circular: bool = True,
    normaliser: float = 0.0,
    inside: float = 0.0,
) -> Numbers:
    shifted = moved(gate * content + (1 - gate) * previous, shifts, circular=circular) + inside
    powers = shifted**sharpening
    return powers / (powers.sum() + normaliser)


def lstm(tensors: Mapping[str, Numbers], names: str, x: Numbers, h: Numbers, c: Numbers) -> tuple[Numbers, Numbers]:
    """h and c of torch's LSTM whose tensors are called `names`, with {} for weight_ih and so on."""
    w_ih, w_hh, b_ih, b_hh = (tensors[names.format(part)] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    i, f, g, o = np.split(w_ih @ x + b_ih + w_hh @ h + b_hh, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def torch_shifts(taps: Numbers) -> dict[int, float]:
    """The public PyTorch programs store tap 0 for a move to the next row."""
    return {1: float(taps[0]), 0: float(taps[1]), -1: float(taps[2])}


@dataclass
class Run:
    """What a simulated program did in each step."""

    weightings: dict[str, list[Numbers]] = field(default_factory=dict)
    outputs: list[Numbers] = field(default_factory=list)
    memory: list[Numbers] = field(default_factory=list)

    def weighting(self, head: str, value: Numbers) -> Numbers:
        self.weightings.setdefault(head, []).append(value)
        return value
