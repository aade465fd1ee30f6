"""Updates of all parameters at once, each in one pass over memory where PyTorch makes five.

Arrays are float32, one number a parameter: the values, their gradient, its mean square and the velocity. Each operation
is rounded by itself. `scale` multiplies the gradient first, which clips it.
"""

import functools
import math
from typing import Any

import numpy as np
from numpy import float32 as f32
from numpy import float64 as f64
from numpy.typing import NDArray

from ntm_core.compiled.intrinsics import cached

Numbers = NDArray[np.float32]


def _pass(function: Any, fastmath: Any = False) -> Any:
    return cached(function, fastmath=fastmath, nogil=True, error_model="numpy", no_cfunc_wrapper=True)


@functools.partial(_pass, fastmath={"reassoc"})
def norm(gradient: Numbers) -> float:
    """The Euclidean norm, in float64, where the square of no float32 overflows; several sums side by side."""
    total = 0.0
    for i in range(len(gradient)):
        total += f64(gradient[i]) * f64(gradient[i])
    return math.sqrt(total)


@_pass
def rmsprop(
    values: Numbers,
    gradient: Numbers,
    mean_square: Numbers,
    velocity: Numbers,
    scale: float,
    decay: float,
    momentum: float,
    epsilon: float,
    length: float,
) -> None:
    """RMSprop with momentum, as `training.rmsprop` has it; `length` is the learning rate."""
    kept, new, moving = f32(decay), f32(1 - decay), f32(momentum)
    for i in range(len(values)):
        slope = f32(scale) * gradient[i]
        square = kept * mean_square[i] + new * (slope * slope)
        speed = moving * velocity[i] + slope / (f32(math.sqrt(square)) + f32(epsilon))
        mean_square[i], velocity[i] = square, speed
        values[i] -= f32(length) * speed


@_pass
def adam(
    values: Numbers,
    gradient: Numbers,
    mean_square: Numbers,
    velocity: Numbers,
    scale: float,
    decay: float,
    momentum: float,
    epsilon: float,
    length: float,
    correction: float,
) -> None:
    """Adam, as `training.adam` has it; the root of the mean square is divided by `correction`."""
    kept, new, turning = f32(decay), f32(1 - decay), f32(1 - momentum)
    for i in range(len(values)):
        slope = f32(scale) * gradient[i]
        square = kept * mean_square[i] + new * (slope * slope)
        speed = velocity[i] + turning * (slope - velocity[i])
        mean_square[i], velocity[i] = square, speed
        values[i] -= f32(length) * (speed / (f32(math.sqrt(square)) / f32(correction) + f32(epsilon)))
