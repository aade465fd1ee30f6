"""What every task answers, and the rules that all of them share: seeds, bounds, and how typed rows are judged."""

import operator
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ntm_core.config import describe_validation_error
from ntm_core.errors import TaskError
from ntm_core.tasks.episode import Episode, Floats, loss_bits, wrong_bits

MAX_STEPS = 100_000
"""The longest episode that a task makes or interprets."""

MAX_BATCH = 65_536
"""The largest number of sequences in one episode."""

Rows = NDArray[np.float32]
Count = Annotated[int, Field(ge=1, le=MAX_STEPS)]


def _ordered(limits: tuple[int, int]) -> tuple[int, int]:
    if limits[0] > limits[1]:
        raise ValueError(f"the smallest, {limits[0]}, must not exceed the largest, {limits[1]}")
    return limits


Range = Annotated[tuple[Count, Count], AfterValidator(_ordered)]
"""The smallest and the largest value of a number drawn uniformly for each episode."""


class TaskBase(BaseModel, ABC):
    """A task with its settings: frozen, validated, the same in Python and in JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: ClassVar[str]
    description: ClassVar[str]
    look_for: ClassVar[str]
    phases: ClassVar[tuple[str, ...]]
    evaluation_lengths: ClassVar[tuple[int, ...]]
    metric: ClassVar[str] = "wrong bits"
    unit: ClassVar[str] = "bits per sequence"

    @property
    @abstractmethod
    def input_channels(self) -> tuple[str, ...]:
        """The name of each input channel, in order."""

    @property
    @abstractmethod
    def output_channels(self) -> tuple[str, ...]:
        """The name of each output channel, in order."""

    @property
    @abstractmethod
    def longest(self) -> int:
        """The largest number of steps that an episode of this task can have."""

    @abstractmethod
    def of_length(self, length: int) -> Self:
        """The same task with its length-like setting fixed. TaskError if the length is out of bounds."""

    @abstractmethod
    def _draw(self, random: np.random.RandomState, batch: int) -> Episode:
        """A batch of random sequences of one length."""

    @abstractmethod
    def _interpret(self, rows: Rows) -> Episode:
        """The episode whose inputs these (step, input) rows are meant to be; TaskError where they cannot be."""

    def episodes(self, seed: int | tuple[int, ...], batch: int = 1) -> Episode:
        """A batch of random sequences of one length; the same seed gives the same bits on every platform.

        `seed` is one whole number of 0 … 2^32 - 1, or a tuple of several. TaskError for another seed, or a batch out of
        bounds.
        """
        size = _whole(batch)
        if size is None or not 1 <= size <= MAX_BATCH:
            raise TaskError(f"batch is {batch!r}: it must be a whole number of 1 … {MAX_BATCH}")
        random = _seeded(seed)
        episode = self._draw(random, size)
        _generators.append(random)
        return episode

    def with_settings(self, **settings: Any) -> Self:
        """The same task with some settings replaced, all validated again. TaskError names the value and the rule."""
        try:
            return type(self)(**{**self.model_dump(), **settings})
        except ValidationError as error:
            raise TaskError(describe_validation_error(error)) from None

    def interpret(self, inputs: ArrayLike) -> Episode:
        """The episode, with a batch of one, that has these (step, input) rows as inputs: targets, mask and phases.

        TaskError names the row, counted from 0, and the rule, if the rows do not follow the layout of the task.
        """
        rows = _rows(inputs, self.input_channels)
        episode = self._interpret(rows)
        self._refuse_difference(rows, episode)
        return episode

    def wrong_bits(self, episode: Episode, probabilities: Floats) -> NDArray[np.float64]:
        """How many asked bits of each sequence lie on the wrong side of 0.5: (batch,)."""
        return wrong_bits(episode, probabilities)

    def measure(self, episode: Episode, logits: Floats) -> NDArray[np.float64]:
        """The task's own `metric` for each sequence, in its `unit`: (batch,); 0 is perfect."""
        return wrong_bits(episode, (logits > 0).astype(np.float32))

    def loss_bits(self, episode: Episode, logits: Floats) -> NDArray[np.float64]:
        """The binary cross entropy of the asked bits of each sequence, in bits: (batch,)."""
        return loss_bits(episode, logits)

    @model_validator(mode="after")
    def _not_too_long(self) -> Self:
        if self.longest > MAX_STEPS:
            raise ValueError(f"an episode could have {self.longest} steps; at most {MAX_STEPS} are allowed")
        return self

    def _refuse_difference(self, rows: Rows, episode: Episode) -> None:
        """TaskError at the first number that differs from the inputs that the layout asks for."""
        expected = episode.inputs[:, 0]
        different = np.argwhere(~np.isclose(rows, expected, rtol=0, atol=1e-3))
        if len(different):
            step, channel = different[0]
            raise TaskError(
                f"row {step}, channel '{self.input_channels[channel]}' is {rows[step, channel]:g}: it must be "
                f"{expected[step, channel]:g}, since row {step} is a row of the phase "
                f"'{episode.phases[episode.phase[step]]}'"
            )


def bit_channels(bits: int) -> tuple[str, ...]:
    """The names "bit 0", "bit 1" and so on."""
    return tuple(f"bit {index}" for index in range(bits))


def random_bits(random: np.random.RandomState, *shape: int) -> Rows:
    """Fair coins, float32 of this shape."""
    return random.randint(0, 2, shape, dtype=np.uint8).astype(np.float32)


def random_number(random: np.random.RandomState, limits: tuple[int, int]) -> int:
    """A whole number drawn uniformly from the smallest to the largest, both included."""
    return int(random.randint(limits[0], limits[1] + 1, dtype=np.int64))


def constant_phases(*lengths: int) -> NDArray[np.int64]:
    """The (step,) phase indices of an episode whose phases follow one another with these lengths."""
    return np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)


def require_bits(rows: Rows, channels: Sequence[str], first_row: int) -> None:
    """TaskError naming row and channel unless each number is 0 or 1; `first_row` is the number of the first row."""
    bad = np.argwhere((rows != 0) & (rows != 1))
    if len(bad):
        step, channel = bad[0]
        raise TaskError(
            f"row {first_row + step}, channel '{channels[channel]}' is {rows[step, channel]:g}: a bit must be 0 or 1"
        )


def delimiter_row(rows: Rows, channel: int, name: str, before: str) -> int:
    """The first row whose delimiter channel is not 0; TaskError if there is none, or if no row is before it."""
    marked = np.flatnonzero(rows[:, channel])
    if not len(marked):
        raise TaskError(f"none of the {len(rows)} rows has a 1 in channel '{name}': one row must end the {before}")
    if marked[0] == 0:
        raise TaskError(f"row 0, channel '{name}' is {rows[0, channel]:g}: at least one row of {before} must be before")
    return int(marked[0])


_generators: deque[np.random.RandomState] = deque(maxlen=8)
"""Generators that nobody uses: a new one first draws a seed of its own, which takes ten times as long."""


def _seeded(seed: int | tuple[int, ...]) -> np.random.RandomState:
    """A generator of this seed. NumPy has frozen the streams of RandomState (its NEP 19)."""
    parts = [_whole(part) for part in (seed if isinstance(seed, tuple) else (seed,))]
    if not parts or not all(part is not None and 0 <= part < 2**32 for part in parts):
        raise TaskError(
            f"seed is {seed!r}: it must be one or several whole numbers of 0 … {2**32 - 1}, several as a tuple"
        )
    try:
        random = _generators.pop()
    except IndexError:
        random = np.random.RandomState()
    random.seed(np.array(parts, dtype=np.uint32))
    return random


def _whole(number: object) -> int | None:
    """A whole number, also one of numpy's, as Python's own; None for anything else."""
    try:
        return operator.index(number)  # type: ignore[arg-type]  # it asks
    except TypeError:
        return None


def _rows(inputs: ArrayLike, channels: Sequence[str]) -> Rows:
    try:
        rows = np.asarray(inputs, dtype=np.float32)
    except (ValueError, TypeError):
        raise TaskError(f"the rows are not numbers in {len(channels)} equal columns") from None
    if rows.ndim != 2 or rows.shape[1] != len(channels):
        raise TaskError(
            f"the rows have shape {rows.shape}: each row must have {len(channels)} numbers ({', '.join(channels)})"
        )
    if not 1 <= len(rows) <= MAX_STEPS:
        raise TaskError(f"there are {len(rows)} rows: there must be 1 … {MAX_STEPS}")
    if not np.isfinite(rows).all():
        step, channel = np.argwhere(~np.isfinite(rows))[0]
        raise TaskError(f"row {step}, channel '{channels[channel]}' is {rows[step, channel]:g}: it must be finite")
    return rows
