"""The two programs of a browser test: the server, started as a person starts it, and Chromium."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Self

import httpx2

CHECKOUT = Path(__file__).parents[2]
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


_WITHOUT_NUMBA = "import sys; sys.modules['numba'] = None; from server.__main__ import main; sys.exit(main())"


class ServerProcess:
    """The command `ntm-scope` on a free port, with a data directory of its own; or as it is where numba is missing."""

    def __init__(self, data: Path, port: int = 0, *, numba: bool = True) -> None:
        begin = ["-m", "server"] if numba else ["-c", _WITHOUT_NUMBA]
        command = [sys.executable, *begin, "--port", str(port), "--data-directory", str(data)]
        self._process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, env={**os.environ})
        output: IO[str] | None = self._process.stdout
        assert output is not None
        line = output.readline()
        found = re.search(r"http://[^\s]+", line)
        assert found, f"the server said {line!r} instead of its address"
        self.url = found[0].rstrip("/")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server as Ctrl-C does."""
        self._process.terminate()
        self._process.communicate(timeout=30)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def trace(self, checkpoint: str, **asked: Any) -> dict[str, Any]:
        """The trace as another program gets it: JSON."""
        with httpx2.Client(base_url=self.url, timeout=60, trust_env=False) as client:
            answer = client.post("/api/traces?format=json", json={"checkpoint": checkpoint, **asked})
            answer.raise_for_status()
            found: dict[str, Any] = json.loads(answer.text)
            return found
