"""Erasure: after the term and on demand, in any order with other events, and by several replicas at once."""

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from desk.chassis.event_tables import outbox
from desk.chassis.events import Message
from desk.chassis.problem import ServiceUnavailableError
from desk.chassis.telemetry import Telemetry
from desk.database import DataKeys, data_key
from desk.database.audit import audit_entry
from desk.testing.event_keys import encrypted
from desk.tracking.app import build_erasures
from desk.tracking.domain import Certificate, ErasureReason
from desk.tracking.events import NO_OFFICE
from desk.tracking.service import Erasures
from desk.tracking.store import case_table, step_table
from desk.tracking.store.tables import figure_table
from desk.tracking.workers import ErasureTask

NOW = datetime(2026, 12, 14, 8, 0, tzinfo=UTC)
LONG_AFTER = timedelta(days=731)
OPERATOR = "operator maryam"


@pytest.fixture
def erasures(tracking: Any) -> Erasures:
    tracking.set_clock(NOW)
    return build_erasures(tracking.settings, tracking.parts, tracking.context)


@pytest.fixture
def done(tracking: Any) -> Any:
    """Deliver a service's acknowledgement."""

    async def deliver(certificate: Certificate, service: str, **removed: int) -> None:
        body = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": f"/desk/{service}",
            "type": "ir.haj.desk.request-erasure-done.v1",
            "subject": certificate.tracking_code,
            "time": "2026-12-14T09:00:00Z",
            "seq": 1,
            "datacontenttype": "application/json",
            "data": {
                "tracking_code": certificate.tracking_code,
                "certificate_id": certificate.id,
                "at": "2026-12-14T09:00:00Z",
                "removed": removed,
            },
        }
        key = "request-erasure-done.isfahan"
        await tracking.bus.handle(
            Message(body["id"], "desk.events", key, body["type"], json.dumps(encrypted(body, "tracking")).encode())
        )

    return deliver


async def _erase(erasures: Erasures, code: str) -> Certificate:
    certificate = await erasures.erase(code, ErasureReason.APPLICANT, OPERATOR)
    assert certificate is not None
    return certificate


async def _state(tracking: Any, code: str) -> str:
    [row] = await tracking.rows(select(case_table).where(case_table.c.tracking_code == code))
    return str(row.state)


async def test_an_erased_case_keeps_no_personal_data_and_no_key(tracking, erasures, secrets_of_people):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code, seq=1)
    await tracking.act("replies", code, {"text": "شماره فیش B12345678", "files": []})
    await tracking.report("case-answered", code, seq=2)

    certificate = await _erase(erasures, code)

    [case] = await tracking.rows(select(case_table))
    assert (case.state, case.owner_index, case.request, case.alarm_at) == ("erased", "", b"", None)
    assert {step.words for step in await tracking.rows(select(step_table))} == {None}
    assert await tracking.rows(select(data_key)) == []
    assert certificate.removed == {"requests": 1, "texts": 3, "keys": 1}
    [event] = await tracking.published("request-erased")
    assert event["routing_key"] == "request-erased.isfahan"
    assert event["data"] == {
        "tracking_code": code,
        "reason": "applicant",
        "certificate_id": certificate.id,
        "at": "2026-12-14T08:00:00Z",
    }
    assert not [secret for secret in secrets_of_people if secret in repr((certificate, event))]


async def test_every_office_that_had_the_case_is_asked_and_headquarters_is_informed(tracking, erasures):
    code = await tracking.submit()
    await tracking.report("case-referred", code, seq=1)
    for _ in range(2):
        tracking.set_clock(datetime(2027, 3, 1, tzinfo=UTC))
        await tracking.expire_cases()

    certificate = await _erase(erasures, code)

    keys = [each["routing_key"].rpartition(".")[2] for each in await tracking.published("request-erased")]
    assert sorted(keys) == ["fars", "headquarters", "isfahan"]
    seqs = [each["seq"] for each in await tracking.published("request-erased")]
    assert len(set(seqs)) == 3
    asked = {party.name: party.informed_only for party in certificate.parties}
    assert asked == {"intake": False, "notifier": False, "isfahan": False, "fars": False, "headquarters": True}


@pytest.mark.parametrize("name", ["case-taken-over", "case-commented"])
async def test_headquarters_must_erase_what_it_received_or_wrote(tracking, erasures, name):
    code = await tracking.submit()
    await tracking.report(name, code, province="headquarters")

    certificate = await _erase(erasures, code)

    asked = {party.name: party.informed_only for party in certificate.parties}
    assert asked == {"intake": False, "notifier": False, "isfahan": False, "headquarters": False}
    await tracking.report("case-erased", code, province="headquarters", seq=2, data={"certificate_id": certificate.id})
    assert "headquarters" not in [party.name for party in (await erasures.pending())[0].parties if party.pending]


async def test_no_office_learns_of_a_request_that_none_has_had(tracking, erasures, pending, new_code):
    code = new_code()
    await tracking.bus.handle(pending(code))

    certificate = await _erase(erasures, code)

    [event] = await tracking.published("request-erased")
    assert event["routing_key"] == f"request-erased.{NO_OFFICE}"
    assert [party.name for party in certificate.parties] == ["intake", "notifier"]


@pytest.mark.parametrize(
    ("reports", "days"), [(["case-answered"], 730), (["case-rejected"], 730)], ids=["answered", "rejected"]
)
async def test_a_decided_case_is_erased_after_its_term(tracking, erasures, reports, days):
    code = await tracking.submit()
    for seq, name in enumerate(reports, 1):
        await tracking.report(name, code, seq=seq)

    tracking.set_clock(NOW + timedelta(days=days))
    assert not await erasures.erase_next_due()
    tracking.set_clock(NOW + timedelta(days=days, seconds=1))
    assert await erasures.erase_next_due()
    assert not await erasures.erase_next_due()

    found = await erasures.certificate(code)
    assert found is not None
    assert found.reason is ErasureReason.RETENTION


async def test_each_final_state_has_its_term_and_an_open_case_has_none(
    tracking, erasures, pending, identity_rejected, new_code
):
    open_case, withdrawn = await tracking.submit(), await tracking.submit()
    await tracking.act("withdrawal", withdrawn, {"reason": None})
    rejected, waiting = new_code(), new_code()
    for code in (rejected, waiting):
        await tracking.bus.handle(pending(code))
    await tracking.bus.handle(identity_rejected(rejected))

    erased = {}
    for days in (30, 90, 100_000):
        tracking.set_clock(NOW + timedelta(days=days, seconds=1))
        while await erasures.erase_next_due():
            pass
        erased[days] = {
            code for code in (open_case, withdrawn, rejected, waiting) if await _state(tracking, code) == "erased"
        }
    assert erased == {30: {rejected}, 90: {rejected, withdrawn, waiting}, 100_000: {rejected, withdrawn, waiting}}


async def test_a_lookup_of_an_erased_code_is_answered_like_an_unknown_one(tracking, erasures, request_data):
    code = await tracking.submit()
    tracking.peers.requests["0013542419", code] = request_data(code)  # intake has not erased it yet
    assert (await tracking.look_up(code)).status_code == 200

    await _erase(erasures, code)

    answer = await tracking.look_up(code)
    assert (answer.status_code, answer.json()["code"]) == (404, "request_not_found")
    action = await tracking.act("withdrawal", code, {"reason": None})
    assert (action.status_code, action.json()["code"]) == (409, "action_not_possible")


@pytest.mark.parametrize("name", ["case-answered", "case-received", "case-referred"])
async def test_a_late_report_is_refused_and_brings_nothing_back(tracking, erasures, name):
    code = await tracking.submit()
    await _erase(erasures, code)

    await tracking.report(name, code, seq=5)

    [(_, province, report, reason)] = await tracking.refusals(code)
    assert (province, report, reason) == ("isfahan", name, "erased")
    [refused] = await tracking.published("case-refused")
    assert refused["data"]["reason"] == "erased"
    assert {step.words for step in await tracking.rows(select(step_table))} == {None}
    assert await tracking.rows(select(data_key)) == []


async def test_late_events_of_intake_bring_nothing_back(tracking, erasures, pending, identity_rejected, new_code):
    code = new_code()
    await tracking.bus.handle(pending(code))
    await _erase(erasures, code)

    await tracking.bus.handle(pending(code))
    await tracking.bus.handle(identity_rejected(code))

    assert await _state(tracking, code) == "erased"
    assert await tracking.rows(select(data_key)) == []


async def test_an_office_that_receives_the_request_after_its_erasure_is_asked_too(
    tracking, erasures, pending, submission, new_code
):
    code = new_code()
    await tracking.bus.handle(pending(code))
    await _erase(erasures, code)

    for _ in range(2):
        await tracking.bus.handle(submission(code, seq=2))

    keys = [each["routing_key"] for each in await tracking.published("request-erased")]
    assert keys == [f"request-erased.{NO_OFFICE}", "request-erased.isfahan"]
    certificate = await erasures.certificate(code)
    assert certificate is not None
    assert {party.name for party in certificate.parties} == {"intake", "notifier", "isfahan"}


async def test_the_certificate_is_complete_once_all_have_acknowledged(tracking, erasures, done):
    code = await tracking.submit()
    certificate = await _erase(erasures, code)
    assert [each.id for each in await erasures.pending()] == [certificate.id]

    await done(certificate, "intake", requests=1, files=2, keys=3)
    await done(certificate, "notifier", messages=4)
    for _ in range(2):
        await tracking.report("case-erased", code, seq=3, data={"certificate_id": certificate.id})

    found = await erasures.certificate(code)
    assert found is not None
    assert found.complete
    assert {party.name: dict(party.removed) for party in found.parties} == {
        "intake": {"requests": 1, "files": 2, "keys": 3},
        "notifier": {"messages": 4},
        "isfahan": {},
    }
    assert await erasures.pending() == []
    assert await tracking.refusals(code) == []


async def test_an_acknowledgement_that_was_not_asked_for_is_refused(tracking, erasures):
    code = await tracking.submit()
    await _erase(erasures, code)
    await tracking.report("case-erased", code, province="fars", data={"certificate_id": "0" * 36})
    other = await tracking.submit()
    await tracking.report("case-erased", other, data={"certificate_id": "0" * 36})
    assert [each[3] for each in await tracking.refusals(code)] == ["not_asked"]
    assert [each[3] for each in await tracking.refusals(other)] == ["not_asked"]
    assert await tracking.state(other) == "registered"


async def test_missing_acknowledgements_are_counted_after_a_week(tracking, erasures):
    code = await tracking.submit()
    await _erase(erasures, code)
    tracking.set_clock(NOW + timedelta(days=7))
    assert await erasures.count_overdue() == 0
    tracking.set_clock(NOW + timedelta(days=7, seconds=1))
    assert await erasures.count_overdue() == 3


async def test_an_erasure_on_demand_is_repeated_without_effect(tracking, erasures, new_code):
    code = await tracking.submit()
    first = await _erase(erasures, code)
    assert await erasures.erase(code, ErasureReason.COURT_ORDER, OPERATOR) == await erasures.certificate(code)
    assert (await erasures.certificate(code)).id == first.id
    assert len(await tracking.published("request-erased")) == 1
    assert await erasures.erase(new_code(), ErasureReason.COURT_ORDER, OPERATOR) is None


async def test_a_case_without_its_key_is_erased_as_well(tracking, erasures):
    code = await tracking.submit()
    async with tracking.parts.database.transaction() as session:
        await session.execute(data_key.delete())
    assert (await _erase(erasures, code)).removed["keys"] == 0
    [figure] = await tracking.rows(select(figure_table))
    assert figure.subject == "unknown"


async def test_the_figures_count_erased_cases_by_month_and_final_state(tracking, erasures):
    codes = [await tracking.submit() for _ in range(3)]
    await tracking.report("case-answered", codes[0], seq=72)
    await tracking.report("case-answered", codes[1], seq=24)
    for code in codes:
        await _erase(erasures, code)
    rows = {row.state: row for row in await tracking.rows(select(figure_table))}
    assert {state: (row.requests, row.answered, row.answer_days) for state, row in rows.items()} == {
        "answered": (2, 2, 4),
        "registered": (1, 0, 0),
    }
    assert {(row.month, row.province, row.subject, row.sub_subject) for row in rows.values()} == {
        ("1405-09", "isfahan", "hajj_deposit", "lost_receipt")
    }


async def test_two_replicas_erase_each_case_once(tracking, erasures):
    codes = [await tracking.submit() for _ in range(12)]
    for code in codes:
        await tracking.act("withdrawal", code, {"reason": None})
    tracking.set_clock(NOW + LONG_AFTER)
    replicas = [ErasureTask(erasures, Telemetry("tracking").registry) for _ in range(2)]

    await asyncio.gather(*(replica.erase_batch() for replica in replicas))
    for replica in replicas:
        await replica.erase_batch()

    events = await tracking.published("request-erased")
    assert sorted(each["subject"] for each in events) == sorted(codes)
    [figure] = await tracking.rows(select(figure_table))
    assert figure.requests == 12


async def test_an_erasure_and_a_late_answer_at_the_same_time_leave_nothing(tracking, erasures):
    for number in range(8):
        code = await tracking.submit()
        first, second = _erase(erasures, code), tracking.report("case-answered", code, seq=1)
        await asyncio.gather(*((first, second) if number % 2 else (second, first)))
        assert await _state(tracking, code) == "erased"
    assert {step.words for step in await tracking.rows(select(step_table))} == {None}
    assert await tracking.rows(select(data_key)) == []


async def test_what_a_backup_brought_back_is_erased_again(tracking, erasures):
    code, kept = await tracking.submit(), await tracking.submit()
    async with tracking.parts.database.transaction() as session:
        await session.execute(data_key.delete().where(data_key.c.id == code))

    assert await erasures.repeat(OPERATOR) == [code]
    assert await erasures.repeat(OPERATOR) == []

    assert await _state(tracking, code) == "erased"
    assert await tracking.state(kept) == "registered"
    certificate = await erasures.certificate(code)
    assert certificate is not None
    assert certificate.reason is ErasureReason.RESTORED


async def test_a_case_opens_although_its_key_was_restored_before_it(tracking, submission, new_code):
    code = new_code()
    async with tracking.parts.database.transaction() as session:
        await DataKeys(tracking.parts.vault).create(session, code)
    await tracking.bus.handle(submission(code))
    assert await tracking.state(code) == "registered"


async def _audited(tracking: Any) -> list[tuple[str, ...]]:
    columns = audit_entry.c.actor, audit_entry.c.action, audit_entry.c.subject, audit_entry.c.about
    rows = await tracking.rows(select(*columns).where(audit_entry.c.action == "erased").order_by(audit_entry.c.at))
    return [tuple(row) for row in rows]


async def test_each_erasure_is_one_entry_of_the_audit_log(tracking, erasures):
    on_demand, by_term, unreadable = [await tracking.submit() for _ in range(3)]
    await tracking.act("withdrawal", by_term, {"reason": None})

    for _ in range(2):
        await _erase(erasures, on_demand)
    async with tracking.parts.database.transaction() as session:
        await session.execute(data_key.delete().where(data_key.c.id == unreadable))
    await erasures.repeat("operator reza")
    tracking.set_clock(NOW + LONG_AFTER)
    while await erasures.erase_next_due():
        pass

    assert await _audited(tracking) == [
        (OPERATOR, "erased", on_demand, "applicant"),
        ("operator reza", "erased", unreadable, "restored"),
        ("retention", "erased", by_term, "retention"),
    ]


async def test_an_unknown_code_is_erased_if_the_operator_confirms_it(tracking, erasures, new_code):
    code = new_code()

    certificate = await erasures.erase(code, ErasureReason.MISTAKE, OPERATOR, even_unknown=True)

    assert certificate is not None
    assert certificate == await erasures.erase(code, ErasureReason.MISTAKE, OPERATOR, even_unknown=True)
    assert dict(certificate.removed) == {"requests": 0, "texts": 0, "keys": 0}
    assert [party.name for party in certificate.parties] == ["intake", "notifier"]
    [event] = await tracking.published("request-erased")
    assert (event["routing_key"], event["data"]["tracking_code"]) == (f"request-erased.{NO_OFFICE}", code)
    assert await _audited(tracking) == [(OPERATOR, "erased", code, "mistake")]
    assert await tracking.rows(select(figure_table)) == [], "of a request that nothing is known of"


async def test_a_submission_after_the_erasure_of_its_unknown_code_brings_nothing_back(
    tracking, erasures, pending, submission, new_code
):
    code = new_code()
    await erasures.erase(code, ErasureReason.MISTAKE, OPERATOR, even_unknown=True)

    await tracking.bus.handle(pending(code))
    await tracking.bus.handle(submission(code, seq=2))

    [case] = await tracking.rows(select(case_table))
    assert (case.state, case.owner_index, case.request) == ("erased", "", b"")
    assert await tracking.rows(select(data_key)) == []
    assert (await tracking.look_up(code)).status_code == 404
    events = await tracking.published("request-erased")
    assert [each["routing_key"].rpartition(".")[2] for each in events] == [NO_OFFICE, "isfahan"]
    assert events[1]["seq"] > 2, "the office received the request in the event with the number 2"


async def test_an_erasure_of_an_unknown_code_and_its_submission_at_the_same_time_leave_nothing(
    tracking, erasures, submission, new_code
):
    for number in range(8):
        code = new_code()
        first = erasures.erase(code, ErasureReason.MISTAKE, OPERATOR, even_unknown=True)
        second = tracking.bus.handle(submission(code))
        done = await asyncio.gather(*((first, second) if number % 2 else (second, first)), return_exceptions=True)
        if any(isinstance(each, IntegrityError) for each in done):  # the broker delivers the event again
            await tracking.bus.handle(submission(code))
        assert await _state(tracking, code) == "erased"
    assert await tracking.rows(select(data_key)) == []


async def test_an_erasure_leaves_no_event_of_before_in_the_outbox(tracking, erasures):
    code, other = await tracking.submit(), await tracking.submit()
    for each in (code, other):
        await tracking.report("case-info-requested", each, seq=1)
    async with tracking.parts.database.transaction() as session:
        await session.execute(outbox.update().values(sent_at=NOW))
    for each in (code, other):
        await tracking.report("case-answered", each, seq=2)  # and these are not sent yet

    await _erase(erasures, code)

    left = await tracking.rows(select(outbox).where(outbox.c.body != b"").order_by(outbox.c.created_at))
    assert [row.subject for row in left] == [other, other, code]
    assert left[-1].routing_key == "request-erased.isfahan"
    unsent = await tracking.rows(select(outbox).where(outbox.c.subject == code, outbox.c.sent_at.is_(None)))
    assert [row.id for row in unsent] == [left[-1].id]


async def test_each_erasure_is_listed_outside_the_database_before_its_key_is_destroyed(tracking, erasures, new_code):
    on_demand, by_term, unknown = await tracking.submit(), await tracking.submit(), new_code()
    await tracking.act("withdrawal", by_term, {"reason": None})
    tracking.set_clock(NOW + LONG_AFTER)
    task = ErasureTask(erasures, Telemetry("tracking").registry)

    tracking.peers.intake = httpx.Response(503, json={"code": "storage_unavailable"})
    for code in (on_demand, unknown):
        with pytest.raises(ServiceUnavailableError):
            await erasures.erase(code, ErasureReason.APPLICANT, OPERATOR, even_unknown=True)
    assert await task.erase_batch() is None
    assert len(await tracking.rows(select(data_key))) == 2
    assert await tracking.published("request-erased") == await _audited(tracking) == []

    tracking.peers.intake = None
    await erasures.erase(on_demand, ErasureReason.APPLICANT, OPERATOR)
    await erasures.erase(unknown, ErasureReason.APPLICANT, OPERATOR, even_unknown=True)
    await task.erase_batch()
    assert tracking.peers.erased == {on_demand, by_term, unknown}


async def test_a_restored_key_does_not_bring_back_an_erasure(tracking, erasures, monkeypatch, new_code):
    """The backup of data and that of keys are from before the erasure, or even from before the submission."""
    monkeypatch.setattr("desk.tracking.service.erasures.PAGE", 2)
    code, kept, lost = await tracking.submit(), await tracking.submit(), [new_code() for _ in range(4)]
    tracking.peers.erased = {code, *lost}

    assert sorted(await erasures.repeat(OPERATOR)) == sorted([code, *lost])
    assert await erasures.repeat(OPERATOR) == []

    assert {each: await _state(tracking, each) for each in (code, *lost)} == dict.fromkeys((code, *lost), "erased")
    assert await tracking.state(kept) == "registered"
    assert [row.id for row in await tracking.rows(select(data_key))] == [kept]
    assert len(await tracking.published("request-erased")) == 5
