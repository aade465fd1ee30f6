import importlib.metadata

import pytest
from plotly.offline import get_plotlyjs_version  # type: ignore[import-untyped]  # it ships no types

from server.routes.version import program_version
from server.schemas import Limits
from server.settings import Settings
from tests.server.conftest import MakeClient


def test_the_limits_are_the_settings(make_client: MakeClient) -> None:
    answer = make_client(max_steps=123).get("/api/version").json()
    assert answer["limits"]["max_steps"] == 123
    settings = Settings(max_steps=123).model_dump()
    assert answer["limits"] == {name: settings[name] for name in Limits.model_fields}


def test_the_versions_are_those_of_the_packages(make_client: MakeClient) -> None:
    answer = make_client().get("/api/version").json()
    assert answer["version"] == program_version()
    assert answer["plotly"] == get_plotlyjs_version()


def test_a_checkout_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("server.routes.version.version", missing)
    assert program_version() == "not installed"
