"""Small machines for the tests: every alternative of every open choice, configs drawn at random, stirred parameters."""

from typing import Any, Literal, get_args, get_origin

import numpy as np
import torch
from hypothesis import strategies as st

from ntm_core.config import MachineConfig
from ntm_core.machine import Machine, MachineState
from ntm_core.tasks.episode import Episode

DTYPES = (torch.float32, torch.float64)
SEED = 5
"""Seed of what a machine of the tests draws anew for each sequence."""

COMPANIONS: dict[tuple[str, Any], dict[str, Any]] = {
    ("controller_activation", "tanh"): {"controller": "feedforward"},
    ("controller_activation", "relu"): {"controller": "recurrent"},
    ("controller_activation", "sigmoid"): {"controller": "feedforward"},
    ("gru_reset_gate", "before_product"): {"controller": "gru"},
    ("schedule", "address_last"): {"step_order": "write_then_read"},
    ("sharpening_epsilon_placement", "normaliser"): {"sharpening_epsilon": 1e-3},
    ("sharpening_epsilon_placement", "before_power"): {"sharpening_epsilon": 1e-3},
    ("content_softmax", "heads_of_a_kind"): {"read_heads": 2, "write_heads": 2},
    ("previous_weighting", "read_head"): {"read_heads": 2, "write_heads": 2},
    ("head_roles", "read_and_write"): {"read_heads": 2, "write_heads": 2},
}
"""What an alternative needs, or needs to matter."""


def small_config(**changes: Any) -> MachineConfig:
    """A small machine's config with these changes; a listed order is completed if only its name is given."""
    fields: dict[str, Any] = {
        "input_size": 3,
        "output_size": 2,
        "memory_size": 5,
        "word_size": 4,
        "controller_size": 3,
        "initial_memory": "learned",
    } | changes
    if fields.get("step_order") == "listed":
        reads, writes = fields.get("read_heads", 1), fields.get("write_heads", 1)
        fields.setdefault("head_order", ("write",) * writes + ("read",) * reads)
        fields["write_order"] = "one_by_one"
    return MachineConfig.make(**fields)


def literal_fields() -> dict[str, tuple[str, ...]]:
    """Every choice by name that a config offers, with its alternatives."""
    fields = MachineConfig.model_fields
    return {name: get_args(f.annotation) for name, f in fields.items() if get_origin(f.annotation) is Literal}


def every_alternative() -> list[dict[str, Any]]:
    """For every choice, each alternative in turn, with two heads of each kind where several heads matter."""
    found: list[dict[str, Any]] = [{"clip": clip} for clip in (None, 0.5, 20.0)]
    found += [{"similarity_offset": 0.25}]
    found += [{"controller": "feedforward", "controller_layers": 2, "controller_layer_sizes": (3, 2)}]
    found += [{"schedule": "address_last", "step_order": "write_then_read", "head_input": "cell"}]
    for name, alternatives in literal_fields().items():
        for alternative in alternatives:
            changes: dict[str, Any] = {name: alternative}
            if name in ("step_order", "write_order"):
                changes |= {"read_heads": 2, "write_heads": 2}
            found.append(changes | COMPANIONS.get((name, alternative), {}))
    return found


def name_of(changes: dict[str, Any]) -> str:
    """A readable test id."""
    return ",".join(f"{name}={value}" for name, value in changes.items()) or "default"


@st.composite
def configs(draw: st.DrawFn, /, **fixed: Any) -> MachineConfig:
    """Any small config: 1-3 heads of each kind, R 1-3, N 1-7, 1-2 layers, any alternative of every choice."""
    fields: dict[str, Any] = {name: draw(st.sampled_from(values)) for name, values in literal_fields().items()}
    fields |= {
        "input_size": draw(st.integers(1, 3)),
        "output_size": draw(st.integers(1, 3)),
        "memory_size": draw(st.integers(1, 7)),
        "word_size": draw(st.integers(1, 4)),
        "read_heads": draw(st.integers(1, 3)),
        "write_heads": draw(st.integers(1, 3)),
        "shift_range": draw(st.integers(1, 3)),
        "controller_size": draw(st.integers(1, 4)),
        "controller_layers": draw(st.integers(1, 2)),
        "similarity_epsilon": draw(st.sampled_from((1e-8, 1e-6, 1e-3))),
        "similarity_offset": draw(st.sampled_from((0.0, 1e-16, 0.5))),
        "sharpening_epsilon": draw(st.sampled_from((0.0, 1e-16, 1e-6))),
        "clip": draw(st.sampled_from((20.0, 1.0, None))),
    }
    fields |= fixed
    _make_valid(fields, fixed)
    if fields["step_order"] == "listed":
        kinds = ["read"] * fields["read_heads"] + ["write"] * fields["write_heads"]
        fields["head_order"] = tuple(draw(st.permutations(kinds)))
        fields["write_order"] = "one_by_one"
    if fields["controller"] == "feedforward" and draw(st.booleans()):
        smaller = st.integers(1, fields["controller_size"])
        others = [draw(smaller) for _ in range(fields["controller_layers"] - 1)]
        fields["controller_layer_sizes"] = tuple(draw(st.permutations([fields["controller_size"], *others])))
    return MachineConfig.make(**fields)


def _make_valid(fields: dict[str, Any], fixed: dict[str, Any]) -> None:
    """Take back what the rest of the fields forbids."""
    usual = {name: field.default for name, field in MachineConfig.model_fields.items()}

    def take_back(*names: str) -> None:
        fields.update({name: usual[name] for name in names if name not in fixed})

    if fields["controller"] != "gru":
        take_back("gru_reset_gate")
    if fields["controller"] != "lstm":
        take_back("head_input")
    if fields["schedule"] == "address_last":
        fields["step_order"] = "write_then_read"
    if fields["head_roles"] == "read_and_write":
        fields["write_heads"] = fields["read_heads"]
        if fields["schedule"] == "address_first":
            fields["step_order"] = "read_then_write"
    if fields["write_heads"] > fields["read_heads"]:
        take_back("previous_weighting")
    if fields["step_order"] == "listed" and fields["content_softmax"] == "heads_of_a_kind":
        take_back("content_softmax")


def stirred(config: MachineConfig, seed: int = 0, *, scale: float = 1.0, dtype: torch.dtype = torch.float64) -> Machine:
    """A machine whose parameters are all drawn from N(0, scale²), so that every part of it matters.

    What was given is drawn too; a given w_0 from [0, 1], so that it does not sum to 1.
    """
    machine = Machine(config, seed).to(dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in machine.parameters():
            parameter.normal_(0, scale, generator=generator)
        for name, given in machine.named_buffers():
            if name == "initial.weighting_value":
                given.uniform_(0, 1, generator=generator)
            elif name.startswith("controller.") or (
                config.initial_memory == "given" and name == "initial.memory_value"
            ):
                given.normal_(0, scale, generator=generator)
    return machine


def start_of(machine: Machine, batch: int = 1) -> MachineState:
    """The state before step 1; what is drawn anew for each sequence comes from `SEED`."""
    return machine.initial_state(batch, SEED)


def at_rest(machine: Machine) -> Machine:
    """The machine as a checkpoint gives it back: nothing of it learns."""
    return machine.eval().requires_grad_(False)


def rows(
    config: MachineConfig, steps: int, batch: int = 1, *, seed: int = 1, dtype: torch.dtype = torch.float64
) -> torch.Tensor:
    """Inputs (step, batch, input) drawn from N(0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(steps, batch, config.input_size, generator=generator, dtype=dtype)


def any_episode(config: MachineConfig, steps: int, *, batch: int = 1, seed: int = 1) -> Episode:
    """An episode of random rows and bits that fits the machine: asked in its second half, two phases."""
    random = np.random.RandomState(seed)
    mask = np.zeros((steps, batch), np.float32)
    mask[steps // 2 :] = 1
    return Episode(
        inputs=random.standard_normal((steps, batch, config.input_size)).astype(np.float32),
        targets=random.randint(0, 2, (steps, batch, config.output_size)).astype(np.float32) * mask[..., None],
        mask=mask,
        phase=(np.arange(steps) >= steps // 2).astype(np.int64),
        phases=("input", "output"),
    )
