"""From raw numbers to head parameters: each nonlinearity by hand, its constraint, its gradient, and the layout."""

import math
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ntm_core import heads
from ntm_core.config import (
    EraseActivation,
    GateActivation,
    KeyStrengthActivation,
    SharpeningActivation,
    ShiftKernel,
    VectorActivation,
)
from ntm_core.heads import HeadLayout, head_parameters
from tests.core import naive
from tests.core.machines import DTYPES, configs, small_config

RAW = (-1e4, -100.0, -20.0, -3.0, -2.5, -1.0, -1e-30, 0.0, 1e-30, 0.5, 1.0, 2.5, 3.0, 20.0, 100.0, 1e4)


def tensor(values: object, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(values, dtype=dtype)


def close(found: Tensor, expected: object, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(found, tensor(expected), rtol=0, atol=tolerance)


def smooth_raw(count: int = 8) -> Tensor:
    """Raw values away from the kinks at 0, 1 and ±2.5."""
    return torch.linspace(-3.3, 3.2, count, dtype=torch.float64).requires_grad_()


# By hand


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("tanh", [-0.9640275800758169, 0, 0.46211715726000973, 0.9640275800758169]),
        ("identity", [-2, 0, 0.5, 2]),
        ("clip", [0, 0, 0.5, 1]),
        ("relu", [0, 0, 0.5, 2]),
        ("sigmoid", [0.11920292202211755, 0.5, 0.6224593312018546, 0.8807970779778823]),
    ],
)
def test_vectors_by_hand(activation: VectorActivation, expected: list[float]) -> None:
    close(heads.vector(tensor([-2, 0, 0.5, 2]), activation), expected)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("softplus", [math.log(2), math.log(4)]),  # ln(1 + e^x)
        ("exp", [1, 3]),
        ("relu", [0, math.log(3)]),
        ("scaled_sigmoid", [5, 7.5]),  # 10 · 3 / (3 + 1)
    ],
)
def test_key_strength_by_hand(activation: KeyStrengthActivation, expected: list[float]) -> None:
    close(heads.key_strength(tensor([0, math.log(3)]), activation), expected)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [("sigmoid", [0.5, 0.75, 0.25]), ("hard_sigmoid", [0.5, 0.7197224577336219, 0.28027754226637804])],
)
def test_gates_by_hand(activation: GateActivation, expected: list[float]) -> None:
    """At 0, ln 3 and -ln 3; the hard one is the line 0.2 x + 0.5."""
    raw = tensor([0, math.log(3), -math.log(3)])
    close(heads.interpolation_gate(raw, activation), expected)
    close(heads.erase_vector(raw, activation), expected)


def test_the_hard_sigmoid_reaches_its_ends_at_two_and_a_half() -> None:
    close(heads.hard_sigmoid(tensor([-9, -2.5, -1, 1, 2.5, 9])), [0, 0, 0.3, 0.7, 1, 1])


def test_erase_vectors_that_are_no_gates_by_hand() -> None:
    assert torch.equal(heads.erase_vector(tensor([-1, 5]), "none"), tensor([0, 0]))
    assert torch.equal(heads.erase_vector(tensor([-1, 5]), "ones"), tensor([1, 1]))
    assert torch.equal(heads.erase_vector(tensor([-1, 5]), "relu"), tensor([0, 5]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_exponential_key_strength_stops_where_it_has_decided_every_softmax(dtype: torch.dtype) -> None:
    found = heads.key_strength(torch.tensor([39.0, 40.0, 1e4], dtype=dtype), "exp")
    torch.testing.assert_close(found, torch.tensor([39.0, 40.0, 40.0], dtype=dtype).exp())


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("softplus", [1 + math.log(2), 1 + math.log(4), 1 + math.log(4 / 3)]),
        ("relu", [1, 1 + math.log(3), 1]),
        ("elu", [2, 2 + math.log(3), 2 + 1 / 3 - 1]),  # 1 + (elu + 1)
        ("scaled_sigmoid", [3, 4, 2]),  # 1 + 4 · ½, ¾, ¼
    ],
)
def test_sharpening_by_hand(activation: SharpeningActivation, expected: list[float]) -> None:
    close(heads.sharpened(tensor([0, math.log(3), -math.log(3)]), activation), expected)


def test_a_softmax_shift_by_hand() -> None:
    close(heads.shift_weighting(tensor([0, math.log(2), 0]), "softmax", 1), [0.25, 0.5, 0.25])


def test_other_kernels_over_the_taps_by_hand() -> None:
    """Softmax of relu: e^0, 2, e^0; of softplus: e^(ln 2) = 2, e^(ln 4) = 4, 2; ones: 1 at every tap."""
    close(heads.shift_weighting(tensor([-9, math.log(2), 0]), "softmax_of_relu", 1), [0.25, 0.5, 0.25])
    close(heads.shift_weighting(tensor([0, math.log(3), 0]), "softmax_of_softplus", 1), [0.25, 0.5, 0.25])
    close(heads.shift_weighting(tensor([-9, 1, 0]), "ones", 1), [1, 1, 1])


@pytest.mark.parametrize(
    ("reach", "where", "expected"),
    [
        (1, 0.0, [0, 1, 0]),
        (1, 0.25, [0, 0.75, 0.25]),
        (1, -0.25, [0.25, 0.75, 0]),
        (2, 1.5, [0, 0, 0, 0.5, 0.5]),
        (2, -1.25, [0.25, 0.75, 0, 0, 0]),
        (3, 2.0, [0, 0, 0, 0, 0, 1, 0]),
    ],
)
def test_a_fractional_shift_by_hand(reach: int, where: float, expected: list[float]) -> None:
    """One scalar x asks for a shift of R tanh(x) locations, shared between the whole shifts around it."""
    close(heads.shift_weighting(tensor([math.atanh(where / reach)]), "fractional", reach), expected)


# Constraints, at every raw value


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_parameter_keeps_its_constraint(dtype: torch.dtype) -> None:
    raw = torch.tensor(RAW, dtype=dtype)
    for strength in get_args(KeyStrengthActivation):
        beta = heads.key_strength(raw, strength)
        assert bool((beta >= 0).all() & torch.isfinite(beta).all()), strength
    for gate in get_args(GateActivation):
        g = heads.interpolation_gate(raw, gate)
        assert bool(((g >= 0) & (g <= 1)).all()), gate
    for erase in get_args(EraseActivation):
        e = heads.erase_vector(raw, erase)
        assert bool((e >= 0).all()), erase
        assert erase == "relu" or bool((e <= 1).all()), erase
    for sharpening in get_args(SharpeningActivation):
        gamma = heads.sharpened(raw, sharpening)
        assert bool(((gamma >= 1) & torch.isfinite(gamma)).all()), sharpening


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", [kernel for kernel in get_args(ShiftKernel) if kernel != "ones"])
@pytest.mark.parametrize("reach", [1, 2, 7, 256])
def test_a_shift_weighting_is_a_distribution(kernel: ShiftKernel, reach: int, dtype: torch.dtype) -> None:
    raw = torch.tensor(RAW, dtype=dtype).unsqueeze(-1)
    if kernel != "fractional":
        raw = raw * torch.linspace(-1, 1, 2 * reach + 1, dtype=dtype)
    s = heads.shift_weighting(raw, kernel, reach)
    assert s.shape == (len(RAW), 2 * reach + 1)
    assert bool((s >= 0).all())
    torch.testing.assert_close(s.sum(-1), torch.ones(len(RAW), dtype=dtype), rtol=0, atol=1e-5)


# Gradients, away from the kinks


@pytest.mark.parametrize("activation", get_args(VectorActivation))
def test_gradients_of_vectors(activation: VectorActivation) -> None:
    assert torch.autograd.gradcheck(lambda raw: heads.vector(raw, activation), smooth_raw())


@pytest.mark.parametrize("activation", get_args(KeyStrengthActivation))
def test_gradients_of_key_strength(activation: KeyStrengthActivation) -> None:
    assert torch.autograd.gradcheck(lambda raw: heads.key_strength(raw, activation), smooth_raw())


@pytest.mark.parametrize("activation", get_args(GateActivation))
def test_gradients_of_gates_and_erase_vectors(activation: GateActivation) -> None:
    assert torch.autograd.gradcheck(lambda raw: heads.interpolation_gate(raw, activation), smooth_raw())
    assert torch.autograd.gradcheck(lambda raw: heads.erase_vector(raw, activation), smooth_raw())


@pytest.mark.parametrize("activation", get_args(SharpeningActivation))
def test_gradients_of_sharpening(activation: SharpeningActivation) -> None:
    assert torch.autograd.gradcheck(lambda raw: heads.sharpened(raw, activation), smooth_raw())


@pytest.mark.parametrize("reach", [1, 3])
def test_gradients_of_shift_weightings(reach: int) -> None:
    taps = smooth_raw(2 * reach + 1)
    assert torch.autograd.gradcheck(lambda raw: heads.shift_weighting(raw, "softmax", reach), taps)
    scalars = smooth_raw().unsqueeze(-1).detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda raw: heads.shift_weighting(raw, "fractional", reach), scalars)


# Layout


def test_a_head_that_reads_and_writes_is_asked_once() -> None:
    """W = 4, R = 1, 2 heads: 2 (4 + 1 + 1 + 3 + 1) + 2 (4 + 4) = 36; both halves of the head axis are alike."""
    config = small_config(head_roles="read_and_write", read_heads=2, write_heads=2)
    assert HeadLayout.of(config).size == 36
    found = head_parameters(config, torch.arange(36.0).unsqueeze(0) / 10)
    for part in (found.key, found.key_strength, found.interpolation_gate, found.shift_weighting, found.sharpening):
        assert torch.equal(part[:, :2], part[:, 2:])
        assert not torch.equal(part[:, 0], part[:, 1])


def test_the_layout_counts_every_raw_parameter() -> None:
    """W = 4, R = 2, 2 + 1 heads: 3 (4 + 1 + 1 + 5 + 1) + 1 (4 + 4) = 44; fractional: 3 (4 + 1 + 1 + 1 + 1) + 8 = 32."""
    assert HeadLayout.of(small_config(read_heads=2, shift_range=2)).size == 44
    assert HeadLayout.of(small_config(read_heads=2, shift_range=2, shift_kernel="fractional")).size == 32


def test_raw_parameters_stand_head_by_head_then_the_write_vectors() -> None:
    """Raw values counted up from 0 land where the layout says: read 0, write 0, write 1, then (erase, add) twice."""
    config = small_config(
        word_size=2,
        write_heads=2,
        clip=None,
        key_strength_activation="relu",
        sharpening_activation="relu",
        key_activation="identity",
        add_activation="identity",
        erase_activation="sigmoid",
    )
    raw = torch.arange(3 * 8 + 2 * 4, dtype=torch.float64)
    found = head_parameters(config, raw.unsqueeze(0))
    close(found.key, [[[0, 1], [8, 9], [16, 17]]])
    close(found.key_strength, [[2, 10, 18]])
    close(found.interpolation_gate, [[naive.sigmoid(3), naive.sigmoid(11), naive.sigmoid(19)]])
    close(found.shift_weighting, [[naive.softmax([4, 5, 6])] * 3])
    close(found.sharpening, [[8, 16, 24]])
    close(found.erase_vector, [[[naive.sigmoid(24), naive.sigmoid(25)], [naive.sigmoid(28), naive.sigmoid(29)]]])
    close(found.add_vector, [[[26, 27], [30, 31]]])


def test_raw_parameters_are_clipped_before_their_nonlinearities() -> None:
    config = small_config(clip=1.5, key_strength_activation="relu", sharpening_activation="relu")
    found = head_parameters(config, torch.full((1, HeadLayout.of(config).size), 9.0))
    assert bool((found.key == 1.5).all() & (found.add_vector == 1.5).all())
    assert bool((found.key_strength == 1.5).all() & (found.sharpening == 2.5).all())
    close(found.interpolation_gate.double(), [[naive.sigmoid(1.5)] * 2], 1e-6)


@given(configs(), st.integers(0, 99))
@settings(max_examples=40)
def test_shapes_and_constraints_of_any_config(config: Any, seed: int) -> None:
    raw = 10 * torch.randn(3, HeadLayout.of(config).size, generator=torch.Generator().manual_seed(seed))
    found = head_parameters(config, raw)
    w, e = config.word_size, config.write_heads
    assert found.key.shape == (3, config.heads, w)
    assert found.shift_weighting.shape == (3, config.heads, 2 * config.shift_range + 1)
    assert found.erase_vector.shape == found.add_vector.shape == (3, e, w)
    assert found.key_strength.shape == found.interpolation_gate.shape == found.sharpening.shape == (3, config.heads)
    assert bool((found.key_strength >= 0).all() & (found.sharpening >= 1).all())
    assert bool(((found.interpolation_gate >= 0) & (found.interpolation_gate <= 1)).all())
    assert bool((found.erase_vector >= 0).all())
    assert config.erase_activation == "relu" or bool((found.erase_vector <= 1).all())
    total = 2 * config.shift_range + 1 if config.shift_kernel == "ones" else 1
    torch.testing.assert_close(
        found.shift_weighting.sum(-1), torch.full((3, config.heads), total), rtol=0, atol=1e-5, check_dtype=False
    )
