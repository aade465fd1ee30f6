"""The controller's layers, of one sequence at one step, and their backward pass.

A layer's gates come in as sums over its inputs and go out after their nonlinearities, in place; backward turns them
into the gradient by the sums. An LSTM has input, forget, cell and output gates. A GRU has reset, update and new gates
and, as a fourth, the part of the new gate that comes from the last output: reset multiplies it.
"""

from numpy import float32 as f32

from ntm_core.compiled.arithmetic import copy, sigmoid, tanh, zero
from ntm_core.compiled.intrinsics import Pointer, kernel, off
from ntm_core.compiled.layout import Choices


@kernel
def layer_forward(
    c: Choices, gates: Pointer, last: Pointer, last_cell: Pointer, out: Pointer, cell: Pointer, units: int
) -> None:
    """The layer's output h_t, and c_t of an LSTM."""
    if c.controller == 0:
        lstm(gates, last_cell, out, cell, units)
    elif c.controller == 1:
        gru(gates, last, out, units)
    else:
        feedforward(gates, out, units, c.controller_activation)


@kernel
def layer_backward(
    c: Choices,
    gates: Pointer,
    last: Pointer,
    last_cell: Pointer,
    cell: Pointer,
    given: Pointer,
    given_cell: Pointer,
    out: Pointer,
    spare: Pointer,
    units: int,
) -> None:
    """The gradient by the gates' sums in `out`, from the gradients by h_t and c_t.

    These two are replaced by what passes to h_{t-1} and c_{t-1} without the gates' weights.
    """
    if c.controller == 0:
        lstm_backward(gates, last_cell, cell, given, given_cell, out, spare, units)
    elif c.controller == 1:
        gru_backward(gates, last, given, out, units)
    else:
        feedforward_backward(gates, given, out, units, c.controller_activation)


@kernel
def lstm(gates: Pointer, last_cell: Pointer, out: Pointer, cell: Pointer, units: int) -> None:
    """c_t = f c_{t-1} + i g and h_t = o tanh(c_t)."""
    i, f, g, o = gates, off(gates, units), off(gates, 2 * units), off(gates, 3 * units)
    for j in range(2 * units):
        gates[j] = sigmoid(gates[j])
    for j in range(units):
        g[j] = tanh(g[j])
    for j in range(units):
        o[j] = sigmoid(o[j])
    for j in range(units):
        cell[j] = f[j] * last_cell[j] + i[j] * g[j]
    for j in range(units):
        out[j] = o[j] * tanh(cell[j])


@kernel
def lstm_backward(
    gates: Pointer,
    last_cell: Pointer,
    cell: Pointer,
    given: Pointer,
    given_cell: Pointer,
    out: Pointer,
    bent: Pointer,
    units: int,
) -> None:
    """The gradient through `lstm`; `bent` is spare room for tanh(c_t)."""
    i, f, g, o = gates, off(gates, units), off(gates, 2 * units), off(gates, 3 * units)
    df, dg, do = off(out, units), off(out, 2 * units), off(out, 3 * units)
    for j in range(units):
        bent[j] = tanh(cell[j])
    for j in range(units):
        do[j] = given[j] * bent[j] * o[j] * (f32(1) - o[j])
    for j in range(units):
        given_cell[j] += given[j] * o[j] * (f32(1) - bent[j] * bent[j])
    for j in range(units):
        out[j] = given_cell[j] * g[j] * i[j] * (f32(1) - i[j])
    for j in range(units):
        df[j] = given_cell[j] * last_cell[j] * f[j] * (f32(1) - f[j])
    for j in range(units):
        dg[j] = given_cell[j] * i[j] * (f32(1) - g[j] * g[j])
    for j in range(units):
        given_cell[j] *= f[j]
    zero(given, units)


@kernel
def gru(gates: Pointer, last: Pointer, out: Pointer, units: int) -> None:
    """h_t = (1 - z) n + z h_{t-1}, with the new gate n = tanh(its sum + r times its part from h_{t-1})."""
    r, z, n, part = gates, off(gates, units), off(gates, 2 * units), off(gates, 3 * units)
    for j in range(2 * units):
        gates[j] = sigmoid(gates[j])
    for j in range(units):
        n[j] = tanh(n[j] + r[j] * part[j])
    for j in range(units):
        out[j] = n[j] + z[j] * (last[j] - n[j])


@kernel
def gru_backward(gates: Pointer, last: Pointer, given: Pointer, out: Pointer, units: int) -> None:
    """The gradient through `gru`."""
    r, z, n, part = gates, off(gates, units), off(gates, 2 * units), off(gates, 3 * units)
    dz, dn, dpart = off(out, units), off(out, 2 * units), off(out, 3 * units)
    for j in range(units):
        dn[j] = given[j] * (f32(1) - z[j]) * (f32(1) - n[j] * n[j])
    for j in range(units):
        dz[j] = given[j] * (last[j] - n[j]) * z[j] * (f32(1) - z[j])
    for j in range(units):
        dpart[j] = dn[j] * r[j]
    for j in range(units):
        out[j] = dn[j] * part[j] * r[j] * (f32(1) - r[j])
    for j in range(units):
        given[j] *= z[j]


@kernel
def feedforward(gates: Pointer, out: Pointer, units: int, activation: int) -> None:
    """h_t: the sums through tanh, relu or sigmoid."""
    if activation == 0:
        for j in range(units):
            gates[j] = tanh(gates[j])
    elif activation == 1:
        for j in range(units):
            gates[j] = f32(0) if gates[j] < f32(0) else gates[j]
    else:
        for j in range(units):
            gates[j] = sigmoid(gates[j])
    copy(out, gates, units)


@kernel
def feedforward_backward(gates: Pointer, given: Pointer, out: Pointer, units: int, activation: int) -> None:
    """The gradient through `feedforward`."""
    if activation == 0:
        for j in range(units):
            out[j] = given[j] * (f32(1) - gates[j] * gates[j])
    elif activation == 1:
        for j in range(units):
            out[j] = given[j] if gates[j] > f32(0) else f32(0)
    else:
        for j in range(units):
            out[j] = given[j] * gates[j] * (f32(1) - gates[j])
    zero(given, units)
