import pytest
from fastapi.testclient import TestClient

from server.security import SECURITY_HEADERS, allowed_hosts
from tests.server.conftest import MakeClient, MakeServer
from tests.server.live import response_of
from tests.server.test_errors import failure


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8347", "[::1]", "[::1]:8347"])
def test_local_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/api/version", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8347",
        "localhost@evil.example",
        "evil.example@localhost",
        "localhost/evil.example",
        "localhost#",
        "localhost:port",
        "localhost:123456",
        "localhost,evil.example",
        "0.0.0.1",
        "127.0.0.1.",
        "",
        "[::1",
        "::1",
        "[::1%25lo]",
    ],
)
def test_other_names_are_refused(client: TestClient, host: str) -> None:
    response = client.get("/api/version", headers={"Host": host})
    assert response.status_code == 421
    assert failure(response)["code"] == "host_not_allowed"


def test_a_request_with_two_hosts_is_refused(make_server: MakeServer) -> None:
    connection = make_server().connect()
    with connection:
        connection.sendall(b"GET /api/version HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).split()[1] in {b"400", b"421"}


def test_settings_allow_further_names(make_client: MakeClient) -> None:
    client = make_client(host="192.168.1.5", allowed_hosts=("Scope.Example",))
    assert client.get("/api/version", headers={"Host": "scope.example:80"}).status_code == 200
    assert client.get("/api/version", headers={"Host": "192.168.1.5"}).status_code == 200
    assert client.get("/api/version", headers={"Host": "192.168.1.6"}).status_code == 421


def test_ipv6_names_stand_in_brackets() -> None:
    assert "[fd00::1]" in allowed_hosts("fd00::1", ())


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8347", "http://localhost:8347"),
        ("localhost:8347", "http://LOCALHOST:8347"),
        ("localhost", "http://localhost"),
        ("localhost:80", "http://localhost"),
        ("localhost", "https://localhost"),
        ("[::1]:8347", "http://[::1]:8347"),
    ],
)
def test_the_own_page_is_answered(client: TestClient, host: str, origin: str) -> None:
    response = client.get("/api/version", headers={"Host": host, "Origin": origin, "Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://localhost:3000",
        "http://127.0.0.1:8347",
        "http://localhost:8347.evil.example",
        "http://evil.example@localhost:8347",
        "http://localhost:8347/",
        "file://localhost:8347",
        "localhost:8347",
        "http://localhost:port",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_pages_of_other_origins_are_refused(client: TestClient, origin: str, method: str) -> None:
    headers = {"Host": "localhost:8347", "Origin": origin, "Content-Type": "application/json"}
    response = client.request(method, "/api/checkpoints/small", headers=headers)
    assert response.status_code == 403
    assert failure(response)["code"] == "cross_origin"
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_may_link_here_but_not_embed(client: TestClient, site: str) -> None:
    embedded = client.get("/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})
    linked = client.get("/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"})
    assert (embedded.status_code, linked.status_code) == (403, 200)


def test_a_preflight_of_another_origin_gets_no_permission(client: TestClient) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    response = client.options("/api/traces", headers=headers)
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/static/index.html", "/api/version", "/nothing", "/openapi.json"])
def test_every_response_has_the_security_headers(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert {name: response.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_refusals_have_them_too(client: TestClient) -> None:
    response = client.get("/", headers={"Host": "evil.example"})
    assert {name: response.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_the_page_may_load_its_own_files_only() -> None:
    rules = dict(rule.split(" ", 1) for rule in SECURITY_HEADERS["Content-Security-Policy"].split("; "))
    assert rules["default-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert not {"script-src", "connect-src", "worker-src"} & set(rules), "these are held by default-src"


def test_answers_of_the_interface_are_not_stored(client: TestClient) -> None:
    assert client.get("/api/checkpoints").headers["cache-control"] == "no-store"


def test_another_sites_upload_does_not_get_in(make_server: MakeServer) -> None:
    server = make_server()
    with server.post("/api/checkpoints", b"x", Origin="http://evil.example") as connection:
        status, _ = response_of(connection)
    assert status == 403
