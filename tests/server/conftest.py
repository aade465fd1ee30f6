"""A server with small machines of its own, and clients for it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes, save_checkpoint
from ntm_core.config import MachineConfig
from ntm_core.hand_compiled import hand_compiled_copy
from ntm_core.machine import Machine
from server.app import create_app
from server.compiled import warm_up
from server.settings import Settings
from tests.server.live import LiveServer

ADDRESS = "http://127.0.0.1"

MakeClient = Callable[..., TestClient]
MakeServer = Callable[..., LiveServer]


def small_machine(seed: int = 0, **fields: Any) -> Machine:
    """A machine for 2-bit copy that is quick to run."""
    sizes = {"input_size": 3, "output_size": 2, "memory_size": 8, "word_size": 4, "controller_size": 5}
    return Machine(MachineConfig.make(**{**sizes, **fields}), seed).eval().requires_grad_(False)


def small_checkpoint(**about: Any) -> bytes:
    """The file of a small machine."""
    return checkpoint_bytes(Checkpoint.of(small_machine(), **about))


@pytest.fixture(scope="session", autouse=True)
def _warm() -> None:
    """Servers under test record by the compiled core, unless a test says otherwise."""
    warm_up()


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of asynchronous tests: asyncio's, as uvicorn's."""
    return "asyncio"


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints that the server under test ships: one that copies, one that is small, one that knows no task."""
    directory = tmp_path_factory.mktemp("zoo")
    checkpoints = {
        "copier": Checkpoint.of(
            hand_compiled_copy(2, 16),
            task={"name": "copy", "bits": 2, "lengths": [1, 7]},
            training={"note": "compiled by hand"},
            results={"wrong_bits": {"7": 0.0}},
            card="The read head jumps back at the delimiter.",
        ),
        "small": Checkpoint.of(small_machine(), task={"name": "copy", "bits": 2, "lengths": [3, 3]}),
        "taskless": Checkpoint.of(small_machine(controller="gru", write_heads=2)),
        "wide": Checkpoint.of(small_machine(memory_size=2048)),
    }
    for name, checkpoint in checkpoints.items():
        save_checkpoint(directory / f"{name}.safetensors", checkpoint)
    return {name: directory / f"{name}.safetensors" for name in checkpoints}


@pytest.fixture(scope="session")
def client(shipped: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a server with the default settings that all tests share: they leave it as it is."""
    settings = Settings(data_directory=tmp_path_factory.mktemp("shared"))
    with TestClient(create_app(settings, shipped), ADDRESS) as shared:
        yield shared


@pytest.fixture
def make_client(shipped: dict[str, Path], tmp_path: Path) -> Iterator[MakeClient]:
    """Clients of servers in this process, each with settings and uploads of its own."""
    with ExitStack() as stack:

        def make(*, raise_server_exceptions: bool = True, **settings: Any) -> TestClient:
            app = create_app(Settings(**{"data_directory": tmp_path / "data", **settings}), shipped)
            client = TestClient(app, ADDRESS, raise_server_exceptions=raise_server_exceptions)
            return stack.enter_context(client)

        yield make


@pytest.fixture
def make_server(shipped: dict[str, Path], tmp_path: Path) -> Iterator[MakeServer]:
    """Servers that listen on a port of their own, each with settings of its own."""
    with ExitStack() as stack:

        def make(**settings: Any) -> LiveServer:
            app = create_app(Settings(**{"data_directory": tmp_path / "data", **settings}), shipped)
            return stack.enter_context(LiveServer(app))

        yield make


@pytest.fixture
def usual_signals() -> Iterator[None]:
    """What is started here is ended by signals, also where the tests run in the background or under `nohup`."""
    numbers = [number for name in ("SIGINT", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
