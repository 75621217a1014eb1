"""Another mobile of a request: a warning to the former one, and what waits goes to the new one."""

import asyncio

import pytest

from desk.notifier.app import build_outbox
from desk.notifier.domain import ChannelName, ChannelUnavailableError, Language, MessageRefusedError, State, Trouble
from desk.notifier.service import Failures
from desk.notifier.store.tables import message

CODE = "123456789012"
BEFORE, AFTER = "+989123456789", "+989127654321"
EMAIL = "zahra.rezaei@example.ir"


@pytest.fixture
def change(notifier, event):
    """Handle the event that a request has another mobile."""

    async def change(before=BEFORE, after=AFTER, *, seq=5, email=EMAIL, language="fa"):
        data = {
            "tracking_code": CODE,
            "at": "2026-12-15T09:30:00Z",
            "contact": {"mobile": after, "landline": None, "email": email, "language": language},
            "previous_mobile": before,
            "province": {"key": "isfahan", "name": "اصفهان"},
            "office": {"key": "isfahan", "name": "اصفهان"},
            "applicant": {"first_name": "زهرا", "last_name": "رضایی‌نژاد", "gender": "female"},
        }
        await notifier.bus.handle(event("request-contact-changed", data, seq=seq))

    return change


def sent_sms(notifier):
    return [(each.recipient, each.wording) for each in notifier.sms.sent]


async def test_the_former_mobile_and_the_email_are_warned_without_the_new_number(notifier, change):
    await change()
    await notifier.dispatch()
    await notifier.dispatch(ChannelName.EMAIL)
    [sms] = notifier.sms.sent
    assert (sms.recipient, sms.wording) == (BEFORE, "fa/contact_changed.sms.v1")
    [email] = notifier.email.sent
    assert email.recipient == EMAIL
    for text in (sms.text, email.text, email.html):
        assert "7654321" not in text
        assert "۷۶۵۴۳۲۱" not in text
    assert CODE in sms.text


async def test_the_warning_is_in_the_language_of_the_request(notifier, change):
    await change(language=Language.EN)
    await notifier.dispatch()
    assert sent_sms(notifier) == [(BEFORE, "en/contact_changed.sms.v1")]


async def test_what_waits_goes_to_the_new_mobile(notifier, change):
    await notifier.change_status("answered")
    await change()
    await notifier.dispatch()
    assert sorted(sent_sms(notifier)) == [(BEFORE, "fa/contact_changed.sms.v1"), (AFTER, "fa/answered.sms.v2")]


async def test_an_earlier_warning_stays_with_its_own_number(notifier, change):
    await change()
    await change(AFTER, "+989120000000", seq=6)
    await notifier.dispatch()
    assert sorted(sent_sms(notifier)) == [
        (BEFORE, "fa/contact_changed.sms.v1"),
        (AFTER, "fa/contact_changed.sms.v1"),
    ]


async def test_what_a_provider_may_have_stays_with_the_former_mobile(notifier, change):
    notifier.sms.errors.append(ChannelUnavailableError(Trouble.UNREACHABLE))
    await notifier.change_status("answered")
    await notifier.dispatch()
    await change()
    recipients = {each.template: each.recipient for each in await notifier.all_shown() if each.channel == "sms"}
    assert recipients == {"answered": BEFORE, "contact_changed": BEFORE}


async def test_a_request_without_a_former_mobile_warns_by_email_only(notifier, change):
    await change(before="")
    assert [each.channel for each in await notifier.all_shown()] == ["email"]


async def test_a_foreign_former_mobile_gets_no_sms(notifier, change):
    await change(before="+441632960961")
    assert await notifier.rows("channel", "state") == [("sms", State.SKIPPED), ("email", State.QUEUED)]


async def test_the_failure_of_a_warning_is_not_published(notifier, change):
    notifier.sms.errors.append(MessageRefusedError(Trouble.BAD_RECIPIENT))
    await change()
    await notifier.dispatch()
    assert await Failures(notifier.parts.database, build_outbox(notifier.settings)).publish(10) == 0


async def test_a_notice_that_fails_at_the_former_mobile_after_the_change_is_not_published(notifier, change):
    await notifier.change_status("answered")
    await notifier.dispatch()
    await change()
    await notifier.update(message.c.template == "answered", message.c.channel == "sms", state=State.FAILED)
    assert await Failures(notifier.parts.database, build_outbox(notifier.settings)).publish(10) == 0


async def test_a_notice_that_fails_at_the_new_mobile_is_published(notifier, change):
    await notifier.change_status("answered")
    await change()
    notifier.sms.errors.extend([MessageRefusedError(Trouble.BAD_RECIPIENT)] * 2)
    await notifier.dispatch()
    assert await Failures(notifier.parts.database, build_outbox(notifier.settings)).publish(10) == 1


async def test_a_change_of_an_erased_request_sends_nothing(notifier, change, event):
    data = {"tracking_code": CODE, "certificate_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}
    await notifier.bus.handle(event("request-erased", data | {"reason": "applicant", "at": "2026-12-13T11:00:00Z"}))
    await change()
    assert await notifier.all_shown() == []


async def test_a_change_and_new_states_at_the_same_time_wait_for_each_other(notifier, change):
    await notifier.change_status("answered", seq=1)
    states = (notifier.change_status("answered", seq=seq) for seq in range(2, 8))
    async with asyncio.timeout(60):
        await asyncio.gather(*states, *(change(seq=seq) for seq in range(8, 14)))
    templates = [each.template for each in await notifier.all_shown() if each.channel == "sms"]
    assert templates.count("contact_changed") == 6


async def test_a_change_while_messages_are_sent_sends_each_once(notifier, change):
    for seq in range(4):
        await notifier.submit(tracking_code=CODE) if seq == 0 else await notifier.change_status(
            "referred", seq=seq, note="ارجاع"
        )
    await asyncio.gather(change(), notifier.dispatch())
    await notifier.dispatch()
    wordings = [wording for _, wording in sent_sms(notifier)]
    assert wordings.count("fa/contact_changed.sms.v1") == 1
    assert wordings.count("fa/submitted.sms.v3") == 1
    assert wordings.count("fa/referred.sms.v3") == 3
    assert {recipient for recipient, _ in sent_sms(notifier)} <= {BEFORE, AFTER}
