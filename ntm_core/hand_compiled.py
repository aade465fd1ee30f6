"""A hand-compiled NTM: its weights are set by hand so that it copies exactly. The oracle of every view.

Its program, for the copy task with `bits` data channels and one delimiter channel, from location 0, where M_0 holds a
marker and all heads start:

| phase     | read head                              | write head                                 |
|-----------|----------------------------------------|--------------------------------------------|
| input     | g = 0, shift +1: one location a step   | g = 0, shift +1, erases and writes the row |
| delimiter | g = 1: jumps by content to the marker  | g = 0, shift 0, writes nothing             |
| output    | g = 0, shift +1: location 1, 2, …      | stays                                      |

So step t of the input writes location t, and the k-th output step reads location k. Each controller unit is an LSTM
cell with saturated gates whose output is 0 or tanh(1): one unit a data bit, one for "delimiter now", one latch for
"delimiter seen".
"""

import math

import torch
from torch import Tensor

from ntm_core.config import MachineConfig
from ntm_core.heads import HeadLayout
from ntm_core.machine import Machine

_ON = 200.0
"""A raw value at which every nonlinearity saturates exactly in float32: σ(200) = 1, σ(-200) = 0, exp(-200) = 0."""

_UNIT = math.tanh(1.0)
"""The output of a controller unit that is on."""


def hand_compiled_copy(bits: int = 8, memory_size: int = 128) -> Machine:
    """A machine that copies any sequence of up to `memory_size` - 1 rows without a wrong bit."""
    config = MachineConfig.make(
        input_size=bits + 1,
        output_size=bits,
        memory_size=memory_size,
        word_size=bits + 1,
        controller="lstm",
        controller_size=bits + 2,
        initial_memory="learned",
        initial_weighting="one_hot",
        initial_read="zeros",
        initial_controller="zeros",
        clip=None,
    )
    machine = Machine(config)
    weights = {name: torch.zeros_like(tensor) for name, tensor in machine.state_dict().items()}
    weights["initial.memory_value"][0, bits] = 1
    _set_controller(weights, bits)
    _set_heads(weights, HeadLayout.of(config), bits)
    _set_output(weights, bits)
    machine.load_state_dict(weights)
    return machine.eval().requires_grad_(False)


def _set_controller(weights: dict[str, Tensor], bits: int) -> None:
    """Units 0 … bits pass their input channel on, the last one latches the delimiter."""
    units = bits + 2
    from_input = weights["controller.layers.0.weight_ih"].view(4, units, -1)
    bias = weights["controller.layers.0.bias_ih"].view(4, units)
    input_gate, forget_gate, candidate, output_gate = range(4)
    passing, latch = torch.arange(bits + 1), bits + 1
    bias[input_gate, passing] = _ON
    bias[forget_gate, passing] = -_ON
    from_input[candidate, passing, passing] = _ON
    bias[input_gate, latch] = -_ON
    from_input[input_gate, latch, bits] = 2 * _ON
    bias[forget_gate, latch] = _ON
    bias[candidate, latch] = _ON
    bias[output_gate] = _ON


def _set_heads(weights: dict[str, Tensor], layout: HeadLayout, bits: int) -> None:
    """Head 0 reads, head 1 writes; the table in this module's docstring, row by row."""
    split = layout.heads * sum(layout.addressing)
    weight = weights["heads.weight"][:split].view(layout.heads, -1, bits + 2)
    bias = weights["heads.bias"][:split].view(layout.heads, -1)
    word = layout.word
    strength, gate, back, stay, forward, sharpening = range(word, word + 6)
    delimiter_now, delimiter_seen = bits, bits + 1
    switch = 2 * _ON / _UNIT
    read, write = 0, 1

    bias[read, bits] = 1
    bias[read, strength] = _ON
    bias[write, strength] = -_ON
    bias[:, gate] = -_ON
    weight[read, gate, delimiter_now] = switch
    for head, stays_when in ((read, delimiter_now), (write, delimiter_seen)):
        bias[head, back] = -3 * _ON
        bias[head, stay] = -_ON
        weight[head, stay, stays_when] = switch
        bias[head, forward] = _ON
        weight[head, forward, stays_when] = -switch
    bias[:, sharpening] = -_ON

    writing_weight, writing_bias = weights["heads.weight"][split:], weights["heads.bias"][split:]
    writing_bias[:word] = _ON
    writing_weight[:word, delimiter_seen] = -switch
    data = torch.arange(bits)
    writing_weight[word + data, data] = 1 / _UNIT


def _set_output(weights: dict[str, Tensor], bits: int) -> None:
    """Each output bit is on where the read word's cell exceeds one half."""
    data = torch.arange(bits)
    weights["output.weight"][data, bits + 2 + data] = 2 * _ON
    weights["output.bias"][data] = -_ON
