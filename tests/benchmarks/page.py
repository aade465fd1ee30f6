"""How fast the page is in real Chromium: the first picture, each frame while scrubbing, and the answer to an edit.

Scrubbing presses the right arrow in every frame, from the first step to the last, and notes the time from frame to
frame. The baseline draws the same plots, in the same tab, as a page does that only uses Plotly: one `restyle` or
`relayout` a plot and step, waiting for each to be drawn.

    python -m tests.benchmarks.page [--steps 199] [--repeat 5] [--memory 1024 64]
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from playwright.sync_api import Browser, Page, sync_playwright

from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes
from ntm_core.config import MachineConfig
from ntm_core.machine import Machine
from tests.browser.chromium import find_chromium
from tests.browser.page import ScopePage, copying, fragment
from tests.browser.processes import CHROMIUM_ARGUMENTS, ServerProcess

CHECKPOINT = "copy-lstm"
SEED = 3
WIDTH, HEIGHT = 1440, 900
MODES = ("content_only", "location_only", "no_shift")
SETTLED_MS = 2500
EDITED_LENGTH = 24


class View(NamedTuple):
    """What is in sight while the cursor moves."""

    name: str
    height: int
    top: str
    modes: tuple[str, ...] = ()
    """Of the columns beside the trace."""

    def fragment(self, checkpoint: str, length: int) -> str:
        """Where it is shown."""
        columns = ",".join(f"{{'checkpoint':'{checkpoint}','mode':'{mode}'}}" for mode in self.modes)
        more: dict[str, object] = {"compare": f"[{columns}]"} if columns else {}
        return fragment(checkpoint, task=copying(length), seed=SEED, t=1, **more)


VIEWS = (
    View("top of the page", HEIGHT, "#views"),
    View("addressing and memory", HEIGHT, "[data-plot=stage-previous]"),
    View("the whole page", 2900, "#views"),
    View("four columns", HEIGHT, "#compare", MODES),
)

DRAWN = """() => {
  const inSight = (host) => host.getBoundingClientRect().bottom > 0 && host.getBoundingClientRect().top < innerHeight;
  const hosts = [...document.querySelectorAll('.plot-host')].filter(inSight);
  return hosts.length > 3 && hosts.every((host) => host.classList.contains('js-plotly-plot'));
}"""

EDIT = """async (text) => {
  const frame = () => new Promise(requestAnimationFrame);
  const number = () => document.querySelector('.inspector [data-number="interpolation_gate"]');
  const input = document.querySelector('.numbers-input');
  input.value = text;
  const from = performance.now();
  input.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
  do await frame(); while (number()?.textContent !== text);
  await frame();
  return performance.now() - from;
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


def opening(browser: Browser, address: str, *, warm: bool) -> dict[str, float]:
    """Milliseconds from navigation to the first heatmap, to all plots in sight seen whole, and to Plotly's own figures.

    Warm: the page has been opened before, so that the caches are full.
    """
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    context.add_init_script(WATCH)
    page = context.new_page()
    for _ in range(1 + warm):
        page.goto("about:blank")
        page.goto(address, wait_until="commit")
        firsts: dict[str, float] = page.evaluate("window.firsts")
    context.close()
    return firsts


def scrubbing(page: Page, steps: int, top: str) -> tuple[list[float], list[float]]:
    """Milliseconds from frame to frame, of the page and of the baseline."""
    page.locator(top).evaluate("(part) => scrollTo(0, part.getBoundingClientRect().top + scrollY - 130)")
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(SETTLED_MS)
    ours: list[float] = page.evaluate(SCRUB, steps - 1) + page.evaluate(SCRUB, steps - 1)
    page.wait_for_timeout(SETTLED_MS)
    plain: list[float] = page.evaluate(PLAIN, 20)
    return ours, plain


def editing(browser: Browser, base: str) -> list[float]:
    """Milliseconds from Enter, with another gate typed at the first output, to the frame with the new run; T = 49."""
    tab = ScopePage(browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}), base)
    tab.open(fragment(CHECKPOINT, task=copying(EDITED_LENGTH), seed=SEED, t=EDITED_LENGTH + 2))
    tab.page.wait_for_function(DRAWN)
    taken = []
    for digit in range(1, 10):
        tab.page.wait_for_timeout(SETTLED_MS / 2)
        tab.page.locator('.inspector [data-number="interpolation_gate"]').focus()
        tab.press("Enter")
        taken.append(tab.page.evaluate(EDIT, f"0.{digit}"))
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
        playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS) as browser,
    ):
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Chromium {browser.version}, T = {asked.steps}")
        checkpoint = fresh_machine(server, *asked.memory) if asked.memory else CHECKPOINT
        for warm in (False, True):
            address = f"{server.url}/{VIEWS[0].fragment(checkpoint, length)}"
            firsts = [opening(browser, address, warm=warm) for _ in range(asked.repeat)]
            heatmap, everything, plotly = (
                statistics.median(one[name] for one in firsts) for name in ("heatmap", "everything", "plotly")
            )
            print(
                f"{'warm' if warm else 'cold'}: first heatmap {heatmap:.0f} ms, every plot {everything:.0f} ms, ",
                end="",
            )
            print(f"Plotly's figures {plotly:.0f} ms")
        print(f"{'scrubbing':<24}{'median':>9}{'p95':>9}{'longest':>9}{'frames/s':>10}{'plain Plotly':>14}{'ratio':>8}")
        for view in VIEWS:
            tab = ScopePage(browser.new_page(viewport={"width": WIDTH, "height": view.height}), server.url)
            tab.open(view.fragment(checkpoint, length))
            ours, plain = scrubbing(tab.page, asked.steps, view.top)
            row: list[Any] = [_quantile(ours, share) for share in (0.5, 0.95, 1.0)]
            mean, slow = statistics.fmean(ours), statistics.fmean(plain)
            print(f"{view.name:<24}" + "".join(f"{value:>9.1f}" for value in row), end="")
            print(f"{1000 / mean:>10.1f}{slow:>11.0f} ms{slow / mean:>8.1f}")
            tab.page.close()
        edits = editing(browser, server.url)
        print(f"from an edit to the new run, T = 49: {statistics.median(edits):.0f} ms, at most {max(edits):.0f} ms")


if __name__ == "__main__":
    main()
