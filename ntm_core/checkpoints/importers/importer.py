"""What every importer of somebody's checkpoints answers. A third party's importer is a class of this kind.

To add one, write a class with the four members below (a `KeyedImporter` needs two), and name an instance of it in your
package's entry points, in the group `ntm_scope.importers`.
"""

from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable

from ntm_core.checkpoints.importers.candidate import Candidate, Question
from ntm_core.checkpoints.importers.contents import Contents
from ntm_core.checkpoints.importers.tables import Table

Answers = Mapping[str, int]


@runtime_checkable
class Importer(Protocol):
    """Recognises the files of one program and says which machines they may hold.

    Attributes:
        name: a short name, unique among all importers.
        title: what a person knows the program by.
    """

    @property
    def name(self) -> str:
        """A short name, unique among all importers."""
        ...

    @property
    def title(self) -> str:
        """What a person knows the program by."""
        ...

    def likeness(self, contents: Contents) -> tuple[float, tuple[str, ...]]:
        """How much of what such a file holds is there, 0 … 1, and what is missing; 1 means that it is such a file.

        From keys and shapes, never from a file's name.
        """
        ...

    def questions(self, contents: Contents) -> tuple[Question, ...]:
        """What must be known that the file does not tell."""
        ...

    def candidates(self, contents: Contents, answers: Answers) -> tuple[Candidate, ...]:
        """The machines that the file may hold, the likeliest first. CheckpointError names what does not fit."""
        ...


class KeyedImporter:
    """An importer of files whose arrays have names.

    Attributes:
        signature: patterns of keys that every file of the family holds; the first finds what stands before them all.
    """

    signature: ClassVar[tuple[str, ...]]

    def likeness(self, contents: Contents) -> tuple[float, tuple[str, ...]]:
        """The share of the signature that is there, and the patterns that are missing."""
        missing = contents.missing(self.signature)
        return 1 - len(missing) / len(self.signature), missing

    def questions(self, _contents: Contents) -> tuple[Question, ...]:
        """Nothing: shapes tell all."""
        return ()

    def table(self, contents: Contents) -> Table:
        """The model's tensors, without what stands before their names."""
        return Table(contents.under(contents.prefix(self.signature[0]) or ""))
