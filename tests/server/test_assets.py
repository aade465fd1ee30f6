"""The page's files as a browser gets them."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import plotly  # type: ignore[import-untyped]  # it ships no types
import pytest
from fastapi.testclient import TestClient

from ntm_core.checkpoints.native import Checkpoint, checkpoint_bytes
from server import assets
from server.app import create_app
from server.assets import Plotly, frontend_directory
from server.settings import Settings
from tests.server.conftest import ADDRESS, small_machine

SCRIPT = (
    b"//# allFunctionsCalledOnLoad\n" + (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()
)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of the test's own, beside a file that is none of it."""
    directory = tmp_path / "frontend"
    (directory / "src").mkdir(parents=True)
    (directory / "index.html").write_text("{{plotly}} {{static}}", encoding="utf-8")
    (directory / "src" / "main.js").write_text("const one = 1;", encoding="utf-8")
    (directory / "src" / "streams").mkdir()
    (directory / "src" / "streams" / "thread.js").write_text("const two = 2;", encoding="utf-8")
    (directory / "styles").mkdir()
    (directory / "styles" / "page.css").write_text("@import '../style.css';\n", encoding="utf-8")
    (directory / "style.css").write_text("body {}", encoding="utf-8")
    (directory / "icon.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (directory / "link.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.setattr("server.app.frontend_directory", lambda: directory)
    return directory


@pytest.fixture
def browser(page: Path, tmp_path: Path) -> Iterator[TestClient]:
    assert page.is_dir()
    with TestClient(create_app(Settings(data_directory=tmp_path / "data"), {}), ADDRESS) as client:
        yield client


def test_the_page_is_told_where_plotly_and_its_own_files_are(browser: TestClient) -> None:
    response = browser.get("/")
    plotly, static = response.text.split(" ")
    assert plotly == Plotly().path
    assert re.fullmatch("/static/v-[0-9a-f]{16}", static)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert browser.head("/").status_code == 200


def test_the_lists_that_come_with_the_page_are_those_of_their_own_addresses(browser: TestClient, page: Path) -> None:
    (page / "index.html").write_text('<script type="application/json">{{lists}}</script>', encoding="utf-8")
    uploaded = checkpoint_bytes(Checkpoint.of(small_machine()))
    name = "</script><b>not bold"
    assert browser.post("/api/checkpoints", params={"name": name}, content=uploaded).status_code == 201
    html = browser.get("/").text
    assert html.count("<") == 2
    lists = json.loads(html.removeprefix('<script type="application/json">').removesuffix("</script>"))
    assert [one["name"] for one in lists["checkpoints"]["checkpoints"]] == [name]
    for kind in ("checkpoints", "uploaded_traces", "tasks", "addressing_modes"):
        assert lists[kind] == browser.get(f"/api/{kind.replace('_', '-')}").json()


def test_a_file_is_kept_for_good_until_one_of_them_changes(browser: TestClient, page: Path) -> None:
    def versioned() -> str:
        return browser.get("/").text.split()[1]

    first = versioned()
    assert first == versioned()
    assert "immutable" in browser.get(f"{first}/src/main.js").headers["cache-control"]
    assert "no-cache" in browser.get("/static/src/main.js").headers["cache-control"]
    (page / "src" / "main.js").write_text("export const changed = 1;", encoding="utf-8")
    second = versioned()
    assert first != second
    assert browser.get(f"{second}/src/main.js").text == "export const changed = 1;"


@pytest.mark.parametrize("name", ["page.js", "src/main.js"])
def test_a_file_under_another_version_is_asked_for_anew_each_time(browser: TestClient, name: str) -> None:
    response = browser.get(f"/static/v-0123456789abcdef/{name}")
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize(("name", "media_type"), [("page.js", "text/javascript"), ("page.css", "text/css")])
def test_all_files_of_a_kind_come_as_one_that_is_kept_for_good(browser: TestClient, name: str, media_type: str) -> None:
    address = f"{browser.get('/').text.split()[1]}/{name}"
    plain, zipped = (browser.get(address, headers={"Accept-Encoding": accepted}) for accepted in ("identity", "gzip"))
    assert (plain.status_code, plain.headers["content-type"].partition(";")[0]) == (200, media_type)
    assert "immutable" in plain.headers["cache-control"]
    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert plain.text == zipped.text != ""


def test_a_bundle_is_made_anew_when_a_file_changes(browser: TestClient, page: Path) -> None:
    def bundled() -> str:
        return browser.get(f"{browser.get('/').text.split()[1]}/page.js").text

    assert "export" not in bundled()
    (page / "src" / "main.js").write_text("export const changed = 1;", encoding="utf-8")
    assert "const changed = 1;" in bundled()


@pytest.mark.parametrize("path", ["../secret.txt", "src/../../secret.txt", "", "v-0123456789abcdef/a.js"])
def test_nothing_outside_the_page_is_served_under_its_version(browser: TestClient, path: str) -> None:
    static = browser.get("/").text.split()[1]
    assert browser.get(f"{static}/{path}").status_code == 404


def test_the_page_is_sent_again_only_if_it_changed(browser: TestClient, page: Path) -> None:
    tag = browser.get("/").headers["etag"]
    same = browser.get("/", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    (page / "index.html").write_text("changed", encoding="utf-8")
    assert browser.get("/", headers={"If-None-Match": tag}).text == "changed"


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("src/main.js", "text/javascript"), ("style.css", "text/css"), ("icon.svg", "image/svg+xml")],
)
def test_files_have_their_type_and_are_asked_for_anew(browser: TestClient, path: str, media_type: str) -> None:
    response = browser.get(f"/static/{path}")
    assert response.headers["content-type"].partition(";")[0] == media_type
    assert response.headers["cache-control"] == "no-cache"
    again = browser.get(f"/static/{path}", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("ranges", ["bytes=0-3", "bytes=9999-", "bytes=x", "bytes=0-1,3-4"])
def test_a_file_is_sent_whole(browser: TestClient, ranges: str) -> None:
    response = browser.get("/static/src/main.js", headers={"Range": ranges})
    assert (response.status_code, response.text) == (200, "const one = 1;")


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "%2e%2e%2fsecret.txt",
        "src/../../secret.txt",
        "src/%2e%2e/%2e%2e/secret.txt",
        "/../secret.txt",
        "..%5csecret.txt",
        "%00",
        "src/main.js%00",
        "link.txt",
        "src",
        "",
        "x" * 5000,
    ],
)
def test_nothing_outside_the_page_is_served(browser: TestClient, path: str) -> None:
    response = browser.get(f"/static/{path}")
    assert response.status_code == 404
    assert "secret" not in response.text.replace("/secret.txt", "").replace("\\secret.txt", "")
    assert response.json()["error"]["code"] == "not_found"


def test_an_absolute_path_is_no_file_of_the_page(browser: TestClient, page: Path) -> None:
    assert browser.get(f"/static/{page / 'index.html'}").status_code == 404


def test_plotly_is_compressed_and_kept_for_good(browser: TestClient) -> None:
    response = browser.get(Plotly().path, headers={"Accept-Encoding": "gzip, br"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["vary"] == "Accept-Encoding"
    assert int(response.headers["content-length"]) < len(SCRIPT) / 3
    assert hashlib.sha256(response.content).digest() == hashlib.sha256(SCRIPT).digest()


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", "gzip; q=0.0", "xgzip", ""])
def test_plotly_is_plain_for_who_takes_no_gzip(browser: TestClient, accepted: str) -> None:
    response = browser.get(Plotly().path, headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in response.headers
    assert len(response.content) == len(SCRIPT)


def test_another_version_of_plotly_is_not_there(browser: TestClient) -> None:
    assert browser.get("/vendor/plotly-0.0.0.min.js").status_code == 404


def test_the_compressed_script_is_the_script() -> None:
    assert gzip.decompress(Plotly().compress()) == SCRIPT


def test_the_frontend_is_inside_an_installed_package_and_beside_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "server"
    package.mkdir()
    monkeypatch.setattr(assets, "__file__", str(package / "assets.py"))
    assert frontend_directory() == tmp_path / "frontend"
    (package / "frontend").mkdir()
    assert frontend_directory() == package / "frontend"


def test_a_broken_plotly_package_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(RuntimeError, match="not installed"):
        Plotly()


def test_a_page_whose_script_cannot_be_loaded_says_so_by_itself(client: TestClient) -> None:
    html = client.get("/").text
    shown = html.index('<p class="unloaded">')
    assert html.index('id="stage"') < shown < html.index('id="views"'), "the script replaces it with all that is there"
    assert "NTM_SCOPE_ALLOWED_HOSTS" in html[shown:]
    assert "@keyframes unloaded" in html[: html.index("<script")], "not in a sheet that cannot be loaded either"
