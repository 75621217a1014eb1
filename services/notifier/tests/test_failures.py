"""SMS that finally failed are published to tracking, once and without personal data."""

import asyncio

import pytest
from sqlalchemy import select

from desk.chassis.event_tables import outbox
from desk.notifier.app import build_outbox
from desk.notifier.domain import ChannelName, Delivery, MessageRefusedError, Trouble
from desk.notifier.service import Failures
from desk.notifier.store import DeliveryReportStore, message
from desk.testing.event_keys import decrypted

CODE = "123456789012"


@pytest.fixture
def publish(notifier):
    """Publish all failures; return their number."""
    failures = Failures(notifier.parts.database, build_outbox(notifier.settings))
    return lambda: failures.publish(100)


@pytest.fixture
def published(notifier):
    """Return the data of the published failures."""

    async def published():
        async with notifier.parts.database.transaction() as session:
            rows = (await session.execute(select(outbox).order_by(outbox.c.created_at))).all()
        return [(row.routing_key, decrypted(row.body, "tracking")["data"]) for row in rows]

    return published


async def test_a_refused_sms_is_published_once_with_its_reason(notifier, publish, published):
    notifier.sms.errors.append(MessageRefusedError(Trouble.BAD_RECIPIENT))
    await notifier.submit()
    await notifier.dispatch()
    assert await publish() == 1
    assert await publish() == 0
    [(key, data)] = await published()
    assert key == "notice-failed.desk"
    assert {name: data[name] for name in ("tracking_code", "notice", "channel", "reason")} == {
        "tracking_code": CODE,
        "notice": "submitted",
        "channel": "sms",
        "reason": "bad_recipient",
    }


async def test_it_has_no_personal_data(notifier, publish, published):
    notifier.sms.errors.append(MessageRefusedError(Trouble.BAD_RECIPIENT))
    await notifier.change_status()
    await notifier.dispatch()
    await publish()
    [(_, data)] = await published()
    assert not [word for word in ("9123456789", "زهرا", "قبض") if word in str(data)]


async def test_a_negative_delivery_report_is_a_failure(notifier, publish, published):
    await notifier.submit()
    await notifier.dispatch()
    await notifier.update(message.c.channel == ChannelName.SMS, provider="kavenegar")
    assert await publish() == 0
    async with notifier.parts.database.transaction() as session:
        await DeliveryReportStore(session).record_delivery("kavenegar", "provider-1", Delivery.FAILED)
    assert await publish() == 1
    [(_, data)] = await published()
    assert data["reason"] == "not_delivered"


async def test_an_email_that_failed_is_not_published(notifier, publish, published):
    notifier.email.errors.append(MessageRefusedError(Trouble.BAD_RECIPIENT))
    await notifier.submit()
    await notifier.dispatch(ChannelName.EMAIL)
    assert await publish() == 0
    assert await published() == []


async def test_several_replicas_publish_a_failure_once(notifier, publish, published):
    notifier.sms.errors.extend(MessageRefusedError(Trouble.BAD_RECIPIENT) for _ in range(3))
    for number in range(3):
        await notifier.change_status(seq=number + 1)
    await notifier.dispatch()
    assert sum(await asyncio.gather(*(publish() for _ in range(4)))) == len(await published()) == 1
