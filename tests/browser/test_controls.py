"""Keys, slider, playback, address, custom input, export: what a person does with the page."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Dialog, expect

from ntm_core.trace_file import load_trace
from tests.browser.conftest import OpenTab
from tests.browser.page import ScopePage, copying, fragment
from tests.browser.processes import ServerProcess

pytestmark = pytest.mark.browser

MODEL = "copy-lstm"


def test_keys_move_the_one_cursor(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(20), seed=0))
    tab.press("End")
    tab.at(41, of=41)
    tab.press("Home", "ArrowRight", "ArrowRight", "Shift+ArrowRight")
    tab.at(13, of=41)
    tab.press("ArrowLeft")
    tab.at(12, of=41)
    expect(tab.page.locator("#t")).to_have_value("12")
    expect(tab.page.locator("#step")).to_have_value("11")


RUN_OF_KEYS = """async (frames) => {
  const [t, slider, cursor] = ['#t', '#step', '.band-cursor'].map((one) => document.querySelector(one));
  const seen = [];
  for (let step = 1; step <= frames; step++) {
    document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}));
    await new Promise(requestAnimationFrame);
    const share = cursor.getAnimations()[0].currentTime / 1000;
    seen.push({step, behind: [Number(t.value) - 1, Number(slider.value)].map((said) => step - said), share});
  }
  return seen;
}"""


def test_while_keys_come_in_every_frame_the_cursor_is_exact_and_its_number_at_most_two_behind(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(40), seed=0))
    seen = tab.page.evaluate(RUN_OF_KEYS, 60)
    assert [one["share"] for one in seen] == pytest.approx([one["step"] / 80 for one in seen])
    assert {said for one in seen for said in one["behind"]} <= {0, 1, 2}
    expect(tab.page.locator("#t")).to_have_value("61")
    expect(tab.page.locator("#step")).to_have_value("60")


def test_keys_choose_head_pin_difference_loop_and_help(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(20), seed=0, t=5))
    pressed = tab.page.locator('.inspector-heads [aria-pressed="true"]')
    first = pressed.inner_text()
    tab.press("h")
    expect(pressed).not_to_have_text(first)
    tab.press("p", "ArrowRight", "d")
    expect(tab.page.locator('[data-plot="weighting-write-0"]')).to_contain_text("minus t = 5")
    tab.press("[", "ArrowRight", "ArrowRight", "]")
    expect(tab.page).to_have_url(re.compile("loop=6"))
    tab.press("Escape", "?")
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    tab.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_be_hidden()


def test_keys_do_nothing_while_typing(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(20), seed=0, t=5))
    tab.page.locator("#seed").focus()
    tab.press("End")
    tab.at(5, of=41)


def test_playing_moves_the_cursor_and_stops_at_the_end(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(20), seed=0))
    tab.press("9", "Space")
    tab.at(41, of=41)
    expect(tab.page.get_by_role("button", name="Play")).to_be_visible()


def test_a_click_on_any_time_axis_moves_the_cursor(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(20), seed=0, t=2))
    box = tab.drawn("input").locator(".plot-host").bounding_box()
    assert box
    tab.page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.3)
    tab.page.mouse.move(2, 2)
    t = int(tab.page.locator("#t").input_value())
    assert 15 < t < 27


def test_an_address_opened_elsewhere_shows_the_same(new_tab: OpenTab) -> None:
    one = new_tab()
    one.open(fragment(MODEL, task=copying(9), seed=7))
    one.go_to(11)
    one.press("h", "p", "ArrowRight", "d")
    one.page.get_by_role("button", name="log").first.click()
    expect(one.page).to_have_url(re.compile("t=12.*diff"))
    expect(one.page).to_have_url(re.compile("weighting=log"))
    address = one.page.url
    other = new_tab()
    other.open(address.removeprefix(f"{one.base}/"))
    other.at(12, of=19)
    names = ["key_strength", "interpolation_gate", "sharpening", "peak", "argmax", "entropy", "shift -1"]
    assert other.numbers(names) == one.numbers(names)
    assert other.page.locator(".inspector").inner_text() == one.page.locator(".inspector").inner_text()
    expect(other.page).to_have_url(address)


@pytest.mark.parametrize(
    "hostile",
    ["#checkpoint=<script>alert(1)</script>", "#t=1e999&head=-3&loop=9,2", "#task={&seed=x", "#%E0%A4%A", "#a=b&a=c"],
)
def test_a_hostile_address_breaks_nothing(tab: ScopePage, hostile: str) -> None:
    dialogs: list[str] = []

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    tab.page.on("dialog", refuse)
    tab.page.goto(f"{tab.base}/{hostile}")
    expect(tab.page.locator("#model")).to_be_visible()
    tab.page.wait_for_timeout(1000)
    assert dialogs == []
    tab.problems = [problem for problem in tab.problems if "404" not in problem and "422" not in problem]


def test_a_typed_input_runs_and_travels_in_the_address(new_tab: OpenTab, server: ServerProcess) -> None:
    tab = new_tab()
    tab.open(fragment(MODEL, task=copying(3), seed=0))
    before = server.trace(MODEL, task=copying(3), seed=0)["episode"]["inputs"]
    tab.page.get_by_role("button", name="Edit input").click()
    cell = tab.page.locator('.cells [aria-label^="step 1, bit 0"]')
    cell.click()
    expect(tab.page.locator("#result")).to_contain_text("typed input")
    tab.recorded()
    expected = [list(row) for row in before]
    expected[0][0] = 1 - expected[0][0]
    tab.press("Escape")
    tab.page.wait_for_timeout(800)
    other = new_tab()
    other.open(tab.page.url.removeprefix(f"{tab.base}/"))
    shown = np.array(other.settled_figure("input")["data"][0]["z"])
    assert np.array_equal(shown.T, np.array(expected))
    expect(other.page.locator("#result")).to_contain_text("wrong bits")


def test_the_trace_can_be_saved_for_other_tools(tab: ScopePage, server: ServerProcess) -> None:
    tab.open(fragment(MODEL, task=copying(6), seed=3))
    tab.page.get_by_role("button", name="Export").click()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name=".npz", exact=True).click()
    trace = load_trace(download.value.path())
    expected = server.trace(MODEL, task=copying(6), seed=3)
    assert np.array_equal(trace["weighting"], np.array(expected["step"]["weighting"], np.float32))


def test_a_plot_can_be_saved_as_an_image(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(6), seed=3))
    frame = tab.drawn("input")
    frame.hover()
    with tab.page.expect_download() as download:
        frame.get_by_role("button", name="as SVG").click()
    assert "<svg" in download.value.path().read_text(encoding="utf-8")


def test_length_and_seed_ask_for_another_episode(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(6), seed=3))
    tab.page.get_by_role("button", name="Next seed").click()
    expect(tab.page.locator("#seed")).to_have_value("4")
    tab.page.locator("[data-setting=lengths] input").first.fill("10")
    tab.press("Enter")
    expect(tab.page.locator(".inspector-steps")).to_have_text("of 21")
    tab.page.wait_for_timeout(800)
    assert json.dumps([10, 10]).replace(" ", "") in tab.page.evaluate("decodeURIComponent(location.hash)").replace(
        " ", ""
    )


def test_keys_of_one_letter_can_be_told_to_rest(tab: ScopePage) -> None:
    """For who speaks to the computer: the choice is kept, and other keys act as before."""
    tab.open(fragment(MODEL, task=copying(4), seed=1, t=2))
    tab.page.keyboard.press("?")
    tab.page.get_by_label("Keys of one letter, digit or sign act").uncheck()
    tab.page.keyboard.press("Escape")
    for key in ("f", "p", "?", "5"):
        tab.page.keyboard.press(key)
    expect(tab.page.locator("dialog:modal")).to_have_count(0)
    expect(tab.page).not_to_have_url(re.compile("pin|branch|speed"))
    tab.page.keyboard.press("ArrowRight")
    tab.at(3, of=9)
    expect(tab.page).to_have_url(re.compile("t=3"))
    assert not re.search("pin|branch|speed", tab.page.url)
    tab.page.reload()
    tab.page.keyboard.press("?")
    expect(tab.page.locator("dialog:modal")).to_have_count(0)
    tab.page.get_by_role("button", name="Keys and reading guide").click()
    tab.page.get_by_label("Keys of one letter, digit or sign act").check()
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("p")
    expect(tab.page).to_have_url(re.compile("pin=3"))


def test_a_finger_changes_a_cell_by_a_tap(new_tab: OpenTab) -> None:
    tab = new_tab(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tab.open(fragment(MODEL, task=copying(4), seed=1, t=2))
    tab.page.locator("#edit-input").tap()
    cell = tab.page.locator('.cells [aria-label^="step 1, bit 0"]')
    before = cell.get_attribute("data-value")
    cell.tap()
    expect(cell).to_have_attribute("data-value", "zero" if before == "positive" else "positive")
    cell.tap()
    expect(cell).to_have_attribute("data-value", before or "")
