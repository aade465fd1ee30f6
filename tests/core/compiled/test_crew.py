"""Threads that share a batch: whatever their number, the bits are those of one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core.compiled import ALONE, Crew, plan
from ntm_core.compiled.buffers import Block
from ntm_core.compiled.crew import one_by_one
from ntm_core.compiled.layout import Buffers, Gradients, record_of
from ntm_core.compiled.passes import own_addresses
from ntm_core.compiled.plan import plan_for
from ntm_core.config import MachineConfig
from ntm_core.machine import Machine
from tests.core.compiled.choices import compiled_configs
from tests.core.compiled.test_buffers import assert_nothing_is_written_beside, guarded
from tests.core.machines import name_of, rows, small_config, stirred


@contextmanager
def sharing_the_smallest() -> Iterator[None]:
    """Plans in which every member has some work, however little that is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "MILLISECOND", 1)
        plan_for.cache_clear()
        yield
    plan_for.cache_clear()


def learnt(config: MachineConfig, steps: int, batch: int, crew: Crew) -> list[bytes]:
    """The bits of a loss and of all its gradients."""
    machine = stirred(config, scale=0.6, dtype=torch.float32)
    inputs = rows(config, steps, batch, dtype=torch.float32)
    generator = torch.Generator().manual_seed(3)
    targets = torch.randint(0, 2, (steps, batch, config.output_size), generator=generator).float()
    learner = machine.learner(crew)
    assert learner is not None
    with sharing_the_smallest():
        loss = learner.add_gradients(inputs, targets, torch.ones(steps, batch), seed=1)
    found = [parameter.grad for parameter in machine.parameters() if parameter.grad is not None]
    return [repr(loss).encode(), *(gradient.numpy().tobytes() for gradient in found)]


@settings(max_examples=40)
@given(compiled_configs(), st.integers(1, 18), st.integers(1, 6), st.integers(2, 8))
def test_whatever_the_crew_the_bits_are_the_same(config: MachineConfig, steps: int, batch: int, size: int) -> None:
    alone = learnt(config, steps, batch, ALONE)
    with guarded() as made:
        assert learnt(config, steps, batch, Crew(size, one_by_one)) == alone
    for block in made:
        assert_nothing_is_written_beside(block)


@pytest.mark.parametrize("changes", [{}, {"controller": "gru"}, {"controller": "feedforward"}], ids=name_of)
def test_threads_do_not_disturb_one_another(changes: dict[str, Any]) -> None:
    config = small_config(memory_size=128, word_size=20, controller_size=33, controller_layers=2, **changes)
    alone = learnt(config, 120, 8, ALONE)
    with ThreadPoolExecutor(4) as pool:

        def run(tasks: Any) -> None:
            wait([pool.submit(task) for task in tasks])

        for _ in range(5):
            assert learnt(config, 120, 8, Crew(4, run)) == alone


@pytest.mark.parametrize(
    ("kind", "scratch"),
    [(Buffers, {"gated", "spare"}), (Gradients, {"memories", "norms", "means", "values", "spare"})],
)
def test_each_member_has_scratch_of_its_own_and_shares_the_rest(kind: Any, scratch: set[str]) -> None:
    with sharing_the_smallest():
        found = plan_for(small_config(), 9, 5, kept=True, crew=3)
    layout = found.forward_scratch if kind is Buffers else found.backward_scratch
    assert layout.shapes.keys() == scratch
    whole = np.arange(len(kind._fields)) * 1_000_000
    members = own_addresses(record_of(kind, whole), Block(layout), 3)
    for name in kind._fields:
        places = sorted(int(member[name][0]) for member in members)
        assert len(set(places)) == (3 if name in scratch else 1)
        if name in scratch:
            assert all(later - before >= 4 * layout.shapes[name][1] for before, later in pairwise(places))


def test_a_batch_is_shared_where_each_has_a_millisecond_of_work() -> None:
    asked: list[int] = []

    def run(tasks: Any) -> None:
        asked.append(len(tasks))
        one_by_one(tasks)

    machine = Machine(MachineConfig.make(input_size=1, output_size=1))
    learner = machine.learner(Crew(4, run))
    assert learner is not None
    for steps, batch in ((5, 4), (40, 16), (400, 3)):
        inputs = torch.zeros(steps, batch, 1)
        learner.add_gradients(inputs, inputs, inputs[..., 0] + 1)
    assert asked == [4, 4, 4, 3, 3, 3]
