"""Training as a person sees it: started, watched, halted, scrubbed through, kept."""

import re
import sys
import time
from itertools import count

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.page import PATIENCE, ScopePage, copying, fragment
from tests.browser.processes import ServerProcess

pytestmark = pytest.mark.browser

RUN = re.compile("run-[0-9a-f]{8}")

FEED_FORWARD = "feed-forward (feedforward)"

LEARNT_WITHIN = 60
"""Seconds in which copy is learnt, from the click on Train: twice what two busy cores may take. Where other programs
take the cores away, half of this has to do for the run's own processor time: it was 10 s when this was written."""


def opened_form(tab: ScopePage) -> Locator:
    """The form of the dialog, with all its groups unfolded."""
    tab.page.locator("#train").click()
    form = tab.page.get_by_role("dialog", name="Train a machine").locator("form")
    expect(form).to_be_visible()
    for summary in form.locator("summary").all():
        summary.click()
    return form


def train(tab: ScopePage, form: Locator) -> Locator:
    """Click on Train, and wait for the run's first picture; its bar."""
    form.get_by_role("button", name="Train").click()
    expect(form).to_be_hidden()
    expect(tab.page.locator("#model")).to_have_value(RUN, timeout=PATIENCE)
    return tab.page.locator("#training-bar")


def wait_for_the_compiled_core(server: ServerProcess) -> None:
    """Wait until the server has it, since numba compiles but once on a computer."""
    for seed in count(1000):
        if server.trace("copy-lstm", task=copying(3), seed=seed)["header"].get("core") == "compiled":
            return
        time.sleep(0.5)


def start(tab: ScopePage, name: str, **fields: object) -> Locator:
    """Train copy with these fields of the form changed; the bar of the run."""
    form = opened_form(tab)
    for field, value in {"name": name, **fields}.items():
        form.locator(f'[name="{field}"]').fill(str(value))
    return train(tab, form)


def stop_and_delete(tab: ScopePage, bar: Locator) -> None:
    stop = bar.get_by_role("button", name="Stop")
    if stop.count():
        stop.click()
    bar.get_by_role("button", name="Delete this run").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(bar).to_be_hidden()


def test_copy_is_learnt_on_the_page_and_its_history_scrubbed(
    tab: ScopePage, server: ServerProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the button to convergence; then back to the untrained machine, and to the end, by the second slider."""
    wait_for_the_compiled_core(server)
    tab.open()
    form = opened_form(tab)
    form.locator('[name="name"]').fill("learns to copy")
    form.locator('[name="extra"]').fill("0")
    clicked = time.monotonic()
    bar = train(tab, form)
    expect(bar).to_contain_text("converged from", timeout=5 * PATIENCE)
    seconds = time.monotonic() - clicked
    run = f"{tab.base}/api/runs/{tab.page.locator('#model').input_value()}"
    converged = tab.page.request.get(run).json()["progress"]["marks"]["converged"]
    rows = tab.page.request.get(f"{run}/metrics").json()["rows"]
    processor = next(row["cpu_seconds"] for row in rows if row["iteration"] == converged)
    with capsys.disabled():
        sys.stdout.write(
            f"\ncopy was learnt {seconds:.1f} s after the click on Train, {processor:.1f} s of the processor\n"
        )
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
    assert seconds < LEARNT_WITHIN or processor < LEARNT_WITHIN / 2


def test_a_run_is_paused_resumed_and_seen_again_in_the_list(tab: ScopePage) -> None:
    tab.open()
    bar = start(tab, "goes on", memory_size=16, word_size=4, controller_size=8, evaluate_every=100000)
    expect(bar).to_contain_text(re.compile(r"iterations/s"), timeout=PATIENCE)
    bar.get_by_role("button", name="Pause").click()
    expect(bar.locator(".run-paused")).to_be_visible(timeout=PATIENCE)
    expect(bar.get_by_role("button", name="Resume")).to_be_focused()
    tab.page.reload()
    tab.recorded()
    expect(bar.locator(".run-paused")).to_be_visible()
    bar.get_by_role("button", name="Resume").click()
    expect(bar.locator(".run-running")).to_be_visible(timeout=PATIENCE)
    tab.page.locator("#train").click()
    row = tab.page.get_by_role("dialog", name="Train a machine").get_by_role("row", name=re.compile("goes on"))
    expect(row).to_contain_text("running")
    iterations = row.locator("td.table-number").first
    expect(iterations).not_to_have_text(iterations.inner_text())
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
    expect(form.get_by_role("alert")).to_contain_text("a zero key or memory row would divide by zero")
    form.locator('[name="similarity_epsilon"]').fill("1e-8")
    form.get_by_text("Sizes", exact=True).click()
    form.locator('[name="memory_size"]').fill("60000")
    form.get_by_text("Sizes", exact=True).click()
    form.get_by_role("button", name="Train").click()
    expect(form.get_by_role("alert")).to_contain_text("memory_size is 60000: the limit is 4096")
    expect(form.locator('[name="memory_size"]')).to_be_focused()
    tab.problems = [problem for problem in tab.problems if "422" not in problem]


def test_a_field_that_is_wrong_is_shown_where_it_was_folded_away(tab: ScopePage) -> None:
    tab.open()
    tab.page.locator("#train").click()
    form = tab.page.get_by_role("dialog", name="Train a machine").locator("form")
    sizes = form.get_by_text("Sizes", exact=True)
    sizes.click()
    form.locator('[name="memory_size"]').fill("0")
    sizes.click()
    expect(form.locator('[name="memory_size"]')).to_be_hidden()
    form.get_by_role("button", name="Train").click()
    expect(form.locator('[name="memory_size"]')).to_be_focused()


def test_a_run_that_waits_is_seen_and_can_be_halted(tab: ScopePage) -> None:
    """One is trained at a time: the next says so when it is asked for and in the list, where it can be stopped."""
    tab.open()
    small = {"memory_size": 16, "word_size": 4, "controller_size": 8, "evaluate_every": 100000}
    bar = start(tab, "goes first", **small)
    form = opened_form(tab)
    for field, value in {"name": "waits", **small}.items():
        form.locator(f'[name="{field}"]').fill(str(value))
    form.get_by_role("button", name="Train").dblclick()
    expect(tab.page.locator("#notices")).to_contain_text("'waits' waits: next.")
    expect(bar).to_contain_text("goes first")
    tab.page.locator("#train").click()
    dialog = tab.page.get_by_role("dialog", name="Train a machine")
    row = dialog.get_by_role("row", name=re.compile("waits"))
    expect(row).to_have_count(1)
    expect(row).to_contain_text("waits: next")
    stop = row.get_by_role("button", name="Stop")
    stop.focus()
    stop.press("Enter")
    expect(row).to_contain_text("stopped")
    expect(row.get_by_role("button", name="Resume")).to_be_focused()
    row.get_by_role("button", name="Delete this run").click()
    tab.page.get_by_role("button", name="Delete", exact=True).click()
    expect(row).to_have_count(0)
    tab.page.keyboard.press("Escape")
    stop_and_delete(tab, bar)


def test_a_choice_is_told_beside_it_and_what_it_needs_comes_with_it(tab: ScopePage) -> None:
    """Heads in a listed order, which has to be given; a note that the keyboard and a finger find too."""
    tab.open()
    form = opened_form(tab)
    strength = form.get_by_label("key strength activation")
    expect(strength).to_have_accessible_description(re.compile("βt ≥ 0: how sharply"))
    expect(form.get_by_text("≥ 0: how sharply")).to_be_visible()
    expect(form.get_by_label("memory size")).to_have_accessible_description(re.compile(r"1\s…\s65,536"))
    weighting = form.get_by_label("initial weighting", exact=True)
    expect(weighting.locator("option")).to_contain_text(["one-hot at location 0 (one_hot)"])
    expect(form.get_by_role("option", name="(given)")).to_have_count(0)
    order = form.get_by_label("head order")
    expect(order).to_be_hidden()
    form.get_by_label("write heads").fill("2")
    form.get_by_label("step order").select_option("listed")
    expect(order).to_have_value("read, write, write")
    order.fill("write, read, write")
    form.get_by_label("evaluate every").fill("100000")
    bar = train(tab, form)
    config = tab.page.request.get(f"{tab.base}/api/runs").json()["runs"][0]["plan"]["config"]
    assert config["head_order"] == ["write", "read", "write"]
    assert config["write_order"] == "one_by_one"
    stop_and_delete(tab, bar)


def test_the_form_is_filled_and_sent_by_keyboard_alone(tab: ScopePage) -> None:
    tab.open()
    tab.page.locator("#train").focus()
    tab.press("Enter")
    form = tab.page.get_by_role("dialog", name="Train a machine").locator("form")
    expect(form.get_by_label("Task")).to_be_focused()
    tab.press("Tab", "Tab", "Tab", "Tab")
    bits = form.get_by_label("bits")
    expect(bits).to_be_focused()
    tab.press("Control+A", "5", "Tab")
    lengths = form.get_by_label("lengths, smallest")
    expect(lengths).to_be_focused()
    expect(bits).to_have_value("5")
    tab.press("Control+A", "2", "Enter")
    expect(form).to_be_hidden()
    expect(tab.page.locator("#model")).to_have_value(RUN, timeout=PATIENCE)
    task = tab.page.request.get(f"{tab.base}/api/runs").json()["runs"][0]["plan"]["task"]
    assert task == {"name": "copy", "bits": 5, "lengths": [2, 20]}
    stop_and_delete(tab, tab.page.locator("#training-bar"))


def test_every_controller_is_offered_and_what_grows_where_something_can(tab: ScopePage) -> None:
    tab.open()
    form = opened_form(tab)
    controller = form.get_by_label("Controller", exact=True)
    expect(controller.locator("option")).to_have_text(["LSTM", "GRU", "plain recurrent (recurrent)", FEED_FORWARD])
    expect(form.get_by_label("GRU reset gate")).to_be_hidden()
    expect(form.get_by_label("grow", exact=True)).to_have_count(0)
    controller.select_option("feedforward")
    form.get_by_label("controller layer sizes").fill("50, 20")
    form.get_by_label("memory size").focus()
    expect(form.get_by_label("controller layers")).to_have_value("2")
    expect(form.get_by_label("controller size")).to_have_value("50")
    form.get_by_label("Task").select_option("dynamic_ngrams")
    grow = form.get_by_label("grow", exact=True)
    expect(grow).to_have_value("context")
    expect(grow.locator("option")).to_have_text(["none", "context"])


def test_the_training_of_a_shipped_machine_is_scrubbed_beside_its_steps(tab: ScopePage) -> None:
    tab.open(fragment("copy-lstm", task=copying(20), seed=0, t=30))
    slider = tab.page.locator("#training")
    expect(slider).to_be_visible()
    expect(tab.page.locator("#training-bar .training-place")).to_have_text("iteration 14,750")
    expect(tab.page.locator("#training-bar .run-buttons")).to_be_hidden()
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
