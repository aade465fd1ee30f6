from fastapi.testclient import TestClient

from ntm_core.tasks import TASKS, parse_task


def test_every_task_is_listed_with_what_a_person_needs(client: TestClient) -> None:
    tasks = client.get("/api/tasks").json()["tasks"]
    assert [task["name"] for task in tasks] == list(TASKS)
    for task in tasks:
        default = parse_task({"name": task["name"]})
        assert task["defaults"] == default.model_dump(mode="json")
        assert task["input_channels"] == list(default.input_channels)
        assert task["output_channels"] == list(default.output_channels)
        assert task["phases"] == list(default.phases)
        assert task["title"]
        assert task["description"]


def test_the_schema_of_a_task_describes_its_defaults(client: TestClient) -> None:
    for task in client.get("/api/tasks").json()["tasks"]:
        assert set(task["settings_schema"]["properties"]) == set(task["defaults"])
        assert task["settings_schema"]["additionalProperties"] is False
