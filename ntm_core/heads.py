"""The heads: from the controller's output to each head's parameters, through the chosen nonlinearities.

One linear layer serves all heads. Its outputs are, for each head in turn, the raw key (W), key strength, interpolation
gate, shift (2R+1 taps, or one scalar) and sharpening; then, for each write head, the raw erase (W) and add (W) vector.
A head that both reads and writes has one block of the first kind, which is repeated on the head axis.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ntm_core.config import (
    EraseActivation,
    GateActivation,
    KeyStrengthActivation,
    MachineConfig,
    SharpeningActivation,
    ShiftKernel,
    VectorActivation,
)
from ntm_core.interventions import StepEditor

_EXP_LIMIT = 40.0
"""The largest argument at which exp leaves room in float32 for a product with any similarity (exp(40) = 2.4e17)."""


@dataclass(frozen=True)
class HeadParameters:
    """What the controller asks of the heads at one step, all within their constraints.

    Attributes:
        key: k_t, (batch, head, word).
        key_strength: β_t ≥ 0, (batch, head).
        interpolation_gate: g_t in [0, 1], (batch, head).
        shift_weighting: s_t ≥ 0, sums to 1, (batch, head, shift).
        sharpening: γ_t ≥ 1, (batch, head).
        erase_vector: e_t in [0, 1] (not bounded by 1 with relu), (batch, write_head, word).
        add_vector: a_t, (batch, write_head, word).
    """

    key: Tensor
    key_strength: Tensor
    interpolation_gate: Tensor
    shift_weighting: Tensor
    sharpening: Tensor
    erase_vector: Tensor
    add_vector: Tensor


@dataclass(frozen=True)
class HeadLayout:
    """Where each raw head parameter stands among the outputs of the heads' linear layer."""

    heads: int
    write_heads: int
    word: int
    taps: int

    @classmethod
    def of(cls, config: MachineConfig) -> "HeadLayout":
        """The layout of this machine's heads."""
        taps = 1 if config.shift_kernel == "fractional" else 2 * config.shift_range + 1
        heads = config.write_heads if config.head_roles == "read_and_write" else config.heads
        return cls(heads, config.write_heads, config.word_size, taps)

    @property
    def addressing(self) -> tuple[int, ...]:
        """Sizes of one head's raw key, key strength, gate, shift and sharpening."""
        return (self.word, 1, 1, self.taps, 1)

    @property
    def gates(self) -> slice:
        """Where the raw interpolation gate of each head is."""
        size = sum(self.addressing)
        return slice(self.word + 1, self.heads * size, size)

    @property
    def writing(self) -> tuple[int, int]:
        """Sizes of one write head's raw erase and add vector."""
        return (self.word, self.word)

    @property
    def size(self) -> int:
        """The number of raw parameters of all heads together."""
        return self.heads * sum(self.addressing) + self.write_heads * sum(self.writing)


def head_parameters(config: MachineConfig, raw: Float[Tensor, "batch parameter"]) -> HeadParameters:
    """Every head's parameters from the raw outputs of the heads' linear layer, each through its nonlinearity."""
    if config.clip is not None:
        raw = raw.clamp(-config.clip, config.clip)
    layout = HeadLayout.of(config)
    split = layout.heads * sum(layout.addressing)
    blocks = raw[:, :split].unflatten(-1, (layout.heads, -1))
    if config.head_roles == "read_and_write":
        blocks = torch.cat([blocks, blocks], 1)
    addressing = blocks.split(layout.addressing, -1)
    erase, add = raw[:, split:].unflatten(-1, (layout.write_heads, -1)).split(layout.writing, -1)
    key, strength, gate, shift, sharpening = addressing
    return HeadParameters(
        key=vector(key, config.key_activation),
        key_strength=key_strength(strength.squeeze(-1), config.key_strength_activation),
        interpolation_gate=interpolation_gate(gate.squeeze(-1), config.interpolation_gate_activation),
        shift_weighting=shift_weighting(shift, config.shift_kernel, config.shift_range),
        sharpening=sharpened(sharpening.squeeze(-1), config.sharpening_activation),
        erase_vector=erase_vector(erase, config.erase_activation),
        add_vector=vector(add, config.add_activation),
    )


def edited_addressing(asked: HeadParameters, editor: StepEditor) -> HeadParameters:
    """The parameters with those of addressing as an editor leaves them."""
    return replace(
        asked,
        key=editor.edit("key", asked.key),
        key_strength=editor.edit("key_strength", asked.key_strength),
        interpolation_gate=editor.edit("interpolation_gate", asked.interpolation_gate),
        shift_weighting=editor.edit("shift_weighting", asked.shift_weighting),
        sharpening=editor.edit("sharpening", asked.sharpening),
    )


def edited_writing(asked: HeadParameters, editor: StepEditor) -> HeadParameters:
    """The parameters with the erase and add vectors as an editor leaves them."""
    return replace(
        asked,
        erase_vector=editor.edit("erase_vector", asked.erase_vector),
        add_vector=editor.edit("add_vector", asked.add_vector),
    )


def vector(raw: Tensor, activation: VectorActivation) -> Tensor:
    """A key or an add vector."""
    match activation:
        case "tanh":
            return raw.tanh()
        case "relu":
            return raw.relu()
        case "clip":
            return raw.clamp(0, 1)
        case "sigmoid":
            return raw.sigmoid()
        case "identity":
            return raw


def key_strength(raw: Tensor, activation: KeyStrengthActivation) -> Tensor:
    """β ≥ 0; scaled_sigmoid is 10 σ(x), and exp stays at exp(40), where it has long decided every softmax."""
    match activation:
        case "softplus":
            return functional.softplus(raw)
        case "exp":
            return raw.clamp(max=_EXP_LIMIT).exp()
        case "relu":
            return raw.relu()
        case "scaled_sigmoid":
            return 10 * raw.sigmoid()


def interpolation_gate(raw: Tensor, activation: GateActivation) -> Tensor:
    """g in [0, 1]."""
    return raw.sigmoid() if activation == "sigmoid" else hard_sigmoid(raw)


def shift_weighting(raw: Float[Tensor, "*batch tap"], kernel: ShiftKernel, reach: int) -> Float[Tensor, "*batch shift"]:
    """s ≥ 0 with sum 1: a softmax over the taps, or one scalar as a shift of R tanh(x) locations.

    A fractional shift puts its weight on the two integer shifts around it, in proportion to their nearness. The kernel
    of ones is the exception: each tap is 1.
    """
    match kernel:
        case "softmax":
            return raw.softmax(-1)
        case "softmax_of_relu":
            return raw.relu().softmax(-1)
        case "softmax_of_softplus":
            return functional.softplus(raw).softmax(-1)
        case "ones":
            return torch.ones_like(raw)
        case "fractional":
            return _fractional_shift(raw, reach)


def _fractional_shift(raw: Tensor, reach: int) -> Tensor:
    offsets = torch.arange(-reach, reach + 1, dtype=raw.dtype, device=raw.device)
    return (1 - (reach * raw.tanh() - offsets).abs()).relu()


def sharpened(raw: Tensor, activation: SharpeningActivation) -> Tensor:
    """γ ≥ 1: one plus softplus, relu, elu + 1, or 4 σ."""
    match activation:
        case "softplus":
            return 1 + functional.softplus(raw)
        case "relu":
            return 1 + raw.relu()
        case "elu":
            return 2 + functional.elu(raw)
        case "scaled_sigmoid":
            return 1 + 4 * raw.sigmoid()


def erase_vector(raw: Tensor, activation: EraseActivation) -> Tensor:
    """e in [0, 1], or at least 0 with relu; ones if all is erased, zero if nothing is ever erased."""
    match activation:
        case "sigmoid":
            return raw.sigmoid()
        case "hard_sigmoid":
            return hard_sigmoid(raw)
        case "relu":
            return raw.relu()
        case "ones":
            return torch.ones_like(raw)
        case "none":
            return torch.zeros_like(raw)


def hard_sigmoid(raw: Tensor) -> Tensor:
    """The line 0.2 x + 0.5, clipped to [0, 1]."""
    return (0.2 * raw + 0.5).clamp(0, 1)
