import pytest
import torch

from ntm_core.baseline import Baseline
from ntm_core.config import MachineConfig
from ntm_core.errors import ConfigError

CONFIG = MachineConfig(input_size=3, output_size=2, controller_size=4, controller_layers=2)


def by_hand(baseline: Baseline, inputs: torch.Tensor) -> torch.Tensor:
    """The textbook LSTM, cell by cell, from a state of zeros."""
    weights = dict(baseline.layers.named_parameters())
    hidden, cell, logits = [torch.zeros(4)] * 2, [torch.zeros(4)] * 2, []
    for row in inputs:
        spoken = row
        for layer in range(2):
            heard = weights[f"weight_ih_l{layer}"] @ spoken + weights[f"bias_ih_l{layer}"]
            gates = heard + weights[f"weight_hh_l{layer}"] @ hidden[layer] + weights[f"bias_hh_l{layer}"]
            take, keep, new, show = gates.chunk(4)
            cell[layer] = keep.sigmoid() * cell[layer] + take.sigmoid() * new.tanh()
            spoken = hidden[layer] = show.sigmoid() * cell[layer].tanh()
        logits.append(baseline.output.weight @ spoken + baseline.output.bias)
    return torch.stack(logits)


def test_it_computes_the_textbook_lstm() -> None:
    baseline = Baseline(CONFIG, seed=1)
    inputs = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0))
    logits = baseline(inputs)
    for sequence in range(2):
        torch.testing.assert_close(logits[:, sequence], by_hand(baseline, inputs[:, sequence]), rtol=1e-5, atol=1e-6)


def test_it_has_the_parameters_of_an_lstm_and_an_output_and_no_others() -> None:
    sizes = [parameter.numel() for parameter in Baseline(CONFIG).parameters()]
    assert sum(sizes) == (4 * 4 * (3 + 4 + 2)) + (4 * 4 * (4 + 4 + 2)) + (2 * 4 + 2)


def test_the_seed_decides_its_parameters_and_nothing_else_does() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (Baseline(CONFIG, seed).output.weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_controller_without_memory_of_its_own_is_refused() -> None:
    with pytest.raises(ConfigError, match="controller is 'feedforward': without a memory, only an LSTM is offered"):
        Baseline(CONFIG.model_copy(update={"controller": "feedforward"}))
