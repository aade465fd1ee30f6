import re
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ntm_core.checkpoints.containers import ContainerLimits, flatten, open_container
from ntm_core.errors import CheckpointError
from tests.core.containers.hostile import CORPUS, LIMITS

MOST_SECONDS = 10.0
MOST_BYTES = 64 << 20


@contextmanager
def bounded() -> Iterator[None]:
    """What happens inside takes neither long nor much memory."""
    start = time.process_time()
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
    assert time.process_time() - start < MOST_SECONDS


@pytest.mark.parametrize("kind", CORPUS)
def test_a_hostile_file_is_refused_with_its_reason(kind: str) -> None:
    data, reason = CORPUS[kind]
    with bounded(), pytest.raises(CheckpointError) as refusal:
        flatten(open_container(data, LIMITS).root)
    message = str(refusal.value)
    assert re.search(reason, message, re.DOTALL), message
    assert len(message) < 1000
    message.encode("utf-8")


def test_the_corpus_is_large_and_its_kinds_differ() -> None:
    assert len(CORPUS) >= 60
    assert len({data for data, _ in CORPUS.values()}) == len(CORPUS)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["billion laughs", "text that laughs", "three million instructions", "zip with 5000 members"]
)
def test_the_usual_limits_stop_what_grows(kind: str) -> None:
    with pytest.raises(CheckpointError, match="limit"):
        open_container(CORPUS[kind][0])


def test_the_first_limit_is_the_size_of_the_file() -> None:
    with pytest.raises(CheckpointError, match="101 bytes, more than the limit of 100"):
        open_container(b"[" + b"1" * 100, ContainerLimits(max_bytes=100))
