"""The state before the first step: M_0, w_0 and r_0, which equations 1-8 leave open.

What is learned is a parameter; what is drawn once at random and then frozen is a buffer, so that a checkpoint holds it;
what is a constant is neither.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ntm_core.config import MachineConfig


class Initial(nn.Module):
    """M_0, w_0 and r_0 of a machine, by its config's choices."""

    def __init__(self, config: MachineConfig) -> None:
        super().__init__()
        self.config = config
        memory_shape = (config.memory_size, config.word_size)
        self.memory_value: Tensor | None
        match config.initial_memory:
            case "constant" | "zeros":
                self.memory_value = None
            case "trainable_constant":
                self.memory_value = nn.Parameter(torch.full(memory_shape, config.initial_memory_value))
            case "learned" | "learned_tanh" | "learned_sigmoid":
                self.memory_value = nn.Parameter(config.initial_memory_scale * torch.randn(memory_shape))
            case "random_normal":
                drawn = config.initial_memory_scale * torch.randn(memory_shape)
                self.register_buffer("memory_value", drawn)
            case "random_uniform":
                bound = sum(memory_shape) ** -0.5
                self.register_buffer("memory_value", bound * (2 * torch.rand(memory_shape) - 1))

        learned_weighting = config.initial_weighting in ("learned", "learned_decaying")
        logits = config.initial_weighting_scale * torch.randn(config.heads, config.memory_size)
        self.weighting_logits = nn.Parameter(logits) if learned_weighting else None

        read_shape = (config.read_heads, config.word_size)
        self.read_value: Tensor | None
        match config.initial_read:
            case "zeros":
                self.read_value = None
            case "learned" | "learned_tanh":
                self.read_value = nn.Parameter(0.01 * torch.randn(read_shape))
            case "random":
                self.register_buffer("read_value", torch.randn(read_shape).tanh())

    def memory(self, like: Tensor) -> Float[Tensor, "location word"]:
        """M_0, in the dtype and on the device of `like`."""
        config = self.config
        if self.memory_value is None:
            value = config.initial_memory_value if config.initial_memory == "constant" else 0.0
            return torch.full((config.memory_size, config.word_size), value, dtype=like.dtype, device=like.device)
        if config.initial_memory == "learned_tanh":
            return self.memory_value.tanh()
        if config.initial_memory == "learned_sigmoid":
            return self.memory_value.sigmoid()
        return self.memory_value

    def weighting(self, like: Tensor) -> Float[Tensor, "head location"]:
        """w_0 of every head; each sums to 1, except where the choice is zeros.

        A decaying bias adds -i to the logit of location i, so that a fresh machine starts near location 0.
        """
        shape = (self.config.heads, self.config.memory_size)
        if self.weighting_logits is not None:
            logits: Tensor = self.weighting_logits
            if self.config.initial_weighting == "learned_decaying":
                logits = logits - torch.arange(shape[1], dtype=logits.dtype, device=logits.device)
            return logits.softmax(-1)
        weighting = like.new_zeros(shape)
        if self.config.initial_weighting == "one_hot":
            weighting[:, 0] = 1
        if self.config.initial_weighting == "uniform":
            weighting += 1 / shape[1]
        return weighting

    def read(self, like: Tensor) -> Float[Tensor, "read_head word"]:
        """r_0 of every read head."""
        if self.read_value is None:
            return like.new_zeros(self.config.read_heads, self.config.word_size)
        return self.read_value.tanh() if self.config.initial_read == "learned_tanh" else self.read_value
