"""The service on a Redis in the process, and a client of it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import fakeredis
import httpx
import pytest

from desk.captcha.app import Parts, create_app
from desk.captcha.clients import NotifierClient
from desk.captcha.settings import Settings
from desk.chassis.crypto import new_secret
from desk.chassis.telemetry import Telemetry
from desk.testing.service_keys import InternalAuth, key_pair, public_keys

ANSWER = "40967"
INTAKE = InternalAuth("intake", "captcha")


@pytest.fixture(autouse=True)
def _long_redis_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow a hundred callers in one process on a busy machine."""
    monkeypatch.setattr("desk.security.rate_limits.CALL_SECONDS", 60.0)


@pytest.fixture
def server() -> fakeredis.FakeServer:
    return fakeredis.FakeServer()


@pytest.fixture
def redis(server: fakeredis.FakeServer) -> fakeredis.FakeAsyncRedis:
    return fakeredis.FakeAsyncRedis(server=server, max_connections=1000)


@pytest.fixture
def settings() -> Settings:
    return Settings(
        redis_url="unix://unused",
        service_private_key=key_pair("captcha")[0],
        service_public_keys=public_keys("registry-gateway", "intake", "tracking"),
        issue_budget="20/10 minutes",
        images_ready=4,
        sounds_ready=2,
        work_budget="30/10 minutes",
        work_most=20,
        notifier_url="http://notifier",
        index_key=new_secret(),
        codes_per_mobile="3/10 minutes",
        codes_per_mobile_daily="4/day",
        codes_per_source="8/10 minutes",
    )


class FakeNotifier:
    """Accepts codes, or fails as the test asks."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.failure: httpx.HTTPError | int | None = None

    def answer(self, request: httpx.Request) -> httpx.Response:
        if isinstance(self.failure, httpx.HTTPError):
            raise self.failure
        if self.failure is not None:
            return httpx.Response(self.failure)
        self.sent.append(json.loads(request.content))
        return httpx.Response(202, json=None)


@pytest.fixture
def notifier() -> FakeNotifier:
    return FakeNotifier()


@pytest.fixture
async def client(
    redis: fakeredis.FakeAsyncRedis, settings: Settings, notifier: FakeNotifier
) -> AsyncIterator[httpx.AsyncClient]:
    http = httpx.AsyncClient(transport=httpx.MockTransport(notifier.answer), base_url="http://notifier")
    parts = Parts(redis, Telemetry("captcha"), choose_answer=lambda: ANSWER, notifier=NotifierClient(http))
    app = create_app(settings, parts=parts)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://captcha", auth=INTAKE) as client,
    ):
        yield client


@pytest.fixture
def issue(client: httpx.AsyncClient) -> Callable[..., Awaitable[str]]:
    async def issue(purpose: str = "submit", kind: str = "image") -> str:
        issued = await client.post("/api/captchas", json={"purpose": purpose, "kind": kind})
        assert issued.status_code == 201
        return str(issued.json()["id"])

    return issue


@pytest.fixture
def answer(client: httpx.AsyncClient) -> Callable[..., Awaitable[httpx.Response]]:
    async def answer(captcha_id: str, typed: str = ANSWER, **fields: Any) -> httpx.Response:
        given = {"purpose": "submit", "answer": typed, "claim": "first", **fields}
        return await client.post(f"/internal/captchas/{captcha_id}/answers", json=given)

    return answer
