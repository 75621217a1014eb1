"""The whole service: wired, started, on its own schema, and discreet."""

import asyncio
import sqlite3
from contextlib import closing

import httpx
import pytest
from alembic import command

from desk.chassis.bus import ContractError
from desk.database import alembic_config
from desk.tracking.domain import CaseUnknownError
from desk.tracking.events import REPORTS, RequestIdentityRejected, RequestPending, RequestSubmitted


def test_the_migrations_make_exactly_the_tables_of_the_store(tmp_path):
    config = alembic_config("desk.tracking", f"sqlite+aiosqlite:///{tmp_path / 'tracking.db'}")
    command.upgrade(config, "head")
    command.check(config)


def test_the_migrations_can_be_taken_back(tmp_path):
    path = tmp_path / "tracking.db"
    config = alembic_config("desk.tracking", f"sqlite+aiosqlite:///{path}")
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert tables == [("alembic_version",)]


async def test_it_listens_to_submissions_and_every_report(tracking):
    assert tracking.bus.consumed_events == (RequestSubmitted, RequestPending, RequestIdentityRejected, *REPORTS)


async def test_a_report_comes_in_and_its_status_change_goes_out(tracking, submission, report, new_code):
    broker, code = tracking.parts.broker, new_code()
    gone_out = []

    async def note(message):
        gone_out.append(message.routing_key)

    async with tracking.app.router.lifespan_context(tracking.app):
        await broker.consume("others", note)
        await broker.publish(submission(code))
        await broker.publish(report("case-answered", code))
        await _until(lambda: len(gone_out) == 2)
    assert gone_out == ["request-submitted.isfahan", "request-status-changed.isfahan"]


async def _until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def test_it_answers_the_orchestrator(tracking):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(tracking.app), base_url="http://tracking") as client:
        assert (await client.get("/health/live")).json() == {"status": "alive"}
        assert (await client.get("/health/ready")).json() == {"status": "ready"}
        assert "desk_outbox_unsent" in (await client.get("/metrics")).text


async def test_its_contract_tells_every_status_of_its_route(tracking):
    responses = tracking.app.openapi()["paths"]["/api/tracking"]["post"]["responses"]
    assert sorted(responses) == ["200", "404", "422", "429", "503"]


@pytest.fixture
async def busy(tracking, new_code):
    """Everything that can happen to people's data here."""
    code = await tracking.submit()
    for seq, name in enumerate(["case-info-requested", "case-answered", "case-rejected"], start=1):
        await tracking.report(name, code, seq=seq)
    for move, body in (
        ("objection", {"text": "پاسخ به پرسش من نبود."}),
        ("rating", {"rating": 5, "comment": "پاسخ روشن بود."}),
    ):
        answered = await tracking.submit()
        await tracking.report("case-answered", answered)
        assert (await tracking.act(move, answered, body)).is_success
    asked = await tracking.submit()
    await tracking.report("case-info-requested", asked)
    assert (await tracking.act("replies", asked, {"text": "شمارهٔ گذرنامه B12345678 است."})).is_success
    assert (await tracking.act("withdrawal", asked, {"reason": "مشکل برطرف شد."})).is_success
    referred = await tracking.submit()
    await tracking.report("case-referred", referred)
    await tracking.report("case-answered", referred, seq=2)
    with pytest.raises(ContractError):
        await tracking.submit(applicant={"national_id": "0013542419"})
    with pytest.raises(CaseUnknownError):
        await tracking.report("case-answered", new_code())
    await tracking.ask(code)
    await tracking.ask(code, "8275737168")
    await tracking.ask("123", "رضایی")
    tracking.peers.intake = httpx.Response(200, json={"text": "متن درخواست"})
    await tracking.ask(new_code())
    tracking.peers.intake = httpx.ConnectError("refused")
    await tracking.ask(new_code())
    return code


async def test_personal_data_cannot_be_read_in_the_database_file(busy, tracking, secrets_of_people):
    written = tracking.written()
    assert busy.encode() in written, "the test looks into the right files"
    assert not [word for word in secrets_of_people if word.encode() in written]


async def test_the_log_holds_nothing_personal(logged, busy, secrets_of_people):
    text = logged()
    assert "report refused" in text
    assert "answer not understood" in text
    assert not [word for word in (*secrets_of_people, "8275737168", busy) if word in text]


async def test_the_metrics_hold_nothing_personal(busy, tracking, secrets_of_people):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(tracking.app), base_url="http://tracking") as client:
        text = (await client.get("/metrics")).text
    assert 'route="/api/tracking"' in text
    assert not [word for word in (*secrets_of_people, "8275737168", busy) if word in text]
