"""Addressing of one head of one sequence, equations 1-5, and its backward pass.

Every function runs over the locations; `locations` is N. A gradient is called `d_` and the name of what it is by. A
similarity's backward pass leaves a row `by_dot` and adds to a row `by_cell`, which stand for the gradients

    dk    = Σ_i by_dot(i) M(i) + by_key k           dM(i) = by_dot(i) k + by_cell(i) M(i)

Equations 3 and 4 are rounded as eager mode rounds them, so that whoever knows what they start from knows their bits.

For the correlation (pearson), k and M(i) stand here for what is left of them without their means over the words.
"""

import math

from numpy import float32 as f32

from ntm_core.compiled.arithmetic import (
    add_rows,
    add_scaled,
    copy,
    dot,
    dot_rows,
    exp,
    largest,
    log,
    scale,
    total,
    zero,
)
from ntm_core.compiled.intrinsics import Pointer, kernel, kernel_inlined, kernel_to_the_bit, off
from ntm_core.compiled.layout import CONTENT, GATED, SHIFTED, WEIGHTING, Choices, Sizes

FLOOR = f32(1e-30)
"""Below this a weight counts as zero in eq. 5, as in eager mode; here also in what eq. 1 and 5 give."""

PEARSON = 4


@kernel
def memory_norms(s: Sizes, c: Choices, memory: Pointer, norms: Pointer, means: Pointer) -> None:
    """The norm of each location's row, for a correlation less its mean over the words; and that mean."""
    if c.similarity == 0:
        zero(norms, s.locations)
        for w in range(s.words // 4 * 4, s.words):
            add_squares(off(memory, w * s.row), norms, s.locations)
        for block in range(s.words // 4):
            add_four_squares(off(memory, 4 * block * s.row), s.row, norms, s.locations)
        roots(norms, s.locations)
    elif c.similarity == PEARSON:
        zero(norms, s.locations)
        zero(means, s.locations)
        for w in range(s.words):
            add_scaled(off(memory, w * s.row), f32(1) / f32(s.words), means, s.locations)
        for w in range(s.words):
            add_squared_differences(off(memory, w * s.row), means, norms, s.locations)
        roots(norms, s.locations)
        for n in range(s.locations):
            norms[n] = f32(0) if norms[n] <= noise(means[n], s.words) else norms[n]


@kernel
def noise(mean: f32, words: int) -> f32:
    """What rounding may leave of the norm of a row that is one number W times, less its mean."""
    return f32(words) * math.sqrt(f32(words)) * f32(1.1920929e-7) * abs(mean)


@kernel
def add_squares(x: Pointer, out: Pointer, locations: int) -> None:
    """out(i) += x(i)^2."""
    for n in range(locations):
        out[n] += x[n] * x[n]


@kernel
def add_squared_differences(x: Pointer, y: Pointer, out: Pointer, locations: int) -> None:
    """out(i) += (x(i) - y(i))^2."""
    for n in range(locations):
        out[n] += (x[n] - y[n]) * (x[n] - y[n])


@kernel
def add_four_squares(x: Pointer, row: int, out: Pointer, locations: int) -> None:
    """out(i) += the squares of four rows."""
    row1, row2, row3 = off(x, row), off(x, 2 * row), off(x, 3 * row)
    for n in range(locations):
        out[n] += (x[n] * x[n] + row1[n] * row1[n]) + (row2[n] * row2[n] + row3[n] * row3[n])


@kernel
def roots(x: Pointer, locations: int) -> None:
    """x(i) becomes its square root."""
    for n in range(locations):
        x[n] = math.sqrt(x[n])


@kernel
def similarity(
    s: Sizes, c: Choices, memory: Pointer, norms: Pointer, means: Pointer, key: Pointer, key_norm: f32, out: Pointer
) -> None:
    """K[k, M(i)] (eq. 2)."""
    zero(out, s.locations)
    if c.similarity == 3:
        negative_distance(memory, s.row, key, s.words, out, s.locations)
        return
    if c.similarity == PEARSON:
        add_centred_rows(s, memory, norms, means, key, out)
    else:
        add_rows(memory, s.row, key, s.words, out, s.locations)
    if c.similarity == 2:
        scale(out, f32(1) / math.sqrt(f32(s.words)), s.locations)
    elif c.similarity != 1:
        epsilon = f32(c.epsilon)
        if c.similarity_epsilon_placement == 0:
            divide_by_each_norm(out, norms, key_norm, epsilon, s.locations)
        else:
            divide_by_norm_product(out, norms, key_norm, epsilon, c.similarity_epsilon_placement, s.locations)


@kernel
def add_centred_rows(s: Sizes, memory: Pointer, norms: Pointer, means: Pointer, key: Pointer, out: Pointer) -> None:
    """out(i) += k·(M(i) - its mean), and becomes 0 where the row is its mean throughout."""
    for w in range(s.words):
        cells, number = off(memory, w * s.row), key[w]
        for n in range(s.locations):
            out[n] += number * (cells[n] - means[n])
    for n in range(s.locations):
        out[n] = out[n] if norms[n] > f32(0) else f32(0)


@kernel
def negative_distance(memory: Pointer, row: int, key: Pointer, words: int, out: Pointer, locations: int) -> None:
    """-|k - M(i)|."""
    for w in range(words):
        cells, number = off(memory, w * row), key[w]
        for n in range(locations):
            out[n] += (number - cells[n]) * (number - cells[n])
    for n in range(locations):
        out[n] = -math.sqrt(out[n])


@kernel
def divide_by_each_norm(out: Pointer, norms: Pointer, key_norm: f32, epsilon: f32, locations: int) -> None:
    """k·M(i) / max(|k|, ε) / max(|M(i)|, ε)."""
    factor = f32(1) / max(key_norm, epsilon)
    for n in range(locations):
        out[n] = out[n] * factor / max(norms[n], epsilon)


@kernel
def divide_by_norm_product(
    out: Pointer, norms: Pointer, key_norm: f32, epsilon: f32, placement: int, locations: int
) -> None:
    """k·M(i) by the product of the norms, with ε as its floor, added to it, or added inside its root."""
    for n in range(locations):
        out[n] /= norm_product(key_norm * norms[n], epsilon, placement)


@kernel
def norm_product(product: f32, epsilon: f32, placement: int) -> f32:
    """|k| |M(i)| with its ε."""
    if placement == 1:
        return max(product, epsilon)
    return product + epsilon if placement == 2 else f32(math.sqrt(product * product + epsilon))


@kernel
def norm_product_slope(product: f32, epsilon: f32, placement: int) -> f32:
    """The derivative of `norm_product`."""
    if placement == 1:
        return f32(1) if product >= epsilon else f32(0)
    return f32(1) if placement == 2 else product / math.sqrt(product * product + epsilon)


@kernel
def normalise(powers: Pointer, locations: int) -> None:
    """Divide by the sum; a weight below 1e-30 becomes 0, so that its products with other numbers are no denormals."""
    factor = f32(1) / total(powers, locations)
    for n in range(locations):
        weight = powers[n] * factor
        powers[n] = f32(0) if weight < FLOOR else weight


@kernel
def content_weighting(alike: Pointer, strength: f32, out: Pointer, locations: int) -> None:
    """w^c = softmax(β K) (eq. 1)."""
    top = largest(alike, locations)
    for n in range(locations):
        out[n] = exp(strength * (alike[n] - top))
    normalise(out, locations)


@kernel_to_the_bit
def gated_weighting(content: Pointer, previous: Pointer, gate: f32, out: Pointer, locations: int) -> None:
    """w^g = g w^c + (1 - g) w_{t-1} (eq. 3)."""
    for n in range(locations):
        out[n] = gate * content[n] + (f32(1) - gate) * previous[n]


@kernel
def extend(middle: Pointer, reach: int, edge: int, locations: int) -> None:
    """Write what lies beyond both ends of a row, R numbers each: its other end, or zeros."""
    for i in range(1, reach + 1):
        if edge == 0:
            middle[-i] = middle[(locations - i) % locations]
            middle[locations - 1 + i] = middle[(i - 1) % locations]
        else:
            middle[-i] = f32(0)
            middle[locations - 1 + i] = f32(0)


@kernel_to_the_bit
def shifted_weighting(gated: Pointer, shift: Pointer, reach: int, out: Pointer, locations: int) -> None:
    """w~(i) = Σ_j s(j) w^g(i + R - j) (eq. 4), from a row that is extended beyond both ends."""
    if reach == 1:
        back, ahead = off(gated, 1), off(gated, -1)
        s0, s1, s2 = shift[0], shift[1], shift[2]
        for n in range(locations):
            out[n] = s0 * back[n] + s1 * gated[n] + s2 * ahead[n]
        return
    zero(out, locations)
    for j in range(2 * reach + 1):
        moved, tap = off(gated, reach - j), shift[j]
        for n in range(locations):
            out[n] += tap * moved[n]


@kernel
def sharpened_weighting(shifted: Pointer, gamma: f32, out: Pointer, locations: int) -> None:
    """w = softmax(γ log w~) (eq. 5)."""
    for n in range(locations):
        out[n] = log(max(shifted[n], FLOOR))
    top = largest(out, locations)
    for n in range(locations):
        out[n] = exp(gamma * (out[n] - top))
    normalise(out, locations)


@kernel
def centred_key(s: Sizes, c: Choices, values: Pointer, out: Pointer) -> None:
    """The key; for a correlation less its mean over the words, and zeros if it is one number throughout."""
    mean = total(values, s.words) / f32(s.words) if c.similarity == PEARSON else f32(0)
    for w in range(s.words):
        out[w] = values[w] - mean
    if c.similarity == PEARSON and math.sqrt(dot(out, out, s.words)) <= noise(mean, s.words):
        zero(out, s.words)


@kernel_inlined
def address(
    s: Sizes,
    c: Choices,
    begin: int,
    end: int,
    memory: Pointer,
    norms: Pointer,
    means: Pointer,
    previous: Pointer,
    values: Pointer,
    alike: Pointer,
    content: Pointer,
    gated: Pointer,
    shifted: Pointer,
    weighting: Pointer,
    key: Pointer,
) -> None:
    """The stages of one head (eq. 1-5) among the parts from `begin` until before `end`.

    `gated` has room for R numbers on both sides; `key` is spare room for W.
    """
    if begin <= CONTENT < end:
        centred_key(s, c, values, key)
        similarity(s, c, memory, norms, means, key, f32(math.sqrt(dot(key, key, s.words))), alike)
        content_weighting(alike, values[s.words], content, s.locations)
    if begin <= GATED < end:
        gated_weighting(content, previous, values[s.words + 1], gated, s.locations)
    if begin <= SHIFTED < end:
        extend(gated, s.reach, c.shift_edge, s.locations)
        shifted_weighting(gated, off(values, s.words + 2), s.reach, shifted, s.locations)
    if begin <= WEIGHTING < end:
        sharpened_weighting(shifted, values[s.words + 3 + 2 * s.reach], weighting, s.locations)


@kernel
def sharpened_backward(
    weighting: Pointer, shifted: Pointer, gamma: f32, given: Pointer, out: Pointer, locations: int
) -> f32:
    """dw~(i) = γ w(i) (dw(i) - Σ w dw) / w~(i), and dγ = Σ w (dw - Σ w dw) log w~ (eq. 5)."""
    mean = dot(weighting, given, locations)
    d_gamma = f32(0)
    for n in range(locations):
        d_log = weighting[n] * (given[n] - mean)
        floored = max(shifted[n], FLOOR)
        d_gamma += d_log * log(floored)
        out[n] = gamma * d_log / floored if shifted[n] >= FLOOR else f32(0)
    return d_gamma


@kernel
def shifted_backward(
    given: Pointer, gated: Pointer, shift: Pointer, reach: int, d_shift: Pointer, out: Pointer, locations: int
) -> None:
    """dw^g(i) = Σ_j s(j) dw~(i + j - R), and ds(j) = Σ_i dw~(i + j - R) w^g(i) (eq. 4); dw~ is extended."""
    if reach == 1:
        back, ahead = off(given, 1), off(given, -1)
        s0, s1, s2 = shift[0], shift[1], shift[2]
        d0 = d1 = d2 = f32(0)
        for n in range(locations):
            d0 += ahead[n] * gated[n]
            d1 += given[n] * gated[n]
            d2 += back[n] * gated[n]
            out[n] = s0 * ahead[n] + s1 * given[n] + s2 * back[n]
        d_shift[0], d_shift[1], d_shift[2] = d0, d1, d2
        return
    zero(out, locations)
    for j in range(2 * reach + 1):
        moved = off(given, j - reach)
        d_shift[j] = dot(moved, gated, locations)
        tap = shift[j]
        for n in range(locations):
            out[n] += tap * moved[n]


@kernel
def gated_backward(
    given: Pointer, content: Pointer, previous: Pointer, gate: f32, d_previous: Pointer, locations: int
) -> tuple[f32, f32]:
    """dg = Σ dw^g (w^c - w_{t-1}) (eq. 3), and Σ w^c dw^c for eq. 1; dw_{t-1} = (1 - g) dw^g."""
    d_gate = mean = f32(0)
    for n in range(locations):
        d_gate += given[n] * (content[n] - previous[n])
        mean += given[n] * content[n]
        d_previous[n] = (f32(1) - gate) * given[n]
    return d_gate, gate * mean


@kernel
def content_backward(
    content: Pointer, alike: Pointer, strength: f32, gate: f32, mean: f32, d_gated: Pointer, locations: int
) -> f32:
    """dβ = Σ w^c (dw^c - mean) K (eq. 1); `d_gated` becomes dK = β w^c (dw^c - mean)."""
    d_strength = f32(0)
    for n in range(locations):
        d_softmax = content[n] * (gate * d_gated[n] - mean)
        d_strength += d_softmax * alike[n]
        d_gated[n] = strength * d_softmax
    return d_strength


@kernel
def similarity_backward(
    s: Sizes,
    c: Choices,
    norms: Pointer,
    key_norm: f32,
    alike: Pointer,
    given: Pointer,
    by_dot: Pointer,
    by_cell: Pointer,
) -> f32:
    """The rows `by_dot` and `by_cell`, and `by_key` as the result (eq. 2)."""
    if c.similarity == 1:
        copy(by_dot, given, s.locations)
        return f32(0)
    if c.similarity == 2:
        copy(by_dot, given, s.locations)
        scale(by_dot, f32(1) / math.sqrt(f32(s.words)), s.locations)
        return f32(0)
    if c.similarity == 3:
        return distance_backward(alike, given, by_dot, by_cell, s.locations)
    epsilon, placement = f32(c.epsilon), c.similarity_epsilon_placement
    if placement == 0:
        return each_norm_backward(norms, key_norm, epsilon, alike, given, by_dot, by_cell, s.locations)
    return norm_product_backward(norms, key_norm, epsilon, placement, alike, given, by_dot, by_cell, s.locations)


@kernel
def distance_backward(alike: Pointer, given: Pointer, by_dot: Pointer, by_cell: Pointer, locations: int) -> f32:
    """The gradient through -|k - M(i)|; 0 where the distance is 0."""
    by_key = f32(0)
    for n in range(locations):
        pull = given[n] / alike[n] if alike[n] < f32(0) else f32(0)
        by_dot[n] = -pull
        by_cell[n] += pull
        by_key += pull
    return by_key


@kernel
def each_norm_backward(
    norms: Pointer,
    key_norm: f32,
    epsilon: f32,
    alike: Pointer,
    given: Pointer,
    by_dot: Pointer,
    by_cell: Pointer,
    locations: int,
) -> f32:
    """The gradient through `divide_by_each_norm`: a norm below ε has none."""
    factor = f32(1) / max(key_norm, epsilon)
    by_key = f32(0)
    for n in range(locations):
        floored = max(norms[n], epsilon)
        by_norm = given[n] * alike[n]
        by_key -= by_norm
        by_dot[n] = given[n] * factor / floored
        by_cell[n] -= by_norm / floored / floored if norms[n] >= epsilon else f32(0)
    return by_key * factor * factor if key_norm >= epsilon else f32(0)


@kernel
def norm_product_backward(
    norms: Pointer,
    key_norm: f32,
    epsilon: f32,
    placement: int,
    alike: Pointer,
    given: Pointer,
    by_dot: Pointer,
    by_cell: Pointer,
    locations: int,
) -> f32:
    """The gradient through `divide_by_norm_product`; a norm of 0 has none."""
    by_key = f32(0)
    for n in range(locations):
        product = key_norm * norms[n]
        divisor = norm_product(product, epsilon, placement)
        by_product = -given[n] * alike[n] / divisor * norm_product_slope(product, epsilon, placement)
        by_dot[n] = given[n] / divisor
        by_key += by_product * norms[n]
        by_cell[n] += by_product * key_norm / norms[n] if norms[n] > f32(0) else f32(0)
    return by_key / key_norm if key_norm > f32(0) else f32(0)


@kernel_inlined
def address_backward(
    s: Sizes,
    c: Choices,
    memory: Pointer,
    norms: Pointer,
    means: Pointer,
    previous: Pointer,
    values: Pointer,
    alike: Pointer,
    content: Pointer,
    shifted: Pointer,
    weighting: Pointer,
    given: Pointer,
    d_values: Pointer,
    key: Pointer,
    by_dot: Pointer,
    by_cell: Pointer,
    spare: Pointer,
) -> None:
    """The gradient through `address`, by the head's parameters.

    `given` turns from the gradient by w_t into that by w_{t-1}; `key` gets the key by which `by_dot` counts. `spare`
    has room for 3 N + 2 R numbers.
    """
    locations, w = s.locations, s.words
    strength, gate, gamma = values[w], values[w + 1], values[w + 3 + 2 * s.reach]
    shift, d_shift = off(values, w + 2), off(d_values, w + 2)
    d_shifted, d_gated = off(spare, s.reach), off(spare, locations + 2 * s.reach)
    gated = off(d_gated, locations)
    d_values[w + 3 + 2 * s.reach] = sharpened_backward(weighting, shifted, gamma, given, d_shifted, locations)
    extend(d_shifted, s.reach, c.shift_edge, locations)
    gated_weighting(content, previous, gate, gated, locations)
    shifted_backward(d_shifted, gated, shift, s.reach, d_shift, d_gated, locations)
    d_values[w + 1], mean = gated_backward(d_gated, content, previous, gate, given, locations)
    d_values[w] = content_backward(content, alike, strength, gate, mean, d_gated, locations)
    centred_key(s, c, values, key)
    key_norm = f32(math.sqrt(dot(key, key, w)))
    if c.similarity == PEARSON:
        for n in range(locations):
            d_gated[n] = d_gated[n] if key_norm > f32(0) and norms[n] > f32(0) else f32(0)
    by_key = similarity_backward(s, c, norms, key_norm, alike, d_gated, by_dot, by_cell)
    dot_rows(by_dot, memory, s.row, w, locations, d_values)
    moved = dot(by_dot, means, locations) if c.similarity == PEARSON else f32(0)
    for i in range(w):
        d_values[i] += by_key * key[i] - moved
