import math
from typing import Any

import pytest
import torch

from ntm_core.errors import TaskError, TrainingError
from ntm_core.machine import Machine
from ntm_core.tasks import Copy, DynamicNgrams
from ntm_core.training.loss import sequence_loss
from ntm_core.training.trainer import MAX_SKIPPED_IN_A_ROW, Counts, Trainer
from tests.core.training.plans import small_plan


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def copied(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}


def poison_gradient(trainer: Trainer, value: float = math.nan) -> None:
    """Make one gradient `value` from now on, while the loss stays finite."""
    machine, learner = trainer.machine, trainer._learner
    assert isinstance(machine, Machine)
    assert learner is not None
    own = learner.add_gradients

    def poisoned(*given: Any) -> float:
        loss = own(*given)
        assert machine.output.bias.grad is not None
        machine.output.bias.grad.fill_(value)
        return loss

    learner.add_gradients = poisoned  # type: ignore[assignment]  # that is the point


def test_one_update_by_hand() -> None:
    """RMSprop with momentum, its first step, from gradients that are computed apart."""
    plan = small_plan(batch=3, learning_rate=0.01, clip_norm=0.02)
    trainer, twin = Trainer(plan), Trainer(plan)
    episode = plan.task.episodes((0, 1), 3)
    logits = twin.machine(torch.from_numpy(episode.inputs))
    sequence_loss(logits, torch.from_numpy(episode.targets), torch.from_numpy(episode.mask)).backward()
    gradients = {name: value.grad for name, value in twin.machine.named_parameters() if value.grad is not None}
    norm = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients.values()))
    assert norm > 0.02

    update = trainer.update()

    assert update.gradient_norm == pytest.approx(norm)
    assert update.loss_bits == pytest.approx(plan.task.loss_bits(episode, logits.detach().numpy()).mean(), rel=1e-5)
    for name, parameter in trainer.machine.named_parameters():
        clipped = gradients[name] * 0.02 / norm
        step = 0.01 * clipped / ((0.05 * clipped.square()).sqrt() + 1e-8)
        before = dict(twin.machine.named_parameters())[name]
        torch.testing.assert_close(parameter, before - step, rtol=1e-4, atol=1e-6)
    assert trainer.counts == Counts(iteration=1)


def test_the_sequences_are_those_of_the_lesson() -> None:
    task = DynamicNgrams(context=2, length=8)
    plan = small_plan(task, batch=2, grow="context", grow_every=1)
    trainer, twin = Trainer(plan), Trainer(plan)
    for iteration, lesson in enumerate((DynamicNgrams(context=1, length=8), task), start=1):
        twin.load(copied(trainer.tensors()), trainer.counts)
        episode = lesson.episodes((0, iteration), 2)
        logits = twin.machine(torch.from_numpy(episode.inputs)).detach().numpy()
        assert trainer.update().loss_bits == pytest.approx(lesson.loss_bits(episode, logits).mean(), rel=1e-5)


def test_a_small_gradient_is_not_clipped() -> None:
    limited, free = Trainer(small_plan(clip_norm=1e4)), Trainer(small_plan(clip_norm=None))
    limited.update()
    free.update()
    assert equal(limited.tensors(), free.tensors())


def test_going_on_from_tensors_and_counts_gives_the_same_bits() -> None:
    plan = small_plan(batch=2)
    through, first = Trainer(plan), Trainer(plan)
    for _ in range(6):
        through.update()
    for _ in range(3):
        first.update()
    second = Trainer(plan)
    second.load(copied(first.tensors()), first.counts)
    for _ in range(3):
        second.update()
    assert equal(second.tensors(), through.tensors())
    assert second.counts == through.counts == Counts(iteration=6)


def test_training_lowers_the_loss() -> None:
    trainer = Trainer(small_plan(Copy(bits=1, lengths=(1, 1)), batch=8, learning_rate=1e-2))
    losses = [trainer.update().loss_bits for _ in range(60)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


def test_tensors_that_do_not_fit_are_refused() -> None:
    tensors = Trainer(small_plan(config={"word_size": 5})).tensors()
    with pytest.raises(TrainingError, match=r"tensor .* is float32 \(32, 8\), not float32 \(32, 7\)"):
        Trainer(small_plan()).load(tensors, Counts())


def test_tensors_of_another_machine_are_refused() -> None:
    tensors = Trainer(small_plan(config={"controller": "gru"})).tensors()
    with pytest.raises(TrainingError, match=r"tensor 'machine\.controller\.initial_cell' is in only one of them"):
        Trainer(small_plan()).load(tensors, Counts())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_skipped_and_counted(value: float) -> None:
    trainer = Trainer(small_plan())
    trainer.update()
    before = copied(trainer.tensors())
    poison_gradient(trainer, value)
    update = trainer.update()
    assert update.gradient_norm is None
    assert math.isfinite(update.loss_bits)
    assert equal(trainer.tensors(), before)
    assert trainer.counts == Counts(iteration=2, skipped=1, skipped_in_a_row=1)


def test_a_gradient_whose_square_overflows_is_clipped_and_not_skipped() -> None:
    plan = small_plan(clip_norm=1.0)
    trainer, twin = Trainer(plan), Trainer(plan)
    poison_gradient(trainer, 1e30)
    poison_gradient(twin, 1e3)
    assert trainer.update().gradient_norm == pytest.approx(math.sqrt(trainer.plan.config.output_size) * 1e30)
    twin.update()
    assert trainer.counts.skipped == 0
    torch.testing.assert_close(trainer.machine.output.bias, twin.machine.output.bias, rtol=1e-3, atol=0)


def test_a_finite_gradient_ends_the_row_of_skipped_ones() -> None:
    trainer = Trainer(small_plan())
    trainer.load(trainer.tensors(), Counts(iteration=9, skipped=5, skipped_in_a_row=3))
    trainer.update()
    assert trainer.counts == Counts(iteration=10, skipped=5, skipped_in_a_row=0)


def test_too_many_skipped_updates_in_a_row_are_refused() -> None:
    trainer = Trainer(small_plan())
    trainer.load(trainer.tensors(), Counts(iteration=200, skipped=100, skipped_in_a_row=MAX_SKIPPED_IN_A_ROW))
    poison_gradient(trainer)
    with pytest.raises(TrainingError, match="iterations 101 … 201 had no finite gradient: more than 100 in a row"):
        trainer.update()


def test_a_loss_that_is_not_finite_is_refused_and_changes_nothing() -> None:
    trainer = Trainer(small_plan())
    trainer.update()
    with torch.no_grad():
        trainer.machine.output.weight[0, 0] = math.nan
    before = copied(trainer.tensors())
    with pytest.raises(TrainingError, match=r"the loss of iteration 2 is nan: parameter 'output\.weight' is"):
        trainer.update()
    assert trainer.counts == Counts(iteration=1)
    for name, tensor in trainer.tensors().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0, equal_nan=True)


def test_what_is_drawn_anew_for_each_sequence_follows_the_iteration() -> None:
    """Not torch's own generator, so that a run that was stopped goes on to the same bits."""
    one, other = (Trainer(small_plan(config={"initial_memory": "fresh_uniform"})) for _ in range(2))
    torch.manual_seed(1)
    first = one.update(), one.update()
    torch.manual_seed(2)
    assert first == (other.update(), other.update())
    assert equal(one.tensors(), other.tensors())


def test_a_machine_that_cannot_do_the_task_is_refused() -> None:
    with pytest.raises(TaskError, match="output_activation is 'softmax'"):
        Trainer(small_plan(config={"output_activation": "softmax"}))
