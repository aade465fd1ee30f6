"""One step's access: which memory each head sees, and what it leaves to the next."""

from typing import Any

import pytest
import torch

from ntm_core.access import Access, access, head_groups
from ntm_core.addressing import address
from ntm_core.config import MachineConfig
from ntm_core.heads import HeadLayout, HeadParameters, head_parameters
from ntm_core.memory import read_vectors, written_memory
from tests.core.machines import small_config


def situation(config: MachineConfig) -> tuple[torch.Tensor, torch.Tensor, HeadParameters]:
    """A memory, previous weightings and head parameters, batch 2, in which every head looks elsewhere."""
    generator = torch.Generator().manual_seed(5)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    memory = draw(2, config.memory_size, config.word_size)
    previous = draw(2, config.heads, config.memory_size).softmax(-1)
    return memory, previous, head_parameters(config, 2 * draw(2, HeadLayout.of(config).size))


def act(**changes: Any) -> tuple[Access, torch.Tensor, torch.Tensor, HeadParameters, MachineConfig]:
    config = small_config(**changes)
    memory, previous, asked = situation(config)
    return access(config, memory, previous, asked), memory, previous, asked, config


def look(
    config: MachineConfig, memory: torch.Tensor, previous: torch.Tensor, asked: HeadParameters, head: int
) -> torch.Tensor:
    """One head's weighting over this memory."""
    one = slice(head, head + 1)
    return address(
        config,
        memory,
        previous[:, one],
        asked.key[:, one],
        asked.key_strength[:, one],
        asked.interpolation_gate[:, one],
        asked.shift_weighting[:, one],
        asked.sharpening[:, one],
    ).weighting


def same(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"step_order": "read_then_write"}, [(0, 5)]),
        ({"step_order": "write_then_read"}, [(2, 5), (0, 2)]),
        (
            {"step_order": "listed", "head_order": ("write", "read", "write", "write", "read")},
            [(2, 3), (0, 1), (3, 4), (4, 5), (1, 2)],
        ),
    ],
)
def test_groups_of_heads_in_the_order_they_act(changes: dict[str, Any], expected: list[tuple[int, int]]) -> None:
    groups = head_groups(small_config(read_heads=2, write_heads=3, **changes))
    assert [(group.start, group.stop) for group in groups] == expected


def test_read_then_write_shows_every_head_the_old_memory() -> None:
    done, memory, previous, asked, config = act(read_heads=2, write_heads=2)
    looks = [look(config, memory, previous, asked, head) for head in range(4)]
    same(done.weightings.weighting, torch.cat(looks, 1))
    same(done.read_vector, read_vectors(memory, torch.cat(looks[:2], 1)))
    same(done.memory, written_memory(memory, torch.cat(looks[2:], 1), asked.erase_vector, asked.add_vector))


def test_write_then_read_shows_read_heads_the_new_memory() -> None:
    done, memory, previous, asked, config = act(read_heads=2, write_heads=2, step_order="write_then_read")
    writes = torch.cat([look(config, memory, previous, asked, head) for head in (2, 3)], 1)
    after = written_memory(memory, writes, asked.erase_vector, asked.add_vector)
    reads = torch.cat([look(config, after, previous, asked, head) for head in (0, 1)], 1)
    same(done.memory, after)
    same(done.weightings.weighting, torch.cat([reads, writes], 1))
    same(done.read_vector, read_vectors(after, reads))


@pytest.mark.parametrize("write_order", ["erases_then_adds", "one_by_one"])
@pytest.mark.parametrize("step_order", ["read_then_write", "write_then_read"])
def test_write_heads_see_the_same_memory_in_either_write_order(step_order: str, write_order: str) -> None:
    """The write order is about the arithmetic of writing; where the heads look is the step order's business."""
    done, memory, previous, asked, config = act(write_heads=2, step_order=step_order, write_order=write_order)
    writes = torch.cat([look(config, memory, previous, asked, head) for head in (1, 2)], 1)
    same(done.weightings.weighting[:, 1:], writes)
    same(done.memory, written_memory(memory, writes, asked.erase_vector, asked.add_vector, config.write_order))


def test_a_listed_order_shows_each_head_what_those_before_it_left() -> None:
    done, memory, previous, asked, config = act(
        read_heads=2, write_heads=2, step_order="listed", head_order=("read", "write", "write", "read")
    )
    first_read = look(config, memory, previous, asked, 0)
    first_write = look(config, memory, previous, asked, 2)
    once = written_memory(memory, first_write, asked.erase_vector[:, :1], asked.add_vector[:, :1])
    second_write = look(config, once, previous, asked, 3)
    twice = written_memory(once, second_write, asked.erase_vector[:, 1:], asked.add_vector[:, 1:])
    second_read = look(config, twice, previous, asked, 1)
    same(done.weightings.weighting, torch.cat([first_read, second_read, first_write, second_write], 1))
    same(done.read_vector, torch.cat([read_vectors(memory, first_read), read_vectors(twice, second_read)], 1))
    same(done.memory, twice)
    assert not torch.allclose(second_write, look(config, memory, previous, asked, 3))


@pytest.mark.parametrize(
    "changes",
    [{}, {"step_order": "write_then_read"}, {"step_order": "listed", "head_order": ("write", "read", "read", "write")}],
)
def test_shapes(changes: dict[str, Any]) -> None:
    done, memory, *_ = act(read_heads=2, write_heads=2, **changes)
    assert all(stage.shape == (2, 4, 5) for stage in vars(done.weightings).values())
    assert done.read_vector.shape == (2, 2, 4)
    assert done.memory.shape == memory.shape
