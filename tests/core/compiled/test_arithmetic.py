from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from ntm_core.compiled import arithmetic


def over(function: Callable[..., Any]) -> Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    """The kernel's function, for an array of float32."""

    @numba.njit
    def loop(x: Any) -> Any:
        out = np.empty_like(x)
        for i in range(len(x)):
            out[i] = function(x[i])
        return out

    return lambda x: loop(x.astype(np.float32))


@pytest.mark.parametrize(
    ("name", "low", "high", "exact"),
    [
        ("exp", -86.0, 87.0, np.exp),
        ("tanh", -12.0, 12.0, np.tanh),
        ("sigmoid", -30.0, 30.0, lambda x: 1 / (1 + np.exp(-x))),
        ("softplus", -30.0, 30.0, lambda x: np.logaddexp(0, x)),
    ],
)
def test_a_function_is_exact_to_a_few_units_in_the_last_place(
    name: str, low: float, high: float, exact: Callable[..., Any]
) -> None:
    x = np.concatenate([np.linspace(low, high, 100_001), np.linspace(-1e-3, 1e-3, 1001)]).astype(np.float32)
    np.testing.assert_allclose(over(getattr(arithmetic, name))(x), exact(x.astype(np.float64)), rtol=4e-7, atol=1e-37)


def test_the_logarithm_is_exact_from_the_smallest_weight_to_the_largest_number() -> None:
    x = np.exp(np.linspace(np.log(1.2e-38), 88.0, 100_001)).astype(np.float32)
    np.testing.assert_allclose(over(arithmetic.log)(x), np.log(x.astype(np.float64)), rtol=2e-7, atol=1e-7)


def test_what_is_not_a_number_stays_so() -> None:
    for name in ("exp", "tanh", "sigmoid", "softplus"):
        assert np.isnan(over(getattr(arithmetic, name))(np.array([np.nan]))).all(), name
