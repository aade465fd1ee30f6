"""Equations 1-5: worked by hand, against the naive loops, as properties, and at the edges of floating point."""

import math
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ntm_core.addressing import (
    Weightings,
    address,
    content_weighting,
    gated_weighting,
    shared_content_weighting,
    sharpened_weighting,
    shifted_weighting,
    similarity,
    softened_weighting,
)
from ntm_core.config import EpsilonPlacement, SharpeningEpsilonPlacement, ShiftEdge, Similarity
from tests.core import naive
from tests.core.machines import DTYPES, small_config

SIMILARITIES: tuple[Similarity, ...] = get_args(Similarity)
PLACEMENTS: tuple[EpsilonPlacement, ...] = get_args(EpsilonPlacement)
EDGES: tuple[ShiftEdge, ...] = get_args(ShiftEdge)


def tensor(values: object, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(values, dtype=dtype)


def close(found: Tensor, expected: object, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(found, tensor(expected, found.dtype), rtol=0, atol=tolerance)


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def weighting(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return draw(*shape, seed=seed, dtype=dtype).softmax(-1)


# Worked by hand


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # k = (3, 4); rows (3, 4), (4, -3), (-6, -8), (5, 0). Dot products 25, 0, -50, 15; norms 5, 5, 10, 5.
        ("cosine", [1, 0, -1, 0.6]),
        ("dot", [25, 0, -50, 15]),
        ("scaled_dot", [17.67766952966369, 0, -35.35533905932738, 10.606601717798213]),  # divided by √2
        # Distances: 0; √(1 + 49); √(81 + 144) = 15; √(4 + 16).
        ("negative_euclidean", [0, -7.0710678118654755, -15, -4.47213595499958]),
        # Centred: k (-½, ½); rows (-½, ½), (3½, -3½), (1, -1), (2½, -2½).
        ("pearson", [1, -1, -1, -1]),
    ],
)
def test_similarity_by_hand(kind: Similarity, expected: list[float]) -> None:
    found = similarity(tensor([[3, 4]]), tensor([[3, 4], [4, -3], [-6, -8], [5, 0]]), kind)
    close(found, [expected])


def test_pearson_by_hand() -> None:
    """k = (1, 2, 3), centred (-1, 0, 1). Row (1, 3, 2), centred (-1, 1, 0): 1 / (√2 √2) = ½. A constant row: 0."""
    found = similarity(tensor([[1, 2, 3]]), tensor([[2, 4, 6], [3, 2, 1], [1, 3, 2], [5, 5, 5]]), "pearson")
    close(found, [[1, -1, 0.5, 0]])


@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        # k = (3, 4), norm 5; row (0.06, 0.08), norm 0.1; dot 0.5; ε = 1.
        ("each_norm", 0.1),  # 0.5 / (5 · max(0.1, 1))
        ("norm_product", 0.5),  # 0.5 / max(0.5, 1)
        ("added_to_norm_product", 0.3333333333333333),  # 0.5 / (0.5 + 1)
        ("inside_root", 0.4472135954999579),  # 0.5 / √(0.25 + 1)
    ],
)
def test_epsilon_placements_by_hand(placement: EpsilonPlacement, expected: float) -> None:
    close(similarity(tensor([[3, 4]]), tensor([[0.06, 0.08]]), "cosine", 1.0, placement), [[expected]])


def test_content_weighting_by_hand() -> None:
    """β = ln 2, similarities 1, 0, 0: powers 2, 1, 1 over 4. β = 0: uniform."""
    alike = tensor([[1, 0, 0], [5, -3, 2]])
    close(content_weighting(alike, tensor([math.log(2), 0])), [[0.5, 0.25, 0.25], [1 / 3, 1 / 3, 1 / 3]])


def test_gated_weighting_by_hand() -> None:
    """g = ¼: ¼ (1, 0, 0) + ¾ (0, ½, ½)."""
    close(gated_weighting(tensor([1, 0, 0]), tensor([0, 0.5, 0.5]), tensor(0.25)), [0.25, 0.375, 0.375])


@pytest.mark.parametrize(
    ("edge", "expected"),
    # A focus at 0 and a smaller one at 3: shares 0.1 back, 0.7 stay, 0.2 forward.
    [
        # 0: 0.7·0.8 + 0.2·0.2; 1: 0.2·0.8; 2: 0.1·0.2; 3: 0.1·0.8 + 0.7·0.2
        ("circular", [0.60, 0.16, 0.02, 0.22]),
        # the same without what crosses the edge
        ("zero_padded", [0.56, 0.16, 0.02, 0.14]),
    ],
)
def test_shifted_weighting_by_hand(edge: ShiftEdge, expected: list[float]) -> None:
    close(shifted_weighting(tensor([0.8, 0, 0, 0.2]), tensor([0.1, 0.7, 0.2]), edge), expected)


def test_a_wide_kernel_wraps_around_few_locations() -> None:
    """N = 2, R = 2: the shares of offsets -2, 0, 2 stay (0.1 + 0.3 + 0.25), those of -1 and 1 cross over."""
    close(shifted_weighting(tensor([1, 0]), tensor([0.1, 0.2, 0.3, 0.15, 0.25])), [0.65, 0.35])
    close(shifted_weighting(tensor([1, 0]), tensor([0.1, 0.2, 0.3, 0.15, 0.25]), "zero_padded"), [0.3, 0.15])


def test_sharpened_weighting_by_hand() -> None:
    """γ = 2: (¼, 1/16, 1/16) over 3/8. γ = 1: unchanged."""
    found = sharpened_weighting(tensor([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]), tensor([2, 1]))
    close(found, [[2 / 3, 1 / 6, 1 / 6], [0.5, 0.25, 0.25]])


def test_zero_padded_edges_are_renormalised_by_sharpening() -> None:
    """All of a focus at 0 but its forward share falls off the edge; eq. 5 with γ = 1 makes that share whole again."""
    shifted = shifted_weighting(tensor([1, 0, 0]), tensor([0.8, 0, 0.2]), "zero_padded")
    close(shifted, [0, 0.2, 0])
    close(sharpened_weighting(shifted, tensor(1)), [0, 1, 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_has_nothing_left_becomes_uniform(dtype: torch.dtype) -> None:
    close(sharpened_weighting(torch.zeros(4, dtype=dtype), torch.tensor(3.0, dtype=dtype)), [0.25] * 4)


# Against the naive loops


@pytest.mark.parametrize("kind", SIMILARITIES)
@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("epsilon", [1e-8, 0.5])
def test_similarity_is_what_the_naive_loop_computes(
    kind: Similarity, placement: EpsilonPlacement, epsilon: float
) -> None:
    config = small_config(similarity=kind, similarity_epsilon=epsilon, similarity_epsilon_placement=placement)
    key, memory = draw(2, 3, 4), draw(2, 5, 4, seed=1)
    memory[0, 2], key[1, 1] = 0, 0
    found = similarity(key, memory, kind, epsilon, placement)
    for b in range(2):
        expected = [[naive.similarity(config, k, row) for row in memory[b].tolist()] for k in key[b].tolist()]
        close(found[b], expected)


# Properties


@given(st.integers(1, 12), st.integers(1, 5), st.data(), st.sampled_from(DTYPES))
@settings(max_examples=40)
def test_a_one_hot_shift_moves_the_focus_by_exactly_its_offset(
    size: int, reach: int, data: st.DataObject, dtype: torch.dtype
) -> None:
    j, i = data.draw(st.integers(0, 2 * reach)), data.draw(st.integers(0, size - 1))
    kernel, focus = torch.zeros(2 * reach + 1, dtype=dtype), torch.zeros(size, dtype=dtype)
    kernel[j] = focus[i] = 1
    there = i + j - reach
    expected = torch.zeros(size, dtype=dtype)
    expected[there % size] = 1
    assert torch.equal(shifted_weighting(focus, kernel), expected)
    spread = weighting(size, dtype=dtype)
    assert torch.equal(shifted_weighting(spread, kernel), spread.roll(j - reach))
    if not 0 <= there < size:
        expected = torch.zeros(size, dtype=dtype)
    assert torch.equal(shifted_weighting(focus, kernel, "zero_padded"), expected)


@given(st.integers(1, 9), st.integers(0, 99), st.sampled_from(DTYPES))
@settings(max_examples=40)
def test_a_closed_gate_keeps_the_previous_weighting_and_an_open_one_the_content(
    size: int, seed: int, dtype: torch.dtype
) -> None:
    content, previous = weighting(size, seed=seed, dtype=dtype), weighting(size, seed=seed + 1, dtype=dtype)
    assert torch.equal(gated_weighting(content, previous, torch.zeros((), dtype=dtype)), previous)
    assert torch.equal(gated_weighting(content, previous, torch.ones((), dtype=dtype)), content)


@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 99), st.sampled_from(EDGES))
@settings(max_examples=40)
def test_shifting_agrees_with_the_naive_loop(size: int, reach: int, seed: int, edge: ShiftEdge) -> None:
    before, kernel = weighting(size, seed=seed), weighting(2 * reach + 1, seed=seed + 1)
    by_offset = dict(zip(range(-reach, reach + 1), kernel.tolist(), strict=True))
    close(shifted_weighting(before, kernel, edge), naive.shifted(before.tolist(), by_offset, edge))


@given(st.integers(1, 9), st.floats(1, 100), st.integers(0, 99))
@settings(max_examples=40)
def test_sharpening_agrees_with_the_naive_loop_and_keeps_the_order(size: int, gamma: float, seed: int) -> None:
    before = weighting(size, seed=seed)
    found = sharpened_weighting(before, tensor(gamma))
    close(found, naive.sharpened(small_config(), before.tolist(), gamma))
    assert bool((found[before.argsort()].diff() >= 0).all())
    assert found.max() >= before.max() - 1e-12


@given(st.integers(1, 9), st.floats(1, 30), st.integers(0, 99), st.sampled_from(("normaliser", "before_power")))
@settings(max_examples=40)
def test_sharpening_with_an_epsilon_agrees_with_the_naive_loop(
    size: int, gamma: float, seed: int, placement: SharpeningEpsilonPlacement
) -> None:
    config = small_config(sharpening_epsilon=1e-3, sharpening_epsilon_placement=placement)
    before = weighting(size, seed=seed)
    close(softened_weighting(before, tensor(gamma), 1e-3, placement), naive.sharpened(config, before.tolist(), gamma))


def test_an_epsilon_in_the_normaliser_by_hand() -> None:
    """0.3² and 0.1² over 0.1 + 0.1; weights above 1 do not overflow: 3^γ / (2 · 3^γ) at γ = 1000."""
    close(softened_weighting(tensor([0.3, 0.1]), tensor(2.0), 0.1, "normaliser"), [0.45, 0.05])
    close(softened_weighting(tensor([3.0, 3.0]), tensor(1000.0), 1e-16, "normaliser"), [0.5, 0.5])


def test_softmaxes_over_more_or_less_than_a_heads_locations_by_hand() -> None:
    """Two read heads share one softmax: scores 0, ln 2 and 0, 0 are 1/5, 2/5, 1/5, 1/5. One write head has its own."""
    scores, strength = tensor([[0, math.log(2)], [0, 0], [0, math.log(3)]]), tensor([1, 1, 1])
    shared = shared_content_weighting(scores, strength, "heads_of_a_kind", 2)
    close(shared, [[0.2, 0.4], [0.2, 0.2], [0.25, 0.75]])
    close(shared_content_weighting(scores, strength, "each_location", 2), [[1, 1]] * 3)


@pytest.mark.parametrize("leading", [(), (3,), (2, 3), (2, 1, 3)])
def test_leading_axes_are_free(leading: tuple[int, ...]) -> None:
    content, previous = weighting(*leading, 5), weighting(*leading, 5, seed=1)
    gate, kernel, gamma = draw(*leading).sigmoid(), weighting(*leading, 3), 1 + draw(*leading).exp()
    gated = gated_weighting(content, previous, gate)
    shifted = shifted_weighting(gated, kernel)
    found = sharpened_weighting(shifted, gamma)
    assert found.shape == (*leading, 5)
    flat = gated_weighting(content.reshape(-1, 5), previous.reshape(-1, 5), gate.reshape(-1))
    flat = sharpened_weighting(shifted_weighting(flat, kernel.reshape(-1, 3)), gamma.reshape(-1))
    assert torch.equal(found.reshape(-1, 5), flat)


def test_address_is_its_four_stages_in_order() -> None:
    config = small_config(similarity="pearson", similarity_epsilon_placement="norm_product", shift_edge="zero_padded")
    memory, previous, key = draw(2, 5, 4), weighting(2, 3, 5), draw(2, 3, 4, seed=2)
    beta, gate, kernel, gamma = draw(2, 3).exp(), draw(2, 3).sigmoid(), weighting(2, 3, 3), 1 + draw(2, 3).exp()
    found = address(config, memory, previous, key, beta, gate, kernel, gamma)
    content = content_weighting(similarity(key, memory, "pearson", 1e-8, "norm_product"), beta)
    gated = gated_weighting(content, previous, gate)
    shifted = shifted_weighting(gated, kernel, "zero_padded")
    expected = Weightings(content, gated, shifted, sharpened_weighting(shifted, gamma))
    for name, stage in vars(expected).items():
        assert torch.equal(getattr(found, name), stage), name


# At the edges of floating point


def vectors(dtype: torch.dtype) -> dict[str, Tensor]:
    """Rows and keys at which a similarity may break, each (4,)."""
    rows = {
        "zero": [0, 0, 0, 0],
        "ones": [1, 1, 1, 1],
        "third": [1 / 3, 1 / 3, 1 / 3, 1 / 3],
        "tiny": [1e-30, -1e-30, 1e-30, 0],
        "small": [1e-22, 2e-22, 0, 0],
        "cold": [1e-6, 1e-6, 1e-6, 1e-6],
        "huge": [1e6, -1e6, 1e6, 0],
        "plain": [0.3, -1.2, 0.8, 2.0],
    }
    return {name: torch.tensor(row, dtype=dtype) for name, row in rows.items()}


def assert_finite_with_gradients(function: Callable[..., Any], *inputs: Tensor) -> Any:
    """What the function gives, after checking that it and its gradients by every input are numbers."""
    leaves = [value.clone().requires_grad_() for value in inputs]
    result = function(*leaves)
    outputs = list(vars(result).values()) if isinstance(result, Weightings) else [result]
    assert all(bool(torch.isfinite(output).all()) for output in outputs)
    for seed, output in enumerate(outputs):
        slope = draw(*output.shape, seed=seed, dtype=output.dtype)
        gradients = torch.autograd.grad(output, leaves, slope, retain_graph=True, materialize_grads=True)
        assert all(bool(torch.isfinite(g).all()) for g in gradients)
    return function(*inputs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", SIMILARITIES)
@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("epsilon", [1e-20, 1e-8, 1.0])
def test_similarity_is_finite_for_every_pair(
    kind: Similarity, placement: EpsilonPlacement, epsilon: float, dtype: torch.dtype
) -> None:
    every = torch.stack(list(vectors(dtype).values()))
    found = assert_finite_with_gradients(lambda k, m: similarity(k, m, kind, epsilon, placement), every, every)
    if kind in ("cosine", "pearson"):
        assert float(found.abs().max()) <= 1 + 1e-6
        zero = list(vectors(dtype)).index("zero")
        assert bool((found[zero] == 0).all())
        assert bool((found[:, zero] == 0).all())
    if kind == "negative_euclidean":
        assert bool((found <= 0).all())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_constant_row_correlates_with_nothing(placement: EpsilonPlacement, dtype: torch.dtype) -> None:
    """Its variance is 0. What rounding leaves of it must not be blown up into a correlation of ±1."""
    for width in (5, 7, 20):
        key = draw(1, width, dtype=dtype)
        for value in (1.0, 0.1, 1 / 3, 1e-6, 0.7, 12345.6):
            found = similarity(key, torch.full((2, width), value, dtype=dtype), "pearson", 1e-8, placement)
            assert float(found.abs().max()) < 1e-3, (width, value)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("beta", [0.0, 1.0, 1e4])
@pytest.mark.parametrize("kind", SIMILARITIES)
def test_content_weighting_is_finite_and_sums_to_one(kind: Similarity, beta: float, dtype: torch.dtype) -> None:
    every = torch.stack(list(vectors(dtype).values()))
    strength = torch.full((len(every),), beta, dtype=dtype)
    found = assert_finite_with_gradients(
        lambda k, m, b: content_weighting(similarity(k, m, kind), b), every, every, strength
    )
    torch.testing.assert_close(found.sum(-1), torch.ones_like(strength), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 2, 128])
@pytest.mark.parametrize("gamma", [1.0, 1.5, 94.0, 100.0])
def test_sharpening_is_finite_and_sums_to_one(gamma: float, size: int, dtype: torch.dtype) -> None:
    one_hot = torch.eye(size, dtype=dtype)[0]
    cases = {
        "one-hot": one_hot,
        "uniform": torch.full((size,), 1 / size, dtype=dtype),
        "zero": torch.zeros(size, dtype=dtype),
        "tiny": torch.full((size,), 1e-30, dtype=dtype),
        "tiny among zeros": 1e-30 * one_hot,
        "denormal": torch.full((size,), 1e-40, dtype=dtype),
        "nearly one-hot": one_hot * (1 - 1e-6) + 1e-6 / size,
        "two equal": torch.arange(size).lt(2).to(dtype) / 2,
    }
    for name, before in cases.items():
        found = assert_finite_with_gradients(sharpened_weighting, before, torch.tensor(gamma, dtype=dtype))
        assert bool((found >= 0).all()), name
        assert abs(float(found.sum()) - 1) < 1e-5, name
    close(sharpened_weighting(one_hot, torch.tensor(gamma, dtype=dtype)), one_hot.tolist(), 1e-20)
    uniform = cases["uniform"]
    close(sharpened_weighting(uniform, torch.tensor(gamma, dtype=dtype)), uniform.tolist(), 1e-6)


def test_a_spread_weighting_survives_the_sharpest_exponent() -> None:
    """(1/128)^100 = 1e-211 underflows in float32, and so does every power beside it; eq. 5 has a limit all the same."""
    before = torch.full((128,), 1 / 128)
    before[3] += 1e-3
    found = sharpened_weighting(before, torch.tensor(100.0))
    # 1.128^100 = 1.7e5 against 127 ones
    assert float(found[3]) == pytest.approx(1.128**100 / (1.128**100 + 127), rel=1e-3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("kind", SIMILARITIES)
def test_addressing_is_finite_at_every_corner(kind: Similarity, edge: ShiftEdge, size: int, dtype: torch.dtype) -> None:
    """β, g, s, γ, w_{t-1}, k and M at their extremes, all combinations in one batch."""
    config = small_config(similarity=kind, shift_edge=edge, memory_size=size)
    every = vectors(dtype)
    eye = torch.eye(size, dtype=dtype)
    previous = [eye[0], eye[-1], eye.mean(0), torch.zeros(size, dtype=dtype), 1e-30 * eye[0]]
    kernels = [*torch.eye(3, dtype=dtype), torch.full((3,), 1 / 3, dtype=dtype)]
    corners = torch.cartesian_prod(
        torch.tensor([0, 1, 1e4]), torch.tensor([0, 1e-30, 0.5, 1]), torch.tensor([1, 100.0])
    ).to(dtype)
    memories = torch.stack(
        [
            torch.stack([every[a], *[every[b]] * (size - 1)])
            for a, b in (("zero", "plain"), ("cold", "cold"), ("tiny", "huge"), ("zero", "zero"))
        ]
    )
    heads = [(k, w, s) for k in ("zero", "plain", "tiny", "huge") for w in previous for s in kernels]
    count = len(heads) * len(corners)

    def spread(values: list[Tensor]) -> Tensor:
        return torch.stack(values).repeat_interleave(len(corners), 0).expand(len(memories), count, -1).contiguous()

    beta, gate, gamma = (corners[:, c].repeat(len(heads)).expand(len(memories), count).contiguous() for c in range(3))
    keys, before, kernel = (
        spread([every[k] for k, _, _ in heads]),
        spread([w for _, w, _ in heads]),
        spread([s for _, _, s in heads]),
    )
    found = assert_finite_with_gradients(
        lambda *a: address(config, *a), memories, before, keys, beta, gate, kernel, gamma
    )
    torch.testing.assert_close(found.weighting.sum(-1), torch.ones_like(beta), rtol=0, atol=1e-5)
    assert all(bool((stage >= 0).all()) for stage in vars(found).values())


# Gradients


@pytest.mark.parametrize("kind", SIMILARITIES)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_gradients_of_similarity(kind: Similarity, placement: EpsilonPlacement) -> None:
    key, memory = draw(2, 2, 3).requires_grad_(), draw(2, 4, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda k, m: similarity(k, m, kind, 0.3, placement), (key, memory))


def test_gradients_of_content_weighting() -> None:
    assert torch.autograd.gradcheck(
        content_weighting, (draw(2, 3, 4).requires_grad_(), draw(2, 3).exp().requires_grad_())
    )


def test_gradients_of_gated_weighting() -> None:
    inputs = (weighting(2, 4), weighting(2, 4, seed=1), draw(2).sigmoid())
    assert torch.autograd.gradcheck(gated_weighting, tuple(value.requires_grad_() for value in inputs))


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("reach", [1, 3])
def test_gradients_of_shifted_weighting(edge: ShiftEdge, reach: int) -> None:
    inputs = (weighting(2, 4).requires_grad_(), weighting(2, 2 * reach + 1, seed=1).requires_grad_())
    assert torch.autograd.gradcheck(lambda w, s: shifted_weighting(w, s, edge), inputs)


def test_gradients_of_sharpened_weighting() -> None:
    inputs = (weighting(2, 4).requires_grad_(), (1 + draw(2).exp()).requires_grad_())
    assert torch.autograd.gradcheck(sharpened_weighting, inputs)
