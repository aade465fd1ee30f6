"""Finds a Chromium that starts, for the browser tests.

    python -m tests.browser.chromium      prints its path; installs one first if there is none

Tried in this order: a Chromium or Chrome on the PATH; Playwright's own; and, when there is neither, Playwright's
download; and, as root where there is apt-get, Debian's package.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

_START = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--dump-dom",
    "data:text/html,<p>started</p>",
)
_OWN = "from playwright.sync_api import sync_playwright as p\nwith p() as own: print(own.chromium.executable_path)"


def find_chromium() -> Path | None:
    """The executable of a Chromium or Chrome that starts, or None."""
    on_path = (shutil.which(name) for name in NAMES)
    for found in on_path:
        if found and starts(Path(found)):
            return Path(found)
    own = playwrights_own()
    return own if starts(own) else None


def playwrights_own() -> Path:
    """Where Playwright keeps its own Chromium, installed or not.

    Asked in a process of its own: Playwright refuses to start twice in one, and a test may have started it.
    """
    return Path(subprocess.check_output([sys.executable, "-c", _OWN], text=True, timeout=60).strip())


def starts(executable: Path) -> bool:
    """Whether this browser starts and draws a page: it may be missing, a stub, or lack a library."""
    try:
        page = subprocess.run([executable, *_START], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "<p>started</p>" in page.stdout


def install_chromium() -> Path | None:
    """The executable of a newly installed Chromium, or None if no way of installing one worked."""
    ways = [[[sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        debian = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium", "fonts-liberation"]
        ways.append([["apt-get", "update"], debian])
    for way in ways:
        if all(_runs(command) for command in way) and (found := find_chromium()):
            return found
    return None


def _runs(command: list[str]) -> bool:
    print("$", *command, file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, env=environment, stdout=sys.stderr, timeout=600, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def main() -> int:
    """0 with the path printed, or 1 with what to do about it."""
    found = find_chromium() or install_chromium()
    if found is None:
        print("No Chromium was found or could be installed: install Chromium or Google Chrome.", file=sys.stderr)
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
