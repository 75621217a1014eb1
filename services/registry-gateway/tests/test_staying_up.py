"""Row 19 of the faults: what an applicant gets while the registry is slow, broken, closed or out of quota."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day

import pytest
from support.registry_gateway import audit_of, metrics_of

from desk.iran.jalali import TEHRAN
from desk.registry_gateway.adapters.simulator import people
from desk.registry_gateway.domain import FailureKind, Matched, UnansweredError
from desk.registry_gateway.upstream.breaker import CircuitBreaker
from desk.registry_gateway.upstream.hours import OpeningHours

LIVING = [person for person in people() if not person.deceased]
MOST_SECONDS = 6.0
SLACK_SECONDS = 3.0
"""Added for a busy machine."""


def of(answer):
    shown = answer.json()
    return answer.status_code, shown.get("status"), shown.get("reason")


@pytest.mark.parametrize(
    "knobs",
    [{"delay_seconds": 30}, {"errors": -1}, {"garbage": "html"}, {"garbage": "endless"}, {"code": "login.lock.user"}],
    ids=str,
)
async def test_an_applicant_has_a_response_within_six_seconds_and_the_breaker_opens(  # noqa: PLR0917 - fixtures
    poster, gateway, over_http, simulator, ask, knobs
):
    await simulator.turn(**knobs)
    async with gateway(over_http) as app:
        post = poster(app)
        for round_ in range(2):
            begun = time.monotonic()
            answers = await asyncio.gather(
                *(post(ask(LIVING[place]), source=f"203.{round_}.{place}.1") for place in range(6))
            )
            assert time.monotonic() - begun < MOST_SECONDS + SLACK_SECONDS
            assert {of(answer) for answer in answers} == {(200, "pending", "unreachable")}

        assert await simulator.inquiries() <= 6, "an open circuit breaker allows no call"


async def test_a_recovered_registry_is_called_again(poster, gateway, over_http, simulator, ask):
    await simulator.turn(errors=5)
    async with gateway(over_http) as app:
        post = poster(app)
        for place in range(5):
            assert of(await post(ask(LIVING[place])))[1] == "pending"
        assert of(await post(ask(LIVING[5])))[1] == "pending"
        assert await simulator.inquiries() == 5

        app.state.services.identities._registry._client.breaker._pause = 0

        assert of(await post(ask(LIVING[6]))) == (200, "matched", None)


async def test_a_retryable_code_is_retried_once(poster, gateway, over_http, simulator, ask):
    await simulator.turn(code="Error inPersonInfoReading")
    async with gateway(over_http) as app:
        assert of(await poster(app)(ask(LIVING[0]))) == (200, "pending", "unreachable")

    assert await simulator.inquiries() == 2


async def test_an_error_of_the_registry_is_not_retried(poster, gateway, over_http, simulator, ask):
    await simulator.turn(errors=1)
    async with gateway(over_http) as app:
        assert of(await poster(app)(ask(LIVING[0]))) == (200, "pending", "unreachable")

    assert await simulator.inquiries() == 1


async def test_equal_look_ups_in_flight_are_one_call(poster, gateway, over_http, simulator, ask):
    await simulator.turn(delay_seconds=0.3)
    async with gateway(over_http) as app:
        answers = await asyncio.gather(*(poster(app)(ask(LIVING[0]), source=f"203.0.{place}.1") for place in range(6)))
        assert {of(answer) for answer in answers} == {(200, "matched", None)}
        assert len(await audit_of(app)) == 6, "each of them is recorded"

    assert await simulator.inquiries() == 1


async def test_a_caller_who_disconnects_does_not_cancel_the_call_of_the_others(running, settings, parts, registry):
    person = LIVING[0].identity
    registry.answering.clear()
    async with running(settings, parts) as app:
        client = app.state.services.identities._registry
        first, second = (asyncio.create_task(client.look_up(person.national_id, person.birth_date)) for _ in range(2))
        await registry.reached.wait()  # both callers wait for the one call by now: they were scheduled before it
        first.cancel()
        await asyncio.wait([first])
        registry.answering.set()

        assert await second == Matched(person)

    assert first.cancelled()
    assert registry.asked == [person.national_id]


async def test_calls_in_flight_are_limited(  # noqa: PLR0917 - fixtures
    poster, running, settings, ask, registry, real
):
    settings = settings.model_copy(update={"lookups_in_flight": 2})
    registry.answering.clear()
    async with running(settings, replace(real(settings), registry=registry)) as app:
        asking = [asyncio.create_task(poster(app)(ask(LIVING[n]), source=f"203.0.{n}.1")) for n in range(4)]
        done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED, timeout=60)
        assert {of(each.result())[2] for each in done} == {"unreachable"}
        assert len(registry.asked) == 2

        registry.answering.set()
        answers = [of(each) for each in await asyncio.gather(*asking)]

    assert answers.count((200, "matched", None)) == 2
    assert answers.count((200, "pending", "unreachable")) == 2


async def test_a_match_is_cached_encrypted_and_a_mismatch_is_not_cached(  # noqa: PLR0917 - fixtures
    poster, gateway, over_http, simulator, ask, parts
):
    person = LIVING[0]
    async with gateway(over_http, memory_seconds=900) as app:
        post = poster(app)
        first, second = await post(ask(person)), await post(ask(person))
        await post(ask(person, birth_date="1350-01-01"))
        await post(ask(person, birth_date="1350-01-01"))
        assert first.json()["last_name"] == second.json()["last_name"] == person.identity.last_name

        assert await simulator.inquiries() == 3
        [key] = await parts.redis.keys("registry:match:*")
        kept = await parts.redis.get(key)
        assert 0 < await parts.redis.ttl(key) <= 900
        for personal in (person.identity.national_id.value, person.identity.last_name):
            assert personal.encode() not in kept + key


async def test_the_cache_is_not_used_while_the_registry_is_unavailable(poster, gateway, over_http, simulator, ask):
    known, other = LIVING[0], LIVING[1]
    async with gateway(over_http, memory_seconds=900, breaker_failures=1) as app:
        post = poster(app)
        assert of(await post(ask(known)))[1] == "matched"
        await simulator.turn(errors=-1)
        await post(ask(LIVING[2]))

        assert of(await post(ask(known))) == of(await post(ask(other))) == (200, "pending", "unreachable")


async def test_a_closed_registry_is_not_called_and_its_opening_time_is_returned(
    poster, gateway, over_http, simulator, ask
):
    now = datetime.now(TEHRAN)
    hours = {"closes_at": (now - timedelta(hours=1)).time(), "opens_at": (now + timedelta(hours=1)).time()}
    async with gateway(over_http, **hours) as app:
        known, unknown_person = (
            await poster(app)(ask(LIVING[0])),
            await poster(app)(ask(LIVING[0], national_id="8275737168")),
        )
        assert of(known) == of(unknown_person) == (200, "pending", "closed")
        assert known.json()["available_at"] == unknown_person.json()["available_at"]
        opens = datetime.fromisoformat(known.json()["available_at"])
        assert timedelta(minutes=59) < opens - datetime.now(UTC) <= timedelta(hours=1)
        assert await audit_of(app) == []

    assert await simulator.inquiries() == 0


async def test_a_registry_that_reports_that_it_is_closed_is_not_called_again(
    poster, gateway, over_http, simulator, ask
):
    await simulator.turn(closed=True)
    async with gateway(over_http) as app:
        for place in range(4):
            answer = await poster(app)(ask(LIVING[place]))
            assert of(answer) == (200, "pending", "closed")
            assert answer.json()["available_at"] is not None

    assert await simulator.inquiries() == 1


async def test_a_configured_quota_is_not_exceeded(poster, gateway, over_http, simulator, ask):
    async with gateway(over_http, daily_quota=3) as app:
        answers = [await poster(app)(ask(LIVING[place])) for place in range(5)]

    assert [of(answer)[1:] for answer in answers] == [("matched", None)] * 3 + [("pending", "quota")] * 2
    until = datetime.fromisoformat(answers[-1].json()["available_at"])
    assert until.astimezone(TEHRAN).time().isoformat() == "00:00:00"
    assert await simulator.inquiries() == 3


async def test_a_cached_match_is_not_returned_once_the_quota_is_used_up(poster, gateway, over_http, simulator, ask):
    async with gateway(over_http, daily_quota=1, memory_seconds=900) as app:
        post = poster(app)
        assert of(await post(ask(LIVING[0]))) == (200, "matched", None)

        assert of(await post(ask(LIVING[0]))) == of(await post(ask(LIVING[1]))) == (200, "pending", "quota")

    assert await simulator.inquiries() == 1


async def test_a_quota_reported_by_the_registry_ends_the_day_for_every_replica(
    poster, gateway, over_http, simulator, ask
):
    await simulator.turn(quota=1)
    async with gateway(over_http) as one, gateway(over_http) as other:
        answers = [await poster(app)(ask(LIVING[n])) for n, app in enumerate((one, one, other, one))]

    assert [of(answer)[2] for answer in answers] == [None, "quota", "quota", "quota"]
    assert await simulator.inquiries() == 2


async def test_a_broken_record_of_one_person_does_not_affect_others(poster, gateway, over_http, simulator, ask):
    broken = LIVING[0].identity.national_id.value
    await simulator.turn(codes={broken: "Error inUTF-8Encoding"})
    async with gateway(over_http) as app:
        for place in range(8):
            assert of(await poster(app)(ask(LIVING[0]), source=f"203.0.{place}.1"))[1] == "pending"

        assert of(await poster(app)(ask(LIVING[1]))) == (200, "matched", None)


async def test_metrics_show_why_the_registry_does_not_answer(poster, gateway, over_http, simulator, ask):
    await simulator.turn(code="login.lock.user")
    async with gateway(over_http) as app:
        await poster(app)(ask(LIVING[0]))
        metrics = await metrics_of(app)

    assert 'desk_registry_unanswered_total{klass="config",registry="civil"} 1.0' in metrics
    assert 'desk_registry_breaker_open{registry="civil"} 1.0' in metrics
    assert 'desk_registry_lookups_total{outcome="unanswered",purpose="submit"} 1.0' in metrics


async def test_a_referred_person_gets_a_title_that_says_where_to_go(poster, gateway, over_http, simulator, ask):
    await simulator.turn(codes={LIVING[0].identity.national_id.value: "result.rec.return"})
    async with gateway(over_http) as app:
        answer = await poster(app)(ask(LIVING[0]))

    assert (answer.status_code, answer.json()["code"]) == (422, "identity_referred")
    assert "مراجعه کنید" in answer.json()["title"]


# hours and breaker by themselves

TEHRAN_DAY = OpeningHours(time_of_day(7), time_of_day(23))


@pytest.mark.parametrize(
    ("clock", "opens"),
    [
        ("2026-11-24T06:59:59", "2026-11-24T07:00:00"),
        ("2026-11-24T07:00:00", None),
        ("2026-11-24T22:59:59", None),
        ("2026-11-24T23:00:00", "2026-11-25T07:00:00"),
        ("2026-11-25T00:30:00", "2026-11-25T07:00:00"),
    ],
)
def test_the_registry_closes_at_night_in_tehran(clock, opens):
    moment = datetime.fromisoformat(clock).replace(tzinfo=TEHRAN)

    until = TEHRAN_DAY.closed_until(moment.astimezone(UTC))

    assert until == (datetime.fromisoformat(opens).replace(tzinfo=TEHRAN) if opens else None)


def test_hours_that_go_through_midnight_are_understood():
    hours = OpeningHours(opens=TEHRAN_DAY.closes, closes=TEHRAN_DAY.opens)

    assert hours.closed_until(datetime(2026, 11, 24, 0, 30, tzinfo=TEHRAN)) is None
    assert hours.closed_until(datetime(2026, 11, 24, 12, 0, tzinfo=TEHRAN)) is not None


def test_a_circuit_breaker_allows_one_call_after_its_pause():
    now = 0.0
    breaker = CircuitBreaker(2, 30, clock=lambda: now)
    breaker.record_failure()
    assert breaker.allow_call()
    breaker.record_failure()
    assert not breaker.allow_call()

    now = 31.0
    assert [breaker.allow_call() for _ in range(3)] == [True, False, False]
    breaker.record_failure()
    assert not breaker.allow_call(), "it is open for another pause"

    now = 62.0
    assert breaker.allow_call()
    breaker.release()
    assert breaker.allow_call(), "a call without a result decides nothing"
    breaker.record_success()
    assert [breaker.allow_call() for _ in range(3)] == [True] * 3


def test_an_answer_resets_the_count_of_failures():
    breaker = CircuitBreaker(2, 30)
    for _ in range(5):
        breaker.record_failure()
        breaker.record_success()

    assert breaker.closed


async def test_an_exception_in_the_service_does_not_open_the_breaker(post, ask, registry):
    registry.failure = RuntimeError("a bug")
    for place in range(8):
        assert (await post(ask(LIVING[place]), source=f"203.0.{place}.1")).status_code == 500
    registry.failure = None

    assert (await post(ask(LIVING[9]))).status_code == 200


async def test_an_unexpected_answer_means_pending(post, ask, registry):
    registry.failure = UnansweredError(FailureKind.BUG, "a message of no known code")

    assert of(await post(ask(LIVING[0]))) == (200, "pending", "unreachable")
