"""A run may be left at any moment, in any way, and ends in the same bits."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from ntm_core.checkpoints.native import load_checkpoint
from ntm_core.claim import claimed
from ntm_core.compiled import Crew, Task
from ntm_core.compiled.crew import one_by_one
from ntm_core.compiled.learner import Learner
from ntm_core.compiled.plan import plan_for
from ntm_core.errors import CheckpointError, InUseError, TrainingError
from ntm_core.evaluation import Results
from ntm_core.tasks import Copy
from ntm_core.training import Outcome, Plan, Progress, session, train
from ntm_core.training import plan as plans
from ntm_core.training.session import (
    FINAL,
    METRICS,
    RESULTS,
    SERIES,
    STATE,
    is_in_series,
    saved_plan,
    saved_progress,
    series_file,
)
from ntm_core.training.state import TrainingState
from ntm_core.training.trainer import Trainer, Update
from tests.core.training.plans import small_plan


class Crash(BaseException):
    """Stands for the end of the process: nothing handles it."""


def without_time(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("seconds", "cpu_seconds")}


def everything(directory: Path) -> dict[str, Any]:
    """All that a run leaves behind, but for the time that it took."""
    found: dict[str, Any] = {}
    for path in directory.rglob("*.safetensors"):
        if path.name != STATE:
            checkpoint = load_checkpoint(path)
            assert checkpoint.training is not None
            about = (checkpoint.config, checkpoint.task, without_time(checkpoint.training), checkpoint.results)
            found[str(path.relative_to(directory))] = (checkpoint.tensors, about)
    rows = [json.loads(line) for line in (directory / METRICS).read_text().splitlines()]
    found[METRICS] = [without_time(row) for row in rows]
    return found


def assert_same_result(one: Path, other: Path) -> None:
    first, second = everything(one), everything(other)
    assert first.keys() == second.keys()
    assert first.pop(METRICS) == second.pop(METRICS)
    for name, (tensors, about) in first.items():
        assert about == second[name][1], name
        assert all(torch.equal(value, second[name][0][key]) for key, value in tensors.items()), name


def stop_at(iteration: int) -> dict[str, Any]:
    """A `stop` that asks to stop once this iteration is done, with the `report` that it listens to."""
    seen: list[int] = []

    def report(progress: Progress) -> None:
        seen.append(progress.iteration)

    return {"report": report, "stop": lambda: seen[-1] >= iteration}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return small_plan(batch=2)


@pytest.fixture(scope="module")
def uninterrupted(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("uninterrupted")
    train(plan, directory)
    return directory


def test_a_run_leaves_metrics_a_series_and_a_final_checkpoint(uninterrupted: Path) -> None:
    assert sorted(path.name for path in (uninterrupted / SERIES).iterdir()) == [
        f"iteration-{iteration:08d}.safetensors" for iteration in (0, 1, 2, 5, 10)
    ]
    rows = [json.loads(line) for line in (uninterrupted / METRICS).read_text().splitlines()]
    assert [row["iteration"] for row in rows] == [0, 4, 8]
    assert [row["sequences"] for row in rows] == [0, 8, 16]
    assert [row["gradient_norm"] is None for row in rows] == [True, False, False]
    assert [row["seconds"] for row in rows] == sorted(row["seconds"] for row in rows)
    assert rows[0].keys() == {
        *("iteration", "sequences", "loss_bits", "wrong_bits", "metric", "diagonal", "content_jumps"),
        *("gradient_norm", "skipped_updates", "seconds", "cpu_seconds"),
    }


def test_the_final_checkpoint_says_what_it_is(plan: Plan, uninterrupted: Path) -> None:
    final = load_checkpoint(uninterrupted / FINAL)
    assert final.config == plan.config
    assert final.task == plan.task.model_dump(mode="json")
    assert final.training is not None
    assert final.training["recipe"] == plan.recipe.model_dump(mode="json")
    assert (final.training["iterations"], final.training["sequences"]) == (10, 20)
    assert final.results is not None
    assert [row["length"] for row in final.results["errors_by_length"]] == list(plan.task.evaluation_lengths)
    last = load_checkpoint(uninterrupted / SERIES / "iteration-00000010.safetensors")
    assert all(torch.equal(value, final.tensors[name]) for name, value in last.tensors.items())


def test_the_same_plan_gives_the_same_result(plan: Plan, uninterrupted: Path, tmp_path: Path) -> None:
    train(plan, tmp_path)
    assert_same_result(tmp_path, uninterrupted)


def test_another_seed_gives_another_result(uninterrupted: Path, tmp_path: Path) -> None:
    train(small_plan(batch=2, seed=1), tmp_path)
    assert everything(tmp_path)[METRICS] != everything(uninterrupted)[METRICS]


@pytest.mark.parametrize("iteration", [0, 1, 4, 7, 9])
def test_a_stopped_run_goes_on_to_the_same_result(
    plan: Plan, uninterrupted: Path, tmp_path: Path, iteration: int
) -> None:
    outcome = train(plan, tmp_path, **stop_at(iteration))
    assert outcome.results is None
    assert outcome.progress.iteration == iteration
    assert not (tmp_path / FINAL).exists()
    assert train(plan, tmp_path).results is not None
    assert_same_result(tmp_path, uninterrupted)


def crashing_at(operation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process end at its n-th step of writing: before a file takes its place, or after half a line."""
    done: list[Path] = []
    replace, open_file = Path.replace, Path.open

    def count(path: Path) -> bool:
        done.append(path)
        return len(done) == operation

    def replace_or_crash(self: Path, target: Path) -> Path:
        if count(target):
            raise Crash
        return replace(self, target)

    def open_or_crash(self: Path, mode: str = "r", **options: Any) -> Any:
        if mode == "a" and count(self):
            with open_file(self, "a") as file:
                file.write('{"iteration":')
            raise Crash
        return open_file(self, mode, **options)

    monkeypatch.setattr(Path, "replace", replace_or_crash)
    monkeypatch.setattr(Path, "open", open_or_crash)


def test_a_run_that_crashes_at_any_write_goes_on_to_the_same_result(tmp_path: Path) -> None:
    """Each session crashes at its n-th write; n grows until a session gets through."""
    plan = small_plan(max_iterations=3, evaluate_every=2)
    train(plan, tmp_path / "uninterrupted")
    crashes = 0
    for operation in range(1, 100):
        directory = tmp_path / str(operation)
        with pytest.MonkeyPatch.context() as monkeypatch:
            crashing_at(operation, monkeypatch)
            try:
                train(plan, directory)
            except Crash:
                crashes += 1
            else:
                break
        train(plan, directory)
        assert_same_result(directory, tmp_path / "uninterrupted")
    # The empty metrics file, two evaluations of a line and a state each, three checkpoints, the last state, the final.
    assert crashes == 1 + 2 * 2 + 3 + 1 + 1


def test_what_a_kill_leaves_half_written_is_removed(plan: Plan, tmp_path: Path) -> None:
    train(plan, tmp_path, **stop_at(3))
    leftovers = [tmp_path / ".state.safetensors.x1.part", tmp_path / SERIES / ".iteration-00000002.safetensors.y.part"]
    for path in leftovers:
        path.write_bytes(b"half")
    train(plan, tmp_path, **stop_at(4))
    assert not any(path.exists() for path in leftovers)


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The share of the learning rate of each update from now on."""
    found: list[float] = []
    update = Trainer.update

    def noted(self: Trainer, rate: float = 1.0) -> Update:
        found.append(rate)
        return update(self, rate)

    monkeypatch.setattr(Trainer, "update", noted)
    return found


def converging(extra: int, **recipe: Any) -> Plan:
    """A plan whose machine is below the limit from the first evaluation on."""
    return small_plan(converged_below=100.0, extra=extra, **recipe)


@pytest.mark.parametrize(("extra", "last"), [(0, 0), (7, 7), (1000, 10)])
def test_a_run_ends_so_many_iterations_after_it_converged(tmp_path: Path, extra: int, last: int) -> None:
    outcome = train(converging(extra), tmp_path)
    assert outcome.progress.marks.converged == 0
    assert outcome.progress.iteration == outcome.progress.last_iteration == last


def test_a_run_converges_when_its_metric_falls_below_the_limit(tmp_path: Path) -> None:
    one_bit = Copy(bits=1, lengths=(1, 1))
    easy = small_plan(one_bit, batch=8, learning_rate=1e-2, max_iterations=500, converged_below=0.01)
    outcome = train(easy, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / METRICS).read_text().splitlines()]
    assert outcome.progress.marks.converged == rows[-1]["iteration"] == outcome.progress.iteration < 500
    assert rows[-1]["metric"] < 0.01
    assert all(row["metric"] >= 0.01 for row in rows[:-1])


def test_the_learning_rate_falls_in_a_line_to_zero_after_convergence(tmp_path: Path, rates: list[float]) -> None:
    train(converging(4, extra_rate=0.8), tmp_path)
    assert rates == pytest.approx([0.8, 0.6, 0.4, 0.2])


def test_the_learning_rate_may_fall_before_the_run_has_converged(tmp_path: Path, rates: list[float]) -> None:
    outcome = train(small_plan(fall_below=100.0, extra=4, extra_rate=1.0), tmp_path)
    assert rates == pytest.approx([1.0, 0.75, 0.5, 0.25])
    assert outcome.progress.marks.converged is None
    assert saved_progress(tmp_path)[1].last_iteration == 4


def test_the_learning_rate_rises_in_a_line_at_first(tmp_path: Path, rates: list[float]) -> None:
    train(small_plan(warm_up=4, max_iterations=6), tmp_path)
    assert rates == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0, 1.0])


def relapsing(**recipe: Any) -> Plan:
    """A plan at so high a rate that most of its measurements are worse than the best before."""
    asked = {"learning_rate": 0.1, "relapse": 1.0001, "evaluate_every": 2, "max_iterations": 16}
    return small_plan(batch=2, **(asked | recipe))


def test_after_a_relapse_a_run_goes_back_to_where_it_was_best_at_half_the_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[tuple[float, dict[str, torch.Tensor]]] = []
    update = Trainer.update

    def noted(self: Trainer, rate: float = 1.0) -> Update:
        began.append((rate, {name: value.clone() for name, value in self.tensors().items()}))
        return update(self, rate)

    monkeypatch.setattr(Trainer, "update", noted)
    train(relapsing(), tmp_path)
    state = TrainingState.load(tmp_path / STATE)
    seen = 0
    best = state.rows[0]
    for row in state.rows[:-1]:
        rate, tensors = began[row.iteration]
        if row.metric > 1.0001 * best.metric:
            seen += 1
            expected = began[best.iteration][1]
            assert all(torch.equal(tensors[name], value) for name, value in expected.items())
        elif row.metric < best.metric:
            best = row
        assert rate == 0.5**seen
    assert 2 <= seen < len(state.rows) - 1
    record = load_checkpoint(tmp_path / FINAL).training
    assert record is not None
    last = state.rows[-1]
    assert record["relapses"][:seen] == [row for row in record["relapses"] if row < last.iteration]


def test_a_run_that_ends_with_a_relapse_is_what_it_was_at_its_best(tmp_path: Path) -> None:
    for iterations in range(2, 17, 2):
        directory = tmp_path / str(iterations)
        train(relapsing(max_iterations=iterations), directory)
        state, final = TrainingState.load(directory / STATE), load_checkpoint(directory / FINAL)
        assert final.training is not None
        if final.training["relapses"][-1:] == [iterations]:
            break
    else:
        pytest.fail("no run ended with a relapse")
    best = {name.removeprefix("machine."): value for name, value in state.best.items() if name.startswith("machine.")}
    assert all(torch.equal(final.tensors[name], value) for name, value in best.items())
    assert all(torch.equal(state.tensors[name], value) for name, value in state.best.items())


def test_a_run_with_relapses_goes_on_to_the_same_result(tmp_path: Path) -> None:
    train(relapsing(), tmp_path / "whole")
    for iteration in range(1, 16):
        train(relapsing(), tmp_path / "resumed", **stop_at(iteration))
    train(relapsing(), tmp_path / "resumed")
    assert_same_result(tmp_path / "resumed", tmp_path / "whole")


def test_a_finished_run_can_be_taken_further(tmp_path: Path) -> None:
    train(small_plan(max_iterations=3), tmp_path / "longer")
    outcome = train(small_plan(max_iterations=8), tmp_path / "longer")
    assert outcome.progress.iteration == 8
    train(small_plan(max_iterations=8), tmp_path / "at once")
    longer, at_once = everything(tmp_path / "longer"), everything(tmp_path / "at once")
    assert longer[METRICS] == at_once[METRICS]
    assert longer[FINAL][1] == at_once[FINAL][1]
    assert all(torch.equal(value, at_once[FINAL][0][name]) for name, value in longer[FINAL][0].items())


@pytest.mark.parametrize("end", [3, 5])
def test_what_was_the_end_of_a_run_stays_a_moment_of_it(tmp_path: Path, end: int) -> None:
    """Also where that is one of the series anyhow, and where the run is stopped before its new end."""
    train(small_plan(max_iterations=end), tmp_path)
    was = load_checkpoint(tmp_path / FINAL)
    for left in (end + 1, end + 2):
        train(small_plan(max_iterations=9), tmp_path, **stop_at(left))
        moment = load_checkpoint(tmp_path / series_file(end))
        assert moment.results == was.results is not None
        assert all(torch.equal(value, was.tensors[name]) for name, value in moment.tensors.items())
        assert not (tmp_path / FINAL).exists()
        _, progress, finished = saved_progress(tmp_path)
        assert (progress.iteration, progress.last_iteration, finished) == (left, 9, False)


def test_an_lstm_alone_that_was_taken_further_is_finished_only_with_its_new_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is killed while it measures its new end."""

    def plan(last: int) -> Plan:
        return small_plan(max_iterations=last).model_copy(update={"memory": False})

    train(plan(2), tmp_path)
    assert saved_progress(tmp_path)[2]

    def killed(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(session, "evaluate", killed)
        with pytest.raises(Crash):
            train(plan(5), tmp_path)
    _, progress, finished = saved_progress(tmp_path)
    assert (progress.iteration, finished) == (5, False)
    train(plan(5), tmp_path)
    assert saved_progress(tmp_path)[2]


def test_a_machine_too_large_for_a_checkpoint_is_not_trained(tmp_path: Path) -> None:
    plan = small_plan(config={"memory_size": 1025, "word_size": 4096})
    with pytest.raises(CheckpointError, match="memory_size 1025 x word_size 4096"):
        train(plan, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_one_process_at_a_time_trains_in_a_directory(plan: Plan, tmp_path: Path) -> None:
    with claimed(tmp_path), pytest.raises(InUseError, match="another process is at work in"):
        train(plan, tmp_path)
    assert not (tmp_path / METRICS).exists()


def test_a_finished_run_is_not_trained_again(plan: Plan, tmp_path: Path) -> None:
    train(plan, tmp_path)
    (tmp_path / FINAL).unlink()
    reports: list[Progress] = []
    outcome: Outcome = train(plan, tmp_path, report=reports.append)
    assert [progress.update for progress in reports] == [None]
    assert outcome.results is not None
    assert (tmp_path / FINAL).exists()


def test_the_run_of_another_plan_is_not_resumed(plan: Plan, tmp_path: Path) -> None:
    train(plan, tmp_path, **stop_at(2))
    with pytest.raises(TrainingError, match=r"planned otherwise.*: recipe\.batch: 1, not 2; seed: 9, not 0"):
        train(small_plan(seed=9), tmp_path)


def test_a_run_goes_on_with_the_core_that_it_began_with(plan: Plan, tmp_path: Path) -> None:
    train(plan, tmp_path, core="eager", **stop_at(2))
    assert TrainingState.load(tmp_path / STATE).core == "eager"
    with pytest.raises(TrainingError, match=r"holds a run of the eager core.* the compiled core"):
        train(plan, tmp_path, core="compiled")
    train(plan, tmp_path)
    record = load_checkpoint(tmp_path / FINAL).training
    assert record is not None
    assert record["core"] == "eager"


def test_a_run_of_the_compiled_core_is_refused_where_there_is_none(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(plan, tmp_path, core="compiled", **stop_at(2))
    monkeypatch.setattr(plans, "why_eager", lambda _: "numba is not installed.")
    with pytest.raises(TrainingError, match="needs the compiled core, which cannot be used: numba is not installed"):
        train(plan, tmp_path)


def test_time_adds_up_over_sessions(plan: Plan, tmp_path: Path) -> None:
    train(plan, tmp_path, **stop_at(4))
    saved = TrainingState.load(tmp_path / STATE).spent
    assert saved.seconds > 0
    assert saved.cpu_seconds > 0
    after = train(plan, tmp_path, **stop_at(4)).spent
    assert after.seconds > saved.seconds
    assert after.cpu_seconds > saved.cpu_seconds


def test_every_iteration_is_reported(plan: Plan, tmp_path: Path) -> None:
    reports: list[Progress] = []
    train(plan, tmp_path, report=reports.append)
    assert [progress.iteration for progress in reports] == list(range(11))
    assert [progress.row.iteration for progress in reports if progress.row] == [i // 4 * 4 for i in range(11)]
    assert reports[0].update is None
    assert all(progress.update for progress in reports[1:])


def test_a_loss_that_is_not_finite_keeps_the_last_good_state(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Learner.add_gradients
    calls: list[int] = []

    def broken(self: Learner, *arguments: Any) -> float:
        calls.append(1)
        loss = honest(self, *arguments)
        return float("nan") if len(calls) == 6 else loss

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "add_gradients", broken)
        with pytest.raises(TrainingError, match="the loss of iteration 6 is nan"):
            train(plan, tmp_path)
    assert train(plan, tmp_path, **stop_at(0)).progress.iteration == 4


def test_the_plan_of_a_run_can_be_read(plan: Plan, tmp_path: Path) -> None:
    train(plan, tmp_path, **stop_at(1))
    assert saved_plan(tmp_path) == plan


def test_a_directory_without_a_run_has_no_plan(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"holds no run to resume: it has no state\.safetensors"):
        saved_plan(tmp_path)


def test_the_series_is_spaced_by_1_2_5() -> None:
    kept = [iteration for iteration in range(1001) if is_in_series(iteration)]
    assert kept == [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]


def test_an_lstm_without_a_memory_is_trained_the_same_way_and_leaves_its_results(tmp_path: Path) -> None:
    plan = small_plan(batch=2).model_copy(update={"memory": False})
    train(plan, tmp_path / "whole")
    train(plan, tmp_path / "resumed", **stop_at(5))
    train(plan, tmp_path / "resumed")
    whole, resumed = (
        [without_time(json.loads(line)) for line in (tmp_path / name / METRICS).read_text().splitlines()]
        for name in ("whole", "resumed")
    )
    assert whole == resumed
    assert [(row["iteration"], row["diagonal"], row["content_jumps"]) for row in whole] == [
        (0, None, None),
        (4, None, None),
        (8, None, None),
    ]
    assert not list(tmp_path.rglob("iteration-*"))
    results = Results.model_validate_json((tmp_path / "whole" / RESULTS).read_bytes())
    assert [row.length for row in results.errors_by_length] == list(plan.task.evaluation_lengths)
    with pytest.raises(TrainingError, match="memory: True, not False"):
        train(small_plan(batch=2), tmp_path / "whole")
    with pytest.raises(TrainingError, match="without a memory is computed by PyTorch"):
        train(plan, tmp_path / "new", core="compiled")


def test_a_crew_shares_the_batches_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def run(tasks: Sequence[Task]) -> None:
        asked.append(len(tasks))
        one_by_one(tasks)

    plan = small_plan(batch=3)
    train(plan, tmp_path / "alone")
    monkeypatch.setattr("ntm_core.compiled.plan.MILLISECOND", 1)
    plan_for.cache_clear()
    train(plan, tmp_path / "shared", crew=Crew(2, run))
    plan_for.cache_clear()
    assert asked == [2, 2, 2] * plan.recipe.max_iterations
    alone, shared = (TrainingState.load(tmp_path / name / STATE).tensors for name in ("alone", "shared"))
    assert all(torch.equal(value, shared[name]) for name, value in alone.items())
