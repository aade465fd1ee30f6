"""How a worker is told to stop."""

import os

import pytest

from server.training import stopping
from server.training.stopping import Stop
from tests.server.live import eventually


@pytest.mark.parametrize("begun", [False, True])
def test_the_end_of_the_input_ends_the_process_at_once_unless_work_has_begun(
    begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr(stopping, "_INPUT", reading)
    left: list[bool] = []
    stop = Stop(lambda: left.append(True))
    if begun:
        stop.begin()
    stop.listen()
    os.write(writing, b"whatever")
    assert not stop()
    os.close(writing)
    eventually(stop)
    eventually(lambda: left == [True] * (not begun))
    os.close(reading)
