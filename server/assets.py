"""The page's files: the frontend, its bundles, and plotly.js out of the installed Python package."""

import gzip
import hashlib
import importlib.util
import mimetypes
import os
import re
import threading
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from server import bundle

# Windows takes these from its registry, where any program may have changed them; a browser insists on them.
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

_REVALIDATE = "no-cache"
_FOREVER = "public, max-age=31536000, immutable"
_BANNER_CHARACTERS = 400
_VERSION = re.compile(r"v-[0-9a-f]{16}")
_COMPRESSING = threading.Lock()

_COMPILE_HINT = b"//# allFunctionsCalledOnLoad\n"
"""As a script's first line: V8 compiles all of it beside the page's own thread while it arrives, and each function once
rather than up to four times, since it lies in functions within functions. To evaluate plotly.js stops the page for half
as long. Other engines see a comment."""


_BUNDLES = {
    "page.js": (bundle.script, "src/main.js"),
    "thread.js": (bundle.script, "src/streams/thread.js"),
    "page.css": (bundle.style_sheet, "styles/page.css"),
}


def frontend_directory() -> Path:
    """Where the page's files are: inside this package once installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "frontend"
    return installed if installed.is_dir() else package.parent / "frontend"


class Plotly:
    """plotly.js, compressed once."""

    def __init__(self) -> None:
        package = importlib.util.find_spec("plotly")
        if package is None or package.origin is None:
            raise RuntimeError("the Python package plotly, which carries plotly.js, is not installed")
        self._file = Path(package.origin).parent / "package_data" / "plotly.min.js"
        with self._file.open(encoding="utf-8") as file:
            banner = file.read(_BANNER_CHARACTERS)
        version = re.search(r"plotly\.js v(\d+\.\d+\.\d+)", banner)
        if version is None:
            raise RuntimeError(f"{self._file} does not say which version of plotly.js it is")
        self.version = version[1]
        self.path = f"/vendor/plotly-{self.version}.min.js"

    def response(self, request_headers: Headers) -> Response:
        """The script, compressed if the client takes that; it never changes under this path."""
        response = _compressed(partial(_hinted, self._file), self.compress, _MEDIA_TYPES[".js"], request_headers)
        response.headers["Cache-Control"] = _FOREVER
        return response

    def compress(self) -> bytes:
        """The script's gzip, made once; a second caller waits for the first."""
        with _COMPRESSING:
            return _gzip(self._file)


def index_response(files: "PageFiles", plotly: Plotly, lists: str, request_headers: Headers) -> Response:
    """The page, told where plotly.js and the page's own files are, and the lists that it begins with, a JSON text."""
    html = (files.root / "index.html").read_text(encoding="utf-8")
    # Whatever a name in the lists says, it does not end the element that they stand in.
    inert = lists.replace("<", "\\u003c")
    for name, value in (("plotly", plotly.path), ("static", f"/static/{files.version()}"), ("lists", inert)):
        html = html.replace(f"{{{{{name}}}}}", value)
    tag = f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
    headers = {"Cache-Control": _REVALIDATE, "ETag": tag}
    known = [given.strip().removeprefix("W/") for given in request_headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(html, headers=headers, media_type="text/html")


class PageFiles(StaticFiles):
    """The files of a directory, never a part of one; and bundles of them.

    The page's scripts are `page.js`, those of its thread `thread.js`, all style sheets `page.css`.
    Under /static/VERSION, as the page names them, a browser keeps them for good: when one changes, the page names
    another version. Without the version, or under another, they are asked for anew each time and sent only if they
    changed.
    """

    def __init__(self, directory: Path) -> None:
        for ending, media_type in _MEDIA_TYPES.items():
            mimetypes.add_type(media_type, ending)
        self.root = directory
        self._bundles: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self._bundling = threading.Lock()
        super().__init__(directory=directory)

    def version(self) -> str:
        """What changes whenever a file does: as a folder of the address it lets the others be kept for good."""
        found = [(path, (status := path.stat()).st_mtime_ns, status.st_size) for path in self._paths()]
        return "v-" + hashlib.sha256(repr(found).encode()).hexdigest()[:16]

    def _paths(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*.*") if path.suffix in _MEDIA_TYPES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for one file."""
        headers = [(name, value) for name, value in scope["headers"] if name not in (b"range", b"if-range")]
        await super().__call__({**scope, "headers": headers}, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file's response, or 304 if the client has it."""
        version, _, inside = path.partition(os.sep)
        versioned = _VERSION.fullmatch(version) is not None
        current = versioned and version == self.version()
        if versioned and inside in _BUNDLES:
            response = await run_in_threadpool(self._bundle_response, inside, Headers(scope=scope))
        else:
            response = await super().get_response(inside if versioned else path, scope)
        response.headers["Cache-Control"] = _FOREVER if current and response.status_code < 400 else _REVALIDATE
        return response

    def prepare(self) -> None:
        """Make the bundles, so that the first visitor need not wait for them."""
        for name in _BUNDLES:
            self._bundle(name)

    def _bundle_response(self, name: str, request_headers: Headers) -> Response:
        plain, compressed = self._bundle(name)
        return _compressed(lambda: plain, lambda: compressed, _MEDIA_TYPES[Path(name).suffix], request_headers)

    def _bundle(self, name: str) -> tuple[bytes, bytes]:
        """All files of a kind in one, and its gzip, made once for each version of them."""
        key = (name, self.version())
        make, entry = _BUNDLES[name]
        with self._bundling:
            if key not in self._bundles:
                plain = make(self.root / entry).encode()
                others = {known: made for known, made in self._bundles.items() if known[0] != name}
                self._bundles = {**others, key: (plain, gzip.compress(plain, 6, mtime=0))}
            return self._bundles[key]


def _compressed(
    plain: Callable[[], bytes], compressed: Callable[[], bytes], media_type: str, request_headers: Headers
) -> Response:
    """One of two forms of a file, as the client takes it."""
    gzipped = _accepts_gzip(request_headers.get("accept-encoding", ""))
    headers = {"Vary": "Accept-Encoding", **({"Content-Encoding": "gzip"} if gzipped else {})}
    return Response(compressed() if gzipped else plain(), headers=headers, media_type=media_type)


def _hinted(file: Path) -> bytes:
    return _COMPILE_HINT + file.read_bytes()


@cache
def _gzip(file: Path) -> bytes:
    return gzip.compress(_hinted(file), 6, mtime=0)


def _accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header names gzip without refusing it."""
    for choice in accept_encoding.lower().split(","):
        name, _, weight = choice.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
