"""The state before the first step: M_0, w_0 and r_0, which equations 1-8 leave open.

What is learned is a parameter; what is drawn once at random and then frozen, or given, is a buffer, so that a
checkpoint holds it; what is a constant, or drawn anew for each episode, is neither.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ntm_core.config import MachineConfig

_MEMORY_STREAM, _READ_STREAM = 0, 1
"""The second half of the seed of each fresh draw, so that M_0 and r_0 are independent."""


class Initial(nn.Module):
    """M_0, w_0 and r_0 of a machine, by its config's choices."""

    memory_value: Tensor | None
    _places: Tensor
    weighting_logits: Tensor | None
    weighting_value: Tensor | None
    read_value: Tensor | None

    def __init__(self, config: MachineConfig) -> None:
        super().__init__()
        self.config = config
        memory_shape = (config.memory_size, config.word_size)
        match config.initial_memory:
            case "constant" | "zeros" | "fresh_uniform":
                self.memory_value = None
            case "trainable_constant":
                self.memory_value = nn.Parameter(torch.full(memory_shape, config.initial_memory_value))
            case "learned" | "learned_tanh" | "learned_sigmoid":
                self.memory_value = nn.Parameter(config.initial_memory_scale * torch.randn(memory_shape))
            case "random_normal":
                drawn = config.initial_memory_scale * torch.randn(memory_shape)
                self.register_buffer("memory_value", drawn)
            case "random_uniform":
                self.register_buffer("memory_value", _memory_bound(config) * (2 * torch.rand(memory_shape) - 1))
            case "given":
                self.register_buffer("memory_value", torch.full(memory_shape, config.initial_memory_value))

        self.register_buffer("_places", torch.arange(config.memory_size, dtype=torch.float32), persistent=False)

        learned_weighting = config.initial_weighting in ("learned", "learned_decaying")
        shared = config.head_roles == "read_and_write"
        rows = config.write_heads if shared else config.heads
        logits = config.initial_weighting_scale * torch.randn(rows, config.memory_size)
        self.weighting_logits = nn.Parameter(logits) if learned_weighting else None
        if config.initial_weighting == "given":
            self.register_buffer("weighting_value", torch.full((rows, config.memory_size), 1 / config.memory_size))

        read_shape = (config.read_heads, config.word_size)
        match config.initial_read:
            case "learned" | "learned_tanh":
                self.read_value = nn.Parameter(0.01 * torch.randn(read_shape))
            case "random":
                self.register_buffer("read_value", torch.randn(read_shape).tanh())
            case _:
                self.read_value = None

    def memory(self, like: Tensor, batch: int = 1, seed: int | None = None) -> Float[Tensor, "batch location word"]:
        """M_0 of each sequence, in the dtype and on the device of `like`; the seed decides a fresh draw."""
        config = self.config
        shape = (batch, config.memory_size, config.word_size)
        if config.initial_memory == "fresh_uniform":
            return _memory_bound(config) * (2 * _uniform(shape, seed, _MEMORY_STREAM).to(like) - 1)
        if self.memory_value is None:
            value = config.initial_memory_value if config.initial_memory == "constant" else 0.0
            memory = torch.full(shape[1:], value, dtype=like.dtype, device=like.device)
        elif config.initial_memory == "learned_tanh":
            memory = self.memory_value.tanh()
        elif config.initial_memory == "learned_sigmoid":
            memory = self.memory_value.sigmoid()
        else:
            memory = self.memory_value
        return memory.expand(batch, -1, -1)

    def weighting(self, like: Tensor) -> Float[Tensor, "head location"]:
        """w_0 of every head; each sums to 1, except where the choice is zeros, or given otherwise.

        A decaying bias adds -i to the logit of location i, so that a fresh machine starts near location 0.
        """
        shape = (self.config.heads, self.config.memory_size)
        if self.config.initial_weighting == "given":
            assert self.weighting_value is not None
            return self._on_every_head(self.weighting_value)
        if self.weighting_logits is not None:
            logits: Tensor = self.weighting_logits
            if self.config.initial_weighting == "learned_decaying":
                logits = logits - self._places.to(logits)
            return self._on_every_head(logits.softmax(-1))
        weighting = like.new_zeros(shape)
        if self.config.initial_weighting == "one_hot":
            weighting[:, 0] = 1
        if self.config.initial_weighting == "uniform":
            weighting += 1 / shape[1]
        return weighting

    def _on_every_head(self, weighting: Tensor) -> Tensor:
        """A head that both reads and writes stands twice on the head axis."""
        return torch.cat([weighting, weighting]) if self.config.head_roles == "read_and_write" else weighting

    def read(
        self,
        memory: Float[Tensor, "batch location word"],
        weighting: Float[Tensor, "head location"],
        seed: int | None = None,
    ) -> Float[Tensor, "batch read_head word"]:
        """r_0 of every read head, for M_0 and w_0; the seed decides a fresh draw."""
        config, batch = self.config, len(memory)
        shape = (batch, config.read_heads, config.word_size)
        match config.initial_read:
            case "fresh_uniform":
                return (6 / config.word_size) ** 0.5 * (2 * _uniform(shape, seed, _READ_STREAM).to(memory) - 1)
            case "fresh_tanh_normal":
                return _normal(shape, seed, _READ_STREAM).to(memory).tanh()
            case "from_memory":
                # Not `@`, which picks its kernel, and so the last bits, by whether gradients are asked for.
                return torch.bmm(weighting[: config.read_heads].expand(batch, -1, -1), memory)
        if self.read_value is None:
            return memory.new_zeros(shape)
        read = self.read_value.tanh() if config.initial_read == "learned_tanh" else self.read_value
        return read.expand(batch, -1, -1)


def _memory_bound(config: MachineConfig) -> float:
    """1 / √(N + W): a uniform M_0 lies within ± this."""
    return (config.memory_size + config.word_size) ** -0.5


def _uniform(shape: tuple[int, ...], seed: int | None, stream: int) -> Tensor:
    """Numbers in [0, 1): from the seed, the same on every platform; without one, from torch's own generator."""
    return torch.rand(shape) if seed is None else torch.from_numpy(_random(seed, stream).random_sample(shape))


def _normal(shape: tuple[int, ...], seed: int | None, stream: int) -> Tensor:
    """Standard normal numbers; the seed as in `_uniform`."""
    return torch.randn(shape) if seed is None else torch.from_numpy(_random(seed, stream).standard_normal(shape))


def _random(seed: int, stream: int) -> np.random.RandomState:
    """NumPy has frozen the streams of RandomState (its NEP 19). ValueError for a seed that it does not take."""
    if not 0 <= seed < 2**32:
        raise ValueError(f"the seed of the initial state is {seed}: it must be 0 … {2**32 - 1}")
    return np.random.RandomState(np.array([seed, stream], dtype=np.uint32))
