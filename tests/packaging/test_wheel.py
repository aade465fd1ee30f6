"""The wheel, installed where nothing of the checkout is in reach, serves the page and the shipped checkpoints."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

CHECKOUT = Path(__file__).parents[2]
SECONDS_TO_START = 240
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")

IMPORTABLE = """
import importlib.util, json, sys
specs = {name: importlib.util.find_spec(name) for name in ("ntm_core", "server", "tests")}
print(json.dumps({"path": sys.path, "origins": {name: spec.origin for name, spec in specs.items() if spec}}))
"""


class Environment:
    """A virtual environment that holds the wheel, and this one's dependencies through a path entry.

    A path entry brings a folder's modules but not the path entries in it, and so not an editable checkout.
    """

    def __init__(self, root: Path, wheel: Path) -> None:
        venv.create(root)
        self.scripts = root / ("Scripts" if os.name == "nt" else "bin")
        (self.site_packages,) = (Path(path) for path in self.path() if path.startswith(str(root)))
        dependencies = sysconfig.get_path("purelib")
        (self.site_packages / "dependencies.pth").write_text(f"{dependencies}\n")
        assert dependencies in self.path()
        assert str(CHECKOUT) not in self.path()
        assert self.origins() == {}
        pip = [sys.executable, "-m", "pip", "--python", str(self.scripts / "python")]
        subprocess.run([*pip, "install", "--no-deps", "--no-index", wheel], check=True)

    def path(self) -> list[str]:
        return list(self._importable()["path"])

    def origins(self) -> dict[str, str]:
        """The file of each of the project's packages that can be imported."""
        return dict(self._importable()["origins"])

    def _importable(self) -> dict[str, dict[str, str]]:
        command = [str(self.scripts / "python"), "-P", "-c", IMPORTABLE]
        found = subprocess.run(command, env=bare_variables(), capture_output=True, text=True, check=True)
        answer: dict[str, dict[str, str]] = json.loads(found.stdout)
        return answer

    @contextmanager
    def serving(self, command: list[str], folder: Path) -> Iterator[httpx2.Client]:
        """A client of the server that this command starts in this folder; uploads would be stored beside it."""
        variables = bare_variables() | {"NTM_SCOPE_DATA_DIRECTORY": str(folder.with_suffix(".data"))}
        command = [str(self.scripts / command[0]), *command[1:]]
        log = folder.with_suffix(".log")
        with log.open("wb") as output:
            server = subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=subprocess.STDOUT)
        try:
            with httpx2.Client(base_url=address_of(server, log), timeout=120) as client:
                yield client
        finally:
            server.terminate()
            server.wait(timeout=30)


def bare_variables() -> dict[str, str]:
    """The environment variables, without those that change Python's import path or the server's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NTM_SCOPE"))} | {
        "PYTHONUNBUFFERED": "1"
    }


def address_of(server: subprocess.Popen[bytes], log: Path) -> str:
    """The address that the server prints, once it answers there."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        if printed := ADDRESS.search(log.read_text()):
            try:
                httpx2.get(f"{printed[0]}/api/version").raise_for_status()
            except httpx2.TransportError:
                pass
            else:
                return printed[0]
        time.sleep(0.1)
    pytest.fail(f"The server did not start within {SECONDS_TO_START} s:\n{log.read_text()}")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution, so that both are complete."""
    built = tmp_path_factory.mktemp("built")
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", built, CHECKOUT], check=True)
    (found,) = built.glob("ntm_scope-*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("environment with a space"), wheel)


def shipped_checkpoints() -> set[str]:
    return {path.stem for path in (CHECKOUT / "ntm_core" / "zoo").glob("*.safetensors")}


def test_wheel_holds_the_packages_the_page_and_the_checkpoints_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert top == {"ntm_core", "server", "ntm_scope-0.1.0.dist-info"}
    assert "server/frontend/index.html" in names
    assert shipped_checkpoints()
    assert {f"ntm_core/zoo/{name}.safetensors" for name in shipped_checkpoints()} <= set(names)
    for folder in ("ntm_core/zoo/copy-lstm", "ntm_core/training/recipes"):
        files = {f"{folder}/{path.name}" for path in (CHECKOUT / folder).iterdir()}
        assert files
        assert files <= set(names)
    assert "ntm_scope-0.1.0.dist-info/licenses/LICENSE" in names


def test_environment_imports_the_wheel(environment: Environment) -> None:
    origins = environment.origins()
    assert sorted(origins) == ["ntm_core", "server"]
    assert all(Path(origin).is_relative_to(environment.site_packages) for origin in origins.values())


@pytest.mark.parametrize("command", [["ntm-scope"], ["python", "-m", "server"]], ids=["script", "module"])
def test_installed_server_serves_the_page_and_the_checkpoints(
    environment: Environment, command: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    with environment.serving(command, folder) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "NTM Scope" in page.text
        named = re.findall(r'(?:src|href|content)="(/(?:static|vendor)/[^"]+)"', page.text)
        assert any("vendor/plotly" in name for name in named)
        assert any("static/" in name for name in named)
        for name in named:
            assert client.get(name).status_code == 200, name
        listed = client.get("/api/checkpoints").json()["checkpoints"]
        assert {checkpoint["id"] for checkpoint in listed} == shipped_checkpoints()
        assert {checkpoint["source"] for checkpoint in listed} == {"shipped"}
    assert list(folder.iterdir()) == []
