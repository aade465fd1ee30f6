"""What is said of the alternatives: of all that there are, and of nothing else."""

from ntm_core.choice_words import MATTERS, WORDS
from ntm_core.config import MachineConfig, open_choices
from tests.core.machines import literal_fields, small_config

CONSTRAINTS = {
    "initial_weighting": "w_0 ≥ 0, sums to 1",
    "key_strength_activation": "β_t ≥ 0",
    "interpolation_gate_activation": "g_t in [0, 1]",
    "shift_kernel": "s_t ≥ 0, sums to 1",
    "sharpening_activation": "γ_t ≥ 1",
    "erase_activation": "e_t in [0, 1]",
}


def test_words_are_said_of_alternatives_that_there_are() -> None:
    alternatives = literal_fields()
    for name, words in WORDS.items():
        assert words.keys() <= set(alternatives[name])
        assert all(words.values())


def test_an_alternative_without_words_has_a_plain_name() -> None:
    for name, alternatives in literal_fields().items():
        assert [one for one in alternatives if "_" in one and one not in WORDS.get(name, {})] == []


def test_what_matters_only_elsewhere_names_alternatives_that_there_are() -> None:
    alternatives = literal_fields()
    for name, condition in MATTERS.items():
        assert name in MachineConfig.model_fields
        for other, values in condition.items():
            assert set(values) < set(alternatives[other])


def test_the_constraints_of_the_paper_stand_in_the_descriptions() -> None:
    for name, constraint in CONSTRAINTS.items():
        assert str(MachineConfig.model_fields[name].description).startswith(constraint)


def test_an_open_choice_is_told_in_words_where_its_name_is_not_plain() -> None:
    told = {choice.choice: choice.words for choice in open_choices(small_config(initial_weighting="one_hot"))}
    assert told["initial_weighting"] == "one-hot at location 0"
    assert told["controller_activation"] is None
