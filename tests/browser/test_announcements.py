"""What a screen reader is told: every change that a person makes, once, and nothing that only passes by."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.page import SECOND, ScopePage, copying, fragment
from tests.browser.test_training import start, stop_and_delete

pytestmark = pytest.mark.browser

LISTEN = """() => {
    const live = '[role=status], [role=alert], [aria-live=polite], [aria-live=assertive], output';
    window.heard = [];
    new MutationObserver((records) => {
        const places = records.map(({target}) => (target.closest ? target : target.parentElement));
        const regions = new Set(places.map((place) => place?.closest(live)));
        for (const region of regions) if (region?.textContent) window.heard.push(region.textContent);
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def heard(tab: ScopePage, seconds: float) -> list[str]:
    """What live regions come to say in so many seconds from now."""
    tab.page.evaluate(LISTEN)
    tab.page.wait_for_timeout(seconds * SECOND)
    found: list[str] = tab.page.evaluate("window.heard")
    return found


def said(tab: ScopePage) -> Locator:
    return tab.page.locator("#said")


def test_who_moves_the_cursor_by_keys_or_buttons_is_told_where_it_stands(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(10), seed=0, t=14))
    expect(said(tab)).to_be_empty()
    tab.press("ArrowRight")
    expect(said(tab)).to_have_text("t = 15 of 21, output")
    tab.page.get_by_role("button", name="Step back").click()
    expect(said(tab)).to_have_text("t = 14 of 21, output")
    tab.press("p")
    expect(said(tab)).to_have_text("pinned t = 14")
    tab.press("d")
    expect(said(tab)).to_have_text("difference on")
    tab.press("p")
    expect(said(tab)).to_have_text("unpinned, difference off")
    tab.press("h")
    expect(said(tab)).to_have_text("head write 0")
    tab.press("[")
    expect(said(tab)).to_have_text("loop t = 14 to 21")
    tab.press("Escape")
    expect(said(tab)).to_have_text("no loop")
    tab.press("9")
    tab.page.get_by_role("button", name="Play (Space)").click()
    expect(said(tab)).to_have_text("the end, t = 21 of 21, output")


def test_nothing_is_said_while_the_cursor_runs_nor_what_the_slider_says_itself(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(10), seed=0, t=1))
    tab.press("1", "Space")
    assert heard(tab, 1) == []
    tab.press("Space")
    expect(said(tab)).to_have_text(re.compile(r"paused, t = \d+ of 21, input"))
    tab.page.locator("#step").focus()
    tab.press("ArrowRight")
    assert heard(tab, 1) == []
    tab.press("p")
    expect(said(tab)).to_have_text(re.compile("pinned t"))


def test_a_run_that_is_watched_says_its_result_now_and_then(tab: ScopePage) -> None:
    tab.open()
    bar = start(tab, "watched", memory_size=16, word_size=4, controller_size=8, evaluate_every=100000)
    expect(bar).to_contain_text("iterations/s")
    tab.page.wait_for_timeout(2 * SECOND)
    told = heard(tab, 6)
    assert len(told) <= 2, told
    assert all("wrong bits" in one for one in told), told
    stop_and_delete(tab, bar)


def test_only_a_settled_result_is_said(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(100), seed=0))
    tab.page.evaluate(LISTEN)
    tab.page.get_by_role("button", name="Next seed").click()
    tab.recorded()
    tab.page.wait_for_timeout(SECOND)
    told = tab.page.evaluate("window.heard")
    assert len(told) == 1, told
    assert re.match(r"\d+ / 800 wrong bits", told[0])


def test_the_slider_of_the_training_says_once_where_it_stands(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(10), seed=0))
    tab.page.locator("#training").focus()
    tab.page.evaluate(LISTEN)
    tab.press("ArrowLeft", "ArrowLeft")
    tab.recorded()
    tab.page.wait_for_timeout(SECOND)
    told = tab.page.evaluate("window.heard")
    assert len(told) == 1, told
    assert "wrong bits" in told[0]


def test_a_notice_that_stays_is_not_said_again(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(10), seed=0))
    share = tab.page.get_by_role("button", name="Share", exact=True)
    share.click()
    expect(tab.page.locator("#notices .banner")).to_have_count(1)
    tab.page.evaluate("document.querySelector('#notices .banner').dataset.seen = 'yes'")
    tab.page.get_by_role("button", name="Next seed").click()
    tab.recorded()
    expect(tab.page.locator("#notices .banner[data-seen=yes]")).to_have_count(1)
