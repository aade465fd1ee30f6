"""From a trace request to a recording that is ready to run, or to its trace: machine, episode, header and sources."""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ntm_core.interventions import Intervention, expanded
from ntm_core.machine import Machine, is_warm
from ntm_core.recording import Recording
from ntm_core.tasks import Episode, Task
from ntm_core.tasks.rows import judged_rows
from ntm_core.trace import Group, Trace, TraceHeader, group_size
from ntm_core.trace_file import MAX_HEADER_BYTES
from server.coded_steps import Position
from server.errors import LimitExceeded, Mismatch
from server.schemas import SourceRequest, TraceRequest
from server.settings import Settings
from server.stores.checkpoints import CheckpointInfo, CheckpointStore
from server.stores.machines import MachineCache
from server.stores.recorded import Frame, RunKey, Start, TraceCache

Check = Callable[[], None]
"""What a computation calls now and then, and what raises if it is to stop."""


Reserve = Callable[[int], None]
"""What is told how many bytes will be taken, and what raises if there is no room for them."""


def _go_on() -> None:
    """Nothing."""


def _no_matter(_size: int) -> None:
    """Nothing."""


class KeptRecording(Recording):
    """A recording whose finished trace is kept for later requests.

    Attributes:
        name: that of its run.
        kept: whether the whole run was known.
        frames: the first of its steps as they travel, as far as they are those of the run from which it goes on.
    """

    def __init__(self, cache: TraceCache, key: RunKey, begun: Start | None, *arguments: Any, **named: Any) -> None:
        """A recording that goes on from what was begun, if there is anything."""
        resume = None if begun is None else (replace(begun.trace), begun.steps)
        super().__init__(*arguments, **named, resume=resume)
        self._cache, self._key, self._begun = cache, key, begun
        self.name, self.kept = key.name, False
        self.frames = () if begun is None or begun.trace.records.dtype != self.records.dtype else _whole(begun)

    def trace(self) -> Trace:
        """The finished trace; another object is kept, since a trace keeps all memories that it is once asked for."""
        trace = super().trace()
        self._cache.put(self._key, replace(trace))
        return trace

    def position_after(self, steps: int) -> Position:
        """Where the stream is after so many of the steps that were known from before."""
        return Position.at_start(self.initial) if self._begun is None else Position.after(self._begun.trace, steps)

    def keep_frames(self, frames: Sequence[Frame]) -> None:
        """Keep the steps of the finished trace as they travel."""
        self._cache.keep_frames(self._key, frames)


def _whole(begun: Start) -> tuple[Frame, ...]:
    """The first frames that hold no other steps than those that are shared."""
    ends = itertools.accumulate(steps for steps, _ in begun.frames)
    return tuple(frame for frame, end in zip(begun.frames, ends, strict=True) if end <= begun.steps)


class KnownRecording:
    """Stands for the recording of a trace that is known from before: no step of it is computed.

    Attributes:
        name: that of its run.
        kept: whether the whole run was known.
        frames: the steps as they travel, if they are known too; else none.
    """

    may_be_refused = False
    computed = 0

    def __init__(self, cache: TraceCache, key: RunKey, trace: Trace) -> None:
        self._cache, self._key, self._trace = cache, key, trace
        self.name, self.kept, self.frames = key.name, True, cache.frames(key)
        self.header, self.episode, self.initial, self.records = (
            trace.header,
            trace.episode,
            trace.initial,
            trace.records,
        )

    def run(self) -> Iterator[int]:
        """The index of the last step."""
        yield len(self._trace) - 1

    def trace(self) -> Trace:
        """The trace."""
        return self._trace

    def position_after(self, steps: int) -> Position:
        """Where the stream is after so many steps."""
        return Position.after(self._trace, steps)

    def keep_frames(self, frames: Sequence[Frame]) -> None:
        """Keep the steps as they travel."""
        self._cache.keep_frames(self._key, frames)


@dataclass(frozen=True)
class Plan:
    """What a request comes to: all that a recording takes, and what decides its numbers.

    Attributes:
        header: of the trace.
        sources: the runs from which interventions take, by name.
        size: bytes of the trace, without those of the sources.
    """

    machine: Machine
    episode: Episode
    header: TraceHeader
    given: dict[str, Any]
    sources: Mapping[str, "Plan"]
    key: RunKey
    size: int


@dataclass(frozen=True)
class Recordings:
    """Makes recordings and traces out of what is stored. Any thread may call it.

    The compiled core computes what it can once it is warm, but for runs that differ by their interventions alone from
    one that is kept and was computed step by step: those can then be compared to the last bit.
    """

    checkpoints: CheckpointStore
    machines: MachineCache
    settings: Settings
    cache: TraceCache

    def machine(self, checkpoint_id: str) -> Machine:
        """The machine of a checkpoint. UnknownCheckpoint, or an error of the core."""
        info = self.checkpoints.info(checkpoint_id)
        return self.machines.get((info.id, info.version), lambda: self.checkpoints.load(info.id).machine())

    def prepare(
        self, request: SourceRequest, check: Check = _go_on, reserve: Reserve = _no_matter
    ) -> KeptRecording | KnownRecording:
        """The recording that a request asks for, allocated and not yet run.

        It resumes from the kept trace that is alike for the most steps; its own is kept once it is finished.
        UnknownCheckpoint, Mismatch of task, rows and machine, LimitExceeded, or an error of the core; `check` is called
        while sources are computed, `reserve` with the bytes of all that is not kept before any of it is computed.
        """
        plan = self.plan(request)
        known = self._known(plan)
        if known is not None:
            return KnownRecording(self.cache, plan.key, known)
        reserve(self.bytes_of(plan))
        return self._recording(plan, check)

    def bytes_of(self, plan: Plan) -> int:
        """How many bytes will be taken for a trace and its sources; none for what is kept."""
        if self._known(plan) is not None:
            return 0
        return plan.size + sum(self.bytes_of(source) for source in plan.sources.values())

    def finished(self, plan: Plan, check: Check = _go_on) -> Trace:
        """The trace of a plan, computed as far as it is not kept."""
        known = self._known(plan)
        if known is not None:
            return known
        recording = self._recording(plan, check)
        for _ in recording.run():
            check()
        return recording.trace()

    def _known(self, plan: Plan) -> Trace | None:
        """The trace itself, if it is kept."""
        kept = self.cache.get(plan.key)
        return replace(kept) if kept is not None and kept.header == plan.header else None

    def _recording(self, plan: Plan, check: Check) -> KeptRecording:
        sources = {name: self.finished(source, check) for name, source in plan.sources.items()}
        return KeptRecording(
            self.cache,
            plan.key,
            self.cache.longest_start(plan.key),
            plan.machine,
            plan.episode,
            plan.header,
            plan.given,
            sources=sources,
        )

    def plan(self, request: SourceRequest) -> Plan:
        """What a request comes to, before anything of it is computed; refusals as in `prepare`."""
        info = self.checkpoints.info(request.checkpoint)
        task = request.task or info.task
        _check_channels(request, info, task)
        interventions = expanded(request.mode, request.interventions)
        size = self._checked_size(request, info, task, interventions)
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
        runs = _family(info, header, episode, given)
        if machine.usable_core() == "compiled" and is_warm() and not self.cache.knows(f"eager {runs}"):
            header = header.model_copy(update={"core": "compiled"})
        _check_header(header)
        asked = request.sources if isinstance(request, TraceRequest) else {}
        sources = {name: self.plan(source) for name, source in asked.items()}
        program = _with_keys(interventions, {name: plan.key for name, plan in sources.items()})
        key = RunKey(f"{header.core} {runs}", program)
        return Plan(machine, episode, header, given, sources, key, size)

    def _checked_size(
        self,
        request: SourceRequest,
        info: CheckpointInfo,
        task: Task | None,
        interventions: tuple[Intervention, ...],
    ) -> int:
        """How many bytes the trace can have; LimitExceeded if it could be too long or too large."""
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
        return size


def _check_header(header: TraceHeader) -> None:
    """LimitExceeded if the interventions make the header longer than a reader takes."""
    size = len(header.model_dump_json().encode())
    if size > MAX_HEADER_BYTES:
        raise LimitExceeded(
            f"with these interventions the trace's header has {size} bytes: the limit is {MAX_HEADER_BYTES}",
            "interventions",
        )


def _family(info: CheckpointInfo, header: TraceHeader, episode: Episode, given: Mapping[str, Any]) -> str:
    """What decides the numbers of a run, but for its interventions and its core: another text for another run."""
    about = header.model_dump_json(exclude={"mode", "interventions", "leave_constraints", "core", "fields"})
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
        return asked.model_copy(update={"source": f"{asked.source} {key.name}"})

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
        assert task is not None, "_checked_size refuses a request with neither"
        return task.episodes(request.seed), None
    return judged_rows(np.array(request.inputs, info.dtype), task, info.about.config.output_size)
