from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core.compiled import buffers, plan
from ntm_core.compiled.buffers import Block, Layout
from ntm_core.config import MachineConfig
from tests.core.compiled.choices import compiled_configs
from tests.core.machines import rows, small_config, stirred

SENTINEL = 12345.0
GAP = 48


@contextmanager
def guarded() -> Iterator[list[Block]]:
    """Every block that is made meanwhile, with sentinels before, between and after its buffers."""
    made: list[Block] = []
    begin = Block.__init__

    def begin_guarded(self: Block, layout: Layout, *, reused: bool = True) -> None:  # noqa: ARG001  # none is here
        begin(self, layout, reused=False)
        self.numbers.fill_(SENTINEL)
        made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Block, "__init__", begin_guarded)
        patch.setattr(buffers, "GAP", GAP)
        plan.plan_for.cache_clear()
        yield made
    plan.plan_for.cache_clear()


def assert_nothing_is_written_beside(block: Block) -> None:
    outside = torch.ones(len(block.numbers), dtype=torch.bool)
    for name, start in block.layout.starts.items():
        outside[start : start + block[name].numel()] = False
    assert int(outside.sum()) >= GAP * (len(block.layout.starts) + 1)
    assert bool((block.numbers[outside] == SENTINEL).all())


def guarded_gradient(parameter: torch.nn.Parameter) -> torch.Tensor:
    """The numbers around a new gradient of the parameter, which is zero."""
    numbers = torch.full((2 * GAP + parameter.numel(),), SENTINEL)
    parameter.grad = numbers[GAP:-GAP].view(parameter.shape).zero_()
    return numbers


@settings(max_examples=40)
@given(compiled_configs(), st.integers(1, 18), st.integers(1, 6))
def test_the_kernel_writes_to_its_buffers_only(config: MachineConfig, steps: int, batch: int) -> None:
    machine = stirred(config, scale=0.5, dtype=torch.float32)
    inputs = rows(config, steps, batch, dtype=torch.float32)
    with guarded() as made:
        machine(inputs).sum().backward()
        with torch.no_grad():
            machine(inputs)
        asked, own = torch.ones(steps, batch), [guarded_gradient(parameter) for parameter in machine.parameters()]
        learner = machine.learner()
        assert learner is not None
        learner.add_gradients(inputs, torch.ones(steps, batch, config.output_size), asked)
    assert len(made) == (9 if config.controller == "gru" else 8)
    for block in made:
        assert_nothing_is_written_beside(block)
    for numbers in own:
        assert bool((numbers[:GAP] == SENTINEL).all())
        assert bool((numbers[-GAP:] == SENTINEL).all())


@pytest.mark.parametrize("memory_size", [8, 17, 130])
@pytest.mark.parametrize("controller", ["lstm", "gru", "feedforward"])
def test_larger_machines_write_to_their_buffers_only(memory_size: int, controller: str) -> None:
    sizes = {"memory_size": memory_size, "word_size": 9, "controller_size": 33, "input_size": 19, "output_size": 16}
    machine = stirred(small_config(controller=controller, **sizes), scale=0.3, dtype=torch.float32)
    with guarded() as made:
        machine(rows(machine.config, 10, 5, dtype=torch.float32)).sum().backward()
    for block in made:
        assert_nothing_is_written_beside(block)


def test_buffers_begin_at_lines_of_the_cache() -> None:
    layout = Layout.of({"one": (3,), "other": (2, 17), "none": (0, 5)})
    assert [start % 16 for start in layout.starts.values()] == [0, 0, 0]
    block = Block(layout)
    assert block["other"].shape == (2, 17)
    assert block["other"].data_ptr() == block.addresses[1]
    assert block.numbers.data_ptr() % 64 == 0


def test_a_stretch_is_used_again_unless_what_is_in_it_outlives_the_block() -> None:
    layout = Layout.of({"numbers": (100,)})
    block = Block(layout)
    address = block.numbers.data_ptr()
    del block
    assert Block(layout).numbers.data_ptr() == address
    kept = Block(layout, reused=False)
    numbers = kept["numbers"].fill_(7)
    del kept
    Block(layout)["numbers"].fill_(8)
    assert bool((numbers == 7).all())


def test_the_shortest_stretch_that_is_long_enough_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "_spare", deque(maxlen=4))
    short, middle, long = (Layout.of({"numbers": (size,)}) for size in (100, 200, 300))
    blocks = [Block(layout) for layout in (middle, long, short)]
    addresses = [block.numbers.data_ptr() for block in blocks]
    del blocks
    again = [Block(layout) for layout in (short, middle, long)]
    assert [block.numbers.data_ptr() for block in again] == [addresses[2], addresses[0], addresses[1]]


def test_a_stretch_from_inference_mode_is_fit_for_training() -> None:
    machine = stirred(small_config(memory_size=50), dtype=torch.float32)
    inputs = rows(machine.config, 40, 9, dtype=torch.float32)
    with torch.inference_mode():
        machine(inputs)
    machine(inputs).sum().backward()
