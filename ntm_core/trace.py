"""A trace: everything one machine computed on one episode, step by step, with named axes. Plain numpy, never changed.

The three tables below are the schema: they name each array, its axes and its symbol, and drive the trace file, the wire
format and their documentation. All arrays of one step lie side by side in one record of a numpy structured array, so
that `trace.records[t : t + 1].tobytes()` is that step, complete.

The memory after each step is not stored. M_0, the write heads' weightings and the erase and add vectors rebuild it bit
for bit (`Trace.memory`), since writing is a chain of single-rounded operations in a fixed order. The header's
`acting_weighting` says which weighting reads and writes in step t: that of step t, or that of the step before. Where
interventions change the memory itself, each step also holds the memory as it found it, and is rebuilt from that.
"""

import functools
import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ntm_core.compiled import Core, reason_not_compiled
from ntm_core.config import HeadKind, MachineConfig, describe_validation_error
from ntm_core.errors import TraceError
from ntm_core.interventions import Intervention, ModeName, Violation
from ntm_core.tasks.episode import Episode, loss_bits, wrong_bits

FORMAT = "ntm-scope-trace"
VERSION = 1

DType = Literal["float32", "float64"]
Group = Literal["episode", "initial", "step"]
ActingWeighting = Literal["current", "previous"]
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class TraceField:
    """One array of a trace: its name, its axes (after the step axis, for a step field), its symbol and meaning."""

    name: str
    axes: tuple[str, ...]
    symbol: str
    meaning: str


EPISODE_FIELDS = (
    TraceField("inputs", ("step", "input"), "x_t", "what the machine was shown"),
    TraceField("targets", ("step", "output"), "", "what it should answer; 0 where nothing is asked"),
    TraceField("mask", ("step",), "", "1 at the steps whose output counts, else 0"),
    TraceField("phase", ("step",), "", "index of the step's phase in the header's `phases`"),
)
INITIAL_FIELDS = (
    TraceField("initial_memory", ("location", "word"), "M_0", "memory before step 1"),
    TraceField("initial_weighting", ("head", "location"), "w_0", "weightings before step 1"),
    TraceField("initial_read_vector", ("read_head", "word"), "r_0", "read vectors before step 1"),
    TraceField("initial_hidden", ("layer", "controller"), "h_0", "controller's hidden state before step 1"),
    TraceField(
        "initial_cell", ("layer", "controller"), "c_0", "LSTM cells before step 1; absent for other controllers"
    ),
)
STEP_FIELDS = (
    TraceField("outputs", ("output",), "y_t", "sigmoid (or softmax) of the logits, in [0, 1]"),
    TraceField("logits", ("output",), "", "output before its nonlinearity"),
    TraceField("key", ("head", "word"), "k_t", "what the head looks for"),
    TraceField("key_strength", ("head",), "β_t", "how sharply it looks by content, ≥ 0"),
    TraceField("interpolation_gate", ("head",), "g_t", "1: content weighting; 0: previous weighting"),
    TraceField("shift_weighting", ("head", "shift"), "s_t", "entry j moves the focus by the header's shifts[j]"),
    TraceField("sharpening", ("head",), "γ_t", "exponent of eq. 5, ≥ 1"),
    TraceField("content_weighting", ("head", "location"), "w^c_t", "eq. 1"),
    TraceField("gated_weighting", ("head", "location"), "w^g_t", "eq. 3"),
    TraceField("shifted_weighting", ("head", "location"), "w~_t", "eq. 4"),
    TraceField("weighting", ("head", "location"), "w_t", "eq. 5; acts in the step that the header says"),
    TraceField("erase_vector", ("write_head", "word"), "e_t", "what step t erases, in [0, 1] unless relu; eq. 7"),
    TraceField("add_vector", ("write_head", "word"), "a_t", "what step t adds; eq. 8"),
    TraceField("read_vector", ("read_head", "word"), "r_t", "what the read head read; eq. 6"),
    TraceField("hidden", ("layer", "controller"), "h_t", "outputs of the controller's layers; 0 beyond a layer's size"),
    TraceField("cell", ("layer", "controller"), "c_t", "LSTM cells; absent for other controllers"),
    TraceField(
        "memory_found",
        ("location", "word"),
        "M_{t-1}",
        "memory as step t found it; absent unless interventions change the memory itself",
    ),
)


def fields_of(
    config: MachineConfig, group: Group, interventions: Sequence[Intervention] = ()
) -> tuple[TraceField, ...]:
    """The arrays that a trace of this machine, so changed, holds in one group, in the order of the schema."""
    table = {"episode": EPISODE_FIELDS, "initial": INITIAL_FIELDS, "step": STEP_FIELDS}[group]
    absent = set() if config.controller == "lstm" else {"initial_cell", "cell"}
    if not any(asked.quantity == "memory" for asked in interventions):
        absent.add("memory_found")
    return tuple(field for field in table if field.name not in absent)


def axes_of(config: MachineConfig, steps: int) -> dict[str, int]:
    """The length of every named axis of a trace of this machine."""
    return {
        "step": steps,
        "input": config.input_size,
        "output": config.output_size,
        "head": config.heads,
        "read_head": config.read_heads,
        "write_head": config.write_heads,
        "location": config.memory_size,
        "word": config.word_size,
        "shift": len(config.shifts),
        "layer": config.controller_layers,
        "controller": config.controller_size,
    }


@functools.lru_cache(256)
def record_dtype(
    config: MachineConfig,
    group: Group,
    steps: int,
    dtype: DType = "float32",
    interventions: Sequence[Intervention] = (),
) -> np.dtype[Any]:
    """The packed little-endian structured dtype of one group's arrays, in the order of the schema."""
    axes = axes_of(config, steps)
    number = np.dtype(dtype).newbyteorder("<")
    fields = fields_of(config, group, interventions)
    return np.dtype([(field.name, number, tuple(axes[axis] for axis in field.axes)) for field in fields])


def group_size(config: MachineConfig, group: Group, steps: int, interventions: Sequence[Intervention] = ()) -> int:
    """How many numbers a trace of this machine, so changed, holds in one group, all steps together."""
    axes = axes_of(config, steps)
    fields = fields_of(config, group, interventions)
    record = sum(math.prod(axes[axis] for axis in field.axes) for field in fields)
    return record * steps if group == "step" else record


class HeadInfo(BaseModel):
    """One entry of the head axis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: HeadKind
    same_as: int | None = Field(
        None, description="Index of the read head that this write head is, where one head both reads and writes."
    )


class FieldInfo(BaseModel):
    """One array in the header: its name and the axes of one record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    axes: tuple[str, ...]


class TraceHeader(BaseModel):
    """All that a reader needs before the first number: sizes, axes, names, and where the trace comes from.

    `heads`, `shifts`, `axes`, `fields`, `acting_weighting` and `warnings` follow from the config; they stand here so
    that a reader in another language needs no rules of ours. Make one with `TraceHeader.of`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["ntm-scope-trace"] = "ntm-scope-trace"
    version: Literal[1] = 1
    dtype: DType = "float32"
    steps: int = Field(ge=1)
    checkpoint: str | None = Field(None, description="Name or id of the checkpoint, if there is one.")
    seed: int | None = Field(None, description="Seed of the episode; null for rows that a person gave.")
    initial_seed: int | None = Field(
        None,
        ge=0,
        lt=2**32,
        description="Seed of what the machine draws anew for each episode in its initial state; null if it draws none.",
    )
    initial_given: tuple[str, ...] = Field(
        (), description="Parts of the initial state that were given in place of the machine's own."
    )
    task: dict[str, Any] | None = Field(None, description="The task with its settings.")
    task_note: str | None = Field(None, description="Why there are no targets, if the rows do not follow the task.")
    config: MachineConfig
    warnings: tuple[str, ...]
    input_channels: tuple[str, ...]
    output_channels: tuple[str, ...]
    phases: tuple[str, ...]
    heads: tuple[HeadInfo, ...]
    shifts: tuple[int, ...]
    mode: ModeName = Field("full", description="The addressing mode that was asked for.")
    interventions: tuple[Intervention, ...] = Field(
        (), description="All changes to what the machine computed, those of the mode first, in the order of making."
    )
    leave_constraints: bool = Field(
        False, description="Whether the changes may leave the constraints of the head parameters and weightings."
    )
    acting_weighting: ActingWeighting = Field(
        "current",
        description="Which weighting reads and writes in step t: weighting[t], or that of the step before "
        "(initial_weighting in step 1).",
    )
    core: Core = Field(
        "eager",
        description="What computed the numbers: the compiled core, or PyTorch step by step. Their last bits differ.",
    )
    axes: dict[str, int]
    fields: dict[Group, tuple[FieldInfo, ...]]

    @classmethod
    def of(
        cls,
        config: MachineConfig,
        steps: int,
        *,
        dtype: DType = "float32",
        checkpoint: str | None = None,
        seed: int | None = None,
        initial_seed: int = 0,
        initial_given: tuple[str, ...] = (),
        task: dict[str, Any] | None = None,
        task_note: str | None = None,
        input_channels: tuple[str, ...] | None = None,
        output_channels: tuple[str, ...] | None = None,
        phases: tuple[str, ...] = ("input",),
        mode: ModeName = "full",
        interventions: tuple[Intervention, ...] = (),
        leave_constraints: bool = False,
        core: Core = "eager",
    ) -> Self:
        """The header of a trace of this machine over `steps` steps; `interventions` hold those of the mode too."""
        groups: tuple[Group, ...] = ("episode", "initial", "step")
        if steps < 1:
            raise TraceError(f"steps is {steps}: a trace has at least one step")
        header = cls(
            dtype=dtype,
            steps=steps,
            checkpoint=checkpoint,
            seed=seed,
            initial_seed=initial_seed if config.draws_fresh else None,
            initial_given=initial_given,
            task=task,
            task_note=task_note,
            config=config,
            warnings=config.warnings,
            input_channels=input_channels or tuple(f"input {i}" for i in range(config.input_size)),
            output_channels=output_channels or tuple(f"output {i}" for i in range(config.output_size)),
            phases=phases,
            heads=_head_infos(config),
            shifts=config.shifts,
            mode=mode,
            interventions=interventions,
            leave_constraints=leave_constraints,
            acting_weighting="previous" if config.schedule == "address_last" else "current",
            core=core,
            axes=axes_of(config, steps),
            fields={
                group: tuple(
                    FieldInfo(name=field.name, axes=field.axes) for field in fields_of(config, group, interventions)
                )
                for group in groups
            },
        )
        check_channels(header)
        return header

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """The header in a JSON text; `TraceError` if it is not one that this version can read.

        What follows from the config may be left out, and the names of channels and phases.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise TraceError(f"the header is not JSON: {error}") from None
        return cls.from_document(found)

    @classmethod
    def from_document(cls, found: object) -> Self:
        """The header in what a JSON text held; `TraceError` as in `parse`."""
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise TraceError(f"the header's format must be {FORMAT!r}, not {_get(found, 'format')!r}")
        if found.get("version") != VERSION:
            raise TraceError(f"trace version {found.get('version')!r} is unknown: this program reads version {VERSION}")
        try:
            header = cls.model_validate(_completed(found))
        except ValidationError as error:
            raise TraceError(f"the header breaks the schema: {describe_validation_error(error)}") from None
        check_derived(header)
        return header

    def record_dtype(self, group: Group) -> np.dtype[Any]:
        """The structured dtype of one group's arrays."""
        return record_dtype(self.config, group, self.steps, self.dtype, self.interventions)


def _head_infos(config: MachineConfig) -> tuple[HeadInfo, ...]:
    """The entries of the head axis: read heads first."""
    shared = config.head_roles == "read_and_write"
    reads = [HeadInfo(name=name, kind="read") for name in config.head_names[: config.read_heads]]
    writes = [
        HeadInfo(name=name, kind="write", same_as=index if shared else None)
        for index, name in enumerate(config.head_names[config.read_heads :])
    ]
    return (*reads, *writes)


def check_derived(header: TraceHeader) -> None:
    """Nothing, if all that follows from the header's config does; else `TraceError` names what does not."""
    expected = TraceHeader.of(header.config, header.steps, interventions=header.interventions)
    for name in ("heads", "shifts", "acting_weighting", "axes", "fields"):
        if getattr(header, name) != getattr(expected, name):
            raise TraceError(f"the header's {name} do not follow from its config")
    reason = reason_not_compiled(header.config) if header.dtype == "float32" else f"Its numbers are {header.dtype}."
    if header.core == "compiled" and reason is not None:
        raise TraceError(f"the header says that the compiled core computed, which it cannot have. {reason}")
    check_channels(header)


def check_channels(header: TraceHeader) -> None:
    """Nothing, if the header names every channel of its machine; else `TraceError` says how many are named."""
    for name, size in (("input_channels", header.config.input_size), ("output_channels", header.config.output_size)):
        if len(getattr(header, name)) != size:
            raise TraceError(f"the header names {len(getattr(header, name))} {name}, but the machine has {size}")


class _Causes(BaseModel):
    """What all else in a header follows from."""

    steps: int = Field(ge=1, strict=True)
    config: MachineConfig
    interventions: tuple[Intervention, ...] = ()


def _completed(found: dict[str, Any]) -> dict[str, Any]:
    """What was found of a header, with all that follows from its config.

    ValidationError for what it follows from, alone: what may be left out is not missing where that is wrong.
    """
    causes = _Causes.model_validate(found)
    derived = TraceHeader.of(causes.config, causes.steps, interventions=causes.interventions)
    return {**derived.model_dump(), "initial_seed": None, **found}


def _get(found: object, key: str) -> object:
    return found.get(key) if isinstance(found, dict) else found


def _go_on() -> None:
    """Nothing."""


def check_episode(header: TraceHeader, episode: Array) -> None:
    """TraceError unless mask and phase are what they index; other numbers may be NaN where nothing is known."""
    if not header.phases:
        raise TraceError("the header's phases is []: at least one must be named, for each step is of one")
    for name, allowed in (("mask", 2), ("phase", len(header.phases))):
        found = episode[name]
        wrong = found[~((found >= 0) & (found < allowed) & (found == np.floor(found)))]
        if len(wrong):
            raise TraceError(f"array {name!r} holds {wrong[0]:g}: it must be a whole number of 0 … {allowed - 1}")


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """One machine on one episode. `trace["weighting"]` is an array (step, head, location); it can not be written to.

    It is asked for its arrays as a dict is, but for its length, which is its steps.

    Attributes:
        header: sizes, names and provenance.
        episode: structured scalar of the episode's arrays.
        initial: structured scalar of the state before step 1.
        records: structured array (step,) of everything each step computed.
        violation: the first constraint that an intervention left; None if none did.
        landmarks: the memory after some of the steps, by their number, so that another is rebuilt from one near by.
    """

    header: TraceHeader
    episode: Array
    initial: Array
    records: Array
    violation: Violation | None = None
    landmarks: Mapping[int, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        holders: dict[Group, Array] = {"episode": self.episode, "initial": self.initial, "step": self.records}
        for group, array in holders.items():
            expected = self.header.record_dtype(group)
            shape = (self.header.steps,) if group == "step" else ()
            if array.dtype != expected or array.shape != shape:
                raise TraceError(f"the {group} arrays have another layout than the header says")
            array.flags.writeable = False

    def __repr__(self) -> str:
        header, config = self.header, self.header.config
        return (
            f"<Trace: {header.steps} {'step' if header.steps == 1 else 'steps'}, {config.read_heads} read + "
            f"{config.write_heads} write heads, memory {config.memory_size} × {config.word_size}, {header.dtype}, "
            f"{header.core}>"
        )

    def __len__(self) -> int:
        return self.header.steps

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def keys(self) -> tuple[str, ...]:
        """The names of all arrays, as of a dict."""
        return self.names

    def __getitem__(self, name: str) -> Array:
        """The named array; step fields have the step axis first. `KeyError` for an unknown name."""
        for holder in (self.records, self.episode, self.initial):
            if name in (holder.dtype.names or ()):
                found: Array = holder[name]
                return found
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all stored arrays, episode first, then initial, then step."""
        return tuple(name for holder in (self.episode, self.initial, self.records) for name in holder.dtype.names or ())

    def axes(self, name: str) -> tuple[str, ...]:
        """The names of an array's axes, the step axis included."""
        for group, every in self.header.fields.items():
            for info in every:
                if info.name == name:
                    return ("step", *info.axes) if group == "step" else info.axes
        raise KeyError(name)

    @property
    def acting_weighting(self) -> Array:
        """The weightings that read and wrote in each step, (step, head, location)."""
        if self.header.acting_weighting == "current":
            return self["weighting"]
        return np.concatenate([self["initial_weighting"][None], self["weighting"][:-1]])

    @cached_property
    def memory(self) -> Array:
        """M_0 … M_T, (step + 1, location, word): entry t is the memory after t steps, rebuilt bit for bit."""
        memory = np.empty((len(self) + 1, *self["initial_memory"].shape), self["initial_memory"].dtype)
        memory[0] = self["initial_memory"]
        for step, after in enumerate(self._memories(0, memory[0])):
            memory[step + 1] = after
        memory.flags.writeable = False
        return memory

    @property
    def found_memory(self) -> Array:
        """M_{t-1} as each step found it, (step, location, word): `memory` but where interventions changed it."""
        return self["memory_found"] if "memory_found" in self.names else self.memory[:-1]

    def memory_after(self, steps: int, check: Callable[[], None] = _go_on) -> Array:
        """M_t after this many steps, (location, word), without keeping those before it.

        `check` is called once for each step whose writes are done again; it raises if nobody waits any more.
        """
        if "memory_found" in self.names and steps:
            return next(self._memories(steps - 1, self["memory_found"][steps - 1]))
        return next(self._rebuilt([steps], check))

    def memories_found(self, steps: Sequence[int]) -> Iterator[Array]:
        """M_{t-1} as each of these steps found it, (location, word); the steps in ascending order."""
        if "memory_found" in self.names:
            return (self["memory_found"][step] for step in steps)
        return self._rebuilt(steps)

    def _rebuilt(self, ends: Sequence[int], check: Callable[[], None] = _go_on) -> Iterator[Array]:
        """The memory after each of so many steps, in ascending order, from the last that is known."""
        reached, memory = 0, self["initial_memory"]
        for end in ends:
            nearest = max((steps for steps in self.landmarks if steps <= end), default=0)
            if nearest > reached:
                reached, memory = nearest, self.landmarks[nearest]
            for after in itertools.islice(self._memories(reached, memory), end - reached):
                check()
                memory = after
            reached = end
            yield memory

    def _memories(self, first: int, memory: Array) -> Iterator[Array]:
        """The memory after each step from the first on, rebuilt from the one before it or, if stored, the one found."""
        found = self["memory_found"] if "memory_found" in self.names else None
        writing = self.acting_weighting[:, self.header.config.read_heads :]
        one_by_one = self.header.config.write_order == "one_by_one"
        erase, add = self["erase_vector"], self["add_vector"]
        for step in range(first, len(self)):
            before = memory if found is None else found[step]
            memory = memory_after_writes(before, writing[step], erase[step], add[step], one_by_one=one_by_one)
            yield memory

    def part(self, first: int, steps: int, check: Callable[[], None] = _go_on) -> Self:
        """The trace of so many of these steps, as if the machine had begun with step `first`, counted from 0.

        Its state before step 1 is the one in which the machine was then. What the header says of interventions, and
        `violation`, still count the steps of the whole run. `check` is called as in `memory_after`.
        """
        if not 0 <= first < first + steps <= len(self):
            raise TraceError(f"there are no {steps} steps from step {first} on: the trace has {len(self)} steps")
        header = self.header.model_copy(update={"steps": steps, "axes": {**self.header.axes, "step": steps}})
        chosen = slice(first, first + steps)
        episode = np.zeros((), header.record_dtype("episode"))
        for name in episode.dtype.names or ():
            episode[name] = self.episode[name][chosen]
        initial = self.initial.copy()
        if first:
            initial["initial_memory"] = self.memory_after(first, check)
            for name in set(initial.dtype.names or ()) - {"initial_memory"}:
                initial[name] = self.records[name.removeprefix("initial_")][first - 1]
        records = self.records[chosen]
        return replace(self, header=header, episode=episode, initial=initial, records=records, landmarks={})

    @cached_property
    def wrong_bits(self) -> int | None:
        """How many outputs lie on the wrong side of one half where they count; None if none counts, or is no number.

        So if a target is not known that is asked for.
        """
        asked = self["mask"] > 0
        judged = bool(asked.any()) and not any(np.isnan(self[name][asked]).any() for name in ("outputs", "targets"))
        return int(wrong_bits(self._sequence, self["outputs"][:, None])[0]) if judged else None

    @cached_property
    def loss_bits(self) -> float | None:
        """The binary cross entropy of the whole episode in bits, where outputs count; None if none does, or no bits.

        So if a target is not known that is asked for.
        """
        asked = self["mask"] > 0
        if self.header.config.output_activation != "sigmoid" or not asked.any():
            return None
        if np.isnan(self["targets"][asked]).any():
            return None
        return float(loss_bits(self._sequence, self["logits"][:, None])[0])

    @property
    def _sequence(self) -> Episode:
        """The trace's episode with a batch axis of 1."""
        inputs, targets, mask = (self[name][:, None] for name in ("inputs", "targets", "mask"))
        return Episode(inputs, targets, mask, self["phase"].astype(np.int64), self.header.phases)


def memory_after_writes(memory: Array, weighting: Array, erase: Array, add: Array, *, one_by_one: bool) -> Array:
    """The memory after one step's writes (eq. 7 and 8), operation for operation as the machine does it."""
    where = weighting[:, :, None]
    keep, more = 1 - where * erase[:, None, :], where * add[:, None, :]
    if one_by_one:
        for head in range(len(weighting)):
            memory = memory * keep[head] + more[head]
        return memory
    for head in range(len(weighting)):
        memory = memory * keep[head]
    for head in range(len(weighting)):
        memory = memory + more[head]
    return memory
