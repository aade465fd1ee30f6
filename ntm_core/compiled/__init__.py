"""The compiled core: whole sequences, forward and backward, in one kernel that numba compiles from Python.

It computes what `ntm_core.machine.Machine.step` does, step after step, and its gradient, in float32 on the CPU. Eager
mode stays the specification, and computes whatever the kernel cannot. The modules follow the paper as those of the core
do: `parameters`, `addressing` (eq. 1-5), `memory` (eq. 6-8), `controllers`, `access`, and `kernel` around them. What
lies below them is `arithmetic`, `product` and `intrinsics`; `layout` and `buffers` say where everything is; `building`
sees to it that all processes load the same code. `function` is the door to PyTorch, `learner` that to training,
`recorded_run` and `edited_step` that to traces; `plan` and `passes` are what they share. Importing this package does
not import numba.
"""

from ntm_core.compiled.buffers import Start
from ntm_core.compiled.crew import ALONE, Crew, Task
from ntm_core.compiled.support import (
    BUILDING,
    UNKEPT,
    Core,
    core_for,
    fits,
    is_available,
    is_kept,
    is_ready,
    reason_not_compiled,
    why_eager,
    yet_to_compile,
)

__all__ = [
    "ALONE",
    "BUILDING",
    "UNKEPT",
    "Core",
    "Crew",
    "Start",
    "Task",
    "core_for",
    "fits",
    "is_available",
    "is_kept",
    "is_ready",
    "reason_not_compiled",
    "why_eager",
    "yet_to_compile",
]
