"""Addressing modes and edits by hand: what is changed runs, is marked, travels in the address and can be taken back."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenTab
from tests.browser.page import ScopePage, copying, fragment
from tests.browser.processes import ServerProcess

pytestmark = pytest.mark.browser

MODEL = "copy-lstm"
GATE = "interpolation_gate"


def number(tab: ScopePage, name: str) -> Locator:
    return tab.page.locator(f'.inspector [data-number="{name}"]')


def type_over(tab: ScopePage, name: str, text: str, key: str = "Enter") -> None:
    """Change a number of the inspector as a person without a mouse does."""
    number(tab, name).focus()
    tab.press("Enter")
    expect(tab.page.locator(".numbers-input")).to_be_focused()
    tab.page.locator(".numbers-input").fill(text)
    tab.press(key)
    expect(tab.page.locator(".numbers-input")).to_have_count(0)


def read_gate(value: float, step: int) -> dict[str, object]:
    return {"quantity": GATE, "operation": "set", "heads": ["read 0"], "steps": [step, step + 1], "value": value}


def test_a_mode_changes_the_run_says_so_and_goes_back(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(20), seed=0, t=30))
    expect(tab.page.locator("#result")).to_contain_text("0 / 160 wrong bits")
    expect(tab.page.locator("#changes")).to_be_empty()
    tab.page.locator("#mode").select_option("content_only")
    expect(tab.page.locator("#changes")).to_contain_text("Changed run: content only")
    expect(tab.page.locator("#result")).to_contain_text(re.compile(r"(?<!\d)[1-9]\d* / 160 wrong bits"))
    expect(tab.page.locator("#mode")).to_have_attribute("title", re.compile("content alone.*\n.*w_t = w"))
    tab.at(30, of=41)
    tab.page.get_by_role("button", name="Back to full").click()
    expect(tab.page.locator("#result")).to_contain_text("0 / 160 wrong bits")
    expect(tab.page.locator("#mode")).to_have_value("full")
    expect(tab.page.locator("#changes")).to_be_empty()
    tab.at(30, of=41)


def test_an_edited_gate_shows_the_numbers_of_the_trace_interface(tab: ScopePage, server: ServerProcess) -> None:
    tab.open(fragment(MODEL, task=copying(9), seed=3, t=15))
    before = number(tab, "peak").inner_text()
    type_over(tab, GATE, "1")
    expect(tab.page.locator("#changes")).to_contain_text("1 edit")
    expect(number(tab, GATE)).to_have_text("1")
    expect(number(tab, GATE)).to_be_focused()
    expect(number(tab, "peak")).not_to_have_text(before)
    asked = server.trace(MODEL, task=copying(9), seed=3, interventions=[read_gate(1, 14)])
    assert tab.number("peak") == pytest.approx(max(asked["step"]["weighting"][14][0]), rel=1e-6)
    tab.go_to(17)
    assert tab.number("peak") == pytest.approx(max(asked["step"]["weighting"][16][0]), rel=1e-6)
    tab.page.locator(".edits-list").get_by_role("button", name="Remove").click()
    expect(tab.page.locator("#changes")).to_be_empty()
    tab.go_to(15)
    expect(number(tab, "peak")).to_have_text(before)


def test_escape_and_the_same_number_change_nothing(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(4), seed=0, t=3, loop="2-5"))
    before = number(tab, "sharpening").inner_text()
    type_over(tab, "sharpening", "7", key="Escape")
    expect(number(tab, "sharpening")).to_have_text(before)
    type_over(tab, "sharpening", before)
    type_over(tab, "sharpening", "")
    expect(tab.page.locator("#changes")).to_be_empty()
    assert "edits" not in tab.page.url
    assert "loop=2-5" in tab.page.url


def test_a_shift_entry_leaves_the_others_the_rest_of_1(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(4), seed=0, t=7))
    type_over(tab, "shift 0", "0.25")
    expect(number(tab, "shift 0")).to_have_text("0.25")
    shifts = tab.numbers(["shift -1", "shift 0", "shift 1"])
    assert sum(shifts.values()) == pytest.approx(1, abs=1e-5)
    bar = number(tab, "shift 0").bounding_box()
    assert bar
    tab.page.mouse.move(bar["x"] + bar["width"] - 5, bar["y"] + 10)
    tab.page.mouse.down()
    tab.page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + 10, steps=4)
    tab.page.mouse.up()
    expect(number(tab, "shift 0")).to_have_text("0.5")
    expect(tab.page.locator(".edits-list li")).to_have_count(1)
    expect(tab.page.locator(".numbers-input")).to_have_count(0)


def test_an_entry_of_a_vector_is_typed_where_it_stands(tab: ScopePage, server: ServerProcess) -> None:
    tab.open(fragment(MODEL, task=copying(5), seed=1, t=1))
    strip = tab.page.locator(".strip", has_text="k")
    strip.locator("button.strip-entry").focus()
    tab.press("End", "ArrowLeft", "ArrowLeft")
    expect(strip.locator(".strip-range")).to_contain_text("17:")
    tab.at(1, of=11)
    tab.press("Enter")
    expect(tab.page.get_by_role("spinbutton", name="key, element 17")).to_be_focused()
    tab.page.locator(".numbers-input").fill("-2.5")
    tab.press("Enter")
    expect(tab.page.locator("#changes")).to_contain_text("1 edit")
    expect(tab.page.locator(".edits-go")).to_have_text("t = 1, read 0: key (17) = −2.5")
    expect(strip.locator("button.strip-entry")).to_be_focused()
    expect(strip.locator("button.strip-entry")).to_have_accessible_name("key, element 17: −2.5")
    expect(strip.locator(".strip-marks")).to_be_visible()
    expect(tab.page).to_have_url(re.compile("edits=.*word.{1,6}17"))
    edit = {**read_gate(-2.5, 0), "quantity": "key", "word": 17}
    asked = server.trace(MODEL, task=copying(5), seed=1, interventions=[edit])["step"]
    assert asked["key"][0][0][17] == -2.5
    assert tab.number("peak") == pytest.approx(max(asked["weighting"][0][0]), rel=1e-6)
    tab.go_to(4)
    assert tab.number("peak") == pytest.approx(max(asked["weighting"][3][0]), rel=1e-6)
    tab.press("h")
    expect(tab.page.get_by_role("button", name="write 0")).to_have_attribute("aria-pressed", "true")
    added = tab.page.locator(".strip", has_text="a")
    box = added.locator(".strip-cells").bounding_box()
    assert box
    added.locator(".strip-cells").click(position={"x": box["width"] * 3.5 / 20, "y": 7})
    tab.page.get_by_role("spinbutton", name="add vector, element 3").fill("4")
    tab.press("Enter")
    expect(tab.page.locator(".edits-go").nth(1)).to_have_text("t = 4, write 0: add vector (3) = 4")


def test_the_strength_is_dragged_along_its_bar(tab: ScopePage, server: ServerProcess) -> None:
    tab.open(fragment(MODEL, task=copying(5), seed=1, t=6))
    box = number(tab, "key_strength").bounding_box()
    assert box
    tab.page.mouse.move(box["x"] + box["width"] - 10, box["y"] + 10)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10, steps=4)
    tab.page.mouse.up()
    expect(tab.page.locator("#changes")).to_contain_text("1 edit")
    dragged = tab.number("key_strength")
    assert dragged == pytest.approx(9.05, rel=0.1)
    expect(tab.page.locator(".edits-go")).to_have_text(f"t = 6, read 0: strength = {dragged:g}")
    expect(tab.page).to_have_url(re.compile("edits=.*key_strength"))
    edit = {**read_gate(dragged, 5), "quantity": "key_strength"}
    asked = server.trace(MODEL, task=copying(5), seed=1, interventions=[edit])["step"]
    assert tab.number("peak") == pytest.approx(max(asked["weighting"][5][0]), rel=1e-6)


def test_a_changed_run_opened_elsewhere_is_the_same(new_tab: OpenTab) -> None:
    one = new_tab()
    one.open(fragment(MODEL, task=copying(5), seed=1, t=9, mode="no_shift"))
    type_over(one, "key_strength", "2.5")
    expect(one.page.locator("#changes")).to_contain_text("no shift + 1 edit")
    expect(one.page).to_have_url(re.compile("edits="))
    other = new_tab()
    other.open(one.page.url.removeprefix(f"{one.base}/"))
    other.at(9, of=11)
    seen = one.page.locator(".inspector").inner_text()
    expect(other.page.locator(".inspector")).to_have_text(seen, use_inner_text=True)
    assert other.page.locator("#changes").inner_text() == one.page.locator("#changes").inner_text()


def test_a_refused_number_says_why_and_keeps_the_picture(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(5), seed=1, t=6))
    before = tab.page.locator(".inspector").inner_text()
    type_over(tab, "key_strength", "-1")
    expect(tab.page.locator("#changes")).to_contain_text("Not changed: t = 6, head 'read 0'")
    expect(tab.page.locator("#changes")).to_contain_text("it must be at least 0")
    assert tab.page.locator(".inspector").inner_text() == before
    assert "edits" not in tab.page.url
    tab.problems = [problem for problem in tab.problems if "422" not in problem]
    tab.page.get_by_role("button", name="Change it anyway").click()
    expect(tab.page.locator("#changes")).to_contain_text("t = 6, read 0: strength is −1, must be at least 0")
    expect(number(tab, "key_strength")).to_have_text("−1")
    tab.page.get_by_role("button", name="Back to full").click()
    expect(tab.page.locator("#changes")).to_be_empty()
    expect(tab.page.locator(".inspector")).to_have_text(before, use_inner_text=True)


def test_every_run_that_leaves_a_constraint_is_marked(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(5), seed=1, t=6))
    tab.page.get_by_role("button", name="Fork here").click()
    type_over(tab, GATE, "3")
    expect(tab.page.locator("#changes")).to_contain_text("it must be in [0, 1]")
    tab.page.get_by_role("button", name="Change it anyway").click()
    tab.problems = [problem for problem in tab.problems if "422" not in problem]
    told = "t = 6, read 0: gate is 3, must be in [0, 1]"
    rows, columns = tab.page.locator(".branch"), tab.page.locator(".column")
    expect(columns.nth(0).locator(".violation")).to_have_text(told)
    expect(columns.nth(1).locator(".violation")).to_be_hidden()
    expect(rows.nth(0).locator(".violation")).to_be_hidden()
    expect(rows.nth(1).locator(".violation")).to_have_text(told)
    tab.page.get_by_role("button", name="Show as A: copy-lstm").click()
    expect(tab.page.locator("#changes")).to_be_empty()
    expect(columns.nth(0).locator(".violation")).to_be_hidden()
    expect(columns.nth(1).locator(".violation")).to_have_text(told)


def test_an_edit_beyond_a_shorter_episode_is_told_and_nothing_is_lost(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(20), seed=0, t=31))
    type_over(tab, GATE, "0.5")
    expect(tab.page.locator("#changes")).to_contain_text("1 edit")
    tab.recorded()
    length = tab.page.locator("[data-setting=lengths] input").first
    length.fill("4")
    length.press("Enter")
    told = "edit 1 is at t = 31, but this episode ends at t = 9"
    expect(tab.page.locator("#changes")).to_contain_text(f"Not changed: {told}")
    expect(tab.page.get_by_role("button", name="Change it anyway")).to_have_count(0)
    expect(length).to_have_value("20")
    tab.at(31, of=41)
    tab.page.goto("about:blank")
    tab.page.goto(f"{tab.base}/{fragment(MODEL, task=copying(4), edits=json.dumps([read_gate(0.5, 30)]))}")
    expect(tab.page.locator(".stage")).to_contain_text(told)
    tab.problems = [problem for problem in tab.problems if "422" not in problem]


def test_what_another_program_recorded_cannot_be_changed(tab: ScopePage, tmp_path: Path) -> None:
    tab.open(fragment(MODEL, task=copying(4), seed=0, mode="no_read"))
    tab.page.get_by_role("button", name="Export").click()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name=".npz", exact=True).click()
    path = tmp_path / "changed.npz"
    download.value.save_as(path)
    tab.page.locator("input[type=file]").first.set_input_files(path)
    expect(tab.page.locator("#mode")).to_be_disabled()
    expect(tab.page.locator("#mode")).to_have_attribute("title", re.compile("its machine is not here"))
    expect(number(tab, GATE)).to_be_disabled()
    expect(tab.page.locator("#changes")).to_contain_text("Changed run: no read")
    expect(tab.page.get_by_role("button", name="Back to full")).to_have_count(0)
