"""M_0, w_0 and r_0: every alternative, what of it is learned, saved, or neither."""

from typing import Any

import pytest
import torch

from ntm_core.initial import Initial
from tests.core.machines import DTYPES, small_config, stirred

LIKE = torch.zeros(1, dtype=torch.float64)


def initial(**changes: Any) -> Initial:
    torch.manual_seed(0)
    return Initial(small_config(**changes)).double()


def memory_of(found: Initial) -> torch.Tensor:
    """M_0 of one sequence."""
    return found.memory(LIKE)[0]


def read_of(found: Initial) -> torch.Tensor:
    """r_0 of one sequence."""
    return found.read(found.memory(LIKE), found.weighting(LIKE))[0]


def set_to(parameter: torch.Tensor | None, value: torch.Tensor) -> None:
    assert parameter is not None
    with torch.no_grad():
        parameter.copy_(value)


def test_a_constant_memory_is_not_stored() -> None:
    found = initial(initial_memory="constant")
    assert torch.equal(memory_of(found), torch.full((5, 4), 1e-6, dtype=torch.float64))
    assert not [name for name in found.state_dict() if "memory" in name]
    assert initial(initial_memory="constant", initial_memory_value=0.5).memory(LIKE)[0, 4, 3] == 0.5


def test_a_zero_memory_is_not_stored() -> None:
    found = initial(initial_memory="zeros", initial_memory_value=3.0)
    assert torch.equal(memory_of(found), torch.zeros(5, 4, dtype=torch.float64))
    assert not [name for name in found.state_dict() if "memory" in name]


def test_a_trainable_constant_starts_constant_and_learns() -> None:
    found = initial(initial_memory="trainable_constant", initial_memory_value=0.25)
    assert torch.equal(memory_of(found), torch.full((5, 4), 0.25, dtype=torch.float64))
    assert memory_of(found).requires_grad


@pytest.mark.parametrize(("choice", "expected"), [("learned", 0.5), ("learned_tanh", 0.46211715726)])
def test_a_learned_memory_is_its_parameter_through_its_nonlinearity(choice: str, expected: float) -> None:
    found = initial(initial_memory=choice)
    set_to(found.memory_value, torch.full((5, 4), 0.5))
    torch.testing.assert_close(memory_of(found), torch.full((5, 4), expected, dtype=torch.float64), rtol=0, atol=1e-7)
    assert memory_of(found).requires_grad


def test_a_learned_sigmoid_memory() -> None:
    """σ(ln 3) = ¾."""
    found = initial(initial_memory="learned_sigmoid")
    set_to(found.memory_value, torch.full((5, 4), 3.0, dtype=torch.float64).log())
    torch.testing.assert_close(memory_of(found), torch.full((5, 4), 0.75, dtype=torch.float64))


@pytest.mark.parametrize("choice", ["random_normal", "random_uniform"])
def test_a_random_memory_is_frozen_and_saved(choice: str) -> None:
    found = initial(initial_memory=choice)
    assert not memory_of(found).requires_grad
    assert torch.equal(memory_of(found), found.state_dict()["memory_value"])
    assert not torch.equal(memory_of(found)[0], memory_of(found)[1])


def test_the_spread_of_random_memories() -> None:
    """Normal: the standard deviation asked for. Uniform: within ±1/√(N + W), and reaching near it."""
    sizes = {"memory_size": 60, "word_size": 40}
    normal = initial(initial_memory="random_normal", initial_memory_scale=2.0, **sizes).memory(LIKE)
    assert abs(float(normal.mean())) < 0.15
    assert float(normal.std()) == pytest.approx(2.0, rel=0.05)
    uniform = initial(initial_memory="random_uniform", **sizes).memory(LIKE)
    assert 0.098 < float(uniform.max()) <= 0.1
    assert -0.1 <= float(uniform.min()) < -0.098


@pytest.mark.parametrize("dtype", DTYPES)
def test_learned_weightings_are_a_softmax_of_their_logits(dtype: torch.dtype) -> None:
    """Logits ln 2, 0, 0, 0, 0: 2/6 and 1/6. Decaying: location i loses another i, so e^-1 … e^-4 beside 2."""
    logits = torch.zeros(2, 5, dtype=dtype)
    logits[:, 0] = torch.tensor(2.0).log()
    plain, decaying = (initial(initial_weighting=choice).to(dtype) for choice in ("learned", "learned_decaying"))
    set_to(plain.weighting_logits, logits)
    set_to(decaying.weighting_logits, logits)
    expected = torch.tensor([2, 1, 1, 1, 1], dtype=dtype) / 6
    torch.testing.assert_close(plain.weighting(logits), expected.expand(2, 5))
    powers = torch.tensor([2, 0.36787944117, 0.13533528324, 0.04978706837, 0.01831563889], dtype=dtype)
    torch.testing.assert_close(decaying.weighting(logits), (powers / powers.sum()).expand(2, 5))


@pytest.mark.parametrize(
    ("choice", "expected"), [("one_hot", [1, 0, 0, 0, 0]), ("uniform", [0.2] * 5), ("zeros", [0] * 5)]
)
def test_fixed_weightings_are_not_stored(choice: str, expected: list[float]) -> None:
    found = initial(initial_weighting=choice)
    assert torch.equal(found.weighting(LIKE), torch.tensor([expected] * 2, dtype=torch.float64))
    assert not [name for name in found.state_dict() if "weighting" in name]


def test_each_head_learns_its_own_weighting() -> None:
    found = initial(read_heads=2, write_heads=2).weighting(LIKE)
    assert found.shape == (4, 5)
    assert len({tuple(row.tolist()) for row in found}) == 4


def test_the_scale_of_the_first_logits() -> None:
    logits = initial(memory_size=4000, initial_weighting_scale=3.0).weighting_logits
    assert logits is not None
    assert float(logits.detach().std()) == pytest.approx(3.0, rel=0.05)
    assert torch.equal(
        initial(initial_weighting_scale=0.0).weighting(LIKE), torch.full((2, 5), 0.2, dtype=torch.float64)
    )


def test_zero_reads_are_not_stored() -> None:
    found = initial(initial_read="zeros", read_heads=2)
    assert torch.equal(read_of(found), torch.zeros(2, 4, dtype=torch.float64))
    assert not [name for name in found.state_dict() if "read" in name]


@pytest.mark.parametrize(("choice", "expected"), [("learned", 0.5), ("learned_tanh", 0.46211715726)])
def test_learned_reads(choice: str, expected: float) -> None:
    found = initial(initial_read=choice, read_heads=2)
    set_to(found.read_value, torch.full((2, 4), 0.5))
    torch.testing.assert_close(read_of(found), torch.full((2, 4), expected, dtype=torch.float64), rtol=0, atol=1e-7)
    assert read_of(found).requires_grad


def test_random_reads_are_frozen_and_saved() -> None:
    found = initial(initial_read="random", read_heads=2)
    assert not read_of(found).requires_grad
    assert torch.equal(read_of(found), found.state_dict()["read_value"])
    assert bool((read_of(found).abs() < 1).all())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("memory", ["constant", "zeros", "trainable_constant", "learned_tanh", "random_normal"])
@pytest.mark.parametrize("weighting", ["learned_decaying", "one_hot", "uniform", "zeros"])
@pytest.mark.parametrize("read", ["zeros", "learned_tanh", "random"])
def test_everything_has_the_dtype_of_the_machine(memory: str, weighting: str, read: str, dtype: torch.dtype) -> None:
    config = small_config(initial_memory=memory, initial_weighting=weighting, initial_read=read)
    state = stirred(config, dtype=dtype).initial_state(2)
    assert state.memory.dtype == state.weighting.dtype == state.read_vector.dtype == dtype


# Given, drawn anew, or read from the memory


def test_what_is_given_is_saved_and_does_not_learn() -> None:
    found = initial(initial_memory="given", initial_weighting="given", initial_memory_value=0.5)
    assert not list(found.parameters())[1:]
    set_to(found.memory_value, torch.arange(20.0).view(5, 4))
    set_to(found.weighting_value, torch.arange(10.0).view(2, 5))
    assert torch.equal(memory_of(found), torch.arange(20.0, dtype=torch.float64).view(5, 4))
    assert torch.equal(found.weighting(LIKE), torch.arange(10.0, dtype=torch.float64).view(2, 5))
    assert {"memory_value", "weighting_value"} <= set(found.state_dict())


def test_reads_from_the_memory() -> None:
    """w_0 one-hot at row 0 reads row 0."""
    found = initial(initial_memory="learned", initial_weighting="one_hot", initial_read="from_memory", read_heads=2)
    assert torch.equal(read_of(found), memory_of(found)[:1].expand(2, 4))


@pytest.mark.parametrize("choice", ["fresh_uniform", "fresh_tanh_normal"])
def test_fresh_reads_differ_by_sequence_and_by_seed(choice: str) -> None:
    machine = stirred(small_config(initial_read=choice, read_heads=2))
    one, again, other = (machine.initial_state(3, seed).read_vector for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert len({tuple(row.tolist()) for row in one.flatten(0, 1)}) == 6
    assert not [name for name in machine.state_dict() if "read" in name]


def test_the_first_sequence_of_a_batch_starts_as_one_alone() -> None:
    machine = stirred(small_config(initial_memory="fresh_uniform", initial_read="fresh_uniform"))
    alone, batch = machine.initial_state(1, 4), machine.initial_state(3, 4)
    assert torch.equal(alone.memory[0], batch.memory[0])
    assert torch.equal(alone.read_vector[0], batch.read_vector[0])


def test_without_a_seed_fresh_draws_follow_the_global_random_state() -> None:
    machine = stirred(small_config(initial_memory="fresh_uniform"))
    torch.manual_seed(1)
    one, other = machine.initial_state().memory, machine.initial_state().memory
    torch.manual_seed(1)
    assert torch.equal(one, machine.initial_state().memory)
    assert not torch.equal(one, other)


def test_the_spread_of_a_fresh_memory() -> None:
    """Within ±1/√(N + W) = ±0.1."""
    memory = stirred(small_config(memory_size=60, word_size=40, initial_memory="fresh_uniform")).initial_state(1, 0)
    assert 0.098 < float(memory.memory.max()) <= 0.1
    assert -0.1 <= float(memory.memory.min()) < -0.098


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_is_none_is_refused(seed: int) -> None:
    machine = stirred(small_config(initial_memory="fresh_uniform"))
    with pytest.raises(ValueError, match=f"the seed of the initial state is {seed}: it must be 0 … 4294967295"):
        machine.initial_state(1, seed)
