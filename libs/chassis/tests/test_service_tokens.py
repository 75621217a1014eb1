"""Service tokens: an internal route answers only the services that may call it."""

import time

import httpx
import pytest

from desk.chassis.app import base_app
from desk.chassis.crypto import TokenIssuer, new_key_pair
from desk.chassis.service_tokens import Callers, ServiceTokens, called_by
from desk.testing.service_keys import key_pair, public_keys

PATH = "/internal/things"


@pytest.fixture
def app(telemetry):
    app = base_app("maker", "Maker", telemetry, callers=Callers("maker", public_keys("intake", "tracking")))

    @app.get(PATH, dependencies=[called_by("intake")])
    async def things() -> dict[str, str]:
        return {"status": "shown"}

    return app


@pytest.fixture
async def ask(app, started):
    async with started(app) as client:

        async def ask(token=None, **headers):
            if token is not None:
                headers["Authorization"] = f"Bearer {token}"
            return await client.get(PATH, headers=headers)

        yield ask


def token(caller="intake", audience="maker", seconds=60, key=None):
    return TokenIssuer(key or key_pair(caller)[0], caller).issue({}, audience=audience, seconds=seconds)[0]


async def test_a_service_that_may_call_is_answered_also_with_the_same_token_again(ask):
    its = token()
    assert [(await ask(its)).json(), (await ask(its)).json()] == [{"status": "shown"}] * 2


@pytest.mark.parametrize(
    "refused",
    [
        None,
        "",
        "rubbish",
        token("tracking"),
        token("notifier"),
        token(audience="captcha"),
        token(seconds=-1),
        token(seconds=3600),
        token(key=new_key_pair()[0]),
    ],
    ids=["none", "empty", "rubbish", "may not", "unknown", "audience", "expired", "too long", "another key"],
)
async def test_every_other_token_is_refused(ask, refused):
    answer = await ask(refused)
    assert (answer.status_code, answer.json()["code"]) == (401, "service_token_invalid")


def test_during_a_rotation_the_old_and_the_new_key_of_a_caller_are_valid():
    old, new = new_key_pair(), new_key_pair()
    callers = Callers("maker", {"intake": old[1] + new[1]})
    for private, _ in (old, new):
        assert callers.identify(token(key=private), ["intake"]) == "intake"


async def test_a_remembered_token_ends_too(ask, monkeypatch):
    its = token(seconds=30)
    assert (await ask(its)).status_code == 200
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 31)
    assert (await ask(its)).status_code == 401


async def test_a_service_uses_its_token_again_and_renews_it_in_time(monkeypatch):
    auth = ServiceTokens(key_pair("intake")[0], "intake").auth_for("maker")

    def sent():
        return next(auth.auth_flow(httpx.Request("GET", "http://maker/internal"))).headers["Authorization"]

    first, now = sent(), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 30)
    assert sent() == first
    monkeypatch.setattr(time, "time", lambda: now + 45)
    assert sent() != first


async def test_health_and_metrics_are_not_on_the_port_of_the_service(app, started):
    async with started(app) as client:
        statuses = [(await client.get(path)).status_code for path in ("/health/live", "/health/ready", "/metrics")]
    assert statuses == [404, 404, 404]
