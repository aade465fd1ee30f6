"""Equations 6-8: worked by hand, against the naive loops, in both orders of several write heads."""

from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ntm_core.config import WriteOrder
from ntm_core.memory import added_memory, erased_memory, read_vectors, written_memory
from tests.core import naive

ORDERS: tuple[WriteOrder, ...] = get_args(WriteOrder)


def tensor(values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_reading_by_hand() -> None:
    """w = (½, ¼, ¼) over rows (4, 0), (8, 4), (0, 12): (2 + 2 + 0, 0 + 1 + 3). A one-hot head reads its row."""
    memory = tensor([[[4, 0], [8, 4], [0, 12]]])
    found = read_vectors(memory, tensor([[[0.5, 0.25, 0.25], [0, 1, 0]]]))
    assert torch.equal(found, tensor([[[4, 4], [8, 4]]]))


def test_erasing_by_hand() -> None:
    """w = (1, ½), e = (1, ½): row 0 keeps (0, ½), row 1 keeps (½, ¾)."""
    found = erased_memory(tensor([[[4, 8], [4, 8]]]), tensor([[1, 0.5]]), tensor([[1, 0.5]]))
    assert torch.equal(found, tensor([[[0, 4], [2, 6]]]))


def test_adding_by_hand() -> None:
    """w = (1, ½), a = (2, -4)."""
    found = added_memory(tensor([[[1, 1], [1, 1]]]), tensor([[1, 0.5]]), tensor([[2, -4]]))
    assert torch.equal(found, tensor([[[3, -3], [2, -1]]]))


@pytest.mark.parametrize(
    ("order", "expected"),
    # One cell of 8. Head 0: w = 1, e = ½, a = 4. Head 1: w = ½, e = 1, a = 2.
    [
        ("erases_then_adds", 7.0),  # 8 · ½ · ½ + 4 + 1
        ("one_by_one", 5.0),  # (8 · ½ + 4) · ½ + 1
    ],
)
def test_two_write_heads_by_hand(order: WriteOrder, expected: float) -> None:
    found = written_memory(tensor([[[8]]]), tensor([[[1], [0.5]]]), tensor([[[0.5], [1]]]), tensor([[[4], [2]]]), order)
    assert found.item() == expected


@pytest.mark.parametrize("heads", [1, 2, 3])
@pytest.mark.parametrize("order", ORDERS)
def test_writing_is_what_the_naive_loop_computes(order: WriteOrder, heads: int) -> None:
    memory, where = draw(2, 5, 3), draw(2, heads, 5, seed=1).softmax(-1)
    erase, add = draw(2, heads, 3, seed=2).sigmoid(), draw(2, heads, 3, seed=3)
    found = written_memory(memory, where, erase, add, order)
    for b in range(2):
        expected = memory[b].tolist()
        writes = list(zip(where[b].tolist(), erase[b].tolist(), add[b].tolist(), strict=True))
        if order == "one_by_one":
            for w, e, a in writes:
                expected = naive.added(naive.erased(expected, w, e), w, a)
        else:
            for w, e, _ in writes:
                expected = naive.erased(expected, w, e)
            for w, _, a in writes:
                expected = naive.added(expected, w, a)
        torch.testing.assert_close(found[b], tensor(expected), rtol=1e-14, atol=1e-14)


def test_one_write_head_knows_no_order() -> None:
    memory, where, erase, add = draw(1, 5, 3), draw(1, 1, 5).softmax(-1), draw(1, 1, 3).sigmoid(), draw(1, 1, 3)
    results = [written_memory(memory, where, erase, add, order) for order in ORDERS]
    assert torch.equal(*results)


@given(st.integers(1, 6), st.integers(0, 99))
@settings(max_examples=40)
def test_reading_is_what_the_naive_loop_computes(size: int, seed: int) -> None:
    memory, where = draw(1, size, 3, seed=seed), draw(1, 2, size, seed=seed + 1).softmax(-1)
    expected = [[naive.read(memory[0].tolist(), w) for w in where[0].tolist()]]
    torch.testing.assert_close(read_vectors(memory, where), tensor(expected), rtol=1e-13, atol=1e-13)


@given(st.integers(1, 6), st.integers(0, 99))
@settings(max_examples=40)
def test_writing_fully_then_reading_gives_back_the_written_row(size: int, seed: int) -> None:
    """w one-hot, e = 1: the row becomes a, exactly, and no other row changes."""
    memory, add = draw(1, size, 3, seed=seed), draw(1, 1, 3, seed=seed + 1)
    where = torch.eye(size, dtype=torch.float64)[seed % size].expand(1, 1, size)
    written = written_memory(memory, where, torch.ones_like(add), add)
    assert torch.equal(read_vectors(written, where), add)
    others = torch.arange(size) != seed % size
    assert torch.equal(written[:, others], memory[:, others])


@pytest.mark.parametrize("order", ORDERS)
def test_writing_leaves_the_memory_it_was_given(order: WriteOrder) -> None:
    memory, where, erase, add = draw(1, 5, 3), draw(1, 2, 5).softmax(-1), draw(1, 2, 3).sigmoid(), draw(1, 2, 3)
    before = memory.clone()
    written_memory(memory, where, erase, add, order)
    assert torch.equal(memory, before)


@pytest.mark.parametrize("order", ORDERS)
def test_every_write_operation_is_rounded_once(order: WriteOrder) -> None:
    """In float32, cell by cell with one rounding an operation: the bits that a reader of a trace rebuilds."""
    memory, where = draw(1, 4, 3, dtype=torch.float32), draw(1, 2, 4, seed=1, dtype=torch.float32).softmax(-1)
    erase, add = draw(1, 2, 3, seed=2, dtype=torch.float32).sigmoid(), draw(1, 2, 3, seed=3, dtype=torch.float32)
    found = written_memory(memory, where, erase, add, order)

    def rounded(value: float) -> float:
        return float(torch.tensor(value, dtype=torch.float64).float())

    for i in range(4):
        for j in range(3):
            cell = float(memory[0, i, j])
            keep = [rounded(1 - rounded(float(where[0, h, i]) * float(erase[0, h, j]))) for h in range(2)]
            more = [rounded(float(where[0, h, i]) * float(add[0, h, j])) for h in range(2)]
            if order == "one_by_one":
                for h in range(2):
                    cell = rounded(rounded(cell * keep[h]) + more[h])
            else:
                cell = rounded(rounded(cell * keep[0]) * keep[1])
                cell = rounded(rounded(cell + more[0]) + more[1])
            assert cell == float(found[0, i, j])


def test_gradients_of_reading_erasing_and_adding() -> None:
    memory, where = draw(2, 4, 3).requires_grad_(), draw(2, 4, seed=1).softmax(-1).requires_grad_()
    vector = draw(2, 3, seed=2).sigmoid().requires_grad_()
    assert torch.autograd.gradcheck(lambda m, w: read_vectors(m, w.unsqueeze(1)), (memory, where))
    assert torch.autograd.gradcheck(erased_memory, (memory, where, vector))
    assert torch.autograd.gradcheck(added_memory, (memory, where, vector))


@pytest.mark.parametrize("order", ORDERS)
def test_gradients_of_writing(order: WriteOrder) -> None:
    inputs = (draw(2, 4, 3), draw(2, 2, 4).softmax(-1), draw(2, 2, 3).sigmoid(), draw(2, 2, 3, seed=1))
    leaves = tuple(value.requires_grad_() for value in inputs)
    assert torch.autograd.gradcheck(lambda m, w, e, a: written_memory(m, w, e, a, order), leaves)
