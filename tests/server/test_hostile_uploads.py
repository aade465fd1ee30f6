"""Files that mean harm, or are broken, sent to a server on a real socket: each is refused, and the server goes on."""

import re
import time
from pathlib import Path

import pytest

from tests.core.containers.hostile import CORPUS
from tests.server.conftest import MakeServer, small_checkpoint
from tests.server.live import LiveServer
from tests.server.test_checkpoints import OCTETS

SECONDS = 30
SAMPLE = dict(list(CORPUS.items())[::4])
"""Every fourth kind of the corpus, which has them all in order; the readers' own tests go through each."""


@pytest.fixture
def server(make_server: MakeServer) -> LiveServer:
    """A server whose uploads are parsed within limits of time and memory."""
    return make_server(import_memory_bytes=512 << 20, import_seconds=SECONDS, max_upload_bytes=256 << 20)


def test_there_are_at_least_sixty_kinds() -> None:
    assert len(SAMPLE) >= 60


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_hostile_file_is_refused_with_a_reason_and_leaves_nothing(server: LiveServer, tmp_path: Path) -> None:
    unlike: dict[str, object] = {}
    with server.client(timeout=2 * SECONDS) as client:
        for kind, (data, reason) in SAMPLE.items():
            started = time.perf_counter()
            response = client.post("/api/checkpoints", content=data, headers=OCTETS)
            message = response.json().get("error", {}).get("message", "")
            refused = 400 <= response.status_code < 500 and re.search(reason, message, re.DOTALL)
            if not refused or time.perf_counter() - started > SECONDS:
                unlike[kind] = (response.status_code, message)
        assert not unlike
        assert not list((tmp_path / "data").rglob("*"))
        assert client.post("/api/checkpoints", content=small_checkpoint(), headers=OCTETS).status_code == 201
        assert client.post("/api/traces", json={"checkpoint": "small"}).status_code == 200
