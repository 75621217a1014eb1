"""The whole service: wiring, start, schema, and no personal data in logs and metrics."""

import asyncio
import secrets
from contextlib import nullcontext

import httpx
import pytest
from alembic import command
from sqlalchemy import inspect, text

from desk.chassis.bus import ContractError
from desk.database import Database, Schema, SchemaOutdatedError, alembic_config
from desk.testing.health import get_health
from desk.tracking.domain import CaseNotReadyError
from desk.tracking.events import (
    REPORTS,
    CaseCommented,
    CaseErased,
    CaseOpened,
    CaseTakenOver,
    ErasureDone,
    NoticeFailed,
    RequestIdentityRejected,
    RequestPending,
    RequestProbed,
    RequestSubmitted,
)

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Reads the file of the database, which PostgreSQL keeps elsewhere."""


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database_url(request, tmp_path):
    """A database without tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'new.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"new_{secrets.token_hex(4)}"
    yield server.create_database(name, name, secrets.token_urlsafe(12))
    server.drop_database(name)


def test_the_migrations_create_exactly_the_tables_of_the_store(new_database_url):
    config = alembic_config("desk.tracking", new_database_url)
    command.upgrade(config, "head")
    command.check(config)


def test_the_migrations_can_be_reverted(new_database_url):
    config = alembic_config("desk.tracking", new_database_url)
    command.upgrade(config, "head")
    assert {"case", "step", "outbox"} < asyncio.run(tables_of(new_database_url))
    command.downgrade(config, "base")
    assert asyncio.run(tables_of(new_database_url)) == {"alembic_version"}


async def tables_of(url):
    database = Database(url)
    async with database.engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await database.close()
    return set(names)


@pytest.mark.parametrize(("revision", "fault"), [(None, "missing"), ("0015", "0015"), ("head", None), ("9999", None)])
async def test_the_schema_must_not_be_older_than_this_version(new_database_url, revision, fault):
    """A newer schema is compatible: an upgrade migrates before it replaces replicas."""
    if revision is not None:
        upgraded = "head" if revision == "9999" else revision
        await asyncio.to_thread(command.upgrade, alembic_config("desk.tracking", new_database_url), upgraded)
    database = Database(new_database_url)
    if revision == "9999":
        async with database.transaction() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    schema = Schema.of(database, "desk.tracking")
    try:
        with pytest.raises(SchemaOutdatedError, match=f"the schema is {fault}") if fault else nullcontext():
            await schema.require()
    finally:
        await database.close()


async def test_it_consumes_submissions_and_every_report(tracking):
    of_requests = (RequestSubmitted, RequestPending, RequestProbed, RequestIdentityRejected)
    assert tracking.bus.consumed_events == (
        *of_requests,
        *REPORTS[:-1],
        CaseOpened,
        REPORTS[-1],
        CaseTakenOver,
        CaseCommented,
        CaseErased,
        NoticeFailed,
        ErasureDone,
    )


async def test_a_consumed_report_is_followed_by_a_published_status_change(tracking, submission, report, new_code):
    broker, code = tracking.parts.broker, new_code()
    published = []

    async def record(message):
        published.append(message.routing_key)

    async with tracking.app.router.lifespan_context(tracking.app):
        await broker.consume("others", record)
        await broker.publish(submission(code))
        await broker.publish(report("case-answered", code))
        await _until(lambda: len(published) == 2)
    assert published == ["request-submitted.isfahan", "request-status-changed.isfahan"]


async def _until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def test_it_serves_health_and_metrics(tracking):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(tracking.app), base_url="http://tracking") as client:
        assert (await get_health(client, "/health/live")).json() == {"status": "alive"}
        assert (await get_health(client, "/health/ready")).json() == {"status": "ready"}
        assert "desk_outbox_unsent" in (await get_health(client, "/metrics")).text


async def test_its_contract_lists_every_status_of_its_route(tracking):
    responses = tracking.app.openapi()["paths"]["/api/tracking"]["post"]["responses"]
    assert sorted(responses) == ["200", "400", "404", "408", "413", "422", "429", "503"]


@pytest.fixture
async def busy(tracking, new_code):
    """Use everything that handles personal data."""
    code = await tracking.submit()
    for seq, name in enumerate(["case-info-requested", "case-answered", "case-rejected"], start=1):
        await tracking.report(name, code, seq=seq)
    for action, body in (
        ("objection", {"text": "پاسخ به پرسش من نبود."}),
        ("rating", {"rating": 5, "comment": "پاسخ روشن بود."}),
    ):
        answered = await tracking.submit()
        await tracking.report("case-answered", answered)
        assert (await tracking.act(action, answered, body)).is_success
    asked = await tracking.submit()
    await tracking.report("case-info-requested", asked)
    assert (await tracking.act("replies", asked, {"text": "شمارهٔ گذرنامه B12345678 است."})).is_success
    assert (await tracking.act("withdrawal", asked, {"reason": "مشکل برطرف شد."})).is_success
    referred = await tracking.submit()
    await tracking.report("case-referred", referred)
    await tracking.report("case-answered", referred, seq=2)
    with pytest.raises(ContractError):
        await tracking.submit(applicant={"national_id": "0013542419"})
    with pytest.raises(CaseNotReadyError):
        await tracking.report("case-answered", new_code())
    await tracking.look_up(code)
    await tracking.look_up(code, "8275737168")
    await tracking.look_up("123", "رضایی")
    tracking.peers.intake = httpx.Response(200, json={"text": "متن درخواست"})
    await tracking.look_up(new_code())
    tracking.peers.intake = httpx.ConnectError("refused")
    await tracking.look_up(new_code())
    return code


@ON_SQLITE
async def test_personal_data_cannot_be_read_in_the_database_file(busy, tracking, secrets_of_people):
    written = tracking.stored_bytes()
    assert busy.encode() in written, "the test reads the right files"
    assert not [word for word in secrets_of_people if word.encode() in written]


async def test_the_log_contains_no_personal_data(logged, busy, secrets_of_people):
    text = logged()
    assert "report refused" in text
    assert "unexpected response" in text
    assert not [word for word in (*secrets_of_people, "8275737168", busy) if word in text]


async def test_the_metrics_contain_no_personal_data(busy, tracking, secrets_of_people):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(tracking.app), base_url="http://tracking") as client:
        text = (await get_health(client, "/metrics")).text
    assert 'route="/api/tracking"' in text
    assert not [word for word in (*secrets_of_people, "8275737168", busy) if word in text]
