"""Recording: the machine's own loop over steps, each result copied into one preallocated array of step records."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ntm_core.errors import TraceError
from ntm_core.machine import Machine, MachineState, StepResult
from ntm_core.tasks.episode import Episode
from ntm_core.trace import Array, DType, Trace, TraceHeader

_DTYPES: dict[torch.dtype, DType] = {torch.float32: "float32", torch.float64: "float64"}


class Recording:
    """One machine's run over one episode, while it happens.

    `run()` yields the index of each step once its record is complete in `records`; after the last, `trace()` is the
    finished trace. Outputs equal those of `Machine.forward` in eager mode bit for bit, since both are loops over
    `Machine.step`; those of the compiled core within the rounding of float32.
    """

    def __init__(
        self,
        machine: Machine,
        episode: Episode,
        header: TraceHeader | None = None,
        initial: Mapping[str, ArrayLike] | None = None,
    ) -> None:
        """Allocate all records; `TraceError` if episode, initial state and machine do not fit.

        `initial` gives parts of the state before step 1 (see `Machine.state_of`); the header's `initial_seed` decides
        what the machine draws anew for each episode.
        """
        config = machine.config
        steps, batch, channels = episode.inputs.shape
        if batch != 1:
            raise TraceError(f"the episode holds {batch} sequences: a trace records exactly one")
        if channels != config.input_size:
            raise TraceError(f"the episode has {channels} input channels, but the machine takes {config.input_size}")
        if episode.targets.shape[-1] != config.output_size:
            raise TraceError(
                f"the episode has {episode.targets.shape[-1]} target channels, "
                f"but the machine gives {config.output_size}"
            )
        self.machine = machine
        dtype = _DTYPES.get(machine.output.weight.dtype)
        if dtype is None:
            name = str(machine.output.weight.dtype).removeprefix("torch.")
            raise TraceError(f"the machine computes in {name}: a trace holds float32 or float64")
        given = tuple(initial or ())
        self.header = header or TraceHeader.of(config, steps, dtype=dtype, phases=episode.phases, initial_given=given)
        if (self.header.steps, self.header.dtype) != (steps, dtype):
            raise TraceError(
                f"the header says {self.header.steps} steps in {self.header.dtype}, but the run has {steps} in {dtype}"
            )
        if self.header.config != config:
            raise TraceError("the header's config is not that of the machine that is recorded")
        if self.header.initial_given != given:
            raise TraceError(
                f"the header says that {self.header.initial_given} were given, but the run is given {given}"
            )
        self.episode = np.zeros((), self.header.record_dtype("episode"))
        for name in ("inputs", "targets", "mask", "phase"):
            self.episode[name] = getattr(episode, name).reshape(self.episode[name].shape)
        with torch.inference_mode():
            self._start = machine.state_of(initial or {}, self.header.initial_seed)
        self.initial = _initial_record(self._start, self.header)
        self.records = np.zeros(steps, self.header.record_dtype("step"))
        self._complete = 0

    @torch.inference_mode()
    def run(self) -> Iterator[int]:
        """The index of each step, as soon as it has been computed and recorded."""
        inputs = torch.from_numpy(self.episode["inputs"]).unsqueeze(1)
        rows = torch.from_numpy(self.records.view(self.header.dtype).reshape(len(self.records), -1))
        for step, result in enumerate(self.machine.run(inputs, self._start)):
            tensors = _step_tensors(result)
            torch.cat([tensors[name].flatten() for name in self.records.dtype.names or ()], out=rows[step])
            self._complete = step + 1
            yield step

    def trace(self) -> Trace:
        """The finished trace; `TraceError` before `run()` has been exhausted."""
        if self._complete < len(self.records):
            raise TraceError(f"the recording is at step {self._complete} of {len(self.records)}: it has no trace yet")
        return Trace(self.header, self.episode, self.initial, self.records)


def record(
    machine: Machine,
    episode: Episode,
    header: TraceHeader | None = None,
    initial: Mapping[str, ArrayLike] | None = None,
) -> Trace:
    """The trace of a machine on one episode, recorded in one go; the arguments as in `Recording`."""
    recording = Recording(machine, episode, header, initial)
    for _ in recording.run():
        pass
    return recording.trace()


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
