"""An intervention as data: what may be said, what is refused, and where two lists part."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from ntm_core.interventions import MODES, AddressingMode, Intervention, expanded, first_difference

GATE: dict[str, Any] = {"quantity": "interpolation_gate", "operation": "set", "value": 0.5}


def test_an_intervention_survives_json_and_can_be_a_key() -> None:
    asked = Intervention(
        quantity="memory", operation="set", steps=(2, 5), location=3, value=(0.1, 2.0, -1e-30, 4.0), heads=None
    )
    assert Intervention.model_validate_json(asked.model_dump_json()) == asked
    assert len({asked, Intervention.model_validate_json(asked.model_dump_json())}) == 1


def test_the_table_of_modes_survives_json() -> None:
    table = TypeAdapter(tuple[AddressingMode, ...])
    assert table.validate_json(table.dump_json(tuple(MODES.values()))) == tuple(MODES.values())


def test_numbers_of_numpys_are_taken_as_they_are() -> None:
    key = np.arange(4, dtype=np.float32) / 4
    whole: Any = {"quantity": "memory", "operation": "set"}
    found = Intervention(**whole, steps=(np.int64(2), np.uint8(5)), location=key.argmax(), value=key)
    assert found == Intervention(**whole, steps=(2, 5), location=3, value=(0, 0.25, 0.5, 0.75))
    assert type(found.location) is int
    assert Intervention(**GATE | {"value": key[1]}).value == 0.25
    taken = {"quantity": "shift_weighting", "operation": "take", "source": "a"}
    assert Intervention(**taken, shift=np.int8(-1), offset=np.int64(-2)).offset == -2


def test_one_head_is_named_by_its_name() -> None:
    assert Intervention(**GATE, heads="read 0") == Intervention(**GATE, heads=("read 0",))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (GATE | {"heads": 0}, "valid tuple"),
        (GATE | {"quantity": "weighting", "location": True}, "valid integer"),
        (GATE | {"quantity": "weighting", "location": np.int64(-1)}, "greater than or equal to 0"),
        (GATE | {"quantity": "weighting", "location": np.float32(1)}, "valid integer"),
        (GATE | {"heads": []}, "at least 1 item"),
        (GATE | {"steps": [3, 3]}, r"steps is \[3, 3\]: the first must be before the second"),
        (GATE | {"steps": [-1, 3]}, "greater than or equal to 0"),
        (GATE | {"steps": [0.5, 3]}, "valid integer"),
        (GATE | {"location": 1}, "location is given but quantity is 'interpolation_gate', which has no axis"),
        (GATE | {"value": None}, "value is missing: set needs one"),
        (GATE | {"value": [0.5]}, "value is a list, but 0 axes of interpolation_gate are left"),
        (GATE | {"value": float("nan")}, "finite"),
        (GATE | {"value": "0.5"}, "valid number"),
        (GATE | {"source": "a"}, "source is given but set takes none"),
        (GATE | {"offset": 1}, "offset is 1 but operation is 'set': only take has one"),
        (GATE | {"typo": 1}, "Extra inputs are not permitted"),
        (GATE | {"operation": "harden", "value": None}, "it must be a weighting"),
        (GATE | {"operation": "stage", "value": None, "stage": "weighting"}, "it must be a stage of addressing"),
        ({"quantity": "memory", "operation": "set", "heads": ["read 0"], "value": 0}, "which no head has"),
        ({"quantity": "memory", "operation": "set", "value": [0, 1]}, "2 axes of memory are left: it must be 1"),
        ({"quantity": "weighting", "operation": "one_hot"}, "location must say where the 1 is"),
        ({"quantity": "weighting", "operation": "harden", "location": 2}, "no entry can be selected"),
        ({"quantity": "weighting", "operation": "take"}, "source is missing: take needs one"),
        ({"quantity": "weighting", "operation": "stage", "stage": "weighting"}, "can only become an earlier one"),
        ({"quantity": "gated_weighting", "operation": "stage", "stage": "weighting"}, "can only become an earlier"),
        ({"quantity": "hidden", "operation": "set", "value": 0}, "Input should be 'inputs'"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Intervention.model_validate(asked)


def test_the_interventions_of_a_mode_come_before_the_others() -> None:
    own = Intervention(**GATE)
    assert expanded("location_only", (own,)) == (*MODES["location_only"].interventions, own)
    assert expanded("full") == ()


def gate(value: float, *steps: int) -> Intervention:
    return Intervention.model_validate(GATE | {"value": value, "steps": steps or None})


@pytest.mark.parametrize(
    ("one", "other", "step"),
    [
        ((), (), 10),
        ((gate(0),), (gate(0),), 10),
        ((gate(0),), (gate(1),), 0),
        ((gate(0),), (), 0),
        ((gate(0, 3, 5),), (), 3),
        ((gate(0, 3, 5),), (gate(1, 3, 5),), 3),
        ((gate(0, 3, 5),), (gate(0, 3, 7),), 5),
        ((gate(0, 3, 5),), (gate(0, 2, 5),), 2),
        ((gate(0),), (gate(0, 0, 8),), 8),
        ((gate(0),), (gate(0, 0, 10),), 10),
        ((gate(0, 0, 4), gate(0, 4, 10)), (gate(0),), 10),
        ((gate(0, 2, 4), gate(1, 6, 9)), (gate(0, 2, 4), gate(1, 7, 9)), 6),
        ((gate(0, 2, 6), gate(1, 4, 6)), (gate(1, 4, 6), gate(0, 2, 6)), 4),
        ((gate(0, 12, 15),), (), 10),
    ],
)
def test_two_lists_part_at_the_first_step_in_which_they_do_different_things(
    one: tuple[Intervention, ...], other: tuple[Intervention, ...], step: int
) -> None:
    assert first_difference(one, other, 10) == step
    assert first_difference(other, one, 10) == step
