"""The shipped checkpoints: machines trained by this project's own command, never edited by hand."""

from pathlib import Path

_ORDER = ("copy-lstm", "copy-feedforward", "associative-recall-lstm")
"""Which come first where they are listed; the first is what a fresh page shows."""


def names() -> tuple[str, ...]:
    """The names of all shipped checkpoints, the default one first."""
    found = sorted(path.stem for path in Path(__file__).parent.glob("*.safetensors"))
    return tuple(sorted(found, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER)))


def path(name: str) -> Path:
    """The file of a shipped checkpoint; `KeyError` for an unknown name."""
    if name not in names():
        raise KeyError(name)
    return Path(__file__).parent / f"{name}.safetensors"
