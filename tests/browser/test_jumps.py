"""A jump ahead of what has arrived: over a slow line the page shows the step at once, and the rest goes on arriving."""

import re

import httpx2
import numpy as np
import pytest
from playwright.sync_api import expect

from ntm_core.trace import Trace
from server.wire import read_trace
from tests.browser.page import ScopePage, copying, fragment
from tests.browser.processes import ServerProcess

pytestmark = pytest.mark.browser

MODEL = "copy-lstm"
LENGTH = 1500
SEED = 3
SLOW = {"offline": False, "latency": 40, "downloadThroughput": 250_000, "uploadThroughput": 250_000}
"""A line of 2 Mbit/s, in bytes a second: the trace takes half a minute."""


def whole_trace(server: ServerProcess) -> Trace:
    """What the trace API streams, to the last step."""
    asked = {"checkpoint": MODEL, "task": copying(LENGTH), "seed": SEED}
    with httpx2.Client(base_url=server.url, timeout=120, trust_env=False) as client:
        return read_trace([client.post("/api/traces", json=asked).raise_for_status().content]).trace


def assert_shown(tab: ScopePage, trace: Trace, t: int) -> None:
    """Expect the numbers of a step of the read head, and the memory that the step left, to the last digit."""
    tab.at(t, of=len(trace))
    for name in ("key_strength", "interpolation_gate", "sharpening"):
        assert np.float32(tab.number(name)) == trace[name][t - 1, 0], name
    assert np.float32(tab.number("peak")) == trace["weighting"][t - 1, 0].max()
    shown = np.array(tab.settled_figure("memory-after")["data"][0]["z"], np.float32)
    expected = trace.memory_after(t)
    assert np.array_equal(shown if shown.shape == expected.shape else shown.T, expected)


def columns_painted(tab: ScopePage, plot: str, steps: int, *ts: int) -> list[bool]:
    """Whether something is painted in the columns of these steps."""
    painted: list[bool] = tab.page.evaluate(
        """([plot, steps, ts]) => {
            const canvas = document.querySelector(`[data-plot="${plot}"] .cell-overlay canvas`);
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const span = Math.ceil(steps / canvas.width);
            return ts.map((t) => data[4 * Math.floor((t - 1) / span) + 3] > 0);
        }""",
        [plot, steps, list(ts)],
    )
    return painted


def test_where_the_cursor_is_to_stand_is_told_while_the_step_is_on_its_way(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(3)))
    tab.page.route("**/api/traces?*first=*", lambda _: None)
    tab.page.context.new_cdp_session(tab.page).send("Network.emulateNetworkConditions", SLOW)
    tab.page.goto(f"{tab.base}/{fragment(MODEL, task=copying(LENGTH), seed=SEED)}")
    result, field, slider = (tab.page.locator(one) for one in ("#result", "#t", "#step"))
    expect(result).to_contain_text("recording")
    field.fill("2900")
    field.press("Enter")
    expect(result).to_contain_text("t = 2900 on its way")
    arrived = tab.page.locator(".inspector-step").inner_text()
    expect(tab.page.locator(".inspector-step")).not_to_have_text(arrived)
    assert (field.input_value(), slider.input_value()) == ("2900", "2899")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^t = 2900 of 3001, .*, on its way$"))
    tab.press("Home")
    expect(field).to_have_value("1")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^t = 1 of 3001, [^,]*$"))


def test_a_jump_ahead_shows_the_step_long_before_the_trace_is_there(tab: ScopePage, server: ServerProcess) -> None:
    trace = whole_trace(server)
    steps = len(trace)
    tab.open(fragment(MODEL, task=copying(3)))
    tab.drawn("memory-after")
    network = tab.page.context.new_cdp_session(tab.page)
    network.send("Network.emulateNetworkConditions", SLOW)
    recording = tab.page.locator("#result", has_text="recording")

    tab.page.goto(f"{server.url}/{fragment(MODEL, task=copying(LENGTH), seed=SEED, t=2400)}")
    tab.at(2400, of=steps)
    expect(recording).to_be_visible()
    assert_shown(tab, trace, 2400)
    tab.page.locator('[data-plot="weighting-read-0"]').scroll_into_view_if_needed()
    assert columns_painted(tab, "weighting-read-0", steps, 1, 2000, 2400, 2900) == [True, False, True, False]

    tab.go_to(2900)
    assert_shown(tab, trace, 2900)
    for _ in range(40):
        tab.press("ArrowRight")
    assert_shown(tab, trace, 2940)
    expect(recording).to_be_visible()

    network.send("Network.emulateNetworkConditions", {**SLOW, "downloadThroughput": -1, "uploadThroughput": -1})
    tab.recorded()
    assert_shown(tab, trace, 2940)
    tab.go_to(1234)
    assert_shown(tab, trace, 1234)
