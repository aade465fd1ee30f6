"""Which importers there are: ours, and those of installed packages that name theirs as an entry point."""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from ntm_core.checkpoints.importers.clemkoa import Clemkoa
from ntm_core.checkpoints.importers.fumin import Fumin
from ntm_core.checkpoints.importers.importer import Importer
from ntm_core.checkpoints.importers.lasagne import Lasagne
from ntm_core.checkpoints.importers.loudinthecloud import Loudinthecloud
from ntm_core.checkpoints.importers.own_state_dict import OwnStateDict
from ntm_core.checkpoints.importers.rs9000 import Rs9000
from ntm_core.checkpoints.importers.vlgiitr import Vlgiitr

GROUP = "ntm_scope.importers"
"""The entry point group in which a package names an `Importer`: an instance, or a class that needs no arguments."""

OWN: tuple[Importer, ...] = (Loudinthecloud(), Vlgiitr(), Clemkoa(), Rs9000(), Lasagne(), Fumin(), OwnStateDict())


@dataclass(frozen=True)
class Registry:
    """All importers, ours first, and why some entry points are not among them."""

    importers: tuple[Importer, ...]
    problems: tuple[str, ...]


@cache
def registry() -> Registry:
    """What is installed; looked up once. An entry point that cannot be used harms no other importer."""
    found, problems = list(OWN), []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            importer = _load(point)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plug-in may fail in any way
            problems.append(f"entry point {point.value!r} of {GROUP} cannot be used: {error}")
            continue
        if any(importer.name == other.name for other in found):
            problems.append(f"entry point {point.value!r} of {GROUP}: the name {importer.name!r} is taken")
        else:
            found.append(importer)
    return Registry(tuple(found), tuple(problems))


def _load(point: EntryPoint) -> Importer:
    loaded = point.load()
    importer = loaded() if isinstance(loaded, type) else loaded
    if not isinstance(importer, Importer):
        raise TypeError("it is not an Importer, which has name, title, likeness, questions and candidates")
    return importer
