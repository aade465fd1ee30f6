"""What a run takes, told beforehand, against what machines and PyTorch's tape do take."""

from typing import Any

import pytest
import torch

from ntm_core.config import MachineConfig
from ntm_core.machine import Machine
from ntm_core.training import plan as plans
from ntm_core.training.footprint import footprint, parameters
from tests.core.training.plans import small_plan

SIZES = {"input_size": 4, "output_size": 2, "memory_size": 64, "word_size": 16, "controller_size": 32}
MACHINES: list[dict[str, Any]] = [
    {},
    {"controller": "gru", "controller_layers": 3},
    {"controller": "feedforward", "controller_size": 128},
    {"read_heads": 4, "shift_range": 3},
    {"write_heads": 4, "word_size": 32},
    {"similarity": "pearson", "memory_size": 128},
    {"similarity": "negative_euclidean", "initial_memory": "learned", "initial_weighting": "learned"},
]


def tape(config: MachineConfig, steps: int, batch: int) -> int:
    """The numbers that PyTorch keeps for the backward pass, beside the parameters."""
    machine, kept = Machine(config), {}
    machine.core = "eager"

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        machine(torch.ones(steps, batch, config.input_size))
    own = {parameter.untyped_storage().data_ptr() for parameter in machine.parameters()}
    return sum(size for address, (size, _) in kept.items() if address not in own) // 4


@pytest.mark.parametrize("fields", MACHINES)
def test_the_parameters_are_counted_without_a_machine(fields: dict[str, Any]) -> None:
    config = MachineConfig.make(**SIZES | fields)
    real = sum(parameter.numel() for parameter in Machine(config).parameters())
    assert real <= parameters(config) <= 1.5 * real + 64 * 20


@pytest.mark.parametrize("fields", MACHINES)
def test_the_tape_is_no_longer_than_what_was_told(fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "why_eager", lambda _: "a test")
    plan = small_plan(config=SIZES | fields, batch=3)
    steps = plan.task.longest
    told = footprint(plan) // 4 - 10 * parameters(plan.config)
    assert tape(plan.config, steps, 3) <= told <= 3 * tape(plan.config, steps, 3)


def test_longer_sequences_and_larger_batches_take_more() -> None:
    assert footprint(small_plan(batch=64)) > 8 * (footprint(small_plan(batch=4)) - footprint(small_plan(batch=2)))


def test_a_run_that_may_go_back_keeps_its_best_parameters_too() -> None:
    assert footprint(small_plan(relapse=2.0)) - footprint(small_plan()) == 4 * 9 * parameters(small_plan().config)


def test_machines_that_no_computer_holds_are_told_from_those_that_any_does() -> None:
    large = {"controller_size": 8192, "controller_layers": 16}
    assert footprint(small_plan()) < 2**20
    assert footprint(small_plan(config=large)) > 2**38


def test_each_thread_takes_its_scratch_and_no_more_of_them_than_sequences() -> None:
    alone, two, many = (footprint(small_plan(batch=3), threads) for threads in (1, 2, 9))
    assert many - alone == 2 * (two - alone) > 0
