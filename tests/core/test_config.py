"""The config: what it refuses and how it says so, what it warns of, and what it lists."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from ntm_core.config import MachineConfig, OpenChoice, open_choices
from ntm_core.errors import ConfigError, NtmError
from tests.core.machines import configs, literal_fields, small_config

SIZES = {
    "input_size", "output_size", "memory_size", "word_size", "read_heads", "write_heads", "shift_range",
    "controller", "controller_size", "controller_layers", "controller_layer_sizes",
}  # fmt: skip


def refusal(**changes: Any) -> str:
    """The message of the refusal that these fields meet."""
    with pytest.raises(ConfigError) as caught:
        MachineConfig.make(**{"input_size": 3, "output_size": 2} | changes)
    assert caught.value.code == "bad_config"
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("field", "lowest", "highest"),
    [
        ("input_size", 1, 4096),
        ("output_size", 1, 4096),
        ("memory_size", 1, 65536),
        ("word_size", 1, 4096),
        ("read_heads", 1, 64),
        ("write_heads", 1, 64),
        ("shift_range", 1, 256),
        ("controller_size", 1, 8192),
        ("controller_layers", 1, 16),
        ("similarity_epsilon", 1e-20, 1),
        ("initial_memory_value", -1e6, 1e6),
        ("initial_weighting_scale", 0, 100),
        ("interpolation_gate_bias", -20, 20),
        ("clip", 1e-9, 1e4),
        ("initial_memory_scale", 1e-9, 100),
    ],
)
def test_a_number_out_of_bounds_is_refused_by_name_and_value(field: str, lowest: float, highest: float) -> None:
    for allowed in (lowest, highest):
        assert getattr(small_config(**{field: allowed}), field) == allowed
    for value in (lowest - 1, highest + 1, float("nan"), float("inf")):
        found = refusal(**{field: value})
        assert f"{field} is {value!r}" in found


@pytest.mark.parametrize("field", literal_fields())
def test_an_unknown_alternative_is_refused_with_the_known_ones(field: str) -> None:
    found = refusal(**{field: "sideways"})
    assert f"{field} is 'sideways'" in found
    for alternative in literal_fields()[field]:
        assert f"'{alternative}'" in found


def test_an_unknown_field_is_refused() -> None:
    found = refusal(memory_sise=5)
    assert "memory_sise is 5" in found
    assert "not permitted" in found


def test_several_broken_rules_are_all_named() -> None:
    found = refusal(memory_size=0, word_size=-1)
    assert "memory_size is 0" in found
    assert "word_size is -1" in found


def test_a_long_value_is_cut_in_the_message() -> None:
    assert len(refusal(controller="x" * 10_000)) < 300


def test_a_missing_field_is_said_to_be_missing() -> None:
    with pytest.raises(ConfigError) as caught:
        MachineConfig.make(output_size=2)
    assert "input_size is {" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"step_order": "listed", "write_order": "one_by_one"}, ("step_order is 'listed'", "head_order is missing")),
        ({"head_order": ("read", "write")}, ("head_order is given", "'read_then_write'", "only 'listed'")),
        (
            {"head_order": ("read", "write"), "step_order": "write_then_read"},
            ("head_order is given", "'write_then_read'", "only 'listed'"),
        ),
        (
            {"step_order": "listed", "write_order": "one_by_one", "head_order": ("read", "read", "write")},
            ("2 read and 1 write heads", "the machine has 1 and 1"),
        ),
        (
            {"step_order": "listed", "write_order": "one_by_one", "head_order": ()},
            ("0 read and 0 write heads", "the machine has 1 and 1"),
        ),
        (
            {"step_order": "listed", "head_order": ("read", "write")},
            ("write_order is 'erases_then_adds'", "'listed'", "'one_by_one'"),
        ),
        ({"similarity_epsilon": 0}, ("similarity_epsilon is 0", "'cosine'", "1e-20")),
        ({"similarity": "pearson", "similarity_epsilon": 1e-30}, ("similarity_epsilon is 1e-30", "'pearson'", "1e-20")),
        ({"sharpening_epsilon": 1e-31}, ("sharpening_epsilon is 1e-31", "0 or at least 1e-30")),
        ({"gru_reset_gate": "before_product"}, ("gru_reset_gate is 'before_product'", "'lstm'", "only a GRU")),
        ({"controller": "gru", "head_input": "cell"}, ("head_input is 'cell'", "'gru'", "only an LSTM")),
        ({"controller_layer_sizes": (100,)}, ("controller_layer_sizes is given", "'lstm'", "feed-forward")),
        (
            {"controller": "feedforward", "controller_layer_sizes": (100, 50)},
            ("controller_layer_sizes is (100, 50)", "controller_layers = 1"),
        ),
        (
            {"controller": "feedforward", "controller_layers": 2, "controller_layer_sizes": (90, 50)},
            ("controller_layer_sizes is (90, 50)", "controller_size = 100"),
        ),
        (
            {"controller": "feedforward", "controller_layers": 2, "controller_layer_sizes": (100, 0)},
            ("controller_layer_sizes is (100, 0)", "at least 1"),
        ),
        ({"schedule": "address_last"}, ("schedule is 'address_last'", "'read_then_write'", "'write_then_read'")),
        ({"head_roles": "read_and_write", "read_heads": 2}, ("'read_and_write'", "2 read and 1 write heads")),
        (
            {"head_roles": "read_and_write", "step_order": "write_then_read"},
            ("'read_and_write'", "step_order is 'write_then_read'"),
        ),
        ({"previous_weighting": "read_head", "write_heads": 2}, ("'read_head'", "2 write heads", "1 read heads")),
        (
            {
                "content_softmax": "heads_of_a_kind",
                "step_order": "listed",
                "head_order": ("read", "write"),
                "write_order": "one_by_one",
            },
            ("'heads_of_a_kind'", "'listed'"),
        ),
    ],
)
def test_a_wrong_combination_is_refused_by_value_and_rule(changes: dict[str, Any], words: tuple[str, ...]) -> None:
    found = refusal(**changes)
    for word in words:
        assert word in found


def test_what_those_rules_let_pass() -> None:
    small_config(similarity="dot", similarity_epsilon=0)
    small_config(key_strength_activation="exp", clip=None)
    small_config(controller="feedforward", controller_layers=2, controller_layer_sizes=(3, 1))
    small_config(head_roles="read_and_write", schedule="address_last", step_order="write_then_read")
    small_config(clip=None)
    small_config(step_order="listed", head_order=("write", "read"))


def test_a_refusal_is_a_value_error_of_the_core() -> None:
    with pytest.raises(NtmError):
        MachineConfig.make(input_size=0, output_size=1)
    with pytest.raises(ValueError, match="input_size is 0"):
        MachineConfig.make(input_size=0, output_size=1)


@given(configs())
@settings(max_examples=40)
def test_a_config_survives_json(config: MachineConfig) -> None:
    text = config.model_dump_json()
    assert MachineConfig.model_validate_json(text) == config
    assert MachineConfig.model_validate(json.loads(text)) == config
    assert set(json.loads(text)) == set(MachineConfig.model_fields)


def test_a_config_is_frozen_and_hashable() -> None:
    config = small_config()
    with pytest.raises(ValidationError, match="frozen"):
        config.memory_size = 6  # type: ignore[misc]
    assert {config: 1}[small_config()] == 1


def test_heads_and_shifts_by_name() -> None:
    config = small_config(read_heads=2, write_heads=1, shift_range=2)
    assert config.heads == 3
    assert config.head_names == ("read 0", "read 1", "write 0")
    assert config.shifts == (-2, -1, 0, 1, 2)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"step_order": "read_then_write"}, ("read", "read", "write")),
        ({"step_order": "write_then_read"}, ("write", "read", "read")),
        ({"step_order": "listed", "head_order": ("read", "write", "read")}, ("read", "write", "read")),
    ],
)
def test_the_order_in_which_heads_act(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert small_config(read_heads=2, **changes).order == expected


# Warnings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"initial_weighting": "zeros"}, ("w_0 is all zeros",)),
        (
            {"initial_weighting": "zeros", "initial_memory": "zeros"},
            ("w_0 is all zeros", "equal rows (zeros) and w_0 is zeros"),
        ),
        ({"initial_weighting": "uniform", "initial_memory": "constant"}, ("equal rows (constant) and w_0 is uniform",)),
        ({"memory_size": 6, "shift_range": 3}, ("7 taps for 6 locations",)),
        ({"shift_edge": "zero_padded"}, ("not circular",)),
        ({"sharpening_epsilon": 1e-16}, ("w_t sums to less than 1",)),
        ({"schedule": "address_last", "step_order": "write_then_read"}, ("reads and writes in the next step",)),
        ({"initial_read": "fresh_uniform"}, ("r_0 is drawn anew",)),
    ],
)
def test_surprising_choices_are_warned_of(changes: dict[str, Any], words: tuple[str, ...]) -> None:
    found = small_config(**changes).warnings
    assert len(found) == len(words)
    for sentence, word in zip(found, words, strict=True):
        assert word in sentence
        assert sentence.endswith(".")


def test_the_default_machine_warns_of_nothing() -> None:
    assert MachineConfig.make(input_size=9, output_size=8).warnings == ()
    assert small_config(memory_size=7, shift_range=3).warnings == ()


# Open choices


def by_name(config: MachineConfig) -> dict[str, OpenChoice]:
    return {choice.choice: choice for choice in open_choices(config)}


def test_every_field_that_is_no_size_is_an_open_choice() -> None:
    assert set(by_name(small_config())) == set(MachineConfig.model_fields) - SIZES


def test_each_open_choice_is_listed_once_with_its_description() -> None:
    found = open_choices(small_config())
    assert len({choice.choice for choice in found}) == len(found)
    for choice in found:
        assert choice.description == MachineConfig.model_fields[choice.choice].description
        assert choice.description


@given(configs())
@settings(max_examples=40)
def test_open_choices_say_what_the_machine_does_and_could_do(config: MachineConfig) -> None:
    found = by_name(config)
    for name in found.keys() & literal_fields().keys():
        value, alternatives = getattr(config, name), get_args(MachineConfig.model_fields[name].annotation)
        assert found[name].value == value
        assert {value, *found[name].alternatives} == set(alternatives)
        assert len(found[name].alternatives) == len(alternatives) - 1
    assert found["clip"].value == ("none" if config.clip is None else str(config.clip))
    assert found["head_order"].value == ("none" if config.head_order is None else ", ".join(config.head_order))


@pytest.mark.parametrize(
    ("field", "deviant"),
    [
        ("similarity", "dot"),
        ("initial_weighting", "zeros"),
        ("shift_edge", "zero_padded"),
        ("erase_activation", "none"),
        ("write_order", "one_by_one"),
        ("head_roles", "read_and_write"),
        ("content_softmax", "each_location"),
        ("previous_weighting", "read_head"),
        ("shift_kernel", "ones"),
        ("erase_activation", "relu"),
    ],
)
def test_what_the_paper_fixes_is_marked_where_a_machine_deviates(field: str, deviant: str) -> None:
    usual, other = by_name(small_config())[field], by_name(small_config(**{field: deviant}))[field]
    assert not usual.deviates
    assert other.deviates
    assert usual.paper == other.paper
    assert usual.paper is not None
    assert usual.value in usual.paper
    assert deviant not in usual.paper


def test_what_the_paper_leaves_open_never_deviates() -> None:
    for choice in open_choices(small_config(initial_memory="random_normal", key_activation="clip", clip=None)):
        assert choice.paper is not None or not choice.deviates
