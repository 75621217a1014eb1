"""The service on a Redis in the process, and a client of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import fakeredis
import httpx
import pytest

from desk.captcha.app import Parts, create_app
from desk.captcha.settings import Settings
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
    )


@pytest.fixture
async def client(redis: fakeredis.FakeAsyncRedis, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    parts = Parts(redis, Telemetry("captcha"), choose_answer=lambda: ANSWER)
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
