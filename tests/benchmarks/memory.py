"""Whether anything leaks: the memory of page and server before, during and after long scrubbing and many opened traces.

All is measured with the same trace on screen, at rest, after the browser's garbage was collected. The heap, nodes and
listeners are what the page holds; the memory of the tab's process and of the server also has what they keep for later.
The start is a page in use, not one just opened: some other traces have been opened and scrubbed before, so that code is
compiled, Plotly is loaded and what is kept up to a limit is full; the server's limit for traces is set so low that they
fill it. What only fills up then levels off from moment to moment, and what leaks does not.
The page drives itself meanwhile, with nobody connected: a browser that is watched keeps all that was fetched, for who
watches it. Linux only, which tells the memory of a process.

    python -m tests.benchmarks.memory [--minutes 10] [--traces 50] [--steps 199] [--moments 3]
"""

import argparse
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.benchmarks.page import CHECKPOINT, DRAWN, HEIGHT, SCRUB, SEED, WIDTH
from tests.browser.chromium import find_chromium
from tests.browser.page import copying, fragment
from tests.browser.processes import CHROMIUM_ARGUMENTS, ServerProcess

MEGABYTE = 1e6
WARMING = 8
"""Traces that are opened and scrubbed before the start."""
CACHED_TRACE_BYTES = 4 << 20
"""What the server may keep of traces: less than those before the start."""
COUNTED = {"heap, MB": "JSHeapUsedSize", "DOM nodes": "Nodes", "listeners": "JSEventListeners"}

DRIVE = (
    "([addresses, steps, milliseconds]) => { const scrub = "
    + SCRUB
    + """;
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const begin = performance.now();
  window.driven = 0;
  (async () => {
    for (const [index, address] of addresses.entries()) {
      location.hash = address;
      await pause(1000);
      do await scrub(steps - 1); while (performance.now() - begin < milliseconds * (index + 1) / addresses.length);
      window.driven = index + 1;
    }
  })();
}"""
)


def resident(pid: int) -> float:
    """Resident memory of a process in MB, without what it shares with others."""
    status = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kilobytes = re.findall(r"^Private_\w+:\s+(\d+) kB", status, re.MULTILINE)
    return sum(map(int, kilobytes)) * 1024 / MEGABYTE


@contextmanager
def running_chromium() -> Iterator[str]:
    """The address at which a Chromium of its own can be watched."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            str(find_chromium()),
            *CHROMIUM_ARGUMENTS,
            "--headless=new",
            f"--window-size={WIDTH},{HEIGHT}",
        ]
        command += ["--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            told = Path(profile) / "DevToolsActivePort"
            while not told.exists() or len(told.read_text().split()) < 2:
                time.sleep(0.1)
            try:
                yield f"http://127.0.0.1:{told.read_text().split()[0]}"
            finally:
                process.terminate()


@contextmanager
def watched(playwright: Playwright, address: str) -> Iterator[tuple[Browser, Page]]:
    """The browser and its tab, while somebody is connected."""
    browser = playwright.chromium.connect_over_cdp(address)
    yield browser, browser.contexts[0].pages[0]
    browser.close()


def measured(browser: Browser, page: Page, server: int) -> dict[str, float]:
    """What page and server hold, at rest."""
    page.wait_for_timeout(10_000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    page.wait_for_timeout(2_000)
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    counts = {name: metrics[metric] / (MEGABYTE if metric.endswith("Size") else 1) for name, metric in COUNTED.items()}
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    tab = max((one for one in processes if one["type"] == "renderer"), key=lambda one: one["cpuTime"])
    return {**counts, "tab, MB": resident(int(tab["id"])), "server, MB": resident(server)}


def drive(playwright: Playwright, chromium: str, addresses: list[str], steps: int, minutes: float) -> None:
    """Open these traces one after another, and scrub meanwhile: each once or more."""
    with watched(playwright, chromium) as (_, page):
        page.evaluate(DRIVE, [addresses, steps, 60_000 * minutes])
    driven = 0
    time.sleep(60 * minutes)
    while driven < len(addresses):
        time.sleep(10)
        with watched(playwright, chromium) as (_, page):
            driven = page.evaluate("window.driven")


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="of scrubbing")
    parser.add_argument("--traces", type=int, default=50, help="opened meanwhile")
    parser.add_argument("--steps", type=int, default=199, help="odd: steps of the copy task, 2 x length + 1")
    parser.add_argument("--moments", type=int, default=3, help="when memory is measured after the start")
    asked = parser.parse_args()
    home, *addresses = (
        fragment(CHECKPOINT, task=copying((asked.steps - 1) // 2), seed=SEED + number, t=1)
        for number in range(1 + WARMING + asked.traces)
    )
    warming, others = addresses[:WARMING], addresses[WARMING:]
    os.environ["NTM_SCOPE_CACHED_TRACE_BYTES"] = str(CACHED_TRACE_BYTES)
    with (
        tempfile.TemporaryDirectory() as data,
        ServerProcess(Path(data)) as server,
        sync_playwright() as playwright,
        running_chromium() as chromium,
    ):
        with watched(playwright, chromium) as (_, page):
            page.goto(f"{server.url}/{home}")
            page.wait_for_function(DRAWN)
        moments = []
        for moment in range(1 + asked.moments):
            opened = others[moment - 1 :: asked.moments] if moment else warming
            drive(playwright, chromium, [*opened, home], asked.steps, asked.minutes / asked.moments if moment else 0)
            with watched(playwright, chromium) as (browser, page):
                moments.append(measured(browser, page, server.pid))
        names = ["start", *(f"{number} of {asked.moments}" for number in range(1, 1 + asked.moments))]
        print(f"{'':<12}" + "".join(f"{name:>10}" for name in names) + f"{'ratio':>8}")
        for name in moments[0]:
            values = [moment[name] for moment in moments]
            print(f"{name:<12}" + "".join(f"{value:>10.1f}" for value in values) + f"{values[-1] / values[0]:>8.2f}")


if __name__ == "__main__":
    main()
