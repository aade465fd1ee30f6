"""What travels as JSON about analyses: metrics, activation patching and comparisons. Nothing here computes."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ntm_core.analysis.divergence import TOLERANCE, Comparison
from ntm_core.analysis.matching import Kind, Matching, Matchings
from ntm_core.analysis.metrics import Metrics
from ntm_core.analysis.patches import PATCHED
from ntm_core.analysis.patching import PatchingMap
from ntm_core.evaluation import EVALUATION_SEED
from ntm_core.interventions import Intervention, ModeName
from ntm_core.interventions.quantities import Quantity
from ntm_core.tasks import Task
from server.schemas import MAX_INTERVENTIONS, TraceRequest
from server.wire import StreamFailure

MAX_LENGTHS = 32
MAX_SEQUENCES = 1000

_Answer = ConfigDict(frozen=True, extra="forbid")


class LineProgress(BaseModel):
    """How far the work is."""

    model_config = _Answer

    done: int = Field(description="Steps that were computed, each for a whole batch of sequences.")
    total: int


class Line(BaseModel):
    """A line of an answer that is not yet, or never will be, the result: exactly one of both."""

    model_config = _Answer

    progress: LineProgress | None = None
    error: StreamFailure | None = Field(None, description="What went wrong; nothing follows.")


class MetricsRequest(BaseModel):
    """Which machine is measured, on what, and what is changed in it."""

    model_config = ConfigDict(
        **_Answer,
        json_schema_extra={
            "examples": [
                {"checkpoint": "copy-lstm", "lengths": [10, 20], "sequences": 100, "mode": "no_sharpening"},
                {
                    "checkpoint": "copy-lstm",
                    "interventions": [{"quantity": "interpolation_gate", "operation": "set", "value": 0.5}],
                },
            ]
        },
    )

    checkpoint: str = Field(min_length=1, max_length=200, description="Id of a checkpoint.")
    task: Task | None = Field(None, description="A task with settings; null takes the checkpoint's own.")
    lengths: Annotated[tuple[int, ...], Field(min_length=1, max_length=MAX_LENGTHS)] | None = Field(
        None, description="Values of the task's length-like setting; null takes the task's own list."
    )
    sequences: int = Field(100, strict=True, ge=1, le=MAX_SEQUENCES, description="Of each length.")
    seed: int = Field(
        EVALUATION_SEED, strict=True, ge=0, lt=2**32, description="Of the sequences; those of evaluations by default."
    )
    mode: ModeName = Field("full", description="A named list of interventions, made first.")
    interventions: Annotated[tuple[Intervention, ...], Field(max_length=MAX_INTERVENTIONS)] = Field(
        (), description="Changes to what the machine computes; none may take from another trace."
    )
    leave_constraints: bool = Field(
        False, description="Whether the changes may leave the constraints of the head parameters and weightings."
    )


class MetricsLine(Line):
    """One line of the answer to a metrics request: progress, and at last the result or an error."""

    result: Metrics | None = None


class PatchingRequest(BaseModel):
    """What is patched: quantities of the clean run, one at a time, into the corrupted one."""

    model_config = ConfigDict(
        **_Answer,
        json_schema_extra={
            "examples": [
                {
                    "clean": {"checkpoint": "copy-lstm", "task": {"name": "copy", "lengths": [5, 5]}, "seed": 0},
                    "corrupted": {"checkpoint": "copy-lstm", "task": {"name": "copy", "lengths": [5, 5]}, "seed": 1},
                    "quantities": ["weighting", "read_vector"],
                    "steps": [0, 11],
                }
            ]
        },
    )

    clean: TraceRequest = Field(description="The run that quantities are taken from, and whose targets count.")
    corrupted: TraceRequest = Field(description="The run that they are put into; it has as many steps.")
    quantities: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=16)] = PATCHED
    steps: tuple[int, int] | None = Field(
        None, description="Patch at these steps only: from the first until before the second."
    )


class PatchingRow(BaseModel):
    """One quantity of one head over the steps."""

    model_config = _Answer

    quantity: Quantity
    head: int | None = Field(description="Index on the head axis; null where no head has the quantity.")
    head_name: str | None
    loss: tuple[float | None, ...] = Field(description="Bits, of the run patched at each step; null: not a number.")
    restored: tuple[float | None, ...] = Field(
        description="(loss_corrupted − loss) / (loss_corrupted − loss_clean) at each step: 1 is as good as clean."
    )


class PatchingResult(BaseModel):
    """A map of what patches restore. Every loss is that of what the clean episode asks, in bits."""

    model_config = ConfigDict(**_Answer, ser_json_inf_nan="null")

    loss_clean: float
    loss_corrupted: float
    steps: tuple[int, int] = Field(description="From the first step until before the second.")
    rows: tuple[PatchingRow, ...]

    @classmethod
    def of(cls, found: PatchingMap) -> Self:
        """The map as JSON."""
        rows = tuple(
            PatchingRow(
                quantity=row.quantity,
                head=row.head,
                head_name=row.head_name,
                loss=tuple(loss.tolist()),
                restored=tuple(restored.tolist()),
            )
            for row, loss, restored in zip(found.rows, found.loss, found.restored, strict=True)
        )
        return cls(loss_clean=found.loss_clean, loss_corrupted=found.loss_corrupted, steps=found.steps, rows=rows)


class PatchingLine(Line):
    """One line of the answer to a patching request: progress, and at last the result or an error."""

    result: PatchingResult | None = None


class ComparedTrace(BaseModel):
    """One of the two traces that are compared: one that is recorded, or one that was uploaded."""

    model_config = _Answer

    trace: TraceRequest | None = Field(None, description="Which machine is run on what.")
    uploaded_trace: str | None = Field(None, min_length=1, max_length=200, description="Id of an uploaded trace.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.trace is None) == (self.uploaded_trace is None):
            raise ValueError("exactly one of trace and uploaded_trace must be given")
        return self


class ComparisonRequest(BaseModel):
    """Two traces to compare."""

    model_config = ConfigDict(
        **_Answer,
        json_schema_extra={
            "examples": [
                {
                    "a": {"trace": {"checkpoint": "copy-lstm", "seed": 3}},
                    "b": {"trace": {"checkpoint": "copy-feedforward", "seed": 3}},
                }
            ]
        },
    )

    a: ComparedTrace
    b: ComparedTrace
    tolerance: float = Field(TOLERANCE, ge=0, le=1e6, description="Numbers that lie no further apart do not differ.")
    offset: int = Field(
        0, strict=True, gt=-(2**31), lt=2**31, description="Step t + offset of B stands beside step t of A."
    )


class MatchingInfo(BaseModel):
    """One way to match the rows of B to those of A, and how well it fits."""

    model_config = _Answer

    name: str = Field(description='In words, such as "rotation by 3".')
    kind: Kind
    offset: int | None = Field(description="Of a rotation or reflection.")
    rows: tuple[int, ...] = Field(description="The location of B that stands for each location of A.")
    weighting: float = Field(description="Mean |Δ| of the weightings after matching.")
    memory: float | None = Field(description="Mean |Δ| of the memories; null if they cannot be subtracted.")
    difference: float = Field(description="What was minimised: Σ|A − B| over Σ|A| + Σ|B|, 0 … 1.")

    @classmethod
    def of(cls, found: Matching) -> Self:
        """The matching as JSON."""
        return cls(
            name=found.name,
            kind=found.kind,
            offset=found.offset,
            rows=tuple(found.rows.tolist()),
            weighting=found.weighting,
            memory=found.memory,
            difference=found.difference,
        )


class DivergenceInfo(BaseModel):
    """Where two traces first part."""

    model_config = _Answer

    step: int = Field(description="Index of the step of A, from 0.")
    stage: str = Field(
        description="What differs, the first in the order of computation: an array of the step by its name, or what it "
        "found, memory or weighting_before."
    )
    head: int | None = Field(description="Index on the head axis of the head that differs most; null: no head's.")
    head_name: str | None
    difference: float | None = Field(description="The largest |Δ| there; null where a number stands against NaN.")


class DivergenceResult(BaseModel):
    """What was compared step by step, and where the traces first part."""

    model_config = _Answer

    steps: int = Field(description="The steps that stand beside each other.")
    tolerance: float
    skipped: tuple[str, ...] = Field(description="Arrays that have other shapes.")
    first: DivergenceInfo | None = Field(description="Null if they do not part.")

    @classmethod
    def of(cls, found: Comparison) -> Self:
        """The comparison as JSON."""
        first = None if found.first is None else DivergenceInfo(**vars(found.first))
        return cls(steps=found.steps, tolerance=found.tolerance, skipped=found.skipped, first=first)


class ComparisonResult(BaseModel):
    """Two traces compared, as they are and with their rows matched."""

    model_config = _Answer

    divergence: DivergenceResult = Field(description="With the rows as they are.")
    matchings: tuple[MatchingInfo, ...] = Field(description="The best of each kind, the simplest first; empty if none.")
    best: str | None = Field(description="Name of the matching to use; null if there is none.")
    by_memory: bool = Field(description="Whether the memories were compared too, or the weightings alone.")
    matched_divergence: DivergenceResult | None = Field(description="With the rows matched by the best matching.")
    not_matched: str | None = Field(description="Why rows cannot be matched; null if they can.")

    @classmethod
    def of(cls, plain: Comparison, found: Matchings, matched: Comparison) -> Self:
        """The result where rows can be matched."""
        return cls(
            divergence=DivergenceResult.of(plain),
            matchings=tuple(map(MatchingInfo.of, found.found)),
            best=found.best.name,
            by_memory=found.by_memory,
            matched_divergence=DivergenceResult.of(matched),
            not_matched=None,
        )

    @classmethod
    def unmatched(cls, plain: Comparison, reason: str) -> Self:
        """The result where they cannot."""
        return cls(
            divergence=DivergenceResult.of(plain),
            matchings=(),
            best=None,
            by_memory=False,
            matched_divergence=None,
            not_matched=reason,
        )
