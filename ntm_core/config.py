"""The machine's configuration: its sizes and every choice that equations 1-8 leave open, by name.

A `MachineConfig` is frozen and validated: whoever holds one holds a machine that can be built. It is saved in every
checkpoint and every trace, and shown beside what the paper says (`open_choices`).
"""

from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ntm_core.errors import ConfigError

Controller = Literal["lstm", "gru", "feedforward"]
HeadKind = Literal["read", "write"]
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
    "zeros",
]
InitialWeighting = Literal["learned", "learned_decaying", "one_hot", "uniform", "zeros"]
InitialRead = Literal["zeros", "learned", "learned_tanh", "random"]
InitialController = Literal["learned", "zeros"]
VectorActivation = Literal["tanh", "identity", "clip", "relu"]
KeyStrengthActivation = Literal["softplus", "exp", "relu", "scaled_sigmoid"]
GateActivation = Literal["sigmoid", "hard_sigmoid"]
ShiftKernel = Literal["softmax", "fractional"]
SharpeningActivation = Literal["softplus", "relu", "elu", "scaled_sigmoid"]
EraseActivation = Literal["sigmoid", "hard_sigmoid", "none"]
ControllerActivation = Literal["tanh", "relu", "sigmoid"]
StepOrder = Literal["read_then_write", "write_then_read", "listed"]
WriteOrder = Literal["erases_then_adds", "one_by_one"]
ShiftEdge = Literal["circular", "zero_padded"]

_EXP_LIMIT = 40.0
"""The largest clip at which exp leaves room in float32 for a product with any similarity (exp(40) = 2.4e17)."""


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
    controller_activation: ControllerActivation = Field(
        "tanh", description="Nonlinearity of a feed-forward controller's layers."
    )

    similarity: Similarity = Field("cosine", description="K[u, v] of eq. 2.")
    similarity_epsilon: float = Field(
        1e-8, ge=0, le=1, description="The ε that keeps a cosine or a correlation finite at a zero vector."
    )
    similarity_epsilon_placement: EpsilonPlacement = Field(
        "each_norm",
        description="Where ε sits: a floor under each norm, a floor under the product of norms, "
        "added to the product, or added inside the root of the squared product.",
    )
    initial_memory: InitialMemory = Field("constant", description="M_0.")
    initial_memory_value: float = Field(1e-6, ge=-1e6, le=1e6, description="Value of every cell of a constant M_0.")
    initial_memory_scale: float = Field(
        0.5,
        gt=0,
        le=100,
        description="Standard deviation of a random_normal M_0, and of the first draw of a learned one.",
    )
    initial_weighting: InitialWeighting = Field("learned", description="w_0 of every head.")
    initial_weighting_scale: float = Field(
        1.0, ge=0, le=100, description="Standard deviation from which the logits of a learned w_0 are first drawn."
    )
    initial_read: InitialRead = Field("learned", description="r_0 of every read head.")
    initial_controller: InitialController = Field(
        "learned", description="State of a recurrent controller before t = 1."
    )
    key_activation: VectorActivation = Field("identity", description="Nonlinearity of the key k_t.")
    key_strength_activation: KeyStrengthActivation = Field("softplus", description="Nonlinearity of β_t.")
    interpolation_gate_activation: GateActivation = Field("sigmoid", description="Nonlinearity of g_t.")
    shift_kernel: ShiftKernel = Field(
        "softmax", description="s_t: a softmax over 2R+1 taps, or one scalar turned into a fractional shift."
    )
    sharpening_activation: SharpeningActivation = Field("softplus", description="γ_t = 1 + this nonlinearity.")
    erase_activation: EraseActivation = Field(
        "sigmoid", description="Nonlinearity of e_t; with none, nothing is erased (e_t = 0)."
    )
    add_activation: VectorActivation = Field("identity", description="Nonlinearity of a_t.")
    step_order: StepOrder = Field(
        "read_then_write",
        description="Which memory a head sees: every head M_{t-1}; read heads M_t; "
        "or heads in a listed order, each write seen by the heads after it.",
    )
    head_order: tuple[HeadKind, ...] | None = Field(
        None, description="The listed order, one entry a head; given exactly if step_order is listed."
    )
    write_order: WriteOrder = Field(
        "erases_then_adds", description="Several write heads: all erases then all adds, or one head after the other."
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


def describe_validation_error(error: ValidationError) -> str:
    """One line for each broken rule of a pydantic model: the field, its value, and the rule."""
    lines = []
    for item in error.errors(include_url=False, include_context=False):
        field = ".".join(str(part) for part in item["loc"])
        if item["type"] == "missing":
            lines.append(f"{field} is missing: it has no default")
            continue
        message = item["msg"].removeprefix("Value error, ")
        lines.append(f"{field} is {_shorten(item['input'])}: {message}" if field else message)
    return "; ".join(lines)


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
    if config.key_strength_activation == "exp" and (config.clip is None or config.clip > _EXP_LIMIT):
        broken.append(
            f"clip is {config.clip!r} but key_strength_activation is 'exp': without a clip of at most "
            f"{_EXP_LIMIT:g} the key strength overflows"
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
    return found


class OpenChoice(BaseModel):
    """One open choice of a machine beside what the paper says."""

    model_config = ConfigDict(frozen=True)

    choice: str = Field(description="The field's name in MachineConfig.")
    description: str = Field(description="What is chosen.")
    value: str = Field(description="What this machine does.")
    paper: str | None = Field(description="What Graves et al. (2014) say, or null where they leave it open.")
    deviates: bool = Field(description="True if the machine does other than the paper says.")
    alternatives: tuple[str, ...] = Field(description="The other values that this version can compute.")


_PAPER: dict[str, tuple[str, ...]] = {
    "similarity": ("cosine",),
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
    "similarity",
    "similarity_epsilon",
    "similarity_epsilon_placement",
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
    "shift_kernel",
    "sharpening_activation",
    "erase_activation",
    "add_activation",
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
        paper=" or ".join(allowed) if allowed else None,
        deviates=allowed is not None and value not in allowed,
        alternatives=tuple(
            str(other) for other in get_args(field.annotation) if isinstance(other, str) and other != value
        ),
    )
