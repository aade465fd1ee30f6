"""Importers: from files that other programs wrote to machines of ours. One module a program.

`Contents.of(open_container(data))` is a file's named arrays; `import_contents(contents)` finds the importer that knows
them, tries the candidates, and gives an `Import`, whose `checkpoint()` is a native one. An importer of your own is a
class as `importer.Importer` says, named as an entry point in the group `ntm_scope.importers`.
"""

from ntm_core.checkpoints.importers.candidate import Candidate, Question, UnansweredError
from ntm_core.checkpoints.importers.contents import Contents
from ntm_core.checkpoints.importers.detective import Finding, investigate
from ntm_core.checkpoints.importers.encodings import Encoding
from ntm_core.checkpoints.importers.importer import Importer, KeyedImporter
from ntm_core.checkpoints.importers.importing import Import, Wishes, import_contents
from ntm_core.checkpoints.importers.registry import registry

__all__ = [
    "Candidate",
    "Contents",
    "Encoding",
    "Finding",
    "Import",
    "Importer",
    "KeyedImporter",
    "Question",
    "UnansweredError",
    "Wishes",
    "import_contents",
    "investigate",
    "registry",
]
