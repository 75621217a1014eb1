"""Codes by SMS: sent first, at any hour, and not after they have expired."""

import asyncio
import functools
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import update

from desk.chassis.app import HousekeepingTask
from desk.notifier.domain import CODES, ChannelUnavailableError, Language, State, Trouble, sms_parts
from desk.notifier.rendering import Renderer
from desk.notifier.service import DeliveryReports
from desk.notifier.store.tables import message
from desk.testing.service_keys import InternalAuth

MOBILE = "+989123456789"


@pytest.fixture
def send_to():
    async def send(notifier, **changes):
        app = httpx.ASGITransport(notifier.app)
        later = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
        body = {"mobile": MOBILE, "code": "40967", "language": "fa", "expires_at": later} | changes
        async with httpx.AsyncClient(
            transport=app, base_url="http://notifier", auth=InternalAuth("captcha", "notifier")
        ) as client:
            return await client.post("/internal/codes", json=body)

    return send


@pytest.fixture
def send(notifier, send_to):
    return functools.partial(send_to, notifier)


def close_overdue(notifier):
    return DeliveryReports(notifier.parts.database, {}).close_overdue()


async def test_a_code_is_sent_to_its_mobile(notifier, send):
    assert (await send()).status_code == 202
    assert await notifier.dispatch() == 1
    assert [(each.recipient, each.wording, each.values) for each in notifier.sms.sent] == [
        (MOBILE, "fa/code.sms.v1", {"digits": "40967"})
    ]
    assert notifier.sms.sent[0].text == "میز خدمت سازمان حج و زیارت\nکد تأیید: 40967\nاین کد را به کسی ندهید."


async def test_a_code_in_english(notifier, send):
    await send(language="en")
    await notifier.dispatch()
    assert notifier.sms.sent[0].text.endswith("Your code: 40967\nDo not give this code to anyone.")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("template", sorted(CODES))
def test_a_code_has_one_part(template, language):
    text = Renderer("").sms(template, language, {"digits": "40967"}).text
    assert sms_parts(text) == 1


@pytest.mark.parametrize(
    ("purpose", "wording", "about"),
    [
        ("requests", "fa/code_requests.sms.v1", "کد دیدن درخواست‌ها: 40967"),
        ("contact", "fa/code_contact.sms.v1", "کد تغییر تلفن درخواست: 40967"),
    ],
)
async def test_the_text_names_the_purpose_of_a_code(notifier, send, purpose, wording, about):
    await send(purpose=purpose)
    await notifier.dispatch()
    [sent] = notifier.sms.sent
    assert sent.wording == wording
    assert about in sent.text.splitlines()


async def test_a_code_is_sent_before_messages_that_have_waited_longer(notifier, send):
    for number in range(20):
        await notifier.submit(tracking_code=f"{number:012}")
    await send()
    await notifier.dispatcher().send_due()
    assert MOBILE in [each.recipient for each in notifier.sms.sent if each.wording == "fa/code.sms.v1"]


async def test_a_code_is_sent_in_the_quiet_hours_and_whatever_the_recipient_got(make, send_to):
    notifier = await make(quiet_from="00:00", quiet_until="23:59:59", recipient_most=1)
    await notifier.submit()
    for _ in range(3):
        await send_to(notifier)
    await notifier.dispatch()
    assert [each.wording for each in notifier.sms.sent].count("fa/code.sms.v1") == 3


async def test_codes_do_not_count_for_the_notices_of_their_recipient(make, send_to):
    notifier = await make(recipient_most=1)
    for _ in range(3):
        await send_to(notifier)
    await notifier.submit()
    await notifier.dispatch()
    assert "fa/submitted.sms.v3" in [each.wording for each in notifier.sms.sent]


async def test_an_expired_code_is_not_sent(notifier, send):
    await send(expires_at=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    assert await notifier.dispatch() == 0
    await close_overdue(notifier)
    assert await notifier.rows("state", "last_error") == [(State.FAILED, Trouble.EXPIRED)]


async def test_a_code_is_not_retried_after_it_has_expired(notifier, send):
    notifier.sms.errors = [ChannelUnavailableError()]
    await send()
    await notifier.dispatch()
    await notifier.make_all_due()
    await notifier.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert await notifier.dispatch() == 0
    await close_overdue(notifier)
    assert await notifier.rows("state", "tries", "last_error") == [(State.FAILED, 1, Trouble.EXPIRED)]


async def test_a_code_is_retried_before_it_expires(notifier, send):
    notifier.sms.errors = [ChannelUnavailableError()]
    await send()
    await notifier.dispatch()
    await notifier.make_all_due()
    assert await notifier.dispatch() == 1
    assert len(notifier.sms.sent) == 1


@pytest.mark.parametrize(
    "changes",
    [{"mobile": "+14165550123"}, {"mobile": "09123456789"}, {"code": "4096"}, {"code": "۴۰۹۶۷"}, {"language": "fr"}],
)
async def test_a_code_that_breaks_the_contract_is_refused(notifier, send, changes):
    refused = await send(**changes)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed")
    assert await notifier.rows("id") == []


async def test_the_log_and_the_database_do_not_contain_the_code(notifier, send, logged):
    await send()
    await notifier.dispatch()
    [row] = await notifier.rows("personal")
    assert "code" in logged()
    assert "40967" not in logged()
    assert b"40967" not in row[0]


async def test_the_service_deletes_codes_after_a_week_and_nothing_else(notifier, send, monkeypatch):
    monkeypatch.setattr(HousekeepingTask, "START_SECONDS", 0.0)
    await send()
    await notifier.submit()
    old = datetime.now(UTC) - timedelta(days=7, minutes=1)
    async with notifier.parts.database.transaction() as session:
        await session.execute(update(message).values(created_at=old))
    await send()
    before = sorted(await notifier.rows("template"))

    async with notifier.app.router.lifespan_context(notifier.app), asyncio.timeout(60):
        while len(left := await notifier.rows("template")) == len(before):  # noqa: ASYNC110 - a table has no event
            await asyncio.sleep(0.05)

    assert before.count(("code",)) == 2
    assert sorted(left) == before[1:]
