from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from ntm_core.compiled.intrinsics import at
from ntm_core.compiled.product import bias_gradient, pack, product, weight_gradient

SENTINEL = np.float32(-77)


def compiled(function: Callable[..., None]) -> Callable[..., None]:
    entry: Callable[..., None] = numba.njit(function)
    return entry


@compiled
def multiplied(rows: int, x: int, depth: int, weight: int, columns: int, packed: int, y: int, stride: int) -> None:
    pack(at(weight, 0), columns, 1, depth, columns, at(packed, 0))
    product(rows, at(x, 0), depth, depth, at(packed, 0), columns, at(y, 0), stride)


@compiled
def summed(
    rows: int, sums: int, units: int, inputs: int, columns: int, out: int, bias: int, second: int, spare: int
) -> None:
    weight_gradient(rows, at(sums, 0), units, units, at(inputs, 0), columns, at(out, 0), columns, at(spare, 0))
    bias_gradient(rows, at(sums, 0), units, units, bias, second, at(spare, 0))


def numbers(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.RandomState(0).standard_normal(shape).astype(np.float32)


def address(array: np.ndarray[Any, Any]) -> int:
    return array.ctypes.data


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(("depth", "columns"), [(1, 1), (5, 16), (29, 70), (100, 129)])
def test_a_product_is_added_to_what_is_there(rows: int, depth: int, columns: int) -> None:
    stride = -(-columns // 16) * 16
    x, weight, packed = numbers(rows, depth), numbers(depth, columns), np.zeros(depth * stride, np.float32)
    y = np.full((rows + 1, stride), SENTINEL)
    y[:rows] = 1
    multiplied(rows, address(x), depth, address(weight), columns, address(packed), address(y), stride)
    np.testing.assert_allclose(y[:rows, :columns], 1 + x @ weight, rtol=1e-5, atol=1e-5)
    assert (y[rows] == SENTINEL).all()


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 200])
@pytest.mark.parametrize(("units", "columns"), [(1, 1), (6, 16), (33, 50)])
def test_sums_over_the_rows_are_added_to_the_gradients_of_weights_and_biases(
    rows: int, units: int, columns: int
) -> None:
    sums, inputs = numbers(rows, units), numbers(rows, columns)
    out, bias, second = (np.full(size, SENTINEL) for size in (units * columns + 1, units + 1, units + 1))
    out[:-1], bias[:-1], second[:-1] = 1, 2, 3
    spare = np.zeros((units + 64) * (-(-columns // 16) * 16), np.float32)
    given = (rows, address(sums), units, address(inputs), columns, address(out))
    summed(*given, address(bias), address(second), address(spare))
    np.testing.assert_allclose(out[:-1].reshape(units, columns), 1 + sums.T @ inputs, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(bias[:-1], 2 + sums.sum(0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(second[:-1], 3 + sums.sum(0), rtol=1e-4, atol=1e-4)
    summed(*given, 0, 0, address(spare))
    np.testing.assert_allclose(bias[:-1], 2 + sums.sum(0), rtol=1e-4, atol=1e-4)
    assert out[-1] == bias[-1] == second[-1] == SENTINEL
