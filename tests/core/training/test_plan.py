import pytest

from ntm_core.errors import ConfigError, TaskError, TrainingError
from ntm_core.tasks import Copy, DynamicNgrams, PrioritySort, RepeatCopy, Task
from ntm_core.training import Plan
from ntm_core.training.plan import growable
from tests.core.training.plans import small_plan


def test_a_plan_survives_json() -> None:
    plan = small_plan()
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


def test_a_plan_does_not_differ_from_itself_nor_by_when_to_stop() -> None:
    plan = small_plan(max_iterations=7)
    assert plan.differences(small_plan()) == []


def test_differences_are_named() -> None:
    plan = small_plan(seed=3, batch=2, config={"word_size": 5})
    assert plan.differences(small_plan()) == ["config.word_size: 5, not 4", "recipe.batch: 2, not 1", "seed: 3, not 0"]


def test_another_task_differs_in_its_settings() -> None:
    plan = small_plan(RepeatCopy(bits=2, lengths=(1, 2)))
    assert "task.name: repeat_copy, not copy" in plan.differences(small_plan())
    assert "task.repeats: None, not [1, 10]" in small_plan().differences(plan)


@pytest.mark.parametrize("seed", [-1, 2**31, "x"])
def test_a_seed_out_of_bounds_is_refused(seed: object) -> None:
    with pytest.raises(TrainingError, match=f"seed is {seed!r}"):
        Plan.make(**{**small_plan().model_dump(), "seed": seed})


@pytest.mark.parametrize("controller", [["lstm"], {}, None, "mlp"])
def test_a_controller_that_there_is_not_is_refused(controller: object) -> None:
    with pytest.raises(ConfigError, match="controller is"):
        Plan.best_known(Copy(), {"controller": controller}, {})


@pytest.mark.parametrize("machine", [{"input_size": 7}, {"output_size": 9}, {"output_activation": "softmax"}])
def test_a_machine_that_cannot_do_the_task_is_refused(machine: dict[str, object]) -> None:
    with pytest.raises(TaskError, match="the task Copy"):
        Plan.best_known(Copy(), machine, {})


def test_a_setting_that_grows_begins_at_one_and_ends_at_its_own_value() -> None:
    task = DynamicNgrams(context=3, length=10)
    plan = small_plan(task, grow="context", grow_every=2)
    contexts = [lesson.context for lesson in map(plan.lesson, range(1, 8)) if isinstance(lesson, DynamicNgrams)]
    assert contexts == [1, 1, 2, 2, 3, 3, 3]
    assert plan.lesson(1) == DynamicNgrams(context=1, length=10)
    assert plan.lesson(5) == plan.lesson(10**6) == task
    assert small_plan(task).lesson(1) == task


def test_what_may_grow_is_what_a_plan_takes() -> None:
    for task in (DynamicNgrams(), PrioritySort(), RepeatCopy()):
        plan = small_plan(task).model_dump()
        for name in growable(task):
            assert Plan.make(**plan | {"recipe": plan["recipe"] | {"grow": name}}).lesson(1) != task
    assert growable(DynamicNgrams()) == ("context",)
    assert growable(RepeatCopy()) == ()


@pytest.mark.parametrize(
    ("task", "name", "rule"),
    [
        (DynamicNgrams(), "contexts", "it must be a setting of dynamic_ngrams that is one whole number"),
        (RepeatCopy(), "lengths", "it must be a setting of repeat_copy that is one whole number"),
        (DynamicNgrams(), "longest", "it must be a setting of dynamic_ngrams"),
        (PrioritySort(), "items", "which cannot begin at 1: .*kept is 16"),
        (PrioritySort(), "bits", "it must leave the number of channels as it is"),
    ],
)
def test_what_cannot_grow_is_refused(task: Task, name: str, rule: str) -> None:
    plan = small_plan(task).model_dump()
    recipe = plan["recipe"] | {"grow": name}
    with pytest.raises(TrainingError, match=f"grow is '{name}'.*{rule}"):
        Plan.make(**plan | {"recipe": recipe})


@pytest.mark.parametrize("controller", ["gru", "recurrent", "feedforward"])
def test_without_a_memory_only_an_lstm_is_offered(controller: str) -> None:
    words = f"controller is '{controller}': without a memory, only an LSTM is offered"
    with pytest.raises(TrainingError, match=words):
        Plan.best_known(Copy(), {"controller": controller}, {}, memory=False)
    assert Plan.best_known(Copy(), {}, {}, memory=False).config.controller == "lstm"
