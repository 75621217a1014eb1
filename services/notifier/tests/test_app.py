"""The whole service: wired, started, and on its own schema."""

import asyncio

import httpx
import pytest
from alembic import command

from desk.database import alembic_config
from desk.notifier.app import create_app
from desk.notifier.channels import ShownChannel
from desk.notifier.domain import ChannelName, State
from desk.notifier.events import RequestPending, RequestStatusChanged, RequestSubmitted
from desk.notifier.store import Claim, MessageStore


def test_the_migrations_make_exactly_the_tables_of_the_store(tmp_path):
    config = alembic_config("desk.notifier", f"sqlite+aiosqlite:///{tmp_path / 'notifier.db'}")
    command.upgrade(config, "head")
    command.check(config)
    command.downgrade(config, "base")
    command.upgrade(config, "head")


async def test_it_listens_to_submissions_and_status_changes(notifier):
    assert notifier.bus.consumed_events == (RequestSubmitted, RequestPending, RequestStatusChanged)


async def test_it_does_not_start_without_a_channel_for_every_message(notifier):
    parts = type(notifier.parts)(
        **{name: getattr(notifier.parts, name) for name in ("database", "broker", "vault", "telemetry")},
        channels={ChannelName.SMS: notifier.sms},
    )
    with pytest.raises(ValueError, match="no channel for email"):
        create_app(notifier.settings, parts=parts)


async def test_it_does_not_start_with_a_template_of_a_provider_that_is_none_of_ours(notifier):
    settings = notifier.settings.model_copy(update={"smsir_templates": {"submitted": 100200}})
    with pytest.raises(ValueError, match="no words called submitted"):
        create_app(settings, parts=notifier.parts)


async def test_a_published_event_is_shown_as_delivered_within_a_moment(make, event, submitted):
    notifier = await make(sms=ShownChannel(), email=ShownChannel())
    async with notifier.app.router.lifespan_context(notifier.app):
        await notifier.parts.broker.publish(event("request-submitted", submitted()))
        await notifier.everything_reaches(State.DELIVERED)
    assert {message.channel for message in await notifier.all_shown()} == set(ChannelName)
    assert {row[0] for row in notifier.rows("delivered_at IS NOT NULL AND handed_over_at IS NOT NULL")} == {1}


async def test_an_idle_dispatcher_rests(make, monkeypatch):
    notifier = await make()
    looks = 0
    look = MessageStore.claim

    async def counted(store: MessageStore, channel: ChannelName, limit: int) -> list[Claim]:
        nonlocal looks
        looks += 1
        return await look(store, channel, limit)

    monkeypatch.setattr(MessageStore, "claim", counted)
    async with notifier.app.router.lifespan_context(notifier.app):
        await asyncio.sleep(0.3)
    assert 1 <= looks <= 4


async def test_a_slow_provider_is_handed_several_messages_at_once(make):
    notifier = await make()
    notifier.sms.hangs = True
    for _ in range(4):
        await notifier.submit()

    async with asyncio.timeout(10), notifier.app.router.lifespan_context(notifier.app):
        while len(notifier.sms.references) < 4:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)
        notifier.sms.go_on.set()
        await notifier.everything_reaches(State.HANDED_OVER)
    assert len(set(notifier.sms.references)) == 4


async def test_a_submission_wakes_the_dispatcher_at_once(make, monkeypatch):
    monkeypatch.setattr("desk.notifier.service.POLL_SECONDS", 60)
    notifier = await make()
    async with notifier.app.router.lifespan_context(notifier.app):
        await asyncio.sleep(0.2)
        await notifier.submit()
        await notifier.everything_reaches(State.HANDED_OVER)


async def test_a_message_under_way_is_finished_before_the_service_stops(notifier):
    notifier.sms.hangs = True
    async with notifier.app.router.lifespan_context(notifier.app):
        await notifier.submit()
        await notifier.sms.reached.wait()
        asyncio.get_running_loop().call_later(0.2, notifier.sms.go_on.set)
    assert notifier.rows("state")[0] == ("handed_over",)


async def test_it_answers_the_orchestrator(notifier):
    transport = httpx.ASGITransport(notifier.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier") as client:
        assert (await client.get("/health/live")).json() == {"status": "alive"}
        assert (await client.get("/health/ready")).json() == {"status": "ready"}
        await notifier.submit()
        assert "desk_messages" in (await client.get("/metrics")).text
