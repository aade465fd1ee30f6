"""Traces beside each other: what a mode changes, with one cursor, in the page and in its address."""

import re

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.conftest import OpenTab
from tests.browser.page import PATIENCE, ScopePage, copying, fragment
from tests.browser.test_accessibility import violations

pytestmark = pytest.mark.browser

CHANGED = "[{'checkpoint':'copy-lstm','mode':'content_only'},{'checkpoint':'copy-lstm','mode':'location_only'}]"


def column(tab: ScopePage, letter: str) -> Locator:
    return tab.page.locator(f'[data-column="{letter}"]')


def results(tab: ScopePage) -> list[str]:
    """What stands above each column of how it did, once all have been recorded."""
    found = tab.page.locator(".column-result")
    expect(found.first).to_be_attached(timeout=PATIENCE)
    for index in range(found.count()):
        expect(found.nth(index)).to_contain_text("wrong bits", timeout=PATIENCE)
    return found.all_inner_texts()


def wrong(result: str) -> int:
    return int(result.partition(" / ")[0])


def test_modes_stand_beside_the_machine_as_it_is(tab: ScopePage, new_tab: OpenTab) -> None:
    tab.open(fragment("copy-lstm", task=copying(10), seed=0))
    tab.page.get_by_role("button", name="Compare", exact=True).click()
    expect(tab.page.locator("#add-column")).to_be_focused()
    tab.press("Enter")
    expect(tab.page.get_by_label("Model of column B")).to_be_focused()
    expect(tab.page.get_by_label("Addressing mode of column B")).to_have_value("content_only")
    tab.page.locator("#add-column").click()
    expect(tab.page.get_by_label("Addressing mode of column C")).to_have_value("location_only")
    full, content, location = results(tab)
    assert wrong(full) == 0
    assert wrong(content) > 0
    assert wrong(location) == 0, "this machine copies by location alone"

    tab.page.wait_for_function("() => location.hash.includes('compare=')")
    address = tab.page.evaluate("location.hash")
    other = new_tab()
    other.open(address)
    other.page.locator("#compare").scroll_into_view_if_needed()
    expect(other.page.locator(".column-result")).to_have_count(3)
    assert results(other) == [full, content, location]

    tab.page.get_by_role("button", name="Remove column B").click()
    expect(tab.page.get_by_label("Addressing mode of column B")).to_have_value("location_only")
    expect(column(tab, "C")).to_have_count(0)


def test_moments_of_one_training_have_names_of_their_own(tab: ScopePage) -> None:
    columns = "[{'checkpoint':'copy-lstm'},{'checkpoint':'copy-lstm.2000'}]"
    tab.open(fragment("copy-lstm.500", task=copying(10), seed=0, compare=columns))
    tab.page.locator("#compare").scroll_into_view_if_needed()
    expect(column(tab, "A").locator(".column-name strong")).to_have_text("copy-lstm, iteration 500")
    for letter, name in (("B", "copy-lstm"), ("C", "copy-lstm, iteration 2,000")):
        chosen = tab.page.get_by_label(f"Model of column {letter}").locator("option:checked")
        expect(chosen).to_have_text(name)
    tab.page.get_by_label("Model of column C").select_option("copy-lstm")
    expect(tab.page.get_by_label("Model of column C").locator("option", has_text="iteration")).to_have_count(0)


def test_one_cursor_moves_all_columns_and_a_click_in_one_moves_the_page(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(10), seed=0, t=3, compare=CHANGED))
    tab.page.locator("#compare").scroll_into_view_if_needed()
    moments = tab.page.locator(".column-moment")
    for index in range(3):
        expect(moments.nth(index)).to_have_text("t = 3 of 21")
    tab.press("ArrowRight")
    for index in range(3):
        expect(moments.nth(index)).to_have_text("t = 4 of 21")
    host = tab.drawn("b-output").locator(".plot-host")
    box = host.bounding_box()
    assert box
    area = (70, box["width"] - 66)
    host.click(position={"x": area[0] + (area[1] - area[0]) * 11.5 / 21, "y": 50})
    tab.page.mouse.move(2, 450)
    for index in range(3):
        expect(moments.nth(index)).to_have_text("t = 12 of 21")
    expect(tab.page.locator(".inspector-step")).to_have_text("t = 12")


def test_columns_out_of_sight_are_left_alone_while_the_cursor_moves(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(10), seed=0, t=3, compare=CHANGED))
    tab.page.locator("#compare").scroll_into_view_if_needed()
    results(tab)
    tab.page.evaluate("scrollTo(0, 0)")
    tab.at_rest("#compare")
    changes = tab.page.evaluate(
        """async () => {
            let seen = 0;
            const observer = new MutationObserver((changes) => { seen += changes.length; });
            const watched = {subtree: true, childList: true, attributes: true, characterData: true};
            const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
            observer.observe(document.querySelector('#compare'), watched);
            for (let step = 0; step < 5; step++) {
                document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}));
                await frame();
                await frame();
            }
            observer.disconnect();
            return seen;
        }"""
    )
    tab.at(8, of=21)
    assert changes == 0


def test_no_plot_out_of_sight_is_begun_while_the_cursor_moves(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(10), seed=0, t=3, compare=CHANGED))
    tab.page.locator("#compare").scroll_into_view_if_needed()
    results(tab)
    tab.page.evaluate("scrollTo(0, 0)")
    begun, moved, rests = tab.page.evaluate(
        """async () => {
            const drawn = () => document.querySelectorAll('#compare .js-plotly-plot').length;
            const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));
            let [last, rests] = [performance.now(), 0];
            const press = async (key) => {
                const now = performance.now();
                if (now - last > 200) rests++;
                last = now;
                document.dispatchEvent(new KeyboardEvent('keydown', {key}));
                await sleep(50);
            };
            for (let step = 0; step < 4; step++) await press('ArrowRight');
            const begun = drawn();
            rests = 0;
            for (let step = 0; step < 40; step++) await press(step % 2 ? 'ArrowRight' : 'ArrowLeft');
            return [begun, drawn(), rests];
        }"""
    )
    assert moved <= begun + 1 + rests, "one may have been under way, and one is begun where a slow computer rests"
    tab.at_rest("#compare")
    assert tab.page.locator("#compare .js-plotly-plot").count() > moved


HELD_PICTURE = """
  const decode = HTMLImageElement.prototype.decode;
  HTMLImageElement.prototype.decode = async function () {
    const figure = this.closest('[data-plot="b-memory-after"] .js-plotly-plot');
    if (figure) await new Promise((resolve) => { window.release = resolve; });
    return decode.call(this);
  };
"""


def test_a_column_may_be_taken_away_while_a_picture_of_it_is_taken(new_tab: OpenTab) -> None:
    tab = new_tab(viewport={"width": 1440, "height": 3000})
    tab.page.add_init_script(HELD_PICTURE)
    tab.open(fragment("copy-lstm", task=copying(4), seed=0, compare="[{'checkpoint':'copy-lstm'}]"))
    tab.page.locator("#compare").scroll_into_view_if_needed()
    tab.drawn("b-memory-after")
    tab.page.wait_for_function("() => window.release")
    tab.page.get_by_role("button", name="Remove column B").click()
    expect(column(tab, "B")).to_have_count(0)
    tab.page.evaluate("window.release()")
    tab.at_rest("#compare")
    expect(tab.page.locator("#compare .views-notice")).to_be_hidden()


def test_what_is_on_screen_stays_until_an_edit_is_answered_and_is_dimmed_if_that_takes_long(tab: ScopePage) -> None:
    tab.open(
        fragment("copy-lstm", task=copying(5), seed=0, t=8, compare="[{'checkpoint':'copy-lstm','mode':'no_shift'}]")
    )
    tab.drawn("delta-output")
    expect(tab.page.locator("#matching")).to_contain_text("Parts from A")
    held: list[Route] = []
    tab.page.route("**/api/traces*", lambda route: held.append(route))  # noqa: PLW0108 - a built-in has no attributes
    tab.page.locator('.inspector [data-number="shift 0"]').focus()
    tab.press("Enter")
    tab.page.locator(".numbers-input").fill("0.9")
    tab.press("Enter")
    expect(tab.page.locator(".column-result").first).to_have_text("asking the server…")
    expect(tab.page.locator("#views")).to_have_attribute("data-waiting", "")
    expect(tab.page.locator("[data-plot=delta-output]")).to_be_visible()
    expect(tab.page.locator("#matching")).to_contain_text("Parts from A")
    expect(column(tab, "B").locator(".column-parting")).to_contain_text("Parts from A")
    held[0].continue_()
    results(tab)
    expect(tab.page.locator("#views")).not_to_have_attribute("data-waiting", "")
    expect(tab.page.locator("#matching")).to_contain_text("Rows matched")


def test_the_first_divergence_is_one_click_away_and_the_matching_has_a_name(tab: ScopePage) -> None:
    columns = "[{'checkpoint':'copy-feedforward'}]"
    tab.open(fragment("copy-lstm", task=copying(10), seed=0, t=9, compare=columns))
    tab.page.locator("#compare").scroll_into_view_if_needed()
    expect(column(tab, "B").locator(".column-parting")).to_contain_text("Parts from A at t = 1:")
    expect(tab.page.locator("#matching")).to_contain_text("Rows matched by rotation by", timeout=PATIENCE)
    column(tab, "Δ").get_by_role("button", name="raw").click()
    expect(tab.page.locator("#matching")).to_have_text("Rows as they are.")
    column(tab, "B").get_by_role("button", name="Go there").click()
    expect(tab.page.locator(".column-moment").first).to_have_text("t = 1 of 21")


def test_operations_are_told_for_every_head_and_column(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(10), seed=0, t=14, compare=CHANGED))
    table = tab.page.get_by_role("group", name="Operations of each head")
    table.scroll_into_view_if_needed()
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(6)
    expect(rows.nth(0)).to_contain_text("shift +1")
    expect(rows.nth(1)).to_contain_text("hold")
    expect(rows.nth(2)).to_contain_text("0 % / 100 %")


def test_the_rule_for_each_operation_is_told_in_the_legend(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(5), seed=0, compare="[{'checkpoint':'copy-lstm'}]"))
    legend = tab.page.get_by_role("list", name="Colours")
    expect(legend.get_by_text("hold", exact=True)).to_have_attribute("title", re.compile("At most a tenth"))
    expect(legend.locator("li:not([title])")).to_have_count(0)
    tab.page.get_by_text("When a step is called what").click()
    expect(tab.page.locator(".operations-rules dd")).to_have_count(legend.locator("li").count())
    expect(tab.page.locator(".operations-rules dd", has_text="At most a tenth")).to_be_visible()


def test_columns_are_measured_over_many_sequences(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(5), seed=0, compare="[{'checkpoint':'copy-lstm','mode':'no_read'}]"))
    tab.page.locator("#metrics-sequences").fill("4")
    tab.page.locator("#metrics-lengths").fill("5")
    tab.page.locator("#measure").click()
    table = tab.page.get_by_role("group", name="Metrics of each column")
    used = table.locator("tr", has_text="memory is used")
    expect(used.locator("td")).to_have_text(["yes", "no"], timeout=PATIENCE)
    expect(table.locator("tbody tr").first.locator("td").first).to_have_text("0 of 40")


def test_what_is_no_length_is_said_and_not_measured(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(5), seed=0, compare="[{'checkpoint':'copy-lstm'}]"))
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url) if "/api/metrics" in request.url else None)
    problem = tab.page.locator(".metrics-problem")
    tab.page.locator("#metrics-sequences").fill("2")
    tab.page.locator("#metrics-lengths").fill("5 abc")
    expect(problem).to_contain_text("'abc' is no length")
    tab.page.locator("#measure").click()
    expect(tab.page.locator("#metrics-lengths")).to_be_focused()
    assert asked == []
    tab.page.locator("#metrics-lengths").fill("5")
    expect(problem).to_be_hidden()
    tab.page.locator("#measure").click()
    expect(tab.page.get_by_role("group", name="Metrics of each column").locator("tbody tr").first).to_be_visible()
    assert len(asked) == 2


def test_stages_are_folded_away_and_open_in_all_columns_and_in_the_address(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(5), seed=0, t=8, compare=CHANGED))
    tab.page.locator("#compare").scroll_into_view_if_needed()
    expect(tab.page.locator('[data-plot*="stage-over-time"]')).to_have_count(0)
    column(tab, "B").locator("summary").focus()
    tab.press("Enter")
    expect(tab.page.locator('[data-plot*="stage-over-time"]')).to_have_count(12)
    tab.page.wait_for_function("() => location.hash.includes('stages=open')")
    shown = tab.settled_figure("b-stage-over-time-gated-weighting")["data"][0]["z"]
    assert all(sum(row[step] for row in shown) == pytest.approx(1, abs=1e-5) for step in range(11))
    tab.page.reload()
    tab.recorded()
    tab.press("h")
    tab.page.locator("#compare").scroll_into_view_if_needed()
    expect(column(tab, "C").locator("summary")).to_contain_text("Stages of write 0")
    tab.drawn("c-stage-over-time-shifted-weighting")
    column(tab, "C").locator("summary").click()
    expect(tab.page.locator('[data-plot*="stage-over-time"]')).to_have_count(0)


@pytest.mark.parametrize(("width", "colours"), [(1440, "light"), (400, "dark")])
def test_axe_finds_no_serious_violation(new_tab: OpenTab, width: int, colours: str) -> None:
    tab = new_tab(viewport={"width": width, "height": 900}, color_scheme=colours)
    tab.open(fragment("copy-lstm", task=copying(5), seed=0, t=9, compare=CHANGED))
    tab.page.locator("#compare").scroll_into_view_if_needed()
    results(tab)
    tab.drawn("a-output")
    assert violations(tab) == []
