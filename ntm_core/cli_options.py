"""Command-line options made from the fields of a model, so that every field can be set and none is listed twice."""

import argparse
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ntm_core.choice_words import WORDS


def add_options(parser: argparse.ArgumentParser, title: str, model: type[BaseModel], leave_out: set[str]) -> None:
    """Add one option for each field of the model, in a group of the help with this title."""
    group = parser.add_argument_group(title)
    for name, field in model.model_fields.items():
        if name not in leave_out:
            group.add_argument(f"--{name.replace('_', '-')}", default=argparse.SUPPRESS, **_kind(name, field))


def given(arguments: argparse.Namespace, model: type[BaseModel]) -> dict[str, Any]:
    """The fields of the model whose options were given, as text for pydantic to read; `none` stands for None."""
    values = {name: value for name, value in vars(arguments).items() if name in model.model_fields}
    return {
        name: None if value == "none" and type(None) in get_args(model.model_fields[name].annotation) else value
        for name, value in values.items()
    }


def _kind(name: str, field: FieldInfo) -> dict[str, Any]:
    """How argparse takes the field: one word, one of a few words, or several words."""
    words = "; ".join(f"{value}: {meaning}" for value, meaning in WORDS.get(name, {}).items())
    default = "" if field.is_required() else f" Default: {field.default if field.default is not None else 'none'}."
    about = f"{field.description or ''}{words and f' {words}.'}{default}"
    kind: dict[str, Any] = {"help": about.replace("%", "%%")}
    if get_origin(field.annotation) is Literal:
        return kind | {"choices": get_args(field.annotation)}
    kind["metavar"] = name.rpartition("_")[2].upper()
    if any(get_origin(part) is tuple for part in (field.annotation, *get_args(field.annotation))):
        kind["nargs"] = "+"
    return kind
