"""The choices that the compiled core knows, and those that it leaves to eager mode."""

from typing import Any

from hypothesis.strategies import SearchStrategy

from ntm_core.compiled import reason_not_compiled
from ntm_core.compiled.layout import CODES
from ntm_core.config import MachineConfig
from tests.core.machines import configs, every_alternative, name_of

LEFT_TO_EAGER = (
    "add_activation=sigmoid",
    "content_softmax=",
    "controller=recurrent",
    "controller_activation=relu,controller=recurrent",
    "controller=feedforward,controller_layers=2,controller_layer_sizes",
    "erase_activation=ones",
    "erase_activation=relu",
    "gru_reset_gate=before_product",
    "head_input=",
    "head_roles=read_and_write",
    "key_activation=sigmoid",
    "output_activation=softmax",
    "output_input=",
    "previous_weighting=read_head",
    "schedule=address_last",
    "sharpening_epsilon",
    "shift_kernel=ones",
    "shift_kernel=softmax_of",
    "similarity_offset",
)
"""What only machines of other programs choose: none of it is fast, all of it is right."""

COMPILED: list[dict[str, Any]] = [one for one in every_alternative() if not name_of(one).startswith(LEFT_TO_EAGER)]
EAGER: list[dict[str, Any]] = [one for one in every_alternative() if name_of(one).startswith(LEFT_TO_EAGER)]


def compiled_configs() -> SearchStrategy[MachineConfig]:
    """Configs drawn like any other, with what the compiled core does not know left at its default."""
    return configs().map(_known)


def _known(config: MachineConfig) -> MachineConfig:
    if reason_not_compiled(config) is None:
        return config
    fields = config.model_dump()
    for name, field in MachineConfig.model_fields.items():
        unheard_of = name not in CODES and not name.startswith(("initial_", "memory_", "word_")) and name not in _SIZES
        if unheard_of or (name in CODES and fields[name] not in CODES[name]):
            fields[name] = field.default
    return MachineConfig.make(**fields)


_SIZES = frozenset(
    {
        *("input_size", "output_size", "read_heads", "write_heads", "shift_range", "controller_size"),
        *("controller_layers", "similarity_epsilon", "clip", "step_order", "head_order"),
    }
)
