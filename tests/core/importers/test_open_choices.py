"""The choices that imported machines need: each runs, learns, is saved, and its trace rebuilds the memory exactly."""

from typing import Any

import numpy as np
import pytest
import torch

from ntm_core.addressing import softened_weighting
from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes, load_checkpoint
from ntm_core.config import MachineConfig, open_choices
from ntm_core.errors import ConfigError, TraceError
from ntm_core.machine import Machine
from ntm_core.recording import record
from ntm_core.tasks import Copy, Episode
from ntm_core.trace import Trace, TraceHeader
from ntm_core.trace_file import load_trace, trace_bytes

SMALL: dict[str, Any] = {
    "input_size": 5,
    "output_size": 4,
    "memory_size": 9,
    "word_size": 6,
    "controller_size": 7,
    "clip": None,
}
LAST: dict[str, Any] = {"schedule": "address_last", "step_order": "write_then_read"}

CHOICES: list[dict[str, Any]] = [
    {"controller": "recurrent", "controller_activation": "sigmoid"},
    {"controller": "gru", "gru_reset_gate": "before_product"},
    {"controller": "feedforward", "controller_layers": 2, "controller_layer_sizes": (7, 3)},
    {"head_roles": "read_and_write", "read_heads": 2, "write_heads": 2},
    {"head_roles": "read_and_write", "initial_weighting": "given", **LAST},
    {"head_input": "cell"},
    {"output_input": "input_and_reads"},
    {"output_input": "hidden", "output_activation": "softmax"},
    {"similarity_offset": 1e-3},
    {"content_softmax": "heads_of_a_kind", "read_heads": 2, "write_heads": 3},
    {"content_softmax": "each_location", "shift_kernel": "ones"},
    {"initial_memory": "fresh_uniform", "initial_read": "fresh_uniform"},
    {"initial_memory": "given", "initial_weighting": "given", "initial_read": "fresh_tanh_normal"},
    {"initial_read": "from_memory", "initial_controller": "given"},
    {"previous_weighting": "read_head", "read_heads": 3, "write_heads": 2},
    {"shift_kernel": "softmax_of_relu", "erase_activation": "relu"},
    {"shift_kernel": "softmax_of_softplus", "erase_activation": "ones"},
    {"sharpening_epsilon": 1e-4, "initial_weighting": "zeros"},
    {"sharpening_epsilon": 1e-4, "sharpening_epsilon_placement": "before_power"},
    {"key_activation": "sigmoid", "add_activation": "sigmoid", "key_strength_activation": "exp"},
    {**LAST, "controller": "feedforward", "read_heads": 2, "write_heads": 2},
    {**LAST, "write_order": "one_by_one", "write_heads": 2, "head_input": "cell"},
]


def machine_with(choices: dict[str, Any]) -> Machine:
    return Machine(MachineConfig.make(**{**SMALL, **choices}), seed=3)


def episode() -> Episode:
    return Copy(bits=4).of_length(4).episodes(1)


@pytest.mark.parametrize("choices", CHOICES, ids=str)
@pytest.mark.parametrize("double", [False, True])
def test_the_trace_is_the_run_and_rebuilds_its_memory(choices: dict[str, Any], double: bool) -> None:
    machine = machine_with(choices).to(torch.float64 if double else torch.float32).eval()
    machine.core = "eager"
    trace = record(machine.requires_grad_(False), episode())
    inputs = torch.from_numpy(episode().inputs).to(machine.output.weight.dtype)
    state = machine.initial_state(seed=0)
    results = list(machine.run(inputs, state))
    memories = torch.cat([state.memory, *(result.state.memory for result in results)]).numpy()
    np.testing.assert_array_equal(trace.memory, memories)
    np.testing.assert_array_equal(trace["logits"], torch.cat([result.logits for result in results]).numpy())
    np.testing.assert_array_equal(trace["outputs"], torch.cat([result.outputs for result in results]).numpy())
    assert all(np.isfinite(trace[name]).all() for name in trace.names)
    again = load_trace(trace_bytes(trace))
    assert again.header == trace.header
    np.testing.assert_array_equal(again.memory, trace.memory)


@pytest.mark.parametrize("choices", CHOICES, ids=str)
def test_gradients_are_finite_and_the_checkpoint_keeps_the_machine(choices: dict[str, Any]) -> None:
    machine = machine_with(choices)
    inputs = torch.from_numpy(Copy(bits=4).of_length(3).episodes(2, batch=3).inputs)
    machine(inputs, machine.initial_state(3, seed=4)).square().mean().backward()
    gradients = [parameter.grad for parameter in machine.parameters() if parameter.grad is not None]
    assert gradients
    assert all(bool(gradient.isfinite().all()) for gradient in gradients)
    loaded = load_checkpoint(checkpoint_bytes(Checkpoint.of(machine)))
    assert loaded.config == machine.config
    with torch.inference_mode():
        np.testing.assert_array_equal(
            loaded.machine()(inputs, loaded.machine().initial_state(3, seed=4)),
            machine(inputs, machine.initial_state(3, seed=4)),
        )


@pytest.mark.parametrize(
    ("choices", "named"),
    [
        ({"head_input": "cell", "controller": "gru"}, "only an LSTM has cells"),
        ({"gru_reset_gate": "before_product"}, "only a GRU has a reset gate"),
        ({"controller_layer_sizes": (7,)}, "only a feed-forward controller"),
        ({"controller": "feedforward", "controller_layers": 2, "controller_layer_sizes": (7, 9)}, "(7, 9)"),
        ({"controller": "feedforward", "controller_layers": 2, "controller_layer_sizes": (7,)}, "(7,)"),
        ({"controller": "feedforward", "controller_layer_sizes": ()}, "sizes of at least 1"),
        ({"schedule": "address_last"}, "must be 'write_then_read'"),
        ({"head_roles": "read_and_write", "read_heads": 2}, "2 read and 1 write heads"),
        ({"head_roles": "read_and_write", "step_order": "write_then_read"}, "must be 'read_then_write'"),
        ({"previous_weighting": "read_head", "write_heads": 2}, "2 write heads for 1 read heads"),
        (
            {
                "content_softmax": "heads_of_a_kind",
                "step_order": "listed",
                "head_order": ("read", "write"),
                "write_order": "one_by_one",
            },
            "act together",
        ),
    ],
)
def test_a_combination_that_means_nothing_is_refused(choices: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named.replace("(", r"\(").replace(")", r"\)")):
        MachineConfig.make(**{**SMALL, **choices})


def test_open_choices_show_what_deviates_from_the_paper() -> None:
    plain = {choice.choice: choice for choice in open_choices(MachineConfig.make(**SMALL))}
    other = MachineConfig.make(**SMALL, sharpening_epsilon=1e-16, **LAST)
    shown = {choice.choice: choice for choice in open_choices(other)}
    assert not any(choice.deviates for choice in plain.values())
    assert {name for name, choice in shown.items() if choice.deviates} == {"sharpening_epsilon", "schedule"}
    assert any("sums to less than 1" in warning for warning in other.warnings)


def test_an_epsilon_in_the_normaliser_is_not_normalised_away() -> None:
    shifted = torch.tensor([[0.0, 1e-9, 0.0], [0.0, 0.0, 0.0], [0.2, 0.5, 0.3]], dtype=torch.float64)
    weighting = softened_weighting(shifted, torch.full((3,), 2.0, dtype=torch.float64), 1e-16, "normaliser")
    assert float(weighting[0].sum()) == pytest.approx(1e-18 / (1e-18 + 1e-16))
    assert not weighting[1].any()
    assert float(weighting[2].sum()) == pytest.approx(1.0)


def test_address_last_writes_with_the_weighting_of_the_step_before() -> None:
    machine = machine_with({**LAST, "controller": "feedforward"}).eval().requires_grad_(False)
    trace = record(machine, episode())
    assert trace.header.acting_weighting == "previous"
    np.testing.assert_array_equal(trace.acting_weighting[0], trace["initial_weighting"])
    np.testing.assert_array_equal(trace.acting_weighting[1:], trace["weighting"][:-1])
    reads = np.einsum("tl,tlw->tw", trace.acting_weighting[:, 0], trace.memory[1:])
    np.testing.assert_allclose(trace["read_vector"][:, 0], reads, atol=1e-6)


def test_a_header_that_hides_the_acting_weighting_is_refused() -> None:
    header = TraceHeader.of(MachineConfig.make(**SMALL, **LAST), 3)
    with pytest.raises(TraceError, match="acting_weighting do not follow from its config"):
        TraceHeader.parse(header.model_copy(update={"acting_weighting": "current"}).model_dump_json())


FRESH = {"initial_memory": "fresh_uniform", "initial_read": "fresh_tanh_normal"}


def test_fresh_states_follow_their_seed() -> None:
    machine = machine_with(FRESH)
    first, again, other = (machine.initial_state(2, seed) for seed in (5, 5, 6))
    assert torch.equal(first.memory, again.memory)
    assert torch.equal(first.read_vector, again.read_vector)
    assert not torch.equal(first.memory, other.memory)
    assert not torch.equal(first.memory[0], first.memory[1])
    assert torch.equal(machine.initial_state(1, 5).memory[0], first.memory[0])
    assert not torch.equal(machine.initial_state().memory, machine.initial_state().memory)


def test_the_header_shows_the_seed_of_what_is_drawn() -> None:
    machine = machine_with(FRESH).eval().requires_grad_(False)
    header = TraceHeader.of(machine.config, len(episode()), initial_seed=8, phases=episode().phases)
    trace = record(machine, episode(), header)
    assert trace.header.initial_seed == 8
    np.testing.assert_array_equal(trace["initial_memory"], machine.initial_state(1, 8).memory[0].numpy())
    assert TraceHeader.of(MachineConfig.make(**SMALL), 3, initial_seed=8).initial_seed is None


def initial_of(trace: Trace) -> dict[str, Any]:
    names = [name for name in trace.names if name.startswith("initial_")]
    return {name.removeprefix("initial_"): trace[name] for name in names}


@pytest.mark.parametrize("choices", [{}, FRESH, {"head_roles": "read_and_write"}, LAST, {"controller": "gru"}], ids=str)
def test_a_run_is_repeated_from_the_initial_state_of_its_trace(choices: dict[str, Any]) -> None:
    machine = machine_with(choices).eval().requires_grad_(False)
    header = TraceHeader.of(
        machine.config, len(episode()), initial_seed=9, phases=episode().phases, core=machine.usable_core()
    )
    trace = record(machine, episode(), header)
    again = record(machine, episode(), initial=initial_of(trace))
    np.testing.assert_array_equal(again.records, trace.records)
    assert again.header.initial_given == tuple(initial_of(trace))


def test_given_parts_take_the_place_of_the_machines_own() -> None:
    machine = machine_with({"initial_read": "from_memory"}).eval()
    memory = np.random.RandomState(0).standard_normal((9, 6))
    state, own = machine.state_of({"memory": memory.tolist()}), machine.initial_state()
    np.testing.assert_allclose(state.memory[0], memory, rtol=1e-6)
    assert torch.equal(state.weighting, own.weighting)
    torch.testing.assert_close(state.read_vector, own.weighting[:, :1] @ state.memory)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"memory": np.zeros((6, 9))}, r"initial memory has shape \(6, 9\): it must be \(9, 6\)"),
        ({"weighting": np.zeros(9)}, r"it must be \(2, 9\)"),
        ({"hidden": np.full((1, 7), np.nan)}, "initial hidden holds nan: it must be finite"),
        ({"cell": "many"}, "initial cell must be numbers"),
        ({"memory": [[1.0], [1.0, 2.0]]}, "initial memory must be numbers"),
        ({"memories": np.zeros((9, 6))}, "no part 'memories': its parts are memory, weighting"),
    ],
)
def test_a_part_that_does_not_fit_is_refused(given: dict[str, Any], named: str) -> None:
    with pytest.raises(TraceError, match=named):
        machine_with({}).state_of(given)


def test_a_gru_has_no_cell_to_give() -> None:
    with pytest.raises(TraceError, match="no part 'cell'"):
        machine_with({"controller": "gru"}).state_of({"cell": np.zeros((1, 7))})


def test_one_head_of_both_roles_has_one_weighting() -> None:
    machine = machine_with({"head_roles": "read_and_write"})
    row = np.eye(1, 9)
    np.testing.assert_array_equal(machine.state_of({"weighting": row}).weighting[0], np.concatenate([row, row]))
    with pytest.raises(TraceError, match="they are one head"):
        machine.state_of({"weighting": np.concatenate([row, np.roll(row, 1)])})


def test_a_header_must_say_which_parts_are_given() -> None:
    machine = machine_with({}).eval().requires_grad_(False)
    header = TraceHeader.of(machine.config, len(episode()), phases=episode().phases)
    with pytest.raises(TraceError, match="the run is given"):
        record(machine, episode(), header, initial={"memory": np.zeros((9, 6))})


def test_an_exponential_key_strength_stays_finite() -> None:
    machine = machine_with({"key_strength_activation": "exp"})
    torch.nn.init.constant_(machine.heads.bias, 500)
    logits = machine(torch.from_numpy(episode().inputs))
    logits.sum().backward()
    assert bool(logits.isfinite().all())
    assert all(bool(p.grad.isfinite().all()) for p in machine.parameters() if p.grad is not None)
