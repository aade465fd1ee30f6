"""The controller network: what reads the input and last step's read vectors, and speaks to the heads.

Each kind answers the same two questions: its state before the first step, and its output with the next state. A state
is (hidden, cell), each (batch, layer, unit); cell is None unless the controller is an LSTM. A feed-forward controller's
hidden state records its layers' outputs, padded with zeros where a layer is narrower, and is not read back by it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ntm_core.config import ControllerActivation, MachineConfig

_ACTIVATIONS: dict[ControllerActivation, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
}


@dataclass(frozen=True, eq=False)
class ControllerState:
    """The controller's outputs of all layers (h_t) and an LSTM's cells (c_t), each (batch, layer, unit)."""

    hidden: Tensor
    cell: Tensor | None


class RecurrentCell(nn.RNNCellBase):
    """A plain recurrent layer: h_t = f(A x + b + U h_{t-1} + d)."""

    def __init__(self, width: int, size: int, activation: ControllerActivation) -> None:
        super().__init__(width, size, bias=True, num_chunks=1)
        self.activation = activation

    def forward(
        self, inputs: Float[Tensor, "batch channel"], hidden: Float[Tensor, "batch unit"]
    ) -> Float[Tensor, "batch unit"]:
        """h_t."""
        heard = functional.linear(inputs, self.weight_ih, self.bias_ih)
        return _ACTIVATIONS[self.activation](heard + functional.linear(hidden, self.weight_hh, self.bias_hh))


class ResetFirstGruCell(nn.RNNCellBase):
    """A GRU layer whose reset gate acts on h_{t-1} itself, before the matrix product; parameters as in `nn.GRUCell`."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__(width, size, bias=True, num_chunks=3)

    def forward(
        self, inputs: Float[Tensor, "batch channel"], hidden: Float[Tensor, "batch unit"]
    ) -> Float[Tensor, "batch unit"]:
        """h_t = (1 - z) n + z h_{t-1}, where n = tanh(A x + b + U (r h_{t-1}) + d)."""
        heard = functional.linear(inputs, self.weight_ih, self.bias_ih)
        size = 2 * self.hidden_size
        gates = heard[:, :size] + functional.linear(hidden, self.weight_hh[:size], self.bias_hh[:size])
        reset, update = gates.sigmoid().chunk(2, 1)
        candidate = heard[:, size:] + functional.linear(reset * hidden, self.weight_hh[size:], self.bias_hh[size:])
        return (1 - update) * candidate.tanh() + update * hidden


def _layer(config: MachineConfig, width: int, size: int) -> nn.Module:
    """One layer of the controller, with inputs of this width."""
    match config.controller:
        case "lstm":
            return nn.LSTMCell(width, size)
        case "gru" if config.gru_reset_gate == "before_product":
            return ResetFirstGruCell(width, size)
        case "gru":
            return nn.GRUCell(width, size)
        case "recurrent":
            return RecurrentCell(width, size, config.controller_activation)
        case "feedforward":
            return nn.Linear(width, size)


class Controller(nn.Module):
    """A stack of feed-forward, recurrent, GRU or LSTM layers; holds parameters only."""

    initial_hidden: Tensor | None
    initial_cell: Tensor | None

    def __init__(self, config: MachineConfig) -> None:
        super().__init__()
        self.config = config
        widths = (config.input_size + config.read_heads * config.word_size, *config.layer_sizes)
        self.layers = nn.ModuleList(_layer(config, width, size) for width, size in pairwise(widths))
        self._uneven = len(set(config.layer_sizes)) > 1
        # A feed-forward controller's state matters only where h_0 speaks to the heads in step 1.
        stateful = config.controller != "feedforward" or config.schedule == "address_last"
        lstm = config.controller == "lstm"
        shape = (config.controller_layers, config.controller_size)
        match config.initial_controller:
            case "learned" if stateful:
                self.initial_hidden = nn.Parameter(0.05 * torch.randn(shape))
                self.initial_cell = nn.Parameter(0.05 * torch.randn(shape)) if lstm else None
            case "given" if stateful:
                self.register_buffer("initial_hidden", torch.zeros(shape))
                self.register_buffer("initial_cell", torch.zeros(shape) if lstm else None)
            case _:
                self.initial_hidden, self.initial_cell = None, None

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
            elif isinstance(layer, nn.RNNCellBase):
                inputs = layer(inputs, state.hidden[:, index])
            else:
                inputs = _ACTIVATIONS[self.config.controller_activation](layer(inputs))
            hidden.append(inputs)
        if self._uneven:
            hidden = [functional.pad(layer, (0, self.config.controller_size - layer.shape[1])) for layer in hidden]
        return inputs, ControllerState(torch.stack(hidden, 1), torch.stack(cells, 1) if cells else None)
