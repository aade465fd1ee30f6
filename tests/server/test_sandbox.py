import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ntm_core.checkpoints.containers import flatten, open_container
from ntm_core.checkpoints.containers.transport import pack, read_packed, unpack
from ntm_core.errors import CheckpointError, ConfigError
from server.sandbox import Parser, Sandbox, SandboxLimits
from tests.core.containers.builders import seeds
from tests.core.containers.hostile import CORPUS
from tests.server import sandbox_parsers as parsers

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to this limit")
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")


@pytest.fixture(scope="module")
def reader() -> Iterator[Sandbox]:
    """The sandbox that reads containers."""
    with Sandbox(read_packed) as sandbox:
        yield sandbox


def run(parser: Parser, data: bytes = b"data", options: dict[str, Any] | None = None, **limits: Any) -> Any:
    """What one call of a parser gives."""
    with Sandbox(parser, SandboxLimits(**limits)) as sandbox:
        return sandbox.run(data, options)


def test_data_and_options_go_in_and_json_and_arrays_come_out() -> None:
    data = bytes(range(256)) * 4000
    document, arrays = run(parsers.echo, data, {"limit": 1, "names": ["a", None, "ß"]})
    assert document == {"size": len(data), "options": {"limit": 1, "names": ["a", None, "ß"]}}
    expected = np.frombuffer(data, np.uint8).astype(np.float32)
    np.testing.assert_array_equal(arrays[0], expected)
    np.testing.assert_array_equal(arrays[1], expected.reshape(1, -1, 1))
    assert arrays[2].shape == ()
    assert arrays[2] == 0.5
    assert all(array.flags.writeable and array.flags.owndata for array in arrays)


@pytest.mark.parametrize(
    "kind", ["torch zip, module", "torch legacy", "npy of objects", "pickle", "safetensors", "json"]
)
def test_a_container_is_the_same_as_if_read_here(reader: Sandbox, kind: str) -> None:
    data = seeds()[kind]
    container = unpack(*reader.run(data))
    expected = open_container(data)
    assert (container.kind, container.notes, container.metadata) == (expected.kind, expected.notes, expected.metadata)
    assert pack(container)[0] == pack(expected)[0]
    found, held = flatten(container.root), flatten(expected.root)
    assert list(found) == list(held)
    for name, array in held.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


HOSTILE = [
    "calls os.system",
    "billion laughs",
    "zip bomb",
    "npy of 2 GB in 1 kB",
    "safetensors whose header nests",
    "key of megabytes",
]


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_with_the_same_reason(reader: Sandbox, kind: str) -> None:
    data, reason = CORPUS[kind]
    with pytest.raises(CheckpointError, match=reason):
        reader.run(data)


def test_limits_of_the_reader_are_options(reader: Sandbox) -> None:
    with pytest.raises(CheckpointError, match="7 bytes, more than the limit of 6"):
        reader.run(b"[1,2,3]", {"max_bytes": 6})


def test_a_refusal_keeps_its_words_and_its_kind() -> None:
    with pytest.raises(CheckpointError, match=r"^not like this: b'data' «ß»$"):
        run(parsers.refuse)
    with pytest.raises(ConfigError, match=r"^no such machine$"):
        run(parsers.refuse_config)


def test_any_other_error_is_a_refusal_too() -> None:
    with pytest.raises(CheckpointError, match="the reader failed with KeyError: 'weight'"):
        run(parsers.fail)


@unix
@pytest.mark.parametrize(("parser", "how"), [(parsers.abort, "SIGABRT"), (parsers.crash, "SIGSEGV")])
def test_a_crash_is_a_refusal_and_stays_outside(parser: Parser, how: str) -> None:
    with pytest.raises(CheckpointError, match=f"the process that reads it ended with {how}"):
        run(parser)


@pytest.mark.parametrize("status", [0, 3])
def test_an_end_without_an_answer_is_a_refusal(status: int) -> None:
    with pytest.raises(CheckpointError, match="ended with status"):
        run(parsers.leave, options={"status": status})


def test_a_call_that_waits_for_ever_is_ended() -> None:
    start = time.monotonic()
    with pytest.raises(CheckpointError, match=r"longer than 1\.5 seconds"):
        run(parsers.sleep, wall_seconds=1.5)
    assert time.monotonic() - start < 60


@unix
def test_a_call_that_computes_for_ever_is_ended() -> None:
    with pytest.raises(CheckpointError, match="more than 1 seconds of processor time"):
        run(parsers.spin, cpu_seconds=1, wall_seconds=120)


@linux
def test_memory_is_limited() -> None:
    assert run(parsers.allocate, options={"bytes": 32 << 20}, memory_bytes=256 << 20)[0] == 32 << 20
    with pytest.raises(CheckpointError, match="more than 268435456 bytes of memory"):
        run(parsers.allocate, options={"bytes": 300 << 20}, memory_bytes=256 << 20)


def test_an_answer_is_limited() -> None:
    assert len(run(parsers.answer_at_length, options={"bytes": 1000}, result_bytes=2000)[0]) == 1000
    with pytest.raises(CheckpointError, match="the limit is 2000"):
        run(parsers.answer_at_length, options={"bytes": 3000}, result_bytes=2000)


@unix
def test_no_file_is_written(tmp_path: Path) -> None:
    path = tmp_path / "written"
    assert run(parsers.write, options={"path": str(path)})[0] == "File too large"
    assert not path.exists() or path.stat().st_size == 0


@unix
def test_open_files_are_limited() -> None:
    document, _ = run(parsers.open_many, open_files=12)
    assert document["error"] == "Too many open files"
    assert document["opened"] < 12


@unix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="the limit on processes does not bind root")
def test_no_process_is_started() -> None:
    assert run(parsers.fork)[0] is not None


def test_each_call_has_a_process_of_its_own_that_waited_for_it() -> None:
    with Sandbox(parsers.identity) as sandbox:
        sandbox.warm()
        answers = []
        for _ in range(3):
            waiting = sandbox._waiting
            assert waiting is not None
            answers.append(sandbox.run(b"data")[0])
            assert answers[-1]["pid"] == waiting.pid
    assert len({answer["pid"] for answer in answers}) == 3
    assert [answer["calls"] for answer in answers] == [1, 1, 1]
    assert os.getpid() not in {answer["pid"] for answer in answers}


@linux
def test_no_open_file_of_this_program_is_handed_on(tmp_path: Path) -> None:
    with contextlib.ExitStack() as files:
        for place in range(20):
            files.enter_context((tmp_path / str(place)).open("wb"))
        assert run(parsers.identity)[0]["descriptors"] <= 6


def test_calls_at_the_same_time_do_not_meet() -> None:
    sizes = [1000 * place for place in range(1, 5)]
    found: dict[int, int] = {}
    with Sandbox(parsers.echo) as sandbox:

        def call(size: int) -> None:
            found[size] = sandbox.run(bytes(size))[0]["size"]

        threads = [threading.Thread(target=call, args=(size,)) for size in sizes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {size: size for size in sizes}


@unix
def test_a_waiting_process_that_died_is_replaced() -> None:
    with Sandbox(parsers.identity) as sandbox:
        sandbox.warm()
        waiting = sandbox._waiting
        assert waiting is not None
        os.kill(waiting.pid, signal.SIGKILL)
        waiting.wait()
        assert sandbox.run(b"data")[0]["pid"] != waiting.pid


def test_after_closing_nothing_is_left_and_calls_still_work() -> None:
    sandbox = Sandbox(parsers.identity)
    sandbox.warm()
    waiting = sandbox._waiting
    assert waiting is not None
    sandbox.close()
    assert waiting.returncode is not None
    assert sandbox.run(b"data")[0]["calls"] == 1
    assert sandbox._waiting is None


OWNER = """
import json, sys, time
sys.path[:] = json.loads(sys.argv[1])
from server.sandbox import Sandbox
from tests.server.sandbox_parsers import identity
sandbox = Sandbox(identity)
sandbox.warm()
print(sandbox._waiting.pid, flush=True)
time.sleep(600)
"""


@linux
def test_a_waiting_process_ends_with_the_program_even_if_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, json.dumps(sys.path)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        waiting = int(owner.stdout.readline())
        assert is_running(waiting)
        owner.kill()
    deadline = time.monotonic() + 60
    while is_running(waiting) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(waiting)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
