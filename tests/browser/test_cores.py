"""What computed the trace is said where it is not the compiled core, which people otherwise take for granted."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.processes import ServerProcess

pytestmark = pytest.mark.browser

EAGER = "computed by PyTorch, step by step"


def test_where_numba_is_missing_the_page_says_that_it_is_slow_and_why(new_tab: OpenTab, tmp_path: Path) -> None:
    with ServerProcess(tmp_path, numba=False) as slow:
        tab = new_tab(slow.url)
        tab.open()
        note = tab.page.locator("#result").get_by_text(EAGER)
        expect(note).to_be_visible()
        expect(note).to_have_attribute("title", re.compile("numba is not installed"))
        tab.page.locator("#about-model").click()
        about = tab.page.get_by_role("dialog", name="About this model")
        expect(about).to_contain_text(f"The trace on screen was {EAGER}. This takes ten times as long")
        tab.page.close()
