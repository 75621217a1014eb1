"""Responses of the gateway itself: the headers of every response, and errors for people and for programs."""

import json
from collections.abc import Iterator

import httpx
import pytest
from gateway.raw import say
from gateway.upstream import Upstream, hang_up
from support.embedded_desk import RunningDesk

from desk.chassis.app import Problem, rendering
from desk.chassis.app.middleware import JSON_BODY_BYTES
from desk.intake.routes.attachments import BODY_LIMITS
from desk.local.gateway_table import GATEWAY, Route, load_table
from desk.testing.gateway import GatewayServer

TABLE = load_table()
ERRORS = GATEWAY / "web" / "errors"
PAGES = GATEWAY / "web" / "fa" / "errors"
CODES = {"bad_request", "not_found", "method_not_allowed", "body_too_large", "rate_limited", "upstream_unavailable"}


def _security(headers: httpx.Headers) -> dict[str, list[str]]:
    return {name: headers.get_list(name) for name in TABLE.headers}


ONCE_EACH = {name: [value] for name, value in TABLE.headers.items()}


def _every_kind(client: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    for method, path in (
        ("GET", "/"),
        ("HEAD", "/send"),
        ("GET", "/contract"),
        ("GET", "/contract.json"),
        ("GET", "/assets/css/base.css"),
        ("GET", "/assets/icons/mark.svg"),
        ("GET", "/no-such-page"),
        ("POST", "/send"),
        ("GET", "/api/receipt-keys"),
        ("GET", "/api/no-such-thing"),
        ("GET", "/internal/requests/find"),
        ("PUT", "/api/receipt-keys"),
    ):
        yield f"{method} {path}", client.request(method, path)


def test_every_response_has_the_security_headers_once(client: httpx.Client, upstreams: dict[str, Upstream]):
    for name, answer in _every_kind(client):
        assert _security(answer.headers) == ONCE_EACH, name
        assert len(answer.headers.get_list("x-request-id")) == 1, name
        assert answer.headers["server"] == "nginx"
    too_large = client.post("/api/requests", content=b" " * 70_000)
    upstreams["intake"].misbehave = hang_up
    unavailable = client.post("/api/requests", content=b"{}")
    for answer, status in ((too_large, 413), (unavailable, 503)):
        assert (answer.status_code, _security(answer.headers)) == (status, ONCE_EACH)


def test_the_policy_of_pages_allows_nothing_unsafe_and_no_other_host():
    lines = [line.split() for line in TABLE.headers["Content-Security-Policy"].split(";")]
    policy = {name: set(allowed) for name, *allowed in lines}
    assert policy["default-src"] == {"'none'"}
    assert set().union(*policy.values()) <= {"'none'", "'self'", "data:", "blob:"}
    assert {name for name, allowed in policy.items() if "data:" in allowed} <= {"img-src"}
    assert {name for name, allowed in policy.items() if "blob:" in allowed} <= {"img-src", "media-src"}


def test_an_unreadable_request_is_answered_with_the_security_headers_too(gateway: GatewayServer):
    answer = say(gateway.url, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").decode().lower()
    for name, value in TABLE.headers.items():
        assert f"\r\n{name}: {value}\r\n".lower() in answer


def test_the_embedded_desk_answers_with_the_same_headers(client: httpx.Client, desk: RunningDesk):
    theirs = dict(_every_kind(desk.client))
    for name, answer in _every_kind(client):
        assert _security(theirs[name].headers) == _security(answer.headers), name
        if name != "GET /api/receipt-keys":  # which a small service answers here
            assert theirs[name].status_code == answer.status_code, name
            assert _type(theirs[name]) == _type(answer), name


def _type(answer: httpx.Response) -> str:
    return answer.headers["content-type"].partition(";")[0].replace("application/javascript", "text/javascript")


def test_the_problems_have_the_format_of_the_services():
    problems = {
        path.stem: Problem.model_validate_json(path.read_text(encoding="utf-8")) for path in ERRORS.glob("*.json")
    }
    assert problems.keys() == {path.stem for path in PAGES.glob("*.html")} == CODES
    for code, problem in problems.items():
        assert (problem.code, problem.type) == (code, f"/problems/{code}")


def test_a_problem_of_the_gateway_has_the_title_it_has_in_a_service():
    for path in ERRORS.glob("*.json"):
        problem = json.loads(path.read_text(encoding="utf-8"))
        assert rendering._HTTP_TITLES.get(problem["status"], problem["title"]) == problem["title"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("PUT", "/api/requests", 405, "method_not_allowed"),
        ("GET", "/api//catalog", 400, "bad_request"),
    ],
)
def test_a_program_gets_a_problem(method: str, path: str, status: int, code: str, client: httpx.Client):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "path", "status", "page"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("POST", "/send", 405, "method_not_allowed"),
        ("GET", "/a//b", 400, "bad_request"),
    ],
)
def test_a_person_gets_a_page(method: str, path: str, status: int, page: str, client: httpx.Client):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text == (PAGES / f"{page}.html").read_text(encoding="utf-8")


def test_a_page_refuses_an_unexpected_body(client: httpx.Client):
    answer = client.request("GET", "/send", content=b" " * 5000)
    assert answer.status_code == 413
    assert answer.text == (PAGES / "body_too_large.html").read_text(encoding="utf-8")


def test_the_error_pages_depend_on_nothing_that_can_fail():
    for path in PAGES.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text
        assert '<meta name="robots" content="noindex">' in text
    assert (PAGES / "upstream_unavailable.html").read_text(encoding="utf-8").count("<h1>") == 1


@pytest.mark.parametrize("route", [each for each in TABLE.routes if not each.cached], ids=lambda route: route.path)
def test_a_body_may_be_as_large_as_the_table_says_and_no_larger(
    route: Route, client: httpx.Client, upstreams: dict[str, Upstream]
):
    limit = _bytes(route.body)
    method = "POST" if "POST" in route.methods else "GET"
    fits = client.request(method, route.path, content=b" " * limit)
    assert (fits.status_code, fits.text) == (200, route.service)
    assert [len(each.body) for each in upstreams[route.service].received if each.path == route.path] == [limit]
    announced = client.request(method, route.path, content=b" " * (limit + 1))
    unannounced = client.request(method, route.path, content=iter([b" " * limit, b" "]))
    for answer in (announced, unannounced):
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    received = [each for each in upstreams[route.service].received if each.path == route.path]
    assert all(len(each.body) <= limit for each in received)


def _bytes(size: str) -> int:
    return int(size[:-1]) * {"k": 1024, "m": 1024 * 1024}[size[-1]]


def test_no_route_has_a_smaller_limit_than_its_service():
    for route in TABLE.routes:
        assert _bytes(route.body) >= BODY_LIMITS.get(route.path, JSON_BODY_BYTES), route.path
