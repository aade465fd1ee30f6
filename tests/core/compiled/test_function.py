from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_core import zoo
from ntm_core.checkpoints.native import load_checkpoint
from ntm_core.compiled import Core, buffers
from ntm_core.compiled.plan import plan_for
from ntm_core.config import MachineConfig
from ntm_core.machine import Machine
from ntm_core.recording import record
from ntm_core.tasks import parse_task
from tests.core.compiled.choices import SEEDED, compiled_configs
from tests.core.compiled.compare import assert_like_eager, gradients, loss_of
from tests.core.machines import any_episode, name_of, rows, small_config, stirred


def single(config: MachineConfig, seed: int = 0, scale: float = 0.6) -> Machine:
    """A stirred machine in float32."""
    return stirred(config, seed, scale=scale, dtype=torch.float32)


@pytest.mark.parametrize("changes", SEEDED, ids=name_of)
def test_every_alternative_is_what_eager_mode_computes(changes: dict[str, Any]) -> None:
    assert_like_eager(single(small_config(memory_size=9, **changes)))


@pytest.mark.parametrize("controller", ["lstm", "gru", "feedforward"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("shift_range", [1, 4])
def test_sizes_are_what_eager_mode_computes(controller: str, layers: int, shift_range: int) -> None:
    sizes = {"controller_layers": layers, "shift_range": shift_range, "read_heads": 2, "write_heads": 3}
    assert_like_eager(single(small_config(controller=controller, controller_size=17, **sizes), scale=0.3))


@pytest.mark.parametrize("order", ["rrww", "wwrr", "rwrw", "wrwr", "wrrw", "rwwr"])
def test_listed_orders_are_what_eager_mode_computes(order: str) -> None:
    head_order = tuple({"r": "read", "w": "write"}[letter] for letter in order)
    assert_like_eager(single(small_config(step_order="listed", head_order=head_order, read_heads=2, write_heads=2)))


@pytest.mark.parametrize("placement", ["each_norm", "norm_product", "added_to_norm_product", "inside_root"])
@pytest.mark.parametrize("similarity", ["cosine", "pearson"])
def test_epsilons_that_matter_are_where_eager_mode_has_them(placement: str, similarity: str) -> None:
    changes = {"similarity": similarity, "similarity_epsilon_placement": placement, "similarity_epsilon": 0.5}
    assert_like_eager(single(small_config(**changes), scale=0.3))


@pytest.mark.parametrize("controller", ["lstm", "feedforward", "gru"])
def test_the_usual_size_is_what_eager_mode_computes(controller: str) -> None:
    config = MachineConfig(input_size=9, output_size=8, controller=controller)
    assert_like_eager(Machine(config), steps=20, batch=5, gradient_error=2e-5)


@pytest.mark.parametrize("name", zoo.names())
def test_every_trained_machine_is_what_eager_mode_computes(name: str) -> None:
    """Its logits follow from magnified rounding too, so their error is held against the largest."""
    checkpoint = load_checkpoint(zoo.path(name))
    inputs = torch.from_numpy(parse_task(checkpoint.task).episodes(5, 2).inputs)[:60]
    assert_like_eager(checkpoint.machine().requires_grad_(), inputs, output_error=2e-3)


@pytest.mark.parametrize(("strength", "sharpening"), [(0.0, 100.0), (100.0, 0.0), (100.0, 100.0)])
@pytest.mark.parametrize("name", ["copy-lstm", "associative-recall-lstm"])
def test_trained_machines_with_strengths_and_sharpenings_near_100_are_what_eager_mode_computes(
    name: str, strength: float, sharpening: float
) -> None:
    checkpoint = load_checkpoint(zoo.path(name))
    machine = Machine(checkpoint.config.model_copy(update={"clip": None}))
    machine.load_state_dict(checkpoint.machine().state_dict())
    words, width = machine.config.word_size, machine.config.word_size + 6
    with torch.no_grad():
        machine.heads.bias[words : 2 * width : width] += strength
        machine.heads.bias[width - 1 : 2 * width : width] += sharpening
    inputs = torch.from_numpy(parse_task(checkpoint.task).episodes(5, 2).inputs)[:40]
    with torch.no_grad():
        parameters = [result.parameters for result in machine.run(inputs)]
    assert max(float(one.key_strength.max()) for one in parameters) > 0.9 * strength
    assert max(float(one.sharpening.max()) for one in parameters) > 0.9 * sharpening
    assert_like_eager(machine, inputs, output_error=2e-3)


def test_memories_that_are_computed_again_are_those_that_were_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many steps lie between two that are kept, the gradients have the same bits."""
    machine = single(small_config(memory_size=40, read_heads=2, write_heads=2))
    inputs = rows(machine.config, 30, 3, dtype=torch.float32)
    found = []
    try:
        for every in (1, 3, 8, 64):
            monkeypatch.setattr(buffers, "EVERY", every)
            plan_for.cache_clear()
            found.append(gradients(machine, inputs)[1])
    finally:
        plan_for.cache_clear()
    for other in found[1:]:
        assert all(torch.equal(value, other[name]) for name, value in found[0].items())


@given(compiled_configs(), st.integers(0, 1000), st.integers(1, 20), st.integers(1, 6))
@settings(max_examples=60)
def test_any_machine_and_shape_is_what_eager_mode_computes(
    config: MachineConfig, seed: int, steps: int, batch: int
) -> None:
    assert_like_eager(single(config, seed, 0.3), steps=steps, batch=batch, output_error=1e-5, gradient_error=2e-4)


@pytest.mark.parametrize("memory_size", [1, 7, 8, 9, 15, 16, 17, 31, 127, 256])
@pytest.mark.parametrize("word_size", [1, 3, 4, 5])
def test_sizes_beside_the_width_of_a_vector(memory_size: int, word_size: int) -> None:
    config = small_config(memory_size=memory_size, word_size=word_size, controller_size=16, input_size=17)
    assert_like_eager(single(config, scale=0.3), steps=9, batch=2)


def test_the_same_inputs_give_the_same_bits() -> None:
    machine = single(small_config(read_heads=2))
    inputs = rows(machine.config, 20, 4, dtype=torch.float32)
    logits, found = gradients(machine, inputs)
    for _ in range(5):
        again, found_again = gradients(machine, inputs)
        assert torch.equal(logits, again)
        assert all(torch.equal(found[name], found_again[name]) for name in found)


def test_the_logits_of_a_sequence_do_not_depend_on_the_batch_the_length_or_gradients() -> None:
    machine = single(small_config(memory_size=40))
    inputs = rows(machine.config, 20, 7, dtype=torch.float32)
    together = machine(inputs)
    with torch.inference_mode():
        assert torch.equal(machine(inputs), together)
        assert torch.equal(machine(inputs[:9]), together[:9])
        for one in range(7):
            assert torch.equal(machine(inputs[:, one : one + 1]), together[:, one : one + 1])


def test_a_sequence_goes_on_from_a_given_state() -> None:
    machine = single(small_config(controller_layers=2))
    inputs = rows(machine.config, 6, 3, dtype=torch.float32)
    *_, before = machine.run(inputs[:4])
    torch.testing.assert_close(machine(inputs[4:], before.state), machine(inputs)[4:], rtol=1e-5, atol=1e-6)


def test_two_graphs_at_once_do_not_disturb_one_another() -> None:
    machine = single(small_config())
    inputs = [rows(machine.config, steps, 2, seed=steps, dtype=torch.float32) for steps in (5, 9)]
    apart = [gradients(machine, part)[1] for part in inputs]
    losses = [loss_of(machine(part)) for part in inputs]
    for loss, expected in zip(losses, apart, strict=True):
        found = torch.autograd.grad(loss, list(machine.parameters()), retain_graph=True)
        again = torch.autograd.grad(loss, list(machine.parameters()))
        for one, other, (name, _) in zip(found, again, machine.named_parameters(), strict=True):
            assert torch.equal(one, expected[name])
            assert torch.equal(one, other)


def test_gradients_of_gradients_are_those_of_eager_mode() -> None:
    found = []
    cores: tuple[Core, ...] = ("compiled", "eager")
    for core in cores:
        machine = single(small_config())
        machine.core = core
        first = torch.autograd.grad(
            loss_of(machine(rows(machine.config, 4, 2, dtype=torch.float32))),
            list(machine.parameters()),
            create_graph=True,
        )
        torch.stack([gradient.square().sum() for gradient in first]).sum().backward()
        found.append({name: parameter.grad for name, parameter in machine.named_parameters()})
    for name, value in found[0].items():
        torch.testing.assert_close(value, found[1][name], rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("changes", SEEDED, ids=name_of)
def test_extreme_parameters_stay_finite(changes: dict[str, Any]) -> None:
    for memory_size in (1, 6):
        machine = single(small_config(memory_size=memory_size, **changes), scale=30.0)
        logits, found = gradients(machine, rows(machine.config, 5, 2, dtype=torch.float32))
        assert bool(torch.isfinite(logits).all())
        for name, value in found.items():
            assert bool(torch.isfinite(value).all()), name


@pytest.mark.parametrize("placement", ["each_norm", "norm_product", "added_to_norm_product", "inside_root"])
@pytest.mark.parametrize("similarity", ["cosine", "pearson", "negative_euclidean", "dot"])
def test_zero_keys_and_rows_one_hot_weightings_and_great_strengths_stay_finite(placement: str, similarity: str) -> None:
    """β is about 1e4, γ about 100, M_0 and the keys are zero."""
    config = small_config(
        similarity=similarity,
        similarity_epsilon_placement=placement,
        initial_memory="zeros",
        initial_weighting="one_hot",
        clip=None,
    )
    machine = Machine(config)
    width = config.word_size + 6
    with torch.no_grad():
        machine.heads.weight.zero_()
        machine.heads.bias.zero_()
        for head in range(2):
            machine.heads.bias[head * width + config.word_size] = 1e4
            machine.heads.bias[head * width + width - 1] = 100.0
    logits, found = gradients(machine, rows(config, 12, 2, dtype=torch.float32))
    assert bool(torch.isfinite(logits).all())
    for name, value in found.items():
        assert bool(torch.isfinite(value).all()), name


def test_a_parameter_that_is_not_a_number_makes_the_logits_so() -> None:
    machine = single(small_config())
    with torch.no_grad():
        machine.heads.bias[0] = torch.nan
        dict(machine.named_parameters())["controller.layers.0.bias_ih"][0] = torch.nan
    assert bool(machine(rows(machine.config, 3, dtype=torch.float32)).isnan().any())


def test_frozen_parameters_get_no_gradient() -> None:
    machine = single(small_config())
    machine.heads.requires_grad_(requires_grad=False)
    loss_of(machine(rows(machine.config, 3, dtype=torch.float32))).backward()
    assert machine.heads.weight.grad is None
    assert machine.output.weight.grad is not None


@pytest.mark.parametrize("words", [3, 6, 20])
@pytest.mark.parametrize("value", [0.1, 0.7, 12345.6])
def test_rows_and_keys_of_one_number_correlate_with_nothing(value: float, words: int) -> None:
    """Rounding leaves something of them without their mean, which must not be blown up."""
    config = small_config(similarity="pearson", word_size=words, initial_memory="learned", clip=None)
    for constant_keys in (False, True):
        machine = single(config, scale=0.3)
        with torch.no_grad():
            dict(machine.named_parameters())["initial.memory_value"][::2] = (
                value * torch.linspace(0.5, 1.5, config.memory_size)[::2, None]
            )
            if constant_keys:
                width = config.word_size + 6
                for head in range(2):
                    machine.heads.weight[head * width : head * width + words] = 0
                    machine.heads.bias[head * width : head * width + words] = value
        assert_like_eager(machine, gradient_error=2e-5)
        trace = record(machine, any_episode(config, 1))
        assert trace.header.core == "compiled"
        similarities = np.log(trace["content_weighting"][0]) / trace["key_strength"][0][:, None]
        flat = similarities if constant_keys else similarities[:, ::2]
        assert np.ptp(flat, axis=1).max() < 1e-5
