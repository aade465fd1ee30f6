"""The machine's configuration: its sizes and every choice that equations 1-8 leave open, by name.

A `MachineConfig` is frozen and validated: whoever holds one holds a machine that can be built. It is saved in every
checkpoint and every trace, and shown beside what the paper says (`open_choices`).
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ntm_core.choice_words import WORDS
from ntm_core.errors import ConfigError

Controller = Literal["lstm", "gru", "recurrent", "feedforward"]
ControllerActivation = Literal["tanh", "relu", "sigmoid"]
GruResetGate = Literal["after_product", "before_product"]
HeadKind = Literal["read", "write"]
HeadRoles = Literal["read_or_write", "read_and_write"]
HeadInput = Literal["hidden", "cell"]
OutputInput = Literal["hidden_and_reads", "input_and_reads", "hidden"]
OutputActivation = Literal["sigmoid", "softmax"]
Similarity = Literal["cosine", "dot", "scaled_dot", "negative_euclidean", "pearson"]
EpsilonPlacement = Literal["each_norm", "norm_product", "added_to_norm_product", "inside_root"]
InitialMemory = Literal[
    "constant",
    "trainable_constant",
    "learned",
    "learned_tanh",
    "learned_sigmoid",
    "random_normal",
    "random_uniform",
    "fresh_uniform",
    "given",
    "zeros",
]
InitialWeighting = Literal["learned", "learned_decaying", "one_hot", "uniform", "given", "zeros"]
InitialRead = Literal["zeros", "learned", "learned_tanh", "random", "fresh_uniform", "fresh_tanh_normal", "from_memory"]
InitialController = Literal["learned", "given", "zeros"]
ContentSoftmax = Literal["each_head", "heads_of_a_kind", "each_location"]
PreviousWeighting = Literal["own", "read_head"]
SharpeningEpsilonPlacement = Literal["normaliser", "before_power"]
VectorActivation = Literal["tanh", "identity", "clip", "relu", "sigmoid"]
KeyStrengthActivation = Literal["softplus", "exp", "relu", "scaled_sigmoid"]
GateActivation = Literal["sigmoid", "hard_sigmoid"]
ShiftKernel = Literal["softmax", "softmax_of_relu", "softmax_of_softplus", "fractional", "ones"]
SharpeningActivation = Literal["softplus", "relu", "elu", "scaled_sigmoid"]
EraseActivation = Literal["sigmoid", "hard_sigmoid", "relu", "ones", "none"]
Schedule = Literal["address_first", "address_last"]
StepOrder = Literal["read_then_write", "write_then_read", "listed"]
WriteOrder = Literal["erases_then_adds", "one_by_one"]
ShiftEdge = Literal["circular", "zero_padded"]


class MachineConfig(BaseModel):
    """A machine's sizes and open choices: frozen, validated, and the same in Python and in JSON.

    N is `memory_size`, W `word_size`, R `shift_range`; a head is a read or a write head, and on every `head` axis
    the read heads come first. Each open choice of the equations is one field; its alternatives are its `Literal`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_size: int = Field(ge=1, le=4096, description="Channels of the input x_t.")
    output_size: int = Field(ge=1, le=4096, description="Channels of the output y_t.")
    memory_size: int = Field(128, ge=1, le=65536, description="N, the number of memory locations.")
    word_size: int = Field(20, ge=1, le=4096, description="W, the number of cells at a location.")
    read_heads: int = Field(1, ge=1, le=64, description="Number of read heads.")
    write_heads: int = Field(1, ge=1, le=64, description="Number of write heads.")
    shift_range: int = Field(1, ge=1, le=256, description="R: a head may shift its focus by -R … +R locations.")
    controller: Controller = Field("lstm", description="The kind of the controller network.")
    controller_size: int = Field(100, ge=1, le=8192, description="Units in each layer of the controller.")
    controller_layers: int = Field(1, ge=1, le=16, description="Layers of the controller.")
    controller_layer_sizes: tuple[int, ...] | None = Field(
        None,
        description="Units of each layer of a feed-forward controller whose layers differ; "
        "controller_size is then the largest.",
    )
    controller_activation: ControllerActivation = Field(
        "tanh", description="Nonlinearity of a feed-forward or plain recurrent controller's layers."
    )
    gru_reset_gate: GruResetGate = Field(
        "after_product", description="Where a GRU's reset gate acts: on the recurrent matrix product, or before it."
    )
    head_roles: HeadRoles = Field(
        "read_or_write",
        description="What a head does; one that does both has one weighting: write head i is then read head i, and "
        "stands twice on every head axis.",
    )
    head_input: HeadInput = Field("hidden", description="What of the controller's state the heads hear.")
    output_input: OutputInput = Field("hidden_and_reads", description="What the output y_t is formed from.")
    output_activation: OutputActivation = Field(
        "sigmoid", description="y_t in [0, 1]: the nonlinearity that keeps it there."
    )

    similarity: Similarity = Field(
        "cosine", description="K[u, v], any number: how alike key and memory row are, eq. 2."
    )
    similarity_epsilon: float = Field(
        1e-8, ge=0, le=1, description="The ε that keeps a cosine or a correlation finite at a zero vector."
    )
    similarity_epsilon_placement: EpsilonPlacement = Field(
        "each_norm",
        description="Where ε sits in eq. 2.",
    )
    similarity_offset: float = Field(
        0.0, ge=-1, le=1, description="A number added to every cell of key and memory before K."
    )
    content_softmax: ContentSoftmax = Field(
        "each_head",
        description="What the softmax of eq. 1 runs over: there w^c ≥ 0 and sums to 1.",
    )
    initial_memory: InitialMemory = Field("constant", description="M_0, any numbers: what is in memory before step 1.")
    initial_memory_value: float = Field(1e-6, ge=-1e6, le=1e6, description="Every cell of a constant M_0.")
    initial_memory_scale: float = Field(
        0.5,
        gt=0,
        le=100,
        description="Standard deviation of a random_normal M_0, and of the first draw of a learned one.",
    )
    initial_weighting: InitialWeighting = Field(
        "learned", description="w_0 ≥ 0, sums to 1: where each head looks before step 1."
    )
    initial_weighting_scale: float = Field(
        1.0, ge=0, le=100, description="Standard deviation from which the logits of a learned w_0 are first drawn."
    )
    initial_read: InitialRead = Field(
        "learned",
        description="r_0, any numbers: what each read head has read before step 1.",
    )
    initial_controller: InitialController = Field(
        "learned", description="h_0, and c_0 of an LSTM, any numbers: the controller's state before step 1."
    )
    key_activation: VectorActivation = Field(
        "identity", description="k_t, any numbers: what a head looks for in memory, eq. 1."
    )
    key_strength_activation: KeyStrengthActivation = Field(
        "softplus", description="β_t ≥ 0: how sharply the most similar location stands out, eq. 1."
    )
    interpolation_gate_activation: GateActivation = Field(
        "sigmoid", description="g_t in [0, 1]: how much of w^g comes by content, and not from w_{t-1}, eq. 3."
    )
    interpolation_gate_bias: float = Field(
        0.0,
        ge=-20,
        le=20,
        description="Added to the first bias of each gate, before training: below 0 heads begin by staying, eq. 3.",
    )
    previous_weighting: PreviousWeighting = Field(
        "own",
        description="The w_{t-1} that a write head interpolates with in eq. 3.",
    )
    shift_kernel: ShiftKernel = Field(
        "softmax",
        description="s_t ≥ 0, sums to 1: how likely the focus moves by each of -R … +R locations, eq. 4.",
    )
    sharpening_activation: SharpeningActivation = Field(
        "softplus", description="γ_t ≥ 1: how much of the blur of a shift is undone, eq. 5."
    )
    sharpening_epsilon: float = Field(0.0, ge=0, le=1, description="A number added in eq. 5; see its placement.")
    sharpening_epsilon_placement: SharpeningEpsilonPlacement = Field(
        "normaliser",
        description="Where it is added: in the sum that normalises it makes w_t sum to less than 1.",
    )
    erase_activation: EraseActivation = Field(
        "sigmoid",
        description="e_t in [0, 1]: what share of each cell a write erases, eq. 7.",
    )
    add_activation: VectorActivation = Field("identity", description="a_t, any numbers: what a write adds, eq. 8.")
    schedule: Schedule = Field(
        "address_first",
        description="When a weighting acts: in the step that made it, or in the next one, which then writes e_t and "
        "a_t that come from h_{t-1}.",
    )
    step_order: StepOrder = Field(
        "read_then_write",
        description="Which memory a head sees; in a listed order, each write is seen by the heads after it.",
    )
    head_order: tuple[HeadKind, ...] | None = Field(
        None, description="The listed order, one entry a head; given exactly if step_order is listed."
    )
    write_order: WriteOrder = Field(
        "erases_then_adds", description="How several write heads write in one step; in a listed order, one by one."
    )
    clip: float | None = Field(
        20.0,
        gt=0,
        le=1e4,
        description="Head parameters (before their nonlinearities) and logits are clipped to ± this.",
    )
    shift_edge: ShiftEdge = Field("circular", description="What lies beyond the first and last location.")

    @model_validator(mode="after")
    def _combinations(self) -> Self:
        for broken in _broken_rules(self):
            raise ValueError(broken)
        return self

    @classmethod
    def make(cls, **fields: Any) -> Self:
        """The config with these fields; a refusal is a `ConfigError` that names the value and the rule."""
        try:
            return cls(**fields)
        except ValidationError as error:
            raise ConfigError(describe_validation_error(error)) from None

    @property
    def heads(self) -> int:
        """The number of heads, read heads first."""
        return self.read_heads + self.write_heads

    @property
    def shifts(self) -> tuple[int, ...]:
        """The offsets from -R to R; entry j of a shift weighting moves the focus by `shifts[j]` = j - R."""
        return tuple(range(-self.shift_range, self.shift_range + 1))

    @property
    def head_names(self) -> tuple[str, ...]:
        """The heads' names in the order of every `head` axis: read 0, read 1 and so on, then write 0 and so on."""
        return tuple(f"read {i}" for i in range(self.read_heads)) + tuple(f"write {i}" for i in range(self.write_heads))

    @property
    def draws_fresh(self) -> bool:
        """Whether a part of the state before step 1 is drawn anew for each episode, so that a run needs a seed."""
        return self.initial_memory == "fresh_uniform" or self.initial_read in ("fresh_uniform", "fresh_tanh_normal")

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """The units of each layer of the controller."""
        return self.controller_layer_sizes or (self.controller_size,) * self.controller_layers

    @property
    def order(self) -> tuple[HeadKind, ...]:
        """The kinds of the heads in the order in which they act within a step."""
        if self.head_order is not None:
            return self.head_order
        reads: list[HeadKind] = ["read"] * self.read_heads
        writes: list[HeadKind] = ["write"] * self.write_heads
        return tuple(writes + reads if self.step_order == "write_then_read" else reads + writes)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Choices that are allowed and yet surprise: one plain sentence each."""
        return tuple(_warnings(self))


_TYPE_NAME = re.compile(r"constrained-|tuple\[")


def field_path(location: Sequence[str | int]) -> list[str]:
    """The parts of a field's path in an error of pydantic's, without the types that it tried of a choice of them."""
    return [str(part) for part in location if not _TYPE_NAME.match(str(part))]


def describe_validation_error(error: ValidationError, name: Callable[[str], str] = str) -> str:
    """One line for each broken rule of a pydantic model: the field, its value, and the rule.

    `name` tells what a person calls a field of the model.
    """
    lines: dict[object, str] = {}
    for item in error.errors(include_url=False, include_context=False):
        parts = field_path(item["loc"])
        field = ".".join([*map(name, parts[:1]), *parts[1:]])
        message = item["msg"].removeprefix("Value error, ")
        line = f"{field} is {_shorten(item['input'])}: {message}" if field else message
        if item["type"] == "missing":
            line = f"{field} is missing: it has no default"
        # The same fault of another item of a list is told once.
        whose = item["loc"][:-1] if item["loc"] and isinstance(item["loc"][-1], int) else item["loc"]
        lines.setdefault((whose, repr(item["input"]), message), line)
    return "; ".join(lines.values())


def _shorten(value: object, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _broken_rules(config: MachineConfig) -> list[str]:
    broken = []
    listed = config.step_order == "listed"
    if listed and config.head_order is None:
        broken.append("step_order is 'listed' but head_order is missing: list the heads in the order they act")
    if not listed and config.head_order is not None:
        broken.append(f"head_order is given but step_order is {config.step_order!r}: only 'listed' uses an order")
    if config.head_order is not None:
        counts = (config.head_order.count("read"), config.head_order.count("write"))
        if counts != (config.read_heads, config.write_heads):
            broken.append(
                f"head_order lists {counts[0]} read and {counts[1]} write heads, but the machine has "
                f"{config.read_heads} and {config.write_heads}"
            )
    if listed and config.write_order != "one_by_one":
        broken.append(
            f"write_order is {config.write_order!r} but step_order is 'listed': there each write acts at once, "
            "so write_order must be 'one_by_one'"
        )
    if config.similarity in ("cosine", "pearson") and config.similarity_epsilon < 1e-20:
        broken.append(
            f"similarity_epsilon is {config.similarity_epsilon!r} but similarity is {config.similarity!r}: "
            "a zero key or memory row would divide by zero, so it must be at least 1e-20"
        )
    if 0 < config.sharpening_epsilon < 1e-30:
        broken.append(
            f"sharpening_epsilon is {config.sharpening_epsilon!r}: float32 cannot hold it, "
            "so it must be 0 or at least 1e-30"
        )
    return [*broken, *_broken_controller_rules(config), *_broken_head_rules(config)]


def _broken_controller_rules(config: MachineConfig) -> list[str]:
    broken = []
    sizes = config.controller_layer_sizes
    if sizes is not None:
        if config.controller != "feedforward":
            broken.append(
                f"controller_layer_sizes is given but controller is {config.controller!r}: "
                "only a feed-forward controller's layers may differ"
            )
        if len(sizes) != config.controller_layers or min(sizes, default=0) < 1 or max(sizes) != config.controller_size:
            broken.append(
                f"controller_layer_sizes is {sizes}: it must hold controller_layers = {config.controller_layers} "
                f"sizes of at least 1, the largest of them controller_size = {config.controller_size}"
            )
    if config.gru_reset_gate != "after_product" and config.controller != "gru":
        broken.append(
            f"gru_reset_gate is {config.gru_reset_gate!r} but controller is {config.controller!r}: "
            "only a GRU has a reset gate"
        )
    if config.head_input == "cell" and config.controller != "lstm":
        broken.append(f"head_input is 'cell' but controller is {config.controller!r}: only an LSTM has cells")
    return broken


def _broken_head_rules(config: MachineConfig) -> list[str]:
    broken = []
    if config.schedule == "address_last" and config.step_order != "write_then_read":
        broken.append(
            f"schedule is 'address_last' but step_order is {config.step_order!r}: there each step writes first, "
            "so step_order must be 'write_then_read'"
        )
    if config.head_roles == "read_and_write":
        if config.read_heads != config.write_heads:
            broken.append(
                f"head_roles is 'read_and_write' but there are {config.read_heads} read and {config.write_heads} "
                "write heads: each head is one of both, so the numbers must be equal"
            )
        if config.schedule == "address_first" and config.step_order != "read_then_write":
            broken.append(
                f"head_roles is 'read_and_write' but step_order is {config.step_order!r}: a head that does both "
                "addresses once a step, so step_order must be 'read_then_write'"
            )
    if config.previous_weighting == "read_head" and config.write_heads > config.read_heads:
        broken.append(
            f"previous_weighting is 'read_head' but there are {config.write_heads} write heads for "
            f"{config.read_heads} read heads: each write head needs a read head of its number"
        )
    if config.content_softmax == "heads_of_a_kind" and config.step_order == "listed":
        broken.append(
            "content_softmax is 'heads_of_a_kind' but step_order is 'listed': heads that share a softmax act together"
        )
    return broken


def _warnings(config: MachineConfig) -> list[str]:
    found = []
    if config.initial_weighting == "zeros":
        found.append("w_0 is all zeros: it sums to 0, so weightings leave the simplex until a head looks by content.")
    same_rows = config.initial_memory in ("constant", "zeros")
    if same_rows and config.initial_weighting in ("uniform", "zeros"):
        found.append(
            f"M_0 has equal rows ({config.initial_memory}) and w_0 is {config.initial_weighting}: "
            "no location differs from another, so the machine cannot learn to tell them apart."
        )
    if 2 * config.shift_range + 1 > config.memory_size:
        found.append(
            f"The shift kernel has {2 * config.shift_range + 1} taps for {config.memory_size} locations: "
            "different shifts move the focus to the same place."
        )
    if config.shift_edge == "zero_padded":
        found.append(
            "The shift is not circular: a focus that leaves the edge is lost, and eq. 5 renormalises the rest."
        )
    found += [sentence for name, value, sentence in _SURPRISES if getattr(config, name) == value]
    if config.sharpening_epsilon > 0 and config.sharpening_epsilon_placement == "normaliser":
        found.append("The sharpening adds a number to its normaliser: w_t sums to less than 1 where w~ is small.")
    return found


_SURPRISES = (
    ("initial_memory", "fresh_uniform", "M_0 is drawn anew for each episode, from the seed of the initial state."),
    ("initial_read", "fresh_uniform", "r_0 is drawn anew for each episode, from the seed of the initial state."),
    ("initial_read", "fresh_tanh_normal", "r_0 is drawn anew for each episode, from the seed of the initial state."),
    ("content_softmax", "each_location", "w^c is 1 at every location, whatever the key."),
    ("content_softmax", "heads_of_a_kind", "w^c of one head sums to less than 1: heads of a kind share one softmax."),
    ("shift_kernel", "ones", "s_t is 1 at every tap: it sums to more than 1, and eq. 5 alone normalises."),
    ("erase_activation", "relu", "e_t has no upper bound: a cell may change its sign when it is erased."),
    ("previous_weighting", "read_head", "Write heads interpolate with the previous weighting of the read heads."),
    ("schedule", "address_last", "The weighting w_t of a step reads and writes in the next step."),
    ("head_roles", "read_and_write", "Write head i is read head i: one head that both reads and writes."),
)
"""Alternatives whose choice alone is worth a sentence: field, value, sentence."""


class OpenChoice(BaseModel):
    """One open choice of a machine beside what the paper says."""

    model_config = ConfigDict(frozen=True)

    choice: str = Field(description="The field's name in MachineConfig.")
    description: str = Field(description="What is chosen.")
    value: str = Field(description="What this machine does.")
    words: str | None = Field(description="The value in words, or null where its name is plain.")
    paper: str | None = Field(description="What Graves et al. (2014) say, or null where they leave it open.")
    deviates: bool = Field(description="True if the machine does other than the paper says.")
    alternatives: tuple[str, ...] = Field(description="The other values that this version can compute.")


_PAPER: dict[str, tuple[Any, ...]] = {
    "head_roles": ("read_or_write",),
    "similarity": ("cosine",),
    "similarity_offset": (0.0,),
    "content_softmax": ("each_head",),
    "previous_weighting": ("own",),
    "sharpening_epsilon": (0.0,),
    "schedule": ("address_first",),
    "shift_kernel": ("softmax", "fractional"),
    "shift_edge": ("circular",),
    "erase_activation": ("sigmoid", "hard_sigmoid"),
    "interpolation_gate_activation": ("sigmoid", "hard_sigmoid"),
    "write_order": ("erases_then_adds",),
    "initial_weighting": ("learned", "learned_decaying", "one_hot", "uniform"),
}
"""What Graves et al. (2014) fix, in their sections 3.2 (writing) and 3.3 (addressing)."""

_CHOICES = (
    "controller_activation",
    "gru_reset_gate",
    "head_roles",
    "head_input",
    "output_input",
    "output_activation",
    "similarity",
    "similarity_epsilon",
    "similarity_epsilon_placement",
    "similarity_offset",
    "content_softmax",
    "initial_memory",
    "initial_memory_value",
    "initial_memory_scale",
    "initial_weighting",
    "initial_weighting_scale",
    "initial_read",
    "initial_controller",
    "key_activation",
    "key_strength_activation",
    "interpolation_gate_activation",
    "interpolation_gate_bias",
    "previous_weighting",
    "shift_kernel",
    "sharpening_activation",
    "sharpening_epsilon",
    "sharpening_epsilon_placement",
    "erase_activation",
    "add_activation",
    "schedule",
    "step_order",
    "head_order",
    "write_order",
    "clip",
    "shift_edge",
)


def open_choices(config: MachineConfig) -> tuple[OpenChoice, ...]:
    """Every open choice of a machine, in the order of the equations, beside what the paper says."""
    return tuple(_open_choice(config, name) for name in _CHOICES)


def _open_choice(config: MachineConfig, name: str) -> OpenChoice:
    field = MachineConfig.model_fields[name]
    value = getattr(config, name)
    allowed = _PAPER.get(name)
    return OpenChoice(
        choice=name,
        description=field.description or "",
        value="none" if value is None else ", ".join(value) if isinstance(value, tuple) else str(value),
        words=WORDS.get(name, {}).get(str(value)),
        paper=" or ".join(map(str, allowed)) if allowed else None,
        deviates=allowed is not None and value not in allowed,
        alternatives=tuple(
            str(other) for other in get_args(field.annotation) if isinstance(other, str) and other != value
        ),
    )
