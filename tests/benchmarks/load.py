"""How soon the server answers: the first record, a repeated request, and fifty viewers who ask for different traces.

The viewers are connections of this process, so on two cores they take some of the server's time. A yardstick stands
beside the figures: how long a bare forward step of the same machine takes in this process now. Everything is measured
twice: on a server with the compiled core, once that is warm, and on one that has no numba and records step by step.

    python -m tests.benchmarks.load [--viewers 50] [--rounds 5]
"""

import argparse
import asyncio
import json
import os
import statistics
import struct
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ntm_core import zoo
from ntm_core.checkpoints.native import load_checkpoint
from server.wire import Kind
from tests.browser.processes import ServerProcess

CHECKPOINT = "copy-lstm"
_PREFIX = struct.Struct("<II")
_STEPS = (Kind.STEPS, Kind.CODED_STEPS)


def asked(seed: int, length: int = 24) -> dict[str, Any]:
    """A request for a trace of 2 x length + 1 steps."""
    return {"checkpoint": CHECKPOINT, "seed": seed, "task": {"name": "copy", "bits": 8, "lengths": [length, length]}}


@dataclass
class Answer:
    """Seconds from the request to the first step and to the end, how many bytes came, and what computed them."""

    status: int
    first: float = float("nan")
    whole: float = float("nan")
    size: int = 0
    core: str = ""
    last_kind: int = field(default=0)


class Viewer:
    """One connection that stays open from request to request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader, self._writer, self._host = reader, writer, host

    @classmethod
    async def at(cls, port: int) -> "Viewer":
        """A viewer of the server on this port."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 22), f"127.0.0.1:{port}")

    async def see(self, request: dict[str, Any]) -> Answer:
        """The answer to a request, and how long it took."""
        body = json.dumps(request).encode()
        head = f"POST /api/traces HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        started = time.perf_counter()
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answered = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        answer = Answer(int(answered.split()[1]))
        if b"chunked" not in answered:
            length = int(answered.partition(b"content-length: ")[2].split(b"\r\n")[0])
            await self._reader.readexactly(length)
            return answer
        await self._read_frames(answer, started)
        answer.whole = time.perf_counter() - started
        return answer

    async def _read_frames(self, answer: Answer, started: float) -> None:
        waiting = b""
        while size := int(await self._reader.readline(), 16):
            waiting += (await self._reader.readexactly(size + 2))[:-2]
            answer.size += size
            while len(waiting) >= _PREFIX.size:
                length, answer.last_kind = _PREFIX.unpack_from(waiting)
                if len(waiting) < _PREFIX.size + length:
                    break
                if answer.last_kind == Kind.HEADER:
                    answer.core = json.loads(waiting[_PREFIX.size : _PREFIX.size + length])["core"]
                if answer.last_kind in _STEPS and answer.first != answer.first:
                    answer.first = time.perf_counter() - started
                waiting = waiting[_PREFIX.size + length :]
        await self._reader.readline()

    def close(self) -> None:
        """Leave."""
        self._writer.close()


def told(name: str, seconds: list[float], limit_ms: float) -> None:
    """Print median and 95th percentile beside what they are to be."""
    ordered = sorted(1000 * value for value in seconds)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    median = statistics.median(ordered)
    print(f"{name:<46} median {median:>8.1f} ms   p95 {p95:>8.1f} ms   wanted {limit_ms:>5.0f} ms")


async def warmed(port: int, seconds: float = 300) -> None:
    """Wait until the server records by the compiled core."""
    viewer = await Viewer.at(port)
    until = time.monotonic() + seconds
    seed = 100_000
    while (await viewer.see(asked(seed))).core != "compiled":
        if time.monotonic() > until:
            raise TimeoutError(f"the compiled core is not warm after {seconds:g} s")
        await asyncio.sleep(1)
        seed += 1
    viewer.close()


async def alone(port: int, rounds: int) -> None:
    """One viewer: new traces, then the same one again and again."""
    viewer = await Viewer.at(port)
    await viewer.see(asked(0))
    new = [await viewer.see(asked(1000 + index)) for index in range(4 * rounds)]
    told("first record of a new trace, T = 49", [answer.first for answer in new], 50)
    told("the whole of it", [answer.whole for answer in new], 300)
    for length in (24, 99):
        await viewer.see(asked(1, length))
        again = [await viewer.see(asked(1, length)) for _ in range(20 * rounds)]
        told(f"a repeated request, T = {2 * length + 1}", [answer.whole for answer in again], 5)
    print(f"{'bytes of a trace, T = 199, 128 x 20':<46} {again[-1].size:>15,}   wanted {500_000:,} at most")
    viewer.close()


async def together(port: int, viewers: int, rounds: int) -> None:
    """Many viewers who all ask at once for traces that nobody has asked for."""
    answers: list[Answer] = []
    for turn in range(rounds):
        crowd = [await Viewer.at(port) for _ in range(viewers)]
        seeds = range(10_000 + turn * viewers, 10_000 + (turn + 1) * viewers)
        answers += await asyncio.gather(*(viewer.see(asked(seed)) for viewer, seed in zip(crowd, seeds, strict=True)))
        for viewer in crowd:
            viewer.close()
    refused = sum(answer.status != 200 or answer.last_kind != Kind.END for answer in answers)
    told(f"{viewers} viewers at once, first record", [answer.first for answer in answers], 300)
    told(f"{viewers} viewers at once, whole trace", [answer.whole for answer in answers], 300)
    print(f"{'of these refused or broken off':<46} {refused:>15}   wanted 0")


@torch.inference_mode()
def forward_step_ms() -> float:
    """Milliseconds of one bare step of the machine here and now."""
    machine = load_checkpoint(zoo.path(CHECKPOINT)).machine()
    inputs = torch.zeros(50, 1, machine.config.input_size)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in machine.run(inputs):
            pass
        times.append((time.perf_counter() - started) / len(inputs))
    return 1000 * statistics.median(times)


def main() -> None:
    """Print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; one forward step {forward_step_ms():.2f} ms")
    for numba in (True, False):
        print("recorded by the compiled core" if numba else "recorded step by step")
        with tempfile.TemporaryDirectory() as data, ServerProcess(Path(data), numba=numba) as server:
            if numba:
                asyncio.run(warmed(server.port))
            asyncio.run(alone(server.port, options.rounds))
            asyncio.run(together(server.port, options.viewers, options.rounds))


if __name__ == "__main__":
    main()
