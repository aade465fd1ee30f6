"""A Chromium that is driven over a pipe, and asked for nothing but what it is to do.

Whoever drives a browser by Playwright is told of its requests and errors, and where in the scripts each began. To know
that, V8 reads whole scripts once more: on the page and, twice, plotly.js. A visitor's browser does not.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

from tests.browser.chromium import find_chromium
from tests.browser.processes import CHROMIUM_ARGUMENTS


class Tab:
    """One tab with a profile of its own, so that nothing is cached; or nothing but what it has fetched itself."""

    def __init__(self, browser: "UnwatchedChromium", width: int, height: int, script: str) -> None:
        self._browser = browser
        self._profile = browser.send("Target.createBrowserContext")["browserContextId"]
        size: dict[str, Any] = {"width": width, "height": height}
        target = browser.send("Target.createTarget", url="about:blank", browserContextId=self._profile, **size)
        attached = browser.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        self._send("Page.enable")
        self._send("Page.addScriptToEvaluateOnNewDocument", source=script)

    def open(self, address: str) -> None:
        """Go there, from a blank page."""
        for place in ("about:blank", address):
            self._send("Page.navigate", url=place)

    def value(self, expression: str) -> Any:
        """What an expression of the page gives, once it is settled."""
        found = self._send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return found["result"]["value"]

    def close(self) -> None:
        """Forget the tab and all that it has cached."""
        self._browser.send("Target.disposeBrowserContext", browserContextId=self._profile)

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.send(method, session=self._session, **parameters)


class UnwatchedChromium:
    """The browser. Its end of the pipe is file descriptor 3, where it reads, and 4, where it writes."""

    def __init__(self) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, answers = os.pipe(), os.pipe()
        begin = ["bash", "-c", f'exec "$@" 3<&{commands[0]} 4>&{answers[1]}', "chromium", str(find_chromium())]
        options = ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={Path(self._profile.name)}"]
        self._process = subprocess.Popen(
            [*begin, *CHROMIUM_ARGUMENTS, *options], pass_fds=(commands[0], answers[1]), stderr=subprocess.DEVNULL
        )
        os.close(commands[0])
        os.close(answers[1])
        self._commands, self._answers = os.fdopen(commands[1], "wb", 0), os.fdopen(answers[0], "rb", 0)
        self._unread = b""
        self._sent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        self._commands.close()
        self._answers.close()
        self._profile.cleanup()

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """The result of a command of the DevTools protocol; RuntimeError if it says that it failed."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": parameters}
        message |= {} if session is None else {"sessionId": session}
        self._commands.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") != self._sent:
                continue
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            result: dict[str, Any] = answer["result"]
            return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            arrived = self._answers.read(1 << 16)
            if not arrived:
                raise RuntimeError("Chromium has ended")
            self._unread += arrived
        text, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message
