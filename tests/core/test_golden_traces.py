"""Machines imported from other people's files compute what their authors' own code computed, step by step."""

from typing import Any

import pytest
import torch

from tests.core.golden import (
    CHECKPOINTS,
    EXACT,
    PEERS,
    differences,
    imported,
    load_golden,
    machine_of,
    peers_are_absent,
)

pytestmark = pytest.mark.skipif(peers_are_absent() is not None, reason=peers_are_absent() or "")

WITHIN_FLOAT32 = 1e-4
WITHIN_FLOAT64 = 1e-6
WITHIN_OTHERS = 1e-3


def test_every_trace_has_its_checkpoint() -> None:
    assert {path.stem for path in (PEERS / "golden").glob("*.npz")} == set(CHECKPOINTS)
    assert {path.name for path in (PEERS / "checkpoints").iterdir()} == set(CHECKPOINTS.values())


@pytest.mark.parametrize("name", list(CHECKPOINTS))
def test_imported_machine_repeats_the_trace(name: str) -> None:
    golden = load_golden(name)
    found = differences(golden, machine_of(name))
    assert {"weighting", "outputs", "memory", "read_vector", "erase_vector", "add_vector", "hidden"} <= set(found)
    assert {"key", "key_strength", "interpolation_gate", "shift_weighting", "sharpening"} <= set(found)
    within = WITHIN_FLOAT64 if golden.double else WITHIN_FLOAT32
    too_far = {
        quantity: value
        for quantity, value in found.items()
        if not value <= (within if quantity in EXACT else WITHIN_OTHERS)
    }
    assert not too_far


@pytest.mark.parametrize("name", list(CHECKPOINTS))
def test_the_files_own_initial_state_is_the_traces(name: str) -> None:
    """What the program does not draw anew stands in its file; so a run needs no state from elsewhere."""
    machine, golden = machine_of(name), load_golden(name)
    own, given = machine.initial_state(seed=0), machine.state_of(golden.initial(machine.config))
    pairs = [(own.memory, given.memory), (own.weighting, given.weighting)]
    pairs.append((own.controller.hidden, given.controller.hidden))
    if not machine.config.draws_fresh:
        pairs.append((own.read_vector, given.read_vector))
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)


MUTATIONS: list[tuple[str, dict[str, Any]]] = [
    ("clemkoa-copy-20", {"previous_weighting": "own"}),
    ("clemkoa-copy-20", {"shift_edge": "zero_padded"}),
    ("clemkoa-copy-20", {"head_input": "cell"}),
    ("clemkoa-copy-20", {"interpolation_gate_activation": "hard_sigmoid"}),
    ("fumin-copy-seed2-0", {"add_activation": "tanh"}),
    ("fumin-copy-seed2-0", {"key_strength_activation": "softplus"}),
    ("fumin-copy-seed2-0", {"key_activation": "tanh"}),
    ("fumin-repeatcopy-seed11-0", {"write_order": "one_by_one"}),
    ("fumin-repeatcopy-seed11-0", {"controller_activation": "tanh"}),
    ("lasagne-associative-recall-0", {"key_activation": "clip"}),
    ("lasagne-associative-recall-0", {"add_activation": "clip"}),
    ("lasagne-associative-recall-0", {"interpolation_gate_activation": "sigmoid"}),
    ("lasagne-associative-recall-0", {"erase_activation": "sigmoid"}),
    ("lasagne-associative-recall-0", {"shift_edge": "circular"}),
    ("lasagne-associative-recall-0", {"similarity_epsilon_placement": "each_norm"}),
    ("lasagne-associative-recall-0", {"sharpening_epsilon": 0.0}),
    ("lasagne-associative-recall-0", {"sharpening_epsilon_placement": "normaliser"}),
    ("lasagne-associative-recall-0", {"sharpening_activation": "softplus"}),
    ("lasagne-copy-1", {"key_strength_activation": "softplus"}),
    ("loudinthecloud-copy-head-warm600-10", {"shift_kernel": "softmax_of_softplus"}),
    ("loudinthecloud-copy-head-warm600-10", {"key_activation": "relu"}),
    ("loudinthecloud-copy-head-warm600-10", {"similarity": "dot"}),
    ("loudinthecloud-copy-head-warm600-10", {"step_order": "write_then_read"}),
    ("loudinthecloud-copy-hist1-10", {"shift_kernel": "softmax"}),
    ("loudinthecloud-copy-hist1-10", {"erase_activation": "sigmoid"}),
    ("loudinthecloud-copy-hist1-10", {"add_activation": "identity"}),
    ("loudinthecloud-copy-hist1-20", {"sharpening_epsilon": 0.0}),
    ("vlgiitr-associative-5", {"head_input": "hidden"}),
    ("vlgiitr-associative-5", {"erase_activation": "sigmoid"}),
    ("vlgiitr-copy-10", {"add_activation": "tanh"}),
]
"""One detail each, which the named trace must notice."""


@pytest.mark.parametrize(("name", "choice"), MUTATIONS, ids=str)
def test_one_wrong_choice_is_noticed(name: str, choice: dict[str, Any]) -> None:
    golden, machine = load_golden(name), machine_of(name, **choice)
    assert is_noticed(differences(golden, machine))


@pytest.mark.parametrize("name", list(CHECKPOINTS))
def test_reversed_shift_taps_are_noticed(name: str) -> None:
    machine = machine_of(name)
    blocks = machine.heads.weight.shape[0] - 2 * machine.config.word_size * machine.config.write_heads
    physical = machine.config.write_heads if machine.config.head_roles == "read_and_write" else machine.config.heads
    size, word = blocks // physical, machine.config.word_size
    for head in range(physical):
        taps = slice(head * size + word + 2, (head + 1) * size - 1)
        for parameter in (machine.heads.weight, machine.heads.bias):
            parameter[taps] = -parameter[taps] if size == word + 4 else parameter[taps].flip(0)
    assert is_noticed(differences(load_golden(name), machine))


def is_noticed(found: dict[str, float]) -> bool:
    return any(value > (WITHIN_FLOAT32 if name in EXACT else WITHIN_OTHERS) for name, value in found.items())


def test_the_likeliest_variant_needs_no_trial() -> None:
    variants = {file: imported(file).chosen.variant for file in set(CHECKPOINTS.values())}
    assert variants["loudinthecloud-copy-hist1.model"] == "relu"
    assert variants["loudinthecloud-copy-head-warm600.model"] == "current"
    assert variants["clemkoa-copy.pt"] == "shared_previous"
    assert variants["lasagne-copy.npy"] == "relu"
