"""Episodes put together from segments: consecutive rows of one phase."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ntm_core.tasks.base import Rows
from ntm_core.tasks.episode import Episode


class Segment(NamedTuple):
    """Consecutive rows of one phase: inputs (row, batch, input), and targets (row, batch, output) where it asks."""

    phase: str
    inputs: Rows
    targets: Rows | None = None


def joined(segments: Sequence[Segment], outputs: int, phases: tuple[str, ...]) -> Episode:
    """The episode of these segments: what they ask counts, and every channel of it."""
    inputs = np.concatenate([segment.inputs for segment in segments])
    targets = np.zeros((*inputs.shape[:2], outputs), np.float32)
    mask = np.zeros(inputs.shape[:2], np.float32)
    sizes = [len(segment.inputs) for segment in segments]
    phase = np.repeat(np.array([phases.index(segment.phase) for segment in segments], np.int64), sizes)
    start = 0
    for segment, size in zip(segments, sizes, strict=True):
        if segment.targets is not None:
            targets[start : start + size] = segment.targets
            mask[start : start + size] = 1
        start += size
    return Episode(inputs, targets, mask, phase, phases)


def marked(batch: int, channels: int, values: Mapping[int, Any]) -> Rows:
    """One row, all zeros but for these values by channel; a value is a number or (batch,)."""
    row = np.zeros((1, batch, channels), np.float32)
    for channel, value in values.items():
        row[0, :, channel] = value
    return row


def widened(rows: Rows, channels: int) -> Rows:
    """The rows with channels of zeros after their own."""
    wide = np.zeros((*rows.shape[:2], channels), np.float32)
    wide[..., : rows.shape[2]] = rows
    return wide


def blank(count: int, batch: int, channels: int) -> Rows:
    """Rows of zeros."""
    return np.zeros((count, batch, channels), np.float32)
