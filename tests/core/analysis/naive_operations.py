"""The rules of the operations, one head at one step at a time, in plain Python."""

from typing import Any

import numpy as np

from ntm_core.trace import Trace


def convolved(values: list[float], taps: list[float], shifts: tuple[int, ...], *, circular: bool) -> list[float]:
    """Eq. 4, one product at a time."""
    size = len(values)
    found = [0.0] * size
    for i in range(size):
        for tap, shift in zip(taps, shifts, strict=True):
            if circular or 0 <= i + shift < size:
                found[(i + shift) % size] += values[i] * tap
    return found


def previous_of(trace: Trace, step: int, head: int) -> list[float]:
    config = trace.header.config
    if config.previous_weighting == "read_head" and head >= config.read_heads:
        head -= config.read_heads
    return list(map(float, trace["weighting"][step - 1, head] if step else trace["initial_weighting"][head]))


def distance(was: int, now: int, size: int, *, circular: bool) -> int:
    if not circular:
        return now - was
    return min((now - was + turn * size for turn in (0, -1, 1)), key=lambda moved: (abs(moved), -moved))


def operation_by_hand(trace: Trace, step: int, head: int) -> dict[str, Any]:
    """What one head did at one step."""
    config, shifts = trace.header.config, trace.header.shifts
    circular = config.shift_edge == "circular"
    gate, taps = float(trace["interpolation_gate"][step, head]), list(map(float, trace["shift_weighting"][step, head]))
    was, now = previous_of(trace, step, head), list(map(float, trace["weighting"][step, head]))
    content = convolved(
        [gate * float(w) for w in trace["content_weighting"][step, head]], taps, shifts, circular=circular
    )
    location = convolved([(1 - gate) * w for w in was], taps, shifts, circular=circular)
    whole = sum(content) + sum(location)
    focus, before = int(np.argmax(now)), int(np.argmax(was))
    moved = distance(before, focus, len(now), circular=circular)
    sharp, sharp_before = (sum(w) > 0 and max(w) >= sum(w) / 2 for w in (now, was))
    half = sum(abs(a / sum(now) - b / sum(was)) for a, b in zip(now, was, strict=True)) / 2 if sum(was) > 0 else None
    if half is not None and half <= 0.1:
        name = "hold"
    elif sharp and content[focus] + location[focus] > 0 and content[focus] >= location[focus]:
        name = "content jump"
    elif sharp and sharp_before and content[focus] + location[focus] > 0 and moved in shifts:
        name = "shift 0" if moved == 0 else f"shift {'+' if moved > 0 else '−'}{abs(moved)}"
    else:
        name = "mixed"
    return {"operation": name, "displacement": moved, "content_share": sum(content) / whole if whole > 0 else None}
