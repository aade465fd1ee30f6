"""Recording: the machine's own loop over steps, each result copied into one preallocated array of step records."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ntm_core.controllers import ControllerState
from ntm_core.errors import TraceError
from ntm_core.interventions import Editor, Intervention, Violation, first_difference, may_violate, refuse
from ntm_core.machine import Machine, MachineState, StepResult
from ntm_core.tasks.episode import Episode
from ntm_core.trace import Array, DType, Trace, TraceHeader, check_episode

_LANDMARK_STEPS = 64
_RECORDS_OF_A_LANDMARK = 8
"""A memory is kept every so many steps, or every so many times its own size of records, where that is more."""

_DTYPES: dict[torch.dtype, DType] = {torch.float32: "float32", torch.float64: "float64"}


class Recording:
    """One machine's run over one episode, while it happens.

    `run()` yields the index of the last step whose record is complete in `records`, each time that there are more;
    after the last, `trace()` is the finished trace. The compiled core computes steps in blocks, eager mode one by one.
    The header says which computes; outputs equal those of `Machine.forward` with the same core, bit for bit.

    Attributes:
        violation: the first constraint that an intervention has left so far.
    """

    def __init__(
        self,
        machine: Machine,
        episode: Episode,
        header: TraceHeader | None = None,
        initial: Mapping[str, ArrayLike] | None = None,
        *,
        interventions: Sequence[Intervention] | None = None,
        sources: Mapping[str, Trace] | None = None,
        resume: tuple[Trace, int] | None = None,
    ) -> None:
        """Allocate all records; `TraceError` if episode, initial state and machine do not fit.

        Without a header the machine computes with the core that its `forward` uses. `initial` gives parts of the state
        before step 1 (see `Machine.state_of`); the header's `initial_seed` decides what the machine draws anew for each
        episode. `interventions` are those of the header unless there is none; they take from `sources`, and
        `InterventionError` says which cannot be made. `resume` is a trace of the same machine, core, rows and
        interventions until before the step that it names: those steps are copied, not computed.
        """
        self.machine = machine
        self.header = _checked_header(machine, episode, header, tuple(initial or ()), interventions)
        self.violation: Violation | None = None
        self._editor = self._make_editor(sources or {})
        self.episode = _episode_record(episode, self.header)
        with torch.inference_mode():
            self._start = machine.state_of(initial or {}, self.header.initial_seed)
        self.initial = _initial_record(self._start, self.header)
        self.records = np.zeros(self.header.steps, self.header.record_dtype("step"))
        self._rows = torch.from_numpy(self.episode["inputs"].copy()).unsqueeze(1)
        self._edits = [self._editor.at(step) for step in range(len(self._rows))] if self._editor else []
        self.episode["inputs"] = self._shown()
        self._landmarks: dict[int, Array] = {}
        self._apart = _steps_between_landmarks(self.header, self.records)
        self._complete = 0
        if resume is not None:
            self._resume(*resume)
        self._known = self._complete

    @property
    def computed(self) -> int:
        """How many steps the machine has computed; steps that another trace already held are not among them."""
        return self._complete - self._known

    @property
    def may_be_refused(self) -> bool:
        """Whether only the run can tell if an intervention leaves a constraint that must be kept."""
        header = self.header
        return not header.leave_constraints and may_violate(header.config, header.interventions)

    def run(self) -> Iterator[int]:
        """The index of the last step that is computed and recorded, each time that there are more."""
        if self._complete:
            yield self._complete - 1
        for complete in self._compiled() if self.header.core == "compiled" else self._eager():
            self._complete = complete
            yield complete - 1

    def _compiled(self) -> Iterator[int]:
        """How many steps the compiled core has computed and recorded: blocks of them, and those with edits in parts."""
        from ntm_core.compiled.edited_step import changes_more_than_inputs, compute_edited  # noqa: PLC0415  # numba

        config, steps, done = self.header.config, len(self.records), self._complete
        run = self.machine.recorded_run(torch.from_numpy(self.episode["inputs"]), self._start, self.records)
        edited = {step: edit for step, edit in enumerate(self._edits) if edit and changes_more_than_inputs(edit)}
        ends = [*edited, steps]
        while done < steps:
            if done in edited:
                compute_edited(run, done, edited[done], config.read_heads)
                done += 1
            else:
                landmark = (done // self._apart + 1) * self._apart
                first, done = done, min(done + run.steps_of_a_block, landmark, ends[bisect_right(ends, done)])
                run.compute(first, done)
            if done % self._apart == 0:
                self._keep(done, run.quantity("memory"))
            yield done

    @torch.inference_mode()
    def _eager(self) -> Iterator[int]:
        """How many steps PyTorch has computed and recorded, one by one."""
        rows = torch.from_numpy(self.records.view(self.header.dtype).reshape(len(self.records), -1))
        first = self._complete
        results = self.machine.run(self._rows[first:], self._start, self._editor, first)
        for step, result in enumerate(results, start=first):
            tensors = _step_tensors(result)
            torch.cat([tensors[name].flatten() for name in self.records.dtype.names or ()], out=rows[step])
            if (step + 1) % self._apart == 0:
                self._keep(step + 1, result.state.memory)
            yield step + 1

    def _keep(self, steps: int, memory: Tensor) -> None:
        """Keep the memory after so many steps, (1, location, word)."""
        self._landmarks[steps] = memory[0].numpy().copy(order="C")

    def trace(self) -> Trace:
        """The finished trace; `TraceError` before `run()` has been exhausted."""
        if self._complete < len(self.records):
            raise TraceError(f"the recording is at step {self._complete} of {len(self.records)}: it has no trace yet")
        return Trace(self.header, self.episode, self.initial, self.records, self.violation, self._landmarks)

    def _make_editor(self, sources: Mapping[str, Trace]) -> Editor | None:
        """The editor that makes the header's interventions; None if there are none."""
        header = self.header
        if not header.interventions:
            return None
        report = self._note if header.leave_constraints else refuse
        return Editor(header.config, header.interventions, sources, steps=header.steps, on_violation=report)

    def _note(self, violation: Violation) -> None:
        """Keep the violation of the earliest step."""
        if self.violation is None or violation.step < self.violation.step:
            self.violation = violation

    def _shown(self) -> Array:
        """The rows as the machine is shown them, (step, input): after interventions."""
        if not self._edits:
            return self.episode["inputs"]
        shown = self._rows.clone()
        for step, editor in enumerate(self._edits):
            if editor is not None:
                shown[step] = editor.edit("inputs", self._rows[step])
        return shown[:, 0].numpy()

    def _resume(self, other: Trace, step: int) -> None:
        """Copy the steps before this one from another trace, and go on from the state that it holds."""
        _require_same_start(self, other, step)
        if other.violation is not None and other.violation.step < step:
            (self._note if self.header.leave_constraints else refuse)(other.violation)
        if self.records.dtype == other.records.dtype:
            self.records[:step] = other.records[:step]
            self._landmarks = {steps: memory for steps, memory in other.landmarks.items() if steps <= step}
        else:
            for name in self.records.dtype.names or ():
                self.records[name][:step] = (other.found_memory if name == "memory_found" else other[name])[:step]
        if step:
            self._start = state_after(other, step)
        self._complete = step


def _steps_between_landmarks(header: TraceHeader, records: Array) -> int:
    """How many steps apart memories are kept; more than there are, where each record has its own."""
    if "memory_found" in (records.dtype.names or ()):
        return len(records) + 1
    memory = header.config.memory_size * header.config.word_size * np.dtype(header.dtype).itemsize
    return max(_LANDMARK_STEPS, _RECORDS_OF_A_LANDMARK * memory // records.dtype.itemsize)


def _checked_header(
    machine: Machine,
    episode: Episode,
    header: TraceHeader | None,
    given: tuple[str, ...],
    interventions: Sequence[Intervention] | None,
) -> TraceHeader:
    """The header, made if there is none; TraceError if it, the episode and the machine do not fit."""
    config, steps = machine.config, len(episode)
    _require_fitting(episode, machine)
    if not machine.output.weight.is_cpu:
        raise TraceError(
            f"the machine is on {machine.output.weight.device}: move it to the CPU, where traces are recorded"
        )
    dtype = _DTYPES.get(machine.output.weight.dtype)
    if dtype is None:
        name = str(machine.output.weight.dtype).removeprefix("torch.")
        raise TraceError(f"the machine computes in {name}: a trace holds float32 or float64")
    asked, core = tuple(interventions or ()), machine.usable_core()
    header = header or TraceHeader.of(
        config,
        steps,
        dtype=dtype,
        phases=episode.phases,
        initial_given=given,
        interventions=asked,
        core=core,
    )
    if (header.steps, header.dtype) != (steps, dtype):
        raise TraceError(f"the header says {header.steps} steps in {header.dtype}, but the run has {steps} in {dtype}")
    if header.config != config:
        raise TraceError("the header's config is not that of the machine that is recorded")
    if header.core == "compiled" and core != "compiled":
        raise TraceError("the header says that the compiled core computes: it cannot compute this machine here")
    if header.initial_given != given:
        raise TraceError(f"the header says that {header.initial_given} were given, but the run is given {given}")
    if interventions is not None and header.interventions != asked:
        raise TraceError("the header's interventions are not those that are given")
    if header.phases != episode.phases and int(episode.phase.max(initial=0)) >= len(header.phases):
        raise TraceError(
            f"the header's phases are {header.phases}, but the episode has {episode.phases}: give phases=episode.phases"
        )
    return header


def _require_fitting(episode: Episode, machine: Machine) -> None:
    """TraceError unless the episode is one sequence with the machine's channels, and its arrays are of one length."""
    config = machine.config
    if episode.inputs.ndim != 3:
        raise TraceError(f"the episode's inputs have the shape {episode.inputs.shape}: it must be (step, batch, input)")
    steps, batch, channels = episode.inputs.shape
    if batch != 1:
        raise TraceError(f"the episode holds {batch} sequences: a trace records exactly one")
    if channels != config.input_size:
        raise TraceError(f"the episode has {channels} input channels, but the machine takes {config.input_size}")
    if episode.targets.ndim == 3 and episode.targets.shape[-1] != config.output_size:
        raise TraceError(
            f"the episode has {episode.targets.shape[-1]} target channels, but the machine gives {config.output_size}"
        )
    expected = {"targets": (steps, 1, config.output_size), "mask": (steps, 1), "phase": (steps,)}
    for name, shape in expected.items():
        found = tuple(getattr(episode, name).shape)
        if found != shape:
            raise TraceError(f"the episode's {name} has the shape {found}: it must be {shape}")


def state_after(trace: Trace, steps: int) -> MachineState:
    """The machine's state after this many steps of a trace, bit for bit, with a batch axis of 1; steps from 1."""
    last = trace.records[steps - 1]
    cell = _batched(last["cell"]) if "cell" in trace.names else None
    return MachineState(
        ControllerState(_batched(last["hidden"]), cell),
        _batched(last["read_vector"]),
        _batched(last["weighting"]),
        _batched(trace.memory_after(steps)),
    )


def _batched(array: Array) -> Tensor:
    """A copy of the array with a batch axis of 1 first."""
    return torch.from_numpy(np.array(array)).unsqueeze(0)


def _require_same_start(recording: Recording, other: Trace, step: int) -> None:
    """TraceError unless the other trace is this recording's, bit for bit, until before the step."""
    header = recording.header
    if not 0 <= step <= min(header.steps, len(other)):
        raise TraceError(f"the run cannot resume at step {step}: the traces have {header.steps} and {len(other)} steps")
    if (header.config, header.dtype) != (other.header.config, other.header.dtype):
        raise TraceError("the run cannot resume from a trace of another machine")
    if header.core != other.header.core:
        raise TraceError(f"the run cannot resume: it is {header.core}, and the trace was computed {other.header.core}")
    if recording.initial.tobytes() != other.initial.tobytes():
        raise TraceError("the run cannot resume from a trace with another state before step 1")
    if recording.episode["inputs"][:step].tobytes() != other["inputs"][:step].tobytes():
        raise TraceError(f"the run cannot resume at step {step}: its rows differ before that")
    differs = first_difference(header.interventions, other.header.interventions, step)
    if differs < step:
        raise TraceError(f"the run cannot resume at step {step}: its interventions differ from step {differs} on")


def record(
    machine: Machine,
    episode: Episode,
    header: TraceHeader | None = None,
    initial: Mapping[str, ArrayLike] | None = None,
    *,
    interventions: Sequence[Intervention] | None = None,
    sources: Mapping[str, Trace] | None = None,
    resume: tuple[Trace, int] | None = None,
) -> Trace:
    """The trace of a machine on one episode, recorded in one go; the arguments as in `Recording`."""
    recording = Recording(
        machine, episode, header, initial, interventions=interventions, sources=sources, resume=resume
    )
    for _ in recording.run():
        pass
    return recording.trace()


def trace_of_training(machine: Machine, episode: Episode, logits: Tensor, sequence: int = 0) -> Trace:
    """The trace of one sequence of a batch that is being trained on, without a run of its own.

    `logits` are what `machine` gave for the episode's inputs, (step, batch, output), while gradients were asked for:
    what the compiled core keeps for `backward()` is all that a trace holds, to the same bits as a recording's. Before
    the parameters are moved and after, it shows the machine as it was then. `TraceError` if the logits keep no such
    tape, which is so in eager mode, or if there is no such sequence.
    """
    tape = None
    if machine.usable_core() == "compiled":
        from ntm_core.compiled.tape import fill_records, initial_parts, tape_of  # noqa: PLC0415  # it imports numba

        tape = tape_of(logits)
    if tape is None:
        raise TraceError("the logits keep no tape: the compiled core must have computed them, for their gradients")
    plan, block = tape
    steps, batch = episode.inputs.shape[:2]
    if (plan.config, plan.sizes.steps, plan.sizes.batch) != (machine.config, steps, batch):
        raise TraceError("the logits are not those of this machine and episode")
    if not 0 <= sequence < batch:
        raise TraceError(f"sequence is {sequence}: the batch has sequences 0 … {batch - 1}")
    if not np.array_equal(block["inputs"][:, sequence].numpy(), episode.inputs[:, sequence].astype(np.float32)):
        raise TraceError("the logits are not those of this episode: the machine was given other inputs")
    header = _checked_header(machine, (one := episode.one(sequence)), None, (), None)
    records, initial = np.zeros(steps, header.record_dtype("step")), np.zeros((), header.record_dtype("initial"))
    fill_records(plan, block, sequence, records)
    parts = initial_parts(plan, block, sequence)
    for name in initial.dtype.names or ():
        initial[name] = parts[name]
    return Trace(header, _episode_record(one, header), initial, records)


def _episode_record(episode: Episode, header: TraceHeader) -> Array:
    record = np.zeros((), header.record_dtype("episode"))
    for name in ("inputs", "targets", "mask", "phase"):
        record[name] = getattr(episode, name).reshape(record[name].shape)
    check_episode(header, record)
    return record


def _step_tensors(result: StepResult) -> dict[str, Tensor]:
    """Every step field of the trace schema, each with a batch axis of 1 first."""
    asked, stages, controller = result.parameters, result.weightings, result.state.controller
    tensors = {
        "outputs": result.outputs,
        "logits": result.logits,
        "key": asked.key,
        "key_strength": asked.key_strength,
        "interpolation_gate": asked.interpolation_gate,
        "shift_weighting": asked.shift_weighting,
        "sharpening": asked.sharpening,
        "content_weighting": stages.content_weighting,
        "gated_weighting": stages.gated_weighting,
        "shifted_weighting": stages.shifted_weighting,
        "weighting": stages.weighting,
        "erase_vector": asked.erase_vector,
        "add_vector": asked.add_vector,
        "read_vector": result.read_vector,
        "hidden": controller.hidden,
        "memory_found": result.memory_found,
    }
    return tensors if controller.cell is None else tensors | {"cell": controller.cell}


def _initial_record(state: MachineState, header: TraceHeader) -> Array:
    record = np.zeros((), header.record_dtype("initial"))
    record["initial_memory"] = state.memory[0].detach().numpy()
    record["initial_weighting"] = state.weighting[0].detach().numpy()
    record["initial_read_vector"] = state.read_vector[0].detach().numpy()
    record["initial_hidden"] = state.controller.hidden[0].detach().numpy()
    if state.controller.cell is not None:
        record["initial_cell"] = state.controller.cell[0].detach().numpy()
    return record
