"""From an event to a message that is handed over."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import delete, select

from desk.chassis.bus import ContractError
from desk.chassis.event_tables import inbox
from desk.database import DataKeys, data_key
from desk.notifier.domain import (
    MAX_ATTEMPTS,
    ChannelName,
    ChannelUnavailableError,
    MessageRefusedError,
    Outcome,
    State,
    Template,
    Trouble,
)
from desk.notifier.store import ClaimStore
from desk.notifier.store import message as message_table
from desk.security.data_keys import KeyDestroyedError

MOBILE, EMAIL = "+989123456789", "zahra.rezaei@example.ir"
MOBILE_ONLY = {"mobile": MOBILE, "email": None}
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Reads the file of the database, which PostgreSQL keeps elsewhere."""


async def test_a_submission_sends_one_sms_and_one_email(notifier):
    await notifier.submit()
    assert await notifier.dispatch(ChannelName.SMS) == 1
    assert await notifier.dispatch(ChannelName.EMAIL) == 1
    assert [message.recipient for message in notifier.sms.sent] == [MOBILE]
    assert [message.recipient for message in notifier.email.sent] == [EMAIL]
    assert notifier.sms.sent[0].html is None
    assert notifier.email.sent[0].subject.startswith("درخواست شما ثبت شد")


async def test_an_applicant_without_an_email_address_gets_only_an_sms(notifier):
    await notifier.submit(contact=MOBILE_ONLY)
    assert set(await notifier.shown()) == {"sms"}


async def test_the_email_of_a_submission_contains_the_request(notifier):
    file = {"id": "f1", "name": "گذرنامه.pdf", "size": 4, "media_type": "application/pdf", "sha256": "0" * 64}
    await notifier.submit(text="روادید من صادر نشده است.\nشماره: 021-8888 8888", attachments=[file])
    shown = await notifier.shown()
    for text in (shown["email"].text, shown["email"].html):
        for part in ("ودیعه‌گذاری و قبوض حج تمتع", "صدور قبض", "روادید من صادر نشده است.", "گذرنامه.pdf"):
            assert part in text
    assert "روادید من" not in shown["sms"].text


FOREIGN = "+14165550123"


async def test_a_foreign_number_gets_an_email_and_no_sms_and_this_is_recorded(notifier):
    await notifier.submit(contact={"mobile": FOREIGN, "email": EMAIL})
    assert await notifier.rows("channel", "state", "last_error") == [
        ("sms", "skipped", "foreign_number"),
        ("email", "queued", None),
    ]
    assert await notifier.dispatch(ChannelName.SMS) == 0
    assert await notifier.dispatch(ChannelName.EMAIL) == 1
    assert (notifier.sms.references, [mail.recipient for mail in notifier.email.sent]) == ([], [EMAIL])
    await notifier.change_status("answered", seq=5, contact={"mobile": FOREIGN, "email": EMAIL})
    assert await notifier.dispatch(ChannelName.SMS) == 0


@pytest.mark.parametrize("mobile", ["09123456789", "+0912", "+98912x"])
async def test_a_number_that_is_not_e164_breaks_the_contract(notifier, mobile):
    with pytest.raises(ContractError):
        await notifier.submit(contact={"mobile": mobile, "email": None})


async def test_an_answer_queues_one_sms_and_one_email(notifier):
    await notifier.change_status("answered")
    shown = await notifier.shown()
    assert set(shown) == {"sms", "email"}
    assert "قبض شما صادر شد." in shown["email"].text
    assert "قبض شما صادر شد." not in shown["sms"].text


async def test_a_pending_request_queues_one_sms_and_one_email(notifier):
    await notifier.submit_pending()
    shown = await notifier.shown()
    assert set(shown) == {"sms", "email"}
    assert {message.template for message in shown.values()} == {Template.PENDING}


async def test_the_release_of_a_pending_request_has_a_notice_too(notifier):
    await notifier.submit_pending()
    await notifier.submit()
    assert [message.template for message in await notifier.all_shown()].count(Template.SUBMITTED) == 2


async def test_a_rejected_identity_queues_one_sms_and_one_email_and_only_the_email_contains_the_reason(notifier):
    await notifier.change_status("identity_rejected", note="کد ملی و تاریخ تولد با هم نمی‌خوانند.")
    shown = await notifier.shown()
    assert {message.template for message in shown.values()} == {Template.IDENTITY_REJECTED}
    assert "با هم نمی‌خوانند" in shown["email"].text
    assert "با هم نمی‌خوانند" in shown["email"].html
    assert "با هم نمی‌خوانند" not in shown["sms"].text


async def test_a_rejection_without_a_reason_breaks_the_contract(notifier):
    with pytest.raises(ContractError):
        await notifier.change_status("identity_rejected", note=None)


@pytest.mark.parametrize("state", ["info_requested", "rejected", "referred", "withdrawn"])
async def test_a_state_with_a_notice_queues_one_sms_and_one_email(notifier, state):
    await notifier.change_status(state, note="شمارهٔ قبض چیست؟")
    shown = await notifier.shown()
    assert {(each.channel, each.template) for each in shown.values()} == {("sms", state), ("email", state)}
    assert "شمارهٔ قبض" not in shown["sms"].text
    assert ("شمارهٔ قبض" in shown["email"].text) is (state != "withdrawn"), "the applicant wrote that note"


@pytest.mark.parametrize("state", ["info_requested", "rejected", "referred"])
async def test_a_state_without_the_note_of_its_notice_breaks_the_contract(notifier, state):
    with pytest.raises(ContractError):
        await notifier.change_status(state, note=None)


async def test_a_referral_without_a_new_deadline_breaks_the_contract(notifier):
    with pytest.raises(ContractError):
        await notifier.change_status("referred", note="به استان دیگری مربوط است.", due_at=None)


async def test_a_notice_is_in_english_if_the_applicant_chose_it(notifier):
    await notifier.submit(contact={"mobile": MOBILE, "email": EMAIL, "language": "en"})
    assert {row[0] for row in (await notifier.rows("wording"))} == {"en/submitted.sms.v2", "en/submitted.email.v2"}
    assert "Tracking code: 123456789012" in (await notifier.shown())["sms"].text


@pytest.mark.parametrize("language", [None, "ar", 7, ["fa"]])
async def test_a_notice_in_an_unknown_language_is_in_persian(notifier, language):
    await notifier.submit(contact={"mobile": MOBILE, "email": None, "language": language})
    assert await notifier.rows("wording") == [("fa/submitted.sms.v3",)]


async def test_a_queued_question_is_not_sent_after_the_reply_to_it(notifier):
    await notifier.change_status("info_requested", note="شمارهٔ قبض چیست؟", seq=4)
    await notifier.change_status("in_progress", seq=5)
    assert await notifier.rows("state") == [("overtaken",), ("overtaken",)]
    assert await notifier.dispatch() == 0


async def test_a_notice_is_not_superseded_by_an_earlier_event_or_by_another_request(notifier):
    await notifier.change_status("answered", seq=5)
    await notifier.change_status("in_progress", seq=4)
    await notifier.change_status("closed", seq=9, tracking_code="999999999999")
    assert await notifier.dispatch() == 1


async def test_a_queued_referral_is_sent_although_the_next_province_has_received_the_request(notifier):
    await notifier.change_status("referred", note="به استان دیگری مربوط است.", seq=4)
    await notifier.change_status("received", seq=5)
    assert await notifier.dispatch() == 1


async def test_a_notice_with_an_attempt_is_not_superseded(notifier):
    notifier.sms.errors = [ChannelUnavailableError()]
    await notifier.change_status("answered", seq=4, contact=MOBILE_ONLY)
    await notifier.dispatch()
    await notifier.change_status("objected", seq=5)
    assert await notifier.rows("state") == [("queued",)]


@pytest.mark.parametrize("state", ["registered", "received", "in_progress", "objected", "closed", "new_to_us"])
async def test_other_states_have_no_notice(notifier, state):
    await notifier.change_status(state)
    assert await notifier.shown() == {}


async def test_a_second_answer_after_an_objection_has_a_notice_too(notifier):
    await notifier.change_status("answered")
    await notifier.change_status("answered")
    assert len(await notifier.all_shown()) == 4


async def test_an_event_delivered_twice_queues_each_message_once(notifier, event, submitted):
    message = event("request-submitted", submitted())
    await notifier.bus.handle(message)
    await notifier.bus.handle(message)
    assert sorted(row[0] for row in (await notifier.rows("channel"))) == ["email", "sms"]


async def test_an_event_replayed_after_its_inbox_row_was_pruned_queues_nothing(notifier, event, submitted):
    message = event("request-submitted", submitted())
    await notifier.bus.handle(message)
    async with notifier.parts.database.transaction() as session:
        await session.execute(delete(inbox))
    await notifier.bus.handle(message)
    assert len(await notifier.rows("id")) == 2


async def test_unknown_fields_are_ignored(notifier):
    await notifier.submit(novelty={"any": ["thing"]}, contact={"mobile": MOBILE, "email": None, "fax": "1"})
    assert len(await notifier.shown()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"tracking_code": "12345"},
        {"due_at": "tomorrow"},
        {"contact": {"mobile": "09123456789", "email": None}},
        {"contact": {"mobile": MOBILE, "email": "a@example.ir\r\nBcc: b@example.ir"}},
        {"province": None},
    ],
)
async def test_an_event_that_breaks_the_contract_is_refused_and_the_error_does_not_contain_it(notifier, changes):
    with pytest.raises(ContractError) as caught:
        await notifier.submit(**changes)
    assert not any(word in str(caught.value) for word in ("9123456789", "12345", "tomorrow", "Bcc"))
    assert await notifier.shown() == {}


async def test_answered_without_an_answer_breaks_the_contract(notifier):
    with pytest.raises(ContractError):
        await notifier.change_status("answered", answer=None)


async def test_an_event_of_unknown_type_breaks_the_contract(notifier, event, submitted):
    with pytest.raises(ContractError):
        await notifier.bus.handle(event("request-painted", submitted()))


async def test_a_handed_over_message_is_not_sent_again(notifier):
    await notifier.submit()
    await notifier.dispatch()
    assert (await notifier.rows("state", "provider_reference", "tries", "last_error"))[0] == (
        "handed_over",
        "provider-1",
        1,
        None,
    )
    assert await notifier.dispatch() == 0


async def test_parallel_dispatchers_send_each_message_once(notifier):
    for _ in range(10):
        await notifier.submit()
    await asyncio.gather(*(notifier.dispatch() for _ in range(4)))
    assert len(notifier.sms.sent) == 10
    assert len({message.reference for message in notifier.sms.sent}) == 10


async def test_a_retry_has_the_same_reference(notifier):
    notifier.sms.errors = [ChannelUnavailableError(), ChannelUnavailableError()]
    await notifier.submit()
    assert await notifier.dispatch() == 1
    assert (await notifier.rows("state", "last_error"))[0] == ("queued", "unreachable")
    for _ in range(2):
        await notifier.make_all_due()
        await notifier.dispatch()
    assert len(notifier.sms.sent) == 1
    assert len(notifier.sms.references) == 3
    assert len(set(notifier.sms.references)) == 1


async def test_a_message_fails_when_its_channel_stays_unavailable(notifier):
    await notifier.submit()
    notifier.sms.errors = [ChannelUnavailableError() for _ in range(MAX_ATTEMPTS)]
    for _ in range(MAX_ATTEMPTS + 2):
        await notifier.make_all_due()
        await notifier.dispatch()
    assert (await notifier.rows("state", "tries"))[0] == ("failed", MAX_ATTEMPTS)


async def test_a_refused_message_fails_and_is_not_retried(notifier):
    notifier.sms.errors = [MessageRefusedError(Trouble.BAD_RECIPIENT)]
    await notifier.submit()
    await notifier.dispatch()
    await notifier.make_all_due()
    assert await notifier.dispatch() == 0
    shown = (await notifier.shown())["sms"]
    assert (shown.state, shown.last_error) == (State.FAILED, "bad_recipient")


async def test_an_attempt_ends_after_its_time_limit(notifier, monkeypatch):
    monkeypatch.setattr("desk.notifier.service.dispatch.SEND_SECONDS", 0.05)
    notifier.sms.hangs = True
    await notifier.submit()
    await notifier.dispatch()
    assert (await notifier.rows("state", "last_error"))[0] == ("queued", "no_answer")


async def test_a_message_that_breaks_its_channel_does_not_stop_the_others(notifier):
    notifier.sms.errors = [KeyError("return")]
    await notifier.submit(contact=MOBILE_ONLY)
    await notifier.submit(contact=MOBILE_ONLY)
    await notifier.dispatch()
    assert sorted(await notifier.rows("state", "last_error")) == [("handed_over", None), ("queued", "unexpected")]


async def test_a_message_that_a_crash_left_claimed_is_retried_with_the_same_reference(notifier):
    await notifier.submit()
    notifier.sms.hangs = True
    crashing = asyncio.create_task(notifier.dispatch())
    await notifier.sms.reached.wait()
    crashing.cancel()
    await asyncio.gather(crashing, return_exceptions=True)
    notifier.sms.hangs = False
    assert (await notifier.rows("state"))[0] == ("claimed",)
    assert await notifier.dispatch() == 0, "the lease has not expired"

    await notifier.make_all_due()
    assert await notifier.dispatch() == 1
    assert (await notifier.rows("state", "tries"))[0] == ("handed_over", 2)
    assert len(set(notifier.sms.references)) == 1


async def test_the_result_of_an_expired_lease_does_not_change_a_newer_claim(notifier):
    notifier.sms.hangs = True
    await notifier.submit()
    late = asyncio.create_task(notifier.dispatch())
    await notifier.sms.reached.wait()
    await notifier.make_all_due()
    async with notifier.parts.database.statements() as connection:
        store = ClaimStore(connection)
        [taken_over] = await store.claim(ChannelName.SMS, 1)
    async with notifier.parts.database.statements() as connection:
        store = ClaimStore(connection)
        expired = replace(taken_over, attempts=1)
        assert not await store.record(expired, Outcome.retry(1, Trouble.NO_ANSWER))
        assert not await store.record(expired, Outcome.handed_over("late"))
        assert await store.record(taken_over, Outcome.handed_over("in time"))
    late.cancel()
    assert (await notifier.rows("state", "tries", "provider_reference"))[0] == ("handed_over", 2, "in time")


async def test_a_message_that_cannot_be_decrypted_is_retried_and_delays_no_other(notifier):
    for _ in range(2):
        await notifier.submit(contact=MOBILE_ONLY)
    [(first,), _] = await notifier.rows("id")
    await notifier.update(message_table.c.id == first, personal=b"\x02k1" + bytes(40))
    await notifier.dispatch()
    assert sorted(await notifier.rows("state")) == [("handed_over",), ("queued",)]


async def test_once_the_key_of_a_request_is_destroyed_its_messages_are_unreadable(notifier):
    await notifier.submit(contact=MOBILE_ONLY)
    [(code,)] = await notifier.rows("tracking_code")
    async with notifier.parts.database.transaction() as session:
        assert await DataKeys(notifier.parts.vault).destroy(session, [code]) == 1
        [claim] = await ClaimStore(await session.connection()).claim(ChannelName.SMS, 1)

    with pytest.raises(KeyDestroyedError):
        claim.decrypt(notifier.parts.vault)


async def test_the_sms_and_the_email_of_a_request_have_the_same_key(notifier):
    await notifier.submit()

    assert len(await notifier.rows("id")) == 2
    async with notifier.parts.database.read() as session:
        assert len((await session.execute(select(data_key.c.id))).all()) == 1


@ON_SQLITE
async def test_personal_data_cannot_be_read_in_the_database_file(notifier, tmp_path):
    await notifier.submit()
    await notifier.change_status("answered")
    await notifier.dispatch()
    code = (await notifier.rows("tracking_code"))[0][0]
    await notifier.parts.database.close()  # moves the write-ahead log into the file
    written = b"".join(path.read_bytes() for path in tmp_path.glob("notifier.db*"))
    assert code.encode() in written, "the test reads the right files"
    written = written.replace(code.encode(), b"")  # its digits are not a part of the mobile number
    secrets = (MOBILE, "9123456789", EMAIL, "رضایی", "زهرا", "قبض شما صادر شد")
    assert not [secret for secret in secrets if secret.encode() in written]


async def test_messages_are_shown_newest_first_and_by_code(notifier):
    await notifier.submit(contact=MOBILE_ONLY)
    await notifier.submit(tracking_code="999999999999", contact=MOBILE_ONLY)
    assert [message.tracking_code for message in await notifier.all_shown()] == ["999999999999", "123456789012"]
    assert [message.tracking_code for message in await notifier.all_shown("123456789012")] == ["123456789012"]


async def test_the_log_contains_no_personal_data(notifier, logged):
    notifier.sms.errors = [
        ChannelUnavailableError(),
        KeyError(f"{MOBILE} رضایی"),
        MessageRefusedError(Trouble.BAD_TEXT),
    ]
    notifier.email.errors = [TimeoutError(EMAIL)]
    for _ in range(3):
        await notifier.submit()
    await notifier.change_status("answered")
    for state in ("info_requested", "rejected", "referred", "withdrawn", "identity_rejected"):
        await notifier.change_status(state, note="قبض")
    with pytest.raises(ContractError):
        await notifier.submit(contact={"mobile": f"{MOBILE}0", "email": EMAIL})
    await notifier.dispatch(ChannelName.SMS)
    await notifier.dispatch(ChannelName.EMAIL)
    text = logged()
    assert "send attempted" in text
    assert "channel failed" in text
    secrets = ("9123456789", EMAIL, "example.ir", "رضایی", "زهرا", "قبض", "اصفهان")
    assert not [secret for secret in secrets if secret in text]


async def test_an_applicant_without_a_mobile_gets_an_email_only(notifier):
    await notifier.submit(contact={"mobile": "", "email": EMAIL})
    assert await notifier.rows("channel", "state") == [("email", "queued")]


async def test_an_applicant_without_mobile_and_email_gets_no_message(notifier):
    no_contact = {"mobile": "", "email": None}
    await notifier.submit(contact=no_contact)
    await notifier.change_status("answered", seq=5, contact=no_contact)
    assert await notifier.rows("channel", "state") == []


async def test_a_reminder_of_a_question_has_a_message_of_its_own(notifier):
    asked = {"note": "شمارهٔ قبض چیست؟", "reply_until": "2026-12-24T20:29:59Z"}
    await notifier.change_status("info_requested", seq=2, **asked)
    await notifier.dispatch()
    await notifier.change_status("info_requested", seq=3, reminder=True, **asked)
    await notifier.change_status("unanswered", seq=4, reply_until="2027-01-08T20:29:59Z")
    rows = await notifier.rows("template", "channel", "state")
    assert [(template, state) for template, channel, state in rows if channel == "sms"] == [
        ("info_requested", "handed_over"),
        ("question_reminder", "overtaken"),
        ("unanswered", "queued"),
    ]
    shown = (await notifier.all_shown())[0]
    assert "قبض" not in shown.text


async def test_an_older_desk_sends_questions_without_a_term(notifier):
    await notifier.change_status("info_requested", note="شمارهٔ قبض چیست؟")
    assert [row[0] for row in await notifier.rows("template")] == ["info_requested", "info_requested"]
