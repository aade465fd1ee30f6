"""The controller network: what reads the input and last step's read vectors, and speaks to the heads.

Each kind answers the same two questions: its state before the first step, and its output with the next state. A state
is (hidden, cell), each (batch, layer, unit); cell is None unless the controller is an LSTM. A feed-forward controller's
hidden state records its layers' outputs and is never read back.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ntm_core.config import MachineConfig

_ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}
_CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "feedforward": nn.Linear}


@dataclass(frozen=True)
class ControllerState:
    """The controller's outputs of all layers (h_t) and an LSTM's cells (c_t), each (batch, layer, unit)."""

    hidden: Tensor
    cell: Tensor | None


class Controller(nn.Module):
    """A stack of feed-forward, GRU or LSTM layers; holds parameters only."""

    def __init__(self, config: MachineConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.input_size + config.read_heads * config.word_size]
        widths += [config.controller_size] * (config.controller_layers - 1)
        make = _CELLS[config.controller]
        self.layers = nn.ModuleList(make(width, config.controller_size) for width in widths)
        shape = (config.controller_layers, config.controller_size)
        learned = config.initial_controller == "learned" and config.controller != "feedforward"
        self.initial_hidden = nn.Parameter(0.05 * torch.randn(shape)) if learned else None
        learned_cell = learned and config.controller == "lstm"
        self.initial_cell = nn.Parameter(0.05 * torch.randn(shape)) if learned_cell else None

    def initial_state(self, like: Tensor, batch: int) -> ControllerState:
        """The state before the first step, in the dtype and on the device of `like`."""
        zeros = like.new_zeros(self.config.controller_layers, self.config.controller_size)
        hidden = zeros if self.initial_hidden is None else self.initial_hidden
        cell = zeros if self.initial_cell is None else self.initial_cell
        return ControllerState(
            hidden.expand(batch, -1, -1), cell.expand(batch, -1, -1) if self.config.controller == "lstm" else None
        )

    def forward(
        self, inputs: Float[Tensor, "batch channel"], state: ControllerState
    ) -> tuple[Float[Tensor, "batch unit"], ControllerState]:
        """The top layer's output, and the next state."""
        hidden, cells = [], []
        for index, layer in enumerate(self.layers):
            if isinstance(layer, nn.LSTMCell) and state.cell is not None:
                inputs, cell = layer(inputs, (state.hidden[:, index], state.cell[:, index]))
                cells.append(cell)
            elif isinstance(layer, nn.GRUCell):
                inputs = layer(inputs, state.hidden[:, index])
            else:
                inputs = _ACTIVATIONS[self.config.controller_activation](layer(inputs))
            hidden.append(inputs)
        return inputs, ControllerState(torch.stack(hidden, 1), torch.stack(cells, 1) if cells else None)
