"""Head parameters: from the controller's raw numbers through the chosen nonlinearities, and back.

`raw` holds, for each head, the key (W), key strength, gate, shift (taps) and sharpening; then for each write head the
erase (W) and add (W) vector. `values` holds the same after clipping and nonlinearities, with 2R+1 numbers in a shift.
The gradient of a clipped number is zero beyond the limit.
"""

from numpy import float32 as f32

from ntm_core.compiled.arithmetic import clamped, copy, dot, exp, inside, sigmoid, softplus, tanh, total
from ntm_core.compiled.intrinsics import Pointer, kernel, off
from ntm_core.compiled.layout import Choices, Sizes


@kernel
def raw_head(s: Sizes) -> int:
    """How many raw numbers a head has for its addressing."""
    return s.words + 3 + s.taps


@kernel
def value_head(s: Sizes) -> int:
    """How many parameters a head has for its addressing."""
    return s.words + 4 + 2 * s.reach


@kernel
def erase_at(s: Sizes, head: int) -> int:
    """Where in `values` a write head's erase vector begins; its add vector follows, W further."""
    return s.heads * value_head(s) + (head - s.read_heads) * 2 * s.words


@kernel
def head_parameters(s: Sizes, c: Choices, raw: Pointer, values: Pointer) -> None:
    """Every head's parameters, of one sequence at one step."""
    clip = f32(c.clip)
    for head in range(s.heads):
        x, y = off(raw, head * raw_head(s)), off(values, head * value_head(s))
        vector(x, y, s.words, c.key_activation, clip)
        y[s.words] = key_strength(clamped(x[s.words], clip), c.key_strength_activation)
        y[s.words + 1] = gate(clamped(x[s.words + 1], clip), c.interpolation_gate_activation)
        shift(off(x, s.words + 2), off(y, s.words + 2), s.taps, s.reach, c.shift_kernel, clip)
        sharp = clamped(x[s.words + 2 + s.taps], clip)
        y[s.words + 3 + 2 * s.reach] = sharpening(sharp, c.sharpening_activation)
    for head in range(s.read_heads, s.heads):
        y = off(values, erase_at(s, head))
        x = off(raw, s.heads * raw_head(s) + (head - s.read_heads) * 2 * s.words)
        erase_vector(x, y, s.words, c.erase_activation, clip)
        vector(off(x, s.words), off(y, s.words), s.words, c.add_activation, clip)


@kernel
def head_parameters_backward(s: Sizes, c: Choices, raw: Pointer, values: Pointer, given: Pointer, out: Pointer) -> None:
    """The gradient by the raw numbers, from the gradient `given` by the parameters."""
    clip = f32(c.clip)
    for head in range(s.heads):
        x, dx = off(raw, head * raw_head(s)), off(out, head * raw_head(s))
        y, dy = off(values, head * value_head(s)), off(given, head * value_head(s))
        w = s.words
        vector_backward(x, y, dy, dx, w, c.key_activation)
        dx[w] = dy[w] * key_strength_slope(clamped(x[w], clip), y[w], c.key_strength_activation)
        dx[w + 1] = dy[w + 1] * gate_slope(x[w + 1], y[w + 1], c.interpolation_gate_activation)
        shift_backward(
            off(x, w + 2), off(y, w + 2), off(dy, w + 2), off(dx, w + 2), s.taps, s.reach, c.shift_kernel, clip
        )
        last = w + 3 + 2 * s.reach
        dx[w + 2 + s.taps] = dy[last] * sharpening_slope(clamped(x[w + 2 + s.taps], clip), c.sharpening_activation)
    for head in range(s.read_heads, s.heads):
        at_erase, at_raw = erase_at(s, head), s.heads * raw_head(s) + (head - s.read_heads) * 2 * s.words
        x, dx, y, dy = off(raw, at_raw), off(out, at_raw), off(values, at_erase), off(given, at_erase)
        erase_backward(x, y, dy, dx, s.words, c.erase_activation)
        w = s.words
        vector_backward(off(x, w), off(y, w), off(dy, w), off(dx, w), w, c.add_activation)
    for i in range(s.raw):
        out[i] *= inside(raw[i], clip)


@kernel
def vector(x: Pointer, y: Pointer, count: int, activation: int, clip: f32) -> None:
    """A key or an add vector: the identity, tanh, a clip to [0, 1] or relu."""
    if activation == 0:
        for i in range(count):
            y[i] = clamped(x[i], clip)
    elif activation == 1:
        for i in range(count):
            y[i] = tanh(clamped(x[i], clip))
    elif activation == 2:
        for i in range(count):
            y[i] = between_0_and_1(clamped(x[i], clip))
    else:
        for i in range(count):
            y[i] = relu(clamped(x[i], clip))


@kernel
def vector_backward(x: Pointer, y: Pointer, dy: Pointer, dx: Pointer, count: int, activation: int) -> None:
    """The gradient through `vector`."""
    if activation == 0:
        copy(dx, dy, count)
    elif activation == 1:
        for i in range(count):
            dx[i] = dy[i] * (f32(1) - y[i] * y[i])
    elif activation == 2:
        for i in range(count):
            dx[i] = dy[i] if f32(0) <= x[i] <= f32(1) else f32(0)
    else:
        for i in range(count):
            dx[i] = dy[i] if x[i] > f32(0) else f32(0)


@kernel
def erase_vector(x: Pointer, y: Pointer, count: int, activation: int, clip: f32) -> None:
    """An erase vector: sigmoid, hard sigmoid, or nothing erased."""
    if activation == 0:
        for i in range(count):
            y[i] = sigmoid(clamped(x[i], clip))
    elif activation == 1:
        for i in range(count):
            y[i] = hard_sigmoid(clamped(x[i], clip))
    else:
        for i in range(count):
            y[i] = f32(0)


@kernel
def erase_backward(x: Pointer, y: Pointer, dy: Pointer, dx: Pointer, count: int, activation: int) -> None:
    """The gradient through `erase_vector`."""
    if activation == 0:
        for i in range(count):
            dx[i] = dy[i] * y[i] * (f32(1) - y[i])
    elif activation == 1:
        for i in range(count):
            dx[i] = dy[i] * hard_sigmoid_slope(x[i])
    else:
        for i in range(count):
            dx[i] = f32(0)


@kernel
def key_strength(x: f32, activation: int) -> f32:
    """β ≥ 0: softplus, exp, relu or 10 σ."""
    if activation == 0:
        return softplus(x)
    if activation == 1:
        return exp(x)
    return relu(x) if activation == 2 else f32(10) * sigmoid(x)


@kernel
def key_strength_slope(x: f32, y: f32, activation: int) -> f32:
    """The derivative of `key_strength`."""
    if activation == 0:
        return sigmoid(x)
    if activation == 1:
        return y
    return step(x) if activation == 2 else y * (f32(1) - f32(0.1) * y)


@kernel
def gate(x: f32, activation: int) -> f32:
    """g in [0, 1]: sigmoid or hard sigmoid."""
    return sigmoid(x) if activation == 0 else hard_sigmoid(x)


@kernel
def gate_slope(x: f32, y: f32, activation: int) -> f32:
    """The derivative of `gate`."""
    return y * (f32(1) - y) if activation == 0 else hard_sigmoid_slope(x)


@kernel
def sharpening(x: f32, activation: int) -> f32:
    """γ ≥ 1: one plus softplus, relu, elu + 1 or 4 σ."""
    if activation == 0:
        return f32(1) + softplus(x)
    if activation == 1:
        return f32(1) + relu(x)
    if activation == 2:
        return f32(2) + x if x > f32(0) else f32(1) + exp(x)
    return f32(1) + f32(4) * sigmoid(x)


@kernel
def sharpening_slope(x: f32, activation: int) -> f32:
    """The derivative of `sharpening`."""
    if activation == 0:
        return sigmoid(x)
    if activation == 1:
        return step(x)
    if activation == 2:
        return f32(1) if x > f32(0) else exp(x)
    return f32(4) * sigmoid(x) * (f32(1) - sigmoid(x))


@kernel
def shift(x: Pointer, y: Pointer, taps: int, reach: int, chosen: int, clip: f32) -> None:
    """s: a softmax over 2R+1 taps, or one number turned into a shift by R tanh(x) locations."""
    if chosen == 1:
        position = f32(reach) * tanh(clamped(x[0], clip))
        for j in range(2 * reach + 1):
            y[j] = relu(f32(1) - abs(position - f32(j - reach)))
        return
    top = clamped(x[0], clip)
    for j in range(taps):
        top = max(top, clamped(x[j], clip))
    for j in range(taps):
        y[j] = exp(clamped(x[j], clip) - top)
    whole = total(y, taps)
    for j in range(taps):
        y[j] /= whole


@kernel
def shift_backward(
    x: Pointer, y: Pointer, dy: Pointer, dx: Pointer, taps: int, reach: int, chosen: int, clip: f32
) -> None:
    """The gradient through `shift`."""
    if chosen == 1:
        bent = tanh(clamped(x[0], clip))
        slope = f32(0)
        for j in range(2 * reach + 1):
            if y[j] > f32(0):
                slope -= dy[j] * sign(f32(reach) * bent - f32(j - reach))
        dx[0] = slope * f32(reach) * (f32(1) - bent * bent)
        return
    mean = dot(y, dy, taps)
    for j in range(taps):
        dx[j] = y[j] * (dy[j] - mean)


@kernel
def relu(x: f32) -> f32:
    """The number, or 0 where it is negative."""
    return f32(0) if x < f32(0) else x


@kernel
def step(x: f32) -> f32:
    """The derivative of `relu`."""
    return f32(1) if x > f32(0) else f32(0)


@kernel
def sign(x: f32) -> f32:
    """-1, 0 or 1."""
    if x == f32(0):
        return f32(0)
    return f32(1) if x > f32(0) else f32(-1)


@kernel
def between_0_and_1(x: f32) -> f32:
    """The number, clipped to [0, 1]."""
    x = f32(0) if x < f32(0) else x
    return f32(1) if x > f32(1) else x


@kernel
def hard_sigmoid(x: f32) -> f32:
    """The line 0.2 x + 0.5, clipped to [0, 1]."""
    return between_0_and_1(f32(0.2) * x + f32(0.5))


@kernel
def hard_sigmoid_slope(x: f32) -> f32:
    """The derivative of `hard_sigmoid`."""
    line = f32(0.2) * x + f32(0.5)
    return f32(0.2) if f32(0) <= line <= f32(1) else f32(0)
