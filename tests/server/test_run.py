"""What a run says of itself."""

from typing import Any

import pytest

from ntm_core.tasks import Copy
from ntm_core.training import Plan
from ntm_core.training import plan as plans
from server.training.run import Run, RunProgress, Status

MARKS = {"diagonal": None, "content_jump": None, "converged": None}
BEGUN = {"iteration": 1, "last_iteration": 9, "marks": MARKS, "live": None, "loss_bits": None, "row": None}


def run(machine: dict[str, Any] | None = None, *, memory: bool = True, **progress: Any) -> Run:
    plan = Plan.best_known(Copy(), machine or {}, {}, memory=memory)
    begun = RunProgress.model_validate(BEGUN | progress) if progress else None
    return Run(id="run-1", name="one", plan=plan, status=Status.QUEUED, created=0, progress=begun)


def test_a_run_that_has_not_begun_says_what_will_compute_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (run().core, run().why_eager) == ("compiled", None)
    lstm = run(memory=False)
    assert (lstm.core, lstm.why_eager) == ("eager", "An LSTM without a memory is computed by PyTorch.")
    monkeypatch.setattr(plans, "why_eager", lambda _: "numba is not installed.")
    assert (run().core, run().why_eager) == ("eager", "numba is not installed.")


def test_a_run_goes_on_with_the_core_that_it_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(core="compiled").core == "compiled"
    assert run(core="eager").core == "eager"
    assert run(core="eager").why_eager == "It began in eager mode, whose last bits differ, and so it goes on."
    monkeypatch.setattr(plans, "why_eager", lambda _: "numba is not installed.")
    assert run(core="eager").why_eager == "numba is not installed."
    assert run(core="compiled").why_eager is None
