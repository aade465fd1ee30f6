"""A whole batch of sequences, forward and backward: what Python calls.

Sequences are computed in tiles, side by side through time. `weights` is an int64 array of addresses, one row a layer:
its weight by its inputs, by its own last output, its bias, and a second one or 0; the last row has the heads' weight
and bias; the row before it the output's. `wanted` is such an array for their gradients, 0 for those that are not.
"""

from collections.abc import Callable
from typing import Any

from numpy import float32 as f32

from ntm_core.compiled.access import Groups, access, access_backward, replay
from ntm_core.compiled.addressing import memory_norms
from ntm_core.compiled.arithmetic import add_scaled, copy, inside, zero
from ntm_core.compiled.building import build
from ntm_core.compiled.controllers import layer_backward, layer_forward
from ntm_core.compiled.intrinsics import (
    FLUSH_DENORMALS,
    Pointer,
    at,
    float_mode,
    kernel,
    kernel_entry,
    kernel_inlined,
    off,
    set_float_mode,
    sources_fingerprint,
)
from ntm_core.compiled.layout import (
    GROUP_PARTS,
    NUMBER_BYTES,
    Beginning,
    Buffers,
    Choices,
    Gradients,
    Records,
    Share,
    Sizes,
    Span,
)
from ntm_core.compiled.loss import loss_gradient
from ntm_core.compiled.parameters import head_parameters, head_parameters_backward
from ntm_core.compiled.product import bias_gradient, pack, product, weight_gradient
from ntm_core.compiled.records import Copies, record, record_found

Weights = Any


@kernel
def lower_at(s: Sizes, layer: int, stride: int) -> int:
    """Where a layer's packed weight by its inputs begins: layer 0 sees the read vectors, others the layer below."""
    return 0 if layer == 0 else (s.reads + (layer - 1) * s.units) * stride


@kernel_inlined
def pack_forward(s: Sizes, weights: Weights, b: Buffers) -> None:
    """Pack all weights as the forward pass multiplies with them."""
    gates, width = s.gates * s.units, s.inputs + s.reads
    pack(at(weights[0, 0], 0), 1, width, s.inputs, gates, at(b.packed_inputs, 0))
    pack(at(weights[0, 0], s.inputs), 1, width, s.reads, gates, at(b.packed_lower, 0))
    for layer in range(1, s.layers):
        packed = at(b.packed_lower, lower_at(s, layer, s.gate_stride))
        pack(at(weights[layer, 0], 0), 1, s.units, s.units, gates, packed)
    for layer in range(s.layers * s.recurrent):
        packed = at(b.packed_hidden, layer * s.units * s.gate_stride)
        pack(at(weights[layer, 1], 0), 1, s.units, s.units, gates, packed)
    for layer in range(s.layers):
        bias = at(b.packed_biases, layer * s.gate_stride)
        copy(bias, at(weights[layer, 2], 0), gates)
        if weights[layer, 3] != 0:
            add_scaled(at(weights[layer, 3], 0), f32(1), bias, gates)
    width = s.units + s.reads
    pack(at(weights[s.layers, 0], 0), 1, width, s.units, s.outputs, at(b.packed_output_hidden, 0))
    pack(at(weights[s.layers, 0], s.units), 1, width, s.reads, s.outputs, at(b.packed_output_reads, 0))
    pack(at(weights[s.layers + 1, 0], 0), 1, s.units, s.units, s.raw, at(b.packed_heads, 0))


@kernel_inlined
def pack_backward(s: Sizes, weights: Weights, g: Gradients) -> None:
    """Pack all weights as the backward pass multiplies with them: the other way round."""
    gates = s.gates * s.units
    pack(at(weights[0, 0], s.inputs), s.inputs + s.reads, 1, gates, s.reads, at(g.packed_lower, 0))
    for layer in range(1, s.layers):
        packed = at(g.packed_lower, gates * (s.read_stride + (layer - 1) * s.unit_stride))
        pack(at(weights[layer, 0], 0), s.units, 1, gates, s.units, packed)
    for layer in range(s.layers * s.recurrent):
        packed = at(g.packed_hidden, layer * gates * s.unit_stride)
        pack(at(weights[layer, 1], 0), s.units, 1, gates, s.units, packed)
    width = s.units + s.reads
    pack(at(weights[s.layers, 0], 0), width, 1, s.outputs, s.units, at(g.packed_output_hidden, 0))
    pack(at(weights[s.layers, 0], s.units), width, 1, s.outputs, s.reads, at(g.packed_output_reads, 0))
    pack(at(weights[s.layers + 1, 0], 0), s.units, 1, s.raw, s.units, at(g.packed_heads, 0))


@kernel
def fill_rows(target: Pointer, stride: int, row: Pointer, count: int, rows: int) -> None:
    """Copy one row into each of several."""
    for m in range(rows):
        copy(off(target, m * stride), row, count)


@kernel
def hidden_at(s: Sizes, layer: int, t: int, sequence: int) -> int:
    """Where h_t of a layer lies in `hidden` (and c_t in `cells`); t counts from the initial state, 0."""
    return ((layer * (s.kept * s.steps + 1) + s.kept * t) * s.batch + sequence) * s.units


@kernel
def gates_at(s: Sizes, layer: int, t: int, sequence: int) -> int:
    """Where the gates of a layer at step t, counted from 0, lie."""
    steps = s.steps if s.kept else 1
    return ((layer * steps + s.kept * t) * s.batch + sequence) * s.gate_stride


@kernel
def begin(s: Sizes, b: Buffers, start: Beginning) -> None:
    """Fill in the inputs and the initial state; a memory lies in the buffers word by word."""
    copy(at(b.inputs, 0), at(start.inputs, 0), s.steps * s.batch * s.inputs)
    for m in range(s.batch):
        memory = at(b.memory, m * s.words * s.row)
        if m == 0 or start.memory_step != 0:
            transpose(at(start.memory, m * start.memory_step), memory, s.locations, s.words, s.row)
        else:
            copy(memory, at(b.memory, 0), s.words * s.row)
        weighting = at(start.weighting, m * start.weighting_step)
        for head in range(s.heads):
            row = at(b.weighting, (m * s.heads + head) * s.row)
            copy(row, off(weighting, head * s.locations), s.locations)
        copy(at(b.reads, m * s.reads), at(start.reads, m * start.reads_step), s.reads)
        for layer in range(s.layers):
            place = hidden_at(s, layer, 0, m)
            copy(at(b.hidden, place), at(start.hidden, m * start.hidden_step + layer * s.units), s.units)
            if start.cells != 0:
                copy(at(b.cells, place), at(start.cells, m * start.cells_step + layer * s.units), s.units)


@kernel
def transpose(source: Pointer, target: Pointer, locations: int, words: int, row: int) -> None:
    """A memory, location by location, to the buffers' rows of words."""
    for n in range(locations):
        for w in range(words):
            target[w * row + n] = source[n * words + w]


@kernel_inlined
def controller(s: Sizes, c: Choices, b: Buffers, t: int, first: int, rows: int) -> None:
    """One step of all layers of a tile's controllers."""
    gates_count = s.gates * s.units
    for layer in range(s.layers):
        gates = at(b.gates, gates_at(s, layer, t, first))
        fill_rows(gates, s.gate_stride, at(b.packed_biases, layer * s.gate_stride), gates_count, rows)
        packed = at(b.packed_lower, lower_at(s, layer, s.gate_stride))
        if layer == 0:
            x = at(b.inputs, (t * s.batch + first) * s.inputs)
            product(rows, x, s.inputs, s.inputs, at(b.packed_inputs, 0), gates_count, gates, s.gate_stride)
            reads = at(b.reads, (s.kept * t * s.batch + first) * s.reads)
            product(rows, reads, s.reads, s.reads, packed, gates_count, gates, s.gate_stride)
        else:
            below = at(b.hidden, hidden_at(s, layer - 1, t + 1, first))
            product(rows, below, s.units, s.units, packed, gates_count, gates, s.gate_stride)
        last = at(b.hidden, hidden_at(s, layer, t, first))
        if s.recurrent:
            packed = at(b.packed_hidden, layer * s.units * s.gate_stride)
            product(rows, last, s.units, s.units, packed, gates_count, gates, s.gate_stride)
        out = at(b.hidden, hidden_at(s, layer, t + 1, first))
        last_cell = at(b.cells, hidden_at(s, layer, t, first))
        cell = at(b.cells, hidden_at(s, layer, t + 1, first))
        for m in range(rows):
            u = m * s.units
            layer_forward(
                c,
                off(gates, m * s.gate_stride),
                off(last, u),
                off(last_cell, u),
                off(out, u),
                off(cell, u),
                s.units,
            )


@kernel_inlined
def measure(s: Sizes, c: Choices, b: Buffers, first: int, rows: int) -> None:
    """The norms of a tile's memories."""
    for m in range(first, first + rows):
        memory_norms(s, c, at(b.memory, m * s.words * s.row), at(b.norms, m * s.row), at(b.means, m * s.row))


@kernel_inlined
def speak(s: Sizes, c: Choices, weights: Weights, b: Buffers, t: int, first: int, rows: int) -> None:
    """The first part of a tile's step: the controllers speak, and the heads are told their parameters."""
    controller(s, c, b, t, first, rows)
    spoken, now = at(b.hidden, hidden_at(s, s.layers - 1, t + 1, first)), s.kept * t * s.batch + first
    raw = at(b.raw, now * s.raw_stride)
    fill_rows(raw, s.raw_stride, at(weights[s.layers + 1, 2], 0), s.raw, rows)
    product(rows, spoken, s.units, s.units, at(b.packed_heads, 0), s.raw, raw, s.raw_stride)
    for m in range(rows):
        head_parameters(s, c, off(raw, m * s.raw_stride), at(b.values, (now + m) * s.values))


@kernel_inlined
def answer(s: Sizes, weights: Weights, b: Buffers, t: int, first: int, rows: int) -> None:
    """The last part of a tile's step: the outputs are formed from r_t."""
    spoken, following = at(b.hidden, hidden_at(s, s.layers - 1, t + 1, first)), s.kept * (t + 1) * s.batch + first
    logits = at(b.logits, (t * s.batch + first) * s.output_stride)
    fill_rows(logits, s.output_stride, at(weights[s.layers, 2], 0), s.outputs, rows)
    reads = at(b.reads, following * s.reads)
    product(rows, spoken, s.units, s.units, at(b.packed_output_hidden, 0), s.outputs, logits, s.output_stride)
    product(rows, reads, s.reads, s.reads, at(b.packed_output_reads, 0), s.outputs, logits, s.output_stride)


@kernel_inlined
def forward_step(
    s: Sizes,
    c: Choices,
    groups: Groups,
    weights: Weights,
    b: Buffers,
    p: Span,
    copies: Copies,
    t: int,
    first: int,
    rows: int,
) -> None:
    """One step of a tile, as far as the span goes: the controllers speak, the heads access the memories, the output."""
    if p.begin == 0:
        if p.records != 0:
            record_found(s, p, b, t)
        speak(s, c, weights, b, t, first, rows)
    now, following = s.kept * t * s.batch + first, s.kept * (t + 1) * s.batch + first
    for m in range(rows):
        memory = at(b.memory, (first + m) * s.words * s.row)
        if s.kept and t % s.every == 0:
            kept = at(b.kept_memory, (t // s.every * s.batch + first + m) * s.words * s.row)
            copy(kept, memory, s.words * s.row)
        i = (now + m) * s.heads * s.row
        access(
            s,
            c,
            groups,
            p.begin,
            p.end,
            memory,
            at(b.norms, (first + m) * s.row),
            at(b.means, (first + m) * s.row),
            at(b.weighting, i),
            at(b.values, (now + m) * s.values),
            at(b.alike, i),
            at(b.content, i),
            at(b.gated, 0),
            at(b.shifted, i),
            at(b.weighting, (following + m) * s.heads * s.row),
            at(b.reads, (following + m) * s.reads),
            at(b.spare, 0),
        )
    if p.end > 1 + GROUP_PARTS * len(groups):
        answer(s, weights, b, t, first, rows)
        if p.records != 0:
            record(s, c, p, copies, b, t)


@kernel_inlined
def forward_span(s: Sizes, c: Choices, groups: Groups, weights: Weights, b: Buffers, p: Span, copies: Copies) -> None:
    """The steps of a span, tile by tile."""
    if p.packs != 0:
        pack_forward(s, weights, b)
    for first in range(p.from_sequence, p.to_sequence, s.tile):
        rows = min(s.tile, p.to_sequence - first)
        if p.measures != 0:
            measure(s, c, b, first, rows)
        for t in range(p.first, p.last):
            forward_step(s, c, groups, weights, b, p, copies, t, first, rows)


@kernel_inlined
def controller_backward(s: Sizes, c: Choices, b: Buffers, g: Gradients, t: int, first: int, rows: int) -> None:
    """One step back through all layers of a tile's controllers."""
    count = s.gates * s.units
    for above in range(s.layers):
        layer = s.layers - 1 - above
        d_hidden = at(g.hidden, (layer * s.batch + first) * s.unit_stride)
        d_gates = at(g.gates, gates_at(s, layer, t, first))
        for m in range(rows):
            now, following = hidden_at(s, layer, t, first + m), hidden_at(s, layer, t + 1, first + m)
            layer_backward(
                c,
                at(b.gates, gates_at(s, layer, t, first + m)),
                at(b.hidden, now),
                at(b.cells, now),
                at(b.cells, following),
                off(d_hidden, m * s.unit_stride),
                at(g.cells, (layer * s.batch + first + m) * s.units),
                off(d_gates, m * s.gate_stride),
                at(g.spare, 0),
                s.units,
            )
        if s.recurrent:
            packed = at(g.packed_hidden, layer * count * s.unit_stride)
            product(rows, d_gates, s.gate_stride, count, packed, s.units, d_hidden, s.unit_stride)
        if layer == 0:
            d_reads = at(g.reads, first * s.read_stride)
            zero(d_reads, rows * s.read_stride)
            product(rows, d_gates, s.gate_stride, count, at(g.packed_lower, 0), s.reads, d_reads, s.read_stride)
        else:
            packed = at(g.packed_lower, count * (s.read_stride + (layer - 1) * s.unit_stride))
            d_below = at(g.hidden, ((layer - 1) * s.batch + first) * s.unit_stride)
            product(rows, d_gates, s.gate_stride, count, packed, s.units, d_below, s.unit_stride)


@kernel_inlined
def backward_step(
    s: Sizes, c: Choices, groups: Groups, b: Buffers, g: Gradients, t: int, first: int, rows: int
) -> None:
    """One step back of a tile."""
    d_logits = at(g.logits, (t * s.batch + first) * s.outputs)
    d_spoken = at(g.hidden, ((s.layers - 1) * s.batch + first) * s.unit_stride)
    d_reads = at(g.reads, first * s.read_stride)
    output_hidden, output_reads = at(g.packed_output_hidden, 0), at(g.packed_output_reads, 0)
    product(rows, d_logits, s.outputs, s.outputs, output_hidden, s.units, d_spoken, s.unit_stride)
    product(rows, d_logits, s.outputs, s.outputs, output_reads, s.reads, d_reads, s.read_stride)
    now, following = t * s.batch + first, (t + 1) * s.batch + first
    d_raw = at(g.raw, now * s.raw_stride)
    versions, version = s.every * s.memories + 1, t % s.every * s.memories
    for m in range(rows):
        i = (now + m) * s.heads * s.row
        values = at(b.values, (now + m) * s.values)
        access_backward(
            s,
            c,
            groups,
            at(g.memories, (m * versions + version) * s.words * s.row),
            at(g.norms, (m * versions + version) * s.row),
            at(g.means, (m * versions + version) * s.row),
            at(b.weighting, i),
            values,
            at(b.alike, i),
            at(b.content, i),
            at(b.shifted, i),
            at(b.weighting, (following + m) * s.heads * s.row),
            off(d_reads, m * s.read_stride),
            at(g.weighting, (first + m) * s.heads * s.row),
            at(g.memory, (first + m) * s.words * s.row),
            at(g.values, 0),
            at(g.spare, 0),
        )
        raw = at(b.raw, (now + m) * s.raw_stride)
        head_parameters_backward(s, c, raw, values, at(g.values, 0), off(d_raw, m * s.raw_stride))
    product(rows, d_raw, s.raw_stride, s.raw, at(g.packed_heads, 0), s.units, d_spoken, s.unit_stride)
    controller_backward(s, c, b, g, t, first, rows)


@kernel_inlined
def begin_backward(s: Sizes, c: Choices, b: Buffers, g: Gradients) -> None:
    """Stop the gradient of clipped logits; nothing depends on the last state."""
    for row in range(s.steps * s.batch):
        logits, d_logits = at(b.logits, row * s.output_stride), at(g.logits, row * s.outputs)
        for i in range(s.outputs):
            d_logits[i] *= inside(logits[i], f32(c.clip))
    zero(at(g.hidden, 0), s.layers * s.batch * s.unit_stride)
    zero(at(g.cells, 0), s.layers * s.batch * s.units)
    zero(at(g.reads, 0), s.batch * s.read_stride)
    zero(at(g.weighting, 0), s.batch * s.heads * s.row)
    zero(at(g.memory, 0), s.batch * s.words * s.row)


@kernel_inlined
def weight_gradients(s: Sizes, b: Buffers, g: Gradients, wanted: Weights, share: Share) -> None:
    """Add the gradients by the weights and biases that are wanted: one product each over all steps and sequences.

    Of each, a share has some rows.
    """
    rows, spare, width = s.steps * s.batch, at(g.spare, 0), s.inputs + s.reads
    first, count = rows_of(s.gates * s.units, share)
    for layer in range(s.layers):
        d_gates = at(g.gates, gates_at(s, layer, 0, 0) + first)
        if wanted[layer, 0] != 0 and layer == 0:
            out = at(wanted[layer, 0], first * width)
            weight_gradient(rows, d_gates, s.gate_stride, count, at(b.inputs, 0), s.inputs, out, width, spare)
            weight_gradient(
                rows, d_gates, s.gate_stride, count, at(b.reads, 0), s.reads, off(out, s.inputs), width, spare
            )
        elif wanted[layer, 0] != 0:
            below, out = at(b.hidden, hidden_at(s, layer - 1, 1, 0)), at(wanted[layer, 0], first * s.units)
            weight_gradient(rows, d_gates, s.gate_stride, count, below, s.units, out, s.units, spare)
        if wanted[layer, 1] != 0:
            last, out = at(b.hidden, hidden_at(s, layer, 0, 0)), at(wanted[layer, 1], first * s.units)
            weight_gradient(rows, d_gates, s.gate_stride, count, last, s.units, out, s.units, spare)
        one, other = numbers_from(wanted[layer, 2], first), numbers_from(wanted[layer, 3], first)
        bias_gradient(rows, d_gates, s.gate_stride, count, one, other, spare)
    spoken, reads = at(b.hidden, hidden_at(s, s.layers - 1, 1, 0)), at(b.reads, s.batch * s.reads)
    width = s.units + s.reads
    first, count = rows_of(s.outputs, share)
    d_logits = at(g.logits, first)
    if wanted[s.layers, 0] != 0:
        out = at(wanted[s.layers, 0], first * width)
        weight_gradient(rows, d_logits, s.outputs, count, spoken, s.units, out, width, spare)
        weight_gradient(rows, d_logits, s.outputs, count, reads, s.reads, off(out, s.units), width, spare)
    one = numbers_from(wanted[s.layers, 2], first)
    bias_gradient(rows, d_logits, s.outputs, count, one, 0, spare)
    first, count = rows_of(s.raw, share)
    d_raw = at(g.raw, first)
    if wanted[s.layers + 1, 0] != 0:
        out = at(wanted[s.layers + 1, 0], first * s.units)
        weight_gradient(rows, d_raw, s.raw_stride, count, spoken, s.units, out, s.units, spare)
    one = numbers_from(wanted[s.layers + 1, 2], first)
    bias_gradient(rows, d_raw, s.raw_stride, count, one, 0, spare)


@kernel
def rows_of(rows: int, share: Share) -> tuple[int, int]:
    """The first of a weight's rows that a share has, and how many these are."""
    first = rows * share.part // share.parts
    return first, rows * (share.part + 1) // share.parts - first


@kernel
def numbers_from(address: int, first: int) -> int:
    """The address of number `first` of those at an address, if there is one."""
    return address + NUMBER_BYTES * first if address != 0 else 0


@kernel_inlined
def replay_segment(
    s: Sizes, c: Choices, groups: Groups, b: Buffers, g: Gradients, start: int, sequence: int, m: int
) -> None:
    """Every version of one sequence's memory from a kept one up to the next, computed again."""
    versions, size = s.every * s.memories + 1, s.words * s.row
    base = m * versions
    kept = at(b.kept_memory, (start // s.every * s.batch + sequence) * size)
    copy(at(g.memories, base * size), kept, size)
    memory_norms(s, c, kept, at(g.norms, base * s.row), at(g.means, base * s.row))
    for t in range(start, min(start + s.every, s.steps)):
        version = base + (t - start) * s.memories
        replay(
            s,
            c,
            groups,
            at(b.weighting, ((t + 1) * s.batch + sequence) * s.heads * s.row),
            at(b.values, (t * s.batch + sequence) * s.values),
            at(g.memories, version * size),
            at(g.norms, version * s.row),
            at(g.means, version * s.row),
        )


def compile_for(sources: str) -> tuple[Callable[..., None], Callable[..., float]]:
    """The forward and the backward pass, compiled at their first call or loaded from numba's cache.

    numba notices a change in this file only. As a variable of the two functions, `sources`, which stands for the text
    of all modules, tells their cached versions apart.
    """

    @kernel_entry
    def forward(
        sizes: Records,
        choices: Records,
        groups: Groups,
        weights: Weights,
        buffers: Records,
        spans: Records,
        copies: Copies,
        beginnings: Records,
    ) -> None:
        """Run a batch of sequences, or a part of that, from its beginning or from the state in the buffers.

        It fills the logits and the records.

        Whatever the span, it is the same code that computes a step: so its bits are the same.
        """
        s, c, b, p, start = sizes[0], choices[0], buffers[0], spans[0], beginnings[0]
        _ = sources
        mode = float_mode()
        set_float_mode(mode | FLUSH_DENORMALS)
        if start.inputs != 0:
            begin(s, b, start)
        forward_span(s, c, groups, weights, b, p, copies)
        set_float_mode(mode)

    @kernel_entry
    def backward(
        sizes: Records,
        choices: Records,
        groups: Groups,
        weights: Weights,
        buffers: Records,
        gradients: Records,
        wanted: Weights,
        lessons: Records,
        shares: Records,
    ) -> float:
        """The gradients by the initial state, the weights and the biases: of the loss, which is the result.

        Those by weights and biases are added at the addresses in `wanted`.

        Without a lesson they follow from the gradients by the logits, and the result is 0; so it is for a share that
        does not begin.
        """
        s, c, b, g, lesson, share = sizes[0], choices[0], buffers[0], gradients[0], lessons[0], shares[0]
        _ = sources
        mode = float_mode()
        set_float_mode(mode | FLUSH_DENORMALS)
        loss = 0.0
        if share.begins != 0:
            pack_backward(s, weights, g)
            loss = loss_gradient(s, c, b, g, lesson) if lesson.targets != 0 else 0.0
            begin_backward(s, c, b, g)
        for first in range(share.from_sequence, share.to_sequence, s.tile):
            rows = min(s.tile, share.to_sequence - first)
            for behind in range((s.steps - 1) // s.every + 1):
                start = ((s.steps - 1) // s.every - behind) * s.every
                for m in range(rows):
                    replay_segment(s, c, groups, b, g, start, first + m, m)
                steps = min(s.every, s.steps - start)
                for back in range(steps):
                    backward_step(s, c, groups, b, g, start + steps - 1 - back, first, rows)
        if share.parts != 0:
            weight_gradients(s, b, g, wanted, share)
        set_float_mode(mode)
        return loss

    return forward, backward


forward, backward = compile_for(sources_fingerprint())
build((forward, backward), sources_fingerprint())
