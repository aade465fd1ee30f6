"""A real server, started as a person starts it, and a real Chromium."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Self

import httpx2
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes
from ntm_core.hand_compiled import hand_compiled_copy
from ntm_core.tasks import Copy
from tests.browser.page import PATIENCE, ScopePage

expect.set_options(timeout=PATIENCE)

CHECKOUT = Path(__file__).parents[2]
OUTPUT = CHECKOUT / "tests" / "output"
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class ServerProcess:
    """The command `ntm-scope` on a free port, with a data directory of its own."""

    def __init__(self, data: Path, port: int = 0) -> None:
        command = [sys.executable, "-m", "server", "--port", str(port), "--data-directory", str(data)]
        self._process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, env={**os.environ})
        output: IO[str] | None = self._process.stdout
        assert output is not None
        line = output.readline()
        found = re.search(r"http://[^\s]+", line)
        assert found, f"the server said {line!r} instead of its address"
        self.url = found[0].rstrip("/")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server as Ctrl-C does."""
        self._process.terminate()
        self._process.communicate(timeout=30)

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def trace(self, checkpoint: str, **asked: Any) -> dict[str, Any]:
        """The trace as another program gets it: JSON."""
        with httpx2.Client(base_url=self.url, timeout=60, trust_env=False) as client:
            answer = client.post("/api/traces?format=json", json={"checkpoint": checkpoint, **asked})
            answer.raise_for_status()
            found: dict[str, Any] = json.loads(answer.text)
            return found


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="session")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        yield launched
        launched.close()


OpenTab = Callable[..., ScopePage]


@pytest.fixture
def new_tab(browser: Browser, server: ServerProcess) -> Iterator[OpenTab]:
    """Opens tabs, each in a browser profile of its own; at the end none may have had a problem."""
    tabs: list[ScopePage] = []

    def open_tab(base: str = server.url, **context: Any) -> ScopePage:
        options: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light", **context}
        tab = ScopePage(browser.new_context(**options).new_page(), base)
        tabs.append(tab)
        return tab

    yield open_tab
    problems = [problem for tab in tabs for problem in tab.problems]
    for tab in tabs:
        tab.page.context.close()
    assert problems == []


@pytest.fixture
def tab(new_tab: OpenTab) -> ScopePage:
    return new_tab()


@pytest.fixture(scope="session")
def hand_compiled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint file as a person has it: the machine whose weights were set by hand."""
    path = tmp_path_factory.mktemp("files") / "by-hand.safetensors"
    checkpoint = Checkpoint.of(hand_compiled_copy(memory_size=32), task=Copy(lengths=(1, 20)).model_dump(mode="json"))
    path.write_bytes(checkpoint_bytes(checkpoint))
    return path
