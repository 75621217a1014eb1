"""Erasure at notifier: messages and keys, in any order with other events."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from desk.chassis.event_tables import outbox
from desk.database import data_key
from desk.notifier.domain import State
from desk.testing.event_keys import decrypted

CODE = "123456789012"
CERTIFICATE = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@pytest.fixture
def erase(notifier: Any, event: Any) -> Any:
    async def erase() -> None:
        data = {
            "tracking_code": CODE,
            "certificate_id": CERTIFICATE,
            "reason": "applicant",
            "at": "2026-12-13T11:00:00Z",
        }
        await notifier.bus.handle(event("request-erased", data, seq=9))

    return erase


async def stored(notifier: Any, query: Any) -> list[Any]:
    async with notifier.parts.database.transaction() as session:
        return list((await session.execute(query)).all())


async def test_an_erasure_empties_messages_and_cancels_unsent_ones(notifier, erase):
    await notifier.submit()
    await notifier.dispatch()  # by SMS; the email is still queued

    await erase()

    assert await notifier.rows("channel", "state", "personal", "recipient_index", "provider_reference") == [
        ("sms", State.HANDED_OVER, b"", None, None),
        ("email", State.CANCELLED, b"", None, None),
    ]
    assert await stored(notifier, select(data_key)) == []
    assert await notifier.dispatch("email") == 0
    assert await notifier.all_shown() == []


async def test_each_request_to_erase_is_acknowledged_and_the_first_one_counts(notifier, erase):
    await notifier.submit()
    for _ in range(2):
        await erase()
    row, again = await stored(notifier, select(outbox).order_by(outbox.c.created_at))
    assert row.routing_key == "request-erasure-done.isfahan"
    assert decrypted(again.body, "tracking")["data"]["removed"] == {"messages": 0, "keys": 0}
    envelope = decrypted(row.body, "tracking")
    assert (envelope["source"], envelope["subject"], envelope["seq"]) == ("/desk/notifier", CODE, 9)
    assert envelope["data"]["certificate_id"] == CERTIFICATE
    assert envelope["data"]["removed"] == {"messages": 2, "keys": 1}


async def test_late_events_queue_nothing(notifier, erase):
    await erase()
    await notifier.submit()
    await notifier.submit_pending()
    await notifier.change_status(seq=8)
    assert await notifier.rows("state") == []
    assert await stored(notifier, select(data_key)) == []


async def test_a_notice_that_is_queued_during_the_erasure_does_not_stay(notifier, erase):
    await asyncio.gather(notifier.submit(), erase(), notifier.change_status(seq=8))
    assert {personal for (personal,) in await notifier.rows("personal")} <= {b""}
    assert await stored(notifier, select(data_key)) == []


async def test_a_message_that_is_being_sent_is_not_queued_again(notifier, erase):
    notifier.sms.hangs = True
    await notifier.submit()
    sending = asyncio.create_task(notifier.dispatch())
    async with asyncio.timeout(60):
        await notifier.sms.reached.wait()

    await erase()
    notifier.sms.go_on.set()

    await sending
    assert {state for (state,) in await notifier.rows("state")} == {State.CANCELLED}
    assert {personal for (personal,) in await notifier.rows("personal")} == {b""}
