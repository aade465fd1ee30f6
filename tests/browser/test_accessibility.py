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


COVERED = """() => {
    const {activeElement: focused} = document;
    const {left, top, width, height} = focused.getBoundingClientRect();
    const seen = document.elementFromPoint(left + Math.min(width, 20) / 2, top + Math.min(height, 20) / 2);
    return seen && (focused.contains(seen) || seen.contains(focused)) ? null : focused.outerHTML.slice(0, 200);
}"""


@pytest.mark.parametrize(("width", "height"), [(320, 256), (640, 512), (844, 390), (1440, 900)])
def test_what_has_the_focus_is_not_under_the_time_bar(new_tab: OpenTab, width: int, height: int) -> None:
    tab = new_tab(viewport={"width": width, "height": height})
    tab.open(fragment("copy-lstm", task=copying(3), seed=0))
    tab.page.locator("#step").focus()
    for key in ["Tab"] * 30 + ["Shift+Tab"] * 20:
        tab.press(key)
        assert tab.page.evaluate(COVERED) is None
    tab.page.evaluate("scrollTo(0, 1000)")
    bottom = tab.page.evaluate("document.querySelector('.timeline').getBoundingClientRect().bottom")
    assert bottom < height / 3


def test_colours_that_are_data_stay_where_the_reader_forces_others(new_tab: OpenTab) -> None:
    tab = new_tab(forced_colors="active")
    tab.open(fragment("copy-lstm", task=copying(3), seed=0, mode="no_shift", compare="[{'checkpoint':'copy-lstm'}]"))
    tab.page.locator(".operation-cell").first.scroll_into_view_if_needed()
    for data in (".strip-cells", ".operation-cell", ".band-wrong i", ".column-cursor", ".training-marks i"):
        adjust = tab.page.locator(data).first.evaluate("(element) => getComputedStyle(element).forcedColorAdjust")
        assert adjust == "none", data
    background = "(button) => getComputedStyle(button).backgroundColor"
    buttons = [tab.page.locator(f'.choice [aria-pressed="{pressed}"]').first for pressed in ("true", "false")]
    pressed, other = (button.evaluate(background) for button in buttons)
    assert pressed != other


def test_a_step_has_room_for_its_words_whatever_the_spacing(new_tab: OpenTab) -> None:
    tab = new_tab(viewport={"width": 390, "height": 844})
    tab.open(fragment("copy-lstm", task=copying(3), seed=0))
    spacing = "letter-spacing: .12em !important; word-spacing: .16em !important; line-height: 1.5 !important"
    for style in ("* {}", f"* {{ {spacing} }}"):
        tab.page.add_style_tag(content=style)
        for t in (1, 4, 7):
            tab.go_to(t)
            assert tab.page.evaluate(
                "[...document.querySelectorAll('.room > *')].every("
                "(box) => box.scrollHeight <= box.clientHeight + 1 && box.scrollWidth <= box.clientWidth + 1)"
            )


def test_fingers_have_targets_of_24_pixels_in_the_inspector(new_tab: OpenTab) -> None:
    tab = new_tab(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tab.open(fragment("copy-lstm", task=copying(3), seed=0))
    low = tab.page.evaluate(
        "[...document.querySelectorAll('.inspector button, #training')]"
        ".filter((e) => e.offsetHeight > 0 && e.offsetHeight < 24).map((e) => e.className)"
    )
    assert low == []


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
