"""Copies of a machine that do the same on other locations."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ntm_core.config import MachineConfig
from ntm_core.heads import HeadLayout
from ntm_core.machine import Machine
from ntm_core.recording import record, state_after
from ntm_core.tasks.episode import Episode
from ntm_core.trace import Trace
from tests.core.machines import any_episode, at_rest, small_config, stirred

SIZE = 7


def config_of(**changes: Any) -> MachineConfig:
    return small_config(**{"memory_size": SIZE, "read_heads": 2, "write_heads": 1, "clip": None} | changes)


def original(seed: int = 0, *, moves: bool = True, **changes: Any) -> Machine:
    """A stirred machine; one that does not move has all of its shift weighting at 0, exactly."""
    machine = stirred(config_of(**changes), seed)
    if not moves:
        for bias, weight in taps_of(machine):
            with torch.no_grad():
                weight.zero_()
                bias.copy_(torch.tensor([-2000.0, 0, -2000.0]))
    return at_rest(machine)


def taps_of(machine: Machine) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Bias and weights that make each head's shift weighting."""
    layout = HeadLayout.of(machine.config)
    split, first = layout.heads * sum(layout.addressing), layout.word + 2
    weight = machine.heads.weight[:split].view(layout.heads, -1, machine.heads.in_features)
    bias = machine.heads.bias[:split].view(layout.heads, -1)
    taps = slice(first, first + layout.taps)
    return [(bias[head, taps], weight[head, taps]) for head in range(layout.heads)]


def rearranged(machine: Machine, rows: NDArray[np.int64], *, mirrored: bool = False) -> Machine:
    """The machine with location rows[i] in the part of location i; with its shifts turned round if mirrored."""
    twin = Machine(machine.config).to(machine.output.weight.dtype)
    weights = {name: tensor.clone() for name, tensor in machine.state_dict().items()}
    weights["initial.memory_value"][rows] = machine.state_dict()["initial.memory_value"]
    weights["initial.weighting_logits"][:, rows] = machine.state_dict()["initial.weighting_logits"]
    twin.load_state_dict(weights)
    if mirrored:
        with torch.no_grad():
            for bias, weight in taps_of(twin):
                bias.copy_(bias.flip(0))
                weight.copy_(weight.flip(0))
    return at_rest(twin)


def run(machine: Machine, steps: int = 9, seed: int = 1) -> Trace:
    return record(machine, any_episode(machine.config, steps, seed=seed))


def late_and_not(machine: Machine, by: int = 2, steps: int = 9) -> tuple[Trace, Trace]:
    """A run in which some steps come before an episode, and one that begins with what these left."""
    shown = any_episode(machine.config, steps, seed=1)
    inputs, targets, mask = (np.concatenate([part[:by], part]) for part in (shown.inputs, shown.targets, shown.mask))
    late = record(machine, Episode(inputs, targets, mask, np.r_[shown.phase[:by], shown.phase], shown.phases))
    state = state_after(late, by)
    given = {"memory": state.memory, "weighting": state.weighting, "read_vector": state.read_vector}
    given |= {"hidden": state.controller.hidden}
    given |= {} if state.controller.cell is None else {"cell": state.controller.cell}
    return late, record(machine, shown, initial={name: tensor[0].numpy() for name, tensor in given.items()})
