"""Measuring little, so that a run takes a blink: what is measured is tested elsewhere."""

from collections.abc import Iterator

import pytest

from ntm_core.tasks import Copy
from ntm_core.training import metrics


@pytest.fixture(autouse=True, scope="module")
def measure_little() -> Iterator[None]:
    """Two batches of fixed sequences and two short lengths for every run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "FIXED_BATCHES", 2)
        patch.setattr(Copy, "evaluation_lengths", (1, 2))
        yield
