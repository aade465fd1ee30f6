"""The machine that the benchmark builds in JAX must be ours, or the comparison says nothing."""

import functools

import numpy as np
import pytest
import torch

from ntm_core.config import MachineConfig
from ntm_core.machine import Machine
from ntm_core.tasks import Copy
from ntm_core.training.loss import sequence_loss
from tests.benchmarks import jax_machine

pytestmark = pytest.mark.skipif(
    not jax_machine.is_installed(), reason="JAX is not installed: nothing is compared with it"
)


def test_its_loss_and_gradients_are_those_of_the_core() -> None:
    config = MachineConfig(input_size=9, output_size=8, memory_size=12, word_size=5, controller_size=7)
    machine = Machine(config, seed=3)
    episode = Copy(lengths=(3, 6)).episodes((0, 1), 4)
    ours = sequence_loss(
        machine(torch.from_numpy(episode.inputs)), torch.from_numpy(episode.targets), torch.from_numpy(episode.mask)
    )
    ours.backward()
    trained, start = jax_machine.arrays_of(machine)
    of = jax_machine.jax().value_and_grad(functools.partial(jax_machine.loss, config))
    theirs, gradient = of(trained, start, episode.inputs, episode.targets, episode.mask)
    assert float(theirs) == pytest.approx(ours.item(), rel=1e-5)
    for name, parameter in (
        ("lower", machine.controller.layers[0].get_parameter("weight_ih")),
        ("heads", machine.heads.weight),
        ("output", machine.output.weight),
    ):
        assert parameter.grad is not None
        np.testing.assert_allclose(np.asarray(gradient[name]), parameter.grad.numpy(), rtol=1e-3, atol=1e-6)


def test_it_learns() -> None:
    machine = Machine(
        MachineConfig(input_size=9, output_size=8, memory_size=12, word_size=5, controller_size=7), seed=3
    )
    update = jax_machine.update_of(machine)
    episode = Copy(lengths=(3, 3)).episodes((0, 1), 4)
    losses = [update(episode.inputs, episode.targets, episode.mask) for _ in range(60)]
    assert losses[-1] < losses[0]
