"""The story of the compare view, as a person lives it: modes beside each other, a fork, a link, another browser."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenTab
from tests.browser.page import ScopePage, copying, fragment
from tests.browser.processes import ServerProcess
from tests.browser.test_accessibility import violations
from tests.browser.test_compare import column, results, wrong
from tests.browser.test_interventions import GATE, number, read_gate, type_over

pytestmark = pytest.mark.browser

DELIMITER = 11
"""The step t of the delimiter after ten rows."""

CONTENT_ONLY = "[{'checkpoint':'copy-lstm','mode':'content_only'}]"


def branches(tab: ScopePage) -> Locator:
    return tab.page.get_by_role("list", name="Branches").locator("li")


def in_the_address(tab: ScopePage, part: str) -> str:
    """The address, once it says this."""
    expect(tab.page).to_have_url(re.compile(re.escape(part)))
    address: str = tab.page.evaluate("location.hash")
    return address


def seen(tab: ScopePage) -> dict[str, object]:
    """What stands on the page of the run, of its columns and of its branches."""
    tab.page.locator("#compare").scroll_into_view_if_needed()
    shown = results(tab)
    expect(tab.page.locator(".branch-result", has_text="not run yet")).to_have_count(0)
    return {
        "inspector": tab.page.locator(".inspector").inner_text(),
        "changes": tab.page.locator("#changes").inner_text(),
        "columns": shown,
        "partings": tab.page.locator(".column-parting").all_inner_texts()[:-1],
        "branches": branches(tab).all_inner_texts(),
        "names": [field.input_value() for field in tab.page.locator(".branch-name").all()],
    }


def test_copying_breaks_without_location_and_a_fork_of_it_is_the_same_elsewhere(
    new_tab: OpenTab, server: ServerProcess
) -> None:
    tab = new_tab()
    tab.open(fragment("copy-lstm", task=copying(10), seed=0))
    tab.page.get_by_role("button", name="Compare", exact=True).click()
    tab.page.locator("#add-column").click()
    tab.page.locator("#add-column").click()
    expect(tab.page.get_by_label("Addressing mode of column B")).to_have_value("content_only")
    expect(tab.page.get_by_label("Addressing mode of column C")).to_have_value("location_only")
    full, content, location = results(tab)
    assert (wrong(full), wrong(location)) == (0, 0), "this machine copies by location alone"
    asked = server.trace("copy-lstm", task=copying(10), seed=0, mode="content_only")
    assert wrong(content) == asked["end"]["wrong_bits"] > 0
    tab.go_to(DELIMITER + 3)
    rows = tab.page.get_by_role("group", name="Operations of each head").locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("shift +1")
    expect(rows.nth(1)).to_contain_text("hold")
    expect(rows.nth(2)).to_contain_text("shift +1")

    tab.go_to(DELIMITER)
    tab.page.get_by_role("button", name="Fork here").click()
    expect(tab.page.locator(".branch-letter")).to_have_text(["B", "A"])
    type_over(tab, GATE, "1")
    expect(tab.page.locator("#changes")).to_contain_text("Changed run: Branch 1, 1 edit")
    changed = server.trace("copy-lstm", task=copying(10), seed=0, interventions=[read_gate(1, DELIMITER - 1)])
    assert tab.number("peak") == pytest.approx(max(changed["step"]["weighting"][DELIMITER - 1][0]), rel=1e-6)
    name = tab.page.get_by_label("Name of Branch 1")
    name.fill("by content")
    name.press("Enter")
    address = in_the_address(tab, "by%20content")
    before = seen(tab)
    columns = before["columns"]
    assert isinstance(columns, list)
    assert columns[1:] == [full, content, location]
    assert wrong(columns[0]) == changed["end"]["wrong_bits"]

    other = new_tab()
    other.open(address)
    other.at(DELIMITER, of=21)
    assert seen(other) == before
    assert before["names"] == ["copy-lstm", "by content"]


def test_branches_go_back_and_forward_change_places_and_are_deleted_with_those_below(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(5), seed=0, t=6))
    tab.page.get_by_role("button", name="Fork here").click()
    type_over(tab, GATE, "0.25")
    in_the_address(tab, "0.25")
    tab.press("f")
    in_the_address(tab, "branch=3")
    tab.page.locator("#compare").scroll_into_view_if_needed()
    expect(branches(tab)).to_have_count(3)
    tab.page.go_back()
    expect(branches(tab)).to_have_count(2)
    expect(number(tab, GATE)).to_have_text("0.25")
    tab.page.go_back()
    expect(tab.page.locator("#changes")).to_be_empty()
    tab.page.go_forward()
    expect(number(tab, GATE)).to_have_text("0.25")
    tab.page.go_forward()
    expect(branches(tab)).to_have_count(3)

    expect(tab.page.get_by_role("button", name="Make main: column C")).to_be_enabled()
    tab.page.get_by_role("button", name="Make main: column C").click()
    expect(tab.page.locator("#changes")).to_be_empty()
    expect(tab.page.locator(".branch-letter")).to_have_text(["A", "B", "C"])
    tab.page.get_by_role("button", name="Delete all 2: Branch 1 and the 1 below").click()
    expect(branches(tab)).to_have_count(1)
    expect(column(tab, "B")).to_have_count(0)


def test_the_map_of_patches_is_drawn_cancelled_and_a_cell_becomes_a_branch(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(120), seed=0))
    tab.page.locator(".patching").scroll_into_view_if_needed()
    tab.page.locator("#patch").click()
    cancel = tab.page.locator(".patching").get_by_role("button", name="Cancel")
    expect(tab.page.locator(".patching progress:not([value='0'])")).to_be_visible()
    cancel.click()
    expect(tab.page.locator(".patching [role=status]")).to_have_text("Cancelled.")
    expect(cancel).to_be_hidden()

    columns = "[{'checkpoint':'copy-lstm','mode':'no_read'}]"
    tab.open(fragment("copy-lstm", task=copying(4), seed=0, t=8, compare=columns, patch="B,read_vector,6-9"))
    tab.page.reload()
    tab.page.locator(".patching").scroll_into_view_if_needed()
    expect(tab.page.locator(".patching-losses")).to_contain_text("Corrupted: copy-lstm, no read, seed 0")
    host = tab.drawn("patching").locator(".plot-host")
    box = host.bounding_box()
    assert box
    across = 70 + (box["width"] - 136) * 6.5 / 9
    host.hover(position={"x": across, "y": box["height"] / 2 - 10})
    tooltip = tab.page.locator(".tooltip:visible")
    expect(tooltip).to_contain_text("t = 7 · read vector of read 0")
    expect(tooltip).to_contain_text("restores 0.")
    host.click(position={"x": across, "y": box["height"] / 2 - 10})
    expect(tab.page.locator("#changes")).to_contain_text("Changed run: read vector of read 0, t = 7, no read + 1 edit")
    expect(tab.page.locator(".branch-letter")).to_have_text(["B", "A"])
    expect(tab.page.locator(".inspector-step")).to_have_text("t = 7")
    assert wrong(results(tab)[0]) < wrong(results(tab)[1]), "the patch answers one step"


@pytest.mark.parametrize(("width", "colours"), [(1440, "light"), (400, "dark")])
def test_axe_finds_no_serious_violation_in_branches_alignment_and_patching(
    new_tab: OpenTab, width: int, colours: str
) -> None:
    tab = new_tab(viewport={"width": width, "height": 900}, color_scheme=colours)
    tab.open(fragment("copy-lstm", task=copying(4), seed=0, t=5, compare=CONTENT_ONLY, align="hand", patch="B,all"))
    tab.page.locator(".patching").scroll_into_view_if_needed()
    tab.drawn("patching")
    tab.press("f")
    expect(branches(tab)).to_have_count(2)
    assert violations(tab) == []
    assert tab.page.evaluate("document.documentElement.scrollWidth") == width


def test_a_name_that_is_being_typed_and_the_button_pressed_next_are_not_taken_away(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(5), seed=0, t=6))
    tab.press("f", "f")
    name = tab.page.get_by_label("Name of Branch 2")
    name.fill("kept")
    expect(tab.page.locator(".branch-result", has_text="wrong bits")).to_have_count(3)
    expect(name).to_have_value("kept")
    tab.page.get_by_role("button", name="Show as A: copy-lstm").click(delay=200)
    expect(tab.page.get_by_label("Name of kept")).to_have_value("kept")
    expect(tab.page.locator(".branch-letter").first).to_have_text("A")
    tab.page.get_by_role("button", name="Delete kept").focus()
    tab.press("Enter")
    expect(branches(tab)).to_have_count(2)
    expect(tab.page.get_by_role("button", name="Delete Branch 1")).to_be_focused()


def test_branches_that_were_never_on_screen_are_run_when_the_page_is_at_rest(tab: ScopePage) -> None:
    edit = "{'quantity':'sharpening','operation':'set','value':1}"
    away = f"[{{'id':1,'name':'a','checkpoint':'copy-lstm'}},{{'id':2,'name':'b','parent':1,'t':1,'edits':[{edit}]}}]"
    tab.open(fragment("copy-lstm", task=copying(5), seed=0, branches=away, branch=1))
    tab.page.locator("#compare").scroll_into_view_if_needed()
    found = tab.page.locator(".branch-result")
    expect(found).to_have_text(["0 / 40 wrong bits", re.compile(r"^[1-9]\d* / 40 wrong bits")])


def test_why_there_is_no_map_stays_on_the_page_and_is_no_wider_than_it(new_tab: OpenTab) -> None:
    tab = new_tab(viewport={"width": 400, "height": 900})
    columns = "[{'checkpoint':'copy-lstm','mode':'no_read'},{'checkpoint':'copy-lstm'}]"
    tab.open(fragment("copy-lstm", task=copying(4), seed=0, t=5, compare=columns, patch="B,read_vector,6-9"))
    tab.page.locator(".patching").scroll_into_view_if_needed()
    tab.drawn("patching")
    tab.page.locator("#patch-corrupted").select_option("C")
    tab.page.locator("#patch").click()
    note = tab.page.locator(".patching [role=status]")
    expect(note).to_contain_text("The clean run loses")
    tab.press("ArrowRight")
    tab.at(6, of=9)
    expect(note).to_contain_text("The clean run loses")
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 400
    tab.problems = [problem for problem in tab.problems if "422" not in problem]
