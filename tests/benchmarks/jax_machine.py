"""The default machine in JAX: one step under `scan`, forward, backward and update compiled as one by XLA.

It computes what `Machine` computes with the default config (eq. 1-8), from the same parameters, which its test holds
against the core. Its initial state is not trained, which spares it a little. Only this module needs JAX, which is
imported by name, since it need not be installed.
"""

import functools
import importlib
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ntm_core.config import MachineConfig
from ntm_core.machine import Machine

Arrays = dict[str, Any]
Update = Callable[[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]], float]

_FLOOR = 1e-30
"""A weight below this counts as zero where it is sharpened, as in the core."""


@functools.cache
def jax() -> Any:
    """The module jax, on one thread of the processor. ImportError if it is not installed."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    return importlib.import_module("jax")


def is_installed() -> bool:
    """Whether there is a JAX to compare with."""
    try:
        return jax() is not None
    except ImportError:
        return False


def arrays_of(machine: Machine) -> tuple[Arrays, Arrays]:
    """The parameters that are trained, and the state before step 1, as JAX's arrays."""
    layer = dict(machine.controller.layers[0].named_parameters())
    trained = {
        "lower": layer["weight_ih"],
        "hidden": layer["weight_hh"],
        "bias": layer["bias_ih"] + layer["bias_hh"],
        "heads": machine.heads.weight,
        "heads_bias": machine.heads.bias,
        "output": machine.output.weight,
        "output_bias": machine.output.bias,
    }
    state = machine.initial_state()
    assert state.controller.cell is not None, "the default controller is an LSTM"
    start = {
        "hidden": state.controller.hidden[:, 0],
        "cell": state.controller.cell[:, 0],
        "read": state.read_vector[:, 0],
        "weighting": state.weighting,
        "memory": state.memory,
    }
    return _arrays(trained), _arrays(start)


def _arrays(tensors: Mapping[str, Tensor]) -> Arrays:
    return {name: jax().numpy.asarray(tensor.detach().numpy()) for name, tensor in tensors.items()}


def loss(config: MachineConfig, trained: Arrays, start: Arrays, inputs: Any, targets: Any, mask: Any) -> Any:
    """The mean cross entropy in nats of the asked bits, (step, batch, channel), as in `sequence_loss`."""
    numpy, batch = jax().numpy, inputs.shape[1]
    spread = {name: numpy.broadcast_to(array, (batch, *array.shape[1:])) for name, array in start.items()}
    step = functools.partial(_step, config, trained)
    _, logits = jax().lax.scan(step, spread, inputs)
    softened = numpy.maximum(logits, 0) - logits * targets + numpy.log1p(numpy.exp(-abs(logits)))
    return (softened * mask[..., None]).sum() / (mask.sum() * targets.shape[-1])


def _step(config: MachineConfig, trained: Arrays, state: Arrays, row: Any) -> tuple[Arrays, Any]:
    """One step of all sequences of the batch: the state after it, and its logits."""
    numpy, nn, words = jax().numpy, jax().nn, config.word_size
    heard = numpy.concatenate([row, state["read"]], 1)
    gates = heard @ trained["lower"].T + state["hidden"] @ trained["hidden"].T + trained["bias"]
    enter, forget, new, leave = numpy.split(gates, 4, 1)
    cell = nn.sigmoid(forget) * state["cell"] + nn.sigmoid(enter) * numpy.tanh(new)
    hidden = nn.sigmoid(leave) * numpy.tanh(cell)
    raw = _clipped(config, hidden @ trained["heads"].T + trained["heads_bias"])
    asked = raw[:, : 2 * (words + 6)].reshape(-1, 2, words + 6)
    weighting = _address(config, asked, state["memory"], state["weighting"])
    read = numpy.einsum("bn,bnw->bw", weighting[:, 0], state["memory"])
    erase, add = nn.sigmoid(raw[:, 2 * (words + 6) : -words]), raw[:, -words:]
    write = weighting[:, 1, :, None]
    memory = state["memory"] * (1 - write * erase[:, None]) + write * add[:, None]
    logits = numpy.concatenate([hidden, read], 1) @ trained["output"].T + trained["output_bias"]
    after = {"hidden": hidden, "cell": cell, "read": read, "weighting": weighting, "memory": memory}
    return after, _clipped(config, logits)


def _clipped(config: MachineConfig, raw: Any) -> Any:
    return raw if config.clip is None else jax().numpy.clip(raw, -config.clip, config.clip)


def _address(config: MachineConfig, asked: Any, memory: Any, previous: Any) -> Any:
    """The weightings of both heads, (batch, head, location), by eq. 1-5."""
    numpy, nn, words, epsilon = jax().numpy, jax().nn, config.word_size, config.similarity_epsilon
    key, strength, gate, shift, sharpening = numpy.split(asked, [words, words + 1, words + 2, words + 5], 2)
    lengths = (_norm(key)[..., None], _norm(memory)[:, None])
    key_norm, row_norm = (numpy.maximum(length, epsilon) for length in lengths)
    alike = numpy.einsum("bhw,bnw->bhn", key / key_norm, memory) / row_norm
    content = nn.softmax(nn.softplus(strength) * alike)
    gated = nn.sigmoid(gate) * content + (1 - nn.sigmoid(gate)) * previous
    kernel = nn.softmax(shift)
    shifted = sum(kernel[..., tap : tap + 1] * numpy.roll(gated, tap - 1, 2) for tap in range(3))
    return nn.softmax((1 + nn.softplus(sharpening)) * numpy.log(numpy.maximum(shifted, _FLOOR)))


def _norm(vectors: Any) -> Any:
    """Lengths along the last axis, whose gradient at zero is zero."""
    numpy = jax().numpy
    squares = (vectors * vectors).sum(-1)
    return numpy.where(squares > 0, numpy.sqrt(numpy.where(squares > 0, squares, 1)), 0)


def update_of(machine: Machine) -> Update:
    """A function that trains on inputs, targets and mask as the benchmark trains the others, and gives the loss."""
    trained, start = arrays_of(machine)
    zeros = jax().tree_util.tree_map(jax().numpy.zeros_like, trained)
    state = [trained, zeros, zeros]
    compiled = jax().jit(functools.partial(_updated, machine.config))

    def update(inputs: NDArray[np.float32], targets: NDArray[np.float32], mask: NDArray[np.float32]) -> float:
        value, *state[:] = compiled(*state, start, inputs, targets, mask)
        return float(value)

    return update


def _updated(
    config: MachineConfig, trained: Arrays, squares: Arrays, velocity: Arrays, start: Arrays, *episode: Any
) -> tuple[Any, Arrays, Arrays, Arrays]:
    """One update by RMSprop with momentum from gradients whose norm is at most 1; the loss before it comes first."""
    numpy, tree = jax().numpy, jax().tree_util.tree_map
    value, gradient = jax().value_and_grad(functools.partial(loss, config))(trained, start, *episode)
    norm = numpy.sqrt(sum((one * one).sum() for one in gradient.values()))
    gradient = tree(lambda one: one * numpy.minimum(1, 1 / (norm + 1e-6)), gradient)
    squares = tree(lambda square, one: 0.95 * square + 0.05 * one * one, squares, gradient)
    velocity = tree(
        lambda last, one, square: 0.9 * last + one / (numpy.sqrt(square) + 1e-8), velocity, gradient, squares
    )
    trained = tree(lambda one, step: one - 1e-4 * step, trained, velocity)
    return value, trained, squares, velocity
