"""The words of the command line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ntm_core.errors import NtmError
from server.__main__ import main
from server.routes.version import program_version
from server.settings import Settings


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"], ["--version"]])
def test_help_and_version_are_printed(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 0
    assert program_version() in capsys.readouterr().out or words[-1] == "--help"


def test_the_help_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    listed = re.findall(r"^  NTM_SCOPE_(\w+)$", capsys.readouterr().out, re.MULTILINE)
    assert [name.lower() for name in listed] == list(Settings.model_fields)


def test_the_core_adds_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    help_text = capsys.readouterr().out
    assert all(re.search(rf"^ +{name} ", help_text, re.MULTILINE) for name in ("serve", "train", "evaluate", "trace"))


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_only_what_needs_one_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["serve", "--help"])
    assert stopped.value.code == 0
    assert "NTM_SCOPE_DATA_DIRECTORY" in capsys.readouterr().out
    assert Settings(data_directory=tmp_path).data_directory == tmp_path
    with pytest.raises(NtmError, match="there is no home directory"):
        Settings()
    assert main([]) == 2
    assert capsys.readouterr().err == (
        "ntm-scope: there is no home directory to store uploads and runs in: name a directory with --data-directory or "
        "NTM_SCOPE_DATA_DIRECTORY\n"
    )


INTERRUPTED = """
import signal, sys, threading
import server.__main__
stop = threading.Timer(float(sys.argv[1]), signal.raise_signal, [signal.SIGINT])
stop.start()
sys.exit(server.__main__.main(["--version"]))
"""


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("seconds", ["0.05", "0.6"])
def test_a_ctrl_c_while_it_is_being_loaded_ends_it_without_a_word(seconds: str) -> None:
    root = Path(__file__).parents[2]
    words = [sys.executable, "-c", INTERRUPTED, seconds]
    ended = subprocess.run(words, cwd=root, env={**os.environ}, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
