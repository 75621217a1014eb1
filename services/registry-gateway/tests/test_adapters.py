"""SOAP and the JSON wrapper, against the simulated registry as a server."""

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from support.registry_simulator import PASSWORD

from desk.registry_gateway.adapters.simulator import people
from desk.registry_gateway.app import real_parts
from desk.registry_gateway.domain import Deceased, FailureKind, Matched, NotMatched, Referred, UnansweredError
from desk.registry_gateway.settings import Settings

LIVING = [person.identity for person in people() if not person.deceased]
WITH_ZEROS = next(each for each in LIVING if each.national_id.value.startswith("00"))
WOMAN = next(each for each in LIVING if each.gender == "female")
DEAD = next(person.identity for person in people() if person.deceased)


@pytest.fixture
async def registry(over_http):
    registry = real_parts(over_http).registry
    yield registry
    await registry.close()


async def look_up(registry, person):
    return await registry.look_up(person.national_id, person.birth_date)


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"wrong_zeros": False},
        {"base64_names": False},
        {"death_in_array": True},
        {"woman": 0},
        {"message_in_list": False},
    ],
    ids=str,
)
async def test_all_variants_of_a_record_mean_the_same_person(registry, simulator, knobs):
    await simulator.turn(**knobs)

    for person in (WITH_ZEROS, WOMAN, LIVING[1]):
        assert await look_up(registry, person) == Matched(person)
    assert await look_up(registry, DEAD) == Deceased()
    assert await registry.look_up(LIVING[0].national_id, LIVING[1].birth_date) == NotMatched()


@pytest.mark.parametrize(
    ("code", "verdict"),
    [("Nin.Not.Valid", NotMatched()), ("err.record.not.found", NotMatched()), ("result.rec.return", Referred())],
)
async def test_a_code_about_the_person_is_a_verdict(registry, simulator, code, verdict):
    await simulator.turn(codes={WOMAN.national_id.value: code})

    assert await look_up(registry, WOMAN) == verdict


@pytest.mark.parametrize(
    ("knobs", "klass", "again"),
    [
        ({"errors": -1}, FailureKind.DOWN, False),
        ({"garbage": "html"}, FailureKind.DOWN, False),
        ({"garbage": "cut_off"}, FailureKind.DOWN, False),
        ({"garbage": "endless"}, FailureKind.DOWN, False),
        ({"garbage": "entities"}, FailureKind.DOWN, False),
        ({"garbage": "somebody_else"}, FailureKind.BUG, False),
        ({"quota": 0}, FailureKind.QUOTA, False),
        ({"closed": True}, FailureKind.CLOSED_HOURS, False),
        ({"code": "login.lock.user"}, FailureKind.CONFIG, False),
        ({"code": "inquiry.time.finished"}, FailureKind.RETRY, True),
    ],
    ids=str,
)
async def test_each_failure_has_its_kind(registry, simulator, knobs, klass, again):
    await simulator.turn(**knobs)

    with pytest.raises(UnansweredError) as caught:
        await look_up(registry, WOMAN)

    assert (caught.value.kind, caught.value.retryable) == (klass, again)


async def test_a_wrong_password_is_an_error_of_the_configuration(over_http, simulator):
    registry = real_parts(over_http.model_copy(update={"registry_password": SecretStr("wrong")})).registry

    with pytest.raises(UnansweredError) as caught:
        await look_up(registry, WOMAN)

    assert caught.value.kind is FailureKind.CONFIG
    await registry.close()


async def test_an_unreachable_bus_is_retried(over_http):
    registry = real_parts(over_http.model_copy(update={"registry_url": "http://127.0.0.1:9/soap"})).registry

    with pytest.raises(UnansweredError) as caught:
        await look_up(registry, WOMAN)

    assert (caught.value.kind, caught.value.retryable) == (FailureKind.DOWN, True)
    await registry.close()


@pytest.mark.parametrize("adapter", ["soap", "rest"])
def test_a_registry_without_an_address_is_refused_at_the_start(settings, adapter):
    with pytest.raises(ValidationError, match="say where the registry"):
        Settings(**settings.model_dump() | {"adapter": adapter})


def test_counters_in_the_process_are_refused_at_the_start(settings):
    with pytest.raises(ValidationError, match="name a Redis server"):
        Settings(**settings.model_dump() | {"budget_url": "memory://"})


async def test_the_simulator_requires_its_password(simulator):
    async with httpx.AsyncClient() as client:
        assert (await client.post(f"{simulator.url}/soap", content=b"<a/>")).status_code == 401
        assert (await client.post(f"{simulator.url}/rest", json={}, auth=("desk", "wrong"))).status_code == 401


async def test_the_simulator_answers_a_soap_call_as_the_bus_does(simulator):
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:est="http://est">'
        "<soapenv:Body><est:getEstelam3><arg4>"
        f"<birthDate>{WITH_ZEROS.birth_date.compact()}</birthDate><nin>{WITH_ZEROS.national_id.value}</nin>"
        "</arg4></est:getEstelam3></soapenv:Body></soapenv:Envelope>"
    )
    user = ("desk", PASSWORD)
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{simulator.url}/soap", content=body, auth=user)
        nonsense = await client.post(f"{simulator.url}/soap", content=b"<html", auth=user)

    assert answer.headers["content-type"].startswith("text/xml")
    assert f"<nin>{int(WITH_ZEROS.national_id.value)}</nin>" in answer.text
    assert (nonsense.status_code, "Fault" in nonsense.text) == (500, True)
