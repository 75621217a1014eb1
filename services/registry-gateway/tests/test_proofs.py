"""Proof of work before a look-up, checked and used up by the real captcha service."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import fakeredis
import httpx
import pytest
from altcha.v2 import Challenge, ChallengeParameters, solve_challenge

from desk.captcha.app import Parts as CaptchaParts
from desk.captcha.app import create_app as create_captcha
from desk.captcha.settings import Settings as CaptchaSettings
from desk.chassis.crypto import new_secret
from desk.chassis.telemetry import Telemetry
from desk.registry_gateway.adapters.simulator import people
from desk.registry_gateway.app import captcha_client
from desk.testing.service_keys import InternalAuth, key_pair, public_keys

ANSWER = "40967"
REGISTRY_GATEWAY = InternalAuth("registry-gateway", "captcha")


@pytest.fixture
async def captcha():
    settings = CaptchaSettings(
        index_key=new_secret(),
        service_private_key=key_pair("captcha")[0],
        service_public_keys=public_keys("registry-gateway"),
        redis_url="unix://unused",
        images_ready=2,
        sounds_ready=1,
        work_most=10,
    )
    parts = CaptchaParts(fakeredis.FakeAsyncRedis(max_connections=100), Telemetry("captcha"), lambda: ANSWER)
    app = create_captcha(settings, parts=parts)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://captcha") as client,
    ):
        yield client


@pytest.fixture
async def post(settings, parts, captcha, running, poster):
    peer = captcha_client(
        httpx.AsyncClient(transport=captcha._transport, base_url="http://captcha", auth=REGISTRY_GATEWAY)
    )
    async with running(settings.model_copy(update={"require_proof": True}), replace(parts, captcha=peer)) as app:
        yield poster(app)


@pytest.fixture
def prove(captcha):
    async def prove(level=0):
        wanted = {"purpose": "identity", "kind": "work", "level": level}
        asked = (await captcha.post("/api/captchas", json=wanted)).json()
        solution = solve_challenge(Challenge(ChallengeParameters.from_dict(asked["challenge"])))
        if usable_at := asked["challenge"].get("usable_at"):
            left = datetime.fromisoformat(usable_at) - datetime.now(UTC)
            await asyncio.sleep(max(0.0, left.total_seconds()))
        return {"id": asked["id"], "solution": solution.derived_key}

    return prove


async def test_a_proof_is_valid_for_one_look_up(post, prove, ask, living, registry):
    body = ask(living) | {"proof": await prove()}

    first, replayed = await post(body), await post(body)

    assert first.status_code == 200
    assert (replayed.status_code, replayed.json()["code"]) == (422, "proof_expired")
    assert len(registry.asked) == 1


async def test_one_of_ten_concurrent_uses_succeeds(post, prove, ask, living, registry):
    body = ask(living) | {"proof": await prove()}

    answers = await asyncio.gather(*(post(body, source=f"203.0.{n}.1") for n in range(10)))

    assert sorted(each.status_code for each in answers) == [200] + [422] * 9
    assert len(registry.asked) == 1


async def test_without_a_proof_there_is_no_look_up(post, ask, living, registry):
    refused = await post(ask(living))

    assert (refused.status_code, refused.json()["code"]) == (422, "proof_missing")
    assert refused.json()["errors"][0]["field"] == "proof"
    assert registry.asked == []


async def test_a_forged_proof_is_refused(post, prove, ask, living, registry):
    forged = await prove() | {"solution": "ab" * 32}

    refused = await post(ask(living) | {"proof": forged})

    assert (refused.status_code, refused.json()["code"]) == (422, "proof_wrong")
    assert registry.asked == []


@pytest.mark.parametrize("proof_id", ["A" * 22, "unknown"])
async def test_an_unknown_or_expired_proof_is_refused(post, ask, living, registry, proof_id):
    refused = await post(ask(living) | {"proof": {"id": proof_id, "solution": "ab" * 32}})

    assert (refused.status_code, refused.json()["code"]) == (422, "proof_expired")
    assert registry.asked == []


async def test_an_answered_image_is_not_a_proof(post, captcha, ask, living, registry):
    picture = (await captcha.post("/api/captchas", json={"purpose": "submit", "kind": "image"})).json()["id"]

    refused = await post(ask(living) | {"proof": {"id": picture, "solution": ANSWER}})

    assert (refused.status_code, refused.json()["code"]) == (422, "proof_expired")
    assert registry.asked == []


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"id": "x"},
        {"id": "../../health/live", "solution": "1"},
        {"id": "a" * 65, "solution": "1"},
        {"id": "x", "solution": "1" * 257},
        {"id": 7, "solution": None},
        "work",
    ],
    ids=str,
)
async def test_a_proof_of_another_form_is_refused_at_its_field(post, ask, living, registry, proof):
    refused = await post(ask(living) | {"proof": proof})

    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed")
    assert all(error["field"].startswith("proof") for error in refused.json()["errors"])
    assert registry.asked == []


async def test_a_refused_proof_does_not_count(post, prove, ask, living):
    for _ in range(70):
        await post(ask(living) | {"proof": {"id": "A" * 22, "solution": "1"}})

    assert (await post(ask(living) | {"proof": await prove()})).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        lambda _: httpx.Response(502, text="<html>"),
        lambda _: httpx.Response(404, json={"code": "not_found"}),
        lambda _: httpx.Response(422, text="?"),
        lambda _: httpx.Response(422, json=[]),
        lambda _: httpx.Response(503, json={"code": "service_unavailable"}),
        lambda request: (_ for _ in ()).throw(httpx.ConnectError("refused", request=request)),
        lambda request: (_ for _ in ()).throw(httpx.ReadTimeout("late", request=request)),
    ],
)
async def test_no_look_up_is_made_while_the_captcha_service_is_unavailable(  # noqa: PLR0917 - fixtures
    settings, parts, running, poster, ask, living, registry, fault
):
    peer = captcha_client(httpx.AsyncClient(transport=httpx.MockTransport(fault), base_url="http://captcha"))
    async with running(settings, replace(parts, captcha=peer)) as app:
        refused = await poster(app)(ask(living) | {"proof": {"id": "A" * 22, "solution": "1"}})

    assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert registry.asked == []


def test_a_proof_is_required_by_default(settings):
    assert type(settings).model_fields["require_proof"].default is True


# beyond the free mismatches


async def test_beyond_the_free_mismatches_the_right_pair_passes_with_a_harder_proof(  # noqa: PLR0917 - fixtures
    post, prove, ask, wrong, living, registry
):
    for _ in range(5):
        assert (await post(wrong | {"proof": await prove()})).status_code == 404

    refused = await post(ask(living) | {"proof": await prove()})
    assert (refused.status_code, refused.json()["code"], refused.json()["level"]) == (429, "proof_required", 1)
    assert len(registry.asked) == 5

    assert (await post(ask(living) | {"proof": await prove(1)})).status_code == 200
    assert (await post(ask(living) | {"proof": await prove(1)})).status_code == 200, "a match does not raise the level"


async def test_each_further_mismatch_needs_a_proof_of_the_next_level(post, prove, wrong, unknown):
    for _ in range(5):
        await post(wrong | {"proof": await prove()})

    assert (await post(unknown | {"proof": await prove(1)})).status_code == 404
    refused = await post(unknown | {"proof": await prove(1)})
    assert (refused.json()["code"], refused.json()["level"]) == ("proof_required", 2)
    assert (await post(unknown | {"proof": await prove(2)})).status_code == 404


async def test_fifty_parallel_wrong_pairs_with_one_level_are_not_all_looked_up(post, prove, ask, registry):
    guesses = [ask(person, birth_date="1350-01-01") | {"proof": await prove()} for person in people()[:50]]

    answers = await asyncio.gather(*(post(guess) for guess in guesses))

    assert sorted(each.status_code for each in answers) == [404] * 5 + [429] * 45
    assert len(registry.asked) == 5
