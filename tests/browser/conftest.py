"""A real server, started as a person starts it, and a real Chromium."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes
from ntm_core.hand_compiled import hand_compiled_copy
from ntm_core.tasks import Copy
from tests.browser.page import PATIENCE, ScopePage
from tests.browser.processes import CHECKOUT, CHROMIUM_ARGUMENTS, ServerProcess

expect.set_options(timeout=PATIENCE)

OUTPUT = CHECKOUT / "tests" / "output"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="session")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
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
