"""A page whose script cannot be loaded, as behind a proxy that puts a path before it."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenTab

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_it_says_so(new_tab: OpenTab, motion: str) -> None:
    tab = new_tab(reduced_motion=motion)

    def refuse(route: Route) -> None:
        route.fulfill(status=404)

    for path in ("page.js", "page.css"):
        tab.page.route(f"**/{path}", refuse)
    tab.page.goto(f"{tab.base}/")
    expect(tab.page.get_by_text("The page’s script has not been loaded.")).to_be_hidden()
    expect(tab.page.get_by_text("The page’s script has not been loaded.")).to_be_visible()
    assert all("404" in problem for problem in tab.problems)
    tab.problems.clear()
