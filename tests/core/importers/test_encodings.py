"""Other programs' rows are as their authors lay them out, and tasks of ours make them."""

import numpy as np
import pytest

from ntm_core.checkpoints.importers import Encoding
from ntm_core.checkpoints.importers.encodings import encodings
from ntm_core.tasks import parse_task
from tests.core.golden import CHECKPOINTS, imported, load_golden, peers_are_absent

with_peers = pytest.mark.skipif(peers_are_absent() is not None, reason=peers_are_absent() or "")


def test_an_encoding_says_what_its_rows_are() -> None:
    encoding = Encoding.ours({"name": "copy_layout", "bits": 2}, "copy_with_start_and_end")
    about = encoding.about()
    assert about["name"] == "copy_with_start_and_end"
    assert about["title"] == "Copy, other layouts"
    assert about["layout"].startswith("L rows of random bits")
    assert about["input_channels"] == ["bit 0", "bit 1", "start", "end"]
    assert parse_task(about["settings"]) == encoding.task
    assert encoding.episodes(3, 4).batch == 4


def test_settings_that_no_task_can_have_are_left_out() -> None:
    asked = {
        "small": {"name": "copy", "bits": 8},
        "none": {"name": "copy", "bits": 0},
        "wide": {"name": "copy", "bits": 99},
    }
    assert [encoding.name for encoding in encodings(asked)] == ["small"]


@with_peers
@pytest.mark.parametrize("name", list(CHECKPOINTS))
def test_recorded_rows_are_rows_of_the_proposed_task(name: str) -> None:
    """The task reads the recorded rows as its own, and asks for what the recording's author asked for."""
    golden = load_golden(name)
    encoding = next(
        encoding
        for encoding in imported(CHECKPOINTS[name]).chosen.encodings
        if len(encoding.task.output_channels) == golden.arrays["output"].shape[1]
    )
    episode = encoding.task.interpret(golden.arrays["input"])
    np.testing.assert_allclose(episode.inputs[:, 0], golden.arrays["input"], atol=1e-6)
    asked = episode.mask[:, 0] > 0
    target = golden.arrays["target"]
    target = target[-asked.sum() :] if len(target) != len(asked) else target[asked]
    np.testing.assert_array_equal(episode.targets[asked, 0], target)
