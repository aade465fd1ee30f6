"""Files changed at random open to what a container promises, or are refused: no other error, no long wait."""

import contextlib
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_core.checkpoints.containers import open_container
from ntm_core.errors import CheckpointError
from tests.core.containers.builders import seeds
from tests.core.containers.fuzzing import LIMITS, check, fuzz

INPUTS = int(os.environ.get("NTM_SCOPE_FUZZ_INPUTS", "5000"))
SEED = int(os.environ.get("NTM_SCOPE_FUZZ_SEED", "0"))
SEEDS = seeds()


@given(
    kind=st.sampled_from(sorted(SEEDS)),
    changes=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4),
    kept=st.integers(0, 1 << 20),
)
def test_a_file_with_changed_bytes_opens_or_is_refused(kind: str, changes: list[tuple[int, int]], kept: int) -> None:
    data = bytearray(SEEDS[kind])
    for place, value in changes:
        data[place % len(data)] = value
    if kept % 4 == 0:
        del data[kept % len(data) :]
    with contextlib.suppress(CheckpointError):
        check(open_container(bytes(data), LIMITS))


@pytest.mark.parametrize("kind", sorted(SEEDS))
def test_the_fuzzer_starts_from_files_that_open(kind: str) -> None:
    check(open_container(SEEDS[kind]))


@pytest.mark.parametrize("kind", sorted(SEEDS))
def test_a_file_cut_anywhere_is_refused(kind: str) -> None:
    data = SEEDS[kind]
    for size in range(0, len(data), max(1, len(data) // 200)):
        with pytest.raises(CheckpointError):
            open_container(data[:size])


def test_a_short_run_finds_nothing() -> None:
    report = fuzz(300, seed=1)
    assert report.failures == []
    assert report.opened > 0
    assert report.kept > 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_long_run_finds_nothing() -> None:
    """In an interpreter of its own, for here the types of every call are checked, which takes ten times longer."""
    program = [sys.executable, "-m", "tests.core.containers.fuzzing", str(INPUTS), str(SEED)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(program, capture_output=True, text=True, check=True, env=environment)
    report = json.loads(done.stdout)
    assert report["failures"] == []
    assert report["inputs"] == INPUTS
    assert set(report["kinds"]) == {"safetensors", "torch_zip", "torch_legacy", "npy", "pickle", "json"}
