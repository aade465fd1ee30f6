"""The page's modules and style sheets, each kind as one file."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from server.assets import frontend_directory
from server.bundle import BundleError, script, style_sheet


def write(folder: Path, **sources: str) -> Path:
    """The module `main.js` of these, with the others beside it."""
    for name, source in sources.items():
        (folder / f"{name}.js").write_text(source, encoding="utf-8")
    return folder / "main.js"


def run(source: str, folder: Path, *options: str) -> str:
    """What a script prints."""
    file = folder / "bundle.mjs"
    file.write_text(source, encoding="utf-8")
    node = shutil.which("node")
    assert node, "the tests need Node.js"
    return subprocess.run([node, *options, file], capture_output=True, check=True, text=True, timeout=60).stdout.strip()


MODULES = {
    "main": (
        "import {\n  Box, count as number,\n} from './shapes.js';\nimport {half} from './half.js';\n"
        "console.log(JSON.stringify([new Box(4).size, number(), half(3), typeof secret]));\n"
    ),
    "shapes": (
        "import {half} from './half.js';\nexport class Box { constructor(a) { this.size = half(a) * secret; } }\n"
        "const secret = 10;\nlet calls = 0;\nexport const count = () => ++calls;\nexport function* none() {}\n"
        "export async function* later() {}\ncount();\n"
    ),
    "half": "/** import {nothing} from './nowhere.js' */\nexport function half(x) { return x / 2; }\n",
}


def test_a_bundle_does_what_its_modules_do(tmp_path: Path) -> None:
    """A module runs once, keeps its own names, and exports classes, constants and functions of all kinds."""
    assert run(script(write(tmp_path, **MODULES)), tmp_path) == json.dumps([20, 2, 1.5, "undefined"]).replace(" ", "")


def test_the_page_itself_makes_a_script_that_is_well_formed(tmp_path: Path) -> None:
    """That it works, the browser tests show: the page has no other."""
    sources = [script(frontend_directory() / "src" / entry) for entry in ("main.js", "streams/thread.js")]
    assert [run(source, tmp_path, "--check") for source in sources] == ["", ""]
    bundled = {name for source in sources for name in re.findall(r"^// (\S+\.js)$", source, re.MULTILINE)}
    assert bundled == {path.name for path in (frontend_directory() / "src").rglob("*.js")}


def test_comments_stay_where_they_were_written(tmp_path: Path) -> None:
    source = (
        "/** @type {string} A word. */\nconst a = '// no comment';\n/**\n * @param {number} x\n */\n"
        "function f(x) {\n  // Why.\n  return `${x}\n * kept`; // here\n}\n"
        "  /** one */ const b = 1;\nconsole.log(a, f(b));\n"
    )
    bundle = script(write(tmp_path, main=source))
    assert "@" not in bundle
    assert "Why" not in bundle
    assert run(bundle, tmp_path) == "// no comment 1\n * kept"


@pytest.mark.parametrize(
    ("main", "named"),
    [
        ("import all from './half.js';", "import all from"),
        ("import * as all from './half.js';", "import \\* as all"),
        ("import './half.js';", "import './half.js'"),
        ("export default 3;", "export default"),
        ("const a = 1;\nexport {a as b};", "export {a as b}"),
        ("export * from './half.js';", "export \\*"),
        ("export const {a, b} = {a: 1, b: 2};", "export const {a, b}"),
        ("console.log(import.meta.url);", "import.meta"),
        ("const later = import('./half.js');", "import\\("),
        ("import {half} from 'half';", "from 'half'"),
    ],
)
def test_what_the_bundle_does_not_know_is_refused_by_file(tmp_path: Path, main: str, named: str) -> None:
    with pytest.raises(BundleError, match=f"main.js says .*{named}"):
        script(write(tmp_path, main=f"{main}\n", half=MODULES["half"]))


def test_modules_that_import_each_other_are_refused(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        main="import {a} from './a.js';\n",
        a="import {b} from './b.js';\nexport const a = 1;\n",
        b="import {a} from './a.js';\nexport const b = 2;\n",
    )
    with pytest.raises(BundleError, match=r"a.js imports b.js imports a.js: a module must not import itself"):
        script(main)


def test_style_sheets_follow_each_other_in_the_order_of_their_imports(tmp_path: Path) -> None:
    (tmp_path / "page.css").write_text("@import './b.css';\n@import './a.css';\n", encoding="utf-8")
    (tmp_path / "a.css").write_text("a { color: red; }", encoding="utf-8")
    (tmp_path / "b.css").write_text("b { color: blue; }", encoding="utf-8")
    assert style_sheet(tmp_path / "page.css") == "b { color: blue; }\na { color: red; }"
