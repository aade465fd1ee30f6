"""The choices that the compiled core knows, and those that it leaves to eager mode."""

from typing import Any

from hypothesis.strategies import SearchStrategy

from ntm_core.compiled import reason_not_compiled
from ntm_core.compiled.layout import CODES
from ntm_core.config import MachineConfig
from tests.core.machines import configs, every_alternative, name_of

LEFT_TO_EAGER = frozenset(
    {
        "add_activation=sigmoid",
        "content_softmax=each_location",
        "content_softmax=heads_of_a_kind",
        "controller=recurrent",
        "erase_activation=ones",
        "erase_activation=relu",
        "gru_reset_gate=before_product",
        "head_input=cell",
        "head_roles=read_and_write",
        "key_activation=sigmoid",
        "output_activation=softmax",
        "output_input=hidden",
        "output_input=input_and_reads",
        "previous_weighting=read_head",
        "schedule=address_last",
        "sharpening_epsilon=0.001",
        "shift_kernel=ones",
        "shift_kernel=softmax_of_relu",
        "shift_kernel=softmax_of_softplus",
        "similarity_offset=0.25",
        "controller_layer_sizes=(3",
    }
)
"""What only machines of other programs choose: none of it is fast, all of it is right."""


def _is_left_to_eager(changes: dict[str, Any]) -> bool:
    return not LEFT_TO_EAGER.isdisjoint(name_of(changes).split(","))


EAGER = [changes for changes in every_alternative() if _is_left_to_eager(changes)]
COMPILED = [changes for changes in every_alternative() if not _is_left_to_eager(changes)]
SEEDED = [changes for changes in COMPILED if not any("fresh" in str(value) for value in changes.values())]
"""Those that draw nothing anew for each sequence, so that two runs can be compared without a seed."""


def compiled_configs() -> SearchStrategy[MachineConfig]:
    """Configs drawn like any other, with what the compiled core does not know left at its default."""
    return configs().map(_known).filter(lambda config: not config.draws_fresh)


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
