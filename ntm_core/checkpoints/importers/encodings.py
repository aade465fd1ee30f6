"""The rows in which a model was trained to see its task: a task of ours with settings, under a name of its own."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ntm_core.errors import TaskError
from ntm_core.tasks import Episode, Task, parse_task


@dataclass(frozen=True)
class Encoding:
    """How one task is laid out in rows and channels.

    Attributes:
        name: a short name, unique among the encodings of a candidate.
        task: the task that makes such rows.
    """

    name: str
    task: Task

    @classmethod
    def ours(cls, settings: Mapping[str, Any], name: str | None = None) -> "Encoding":
        """The encoding of a task with these settings, under the task's name or another one."""
        return cls(name or settings["name"], parse_task(settings))

    @property
    def settings(self) -> dict[str, Any]:
        """The task as JSON data."""
        return self.task.model_dump(mode="json")

    def about(self) -> dict[str, Any]:
        """What it is, as JSON data."""
        layout = (inspect.getdoc(type(self.task)) or "").partition("\n")[0]
        return {
            "name": self.name,
            "title": self.task.title,
            "layout": layout,
            "input_channels": list(self.task.input_channels),
            "output_channels": list(self.task.output_channels),
            "settings": self.settings,
        }

    def episodes(self, seed: int | tuple[int, ...], batch: int = 1) -> Episode:
        """A batch of random sequences of one length; the same seed gives the same rows."""
        return self.task.episodes(seed, batch)


def encodings(asked: Mapping[str, Mapping[str, Any]]) -> tuple[Encoding, ...]:
    """The encodings of these tasks by name, in their order, without those whose settings no task of ours can have."""
    found = []
    for name, settings in asked.items():
        try:
            found.append(Encoding.ours(settings, name))
        except TaskError:
            continue
    return tuple(found)


def copy_layout(layout: str, bits: int, longest: int, answer: str = "copy") -> dict[str, Any]:
    """The settings of copying with other flags."""
    return {"name": "copy_layout", "layout": layout, "answer": answer, "bits": bits, "lengths": (1, longest)}


def repeat_layout(layout: str, bits: int, longest: int = 10, **settings: Any) -> dict[str, Any]:
    """The settings of repeated copying with other flags, of at most as many repeats as vectors."""
    ranges = {"lengths": (1, longest), "repeats": (1, longest)}
    return {"name": "repeat_copy_layout", "layout": layout, "bits": bits, **ranges, **settings}
