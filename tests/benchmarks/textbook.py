"""A Neural Turing Machine as most public ones are written: one head after the other, one layer a parameter.

Each head has a linear layer for each of its parameters, the shift is a convolution of each sequence of the batch on its
own, and everything is done at each step. It stands for what a reader would otherwise use, and is never trained.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ntm_core.config import MachineConfig


class Head(nn.Module):
    """A head's parameters, each from a layer of its own, and its weighting."""

    def __init__(self, config: MachineConfig) -> None:
        super().__init__()
        units, words = config.controller_size, config.word_size
        self.key = nn.Linear(units, words)
        self.key_strength = nn.Linear(units, 1)
        self.gate = nn.Linear(units, 1)
        self.shift = nn.Linear(units, 2 * config.shift_range + 1)
        self.sharpening = nn.Linear(units, 1)
        self.erase = nn.Linear(units, words)
        self.add = nn.Linear(units, words)

    def address(self, hidden: Tensor, memory: Tensor, previous: Tensor) -> Tensor:
        strength = functional.softplus(self.key_strength(hidden))
        gate = torch.sigmoid(self.gate(hidden))
        shift = functional.softmax(self.shift(hidden), dim=1)
        sharpening = 1 + functional.softplus(self.sharpening(hidden))
        alike = functional.cosine_similarity(memory + 1e-16, self.key(hidden).unsqueeze(1) + 1e-16, dim=-1)
        gated = gate * functional.softmax(strength * alike, dim=1) + (1 - gate) * previous
        shifted = torch.stack([_convolved(row, taps) for row, taps in zip(gated, shift, strict=True)])
        sharpened = shifted**sharpening
        return sharpened / (sharpened.sum(dim=1, keepdim=True) + 1e-16)


def _convolved(weighting: Tensor, shift: Tensor) -> Tensor:
    around = torch.cat([weighting[-1:], weighting, weighting[:1]])
    return functional.conv1d(around.view(1, 1, -1), shift.view(1, 1, -1)).view(-1)


class Textbook(nn.Module):
    """An LSTM controller, a read head and a write head, step by step."""

    def __init__(self, config: MachineConfig) -> None:
        super().__init__()
        self.config = config
        self.controller = nn.LSTM(config.input_size + config.word_size, config.controller_size)
        self.read_head, self.write_head = Head(config), Head(config)
        self.output = nn.Linear(config.controller_size + config.word_size, config.output_size)
        self.hidden = nn.Parameter(0.05 * torch.randn(1, 1, config.controller_size))
        self.cell = nn.Parameter(0.05 * torch.randn(1, 1, config.controller_size))
        self.read = nn.Parameter(0.01 * torch.randn(1, config.word_size))

    def forward(self, inputs: Tensor) -> Tensor:
        batch, config = inputs.shape[1], self.config
        state = (self.hidden.repeat(1, batch, 1), self.cell.repeat(1, batch, 1))
        read = self.read.repeat(batch, 1)
        memory = torch.full((batch, config.memory_size, config.word_size), 1e-6)
        read_weighting = torch.full((batch, config.memory_size), 1 / config.memory_size)
        write_weighting = read_weighting
        outputs = []
        for row in inputs:
            spoken, state = self.controller(torch.cat([row, read], dim=1).unsqueeze(0), state)
            hidden = spoken.squeeze(0)
            read_weighting = self.read_head.address(hidden, memory, read_weighting)
            read = torch.matmul(read_weighting.unsqueeze(1), memory).squeeze(1)
            write_weighting = self.write_head.address(hidden, memory, write_weighting)
            erase, add = torch.sigmoid(self.write_head.erase(hidden)), self.write_head.add(hidden)
            memory = memory * (1 - torch.matmul(write_weighting.unsqueeze(-1), erase.unsqueeze(1)))
            memory = memory + torch.matmul(write_weighting.unsqueeze(-1), add.unsqueeze(1))
            outputs.append(self.output(torch.cat([hidden, read], dim=1)))
        return torch.stack(outputs)
