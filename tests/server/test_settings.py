from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from server.settings import DEFAULT_PORT, Settings, default_data_directory, unknown_variables

BOUNDLESS = (float("inf"), float("nan"), 1e9)


def test_the_server_keeps_to_itself_unless_told_otherwise() -> None:
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert settings.port == DEFAULT_PORT
    assert settings.allowed_hosts == ()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTM_SCOPE_MAX_STEPS", "77")
    monkeypatch.setenv("NTM_SCOPE_ALLOWED_HOSTS", "scope.example, [fd00::1],")
    settings = Settings()
    assert settings.max_steps == 77
    assert settings.allowed_hosts == ("scope.example", "[fd00::1]")


def test_what_is_given_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTM_SCOPE_PORT", "1")
    assert Settings(port=2).port == 2


@pytest.mark.parametrize(
    "given",
    [{"max_steps": 0}, {"max_traces": 0}, {"port": 65536}, {"body_seconds": 0}, {"max_step": 10}]
    + [{f"{name}_seconds": number} for name in ("import", "body", "stall", "max_training") for number in BOUNDLESS]
    + [{"allowed_hosts": name} for name in ("scope.example:8347", "https://scope.example", "*", "a b", "fe80::1%eth0")]
    + [{"data_directory": ""}],
)
def test_a_setting_out_of_bounds_or_misspelt_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(given))):
        Settings(**given)


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_DATA_HOME", Path("base/ntm-scope")),
        ("win32", "LOCALAPPDATA", Path("base/ntm-scope")),
        ("darwin", "IGNORED", Path.home() / "Library/Application Support/ntm-scope"),
    ],
)
def test_uploads_are_kept_where_the_platform_keeps_data(
    monkeypatch: pytest.MonkeyPatch, platform: str, variable: str, expected: Path
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setenv(variable, "base")
    assert default_data_directory() == expected


def test_an_address_may_stand_in_brackets_as_in_a_link() -> None:
    assert Settings(host="[::1]").host == "::1"


def test_the_log_is_a_setting_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTM_SCOPE_LOG_LEVEL", "info")
    assert Settings().log_level == "info"


def test_a_variable_that_is_no_setting_is_told_with_the_nearest_that_is() -> None:
    told = list(
        unknown_variables(
            ["NTM_SCOPE_PORT", "ntm_scope_host", "NTM_SCOPE_BUILDING", "NTM_SCOPE_PRT", "NTM_SCOPE_FOO", "PATH"]
        )
    )
    assert told == [
        "NTM_SCOPE_PRT is no setting, and is ignored: did you mean NTM_SCOPE_PORT?",
        "NTM_SCOPE_FOO is no setting, and is ignored",
    ]
