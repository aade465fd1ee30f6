"""Modules as one script, and the page's style sheets as one: a browser asks for three files instead of a hundred.

A module becomes a function that is called once, after all that it imports, and gives back what it exports. This holds
for modules like this page's, which import by name at the top of the file, export where they declare, and never import
each other in a circle; `BundleError` names the file that does anything else.
"""

import re
from collections.abc import Iterator
from pathlib import Path

_IMPORT = re.compile(r"^import \{([^}]*)\} from '(\.[^']*\.js)';$", re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:(?:async )?function\*?|class|const) ([\w$]+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import\b|export\b).*|\bimport\.meta\b.*|^[^/*]*\bimport\(.*", re.MULTILINE)
_COMMENT = re.compile(r"^ *(?:/\*\*(?:(?!\*/).)*\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
_SHEET = re.compile(r"^@import '(\.[^']*\.css)';$", re.MULTILINE)


class BundleError(Exception):
    """A file is not written as the bundle needs it."""


def script(entry: Path) -> str:
    """One script that does what the module `entry` and all that it imports do."""
    numbers: dict[Path, int] = {}
    return "".join(_function(path, numbers) for path in _in_order(entry.resolve(), (), numbers))


def style_sheet(entry: Path) -> str:
    """The style sheets that `entry` imports, one after another in its order."""
    sources = _SHEET.findall(entry.read_text(encoding="utf-8"))
    return "\n".join((entry.parent / source).read_text(encoding="utf-8") for source in sources)


def _in_order(path: Path, above: tuple[Path, ...], numbers: dict[Path, int]) -> Iterator[Path]:
    """The modules below `path` and itself, each once, after those that it imports; each gets its number."""
    if path in above:
        circle = " imports ".join(one.name for one in (*above[above.index(path) :], path))
        raise BundleError(f"{circle}: a module must not import itself")
    for _, source in _IMPORT.findall(path.read_text(encoding="utf-8")):
        below = (path.parent / source).resolve()
        if below not in numbers:
            yield from _in_order(below, (*above, path), numbers)
    numbers[path] = len(numbers)
    yield path


def _function(path: Path, numbers: dict[Path, int]) -> str:
    """A module's source as a constant that holds what it exports."""
    source = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), path.read_text(encoding="utf-8"))
    exported = ", ".join(name for _, name in _EXPORT.findall(source))
    body = _EXPORT.sub(r"\1", _IMPORT.sub(lambda found: _constants(path, found, numbers), source))
    other = _OTHER.search(body)
    if other:
        raise BundleError(
            f"{path.name} says {other[0]!r}: the bundle knows import {{…}} from, and export before a name"
        )
    return f"// {path.name}\nconst $module{numbers[path]} = (() => {{\n{body}\nreturn {{{exported}}};\n}})();\n"


def _constants(path: Path, found: re.Match[str], numbers: dict[Path, int]) -> str:
    """An import as constants out of the other module's exports, on as many lines."""
    names = re.sub(r"([\w$]+) as ([\w$]+)", r"\1: \2", found[1])
    return f"const {{{names}}} = $module{numbers[(path.parent / found[2]).resolve()]};"
