"""The page under test, in words of a person who uses it."""

import json
from typing import Any
from urllib.parse import quote

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

SECOND = 1000
PATIENCE = 60 * SECOND
"""How long a busy machine may take for what is instant elsewhere."""


def fragment(checkpoint: str, **more: object) -> str:
    """The part of an address behind # that shows this checkpoint, and whatever else is given."""
    named: dict[str, object] = {"checkpoint": checkpoint, **more}
    values = {name: json.dumps(value) if isinstance(value, dict) else str(value) for name, value in named.items()}
    return "#" + "&".join(f"{name}={quote(value)}" for name, value in values.items())


def copying(length: int) -> dict[str, object]:
    """The copy task with sequences of exactly this length."""
    return {"name": "copy", "bits": 8, "lengths": [length, length]}


class ScopePage:
    """NTM Scope in one browser tab; `problems` are the console's errors and all requests to other places."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.problems: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.problems.append(error.stack or str(error)))
        page.on("request", lambda request: self._note_request(request.url))

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(message.text)

    def _note_request(self, url: str) -> None:
        if not url.startswith((self.base, "data:", "blob:")):
            self.problems.append(f"a request left the server: {url}")

    def open(self, where: str = "") -> None:
        """Go to an address of the server and wait until the trace is complete."""
        self.page.goto(f"{self.base}/{where}")
        self.recorded()

    def recorded(self) -> None:
        """Wait until the trace on screen is complete, and the page down to its last plot."""
        expect(self.page.locator("#result")).to_contain_text("steps recorded", timeout=PATIENCE)
        expect(self.page.locator('[data-plot="track-position"]')).to_be_attached(timeout=PATIENCE)

    def drawn(self, plot: str) -> Locator:
        """The plot with this id, scrolled into view and drawn by Plotly."""
        found = self.page.locator(f'[data-plot="{plot}"]')
        found.scroll_into_view_if_needed()
        expect(found.locator(".js-plotly-plot, .plot-host.js-plotly-plot").first).to_be_attached(timeout=PATIENCE)
        return found

    def at_rest(self, selector: str) -> None:
        """Wait until nothing has changed in the element with this selector for a second."""
        self.page.evaluate(
            """(selector) => new Promise((resolve) => {
                const observer = new MutationObserver(() => { clearTimeout(rest); rest = wait(); });
                const wait = () => setTimeout(() => { observer.disconnect(); resolve(); }, 1000);
                let rest = wait();
                const watched = {subtree: true, childList: true, attributes: true, characterData: true};
                observer.observe(document.querySelector(selector), watched);
            })""",
            selector,
        )

    def settled_figure(self, plot: str) -> dict[str, Any]:
        """What Plotly itself holds of a plot: its traces, once the page has been idle."""
        self.drawn(plot)
        self.page.wait_for_timeout(SECOND)
        figure: dict[str, Any] = self.page.evaluate(
            """(plot) => {
                const frame = document.querySelector(`[data-plot="${plot}"]`);
                const host = frame.querySelector('.js-plotly-plot');
                const copied = (z) => z && Array.from(z, (row) => [...row]);
                return {data: host.data.map((trace) => ({...trace, z: copied(trace.z)}))};
            }""",
            plot,
        )
        return figure

    def press(self, *keys: str) -> None:
        """Press keys with the focus on nothing."""
        for key in keys:
            self.page.keyboard.press(key)

    def at(self, t: int, of: int) -> None:
        """Expect the cursor at step t, as the screen counts."""
        expect(self.page.locator(".inspector-step")).to_have_text(f"t = {t}")
        expect(self.page.locator(".inspector-steps")).to_have_text(f"of {of}")

    def go_to(self, t: int) -> None:
        """Move the slider to step t, as a drag does."""
        self.page.locator("#step").evaluate(
            "(slider, row) => { slider.value = String(row);"
            " slider.dispatchEvent(new Event('input', {bubbles: true})); }",
            t - 1,
        )
        expect(self.page.locator(".inspector-step")).to_have_text(f"t = {t}")

    def number(self, name: str) -> float:
        """A number of the inspector, exactly as it stands there."""
        text = self.page.locator(f'.inspector [data-number="{name}"]').inner_text()
        return float(text.replace("\u2212", "-"))

    def numbers(self, names: list[str]) -> dict[str, float]:
        """Several numbers of the inspector, read at one moment."""
        return {name: self.number(name) for name in names}
