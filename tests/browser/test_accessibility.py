"""No serious violation in axe, and everything within reach of the keyboard."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenTab
from tests.browser.page import ScopePage, copying, fragment
from tests.browser.processes import CHECKOUT

pytestmark = pytest.mark.browser

AXE = CHECKOUT / "tests" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}


def violations(tab: ScopePage) -> list[str]:
    tab.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = tab.page.evaluate("axe.run()")["violations"]
    return [
        f"{violation['id']}: {node['target']}"
        for violation in found
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 400])
def test_axe_finds_no_serious_violation(new_tab: OpenTab, colours: str, width: int) -> None:
    tab = new_tab(viewport={"width": width, "height": 900}, color_scheme=colours)
    tab.open(fragment("copy-lstm", task=copying(10), seed=0, t=14))
    tab.drawn("kernel")
    assert violations(tab) == []


def test_axe_finds_no_serious_violation_in_the_dialogs(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(3), seed=0))
    for button in ("Edit input", "Keys"):
        opener = tab.page.get_by_role("button", name=button)
        if button == "Keys":
            tab.press("?")
        else:
            opener.click()
        expect(tab.page.get_by_role("dialog")).to_be_visible()
        assert violations(tab) == []
        tab.press("Escape")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_no_serious_violation_in_the_form_of_train(new_tab: OpenTab, colours: str) -> None:
    tab = new_tab(color_scheme=colours)
    tab.open(fragment("copy-lstm", task=copying(3), seed=0))
    tab.page.locator("#train").click()
    form = tab.page.get_by_role("dialog", name="Train a machine").locator("form")
    expect(form).to_be_visible()
    for summary in form.locator("summary").all():
        summary.click()
    assert violations(tab) == []


def test_the_whole_toolbar_is_within_reach_of_the_tab_key_and_shows_its_focus(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(3), seed=0))
    seen = set()
    for _ in range(40):
        tab.press("Tab")
        seen.add(tab.page.evaluate("document.activeElement.id || document.activeElement.getAttribute('aria-label')"))
        outlined = tab.page.evaluate(
            "(() => { const style = getComputedStyle(document.activeElement);"
            " return style.outlineStyle !== 'none' || style.boxShadow !== 'none'; })()"
        )
        assert outlined, f"no visible focus on {tab.page.evaluate('document.activeElement.outerHTML')[:200]}"
    assert {"model", "seed", "step", "t"} <= seen
