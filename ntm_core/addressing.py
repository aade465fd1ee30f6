"""Addressing, equations 1-5: from a head's parameters and the memory to its weighting over the locations.

Every function is pure and batched. Leading axes are free (usually batch and head) and written `...`; `location` has
N entries, `word` W, `shift` 2R+1. Entry j of a shift weighting moves the focus by j - R: a focus at location i goes
to location i + j - R. No parameter values within the constraints give NaN or infinity, here or in the gradients.

Only what is asked for is added: an ε, or a softmax over more than one head, costs nothing where a config has none.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ntm_core.config import (
    ContentSoftmax,
    EpsilonPlacement,
    MachineConfig,
    SharpeningEpsilonPlacement,
    ShiftEdge,
    Similarity,
)
from ntm_core.interventions import StepEditor

_LOG_FLOOR = {torch.float32: 1e-30, torch.float64: 1e-290}
"""Below this a weight counts as zero in eq. 5: low enough to be invisible, high enough that γ / floor stays finite."""


@dataclass(frozen=True)
class Weightings:
    """The four stages of addressing, each (..., location): eq. 1, 3, 4 and 5."""

    content_weighting: Tensor
    gated_weighting: Tensor
    shifted_weighting: Tensor
    weighting: Tensor


def similarity(
    key: Float[Tensor, "*batch head word"],
    memory: Float[Tensor, "*batch location word"],
    kind: Similarity = "cosine",
    epsilon: float = 1e-8,
    placement: EpsilonPlacement = "each_norm",
) -> Float[Tensor, "*batch head location"]:
    """K[k_t, M_t(i)] of each key with each memory row (eq. 2).

    In [-1, 1] for cosine and pearson, at most 0 for negative_euclidean, unbounded for dot and scaled_dot (divided by
    the square root of W). A zero key or row has cosine and correlation 0; so has a correlation one whose numbers are
    all the same, up to rounding.
    """
    if kind == "dot":
        return key @ memory.mT
    if kind == "scaled_dot":
        return key @ memory.mT / key.shape[-1] ** 0.5
    if kind == "negative_euclidean":
        return -torch.linalg.vector_norm(key.unsqueeze(-2) - memory.unsqueeze(-3), dim=-1)
    if kind == "pearson":
        key, memory = _centred(key), _centred(memory)
    return _cosine(key, memory, epsilon, placement)


def _centred(rows: Float[Tensor, "*batch row word"]) -> Float[Tensor, "*batch row word"]:
    """Each row less its mean; zeros where no more is left than rounding makes, as of one number W times."""
    mean = rows.mean(-1, keepdim=True)
    rest = rows - mean
    noise = rows.shape[-1] ** 1.5 * torch.finfo(rows.dtype).eps * mean.abs()
    return rest.masked_fill(torch.linalg.vector_norm(rest, dim=-1, keepdim=True) <= noise, 0.0)


def _cosine(key: Tensor, memory: Tensor, epsilon: float, placement: EpsilonPlacement) -> Tensor:
    key_norm = torch.linalg.vector_norm(key, dim=-1, keepdim=True)
    row_norm = torch.linalg.vector_norm(memory, dim=-1).unsqueeze(-2)
    if placement == "each_norm":
        return (key / key_norm.clamp_min(epsilon)) @ memory.mT / row_norm.clamp_min(epsilon)
    norm_product = key_norm * row_norm
    dot = key @ memory.mT
    if placement == "norm_product":
        return dot / norm_product.clamp_min(epsilon)
    if placement == "added_to_norm_product":
        return dot / (norm_product + epsilon)
    return dot / (norm_product.square() + epsilon).sqrt()


def content_weighting(
    similarity: Float[Tensor, "*batch location"], key_strength: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch location"]:
    """w^c: a softmax over the locations of key strength times similarity (eq. 1). Sums to 1."""
    return torch.softmax(key_strength.unsqueeze(-1) * similarity, dim=-1)


def shared_content_weighting(
    similarity: Float[Tensor, "*batch head location"],
    key_strength: Float[Tensor, "*batch head"],
    over: ContentSoftmax,
    read_heads: int,
) -> Float[Tensor, "*batch head location"]:
    """w^c where the softmax of eq. 1 does not run over the locations of each head.

    Over `heads_of_a_kind` the first `read_heads` heads sum to 1 together, and so do the others; over `each_location`
    a softmax has one entry, and is 1.
    """
    if over == "each_location":
        return torch.ones_like(similarity)
    scores = key_strength.unsqueeze(-1) * similarity
    kinds = [scores[..., :read_heads, :], scores[..., read_heads:, :]]
    return torch.cat([kind.flatten(-2).softmax(-1).view_as(kind) for kind in kinds], -2)


def gated_weighting(
    content: Float[Tensor, "*batch location"],
    previous: Float[Tensor, "*batch location"],
    interpolation_gate: Float[Tensor, "*batch"],
) -> Float[Tensor, "*batch location"]:
    """w^g: the content weighting where the gate is 1, the previous weighting where it is 0 (eq. 3)."""
    gate = interpolation_gate.unsqueeze(-1)
    return gate * content + (1 - gate) * previous


def shifted_weighting(
    gated: Float[Tensor, "*batch location"],
    shift_weighting: Float[Tensor, "*batch shift"],
    edge: ShiftEdge = "circular",
) -> Float[Tensor, "*batch location"]:
    """w~: the gated weighting convolved with the shift weighting (eq. 4).

    Circular: the sum is kept. Zero-padded: what a shift moves past the first or last location is lost.
    """
    reach = (shift_weighting.shape[-1] - 1) // 2
    taps = shift_weighting.unsqueeze(-1).unbind(-2)
    moved = taps[0] * _move(gated, -reach, edge)
    for offset, tap in enumerate(taps[1:], start=1 - reach):
        moved = moved + tap * _move(gated, offset, edge)
    return moved


def _move(weighting: Tensor, offset: int, edge: ShiftEdge) -> Tensor:
    """The weighting with every focus moved by `offset` locations."""
    if offset == 0:
        return weighting
    if edge == "circular":
        return weighting.roll(offset, -1)
    size = weighting.shape[-1]
    if abs(offset) >= size:
        return torch.zeros_like(weighting)
    lost = weighting.new_zeros((*weighting.shape[:-1], abs(offset)))
    kept = weighting[..., :-offset] if offset > 0 else weighting[..., -offset:]
    return torch.cat([lost, kept] if offset > 0 else [kept, lost], -1)


def sharpened_weighting(
    shifted: Float[Tensor, "*batch location"], sharpening: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch location"]:
    """w: the shifted weighting raised to the power γ and normalised (eq. 5). Sums to 1.

    Computed as softmax(γ log w~), since w~^γ underflows to a zero sum for a spread weighting. Where w~ is zero
    everywhere, eq. 5 is 0/0; the result is then uniform, its limit for equal weights.
    """
    floor = _LOG_FLOOR.get(shifted.dtype)
    if floor is None:
        raise ValueError(f"the machine computes in {shifted.dtype}: it can in float32 and in float64")
    return torch.softmax(sharpening.unsqueeze(-1) * shifted.clamp_min(floor).log(), dim=-1)


def softened_weighting(
    shifted: Float[Tensor, "*batch location"],
    sharpening: Float[Tensor, "*batch"],
    epsilon: float,
    placement: SharpeningEpsilonPlacement,
) -> Float[Tensor, "*batch location"]:
    """w of eq. 5 with a positive ε: w~^γ / (Σ w~^γ + ε), or (w~ + ε)^γ / Σ (w~ + ε)^γ before the power.

    With ε in the normaliser w sums to less than 1, and to almost nothing where w~ is small: it is not normalised again.
    """
    if placement == "before_power":
        return torch.softmax(sharpening.unsqueeze(-1) * (shifted + epsilon).log(), dim=-1)
    gamma = sharpening.unsqueeze(-1)
    # Weights above 1, which only a kernel of ones makes, are divided out before their powers overflow.
    scale = shifted.detach().amax(-1, keepdim=True).clamp_min(1)
    powers = (shifted / scale).pow(gamma)
    return powers / (powers.sum(-1, keepdim=True) + epsilon * scale.pow(-gamma))


def address(
    config: MachineConfig,
    memory: Float[Tensor, "batch location word"],
    previous: Float[Tensor, "batch head location"],
    key: Float[Tensor, "batch head word"],
    key_strength: Float[Tensor, "batch head"],
    interpolation_gate: Float[Tensor, "batch head"],
    shift_weighting: Float[Tensor, "batch head shift"],
    sharpening: Float[Tensor, "batch head"],
    read_heads: int = 0,
    editor: StepEditor | None = None,
    heads: slice | None = None,
) -> Weightings:
    """All four stages of every head, from the memory it sees and its previous weighting w_{t-1} (eq. 1-5).

    The first `read_heads` of these heads read; that matters only where heads of a kind share a softmax. An editor
    changes each stage before the next sees it; `heads` says which part of the head axis these heads are.
    """
    seen = memory + config.similarity_offset if config.similarity_offset else memory
    sought = key + config.similarity_offset if config.similarity_offset else key
    alike = similarity(sought, seen, config.similarity, config.similarity_epsilon, config.similarity_epsilon_placement)
    if config.content_softmax == "each_head":
        content = content_weighting(alike, key_strength)
    else:
        content = shared_content_weighting(alike, key_strength, config.content_softmax, read_heads)
    if editor is not None:
        content = editor.edit("content_weighting", content, heads)
    gated = gated_weighting(content, previous, interpolation_gate)
    if editor is not None:
        gated = editor.edit("gated_weighting", gated, heads, {"content_weighting": content})
    shifted = shifted_weighting(gated, shift_weighting, config.shift_edge)
    if editor is not None:
        earlier = {"content_weighting": content, "gated_weighting": gated}
        shifted = editor.edit("shifted_weighting", shifted, heads, earlier)
    if config.sharpening_epsilon:
        epsilon, placement = config.sharpening_epsilon, config.sharpening_epsilon_placement
        weighting = softened_weighting(shifted, sharpening, epsilon, placement)
    else:
        weighting = sharpened_weighting(shifted, sharpening)
    if editor is not None:
        earlier = {"content_weighting": content, "gated_weighting": gated, "shifted_weighting": shifted}
        weighting = editor.edit("weighting", weighting, heads, earlier)
    return Weightings(content, gated, shifted, weighting)
