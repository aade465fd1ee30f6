"""Training as a person sees it: started, watched, halted, scrubbed through, kept."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.page import PATIENCE, ScopePage, copying, fragment

pytestmark = pytest.mark.browser

RUN = re.compile("run-[0-9a-f]{8}")


def start(tab: ScopePage, name: str, **fields: object) -> Locator:
    """Train copy with these fields of the form changed; the bar of the run."""
    tab.page.locator("#train").click()
    dialog = tab.page.get_by_role("dialog", name="Train a machine")
    form = dialog.locator("form")
    expect(form).to_be_visible()
    form.locator('[name="name"]').fill(name)
    for summary in form.locator("summary").all():
        summary.click()
    for field, value in fields.items():
        form.locator(f'[name="{field}"]').fill(str(value))
    form.get_by_role("button", name="Train").click()
    expect(dialog).to_be_hidden()
    expect(tab.page.locator("#model")).to_have_value(RUN, timeout=PATIENCE)
    return tab.page.locator("#training-bar")


def stop_and_delete(tab: ScopePage, bar: Locator) -> None:
    stop = bar.get_by_role("button", name="Stop")
    if stop.count():
        stop.click()
    bar.get_by_role("button", name="Delete this run").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(bar).to_be_hidden()


def test_copy_is_learnt_on_the_page_and_its_history_scrubbed(tab: ScopePage) -> None:
    """From the button to convergence; then back to the untrained machine, and to the end, by the second slider."""
    tab.open()
    bar = start(tab, "learns to copy", extra=0)
    expect(bar).to_contain_text("converged from", timeout=5 * PATIENCE)
    expect(bar.locator(".run-finished")).to_be_visible(timeout=PATIENCE)
    expect(tab.page.locator("#result")).to_contain_text("0 / 160 wrong bits", timeout=PATIENCE)
    expect(bar).to_contain_text("diagonal from")
    slider = tab.page.locator("#training")
    slider.focus()
    slider.press("Home")
    expect(tab.page).to_have_url(re.compile(r"checkpoint=run-[0-9a-f]{8}\.0&"))
    tab.recorded()
    expect(tab.page.locator("#result .result-error")).to_be_visible()
    tab.go_to(12)
    expect(tab.page).to_have_url(re.compile(r"\.0&.*t=12"))
    slider.focus()
    slider.press("End")
    expect(tab.page.locator("#result")).to_contain_text("0 / 160 wrong bits")
    expect(tab.page.locator(".inspector-step")).to_have_text("t = 12")
    bar.get_by_role("button", name="Keep").click()
    expect(tab.page.locator("#notices")).to_contain_text("is kept among the uploads")
    expect(tab.page.locator("#model optgroup[label=Uploaded] option")).to_contain_text(["learns to copy"])
    stop_and_delete(tab, bar)


def test_a_run_is_paused_resumed_and_seen_again_in_the_list(tab: ScopePage) -> None:
    tab.open()
    bar = start(tab, "goes on", memory_size=16, word_size=4, controller_size=8, evaluate_every=100000)
    expect(bar).to_contain_text(re.compile(r"iterations/s"), timeout=PATIENCE)
    bar.get_by_role("button", name="Pause").click()
    expect(bar.locator(".run-paused")).to_be_visible(timeout=PATIENCE)
    tab.page.reload()
    tab.recorded()
    expect(bar.locator(".run-paused")).to_be_visible()
    bar.get_by_role("button", name="Resume").click()
    expect(bar.locator(".run-running")).to_be_visible(timeout=PATIENCE)
    tab.page.locator("#train").click()
    row = tab.page.get_by_role("dialog", name="Train a machine").get_by_role("row", name=re.compile("goes on"))
    expect(row).to_contain_text("running")
    expect(tab.page.locator(".curves.js-plotly-plot, .curves .js-plotly-plot").first).to_be_visible(timeout=PATIENCE)
    tab.page.keyboard.press("Escape")
    stop_and_delete(tab, bar)


def test_what_cannot_be_trained_is_said(tab: ScopePage) -> None:
    tab.open()
    tab.page.locator("#train").click()
    form = tab.page.get_by_role("dialog", name="Train a machine").locator("form")
    form.get_by_text("Every open choice").click()
    form.locator('[name="similarity_epsilon"]').fill("0")
    form.get_by_role("button", name="Train").click()
    expect(tab.page.locator("#notices")).to_contain_text("a zero key or memory row would divide by zero")
    tab.problems = [problem for problem in tab.problems if "422" not in problem]


def test_the_training_of_a_shipped_machine_is_scrubbed_beside_its_steps(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(20), seed=0, t=30))
    slider = tab.page.locator("#training")
    expect(slider).to_be_visible()
    expect(tab.page.locator("#training-bar .training-place")).to_have_text("iteration 14,500")
    expect(tab.page.locator("#training-bar .training-buttons")).to_be_hidden()
    slider.focus()
    slider.press("Home")
    expect(tab.page).to_have_url(re.compile(r"checkpoint=copy-lstm\.0&.*t=30"))
    expect(tab.page.locator("#result .result-error")).to_be_visible()
    expect(tab.page.locator("#model")).to_have_value("copy-lstm")
    tab.page.reload()
    tab.recorded()
    expect(slider).to_have_value("0")
    slider.focus()
    slider.press("End")
    expect(tab.page.locator("#result")).to_contain_text("0 / 160 wrong bits")
    expect(tab.page.locator(".inspector-step")).to_have_text("t = 30")
