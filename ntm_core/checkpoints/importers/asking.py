"""What an importer answers, held against what it must answer: it may be a third party's, and answer anything.

Whatever goes wrong in one is a CheckpointError that names it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch

from ntm_core.checkpoints.importers.candidate import Candidate, Question
from ntm_core.checkpoints.importers.contents import Array, Contents
from ntm_core.checkpoints.importers.encodings import Encoding
from ntm_core.checkpoints.importers.importer import Answers, Importer
from ntm_core.config import MachineConfig
from ntm_core.errors import CheckpointError, NtmError

Answer = TypeVar("Answer")

_SHOWN_CHARACTERS = 80


def likeness_of(importer: Importer, contents: Contents) -> tuple[float, tuple[str, ...]]:
    """How like its own an importer finds a file, and what is missing."""
    found: object = _asked(importer, lambda: importer.likeness(contents))
    if isinstance(found, tuple | list) and len(found) == 2:
        share, missing = found[0], _listed(importer, found[1])
        if _is_share(share) and missing is not None and all(isinstance(each, str) for each in missing):
            return float(share), tuple(missing)
    raise _wrong(importer, found, "likeness", "it must be a share of 0 … 1 and a tuple of texts, what is missing")


def questions_of(importer: Importer, contents: Contents) -> tuple[Question, ...]:
    """What an importer must know of a file."""
    found: object = _asked(importer, lambda: importer.questions(contents))
    listed = _listed(importer, found)
    if listed is None or not all(isinstance(each, Question) for each in listed):
        raise _wrong(importer, found, "questions", "it must be a tuple, each a Question")
    return listed


def answers_of(importer: Importer, questions: tuple[Question, ...], given: Answers) -> dict[str, int]:
    """The answer to each question: the one given, or the default."""
    return _asked(importer, lambda: {question.name: question.answer(given) for question in questions})


def candidates_of(importer: Importer, contents: Contents, answers: Answers) -> tuple[Candidate, ...]:
    """The machines that a file may hold: at least one, each with a name of its own."""
    found: object = _asked(importer, lambda: importer.candidates(contents, answers))
    listed = _listed(importer, found)
    if not listed or not all(isinstance(each, Candidate) for each in listed):
        raise _wrong(importer, found, "candidates", "it must be a tuple of at least one, each a Candidate")
    sound = tuple(_sound(importer, candidate) for candidate in listed)
    names = [candidate.variant for candidate in sound]
    for name in names:
        if names.count(name) > 1:
            raise _wrong(importer, name, "variant of two candidates", "it must be of one alone")
    return sound


def _asked(importer: Importer, call: Callable[[], Answer]) -> Answer:
    """What an importer answers; one that fails in any way, or would end the program, refuses the file."""
    try:
        return call()
    except NtmError:
        raise
    except (Exception, SystemExit) as error:
        raise CheckpointError(
            f"the importer {importer.name!r} failed on this file with {type(error).__name__}: {error}"
        ) from error


def _listed(importer: Importer, found: object) -> tuple[Any, ...] | None:
    """What was given, if it is several things in their order; None for a text and anything else."""
    if isinstance(found, str | bytes | Mapping) or not isinstance(found, Iterable):
        return None
    return _asked(importer, lambda: tuple(found))


def _is_share(share: object) -> bool:
    return isinstance(share, float | int | np.floating) and bool(0 <= share <= 1)


def _sound(importer: Importer, candidate: Candidate) -> Candidate:
    """The candidate, whose every part is of its kind."""
    for name, kind in (("variant", str), ("title", str), ("config", MachineConfig), ("tensors", Mapping)):
        if not isinstance(value := getattr(candidate, name), kind):
            raise _wrong(importer, value, f"{name} of a candidate", f"it must be of type {kind.__name__}")
    lists: dict[str, Any] = {}
    for name, each_kind in (("encodings", Encoding), ("inferred", str), ("assumed", str), ("warnings", str)):
        value = getattr(candidate, name)
        lists[name] = _listed(importer, value)
        if lists[name] is None or not all(isinstance(each, each_kind) for each in lists[name] or ()):
            raise _wrong(
                importer, value, f"{name} of a candidate", f"it must be a tuple, each of type {each_kind.__name__}"
            )
    tensors = {name: _array(importer, name, value) for name, value in candidate.tensors.items()}
    return replace(candidate, tensors=tensors, **lists)


def _array(importer: Importer, name: object, value: object) -> Array:
    """A tensor of a candidate as an array of numpy's, also if it is one of torch's."""
    if isinstance(value, torch.Tensor) and value.is_cpu and not value.is_complex() and not value.is_quantized:
        plain = value.detach()
        value = (plain if plain.dtype == torch.float64 else plain.float()).numpy()
    if not isinstance(name, str) or not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
        must = "it must be an array of real numbers, under a text"
        raise _wrong(importer, value, f"tensor {name!r} of a candidate", must)
    return value


def _wrong(importer: Importer, value: object, what: str, rule: str) -> CheckpointError:
    """The refusal of what an importer gave."""
    text = repr(value)
    short = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
    return CheckpointError(f"the importer {importer.name!r} gave {short} as {what}: {rule}")
