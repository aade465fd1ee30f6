"""Whether the compiled core can be used: for which machines, with which tensors, and on this computer at all.

numba is imported on first use only. Nothing here fails: where the compiled core cannot be used, eager mode is.
"""

import functools
import importlib
import importlib.util
import logging
import sys
from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ntm_core.compiled.layout import CODES
from ntm_core.config import MachineConfig

Core = Literal["compiled", "eager"]
"""What computes a sequence: the kernel, or PyTorch operation by operation. Their last bits differ."""

_SIZES = frozenset(
    {
        "input_size",
        "output_size",
        "memory_size",
        "word_size",
        "read_heads",
        "write_heads",
        "shift_range",
        "controller_size",
        "controller_layers",
    }
)
_COMPUTED_BY_TORCH = frozenset(
    {
        "initial_memory",
        "initial_memory_value",
        "initial_memory_scale",
        "initial_weighting",
        "initial_weighting_scale",
        "initial_read",
        "initial_controller",
        "interpolation_gate_bias",
    }
)
"""The kernel is given the parameters and the initial state, however they came about."""

_NUMBERS = frozenset({"similarity_epsilon", "clip"})
_ORDERS: dict[str, frozenset[Any]] = {"step_order": frozenset({"read_then_write", "write_then_read", "listed"})}
_ANYTHING = _SIZES | _COMPUTED_BY_TORCH | _NUMBERS | {"head_order"}

BUILDING = "NTM_SCOPE_BUILDING"
"""Is in the environment of the process that compiles the kernel for all others: see `building`."""

COMPILING = "The compiled core is being compiled, once on this computer: about half a minute."
UNKEPT = (
    "The compiled core is being compiled, about half a minute at each start, for numba's cache cannot be written: "
    "NUMBA_CACHE_DIR names another place for it."
)

_log = logging.getLogger(__name__)


def reason_not_compiled(config: MachineConfig) -> str | None:
    """One sentence why the kernel cannot compute this machine, or None if it can.

    A choice that the kernel has never heard of must have its default, which is what machines did before it came.
    """
    for name, field in MachineConfig.model_fields.items():
        value = getattr(config, name)
        known = CODES.get(name) or _ORDERS.get(name)
        if name in _ANYTHING or (known is not None and value in known):
            continue
        if known is not None or value != field.default:
            return f"The compiled core does not know {name} = {value!r}."
    return None


@functools.cache
def is_available() -> bool:
    """Whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def why_eager(config: MachineConfig) -> str | None:
    """One sentence why this machine computes in eager mode here, or None if it need not."""
    if not is_available():
        return "numba is not installed: the extra 'fast' brings it."
    return reason_not_compiled(config)


@functools.lru_cache(256)
def core_for(config: MachineConfig) -> Core:
    """What `Machine.forward` computes this machine with, in float32 on the CPU; said once in the log if it is slow."""
    reason = why_eager(config)
    if reason is not None:
        say_once(reason)
    return "compiled" if reason is None else "eager"


@functools.cache
def say_once(reason: str) -> None:
    """Tell the log why machines are slow here."""
    _log.warning("Machines compute in eager mode, about ten times slower. %s", reason)


def fits(tensors: Iterable[Tensor | None]) -> bool:
    """Whether the kernel can compute with these tensors here: plain float32 on the CPU, not being traced.

    Nor where derivatives are carried forward, of which the kernel knows nothing: its results would have none.
    """
    transformed = torch._C._are_functorch_transforms_active()  # noqa: SLF001  # torch.func has no public question
    forward = forward_ad._current_level >= 0  # noqa: SLF001  # the public one, `unpack_dual`, is asked of each tensor
    traced = torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    if transformed or forward or traced or torch.is_autocast_enabled("cpu"):
        return False
    return all(
        tensor is None or (tensor.dtype == torch.float32 and tensor.is_cpu and type(tensor) in _PLAIN)
        for tensor in tensors
    )


_PLAIN = (Tensor, torch.nn.Parameter)


def is_kept() -> bool:
    """Whether what numba compiles is kept for the next process; True where there is nothing to be compiled."""
    return not is_available() or _building().cache_folder() is not None


def yet_to_compile() -> str | None:
    """One sentence that says what takes long where the kernel has not been compiled before; None if it has been."""
    if not is_kept():
        return UNKEPT
    return None if _building().is_built() else COMPILING


def _building() -> Any:
    return importlib.import_module("ntm_core.compiled.building")


def is_ready(module: str, function: str) -> bool:
    """Whether numba has compiled or loaded this function of a module in this process, so that nothing waits for it."""
    return bool(getattr(getattr(sys.modules.get(module), function, None), "signatures", ()))
