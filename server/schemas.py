"""What travels as JSON: requests and answers of the HTTP interface, with examples. Nothing here computes."""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from ntm_core.config import MachineConfig, OpenChoice
from ntm_core.interventions import MODES, AddressingMode, Intervention, ModeName
from ntm_core.tasks import Task
from ntm_core.trace import TraceHeader
from server.wire import TraceEnd

MAX_INPUT = 1e6
"""The largest size of a number in an input row: far from what float32 can hold, and far beyond any task's."""

_TURNS_WRITING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _name(text: str) -> str:
    """The name; ValueError unless it can be shown in a line among others, as what it is."""
    kinds = [unicodedata.category(character) for character in text]
    for character, kind in zip(text, kinds, strict=True):
        if kind in {"Cc", "Cs", "Zl", "Zp"} or character in _TURNS_WRITING:
            raise ValueError(
                f"U+{ord(character):04X} must not stand in a name: it is a control character, or turns the writing"
            )
    if all(kind in {"Cf", "Zs"} for kind in kinds):
        raise ValueError("a name must not be blank")
    return text


Name = Annotated[str, AfterValidator(_name)]
"""What a person calls something."""

MAX_INTERVENTIONS = 256
MAX_SOURCES = 4

_Answer = ConfigDict(frozen=True, extra="forbid")
_EXAMPLE_CONFIG: dict[str, Any] = MachineConfig.make(input_size=9, output_size=8).model_dump(
    mode="json", exclude_none=True
)
_EXAMPLE_TASK: dict[str, Any] = {"name": "copy", "bits": 8, "lengths": [1, 20]}
_EXAMPLE_SUMMARY: dict[str, Any] = {
    "id": "copy-lstm",
    "name": "copy-lstm",
    "source": "shipped",
    "bytes": 285368,
    "parameters": 70948,
    "config": _EXAMPLE_CONFIG,
    "task": _EXAMPLE_TASK,
    "training": {"seed": 1, "iterations": 30000},
    "results": {"wrong_bits": {"20": 0.0, "120": 0.0}},
    "warnings": [],
    "series": [0, 500, 2000],
}


class ImportQuestion(BaseModel):
    """A whole number that a file does not hold and that its import needs."""

    model_config = _Answer

    name: str = Field(description="What to call the answer.")
    text: str = Field(description="What is asked.")
    default: int | None = Field(description="The answer if none is given; null if there must be one.")
    minimum: int
    maximum: int
    answer: int | None = Field(description="The answer that was taken; null if there is none yet.")


class ErrorDetail(BaseModel):
    """What went wrong."""

    model_config = _Answer

    code: str = Field(description="Stable name of the kind of error.")
    message: str = Field(description="Names the value and the rule, for a person.")
    field: str | None = Field(description="Path of the field that is to blame, if one is.")
    questions: tuple[ImportQuestion, ...] | None = Field(
        None,
        description="Left out but with code `unanswered`: what must be answered to import the file.",
    )


class ErrorDocument(BaseModel):
    """The body of every answer whose status is 400 or more."""

    model_config = ConfigDict(
        **_Answer,
        json_schema_extra={
            "examples": [
                {
                    "error": {
                        "code": "limit_exceeded",
                        "message": "the task has up to 20001 steps: the limit is 5000",
                        "field": "task",
                    }
                }
            ]
        },
    )

    error: ErrorDetail


class ImportWishes(BaseModel):
    """What a person decides about an import, in place of what would be guessed. Null, or left out, decides nothing."""

    model_config = ConfigDict(
        **_Answer,
        json_schema_extra={
            "examples": [{"variant": "own_previous", "answers": {"memory_size": 64}, "choices": {"clip": 20.0}}]
        },
    )

    importer: str | None = Field(None, max_length=200, description="Name of the importer.")
    variant: str | None = Field(None, max_length=200, description="Variant of the program that wrote the file.")
    encoding: str | None = Field(None, max_length=200, description="Name of the task's encoding.")
    answers: Annotated[dict[str, int], Field(max_length=64)] = Field({}, description="Answers to questions, by name.")
    choices: Annotated[dict[str, Any], Field(max_length=64)] = Field(
        {}, description="Fields of the machine's config to set otherwise."
    )


class ImportVariant(BaseModel):
    """One machine that a file may hold."""

    model_config = _Answer

    variant: str
    title: str


class ImportEncoding(BaseModel):
    """The rows in which a machine was trained to see a task."""

    model_config = _Answer

    name: str
    title: str
    layout: str = Field(description="The rows of a sequence, in a sentence.")
    input_channels: tuple[str, ...]
    output_channels: tuple[str, ...]
    settings: dict[str, Any] = Field(description="The task with settings that makes such rows, for a trace request.")


class ImportFinding(BaseModel):
    """How one variant did on generated sequences of one task."""

    model_config = _Answer

    variant: str
    encoding: str
    loss: float | None = Field(
        description="Mean loss in bits for each bit asked; guessing costs 1. Null: not a number."
    )
    wrong: float = Field(description="The share of asked bits that were wrong.")
    sequences: int = Field(description="How many sequences were tried; few for a hopeless variant.")


class ImportReport(BaseModel):
    """What a file of another program turned out to be: what it tells, what was assumed, and what was asked."""

    model_config = _Answer

    container: str = Field(
        description="The kind of file: torch_zip, torch_legacy, npy, npz, json, safetensors or pickle."
    )
    importer: str = Field(description="Name of the importer that read it.")
    title: str = Field(description="The program that wrote it.")
    variant: str
    variant_title: str
    reason: str = Field(description="Why this variant, in a sentence.")
    dtype: Literal["float32", "float64"] = Field(description="The numbers that the machine computes in.")
    inferred: tuple[str, ...] = Field(description="What the file itself tells, one sentence each.")
    assumed: tuple[str, ...] = Field(description="What it does not tell and was taken for granted.")
    warnings: tuple[str, ...] = Field(description="What will surprise.")
    questions: tuple[ImportQuestion, ...] = Field(description="What it does not tell and was asked, with the answers.")
    variants: tuple[ImportVariant, ...] = Field(description="The machines that it may be, the likeliest first.")
    encoding: ImportEncoding | None = Field(description="The task it was trained on; null if none has its channels.")
    encodings: tuple[ImportEncoding, ...] = Field(description="The tasks that have its channels, the likeliest first.")
    ranking: tuple[ImportFinding, ...] = Field(description="How the variants did, the smallest mean loss first.")
    wishes: ImportWishes = Field(description="What a person decided.")


class ImporterInfo(BaseModel):
    """One importer."""

    model_config = _Answer

    name: str
    title: str = Field(description="The program whose files it reads.")


class ImporterList(BaseModel):
    """All importers, and why some that are installed cannot be used."""

    model_config = ConfigDict(
        **_Answer,
        json_schema_extra={
            "examples": [{"importers": [{"name": "vlgiitr", "title": "vlgiitr/ntm-pytorch"}], "problems": []}]
        },
    )

    importers: tuple[ImporterInfo, ...]
    problems: tuple[str, ...]


class CheckpointSummary(BaseModel):
    """One checkpoint in the list."""

    model_config = ConfigDict(**_Answer, json_schema_extra={"examples": [_EXAMPLE_SUMMARY]})

    id: str = Field(description="What a trace request names.")
    name: str = Field(description="What a person called it.")
    source: Literal["shipped", "uploaded", "trained"]
    bytes: int = Field(ge=0, description="Size of its file.")
    parameters: int = Field(ge=0, description="How many numbers its tensors hold.")
    config: MachineConfig
    task: Task | None = Field(description="The task it was trained on, with settings; null if unknown.")
    training: dict[str, Any] | None = Field(description="The record of its training, if there is one.")
    results: dict[str, Any] | None = Field(description="What was measured on it, if anything was.")
    warnings: tuple[str, ...] = Field(description="What may surprise about it, one sentence each.")
    series: tuple[int, ...] = Field(
        description="The iterations N of its training for which there is a checkpoint ID.N, ascending; a run's are "
        "told with the run."
    )


class CheckpointDetail(CheckpointSummary):
    """One checkpoint with all that is known about it."""

    model_config = ConfigDict(
        **_Answer,
        json_schema_extra={
            "examples": [
                {
                    **_EXAMPLE_SUMMARY,
                    "card": "Watch the read head jump back to where writing began.",
                    "choices": [
                        {
                            "choice": "similarity",
                            "description": "K[u, v], any number: how alike key and memory row are, eq. 2.",
                            "value": "cosine",
                            "words": "cosine of the angle",
                            "paper": "cosine",
                            "deviates": False,
                            "alternatives": ["dot", "scaled_dot", "negative_euclidean", "pearson"],
                        }
                    ],
                    "draws_fresh": False,
                    "importable_again": False,
                }
            ]
        },
    )

    card: str = Field(description="What to look for when scrubbing it; empty if nobody wrote it down.")
    choices: tuple[OpenChoice, ...] = Field(description="Every open choice of the equations, beside the paper's.")
    draws_fresh: bool = Field(description="Whether its state before step 1 depends on a trace's initial_seed.")
    why_eager: str | None = Field(
        None,
        description="Why PyTorch computes it, about ten times slower; null if the compiled core does, once ready.",
    )
    imported: ImportReport | None = Field(
        None, description="What the file of another program told; null if it was none."
    )
    importable_again: bool = Field(description="Whether it can be imported otherwise, since its file is stored.")


class CheckpointList(BaseModel):
    """All checkpoints, the default one first."""

    model_config = ConfigDict(**_Answer, json_schema_extra={"examples": [{"checkpoints": [_EXAMPLE_SUMMARY]}]})

    checkpoints: tuple[CheckpointSummary, ...]


class TaskInfo(BaseModel):
    """One task: what it is, its settings, and its channels with the default settings."""

    model_config = _Answer

    name: str
    title: str
    description: str
    settings_schema: dict[str, Any] = Field(description="JSON schema of the settings.")
    defaults: Task = Field(description="The task with its default settings.")
    input_channels: tuple[str, ...]
    output_channels: tuple[str, ...]
    phases: tuple[str, ...]


class TaskList(BaseModel):
    """All tasks."""

    model_config = ConfigDict(
        **_Answer,
        json_schema_extra={
            "examples": [
                {
                    "tasks": [
                        {
                            "name": "copy",
                            "title": "Copy",
                            "description": "Repeat a sequence after a delimiter.",
                            "settings_schema": {"type": "object", "properties": {"bits": {"type": "integer"}}},
                            "defaults": _EXAMPLE_TASK,
                            "input_channels": ["bit 0", "bit 1", "delimiter"],
                            "output_channels": ["bit 0", "bit 1"],
                            "phases": ["input", "delimiter", "output"],
                        }
                    ]
                }
            ]
        },
    )

    tasks: tuple[TaskInfo, ...]


InputNumber = Annotated[float, Field(strict=True, ge=-MAX_INPUT, le=MAX_INPUT, allow_inf_nan=False)]
InputRow = Annotated[list[InputNumber], Field(fail_fast=True)]
"""One step's inputs. Judging stops at the first bad number, lest a request of bad numbers be answered for seconds."""


class InitialState(BaseModel):
    """Parts of the state before step 1, as numbers; those that are left out are the machine's own."""

    model_config = _Answer

    memory: list[InputRow] | None = Field(None, description="M_0: (location, word).")
    weighting: list[InputRow] | None = Field(
        None, description="w_0: (head, location), read heads first; one row a head where a head both reads and writes."
    )
    read_vector: list[InputRow] | None = Field(None, description="r_0: (read_head, word).")
    hidden: list[InputRow] | None = Field(None, description="h_0: (layer, controller).")
    cell: list[InputRow] | None = Field(None, description="c_0 of an LSTM: (layer, controller).")


class AddressingModeList(BaseModel):
    """All addressing modes; the first changes nothing."""

    model_config = ConfigDict(
        **_Answer,
        json_schema_extra={
            "examples": [{"modes": [MODES["location_only"].model_dump(mode="json", exclude_none=True)]}]
        },
    )

    modes: tuple[AddressingMode, ...]


class SourceRequest(BaseModel):
    """Which machine is run on what, and what is changed while it runs."""

    model_config = _Answer

    checkpoint: str = Field(min_length=1, max_length=200, description="Id of a checkpoint.")
    task: Task | None = Field(None, description="A task with settings; null takes the checkpoint's own.")
    seed: int = Field(0, strict=True, ge=0, lt=2**32, description="The same seed gives the same episode.")
    inputs: Annotated[list[InputRow], Field(fail_fast=True, min_length=1)] | None = Field(
        None, description="Rows (step, input) that a person gives, instead of an episode drawn from the seed."
    )
    initial_seed: int = Field(
        0, strict=True, ge=0, lt=2**32, description="Decides what a machine draws anew for each episode before step 1."
    )
    initial_state: InitialState | None = Field(None, description="Parts of the state before step 1, given.")
    mode: ModeName = Field("full", description="An addressing mode, whose interventions are made first.")
    interventions: Annotated[tuple[Intervention, ...], Field(max_length=MAX_INTERVENTIONS)] = Field(
        (), description="Changes to what the machine computes, made in this order."
    )
    leave_constraints: bool = Field(
        False,
        description="Whether the changes may leave the constraints (β ≥ 0, g in [0, 1], s ≥ 0 with sum 1, γ ≥ 1, e in "
        "[0, 1], weightings on the simplex); else one that does is refused.",
    )


class TraceRequest(SourceRequest):
    """Which machine is run on what, and what is changed while it runs, also with what other runs computed."""

    model_config = ConfigDict(
        **_Answer,
        json_schema_extra={
            "examples": [
                {"checkpoint": "copy-lstm", "seed": 3},
                {"checkpoint": "copy-lstm", "task": {"name": "copy", "lengths": [20, 20]}, "seed": 0},
                {
                    "checkpoint": "copy-lstm",
                    "inputs": [[1, 0, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0, 0]],
                },
                {"checkpoint": "copy-lstm", "seed": 3, "mode": "content_only"},
                {
                    "checkpoint": "copy-lstm",
                    "seed": 3,
                    "interventions": [
                        {"quantity": "interpolation_gate", "operation": "set", "heads": ["read 0"], "value": 0.5},
                        {"quantity": "memory", "operation": "set", "steps": [5, 6], "location": 3, "value": 0},
                        {"quantity": "read_vector", "operation": "take", "steps": [8, 10], "source": "other"},
                    ],
                    "sources": {"other": {"checkpoint": "copy-lstm", "seed": 4}},
                },
            ]
        },
    )

    sources: Annotated[dict[str, SourceRequest], Field(max_length=MAX_SOURCES)] = Field(
        {}, description="Other runs, by name, from which interventions take."
    )


class UploadedTrace(BaseModel):
    """One uploaded trace, without its numbers."""

    model_config = _Answer

    id: str
    name: str = Field(description="What a person called it.")
    bytes: int = Field(ge=0, description="Size of its file.")
    header: TraceHeader


class UploadedTraceList(BaseModel):
    """All uploaded traces, the oldest first."""

    model_config = _Answer

    traces: tuple[UploadedTrace, ...]


Numbers = TypeAliasType("Numbers", "list[Numbers] | float | None")
"""An array as nested lists; null stands for NaN and infinity."""


class TraceDocument(BaseModel):
    """A whole trace as JSON. Each array is nested lists along the axes that the header names; null is not a number."""

    model_config = _Answer

    header: TraceHeader
    episode: dict[str, Numbers] = Field(description="Arrays of the episode.")
    initial: dict[str, Numbers] = Field(description="The state before step 1.")
    step: dict[str, Numbers] = Field(description="Arrays of each step, the step axis first.")
    end: TraceEnd


class Limits(BaseModel):
    """What this server allows: each is a setting of the same name."""

    model_config = ConfigDict(**_Answer, from_attributes=True)

    max_request_bytes: int
    max_upload_bytes: int
    max_uploads: int
    max_stored_bytes: int
    max_traces: int
    max_recording_bytes: int
    max_steps: int
    max_memory_size: int
    max_word_size: int
    max_trace_bytes: int
    max_trainings: int
    max_runs: int
    max_training_cells: int
    max_training_bytes: int
    max_training_seconds: float
    max_analysis_cells: int


class VersionInfo(BaseModel):
    """Which program answers, which plotly.js it serves, and what it allows."""

    model_config = ConfigDict(
        **_Answer,
        json_schema_extra={
            "examples": [
                {
                    "version": "0.1.0",
                    "plotly": "4.1.1",
                    "limits": {
                        "max_request_bytes": 2097152,
                        "max_upload_bytes": 67108864,
                        "max_uploads": 50,
                        "max_stored_bytes": 1073741824,
                        "max_traces": 64,
                        "max_recording_bytes": 1073741824,
                        "max_steps": 10000,
                        "max_memory_size": 4096,
                        "max_word_size": 512,
                        "max_trace_bytes": 134217728,
                        "max_trainings": 1,
                        "max_runs": 50,
                        "max_training_cells": 268435456,
                        "max_training_bytes": 4294967296,
                        "max_training_seconds": 3600.0,
                        "max_analysis_cells": 4294967296,
                    },
                }
            ]
        },
    )

    version: str
    plotly: str
    limits: Limits
