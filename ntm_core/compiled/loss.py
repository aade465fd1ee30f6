"""The loss of a batch and its gradient by the logits: what `ntm_core.training.loss` computes with PyTorch."""

from numpy import float32 as f32
from numpy import float64 as f64

from ntm_core.compiled.arithmetic import clamped, exp, log, total, zero
from ntm_core.compiled.intrinsics import Pointer, at, kernel, kernel_in_order
from ntm_core.compiled.layout import Buffers, Choices, Gradients, Lesson, Sizes


@kernel_in_order
def log_of_one_plus(x: f32) -> f32:
    """log(1 + x) for x in [0, 1], with what 1 + x loses of x made up for."""
    whole = f32(1) + x
    return log(whole) - ((whole - f32(1)) - x) / whole


@kernel_in_order
def cross_entropy(logit: f32, target: f32) -> f32:
    """-t log y - (1 - t) log(1 - y) for y = sigmoid(logit), in nats."""
    positive = logit if logit > f32(0) else f32(0)
    return positive - logit * target + log_of_one_plus(exp(-abs(logit)))


@kernel_in_order
def slope(logit: f32, target: f32) -> f32:
    """The derivative of `cross_entropy`: y - t, as (1 - t) y - t (1 - y), which keeps its digits near 0."""
    small = exp(-abs(logit))
    less, more = small / (f32(1) + small), f32(1) / (f32(1) + small)
    y, rest = (more, less) if logit > f32(0) else (less, more)
    return (f32(1) - target) * y - target * rest


@kernel
def loss_gradient(s: Sizes, c: Choices, b: Buffers, g: Gradients, given: Lesson) -> f64:
    """The mean cross entropy of the asked bits; their logits get the gradient (y - t) / count, the others none."""
    rows = s.steps * s.batch
    count, result = total(at(given.mask, 0), rows) * f32(s.outputs), f64(0)
    for row in range(rows):
        slopes = at(g.logits, row * s.outputs)
        weight = at(given.mask, row)[0] / count
        if weight == f32(0):
            zero(slopes, s.outputs)
        else:
            result += row_gradient(
                at(b.logits, row * s.output_stride),
                at(given.targets, row * s.outputs),
                weight,
                f32(c.clip),
                slopes,
                s.outputs,
            )
    return result


@kernel
def row_gradient(logits: Pointer, targets: Pointer, weight: f32, clip: f32, slopes: Pointer, count: int) -> f64:
    """The weighted cross entropy of one step's outputs, and its gradient by each logit."""
    result = f32(0)
    for i in range(count):
        logit = clamped(logits[i], clip)
        result += cross_entropy(logit, targets[i])
        slopes[i] = weight * slope(logit, targets[i])
    return f64(weight * result)
