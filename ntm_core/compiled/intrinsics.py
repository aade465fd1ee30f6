"""What numba has no word for: raw pointers, bit casts, a vectorised maximum, and the flushing of denormals.

Buffers reach the kernel as addresses. A pointer is made from an address by `at(address, index)`, and moved by
`off(pointer, count)`; `pointer[i]` reads and writes, unchecked. Vectorised loops run over plain pointers at full speed,
where arrays would cost a third more time and minutes of compilation.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import llvmlite.binding as llvm  # type: ignore[import-untyped]  # it ships no types
import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic as numba_intrinsic

Pointer = Any
"""A float32 pointer inside the kernel: numba's type, of which mypy knows nothing."""

Function = TypeVar("Function", bound=Callable[..., Any])
Emitted = tuple[Any, Callable[..., Any]]
"""A numba signature, and what emits its LLVM code."""


def intrinsic(emitting: Callable[..., Emitted]) -> Callable[..., Any]:
    """A function of the kernel whose code is emitted, from one of numba's typing context and the arguments' types."""
    function: Callable[..., Any] = numba_intrinsic(emitting)
    return function


FLOAT, INT = ir.FloatType(), ir.IntType(32)
POINTER: Any = types.CPointer(types.float32)  # type: ignore[no-untyped-call]  # nor does this part of numba
_IS_X86 = "x86" in llvm.get_process_triple()
_PLAIN: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


def _ask_for_wide_vectors() -> None:
    """Let the compiler use vectors of 512 bits where the processor has them: of itself it takes 256, an eighth slower.

    It is asked before anything is compiled; where someone has compiled, or asked for something else, that stands.
    """
    features = llvm.get_host_cpu_features()
    if features.get("avx512f") and numba.config.CPU_FEATURES is None:  # type: ignore[attr-defined]  # set at import
        numba.config.CPU_FEATURES = f"{features.flatten()},-prefer-256-bit"  # type: ignore[attr-defined]  # likewise


_ask_for_wide_vectors()

REORDERED = {"contract", "reassoc", "nsz", "arcp"}
"""What the compiler may do with a sum so that it vectorises; NaN and infinity keep their meaning."""


def kernel(function: Function) -> Function:
    """The function as a part of the kernel, whose sums may be reordered."""
    compiled: Function = numba.njit(fastmath=REORDERED, **_PLAIN)(function)
    return compiled


def kernel_inlined(function: Function) -> Function:
    """The function as a part of the kernel with one caller, compiled as if it were written there.

    A function is optimised anew with everything that calls it: long ones, one within the other, would take a minute.
    """
    compiled: Function = numba.njit(fastmath=REORDERED, inline="always", **_PLAIN)(function)
    return compiled


def kernel_in_order(function: Function) -> Function:
    """The function as a part of the kernel, computed in the order in which it is written."""
    compiled: Function = numba.njit(fastmath={"contract"}, **_PLAIN)(function)
    return compiled


def kernel_to_the_bit(function: Function) -> Function:
    """The function as a part of the kernel, each operation rounded by itself, as numpy and PyTorch do."""
    # Said outright, or numba lets it do what its callers may.
    compiled: Function = numba.njit(fastmath=False, **_PLAIN)(function)
    return compiled


def kernel_entry(function: Function) -> Function:
    """The function as one that Python calls, kept in numba's cache if there is a folder that can be written to."""
    return cached(function, fastmath=REORDERED, nogil=True, error_model="numpy", no_cfunc_wrapper=True)


def cached(function: Function, **options: Any) -> Function:
    """The function, compiled, and kept in numba's cache if there is a folder that can be written to."""
    try:
        compiled: Function = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        compiled = numba.njit(**options)(function)
    return compiled


_DOORS = frozenset(
    {
        *("__init__", "buffers", "building", "crew", "edited_step", "function", "learner"),
        *("optimisers", "passes", "plan", "recorded_run", "support", "tape"),
    }
)
"""Modules of this package that are no part of the kernel: those that call it, for the most part."""


def sources_fingerprint() -> str:
    """A number that stands for the text of all modules of this package that the kernel is made of."""
    modules = sorted(path for path in Path(__file__).parent.glob("*.py") if path.stem not in _DOORS)
    return hashlib.sha256(b"".join(path.read_bytes() for path in modules)).hexdigest()[:16]


@intrinsic
def at(_context: Any, _address: Any, _index: Any) -> Emitted:
    """The pointer to number `index` of the float32 buffer at this address."""

    def emit(_codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        start = builder.inttoptr(arguments[0], FLOAT.as_pointer())
        return builder.gep(start, [arguments[1]], source_etype=FLOAT)

    return POINTER(types.intp, types.intp), emit


@intrinsic
def off(_context: Any, _pointer: Any, _count: Any) -> Emitted:
    """The pointer, `count` numbers on."""

    def emit(_codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [arguments[1]], source_etype=FLOAT)

    return POINTER(POINTER, types.intp), emit


@intrinsic
def maximum(_context: Any, _x: Any, _y: Any) -> Emitted:
    """The larger number, in the form that LLVM vectorises as a reduction."""

    def emit(_codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        larger = builder.module.declare_intrinsic("llvm.maxnum", [FLOAT], ir.FunctionType(FLOAT, [FLOAT, FLOAT]))
        return builder.call(larger, arguments, fastmath=("nnan", "nsz"))

    return types.float32(types.float32, types.float32), emit


@intrinsic
def rounded(_context: Any, _x: Any) -> Emitted:
    """The nearest whole number, as a float."""

    def emit(_codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.call(builder.module.declare_intrinsic("llvm.rint", [FLOAT]), arguments)

    return types.float32(types.float32), emit


@intrinsic
def power_of_two(_context: Any, _exponent: Any) -> Emitted:
    """2 to a whole number between -126 and 127, given as a float: the exponent's bits are set."""

    def emit(_codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        biased = builder.add(builder.fptosi(arguments[0], INT), INT(127))
        return builder.bitcast(builder.shl(biased, INT(23)), FLOAT)

    return types.float32(types.float32), emit


@intrinsic
def exponent(_context: Any, _x: Any) -> Emitted:
    """The e of x = m 2^e with m in [0.5, 1), as a float, for a positive normal x."""

    def emit(_codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        biased = builder.ashr(builder.bitcast(arguments[0], INT), INT(23))
        return builder.sitofp(builder.sub(biased, INT(126)), FLOAT)

    return types.float32(types.float32), emit


@intrinsic
def mantissa(_context: Any, _x: Any) -> Emitted:
    """The m in [0.5, 1) of x = m 2^e, for a positive normal x."""

    def emit(_codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        fraction = builder.and_(builder.bitcast(arguments[0], INT), INT(0x7FFFFF))
        return builder.bitcast(builder.or_(fraction, INT(0x3F000000)), FLOAT)

    return types.float32(types.float32), emit


@intrinsic
def float_mode(_context: Any) -> Emitted:
    """The processor's floating-point mode; 0 on processors other than x86."""

    def emit(_codegen: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        if not _IS_X86:
            return INT(0)
        slot = builder.alloca(INT)
        _call_with_slot(builder, "llvm.x86.sse.stmxcsr", slot)
        return builder.load(slot)

    return types.int32(), emit


@intrinsic
def set_float_mode(_context: Any, _mode: Any) -> Emitted:
    """Set the mode that `float_mode` gave; nothing on processors other than x86."""

    def emit(codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        if _IS_X86:
            slot = builder.alloca(INT)
            builder.store(arguments[0], slot)
            _call_with_slot(builder, "llvm.x86.sse.ldmxcsr", slot)
        return codegen.get_dummy_value()

    return types.void(types.int32), emit


def _call_with_slot(builder: Any, name: str, slot: Any) -> None:
    byte = ir.IntType(8).as_pointer()
    function = builder.module.declare_intrinsic(name, (), ir.FunctionType(ir.VoidType(), [byte]))
    builder.call(function, [builder.bitcast(slot, byte)])


FLUSH_DENORMALS = 0x8040
"""The bits of x86's mode that take denormals for zero: arithmetic with them is a hundred times slower."""

KEEP_DENORMALS = ~FLUSH_DENORMALS
"""What that mode is masked with to compute with denormals as they are."""
