"""A trace read by a process of its own, only to see that reading it does no harm. Needs numpy and no PyTorch."""

from typing import Any

import numpy as np

from ntm_core.trace_file import load_trace


def try_trace(data: bytes, limits: dict[str, int]) -> tuple[None, list[np.ndarray[Any, Any]]]:
    """Nothing, if the bytes are a trace file of at most `max_bytes` unpacked; TraceError says why they are none."""
    load_trace(data, limits["max_bytes"])
    return None, []
