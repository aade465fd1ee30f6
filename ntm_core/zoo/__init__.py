"""The shipped checkpoints: machines trained by this project's own command, never edited by hand."""

from pathlib import Path

_ORDER = (
    *("copy-lstm", "copy-feedforward", "repeat-copy-lstm", "repeat-copy-feedforward"),
    *("associative-recall-lstm", "associative-recall-feedforward"),
    *("dynamic-ngrams-lstm", "dynamic-ngrams-feedforward", "priority-sort-lstm", "priority-sort-feedforward"),
)
"""Which come first where they are listed; the first is what a fresh page shows."""


def names() -> tuple[str, ...]:
    """The names of all shipped checkpoints, the default one first."""
    found = sorted(path.stem for path in Path(__file__).parent.glob("*.safetensors"))
    return tuple(sorted(found, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER)))


def series(name: str) -> tuple[int, ...]:
    """The iterations of a shipped checkpoint's training of which the zoo holds the machine too, ascending."""
    return tuple(sorted(int(path.stem) for path in (Path(__file__).parent / name).glob("*.safetensors")))


def path(name: str) -> Path:
    """The file of a shipped checkpoint: NAME, or NAME.N for the one after N iterations; `KeyError` if there is none."""
    checkpoint, dot, iteration = name.partition(".")
    if checkpoint not in names() or (dot and iteration not in map(str, series(checkpoint))):
        raise KeyError(name)
    folder = Path(__file__).parent
    return folder / checkpoint / f"{iteration}.safetensors" if dot else folder / f"{checkpoint}.safetensors"


def files() -> dict[str, Path]:
    """The file of every shipped checkpoint by its name, each followed by those of its training, NAME.N."""
    every = [one for name in names() for one in (name, *(f"{name}.{iteration}" for iteration in series(name)))]
    return {name: path(name) for name in every}
