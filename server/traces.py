"""From a trace request to a recording that is ready to run, or to its trace: machine, episode, header and sources."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ntm_core.interventions import Intervention, expanded
from ntm_core.machine import Machine
from ntm_core.recording import Recording
from ntm_core.tasks import Episode, Task
from ntm_core.tasks.rows import judged_rows
from ntm_core.trace import Group, Trace, TraceHeader, group_size
from ntm_core.trace_file import MAX_HEADER_BYTES
from server.errors import LimitExceeded, Mismatch
from server.schemas import SourceRequest, TraceRequest
from server.settings import Settings
from server.stores.checkpoints import CheckpointInfo, CheckpointStore
from server.stores.machines import MachineCache
from server.stores.recorded import RunKey, TraceCache

Check = Callable[[], None]
"""What a computation calls now and then, and what raises if it is to stop."""


def _go_on() -> None:
    """Nothing."""


class KeptRecording(Recording):
    """A recording whose finished trace is kept for later requests."""

    def __init__(self, keep: Callable[[Trace], None], *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._keep = keep

    def trace(self) -> Trace:
        """The finished trace; another object is kept, since a trace keeps all memories that it is once asked for."""
        trace = super().trace()
        self._keep(replace(trace))
        return trace


@dataclass(frozen=True)
class _Plan:
    """What a request comes to: all that a recording takes, and what decides its numbers."""

    machine: Machine
    episode: Episode
    header: TraceHeader
    given: dict[str, Any]
    sources: Mapping[str, Trace]
    key: RunKey


@dataclass(frozen=True)
class Recordings:
    """Makes recordings and traces out of what is stored. Any thread may call it."""

    checkpoints: CheckpointStore
    machines: MachineCache
    settings: Settings
    cache: TraceCache

    def machine(self, checkpoint_id: str) -> Machine:
        """The machine of a checkpoint. UnknownCheckpoint, or an error of the core."""
        info = self.checkpoints.info(checkpoint_id)
        return self.machines.get((info.id, info.version), lambda: self.checkpoints.load(info.id).machine())

    def prepare(self, request: SourceRequest, check: Check = _go_on) -> Recording:
        """The recording that a request asks for, allocated and not yet run.

        It resumes from the kept trace that is alike for the most steps; its own is kept once it is finished.
        UnknownCheckpoint, Mismatch of task, rows and machine, LimitExceeded, or an error of the core; `check` is called
        while sources are computed.
        """
        return self._recording(self._plan(request, check))

    def trace(self, request: SourceRequest, check: Check = _go_on) -> Trace:
        """The finished trace that a request asks for, computed as far as it is not kept; refusals as in `prepare`."""
        return self._finished(self._plan(request, check), check)

    def _recording(self, plan: _Plan) -> Recording:
        start = self.cache.longest_start(plan.key)
        return KeptRecording(
            partial(self.cache.put, plan.key),
            plan.machine,
            plan.episode,
            plan.header,
            plan.given,
            sources=plan.sources,
            resume=None if start is None else (replace(start[0]), start[1]),
        )

    def _finished(self, plan: _Plan, check: Check) -> Trace:
        kept = self.cache.get(plan.key)
        if kept is not None and kept.header == plan.header:
            return replace(kept)
        recording = self._recording(plan)
        for _ in recording.run():
            check()
        return recording.trace()

    def _plan(self, request: SourceRequest, check: Check) -> _Plan:
        info = self.checkpoints.info(request.checkpoint)
        task = request.task or info.task
        _check_channels(request, info, task)
        interventions = expanded(request.mode, request.interventions)
        self._check_size(request, info, task, interventions)
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
            mode=request.mode,
            interventions=interventions,
            leave_constraints=request.leave_constraints,
        )
        _check_header(header)
        asked = request.sources if isinstance(request, TraceRequest) else {}
        plans = {name: self._plan(source, check) for name, source in asked.items()}
        sources = {name: self._finished(plan, check) for name, plan in plans.items()}
        program = _with_keys(interventions, {name: plan.key for name, plan in plans.items()})
        return _Plan(machine, episode, header, given, sources, RunKey(_family(info, header, episode, given), program))

    def _check_size(
        self,
        request: SourceRequest,
        info: CheckpointInfo,
        task: Task | None,
        interventions: tuple[Intervention, ...],
    ) -> None:
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
        size = number * sum(group_size(config, group, steps, interventions) for group in groups)
        if size > self.settings.max_trace_bytes:
            raise LimitExceeded(
                f"{what.format(steps)}, a trace of {size} bytes with this machine: "
                f"the limit is {self.settings.max_trace_bytes}",
                field,
            )


def _check_header(header: TraceHeader) -> None:
    """LimitExceeded if the interventions make the header longer than a reader takes."""
    size = len(header.model_dump_json().encode())
    if size > MAX_HEADER_BYTES:
        raise LimitExceeded(
            f"with these interventions the trace's header has {size} bytes: the limit is {MAX_HEADER_BYTES}",
            "interventions",
        )


def _family(info: CheckpointInfo, header: TraceHeader, episode: Episode, given: Mapping[str, Any]) -> str:
    """What decides the numbers of a run, but for its interventions: another text for another run."""
    about = header.model_dump_json(exclude={"mode", "interventions", "leave_constraints", "fields"})
    digest = hashlib.sha256(json.dumps([info.id, info.version, about, given]).encode())
    for array in (episode.inputs, episode.targets, episode.mask, episode.phase):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _with_keys(interventions: tuple[Intervention, ...], keys: Mapping[str, RunKey]) -> tuple[Intervention, ...]:
    """The interventions with each source named by what decides its numbers, beside its own name."""

    def named(asked: Intervention) -> Intervention:
        key = keys.get(asked.source or "")
        if key is None:
            return asked
        program = json.dumps([other.model_dump(mode="json") for other in key.program])
        digest = hashlib.sha256(f"{key.family} {program}".encode()).hexdigest()
        return asked.model_copy(update={"source": f"{asked.source} {digest}"})

    return tuple(named(asked) for asked in interventions)


def _check_channels(request: SourceRequest, info: CheckpointInfo, task: Task | None) -> None:
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


def _episode(request: SourceRequest, info: CheckpointInfo, task: Task | None) -> tuple[Episode, str | None]:
    """What the machine is run on, and why nothing is asked of it where rows do not follow the task."""
    if request.inputs is None:
        assert task is not None, "_check_size refuses a request with neither"
        return task.episodes(request.seed), None
    return judged_rows(np.array(request.inputs, info.dtype), task, info.about.config.output_size)
