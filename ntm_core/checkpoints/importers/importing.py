"""From the contents of somebody's file to a machine of ours, with everything that was inferred, assumed and asked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ntm_core.checkpoints.containers.wording import shown
from ntm_core.checkpoints.importers.asking import answers_of, candidates_of, likeness_of, questions_of
from ntm_core.checkpoints.importers.candidate import Candidate, Question, UnansweredError
from ntm_core.checkpoints.importers.contents import Contents
from ntm_core.checkpoints.importers.detective import Finding, investigate
from ntm_core.checkpoints.importers.encodings import Encoding
from ntm_core.checkpoints.importers.importer import Importer
from ntm_core.checkpoints.importers.registry import registry
from ntm_core.checkpoints.native import Checkpoint, CheckpointLimits
from ntm_core.config import MachineConfig
from ntm_core.errors import CheckpointError, ConfigError, NtmError

_SHOWN_TENSORS = 40

_NEAR = 2.0
"""Losses within this factor tell no difference: the file's own evidence then decides."""


@dataclass(frozen=True)
class Wishes:
    """What a person decides about an import, in place of what would be guessed.

    Attributes:
        importer: name of the importer.
        variant: variant of the candidate.
        encoding: name of the task's encoding.
        answers: answers to the importer's questions.
        choices: fields of `MachineConfig` to set otherwise.
    """

    importer: str | None = None
    variant: str | None = None
    encoding: str | None = None
    answers: Mapping[str, int] | None = None
    choices: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """CheckpointError for what is no wish."""
        for name in ("importer", "variant", "encoding"):
            if not isinstance(value := getattr(self, name), str | None):
                raise CheckpointError(f"the wish {name} is {value!r}: it must be a name")
        for name in ("answers", "choices"):
            if not isinstance(value := getattr(self, name), Mapping | None):
                raise CheckpointError(f"the wish {name} is {value!r}: it must be an object, with a value for each name")
        for name in self.choices or {}:
            if name not in MachineConfig.model_fields:
                raise CheckpointError(f"the wish choices names {name!r}, which is no choice of a machine")


@dataclass(frozen=True, eq=False)
class Import:
    """What a file turned out to be.

    Attributes:
        container: the kind of container it is.
        unread: what lies beside the machine and was left unread, and why.
        importer: name of the importer that read it.
        title: the program that wrote it.
        questions: what the file does not tell and was answered, or taken as its default.
        answers: the answer to each question.
        candidates: the machines that it may be, in the importer's order.
        ranking: how they did on their tasks, the best first; empty if none has a task to try.
        chosen: the machine.
        encoding: its task; None if no task has its channels.
        reason: why this machine, in a sentence.
        wishes: what a person decided about it.
        limits: the largest machine that may be made of it.
    """

    container: str
    unread: tuple[str, ...]
    importer: str
    title: str
    questions: tuple[Question, ...]
    answers: dict[str, int]
    candidates: tuple[Candidate, ...]
    ranking: tuple[Finding, ...]
    chosen: Candidate
    encoding: Encoding | None
    reason: str
    wishes: Wishes
    limits: CheckpointLimits

    def checkpoint(self) -> Checkpoint:
        """The machine as a native checkpoint, whose origin says all that `about` does."""
        return self.chosen.checkpoint(self.encoding, self.limits, self.about())

    def about(self) -> dict[str, Any]:
        """All of it but the numbers, as JSON data: to be shown, and kept beside the checkpoint."""
        return {
            "container": self.container,
            "importer": self.importer,
            "title": self.title,
            "variant": self.chosen.variant,
            "variant_title": self.chosen.title,
            "reason": self.reason,
            "dtype": self.chosen.dtype,
            "inferred": [*self.chosen.inferred, *(f"left unread: {what}" for what in self.unread)],
            "assumed": list(self.chosen.assumed),
            "warnings": list(self.chosen.warnings),
            "questions": [{**asdict(question), "answer": self.answers[question.name]} for question in self.questions],
            "variants": [{"variant": each.variant, "title": each.title} for each in self.candidates],
            "encoding": None if self.encoding is None else self.encoding.about(),
            "encodings": [encoding.about() for encoding in self.chosen.encodings],
            "ranking": [
                {**asdict(finding), "loss": finding.loss if math.isfinite(finding.loss) else None}
                for finding in self.ranking
            ],
            "wishes": {
                **asdict(self.wishes),
                "answers": dict(self.wishes.answers or {}),
                "choices": dict(self.wishes.choices or {}),
            },
        }


def import_contents(
    contents: Contents, wishes: Wishes | None = None, limits: CheckpointLimits | None = None, *, detect: bool = True
) -> Import:
    """The machine in a file, as wished or else as its numbers suggest; CheckpointError says why there is none.

    With `detect`, every candidate is tried on its tasks; without, the importer's first one is taken.
    """
    wishes, limits = wishes or Wishes(), limits or CheckpointLimits()
    importer = _importer(contents, wishes.importer)
    try:
        questions = questions_of(importer, contents)
        given = wishes.answers or {}
        if missing := [each for each in questions if each.default is None and each.name not in given]:
            raise UnansweredError(importer.title, questions, missing)
        answers = answers_of(importer, questions, given)
        candidates = candidates_of(importer, contents, answers)
        candidates = tuple(_with_choices(candidate, wishes.choices or {}) for candidate in candidates)
    except ConfigError as error:
        raise CheckpointError(f"this {importer.title} file describes a machine that cannot be: {error}") from None
    for candidate in candidates:
        candidate.checkpoint(limits=limits)
    if unknown := set(given) - set(answers):
        raise CheckpointError(
            f"{sorted(unknown)} answer no question: this file leaves {sorted(answers) or 'nothing'} open"
        )
    ranking = investigate([_as_wished(candidate, wishes) for candidate in candidates]) if detect else ()
    chosen, encoding, reason = _choose(candidates, ranking, wishes)
    return Import(
        container=contents.kind,
        unread=contents.unread,
        importer=importer.name,
        title=importer.title,
        questions=questions,
        answers=answers,
        candidates=candidates,
        ranking=ranking,
        chosen=chosen,
        encoding=encoding,
        reason=reason,
        wishes=wishes,
        limits=limits,
    )


def _importer(contents: Contents, wished: str | None) -> Importer:
    known = registry().importers
    if wished is not None:
        for importer in known:
            if importer.name == wished:
                return importer
        raise CheckpointError(f"there is no importer {wished!r}: there are {', '.join(each.name for each in known)}")
    likeness = {importer.name: _likeness(importer, contents) for importer in known}
    for importer in known:
        if likeness[importer.name][0] == 1:
            return importer
    raise CheckpointError(_unknown_layout(contents, known, likeness))


def _likeness(importer: Importer, contents: Contents) -> tuple[float, tuple[str, ...], str]:
    """How like its own an importer finds a file, what is missing, and what is wrong with the importer.

    One that fails knows nothing of the file, and harms no other.
    """
    try:
        return (*likeness_of(importer, contents), "")
    except NtmError as error:
        return 0.0, (), str(error)


def _unknown_layout(
    contents: Contents, known: Sequence[Importer], likeness: Mapping[str, tuple[float, tuple[str, ...], str]]
) -> str:
    """The keys and shapes that were found, the nearest family and what it lacks."""
    found = [f"{shown(name)} {tuple(array.shape)}" for name, array in contents.tensors.items()]
    more = f" and {len(found) - _SHOWN_TENSORS} more" if len(found) > _SHOWN_TENSORS else ""
    holds = "; ".join(found[:_SHOWN_TENSORS]) + more if found else "no array"
    nearest = max(known, key=lambda importer: likeness[importer.name][0])
    share, missing, _ = likeness[nearest.name]
    problems = (*registry().problems, *(failed for _, _, failed in likeness.values() if failed))
    broken = "".join(f"; {problem}" for problem in problems)
    near = f"the nearest is {nearest.title}, of which {', '.join(missing)} is missing" if share else "none is near"
    return f"no importer knows this layout ({near}); the file holds {holds}{broken}"


def _with_choices(candidate: Candidate, choices: Mapping[str, Any]) -> Candidate:
    """The candidate with some choices made otherwise."""
    if not choices:
        return candidate
    config = MachineConfig.make(**{**candidate.config.model_dump(), **choices})
    said = tuple(f"{name} = {value!r}, as wished" for name, value in choices.items())
    return replace(candidate, config=config, assumed=(*candidate.assumed, *said))


def _as_wished(candidate: Candidate, wishes: Wishes) -> Candidate:
    """The candidate with only those tasks that may be chosen."""
    if wishes.variant not in (None, candidate.variant):
        return replace(candidate, encodings=())
    if wishes.encoding is None:
        return candidate
    return replace(candidate, encodings=tuple(each for each in candidate.encodings if each.name == wishes.encoding))


def _choose(
    candidates: Sequence[Candidate], ranking: Sequence[Finding], wishes: Wishes
) -> tuple[Candidate, Encoding | None, str]:
    """The candidate, its task, and why: as wished; else the likeliest pair that knows its task; else the first."""
    known = {candidate.variant: candidate for candidate in candidates}
    if wishes.variant is not None and wishes.variant not in known:
        raise CheckpointError(f"there is no variant {wishes.variant!r} of this file: there are {', '.join(known)}")
    best = _best(ranking, list(known))
    chosen = known[wishes.variant or (best.variant if best else candidates[0].variant)]
    encoding = _encoding(chosen, wishes.encoding or (best.encoding if best else None))
    if wishes.variant is not None:
        return chosen, encoding, "as wished"
    if best is not None:
        loss = f"mean loss {best.loss:.2g} bits a bit over {best.sequences} sequences"
        return chosen, encoding, f"the likeliest by what the file holds, of those with about the smallest loss: {loss}"
    tried = "no candidate knows a task that has its channels" if ranking else "nothing was tried"
    return chosen, encoding, f"the likeliest by what the file holds; {tried}"


def _best(findings: Sequence[Finding], order: Sequence[str]) -> Finding | None:
    """Of those that solve their task with about the smallest loss, the importer's likeliest; None if none does."""
    if not findings or not findings[0].solves:
        return None
    near = [finding for finding in findings if finding.solves and finding.loss <= _NEAR * findings[0].loss]
    return min(near, key=lambda finding: order.index(finding.variant))


def _encoding(chosen: Candidate, name: str | None) -> Encoding | None:
    for encoding in chosen.encodings:
        if name in (None, encoding.name):
            return encoding
    if name is not None:
        offered = ", ".join(encoding.name for encoding in chosen.encodings) or "none"
        raise CheckpointError(f"there is no encoding {name!r} for this file: there are {offered}")
    return None
