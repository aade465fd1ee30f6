"""The rows in which a model was trained to see its task: a task of ours, or a layout of its own.

An `Encoding` makes episodes, so that a model of it can be tried at once. One that a task of ours makes too carries that
task's settings; the others say in a sentence what their rows are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ntm_core.tasks import Episode, TaskBase, parse_task
from ntm_core.tasks.base import Rows


class Segment(NamedTuple):
    """Consecutive rows of one phase: inputs (row, batch, input), and targets (row, batch, output) where it asks."""

    phase: str
    inputs: Rows
    targets: Rows | None = None


Make = Callable[[np.random.RandomState, int], Sequence[Segment]]


@dataclass(frozen=True, eq=False)
class Encoding:
    """How one task is laid out in rows and channels.

    Attributes:
        name: a short name, unique among the encodings of a candidate.
        title: what is asked of the machine.
        layout: the rows of a sequence, in a sentence.
        input_channels, output_channels: the name of each channel.
        settings: the settings of the task of ours that makes the same rows; None if there is none.
        make: the segments of a batch of random sequences of one length, for layouts of their own.
    """

    name: str
    title: str
    layout: str
    input_channels: tuple[str, ...]
    output_channels: tuple[str, ...]
    settings: dict[str, Any] | None = None
    make: Make | None = None

    @classmethod
    def ours(cls, settings: Mapping[str, Any]) -> "Encoding":
        """The encoding of a task of ours with these settings."""
        task: TaskBase = parse_task(settings)
        layout = (type(task).__doc__ or "").split("\n", 1)[0]
        return cls(settings["name"], task.title, layout, task.input_channels, task.output_channels, dict(settings))

    def about(self) -> dict[str, Any]:
        """What it is, as JSON data."""
        names = ("name", "title", "layout", "input_channels", "output_channels", "settings")
        return {name: getattr(self, name) for name in names}

    def episodes(self, seed: int | tuple[int, ...], batch: int = 1) -> Episode:
        """A batch of random sequences of one length; the same seed gives the same rows."""
        if self.make is None:
            task: TaskBase = parse_task(self.settings)
            return task.episodes(seed, batch)
        random = np.random.RandomState(np.array(seed if isinstance(seed, tuple) else (seed,), np.uint32))
        return joined(self.make(random, batch), len(self.output_channels))


def joined(segments: Sequence[Segment], outputs: int) -> Episode:
    """The episode of these segments: what they ask counts, and every channel of it."""
    phases = tuple(dict.fromkeys(segment.phase for segment in segments))
    inputs = np.concatenate([segment.inputs for segment in segments])
    targets = np.zeros((*inputs.shape[:2], outputs), np.float32)
    mask = np.zeros(inputs.shape[:2], np.float32)
    phase = np.repeat(
        np.array([phases.index(segment.phase) for segment in segments], np.int64),
        [len(segment.inputs) for segment in segments],
    )
    start = 0
    for segment in segments:
        stop = start + len(segment.inputs)
        if segment.targets is not None:
            targets[start:stop] = segment.targets
            mask[start:stop] = 1
        start = stop
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
