"""Synthetic requests of desk-probe are no cases; only the probe finds them, and the last success is a metric."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from desk.chassis.crypto import TokenIssuer
from desk.testing.service_keys import key_pair
from desk.tracking.store.tables import case_table, probe_table, step_table
from desk.tracking.workers import ProbeTask

PRIVATE_KEY = key_pair("probe")[0]
NOW = datetime(2026, 12, 13, 11, 0, 4, tzinfo=UTC)


def assertion(private_key=PRIVATE_KEY, issuer="probe", audience="desk.probe.tracking", seconds=60):
    return TokenIssuer(private_key, issuer).issue({}, audience=audience, seconds=seconds)[0]


@pytest.fixture
def find(tracking):
    async def find(code, token=""):
        headers = {"authorization": f"Bearer {token or assertion()}"} if token is not None else {}
        transport = httpx.ASGITransport(app=tracking.app, client=("192.0.2.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
            return await client.post("/api/probe/tracking", json={"tracking_code": code}, headers=headers)

    return find


async def test_its_event_opens_no_case_and_publishes_nothing(tracking, probed, new_code):
    await tracking.bus.handle(probed(new_code()))

    assert await tracking.rows(select(case_table)) == []
    assert await tracking.rows(select(step_table)) == []
    assert await tracking.published() == []
    assert len(await tracking.rows(select(probe_table))) == 1


async def test_an_event_that_arrives_twice_is_one_request(tracking, probed, new_code):
    code = new_code()
    await tracking.bus.handle(probed(code))
    await tracking.bus.handle(probed(code))
    assert len(await tracking.rows(select(probe_table))) == 1


async def test_the_probe_finds_it_and_the_first_time_is_recorded(tracking, probed, new_code, find):
    code = new_code()
    assert (await find(code)).json()["code"] == "request_not_found"
    await tracking.bus.handle(probed(code))

    tracking.set_clock(NOW)
    first = await find(code)
    tracking.set_clock(NOW + timedelta(minutes=1))
    second = await find(code)

    assert (first.status_code, first.json()["tracking_code"]) == (200, code)
    assert first.json()["submitted_at"] == "2026-12-13T11:00:00Z"
    assert first.json()["found_at"] == second.json()["found_at"] == "2026-12-13T11:00:04Z"


async def test_the_probe_finds_no_case_of_an_applicant(tracking, find):
    code = await tracking.submit()
    refused = await find(code)
    assert (refused.status_code, refused.json()["code"]) == (404, "request_not_found")


async def test_the_page_does_not_find_it_and_figures_do_not_count_it(tracking, probed, new_code):
    code, figures = new_code(), tracking.services.figures
    tracking.set_clock(NOW)
    scope = figures.scope("headquarters", None, None, None)
    await tracking.submit()
    before = await figures.count(scope)
    await tracking.bus.handle(probed(code))
    assert (await figures.count(scope)) == before
    assert (await tracking.look_up(code)).json()["code"] == "request_not_found"
    refused = await tracking.look_up(code, "0000000000")
    assert refused.status_code == 422, "no person has this national ID"


@pytest.mark.parametrize(
    ("create", "reason"),
    [
        (lambda _: None, "assertion_missing"),
        (lambda _: assertion(audience="desk.probe.intake"), "assertion_invalid"),
        (lambda _: assertion(seconds=-120), "assertion_invalid"),
        (lambda _: assertion(key_pair("intake")[0], "intake", "tracking"), "assertion_invalid"),
        (lambda keys: assertion(keys["isfahan"], "isfahan"), "assertion_invalid"),
        (lambda keys: assertion(keys["isfahan"]), "assertion_invalid"),
    ],
)
async def test_other_callers_are_refused(find, office_private_keys, create, reason, new_code):
    refused = await find(new_code(), create(office_private_keys))
    assert (refused.status_code, refused.json()["code"]) == (401, reason)


async def test_an_assertion_is_good_for_one_call(tracking, probed, new_code, find):
    code, token = new_code(), assertion()
    await tracking.bus.handle(probed(code))
    assert (await find(code, token)).status_code == 200
    assert (await find(code, token)).json()["code"] == "assertion_reused"


async def test_the_last_success_is_a_metric_at_every_replica(tracking, probed, new_code, find):
    registry = CollectorRegistry()
    task = ProbeTask(tracking.services.probes, registry, exported=True)
    await task.run_once()
    assert registry.get_sample_value("desk_probe_success_time_seconds") == 0
    found, missed = new_code(), new_code()
    for code in (found, missed):
        await tracking.bus.handle(probed(code))
    tracking.set_clock(NOW)
    await find(found)
    await task.run_once()
    assert registry.get_sample_value("desk_probe_success_time_seconds") == NOW.timestamp()
    assert registry.get_sample_value("desk_probe_seconds") == 4.0


async def test_it_is_deleted_after_an_hour(tracking, probed, new_code):
    tracking.set_clock(NOW)
    await tracking.bus.handle(probed(new_code(), submitted_at="2026-12-13T09:59:59Z"))
    await tracking.bus.handle(probed(kept := new_code()))
    for _ in range(2):
        await tracking.services.probes.last_found()
        assert [row.tracking_code for row in await tracking.rows(select(probe_table))] == [kept]


def test_without_a_probe_there_is_no_metric():
    registry = CollectorRegistry()
    ProbeTask(None, registry, exported=False)
    assert registry.get_sample_value("desk_probe_success_time_seconds") is None
