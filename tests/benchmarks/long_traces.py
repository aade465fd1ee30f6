"""How much memory the tab's process takes for the longest traces, and how long they take to arrive as a whole.

The process is measured with its share of what it has in common with others, which Linux tells: when the trace is whole,
at most while the plots out of sight are drawn, and when all that has been cleared away. Nobody watches the browser. The
server has recorded each trace before, so that the time is that to send, read and show it.

    python -m tests.benchmarks.long_traces [--rest 45]
"""

import argparse
import re
import tempfile
import time
from pathlib import Path

import httpx2

from tests.benchmarks.page import CHECKPOINT, HEIGHT, SEED, WIDTH, fresh_machine
from tests.benchmarks.unwatched import Tab, UnwatchedChromium
from tests.browser.page import copying, fragment
from tests.browser.processes import ServerProcess

MEGABYTE = 1e6
TRACES = ((9999, None), (1999, (1024, 64)))
"""Steps, and the memory of a fresh machine instead of the benchmark's checkpoint."""
WHOLE = "!!document.querySelector('#result')?.textContent.includes('steps recorded')"
PATIENCE = 120.0


def proportional(pid: int) -> float:
    """Memory of a process in MB, with its share of what others have too."""
    status = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(map(int, re.findall(r"^Pss:\s+(\d+) kB", status, re.MULTILINE))) * 1024 / MEGABYTE


def tab_process(browser: UnwatchedChromium) -> float:
    """Memory of the largest tab in MB."""
    processes = browser.send("SystemInfo.getProcessInfo")["processInfo"]
    return max(proportional(int(one["id"])) for one in processes if one["type"] == "renderer")


def opened(address: str, rest: float) -> tuple[float, list[float]]:
    """Seconds until the trace was whole, and the memory of the tab's process in each second from then on."""
    with UnwatchedChromium() as browser:
        tab = Tab(browser, WIDTH, HEIGHT, "")
        began = time.monotonic()
        tab.open(address)
        while not tab.value(WHOLE):
            if time.monotonic() > began + PATIENCE:
                raise TimeoutError(f"{address} was not whole after {PATIENCE} s")
            time.sleep(0.05)
        taken = time.monotonic() - began
        found = [tab_process(browser)]
        while time.monotonic() < began + taken + rest:
            time.sleep(1)
            found.append(tab_process(browser))
        tab.close()
        return taken, found


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rest", type=float, default=45, help="seconds after which all has been cleared away")
    rest = parser.parse_args().rest
    print(f"{'':<24}{'whole after':>12}{'tab then':>10}{'at most':>10}{'at rest':>10}")
    with tempfile.TemporaryDirectory() as data, ServerProcess(Path(data)) as server:
        for steps, size in TRACES:
            checkpoint = fresh_machine(server, *size) if size else CHECKPOINT
            task = copying((steps - 1) // 2)
            asked = {"checkpoint": checkpoint, "task": task, "seed": SEED}
            httpx2.post(f"{server.url}/api/traces", json=asked, timeout=PATIENCE, trust_env=False).raise_for_status()
            where = fragment(checkpoint, task=task, seed=SEED, t=1)
            taken, found = opened(f"{server.url}/{where}", rest)
            name = f"{size[0]} x {size[1]}" if size else CHECKPOINT
            print(f"{f'T = {steps}, {name}':<24}{taken:>10.1f} s", end="")
            print("".join(f"{value:>7.0f} MB" for value in (found[0], max(found), found[-1])))


if __name__ == "__main__":
    main()
