"""Every number of a plot can be read without a mouse: by keyboard, by a screen reader, and by a finger."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenTab
from tests.browser.page import ScopePage, copying, fragment
from tests.browser.processes import ServerProcess

pytestmark = pytest.mark.browser

LINK = fragment("copy-lstm", task=copying(8), seed=1, t=5)
STEPS = 17


def told(tab: ScopePage) -> Locator:
    """The tooltip in sight."""
    return tab.page.locator(".tooltip:visible")


def number(text: str) -> np.float32:
    found = re.search(r"\bw = ([−\d.e-]+)", text)
    assert found, text
    return np.float32(found[1].replace("−", "-"))


def test_arrow_keys_read_a_plot_over_time_row_by_row_at_the_cursor(tab: ScopePage, server: ServerProcess) -> None:
    weighting = np.array(server.trace("copy-lstm", task=copying(8), seed=1)["step"]["weighting"], np.float32)
    tab.open(LINK)
    tab.drawn("weighting-read-0")
    tab.page.keyboard.press("Tab")
    host = tab.page.locator('[data-plot="weighting-read-0"] .plot-host').first
    host.focus()
    for location, key in enumerate(["", "ArrowDown", "ArrowDown", "ArrowDown"]):
        if key:
            host.press(key)
        expect(told(tab)).to_contain_text(f"t = 5 · location {location}")
        assert number(told(tab).inner_text()) == weighting[4, 0, location]
    expect(tab.page.locator(".views [role=status]").first).to_contain_text("t = 5 · location 3 · read 0, w = ")
    host.press("ArrowRight")
    tab.at(6, of=STEPS)
    expect(told(tab)).to_contain_text("t = 6 · location 3")
    assert number(told(tab).inner_text()) == weighting[5, 0, 3]
    host.press("Shift+ArrowDown")
    expect(told(tab)).to_contain_text("location 13")
    tab.page.keyboard.press("Tab")
    expect(tab.page.locator(".tooltip:visible")).to_have_count(0)


def test_arrow_keys_read_the_memory_cell_by_cell_and_plus_zooms(tab: ScopePage) -> None:
    tab.open(LINK)
    host = tab.drawn("memory-after").locator(".plot-host")
    tab.page.keyboard.press("Tab")
    host.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        host.press(key)
    first = told(tab).inner_text()
    host.press("End")
    assert told(tab).inner_text() != first
    tab.at(5, of=STEPS)
    host.press("Home")
    host.press("+")
    expect(tab.page).to_have_url(re.compile(r"zoom"))
    host.press("-")
    expect(tab.page).not_to_have_url(re.compile(r"zoom"))


def test_vectors_that_cannot_be_changed_can_be_read(tab: ScopePage, server: ServerProcess) -> None:
    outputs = np.array(server.trace("copy-lstm", task=copying(8), seed=1)["step"]["outputs"], np.float32)
    tab.open(LINK)
    entry = tab.page.get_by_role("slider", name="output", exact=True)
    entry.focus()
    for key in ("ArrowRight", "ArrowRight"):
        entry.press(key)
    tab.at(5, of=STEPS)
    text = entry.get_attribute("aria-valuetext")
    assert text is not None
    assert np.float32(text.rpartition(": ")[2].replace("−", "-")) == outputs[4, 2]


def test_a_tap_reads_a_value_and_the_next_one_lets_go_of_it(new_tab: OpenTab) -> None:
    tab = new_tab(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tab.open(LINK)
    said = {"weighting-read-0": "read 0", "memory-after": "M(t) =", "stage-weighting": "location", "adds": "a ="}
    for plot, words in said.items():
        host = tab.drawn(plot).locator(".plot-host")
        host.scroll_into_view_if_needed()
        box = host.bounding_box()
        assert box
        tab.page.touchscreen.tap(box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"])
        expect(told(tab)).to_contain_text(words)
    tab.page.evaluate("scrollBy(0, 40)")
    expect(told(tab)).to_have_count(0)
    strip = tab.page.locator(".strip-cells[aria-label^=output]")
    strip.scroll_into_view_if_needed()
    strip.tap()
    expect(told(tab)).to_have_count(1)
    tab.page.locator(".inspector-words").tap()
    expect(told(tab)).to_have_count(0)


def test_whoever_moved_last_is_told_and_nothing_goes_on_by_itself(tab: ScopePage) -> None:
    """The keyboard is on one plot, the pointer rests on another."""
    tab.open(LINK)
    box = tab.drawn("weighting-write-0").locator(".plot-host").bounding_box()
    host = tab.drawn("weighting-read-0").locator(".plot-host")
    tab.page.keyboard.press("Tab")
    host.focus()
    host.press("ArrowDown")
    expect(told(tab)).to_contain_text("location 1 · read 0")
    assert box
    tab.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"])
    expect(told(tab)).to_contain_text("write 0")
    expect(tab.page.locator(".plot-place")).to_be_hidden()
    tab.page.wait_for_timeout(4000)  # the pointer has moved the cursor, and plots are drawn anew
    changes = tab.page.evaluate(
        """async () => {
            let changes = 0;
            const observer = new MutationObserver((records) => { changes += records.length; });
            observer.observe(document.body, {subtree: true, attributes: true, childList: true, characterData: true});
            await new Promise((done) => setTimeout(done, 1500));
            observer.disconnect();
            return changes;
        }"""
    )
    assert changes < 50
    host.press("ArrowDown")
    expect(told(tab)).to_contain_text("location 2 · read 0")


def test_a_click_beside_the_axes_leaves_the_arrow_keys_to_the_page(tab: ScopePage) -> None:
    tab.open(LINK)
    box = tab.drawn("memory-after").locator(".plot-host").bounding_box()
    assert box
    tab.page.mouse.click(box["x"] + 3, box["y"] + box["height"] - 3)
    tab.press("ArrowRight", "ArrowRight")
    tab.at(7, of=STEPS)
