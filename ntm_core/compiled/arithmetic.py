"""Elementary functions in float32 that vectorise, and plain loops over vectors.

exp, log and tanh are polynomials over a reduced range (Cephes), within two units in the last place.
"""

import math

from numpy import float32 as f32

from ntm_core.compiled.intrinsics import (
    Pointer,
    exponent,
    kernel,
    kernel_in_order,
    mantissa,
    maximum,
    off,
    power_of_two,
    rounded,
)


@kernel_in_order
def exp(x: f32) -> f32:
    """e^x; below -87 it is e^-87, above 88 it is e^88."""
    x = f32(-87) if x < f32(-87) else x
    x = f32(88) if x > f32(88) else x
    whole = rounded(x * f32(1.44269504))
    r = x - whole * f32(0.693359375)
    r = r + whole * f32(2.12194440e-4)
    p = f32(1.9875691500e-4) * r + f32(1.3981999507e-3)
    p = p * r + f32(8.3334519073e-3)
    p = p * r + f32(4.1665795894e-2)
    p = p * r + f32(1.6666665459e-1)
    p = p * r + f32(5.0000001201e-1)
    return (p * r * r + r + f32(1)) * power_of_two(whole)


@kernel_in_order
def log(x: f32) -> f32:
    """The natural logarithm of a positive normal number."""
    e, m = exponent(x), mantissa(x)
    low = m < f32(0.707106781)
    e = e - f32(1) if low else e
    m = (m + m if low else m) - f32(1)
    z = m * m
    p = f32(7.0376836292e-2) * m - f32(1.1514610310e-1)
    p = p * m + f32(1.1676998740e-1)
    p = p * m - f32(1.2420140846e-1)
    p = p * m + f32(1.4249322787e-1)
    p = p * m - f32(1.6668057665e-1)
    p = p * m + f32(2.0000714765e-1)
    p = p * m - f32(2.4999993993e-1)
    p = p * m + f32(3.3333331174e-1)
    y = m * z * p
    y = y - f32(2.12194440e-4) * e
    y = y - f32(0.5) * z
    return m + y + f32(0.693359375) * e


@kernel_in_order
def sigmoid(x: f32) -> f32:
    """1 / (1 + e^-x)."""
    return f32(1) / (f32(1) + exp(-x))


@kernel_in_order
def tanh(x: f32) -> f32:
    """The hyperbolic tangent: a polynomial near zero, where 1 - 2 / (e^2x + 1) would cancel."""
    z = x * x
    p = f32(-5.70498872745e-3) * z + f32(2.06390887954e-2)
    p = p * z - f32(5.37397155531e-2)
    p = p * z + f32(1.33314422036e-1)
    p = p * z - f32(3.33332819422e-1)
    near = p * z * x + x
    far = f32(1) - f32(2) / (exp(x + x) + f32(1))
    return near if z < f32(0.390625) else far


@kernel_in_order
def softplus(x: f32) -> f32:
    """log(1 + e^x), a few times a step: in double precision, by the C library."""
    linear = x if x > f32(0) else f32(0)
    return f32(linear + math.log1p(math.exp(-abs(x))))


@kernel_in_order
def clamped(x: f32, limit: f32) -> f32:
    """The number within ± limit; NaN stays NaN."""
    x = -limit if x < -limit else x
    return limit if x > limit else x


@kernel_in_order
def inside(x: f32, limit: f32) -> f32:
    """The derivative of `clamped`: 1 up to the limit, 0 beyond."""
    return f32(1) if abs(x) <= limit else f32(0)


@kernel
def copy(target: Pointer, source: Pointer, count: int) -> None:
    """Copy `count` numbers."""
    for i in range(count):
        target[i] = source[i]


@kernel
def zero(target: Pointer, count: int) -> None:
    """Set `count` numbers to zero."""
    for i in range(count):
        target[i] = f32(0)


@kernel
def scale(target: Pointer, factor: f32, count: int) -> None:
    """Multiply `count` numbers by one."""
    for i in range(count):
        target[i] *= factor


@kernel
def total(x: Pointer, count: int) -> f32:
    """The sum of `count` numbers."""
    result = f32(0)
    for i in range(count):
        result += x[i]
    return result


@kernel
def dot(x: Pointer, y: Pointer, count: int) -> f32:
    """The inner product of two vectors."""
    result = f32(0)
    for i in range(count):
        result += x[i] * y[i]
    return result


@kernel
def largest(x: Pointer, count: int) -> f32:
    """The largest of `count` numbers."""
    result = x[0]
    for i in range(count):
        result = maximum(result, x[i])
    return result


@kernel
def dot_rows(x: Pointer, matrix: Pointer, stride: int, rows: int, count: int, out: Pointer) -> None:
    """out[w] = the inner product of x with row w of the matrix, four rows at a time."""
    for block in range(rows // 4):
        w = 4 * block
        row0 = off(matrix, w * stride)
        row1, row2, row3 = off(row0, stride), off(row0, 2 * stride), off(row0, 3 * stride)
        sum0 = sum1 = sum2 = sum3 = f32(0)
        for n in range(count):
            sum0 += x[n] * row0[n]
            sum1 += x[n] * row1[n]
            sum2 += x[n] * row2[n]
            sum3 += x[n] * row3[n]
        out[w], out[w + 1], out[w + 2], out[w + 3] = sum0, sum1, sum2, sum3
    for w in range(rows // 4 * 4, rows):
        out[w] = dot(x, off(matrix, w * stride), count)


@kernel
def add_rows(matrix: Pointer, stride: int, factors: Pointer, rows: int, out: Pointer, count: int) -> None:
    """out[n] += the sum over w of factors[w] and row w of the matrix, four rows at a time."""
    for block in range(rows // 4):
        w = 4 * block
        row0 = off(matrix, w * stride)
        row1, row2, row3 = off(row0, stride), off(row0, 2 * stride), off(row0, 3 * stride)
        f0, f1, f2, f3 = factors[w], factors[w + 1], factors[w + 2], factors[w + 3]
        for n in range(count):
            out[n] += (f0 * row0[n] + f1 * row1[n]) + (f2 * row2[n] + f3 * row3[n])
    for w in range(rows // 4 * 4, rows):
        add_scaled(off(matrix, w * stride), factors[w], out, count)


@kernel
def add_scaled(x: Pointer, factor: f32, out: Pointer, count: int) -> None:
    """out[n] += factor x[n]."""
    for n in range(count):
        out[n] += factor * x[n]
