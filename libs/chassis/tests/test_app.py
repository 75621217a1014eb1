"""What every service's app answers to requests and errors, and what it logs and measures."""

import asyncio
import socket
from importlib.metadata import version
from typing import Annotated, ClassVar

import httpx
import pytest
import structlog
from asyncpg import AdminShutdownError, CannotConnectNowError, TooManyConnectionsError
from fastapi import Form, Request, UploadFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from desk.chassis.app import FieldRuleError, base_app, problems, source_of
from desk.chassis.app.database_errors import render_database_errors
from desk.chassis.problem import DomainError, FieldError, RateLimitExceededError, ServiceUnavailableError
from desk.chassis.telemetry import Telemetry
from desk.database import SchemaOutdatedError
from desk.testing.health import get_health

LIMIT = 64 * 1024
SECRET = "0013542419"


class NoMoreThingsError(DomainError):
    """A rule of an imaginary service."""

    status, code, field = 409, "no_more_things", "thing.label"
    title: ClassVar[str] = "جا نیست."


def _short(text: str) -> str:
    if len(text) > 5:
        raise FieldRuleError("label_too_long", "نام باید کوتاه باشد.")
    return text


class Thing(BaseModel):
    label: Annotated[str, Field(max_length=100), AfterValidator(_short)]
    size: int = Field(default=1, ge=1)


ERRORS = {
    "refused": NoMoreThingsError("the shelf is full"),
    "two fields": DomainError(errors=[FieldError("a", "a_wrong", "یک"), FieldError("b", "b_wrong", "دو")]),
    "exhausted": RateLimitExceededError(retry_after=17),
    "service unavailable": ServiceUnavailableError("captcha", retry_after=3),
    "bug": KeyError(SECRET),
    "teapot": HTTPException(418),
    "guarded": HTTPException(401, headers={"WWW-Authenticate": "Bearer"}),
    "wrong statement": ProgrammingError("SELECT", {}, Exception("no such column")),
    "wrong row": IntegrityError("INSERT", {}, Exception("unique")),
}


def said_by_postgres(error: Exception) -> DBAPIError:
    """Wrap the driver's error as SQLAlchemy does."""
    orig = Exception()
    orig.__cause__ = error
    return DBAPIError("SELECT", {}, orig)


UNAVAILABLE = {
    "server ending": said_by_postgres(AdminShutdownError("terminating connection")),
    "server starting": CannotConnectNowError("the database system is starting up"),
    "server full": TooManyConnectionsError("sorry, too many clients already"),
    "connection invalidated": DBAPIError("SELECT", {}, Exception(), connection_invalidated=True),
    "operational": OperationalError("SELECT", {}, Exception("server closed the connection")),
    "interface": InterfaceError("SELECT", {}, Exception("connection is closed")),
    "pool timeout": PoolTimeoutError("QueuePool limit reached"),
    "refused connection": ConnectionRefusedError(111, "refused"),
    "connecting took too long": TimeoutError(),
    "name not resolved": socket.gaierror(-3, "Temporary failure in name resolution"),
    "redis unavailable": RedisConnectionError("refused"),
    "redis slow": RedisTimeoutError("slow"),
}


@pytest.fixture
def ready():
    """What the readiness check does: nothing, or raise."""
    return []


@pytest.fixture
def app(telemetry, ready):
    async def check():
        for error in ready:
            raise error

    app = base_app("maker", "Maker", telemetry, ready=check, body_limits={"/files": 4 * LIMIT})
    render_database_errors(app)

    @app.post("/things", responses=problems(NoMoreThingsError, RateLimitExceededError))
    async def make(thing: Thing) -> dict[str, str]:
        return {"label": thing.label}

    @app.get("/things/{label}")
    async def show(label: str) -> dict[str, str]:
        return {"label": label}

    @app.post("/files")
    async def take(file: UploadFile, name: Annotated[str, Form()] = "") -> dict[str, int]:
        return {"size": len(await file.read())}

    @app.post("/streams")
    async def stream(request: Request) -> dict[str, int]:
        return {"size": sum([len(chunk) async for chunk in request.stream()])}

    @app.post("/errors")
    async def fail(body: dict[str, str]) -> None:
        raise ERRORS.get(body["error"]) or UNAVAILABLE[body["error"]]

    @app.get("/source")
    async def source(request: Request) -> str:
        return source_of(request)

    return app


@pytest.fixture
async def client(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://maker") as client:
        yield client


@pytest.fixture
def fail(client, logged):
    async def fail(error):
        return await client.post("/errors", json={"error": error})

    return fail


def is_persian(sentence: str) -> bool:
    return any("\u0600" <= letter <= "\u06ff" for letter in sentence)


async def test_a_broken_rule_is_rendered_as_problem_details(fail):
    answer = await fail("refused")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/problems/no_more_things",
        "title": "جا نیست.",
        "status": 409,
        "code": "no_more_things",
        "errors": [{"field": "thing.label", "code": "no_more_things", "message": "جا نیست."}],
    }


async def test_the_reason_is_for_the_log_alone(fail, logged):
    answer = await fail("refused")
    assert "shelf" not in answer.text
    assert "the shelf is full" in logged()


async def test_each_wrong_field_is_reported(fail):
    errors = (await fail("two fields")).json()["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [("a", "a_wrong"), ("b", "b_wrong")]


async def test_an_exceeded_rate_limit_has_a_retry_after(fail):
    answer = await fail("exhausted")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "17")


async def test_an_unavailable_service_has_a_retry_after(fail):
    answer = await fail("service unavailable")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")


@pytest.mark.parametrize("error", UNAVAILABLE)
async def test_an_unavailable_store_is_answered_with_503(fail, error):
    answer = await fail(error)
    assert answer.status_code == 503
    assert answer.json()["code"] == "service_unavailable"
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("error", ["bug", "wrong statement", "wrong row"])
async def test_an_unexpected_error_is_a_problem_too(fail, error):
    answer = await fail(error)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal_error"
    assert len(answer.headers["x-request-id"]) == 32


async def test_an_unexpected_error_shows_the_caller_nothing_of_it(fail):
    answer = await fail("bug")
    assert not any(word in answer.text for word in ("KeyError", "Traceback", SECRET, "test_app"))


async def test_an_unexpected_error_is_in_the_log_with_traceback_and_request_id(fail, logged):
    answer = await fail("bug")
    assert ".py:" in logged()
    assert answer.headers["x-request-id"] in logged()


INVALID = {
    "a missing field": ({}, "label", "missing"),
    "a field's own rule": ({"label": "too long a name"}, "label", "label_too_long"),
    "a number out of range": ({"label": "a", "size": 0}, "size", "greater_than_equal"),
    "another type": ({"label": 5}, "label", "string_type"),
}


@pytest.mark.parametrize("name", INVALID)
async def test_an_invalid_field_is_named_in_persian(client, name):
    body, field, code = INVALID[name]
    answer = await client.post("/things", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == (field, code)
    assert is_persian(error["message"])


async def test_an_invalid_value_is_not_repeated(client, logged):
    answer = await client.post("/things", json={"label": SECRET, "size": SECRET})
    assert SECRET not in answer.text
    assert SECRET not in logged()


MALFORMED = {
    "no JSON": b"{",
    "nothing": b"",
    "another thing": b"[1, 2]",
    "two things": b"{} {}",
    "half an escape": b'{"label": "\\ud800"}',
    "a nul": b'{"label": "\\u0000", "size": "x"}',
    "no text": b"\xff\xfe\x00",
    "a number without end": b'{"size": ' + b"9" * 5000 + b"}",
    "nested without end": b"[" * 60_000,
    "not a number": b'{"label": "a", "size": NaN}',
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_json_is_the_callers_fault(client, name):
    answer = await client.post("/things", content=MALFORMED[name], headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert is_persian(answer.json()["title"])


async def test_malformed_json_names_no_field(client):
    answer = await client.post("/things", content=b'{"label"', headers={"content-type": "application/json"})
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("", "json_invalid")]


async def test_a_body_without_a_json_content_type_is_refused(client):
    answer = await client.post("/things", content=b'{"label": "a"}', headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["application/json", "multipart/form-data; boundary=x", "", "x/y"]))
async def test_no_body_causes_an_internal_error(client, body, media_type):
    for path in ("/things", "/files"):
        answer = await client.post(path, content=body, headers={"content-type": media_type})
        assert answer.status_code < 500


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/things", 405, "method_not_allowed"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/openapi.json", 404, "not_found"),
    ],
)
async def test_an_unknown_path_is_a_problem(client, method, path, status, code):
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert is_persian(answer.json()["title"])


async def test_a_wrong_method_is_answered_with_the_allowed_ones(client):
    assert (await client.delete("/things")).headers["allow"] == "POST"


async def test_headers_of_an_http_error_are_kept(fail):
    assert (await fail("guarded")).headers["www-authenticate"] == "Bearer"


async def test_an_uncommon_http_error_is_a_problem(fail):
    answer = await fail("teapot")
    assert (answer.status_code, answer.json()["code"]) == (418, "http_error")


@pytest.mark.parametrize("error", ["refused", "exhausted", "redis unavailable", "bug", "teapot"])
async def test_a_problem_is_not_cached(fail, error):
    assert (await fail(error)).headers["cache-control"] == "no-store"


async def pieces(count, size=1024):
    for _ in range(count):
        yield b"x" * size


@pytest.mark.parametrize("path", ["/things", "/streams", "/errors"])
async def test_a_body_announced_too_large_is_refused(client, path):
    answer = await client.post(path, content=b"x" * (LIMIT + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/things", "/streams", "/errors"])
async def test_a_body_that_grows_too_large_is_refused(client, path):
    answer = await client.post(path, content=pieces(65))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_body_that_grows_too_large_is_not_read_to_its_end(client):
    given_out = []

    async def endless():
        for number in range(10_000):
            given_out.append(number)
            yield b"x" * 1024

    await client.post("/streams", content=endless())
    assert len(given_out) < 100


async def test_a_body_of_exactly_the_limit_is_taken(client):
    assert (await client.post("/streams", content=b"x" * LIMIT)).json() == {"size": LIMIT}
    assert (await client.post("/streams", content=pieces(64))).json() == {"size": LIMIT}


@pytest.mark.parametrize("path", ["/things", "/streams"])
async def test_a_body_that_takes_too_long_is_refused(client, path, monkeypatch):
    monkeypatch.setattr("desk.chassis.app.middleware.BODY_SECONDS", 0.05)

    async def never_ending():
        yield b"x"
        await asyncio.Event().wait()

    answer = await client.post(path, content=never_ending())
    assert (answer.status_code, answer.json()["code"]) == (408, "body_too_slow")
    assert answer.headers["connection"] == "close"


async def test_a_large_body_has_more_time_and_a_route_may_work_longer_than_its_body_took(client, monkeypatch):
    monkeypatch.setattr("desk.chassis.app.middleware.BODY_SECONDS", 0.2)
    monkeypatch.setattr("desk.chassis.app.middleware.BODY_BYTES_PER_SECOND", 1024)

    async def steady():
        for _ in range(4):
            yield b"x" * 1024
            await asyncio.sleep(0.1)

    assert (await client.post("/streams", content=steady())).json() == {"size": 4096}


async def test_a_route_for_files_has_a_limit_of_its_own(client):
    taken = await client.post("/files", files={"file": b"x" * 2 * LIMIT})
    refused = await client.post("/files", files={"file": b"x" * 4 * LIMIT})
    assert (taken.json(), refused.status_code) == ({"size": 2 * LIMIT}, 413)


@pytest.mark.parametrize("length", ["²", "x", "-5", "1_0", "9" * 5000])
async def test_an_invalid_content_length_changes_nothing(client, length):
    headers = {"content-length": length.encode("latin-1"), "content-type": "application/json"}
    answer = await client.post("/things", content=b'{"label": "a"}', headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("request_id", ["0123abcd", "a-b_c-D-0", "x" * 64])
async def test_a_request_id_is_taken_over(client, request_id):
    answer = await client.get("/things/a", headers={"X-Request-Id": request_id})
    assert answer.headers["x-request-id"] == request_id


@pytest.mark.parametrize("request_id", ["", "short", "x" * 65, "has spaces in", "a\tb-c-d-e-f", "0123456\xe9"])
async def test_an_unusable_request_id_is_replaced(client, request_id):
    answer = await client.get("/things/a", headers={"X-Request-Id": request_id.encode("latin-1")})
    assert len(answer.headers["x-request-id"]) == 32


async def test_every_request_has_an_id_of_its_own(client):
    ids = {(await client.get("/things/a")).headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


async def test_the_log_of_a_request_carries_its_id(client, logged):
    await client.get("/things/a", headers={"X-Request-Id": "0123abcd"})
    assert '"request_id": "0123abcd"' in logged()


async def test_the_log_shows_the_route_and_not_the_address(client, logged):
    await client.get(f"/things/{SECRET}?national_id={SECRET}")
    assert "/things/{label}" in logged()
    assert SECRET not in logged()


async def test_the_source_is_the_connections(client):
    answer = await client.get("/source", headers={"X-Forwarded-For": "10.9.8.7"})
    assert answer.json() == "127.0.0.1"


async def test_it_is_alive_independently_of_its_store(client, ready):
    ready.append(ConnectionRefusedError())
    answer = await get_health(client, "/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_it_is_ready_when_its_store_answers(client):
    answer = await get_health(client, "/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(), "ConnectionRefusedError"),
        (RuntimeError(SECRET), "RuntimeError"),
        (SchemaOutdatedError("run `migrate`"), "run `migrate`"),
    ],
)
async def test_it_is_not_ready_when_its_store_is_unavailable_and_logs_once_why(client, ready, error, reason):
    ready.append(error)
    with structlog.testing.capture_logs() as lines:
        answers = [await get_health(client, "/health/ready") for _ in range(2)]
        ready.clear()
        assert (await get_health(client, "/health/ready")).status_code == 200
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(503, "service_unavailable")}
    assert [(each["event"], each.get("reason")) for each in lines if "ready" in each["event"]] == [
        ("not ready", reason),
        ("ready", None),
    ]


async def test_it_is_not_ready_when_its_store_hangs(telemetry, started, monkeypatch):
    monkeypatch.setattr("desk.chassis.health.READY_TIMEOUT_SECONDS", 0.05)

    async def hang():
        await asyncio.Event().wait()

    async with started(base_app("maker", "Maker", telemetry, ready=hang)) as client:
        assert (await get_health(client, "/health/ready")).status_code == 503


async def test_the_metrics_count_answers_by_route_and_status(client, telemetry):
    await client.get("/things/a")
    await client.get("/things/b")
    sample = telemetry.registry.get_sample_value
    labels = {"route": "/things/{label}", "method": "GET", "status": "200"}
    assert sample("desk_http_requests_total", labels) == 2


async def test_the_metrics_are_exposed(client):
    await client.get("/things/a")
    answer = await get_health(client, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'desk_http_requests_total{method="GET",route="/things/{label}",status="200"} 1.0' in answer.text


async def test_the_metrics_have_the_version_of_the_package():
    sample = Telemetry("chassis").registry.get_sample_value
    assert sample("desk_build_info", {"service": "chassis", "version": version("desk-chassis")}) == 1
    unknown = Telemetry("unpackaged").registry.get_sample_value
    assert unknown("desk_build_info", {"service": "unpackaged", "version": "unknown"}) == 1


async def test_the_metrics_hold_nothing_a_caller_typed(client):
    await client.get(f"/things/{SECRET}")
    await client.get(f"/{SECRET}?q={SECRET}")
    await client.request(f"M{SECRET}", "/things")
    await client.post("/things", json={"label": SECRET}, headers={"X-Request-Id": SECRET})
    assert SECRET not in (await get_health(client, "/metrics")).text


async def test_an_invented_method_makes_no_metric_of_its_own(client, telemetry):
    await client.request("BREW", "/things")
    labels = {"route": "/things", "method": "other", "status": "405"}
    assert telemetry.registry.get_sample_value("desk_http_requests_total", labels) == 1


def test_the_contract_calls_errors_problem_details(app):
    responses = app.openapi()["paths"]["/things"]["post"]["responses"]
    assert {status: list(responses[status]["content"]) for status in responses} == {
        "200": ["application/json"],
        "400": ["application/problem+json"],
        "408": ["application/problem+json"],
        "409": ["application/problem+json"],
        "413": ["application/problem+json"],
        "422": ["application/problem+json"],
        "429": ["application/problem+json"],
    }


def test_the_contract_names_the_codes_of_each_status(app):
    responses = app.openapi()["paths"]["/things"]["post"]["responses"]
    assert responses["409"]["description"] == "`no_more_things`"
    assert responses["422"]["description"] == "`validation_failed`"


def test_the_contract_names_the_refusals_of_a_body(app):
    responses = app.openapi()["paths"]["/things"]["post"]["responses"]
    assert [responses[status]["description"] for status in ("400", "408", "413")] == [
        "`bad_request`",
        "`body_too_slow`",
        "`body_too_large`",
    ]


def test_the_contract_can_be_asked_for_again(app):
    assert app.openapi() == app.openapi()


def test_the_contract_does_not_contain_health_and_metrics(app):
    assert not any(path.startswith(("/health", "/metrics")) for path in app.openapi()["paths"])
