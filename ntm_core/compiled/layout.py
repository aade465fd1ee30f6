"""What the kernel is told of a machine and a batch: sizes, choices as small numbers, and where each buffer lies."""

import functools
import math
from typing import Any, NamedTuple, get_type_hints

import numpy as np
from numpy.typing import NDArray

from ntm_core.config import MachineConfig

BLOCK = 16
"""Rows of buffers begin at multiples of so many numbers, 64 bytes."""

NUMBER_BYTES = 4

CHUNK = 64
"""Rows of inputs that a weight's gradient is summed over at a time, so that they stay in the cache."""

EVERY = 8
"""The memory is kept at every so-manieth step; backward computes those between again."""

CODES: dict[str, dict[str, int]] = {
    "controller": {"lstm": 0, "gru": 1, "feedforward": 2},
    "controller_activation": {"tanh": 0, "relu": 1, "sigmoid": 2},
    "similarity": {"cosine": 0, "dot": 1, "scaled_dot": 2, "negative_euclidean": 3, "pearson": 4},
    "similarity_epsilon_placement": {
        "each_norm": 0,
        "norm_product": 1,
        "added_to_norm_product": 2,
        "inside_root": 3,
    },
    "key_activation": {"identity": 0, "tanh": 1, "clip": 2, "relu": 3},
    "key_strength_activation": {"softplus": 0, "exp": 1, "relu": 2, "scaled_sigmoid": 3},
    "interpolation_gate_activation": {"sigmoid": 0, "hard_sigmoid": 1},
    "shift_kernel": {"softmax": 0, "fractional": 1},
    "sharpening_activation": {"softplus": 0, "relu": 1, "elu": 2, "scaled_sigmoid": 3},
    "erase_activation": {"sigmoid": 0, "hard_sigmoid": 1, "none": 2},
    "add_activation": {"identity": 0, "tanh": 1, "clip": 2, "relu": 3},
    "write_order": {"erases_then_adds": 0, "one_by_one": 1},
    "shift_edge": {"circular": 0, "zero_padded": 1},
}
"""Each choice that the kernel makes, with the number by which it knows each alternative."""


Records = np.ndarray[Any, np.dtype[np.void]]
"""One of the tuples below, as an array with one record: the kernel reads its fields by their names."""


def as_record(numbers: "Choices | Sizes | Span | Share | Beginning | Lesson") -> Records:
    """A tuple as the kernel takes it."""
    kind: Any = type(numbers)
    return np.array([tuple(numbers)], _dtype(kind))


def record_of(kind: Any, addresses: NDArray[np.int64]) -> Records:
    """The addresses of all buffers as the kernel takes them."""
    return addresses.view(_dtype(kind))


@functools.cache
def _dtype(kind: Any) -> np.dtype[np.void]:
    kinds = get_type_hints(kind)
    return np.dtype([(name, np.float64 if kinds[name] is float else np.int64) for name in kinds])


class Choices(NamedTuple):
    """The choices of a machine that the kernel makes, by the numbers of `CODES`, and their two constants."""

    controller: int
    controller_activation: int
    similarity: int
    similarity_epsilon_placement: int
    key_activation: int
    key_strength_activation: int
    interpolation_gate_activation: int
    shift_kernel: int
    sharpening_activation: int
    erase_activation: int
    add_activation: int
    write_order: int
    shift_edge: int
    epsilon: float
    clip: float

    @classmethod
    def of(cls, config: MachineConfig) -> "Choices":
        """The choices of this machine. KeyError if the kernel does not know one."""
        codes = {name: alternatives[getattr(config, name)] for name, alternatives in CODES.items()}
        clip = math.inf if config.clip is None else config.clip
        return cls(**codes, epsilon=config.similarity_epsilon, clip=clip)


class Sizes(NamedTuple):
    """The sizes of a machine and of a batch of sequences.

    Attributes:
        steps: T.
        batch: B.
        tile: sequences that are computed side by side, so that they share the weights while these are in the cache.
        kept: 1 if each step keeps what it computed for the backward pass, else 0: then it overwrites the last step's.
        every: steps from one kept memory to the next.
        inputs, outputs: channels of x_t and y_t.
        units, layers: of the controller.
        gates: rows of weights for each unit.
        recurrent: 1 if a layer sees its own last output, else 0.
        read_heads, heads: read heads come first.
        locations, words: N and W.
        reach: R.
        taps: raw numbers of a shift.
        reads: numbers in all read vectors together.
        raw: numbers that the controller gives to the heads.
        values: numbers of all head parameters, after their nonlinearities.
        gate_stride, raw_stride, read_stride, unit_stride, output_stride: lengths of rows that a product writes.
        row: length of a row of numbers by location.
        memories: versions of the memory in a step, as many as groups of heads that write.
    """

    steps: int
    batch: int
    tile: int
    kept: int
    every: int
    inputs: int
    outputs: int
    units: int
    layers: int
    gates: int
    recurrent: int
    read_heads: int
    heads: int
    locations: int
    words: int
    reach: int
    taps: int
    reads: int
    raw: int
    values: int
    gate_stride: int
    raw_stride: int
    read_stride: int
    unit_stride: int
    output_stride: int
    row: int
    memories: int


def rounded_up(count: int) -> int:
    """The next multiple of `BLOCK`."""
    return -(-count // BLOCK) * BLOCK


def row_length(locations: int) -> int:
    """The length of a row by location: rows a power of two apart would fall upon the same lines of the cache."""
    length = rounded_up(locations)
    return length + BLOCK if length % 256 == 0 else length


class Buffers(NamedTuple):
    """The address of each buffer of float32 numbers; rows of numbers by location have the length `Sizes.row`.

    The first axis of what is kept by step has T entries, or T + 1 where entry 0 is the initial state; without keeping,
    it has one.
    """

    inputs: int  # step, batch, input
    logits: int  # step, batch, output_stride
    hidden: int  # layer, step + 1, batch, unit
    cells: int  # layer, step + 1, batch, unit; an LSTM's
    gates: int  # layer, step, batch, gate_stride
    reads: int  # step + 1, batch, read
    raw: int  # step, batch, raw_stride
    values: int  # step, batch, value
    weighting: int  # step + 1, batch, head, row
    alike: int  # step, batch, head, row
    content: int  # step, batch, head, row
    shifted: int  # step, batch, head, row
    gated: int  # head, row and R numbers before and behind it; of the sequence at hand
    memory: int  # batch, word, row
    norms: int  # batch, row
    means: int  # batch, row
    kept_memory: int  # segment, batch, word, row
    packed_inputs: int
    packed_lower: int
    packed_hidden: int
    packed_biases: int
    packed_heads: int
    packed_output_hidden: int
    packed_output_reads: int
    spare: int


class Span(NamedTuple):
    """Which part of a pass forward the kernel is to compute, and where it leaves a record of each step.

    A step has parts: 0 is the controllers and the head parameters; then come, for each group of heads, those of
    `GROUP_PARTS`; the last is the output. Only a batch of one sequence can be recorded.

    Attributes:
        first, last: steps from `first` until before `last`.
        begin, end: of each of these steps, the parts from `begin` until before `end`.
        packs: 1 if the weights are to be packed first.
        measures: 1 if the norms of the memory are to be computed first.
        records: the address of the record of step 0; 0 if nothing is recorded.
        length: numbers in a record.
        outputs, logits, memory_found: where these begin in a record; -1 for what it does not hold.
        from_sequence, to_sequence: sequences from `from_sequence` until before `to_sequence`.
    """

    first: int
    last: int
    begin: int
    end: int
    packs: int = 1
    measures: int = 1
    records: int = 0
    length: int = 0
    outputs: int = -1
    logits: int = -1
    memory_found: int = -1
    from_sequence: int = 0
    to_sequence: int = 1


class Beginning(NamedTuple):
    """The addresses of the inputs and of the initial state; all 0 for a span that goes on from what is in the buffers.

    Each part of the state has a step, the numbers from one sequence's to the next one's: 0 if they share it.
    """

    inputs: int = 0  # step, batch, input
    memory: int = 0  # location, word
    weighting: int = 0  # head, location
    reads: int = 0  # read
    hidden: int = 0  # layer, unit
    cells: int = 0  # layer, unit; 0 unless the controller is an LSTM
    memory_step: int = 0
    weighting_step: int = 0
    reads_step: int = 0
    hidden_step: int = 0
    cells_step: int = 0


class Share(NamedTuple):
    """Which part of a pass backward the kernel is to compute.

    Attributes:
        begins: 1 for what comes first: the weights are packed, and the loss and its gradient by the logits computed.
        from_sequence, to_sequence: then the sequences from `from_sequence` until before `to_sequence` go back.
        part, parts: last come the gradients by the weights: of each, part `part` of so many; none if that is 0.
    """

    begins: int = 0
    from_sequence: int = 0
    to_sequence: int = 0
    part: int = 0
    parts: int = 0


class Lesson(NamedTuple):
    """The addresses of what the outputs should be, (step, batch, output), and of the mask, (step, batch).

    Both are 0 where the gradient by the logits is given.
    """

    targets: int = 0
    mask: int = 0


class Copied(NamedTuple):
    """One field of a record that is copied from the buffers: rows of a width, side by side in the record.

    Attributes:
        target: where the field begins in a record.
        source: the address of its first row in the buffers.
        width: of a row.
        stride: from one row to the next in the buffers.
        rows: how many.
    """

    target: int
    source: int
    width: int
    stride: int
    rows: int


CONTENT, GATED, SHIFTED, WEIGHTING, READ, WRITE = range(6)
"""The parts of a group's access, in the order in which they are computed."""

GROUP_PARTS = 6


def part_of(group: int, part: int) -> int:
    """The number of a group's part among the parts of a step."""
    return 1 + GROUP_PARTS * group + part


def parts_of(groups: int) -> int:
    """How many parts a step has."""
    return GROUP_PARTS * groups + 2


class Gradients(NamedTuple):
    """The address of each buffer of the backward pass."""

    logits: int  # step, batch, output
    gates: int  # layer, step, batch, gate_stride
    raw: int  # step, batch, raw_stride
    values: int  # value
    memories: int  # tile, version, word, row
    norms: int  # tile, version, row
    means: int  # tile, version, row
    packed_lower: int
    packed_hidden: int
    packed_heads: int
    packed_output_hidden: int
    packed_output_reads: int
    spare: int
    hidden: int  # layer, batch, unit_stride
    cells: int  # layer, batch, unit
    reads: int  # batch, read_stride
    weighting: int  # batch, head, row
    memory: int  # batch, word, row
