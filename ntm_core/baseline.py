"""An LSTM without a memory, the baseline of Graves et al. (2014): layers of cells between input and output, no heads.

It is trained and measured by the same code as a `Machine`, and is never recorded or shown.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ntm_core.compiled import Core
from ntm_core.config import MachineConfig
from ntm_core.errors import ConfigError


class Baseline(nn.Module):
    """The LSTM that a machine's config names as its controller, alone: what the config says of memory is not read.

    Attributes:
        core: "eager", for PyTorch computes it.
    """

    core: Core = "eager"

    def __init__(self, config: MachineConfig, seed: int = 0) -> None:
        """Draw the parameters from the seed. ConfigError if the controller is not an LSTM."""
        super().__init__()
        if config.controller != "lstm":
            raise ConfigError(f"controller is {config.controller!r}: without a memory, only an LSTM is offered")
        self.config = config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.layers = nn.LSTM(config.input_size, config.controller_size, config.controller_layers)
            self.output = nn.Linear(config.controller_size, config.output_size)

    def initial_state(self, _batch: int = 1, _seed: int | None = None) -> None:
        """Nothing: every sequence begins with hidden state and cells of zero."""
        return

    def forward(
        self, inputs: Float[Tensor, "step batch input"], _state: None = None
    ) -> Float[Tensor, "step batch output"]:
        """The logits of every step."""
        logits: Tensor = self.output(self.layers(inputs)[0])
        return logits
