"""How fast the page is in real Chromium: the first picture, each frame while scrubbing, and the answer to an edit.

The page that is opened is that of the default model, by a browser that nobody watches. Scrubbing presses the right
arrow in every frame, from the first step to the last, and notes the time from frame to frame. The baseline draws the
same plots, in the same tab, as a page does that only uses Plotly: one `restyle` or `relayout` a plot and step, waiting
for each to be drawn. Page and baseline are compared in a browser that begins a frame as soon as the one before is done,
since at sixty frames a second at most they would differ less than they do.

    python -m tests.benchmarks.page [--steps 199] [--repeat 5] [--memory 1024 64]
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes
from ntm_core.config import MachineConfig
from ntm_core.machine import Machine
from tests.benchmarks.unwatched import Tab, UnwatchedChromium
from tests.browser.chromium import find_chromium
from tests.browser.page import ScopePage, copying, fragment
from tests.browser.processes import CHROMIUM_ARGUMENTS, ServerProcess

CHECKPOINT = "copy-lstm"
SEED = 3
WIDTH, HEIGHT = 1440, 900
MODES = ("content_only", "location_only", "no_shift")
SETTLED_MS = 2500
EDITED_LENGTH = 24
UNLIMITED = ("--disable-frame-rate-limit", "--disable-gpu-vsync")
BROWSER_SETTLES = 2.0
"""Seconds in which a new window of Chromium loads pages of its own, such as that of its address bar."""


class View(NamedTuple):
    """What is in sight while the cursor moves."""

    name: str
    height: int
    top: str
    modes: tuple[str, ...] = ()
    """Of the columns beside the trace."""

    def fragment(self, checkpoint: str, length: int, t: int = 1) -> str:
        """Where it is shown."""
        columns = ",".join(f"{{'checkpoint':'{checkpoint}','mode':'{mode}'}}" for mode in self.modes)
        more: dict[str, object] = {"compare": f"[{columns}]"} if columns else {}
        return fragment(checkpoint, task=copying(length), seed=SEED, t=t, **more)

    def show(self, page: Page) -> None:
        """Scroll there, and wait until it is drawn."""
        page.locator(self.top).evaluate("(part) => scrollTo(0, part.getBoundingClientRect().top + scrollY - 130)")
        page.wait_for_function(DRAWN)
        page.wait_for_timeout(SETTLED_MS)


VIEWS = (
    View("top of the page", HEIGHT, "#views"),
    View("addressing and memory", HEIGHT, "[data-plot=stage-previous]"),
    View("the whole page", 2900, "#views"),
    View("four columns", HEIGHT, "#compare", MODES),
)

EDITED = (VIEWS[0], View("inspector and columns", 2200, "[data-plot=memory-before]", MODES))

DRAWN = """() => {
  const inSight = (host) => host.getBoundingClientRect().bottom > 0 && host.getBoundingClientRect().top < innerHeight;
  const hosts = [...document.querySelectorAll('.plot-host')].filter(inSight);
  return hosts.length > 3 && hosts.every((host) => host.classList.contains('js-plotly-plot'));
}"""

EDIT = """async (text) => {
  const frame = () => new Promise(requestAnimationFrame);
  const number = () => document.querySelector('.inspector [data-number="shift 0"]');
  const column = () => document.querySelector('#compare .column-result')?.textContent;
  const before = column();
  const asking = () => before !== undefined && (column() === before || column().includes('asking'));
  const matching = () => /Matching|Once both/.test(document.querySelector('#matching')?.textContent);
  const painted = () => new Promise((done) => {
    const {port1, port2} = new MessageChannel();
    port1.onmessage = () => done(performance.now() - from);
    port2.postMessage(0);
  });
  const input = document.querySelector('.numbers-input');
  input.value = text;
  const from = performance.now();
  input.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
  do await frame(); while (number()?.textContent !== text || asking());
  const drawn = await painted();
  if (before === undefined) return [drawn, drawn];
  while (matching()) await frame();
  return [drawn, await painted()];
}"""

WATCH = """
window.firsts = new Promise((done) => {
  const inSight = (host) => host.getBoundingClientRect().bottom > 0 && host.getBoundingClientRect().top < innerHeight;
  const firsts = {};
  const note = (name, happened) => { if (happened) firsts[name] ??= performance.now(); };
  const look = () => {
    const hosts = [...document.querySelectorAll('.plot-host')].filter(inSight);
    const drawn = (host) => host.classList.contains('js-plotly-plot');
    note('heatmap', hosts.some((host) => host.querySelector('.cell-overlay:not([hidden])')));
    note('everything', hosts.length > 0 && hosts.every((host) => drawn(host) || host.hasAttribute('data-pictured')));
    note('plotly', hosts.length > 0 && hosts.every(drawn));
    if (firsts.plotly) done(firsts);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});
"""

SCRUB = """async (frames) => {
  const press = (key) => document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
  const frame = () => new Promise(requestAnimationFrame);
  press('Home');
  await new Promise((done) => setTimeout(done, 600));
  const gaps = [];
  let last = await frame();
  for (let index = 0; index < frames; index++) {
    press('ArrowRight');
    const now = await frame();
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}"""

PLAIN = """async (frames) => {
  const inSight = (host) => host.getBoundingClientRect().bottom > 0 && host.getBoundingClientRect().top < innerHeight;
  const plots = [...document.querySelectorAll('.plot-host.js-plotly-plot')].filter(inSight).map((host) => {
    const kind = host.closest('[data-plot]').dataset.plot;
    if (kind.startsWith('memory')) return {host, z: host.data[0].z.map((row) => Array.from(row))};
    if (/^(stage|kernel)/.test(kind)) return {host, y: host.data.map((trace) => Array.from(trace.y))};
    return {host};
  });
  const draw = ({host, y, z}, step) => {
    if (z) return Plotly.restyle(host, {z: [z.map((row) => row.map((value) => value + 0.1 * (step % 2)))]}, [0]);
    const turned = (row) => [...row.slice(step), ...row.slice(0, step)];
    if (y) return Plotly.restyle(host, {y: y.map(turned)}, y.map((_, index) => index));
    return Plotly.relayout(host, {'shapes[0].x0': step + 0.5, 'shapes[0].x1': step + 1.5});
  };
  const gaps = [];
  let last = await new Promise(requestAnimationFrame);
  for (let step = 0; step < frames; step++) {
    await Promise.all(plots.map((plot) => draw(plot, step)));
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}"""


def fresh_machine(server: ServerProcess, memory_size: int, word_size: int) -> str:
    """The id of an uploaded machine of this size for the copy task, untrained: to draw it takes as long."""
    config = MachineConfig(input_size=9, output_size=8, memory_size=memory_size, word_size=word_size)
    content = checkpoint_bytes(Checkpoint.of(Machine(config)))
    answer = httpx2.post(
        f"{server.url}/api/checkpoints",
        content=content,
        headers={"Content-Type": "application/octet-stream"},
        trust_env=False,
    )
    answer.raise_for_status()
    return str(answer.json()["id"])


def opening(browser: UnwatchedChromium, address: str) -> tuple[dict[str, float], dict[str, float]]:
    """Milliseconds from navigation to the first heatmap, to all plots in sight seen whole, and to Plotly's own figures.

    First with empty caches, then once more.
    """
    tab = Tab(browser, WIDTH, HEIGHT, WATCH)
    time.sleep(BROWSER_SETTLES)
    firsts = []
    for _ in range(2):
        tab.open(address)
        firsts.append(tab.value("window.firsts"))
    tab.close()
    return firsts[0], firsts[1]


def tell_openings(server: ServerProcess, address: str, repeat: int) -> None:
    """Print two lines."""
    with UnwatchedChromium() as browser:
        pairs = [opening(browser, f"{server.url}/{address}") for _ in range(repeat)]
    for name, firsts in zip(("cold", "warm"), zip(*pairs, strict=True), strict=True):
        heatmap, everything, plotly = (
            statistics.median(one[what] for one in firsts) for what in ("heatmap", "everything", "plotly")
        )
        print(f"{name}: first heatmap {heatmap:.0f} ms, every plot {everything:.0f} ms, ", end="")
        print(f"Plotly's figures {plotly:.0f} ms")


def scrubbing(page: Page, steps: int) -> list[float]:
    """Milliseconds from frame to frame, of two passes."""
    gaps: list[float] = page.evaluate(SCRUB, steps - 1) + page.evaluate(SCRUB, steps - 1)
    return gaps


def plain_scrubbing(page: Page) -> list[float]:
    """Milliseconds from frame to frame, of the baseline."""
    page.wait_for_timeout(SETTLED_MS)
    gaps: list[float] = page.evaluate(PLAIN, 20)
    return gaps


def launched(playwright: Playwright, *arguments: str) -> Browser:
    """Headless Chromium with these arguments beside those of the tests."""
    return playwright.chromium.launch(executable_path=find_chromium(), args=[*CHROMIUM_ARGUMENTS, *arguments])


@contextmanager
def shown(browser: Browser, base: str, view: View, checkpoint: str, length: int) -> Iterator[Page]:
    """A tab in which the view is in sight, and drawn."""
    tab = ScopePage(browser.new_page(viewport={"width": WIDTH, "height": view.height}), base)
    tab.open(view.fragment(checkpoint, length))
    view.show(tab.page)
    yield tab.page
    tab.page.close()


def editing(browser: Browser, base: str, view: View) -> list[tuple[float, float]]:
    """Milliseconds from Enter, with another shift typed at an output, to the frame with the new run.

    Beside it, with columns, to that with their difference, for which the server matches the rows.
    """
    tab = ScopePage(browser.new_page(viewport={"width": WIDTH, "height": view.height}), base)
    tab.open(view.fragment(CHECKPOINT, EDITED_LENGTH, t=EDITED_LENGTH + 6))
    taken = []
    # With the one the head stays behind for good, with the other it does not: the result in words changes each time.
    for shift in ("0.9", "0.1") * 4:
        tab.page.locator('.inspector [data-number="shift 0"]').focus()
        tab.press("Enter")
        view.show(tab.page)
        taken.append(tab.page.evaluate(EDIT, shift))
    tab.page.close()
    return taken


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[round(share * (len(values) - 1))]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=199, help="odd: steps of the copy task, 2 x length + 1")
    parser.add_argument("--repeat", type=int, default=5, help="how often the page is opened")
    parser.add_argument(
        "--memory", type=int, nargs=2, metavar=("N", "W"), help=f"a fresh machine instead of {CHECKPOINT}"
    )
    asked = parser.parse_args()
    length = (asked.steps - 1) // 2
    with (
        tempfile.TemporaryDirectory() as data,
        ServerProcess(Path(data)) as server,
        sync_playwright() as playwright,
        launched(playwright) as browser,
        launched(playwright, *UNLIMITED) as unlimited,
    ):
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Chromium {browser.version}, T = {asked.steps}")
        checkpoint = fresh_machine(server, *asked.memory) if asked.memory else CHECKPOINT
        tell_openings(server, VIEWS[0].fragment(checkpoint, length) if asked.memory else "", asked.repeat)
        print(f"{'':<24}{'at 60 frames a second at most, ms':>45}{'unlimited, ms a step':>37}")
        print(f"{'scrubbing':<24}{'median':>9}{'p95':>9}{'longest':>9}{'frames/s':>10}", end="")
        print(f"{'page':>14}{'plain Plotly':>15}{'ratio':>8}")
        for view in VIEWS:
            with shown(browser, server.url, view, checkpoint, length) as page:
                gaps = scrubbing(page, asked.steps)
            row = [_quantile(gaps, share) for share in (0.5, 0.95, 1.0)]
            print(f"{view.name:<24}" + "".join(f"{value:>9.1f}" for value in row), end="")
            print(f"{1000 / statistics.fmean(gaps):>10.1f}", end="", flush=True)
            with shown(unlimited, server.url, view, checkpoint, length) as page:
                ours, plain = map(statistics.fmean, (scrubbing(page, asked.steps), plain_scrubbing(page)))
            print(f"{ours:>14.1f}{plain:>15.0f}{plain / ours:>8.1f}")
        for view in EDITED:
            runs, differences = zip(*editing(browser, server.url, view), strict=True)
            print(f"from an edit to the new run, T = {2 * EDITED_LENGTH + 1}, {view.name}: ", end="")
            print(f"{statistics.median(runs):.0f} ms, at most {max(runs):.0f} ms; ", end="")
            print(f"with the difference {statistics.median(differences):.0f} ms, at most {max(differences):.0f} ms")


if __name__ == "__main__":
    main()
