"""/api/tasks: what a machine can be asked."""

from fastapi import APIRouter

from ntm_core.tasks import TASKS, Task, parse_task
from server.schemas import TaskInfo, TaskList


def task_routes() -> APIRouter:
    """The routes of the resource `tasks`."""
    router = APIRouter(prefix="/api/tasks", tags=["tasks"])

    @router.get("", summary="All tasks with their settings")
    def list_tasks() -> TaskList:
        return task_list()

    return router


def task_list() -> TaskList:
    """All tasks, as they are listed."""
    return TaskList(tasks=tuple(_info(parse_task({"name": name})) for name in TASKS))


def _info(task: Task) -> TaskInfo:
    return TaskInfo(
        name=task.name,
        title=task.title,
        description=task.description,
        settings_schema=task.model_json_schema(),
        defaults=task,
        input_channels=task.input_channels,
        output_channels=task.output_channels,
        phases=task.phases,
    )
