import math

import pytest
import torch
from jaxtyping import TypeCheckError

from ntm_core.training.loss import sequence_loss


def test_the_loss_by_hand() -> None:
    """Two steps, two sequences, one output; the first step of sequence 0 is not asked."""
    odds = math.log(3)
    logits = torch.tensor([[[9.0], [odds]], [[odds], [-odds]]])
    targets = torch.tensor([[[0.0], [1.0]], [[0.0], [0.0]]])
    mask = torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    expected = -(math.log(0.75) + math.log(0.25) + math.log(0.75)) / 3
    assert sequence_loss(logits, targets, mask).item() == pytest.approx(expected)


def test_an_undecided_machine_loses_one_bit_a_bit() -> None:
    loss = sequence_loss(torch.zeros(5, 3, 2), torch.ones(5, 3, 2), torch.ones(5, 3))
    assert loss.item() == pytest.approx(math.log(2))


def test_what_is_not_asked_has_no_gradient() -> None:
    logits = torch.randn(4, 1, 2, requires_grad=True)
    mask = torch.tensor([[0.0], [1.0], [0.0], [1.0]])
    sequence_loss(logits, torch.zeros(4, 1, 2), mask).backward()
    assert logits.grad is not None
    assert (logits.grad.abs().sum((1, 2)) > 0).tolist() == [False, True, False, True]


@pytest.mark.parametrize("shape", [(5, 1), (3,), (1, 3), (5, 3, 2)])
def test_a_mask_that_would_be_stretched_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises((ValueError, TypeCheckError)):
        sequence_loss(torch.zeros(5, 3, 2), torch.zeros(5, 3, 2), torch.ones(shape))
    unchecked = sequence_loss.__wrapped__ if hasattr(sequence_loss, "__wrapped__") else sequence_loss
    with pytest.raises(ValueError, match=r"\(5, 3, 2\), \(5, 3, 2\), .*: a mask must be \(step, batch\)"):
        unchecked(torch.zeros(5, 3, 2), torch.zeros(5, 3, 2), torch.ones(shape))


@pytest.mark.parametrize("kind", [torch.bool, torch.int64])
def test_targets_that_are_no_floats_are_named(kind: torch.dtype) -> None:
    unchecked = getattr(sequence_loss, "__wrapped__", sequence_loss)  # the shapes' own check refuses them before
    name = str(kind).removeprefix("torch.")
    with pytest.raises(ValueError, match=f"the targets are {name}: they must be floats"):
        unchecked(torch.zeros(5, 3, 2), torch.zeros(5, 3, 2, dtype=kind), torch.ones(5, 3))
