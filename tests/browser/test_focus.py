"""The focus goes on where it was when what had it goes away, and a key that is held does not follow it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.page import SECOND, ScopePage, copying, fragment
from tests.browser.test_interventions import GATE, type_over
from tests.browser.test_training import start

pytestmark = pytest.mark.browser

COPYING = fragment("copy-lstm", task=copying(5), seed=0, t=6)
BESIDE = "[{'checkpoint':'copy-lstm','mode':'no_read'},{'checkpoint':'copy-lstm'}]"
COLUMNS = fragment("copy-lstm", task=copying(4), seed=0, t=5, compare=BESIDE)


def press_on(button: Locator) -> None:
    """As a keyboard does: the focus is there, and Enter."""
    button.focus()
    button.page.keyboard.press("Enter")


def focused(tab: ScopePage) -> str:
    """What the focus is on, at rest."""
    tab.page.wait_for_timeout(SECOND / 2)
    found: str = tab.page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.id"
        " || document.activeElement.textContent || document.activeElement.tagName"
    )
    return found


def hold_enter(tab: ScopePage) -> None:
    """Enter, and its repeats, as when it is held for a third of a second."""
    for _ in range(8):
        tab.page.keyboard.down("Enter")
        tab.page.wait_for_timeout(40)
    tab.page.keyboard.up("Enter")


def test_after_changes_are_taken_back(tab: ScopePage) -> None:
    tab.open(COPYING)
    tab.page.locator("#mode").select_option("no_shift")
    press_on(tab.page.get_by_role("button", name="Back to full"))
    expect(tab.page.locator("#mode")).to_be_focused()


@pytest.mark.parametrize("name", ["Dismiss", "Change it anyway"])
def test_after_a_refusal(tab: ScopePage, name: str) -> None:
    tab.open(COPYING)
    type_over(tab, GATE, "1.5")
    press_on(tab.page.locator("#changes").get_by_role("button", name=name))
    expect(tab.page.locator("#changes [role=alert]")).to_have_count(0)
    expect(tab.page.locator("#step")).to_be_focused()
    tab.problems = [problem for problem in tab.problems if "422" not in problem]


def test_after_an_edit_is_removed(tab: ScopePage) -> None:
    edits = [
        {"quantity": "sharpening", "operation": "set", "heads": ["read 0"], "steps": [at, at + 1], "value": 2}
        for at in (3, 4, 5)
    ]
    tab.open(fragment("copy-lstm", task=copying(5), seed=0, t=6, edits=edits))
    remove = tab.page.locator(".edits-remove")
    expect(remove).to_have_count(3)
    press_on(remove.nth(1))
    expect(remove).to_have_count(2)
    expect(remove.nth(1)).to_be_focused()
    remove.nth(1).focus()
    hold_enter(tab)
    expect(remove).to_have_count(1)
    expect(remove).to_be_focused()
    press_on(tab.page.get_by_role("button", name="Remove all"))
    expect(remove).to_have_count(0)
    expect(tab.page.get_by_role("button", name="Fork here")).to_be_focused()


def test_after_a_notice_is_dismissed_which_stays_while_it_has_the_focus(tab: ScopePage) -> None:
    tab.open(COPYING + "&bogus=1")
    tab.page.get_by_role("button", name="Share", exact=True).click()
    dismiss = tab.page.locator("#notices").get_by_role("button", name="Dismiss")
    expect(dismiss).to_have_count(2)
    dismiss.nth(1).focus()
    tab.page.wait_for_timeout(8 * SECOND)
    expect(dismiss.nth(1)).to_be_focused()
    tab.press("Enter")
    expect(dismiss).to_have_count(1)
    expect(dismiss).to_be_focused()
    tab.press("Enter")
    expect(dismiss).to_have_count(0)
    expect(tab.page.locator("#step")).to_be_focused()


def test_after_an_upload_has_failed(tab: ScopePage, tmp_path: Path) -> None:
    bad = tmp_path / "b.pt"
    bad.write_bytes(b"PK\x03\x04")
    tab.open(COPYING)
    tab.page.locator("#upload").set_input_files(bad)
    press_on(tab.page.locator("#upload-area").get_by_role("button", name="Dismiss"))
    expect(tab.page.get_by_role("button", name="Upload a checkpoint")).to_be_focused()
    tab.problems = [problem for problem in tab.problems if "422" not in problem]


def test_after_an_upload_is_deleted(tab: ScopePage, hand_compiled_file: Path) -> None:
    tab.open()
    tab.page.locator("#upload").set_input_files(hand_compiled_file)
    press_on(tab.page.get_by_role("button", name="Delete this upload"))
    press_on(tab.page.get_by_role("dialog").get_by_role("button", name="Delete"))
    expect(tab.page.locator("#model")).to_have_value("copy-lstm")
    expect(tab.page.locator("#model")).to_be_focused()


def test_after_columns_are_removed_or_change_places(tab: ScopePage) -> None:
    tab.open(COLUMNS)
    tab.page.locator("#compare").scroll_into_view_if_needed()
    main = tab.page.get_by_role("button", name="Make main: column B")
    expect(main).to_be_enabled()
    press_on(main)
    expect(tab.page.locator("#mode")).to_have_value("no_read")
    assert focused(tab) == "Make main: column B"
    press_on(tab.page.get_by_role("button", name="Remove column B"))
    expect(tab.page.get_by_role("button", name="Remove column C")).to_have_count(0)
    assert focused(tab) == "Remove column B"
    tab.press("Enter")
    expect(tab.page.locator("#add-column")).to_be_focused()


def test_what_takes_time_keeps_the_focus(tab: ScopePage) -> None:
    tab.open(COLUMNS)
    measure = tab.page.locator("#measure")
    measure.scroll_into_view_if_needed()
    tab.page.locator("#metrics-sequences").fill("2")
    press_on(measure)
    expect(tab.page.get_by_label("Metrics of each column")).to_be_visible()
    expect(measure).to_be_focused()
    patch = tab.page.locator("#patch")
    press_on(patch)
    tab.drawn("patching")
    expect(patch).to_be_focused()


def test_after_all_of_the_plots_are_shown_again(tab: ScopePage) -> None:
    tab.open(COPYING + "&zoom_time=2,8")
    press_on(tab.page.get_by_role("button", name="Show all"))
    assert focused(tab) == "Pin this step (P)"


def test_a_field_that_was_left_by_enter_hands_its_keys_to_the_timeline(tab: ScopePage) -> None:
    tab.open(COPYING)
    tab.page.locator("#t").fill("9")
    tab.press("Enter")
    tab.at(9, of=11)
    expect(tab.page.locator("#step")).to_be_focused()
    tab.press("ArrowRight")
    tab.at(10, of=11)
    tab.press("p")
    expect(tab.page.get_by_role("button", name="Pin this step")).to_have_attribute("aria-pressed", "true")


def test_a_branch_is_named_and_deleted_one_at_a_time(tab: ScopePage) -> None:
    tab.open(COPYING)
    tab.page.get_by_role("button", name="Fork here").dblclick()
    tab.page.wait_for_timeout(SECOND)
    tab.page.locator("#compare").scroll_into_view_if_needed()
    branches = tab.page.locator(".branch")
    expect(branches).to_have_count(2)
    tab.page.locator("#step").focus()
    tab.press("f")
    expect(branches).to_have_count(3)
    name = tab.page.get_by_label("Name of Branch 2")
    name.fill("mine")
    tab.press("Enter")
    expect(tab.page.get_by_label("Name of mine")).to_be_focused()
    tab.page.get_by_role("button", name="Delete mine").focus()
    hold_enter(tab)
    expect(branches).to_have_count(2)
    expect(tab.page.get_by_role("button", name="Delete Branch 1")).to_be_focused()
    expect(tab.page.locator("#notices")).to_contain_text("'mine' is deleted")
    tab.page.go_back()
    expect(branches).to_have_count(3)


def test_after_the_last_run_is_deleted_in_its_dialog(tab: ScopePage) -> None:
    tab.open()
    bar = start(tab, "last", memory_size=16, word_size=4, controller_size=8, evaluate_every=100000)
    bar.get_by_role("button", name="Stop").click()
    expect(bar.locator(".run-stopped")).to_be_visible()
    tab.page.locator("#train").click()
    dialog = tab.page.get_by_role("dialog", name="Train a machine")
    for row in dialog.locator(".train-runs tbody tr").all():
        press_on(row.get_by_role("button", name="Delete this run"))
        press_on(tab.page.get_by_role("dialog", name=re.compile("^Delete")).get_by_role("button", name="Delete"))
        expect(row).to_have_count(0)
    expect(dialog.get_by_label("Task")).to_be_focused()


def test_back_closes_a_dialog(tab: ScopePage) -> None:
    tab.open(COPYING)
    tab.page.get_by_role("button", name="Next seed").click()
    expect(tab.page).to_have_url(re.compile("seed=1"))
    tab.page.locator("#train").click()
    dialog = tab.page.get_by_role("dialog", name="Train a machine")
    expect(dialog.locator("form")).to_be_visible()
    tab.page.go_back()
    expect(dialog).to_be_hidden()
    expect(tab.page).to_have_url(re.compile("seed=0"))


def test_a_seed_that_was_emptied_comes_back(tab: ScopePage) -> None:
    tab.open(COPYING)
    tab.page.locator("#seed").fill("")
    tab.press("Tab")
    expect(tab.page.locator("#seed")).to_have_value("0")
