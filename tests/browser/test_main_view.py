"""The main view shows what the machine computed: read back from the screen and held against the trace API."""

import base64
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from ntm_core.checkpoints.native import load_checkpoint
from ntm_core.recording import record
from ntm_core.tasks import Copy
from ntm_core.zoo import names, path
from tests.browser.conftest import OpenTab
from tests.browser.page import PATIENCE, ScopePage, copying, fragment
from tests.browser.processes import ServerProcess

pytestmark = pytest.mark.browser

MODEL = "copy-lstm"
SHOWN = {"key_strength": "key_strength", "interpolation_gate": "interpolation_gate", "sharpening": "sharpening"}


def test_a_fresh_page_shows_the_default_model_solving_its_task(tab: ScopePage) -> None:
    tab.open()
    assert tab.page.locator("#model").input_value() == names()[0] == MODEL
    expect(tab.page.locator("#result")).to_contain_text("0 / ")
    expect(tab.page.locator("#result")).to_contain_text("wrong bits")
    for plot in ("input", "output", "adds", "reads", "weighting-write-0", "weighting-read-0"):
        tab.drawn(plot)


def test_scrubbing_shows_the_numbers_of_the_trace_api_to_the_last_digit(tab: ScopePage, server: ServerProcess) -> None:
    trace = server.trace(MODEL, task=copying(12), seed=5)
    tab.open(fragment(MODEL, task=copying(12), seed=5, head=1))
    steps = trace["header"]["steps"]
    for t in (1, 2, 7, 12, 13, 14, 20, steps):
        tab.go_to(t)
        tab.at(t, of=steps)
        for number, field in SHOWN.items():
            expected = np.float32(trace["step"][field][t - 1][1])
            assert np.float32(tab.number(number)) == expected, f"{field} at t = {t}"
        for index, shift in enumerate(trace["header"]["shifts"]):
            assert np.float32(tab.number(f"shift {shift}")) == np.float32(
                trace["step"]["shift_weighting"][t - 1][1][index]
            )
        weighting = np.array(trace["step"]["weighting"][t - 1][1], np.float32)
        assert np.float32(tab.number("peak")) == weighting.max()
        assert int(tab.number("argmax")) == int(weighting.argmax())


@pytest.mark.parametrize(("length", "steps"), [(12, (3, 13, 25)), (100, (190, 66))])
def test_the_memory_on_screen_is_the_machines_memory_bit_for_bit(
    tab: ScopePage, server: ServerProcess, length: int, steps: tuple[int, ...]
) -> None:
    machine = load_checkpoint(path(MODEL)).machine()
    machine.core = server.trace(MODEL, task=copying(length), seed=5)["header"]["core"]
    trace = record(machine, Copy(lengths=(length, length)).episodes(5))
    tab.open(fragment(MODEL, task=copying(length), seed=5))
    for t in steps:
        tab.drawn("memory-after")
        tab.go_to(t)
        for part, step in (("memory-before", t - 1), ("memory-after", t)):
            shown = np.array(tab.settled_figure(part)["data"][0]["z"], np.float32)
            expected = trace.memory[step]
            assert np.array_equal(shown if shown.shape == expected.shape else shown.T, expected), f"{part} at t = {t}"


def test_the_weightings_on_screen_are_those_of_the_trace(tab: ScopePage, server: ServerProcess) -> None:
    trace = server.trace(MODEL, task=copying(8), seed=1)
    tab.open(fragment(MODEL, task=copying(8), seed=1))
    weighting = np.array(trace["step"]["weighting"], np.float32)
    for plot, head in (("weighting-read-0", 0), ("weighting-write-0", 1)):
        assert np.array_equal(np.array(tab.settled_figure(plot)["data"][0]["z"], np.float32), weighting[:, head].T)


def test_hovering_reads_an_exact_value(tab: ScopePage, server: ServerProcess) -> None:
    trace = server.trace(MODEL, task=copying(8), seed=1)
    tab.open(fragment(MODEL, task=copying(8), seed=1))
    host = tab.drawn("weighting-read-0").locator(".plot-host")
    box = host.bounding_box()
    assert box
    tab.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.4)
    tooltip = tab.page.locator(".tooltip:visible")
    expect(tooltip).to_be_visible()
    text = tooltip.inner_text().replace("\u2212", "-")
    values = {np.float32(value) for step in trace["step"]["weighting"] for value in step[0]}
    words = (word.strip(",;:") for word in text.split())
    numbers = {np.float32(word) for word in words if word.replace(".", "", 1).replace("e-", "", 1).isdigit()}
    assert numbers & values, text


def test_the_cursor_lies_on_its_column_of_every_plot(tab: ScopePage) -> None:
    """Held against where Plotly's own axis has the step."""
    tab.open(fragment("copy-lstm", task=copying(20), seed=3, t=32))
    for plot in ("input", "adds", "weighting-read-0", "track-key-strength"):
        tab.drawn(plot)
        for t in (32, 7):
            tab.go_to(t)
            off = tab.page.evaluate(
                """([plot, t]) => {
                    const host = document.querySelector(`[data-plot="${plot}"] .js-plotly-plot`);
                    const {left, width} = host.querySelector('.column-cursor').getBoundingClientRect();
                    const axis = host._fullLayout.xaxis;
                    const [from, to] = [t - 0.5, t + 0.5].map((x) => axis._offset + axis.c2p(x));
                    return [left - host.getBoundingClientRect().left - from, width - (to - from)];
                }""",
                [plot, t],
            )
            assert off == pytest.approx([-0.75, 1.5], abs=0.02)


def test_the_private_parts_of_plotly_are_as_the_page_needs_them(tab: ScopePage) -> None:
    tab.open()
    tab.drawn("input")
    version = tab.page.evaluate("import('/static/src/plotly.js').then((plotly) => plotly.guardPrivateFields())")
    assert tab.page.evaluate("document.querySelector('meta[name=plotly]').content").endswith(f"{version}.min.js")


SKETCHED = """async (plot) => {
    const {sketchOf} = await import('/static/src/sketch.js');
    const {textWidth} = await import('/static/src/views/text_width.js');
    const host = document.querySelector(`[data-plot="${plot}"] .js-plotly-plot`);
    const frame = document.createElement('div');
    frame.style.cssText = 'position: absolute; left: 0; top: 0';
    frame.innerHTML = sketchOf({traces: host.data, layout: host.layout}, true, textWidth);
    document.body.append(frame);
    const shown = (root, lines) => {
        const origin = root.getBoundingClientRect();
        const boxes = (selector, words) => [...root.querySelectorAll(selector)].map((mark) => {
            const {left, top, width, height} = mark.getBoundingClientRect();
            const [x, y] = [left - origin.left, top - origin.top];
            if (!words) return ['', x, y, width, height];
            return [mark.textContent.replaceAll('\u200b', ''), x + width / 2, y + height / 2];
        });
        return {words: boxes('text', true).sort(), lines: boxes(lines, false)};
    };
    const theirs = shown(host, '.xlines-above, .ylines-above, .xtick.ticks, .ytick.ticks');
    const ours = shown(frame, 'svg > path');
    frame.remove();
    return [theirs, ours];
}"""


def test_what_stands_in_for_a_figure_lies_where_plotly_puts_it(tab: ScopePage) -> None:
    """Every text within a pixel and a half, every axis and tick of both within half a pixel."""
    tab.open(fragment(MODEL, task=copying(8), seed=1, pin=3))
    for plot in ("input", "output", "weighting-read-0", "stage-weighting", "kernel", "memory-after", "track-entropy"):
        tab.drawn(plot)
        theirs, ours = tab.page.evaluate(SKETCHED, plot)
        assert [word for word, *_ in ours["words"]] == [word for word, *_ in theirs["words"]]
        for found, expected in zip(ours["words"], theirs["words"], strict=True):
            assert found[1:] == pytest.approx(expected[1:], abs=1.5), (plot, found[0])
        for line in theirs["lines"]:
            assert any(line[1:] == pytest.approx(one[1:], abs=0.5) for one in ours["lines"]), (plot, line)


def test_everything_is_seen_and_scrubbed_before_plotly_is_there(tab: ScopePage) -> None:
    """A page whose Plotly never comes: sketches with lines, canvases and bars, which follow the cursor."""
    tab.page.route("**/vendor/*", lambda _: None)
    tab.page.goto(f"{tab.base}/{fragment('copy-lstm', task=copying(20), seed=3, t=12)}", wait_until="commit")
    tab.recorded()
    for plot in ("input", "weighting-read-0", "kernel", "stage-weighting", "memory-after", "track-entropy"):
        found = tab.page.locator(f'[data-plot="{plot}"]')
        found.scroll_into_view_if_needed()
        expect(found.locator(".plot-host[data-pictured]")).to_be_visible(timeout=PATIENCE)
    bars = tab.page.locator('[data-plot="kernel"] .moving-paths path')
    bars.scroll_into_view_if_needed()
    expect(bars).to_be_visible()
    before = bars.get_attribute("d")
    tab.go_to(30)
    expect(bars).not_to_have_attribute("d", before or "")
    assert tab.page.locator(".js-plotly-plot").count() == 0


STANDING_IN = """([plot, expected]) => {
  const host = document.querySelector(`[data-plot="${plot}"] .plot-host`);
  const parts = ['.plot-picture', '.moving-paths', '.cell-overlay'].filter((part) => {
    const found = host.querySelector(part);
    return found && getComputedStyle(found).display !== 'none';
  });
  const live = getComputedStyle(host.querySelector('.plot-container')).contentVisibility === 'visible';
  return !host.hasAttribute('data-moved') && live === (expected.length === 0) && String(parts) === String(expected);
}"""


def test_a_plot_at_rest_shows_plotly_alone_to_whoever_points_at_it(tab: ScopePage) -> None:
    """Otherwise it looks as it is scrubbed, so that the first frame of a movement does not pay for it."""
    tab.open(fragment("copy-lstm", task=copying(8), seed=1, t=3))
    over = {"memory-after": [".cell-overlay"], "kernel": [".moving-paths"]}
    for plot in ("weighting-read-0", "memory-after", "track-entropy", "kernel", "input"):
        tab.drawn(plot)
        tab.page.mouse.move(2, 2)
        tab.go_to(7)
        tab.page.wait_for_function(STANDING_IN, arg=[plot, [".plot-picture", *over.get(plot, [])]])
        tab.page.locator(f'[data-plot="{plot}"] .plot-host').hover(position={"x": 5, "y": 5})
        tab.page.wait_for_function(STANDING_IN, arg=[plot, []])
        tab.go_to(3)


def test_a_long_trace_is_drawn_without_an_element_or_a_pixel_for_each_step(
    tab: ScopePage, server: ServerProcess
) -> None:
    """What would be as large as the trace once more: canvases behind figures, and a stroke for each position."""
    trace = server.trace(MODEL, task=copying(900), seed=1)
    tab.open(fragment(MODEL, task=copying(900), seed=1))
    tab.drawn("weighting-read-0")
    canvas = "document.querySelector('[data-plot=\"weighting-read-0\"] canvas').width"
    tab.page.wait_for_function(f"{canvas} === 0")
    rows = np.array(tab.settled_figure("weighting-read-0")["data"][0]["z"], np.float32)
    weighting = np.array(trace["step"]["weighting"], np.float32)[:, 0].T
    span = -(-weighting.shape[1] // rows.shape[1])
    columns = range(0, weighting.shape[1], span)
    assert np.array_equal(rows, np.stack([weighting[:, at : at + span].max(1) for at in columns], axis=1))
    tab.drawn("track-position")
    strokes = tab.page.locator('[data-plot="track-position"] .js-line').count()
    assert span > 1
    assert 0 < strokes < weighting.shape[1]


def test_every_plot_names_itself_its_axes_and_its_meaning(tab: ScopePage) -> None:
    tab.open()
    plots = tab.page.locator("[data-plot]")
    count = plots.count()
    assert count >= 20
    for index in range(count):
        plot = plots.nth(index)
        assert plot.locator(".plot-title").inner_text().strip()
        assert plot.locator("figcaption").inner_text().strip()
        assert plot.locator(".plot-host").get_attribute("aria-label")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1024, 400])
def test_the_page_fits_every_width(new_tab: OpenTab, colours: str, width: int) -> None:
    tab = new_tab(viewport={"width": width, "height": 900}, color_scheme=colours)
    tab.open(fragment(MODEL, task=copying(20), seed=0, t=28))
    tab.drawn("weighting-write-0")
    tab.drawn("input")
    overflow = tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    expect(tab.page.locator("#step")).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize("width", [1440, 400])
def test_what_is_drawn_further_down_moves_nothing(new_tab: OpenTab, width: int) -> None:
    tab = new_tab(viewport={"width": width, "height": 900})
    tab.open(fragment(MODEL, task=copying(5), seed=0))
    place = "document.querySelector('#compare').getBoundingClientRect().top + scrollY"
    below = tab.page.evaluate(place)
    for plot in ("stage-weighting", "memory-after", "track-sharpening"):
        tab.drawn(plot)
        assert tab.page.evaluate(place) == below


SWAY = """async () => {
  for (const key of ['ArrowRight', 'ArrowLeft']) {
    document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
    await new Promise((done) => setTimeout(done, 60));
  }
}"""

COMPARE = """async (pictures) => {
  const pixels = await Promise.all(pictures.map(async (picture) => {
    const image = new Image();
    image.src = `data:image/png;base64,${picture}`;
    await image.decode();
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height).data;
  }));
  const different = pixels[0].reduce((count, value, index) => count + (Math.abs(value - pixels[1][index]) > 48), 0);
  return different / pixels[0].length;
}"""


def test_what_is_scrubbed_looks_as_plotly_draws_it_at_rest(tab: ScopePage) -> None:
    tab.open(fragment(MODEL, task=copying(12), seed=5, t=20))
    for plot in ("weighting-write-0", "stage-weighting", "memory-after", "kernel"):
        host = tab.page.locator(f'[data-plot="{plot}"] .plot-host')
        host.scroll_into_view_if_needed()
        expect(host.locator(".plot-picture")).to_have_attribute("src", re.compile("^blob:"), timeout=PATIENCE)
        tab.page.evaluate(SWAY)
        expect(tab.page.locator("[data-moved]")).to_have_count(0, timeout=PATIENCE)
        expect(host).to_have_attribute("data-pictured", "", timeout=PATIENCE)
        shots = []
        for away in (True, False):
            box = host.bounding_box()
            assert box is not None
            tab.page.mouse.move(2 if away else box["x"] + 3, 2 if away else box["y"] + 3)
            shots.append(host.screenshot(mask=[tab.page.locator(".plot-saves")]))
        different = tab.page.evaluate(COMPARE, [base64.b64encode(shot).decode() for shot in shots])
        assert different <= 0.002, f"{plot}: {different:.2%} of the values"
