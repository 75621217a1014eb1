"""Every path goes where the table says, and no other path is passed on."""

import json

import httpx
import pytest
from gateway.raw import say, status_of
from gateway.upstream import Upstream
from support.embedded_desk import wait_for

from desk.contracts import documents as contracts
from desk.contracts import nginx
from desk.local import gateway_table
from desk.local.gateway_table import load_table
from desk.testing.gateway import GatewayServer

TABLE = load_table()
ROUTES = [(route, method) for route in TABLE.routes for method in route.methods]
OTHER_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


def test_the_configuration_of_nginx_matches_the_table():
    assert nginx.differences() == []


def test_the_methods_of_the_table_are_those_of_the_contracts():
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in contracts.FOLDER.glob("*.openapi.json")]
    operations = {
        (path, method.upper()) for document in documents for path, item in document["paths"].items() for method in item
    }
    operations |= {(path, "POST") for path in ("/api/probe/requests", "/api/probe/tracking")}  # in no document
    for route in TABLE.routes:
        assert {method for path, method in operations if route.matches(path)} == set(route.methods), route.path


@pytest.mark.parametrize(("route", "method"), ROUTES, ids=[f"{method} {route.path}" for route, method in ROUTES])
@pytest.mark.parametrize("below", ["", "/0f8fad5b-d9cb-469f-a165-70867728950e", "/a/sound"])
def test_a_path_of_the_table_reaches_its_service(
    route: gateway_table.Route, method: str, below: str, client: httpx.Client, upstreams: dict[str, Upstream]
):
    answer = client.request(method, f"{route.path}{below}", content=b"{}" if method == "POST" else None)
    assert (answer.status_code, answer.text) == (200, route.service)
    [received] = upstreams[route.service].received
    assert (received.method, received.path) == (method, f"{route.path}{below}")


def _reached(upstreams: dict[str, Upstream]) -> list[str]:
    return [f"{name} {received.path}" for name, each in upstreams.items() for received in each.received]


@pytest.mark.parametrize("route", TABLE.routes, ids=lambda route: route.path)
def test_a_method_that_the_route_does_not_have_is_refused(
    route: gateway_table.Route, client: httpx.Client, upstreams: dict[str, Upstream]
):
    for method in set(OTHER_METHODS) - set(route.methods):
        answer = client.request(method, route.path)
        assert answer.status_code == 405, method
        if method != "TRACE":  # which nginx refuses before it chooses a route
            assert answer.headers["allow"] == ", ".join(route.methods)
    assert _reached(upstreams) == []


def test_pages_are_read_only(client: httpx.Client):
    assert client.get("/send").status_code == 200
    assert client.head("/send").status_code == 200
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = client.request(method, "/send")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert 'lang="fa"' in answer.text


UNREACHABLE = (
    "/internal/requests/find",
    "/internal",
    "/internal/captchas/1/answers",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/api",
    "/api/",
    "/api/receipt-keysue",
    "/api/internal/requests/find",
    "/nginx.conf",
    "/.git/config",
    "/errors/rate_limited.html",
    "/errors/",
    "//internal/requests/find",
    "/api//catalog",
    "/./internal/requests/find",
    "/api/receipt-keys/../../internal/requests/find",
    "/api/receipt-keys/..",
    "/api/receipt-keys/%2e%2e/%2e%2e/internal/requests/find",
    "/api/requests/..%2f..%2finternal/requests/find",
    "/api/requests/..;/internal/requests/find",
    "/api/requests/\\..\\internal",
    "/%69nternal/requests/find",
    "/internal%2frequests/find",
    "/INTERNAL/requests/find",
    "/%6d%65trics",
    "/metrics%00.html",
    "/api/receipt-keys%0d%0aX-Injected:1",
    "/api/receipt-keys%20HTTP/1.1",
    "/api/captchas/%252e%252e/internal",
    "http://intake:8000/internal/requests/find",
)


@pytest.mark.parametrize("path", UNREACHABLE)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_private_path_reaches_no_service(
    path: str, method: str, gateway: GatewayServer, upstreams: dict[str, Upstream]
):
    request = f"{method} {path} HTTP/1.1\r\nHost: desk.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    assert status_of(say(gateway.url, request.encode())) in {400, 404, 405}
    assert _reached(upstreams) == []


def test_a_service_gets_one_host_and_no_connection_header(client: httpx.Client, upstreams: dict[str, Upstream]):
    odd = {"Connection": "X-Token, close", "Keep-Alive": "9", "Upgrade": "h2c", "Forwarded": "for=1.2.3.4"}
    client.get("/api/receipt-keys", headers=odd)
    [received] = upstreams["intake"].received
    assert received.headers["host"] == "127.0.0.1"
    assert not {"connection", "upgrade", "forwarded"} & received.headers.keys()


def test_the_log_contains_the_route_and_no_user_input(client: httpx.Client, gateway: GatewayServer):
    typed = "0499370899"
    for path in (
        f"/{typed}",
        f"/send?national_id={typed}",
        f"/api/receipt-keys?{typed}",
        f"/api/captchas/{typed}",
        f"/x{typed}//",
    ):
        client.get(path, headers={"User-Agent": typed, "Referer": f"http://x/{typed}", "X-Note": typed})
    client.post("/api/tracking", json={"national_id": typed})
    client.get("/send", headers={"X-Forwarded-For": typed})
    marker = client.get("/api/receipt-keys").headers["x-request-id"]
    log = wait_for(lambda: gateway.access_log if marker in gateway.access_log else "")
    line = json.loads(next(line for line in log.splitlines() if marker in line))
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/receipt-keys", 200)
    assert typed not in log
