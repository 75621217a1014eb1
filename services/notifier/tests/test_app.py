"""The whole service: wiring, background tasks and schema."""

import asyncio
import secrets

import httpx
import pytest
from alembic import command
from sqlalchemy import inspect

from desk.database import Database, alembic_config
from desk.notifier.app import create_app
from desk.notifier.channels import ShownChannel
from desk.notifier.domain import ChannelName, State
from desk.notifier.events import (
    RequestContactChanged,
    RequestErased,
    RequestPending,
    RequestStatusChanged,
    RequestSubmitted,
)
from desk.notifier.service import Dispatcher
from desk.notifier.settings import Settings
from desk.notifier.workers import DispatchTask
from desk.testing.health import get_health


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
    config = alembic_config("desk.notifier", new_database_url)
    command.upgrade(config, "head")
    command.check(config)


def test_the_migrations_can_be_reverted(new_database_url):
    config = alembic_config("desk.notifier", new_database_url)
    command.upgrade(config, "head")
    assert {"message", "attempt", "inbox"} < asyncio.run(tables_of(new_database_url))
    command.downgrade(config, "base")
    assert asyncio.run(tables_of(new_database_url)) == {"alembic_version"}


async def tables_of(url):
    database = Database(url)
    async with database.engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await database.close()
    return set(names)


async def test_it_consumes_submissions_changes_and_erasures(notifier):
    assert notifier.bus.consumed_events == (
        RequestSubmitted,
        RequestPending,
        RequestStatusChanged,
        RequestContactChanged,
        RequestErased,
    )


async def test_it_does_not_start_without_a_channel_for_every_message(notifier):
    parts = type(notifier.parts)(
        **{name: getattr(notifier.parts, name) for name in ("database", "broker", "rate_limits", "vault", "telemetry")},
        channels={ChannelName.SMS: notifier.sms},
    )
    with pytest.raises(ValueError, match="no channel for email"):
        create_app(notifier.settings, parts=parts)


@pytest.mark.parametrize("name", ["submitted", "fa/submitted.email.v2", "fa/unknown.sms.v1", "fa/submitted.sms.v0"])
def test_settings_name_only_texts_that_may_exist(name, notifier):
    known = notifier.settings.model_dump() | {"smsir_templates": {"fa/submitted.sms.v9": 100200}}
    assert Settings.model_validate(known)
    with pytest.raises(ValueError, match="there is no text"):
        Settings.model_validate(known | {"smsir_templates": {name: 100200}})


async def test_a_published_event_is_shown_as_delivered_within_a_moment(make, event, submitted):
    notifier = await make(sms=ShownChannel(), email=ShownChannel())
    async with notifier.app.router.lifespan_context(notifier.app):
        await notifier.parts.broker.publish(event("request-submitted", submitted()))
        await notifier.all_messages_reach(State.DELIVERED)
        assert {message.channel for message in await notifier.all_shown()} == set(ChannelName)
        times = await notifier.rows("handed_over_at", "delivered_at")
    assert len(times) == 2
    assert None not in [time for row in times for time in row]


@pytest.fixture
def calls(monkeypatch):
    """Record the calls of every dispatcher, by channel."""
    calls = []
    send_due = Dispatcher.send_due

    async def recorded(dispatcher, *arguments):
        calls.append(dispatcher._name)
        return await send_due(dispatcher, *arguments)

    monkeypatch.setattr(Dispatcher, "send_due", recorded)
    return calls


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0.01)


async def test_an_idle_dispatcher_pauses_between_its_calls(make, monkeypatch, calls):
    monkeypatch.setattr("desk.notifier.workers.dispatch.PAUSE_SECONDS", 0.5)
    notifier = await make()
    begun = asyncio.get_running_loop().time()
    async with notifier.app.router.lifespan_context(notifier.app):
        await until(lambda: calls.count(ChannelName.SMS) >= 3)
        passed = asyncio.get_running_loop().time() - begun
    assert passed >= 2 * 0.5


async def test_several_messages_are_sent_to_a_slow_provider_at_the_same_time(notifier):
    notifier.sms.hangs = True
    for _ in range(4):
        await notifier.submit()

    async with notifier.app.router.lifespan_context(notifier.app):
        await until(lambda: len(notifier.sms.references) == 4)
        notifier.sms.go_on.set()
        await notifier.all_messages_reach(State.HANDED_OVER)
    assert len(set(notifier.sms.references)) == 4


async def test_a_submission_wakes_idle_dispatchers(make, monkeypatch, calls):
    monkeypatch.setattr("desk.notifier.workers.dispatch.PAUSE_SECONDS", 60)
    notifier = await make()
    async with notifier.app.router.lifespan_context(notifier.app):
        await until(lambda: set(calls) == set(ChannelName))
        await notifier.submit()
        await notifier.all_messages_reach(State.HANDED_OVER)


async def test_a_message_that_is_being_sent_is_finished_before_the_service_stops(make, monkeypatch):
    finish, release = DispatchTask.finish, asyncio.Event()

    def finish_and_release(task):
        finish(task)
        release.set()

    monkeypatch.setattr(DispatchTask, "finish", finish_and_release)
    notifier = await make()
    notifier.sms.go_on = release
    notifier.sms.hangs = True
    await notifier.submit()
    async with asyncio.timeout(60), notifier.app.router.lifespan_context(notifier.app):
        await notifier.sms.reached.wait()
    assert (await notifier.rows("state"))[0] == ("handed_over",)


async def test_it_serves_health_and_metrics(notifier):
    transport = httpx.ASGITransport(notifier.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier") as client:
        assert (await get_health(client, "/health/live")).json() == {"status": "alive"}
        assert (await get_health(client, "/health/ready")).json() == {"status": "ready"}
        assert "desk_messages" in (await get_health(client, "/metrics")).text
