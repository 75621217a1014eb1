"""Codes by SMS: bound to a mobile, limited, and never sent without a proof of work."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest
from altcha.v2 import Challenge, ChallengeParameters, solve_challenge

from desk.captcha.app import Parts, create_app
from desk.chassis.telemetry import Telemetry
from desk.testing.service_keys import InternalAuth

MOBILE, OTHER = "+989123456789", "+989120000000"


@pytest.fixture
def prove(client):
    async def prove(level: int = 0, purpose: str = "mobile") -> dict[str, str]:
        asked = await client.post("/api/captchas", json={"purpose": purpose, "kind": "work", "level": level})
        solved = solve_challenge(Challenge(ChallengeParameters.from_dict(asked.json()["challenge"])))
        return {"id": asked.json()["id"], "solution": solved.derived_key}

    return prove


@pytest.fixture
def send(client, prove):
    async def send(mobile: str = MOBILE, **fields) -> httpx.Response:
        fields = {"proof": await prove()} | fields
        return await client.post("/api/captchas", json={"purpose": "mobile", "kind": "sms", "mobile": mobile} | fields)

    return send


@pytest.fixture
def enter(answer):
    async def enter(captcha_id: str, typed: str = "40967", mobile: str | None = MOBILE, **fields) -> httpx.Response:
        return await answer(captcha_id, typed, **{"purpose": "mobile", "mobile": mobile} | fields)

    return enter


async def test_a_code_is_sent_to_the_mobile_and_is_not_in_the_response(send, notifier):
    issued = await send("۰۹۱۲ ۳۴۵ ۶۷۸۹", language="en")

    assert issued.status_code == 201
    assert set(issued.json()) == {"id", "kind", "expires_at"}
    assert issued.json()["kind"] == "sms"
    [sent] = notifier.sent
    assert (sent["mobile"], sent["code"], sent["language"]) == (MOBILE, "40967", "en")
    left = datetime.fromisoformat(sent["expires_at"]) - datetime.fromisoformat(issued.json()["expires_at"])
    assert abs(left.total_seconds()) <= 1


async def test_a_code_is_right_once_for_its_mobile(send, enter):
    code = (await send()).json()["id"]

    assert (await enter(code, mobile=OTHER)).json()["code"] == "captcha_expired"
    assert (await enter(code, mobile=None)).json()["code"] == "captcha_expired"
    assert (await enter(code, claim="first")).json() == {"level": 0}
    assert (await enter(code, claim="first")).status_code == 200, "the same claim may repeat it"
    assert (await enter(code, claim="second")).json()["code"] == "captcha_expired"


@pytest.mark.parametrize("purpose", ["mobile", "requests", "contact"])
async def test_a_code_is_right_for_its_purpose_only(send, enter, notifier, purpose):
    code = (await send(purpose=purpose)).json()["id"]

    assert [each["purpose"] for each in notifier.sent] == [purpose]
    for other in {"mobile", "requests", "contact", "submit", "track"} - {purpose}:
        assert (await enter(code, purpose=other)).json()["code"] == "captcha_expired"
    assert (await enter(code, purpose=purpose)).status_code == 200


async def test_codes_of_all_purposes_count_together_for_a_mobile(send, notifier):
    answers = [await send(purpose=each) for each in ("mobile", "requests", "contact", "requests")]

    assert [each.status_code for each in answers] == [201, 201, 201, 429]
    assert answers[-1].json()["code"] == "codes_exhausted"
    assert len(notifier.sent) == 3


@pytest.mark.parametrize("purpose", ["submit", "track", "identity"])
async def test_there_is_no_code_by_sms_for_another_purpose(send, notifier, purpose):
    assert (await send(purpose=purpose)).json()["code"] == "captcha_kind_unavailable"
    assert notifier.sent == []


async def test_a_code_has_three_attempts(send, enter):
    code = (await send()).json()["id"]

    codes = [(await enter(code, typed)).json()["code"] for typed in ("11111", "22222", "33333")]

    assert codes == ["captcha_wrong", "captcha_wrong", "captcha_expired"]
    assert (await enter(code)).json()["code"] == "captcha_expired"


async def test_fifty_concurrent_guesses_are_three_attempts(send, enter):
    code = (await send()).json()["id"]

    guesses = await asyncio.gather(*(enter(code, f"{number:05}") for number in range(50)))

    assert sum(each.json()["code"] == "captcha_wrong" for each in guesses) == 2
    assert (await enter(code)).json()["code"] == "captcha_expired"


async def test_a_proof_of_work_is_not_a_code(prove, enter):
    proof = await prove()

    assert (await enter(proof["id"], proof["solution"])).json()["code"] == "captcha_expired"


async def test_a_code_is_not_a_proof_of_work(send, notifier):
    code = (await send()).json()["id"]

    refused = await send(OTHER, proof={"id": code, "solution": "40967"})

    assert refused.json()["code"] == "proof_expired"
    assert len(notifier.sent) == 1


async def test_without_a_proof_one_is_required(client, notifier):
    refused = await client.post("/api/captchas", json={"purpose": "mobile", "kind": "sms", "mobile": MOBILE})

    assert (refused.status_code, refused.json()["code"], refused.json()["level"]) == (429, "proof_required", 0)
    assert notifier.sent == []


async def test_a_proof_is_used_up_by_one_code(send, prove, notifier):
    proof = await prove()
    await send(proof=proof)

    assert (await send(OTHER, proof=proof)).json()["code"] == "proof_expired"
    assert len(notifier.sent) == 1


async def test_a_wrong_proof_and_one_of_another_purpose_are_refused(send, prove, notifier):
    wrong = await send(proof=await prove() | {"solution": "0" * 64})
    other = await send(proof=await prove(purpose="identity"))

    assert (wrong.json()["code"], other.json()["code"]) == ("proof_wrong", "proof_expired")
    assert wrong.json()["errors"][0]["field"] == "proof"
    assert notifier.sent == []


@pytest.mark.parametrize("mobile", ["", "+14165550123", "02188888888", "0912345678", "0912345678a"])
async def test_a_mobile_that_is_not_iranian_is_refused_at_its_field(send, notifier, mobile):
    refused = await send(mobile)

    assert (refused.status_code, refused.json()["code"]) == (422, "mobile_not_iranian")
    assert refused.json()["errors"][0]["field"] == "mobile"
    assert notifier.sent == []


async def test_a_mobile_gets_three_codes_in_ten_minutes(send, notifier):
    sent = [await send() for _ in range(5)]

    assert [each.status_code for each in sent] == [201, 201, 201, 429, 429]
    assert sent[-1].json()["code"] == "codes_exhausted"
    assert 1 <= int(sent[-1].headers["retry-after"]) <= 600
    assert len(notifier.sent) == 3
    assert (await send(OTHER)).status_code == 201, "another mobile is counted apart"


async def test_a_mobile_gets_no_more_codes_in_a_day_than_allowed(redis, send, notifier, settings):
    for _ in range(3):
        await send()
    for key in await redis.keys(f"limit:sms-codes-mobile:{settings.codes_per_mobile}:*"):
        await redis.delete(key)

    assert [(await send()).status_code for _ in range(2)] == [201, 429]
    assert len(notifier.sent) == 4


async def test_fifty_concurrent_requests_send_three_codes(client, prove, notifier):
    proofs = [await prove() for _ in range(30)]

    sent = await asyncio.gather(
        *(
            client.post("/api/captchas", json={"purpose": "mobile", "kind": "sms", "mobile": MOBILE, "proof": proof})
            for proof in proofs
        )
    )

    assert sorted(each.status_code for each in sent) == [201] * 3 + [429] * 27
    assert len(notifier.sent) == 3


async def test_a_source_with_many_codes_needs_more_work_and_is_not_refused(send, prove, monkeypatch):
    for number in range(8):
        assert (await send(f"0912000000{number}")).status_code == 201

    required = await send("09130000000")
    assert (required.status_code, required.json()["code"], required.json()["level"]) == (429, "proof_required", 1)

    proof = await prove(level=1)
    monkeypatch.setattr("desk.captcha.store.challenges.time.time", lambda: datetime.now(UTC).timestamp() + 3)
    assert (await send("09130000000", proof=proof)).status_code == 201
    assert (await send("09130000001")).json()["level"] == 2


@pytest.mark.parametrize(
    ("failure", "counted"),
    [(500, False), (httpx.ConnectError("refused"), False), (httpx.ReadTimeout("late"), True)],
)
async def test_a_code_that_notifier_surely_did_not_accept_does_not_count(send, notifier, failure, counted):
    notifier.failure = failure
    refused = [await send() for _ in range(3)]
    notifier.failure = None

    assert {(each.status_code, each.json()["code"]) for each in refused} == {(503, "service_unavailable")}
    assert "پیامک" in refused[0].json()["title"]
    assert (await send()).status_code == (429 if counted else 201)


async def test_redis_contains_no_number_that_can_be_read(redis, send):
    await send()

    stored = [key for key in await redis.keys("*") if key.startswith((b"captcha:", b"limit:"))]
    values = [await redis.hgetall(key) for key in stored if key.startswith(b"captcha:")]

    assert len(stored) >= 4
    assert "9123456789" not in str(stored) + str(values)


async def test_without_notifier_there_are_no_codes(redis, prove, settings):
    proof = await prove()
    app = create_app(settings, parts=Parts(redis, Telemetry("captcha")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://captcha") as client:
        body = {"purpose": "mobile", "kind": "sms", "mobile": MOBILE, "proof": proof}
        refused = await client.post("/api/captchas", json=body)

    assert (refused.status_code, refused.json()["code"]) == (422, "captcha_kind_unavailable")


async def test_a_service_has_a_code_sent_without_a_proof_of_work(client, notifier, enter):
    issued = await client.post("/internal/mobile-codes", json={"mobile": MOBILE, "language": "fa"})

    assert issued.status_code == 201
    assert [sent["mobile"] for sent in notifier.sent] == [MOBILE]
    assert (await enter(issued.json()["id"])).status_code == 200


async def test_codes_of_services_count_for_the_mobile_like_those_of_the_pages(client, send):
    for _ in range(2):
        await client.post("/internal/mobile-codes", json={"mobile": MOBILE})
    await send()

    refused = await client.post("/internal/mobile-codes", json={"mobile": MOBILE})

    assert (refused.status_code, refused.json()["code"]) == (429, "codes_exhausted")


async def test_a_code_goes_to_iranian_mobiles_only_for_services_too(client, notifier):
    refused = await client.post("/internal/mobile-codes", json={"mobile": "+491512345678"})

    assert refused.json()["code"] == "mobile_not_iranian"
    assert notifier.sent == []


async def test_only_intake_may_have_a_code_sent(client):
    refused = await client.post(
        "/internal/mobile-codes", json={"mobile": MOBILE}, auth=InternalAuth("tracking", "captcha")
    )

    assert refused.status_code == 401
