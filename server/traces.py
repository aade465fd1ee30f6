"""From a trace request to a recording that is ready to run: the machine, the episode and the header."""

from dataclasses import dataclass

import numpy as np

from ntm_core.machine import Machine
from ntm_core.recording import Recording
from ntm_core.tasks import Episode, Task
from ntm_core.tasks.rows import judged_rows
from ntm_core.trace import Group, TraceHeader, group_size
from server.errors import LimitExceeded, Mismatch
from server.schemas import TraceRequest
from server.settings import Settings
from server.stores.checkpoints import CheckpointInfo, CheckpointStore
from server.stores.machines import MachineCache


@dataclass(frozen=True)
class Recordings:
    """Makes recordings out of what is stored."""

    checkpoints: CheckpointStore
    machines: MachineCache
    settings: Settings

    def machine(self, checkpoint_id: str) -> Machine:
        """The machine of a checkpoint. UnknownCheckpoint, or an error of the core."""
        info = self.checkpoints.info(checkpoint_id)
        return self.machines.get((info.id, info.version), lambda: self.checkpoints.load(info.id).machine())

    def prepare(self, request: TraceRequest) -> Recording:
        """The recording that a request asks for, allocated and not yet run.

        UnknownCheckpoint, Mismatch of task, rows and machine, LimitExceeded, or an error of the core.
        """
        info = self.checkpoints.info(request.checkpoint)
        task = request.task or info.task
        _check_channels(request, info, task)
        self._check_size(request, info, task)
        machine = self.machine(info.id)
        episode, note = _episode(request, info, task)
        given = request.initial_state.model_dump(exclude_none=True) if request.initial_state else {}
        header = TraceHeader.of(
            info.about.config,
            len(episode),
            dtype=info.dtype,
            checkpoint=info.id,
            seed=request.seed if request.inputs is None else None,
            task=None if task is None else task.model_dump(mode="json"),
            task_note=note,
            input_channels=None if task is None else task.input_channels,
            output_channels=None if task is None else task.output_channels,
            phases=episode.phases,
            initial_seed=request.initial_seed,
            initial_given=tuple(given),
        )
        return Recording(machine, episode, header, given)

    def _check_size(self, request: TraceRequest, info: CheckpointInfo, task: Task | None) -> None:
        """LimitExceeded if the trace could be too long or too large, before anything of its size is made."""
        if request.inputs is not None:
            steps, what, field = len(request.inputs), "there are {} input rows", "inputs"
        elif task is not None:
            steps, what, field = task.longest, "an episode of the task can have {} steps", "task"
        else:
            raise Mismatch(
                f"checkpoint {info.id!r} does not say which task it was trained on: name a task or give input rows",
                "task",
            )
        if steps > self.settings.max_steps:
            raise LimitExceeded(f"{what.format(steps)}: the limit is {self.settings.max_steps}", field)
        config = info.about.config
        groups: tuple[Group, ...] = ("episode", "initial", "step")
        number = 8 if info.dtype == "float64" else 4
        size = number * sum(group_size(config, group, steps) for group in groups)
        if size > self.settings.max_trace_bytes:
            raise LimitExceeded(
                f"{what.format(steps)}, a trace of {size} bytes with this machine: "
                f"the limit is {self.settings.max_trace_bytes}",
                field,
            )


def _check_channels(request: TraceRequest, info: CheckpointInfo, task: Task | None) -> None:
    """Mismatch unless task and rows have the channels of the machine."""
    config = info.about.config
    if task is not None and (len(task.input_channels), len(task.output_channels)) != (
        config.input_size,
        config.output_size,
    ):
        raise Mismatch(
            f"task {task.name!r} has {len(task.input_channels)} input and {len(task.output_channels)} output channels "
            f"with these settings, but checkpoint {info.id!r} has {config.input_size} and {config.output_size}",
            "task",
        )
    for step, row in enumerate(request.inputs or ()):
        if len(row) != config.input_size:
            raise Mismatch(
                f"row {step} has {len(row)} numbers, but checkpoint {info.id!r} has {config.input_size} input channels",
                f"inputs.{step}",
            )


def _episode(request: TraceRequest, info: CheckpointInfo, task: Task | None) -> tuple[Episode, str | None]:
    """What the machine is run on, and why nothing is asked of it where rows do not follow the task."""
    if request.inputs is None:
        assert task is not None, "_check_size refuses a request with neither"
        return task.episodes(request.seed), None
    return judged_rows(np.array(request.inputs, info.dtype), task, info.about.config.output_size)
