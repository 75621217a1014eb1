"""From an event to a message handed over."""

import asyncio
import io
import logging
import sys
from dataclasses import replace

import pytest
import structlog

from desk.chassis.bus import ContractError
from desk.chassis.telemetry import configure_logging
from desk.notifier.channels import ChannelDownError, RefusedError
from desk.notifier.domain import MOST_TRIES, ChannelName, Outcome, State, Template, Trouble
from desk.notifier.store import MessageStore

MOBILE, EMAIL = "+989123456789", "zahra.rezaei@example.ir"


async def test_a_submission_gives_one_sms_and_one_email(notifier):
    await notifier.submit()
    assert await notifier.dispatch(ChannelName.SMS) == 1
    assert await notifier.dispatch(ChannelName.EMAIL) == 1
    assert [message.recipient for message in notifier.sms.sent] == [MOBILE]
    assert [message.recipient for message in notifier.email.sent] == [EMAIL]
    assert notifier.sms.sent[0].html is None
    assert notifier.email.sent[0].subject.startswith("درخواست شما ثبت شد")


async def test_without_an_address_there_is_only_an_sms(notifier):
    await notifier.submit(contact={"mobile": MOBILE, "email": None})
    assert set(await notifier.shown()) == {"sms"}


async def test_an_answer_gives_one_sms_and_one_email(notifier):
    await notifier.report("answered")
    shown = await notifier.shown()
    assert set(shown) == {"sms", "email"}
    assert "قبض شما صادر شد." in shown["email"].text
    assert "قبض شما صادر شد." not in shown["sms"].text


async def test_a_request_whose_applicant_is_not_looked_up_yet_gives_one_sms_and_one_email(notifier):
    await notifier.hold()
    shown = await notifier.shown()
    assert set(shown) == {"sms", "email"}
    assert {message.template for message in shown.values()} == {Template.PENDING}


async def test_the_release_of_a_pending_request_is_told_too(notifier):
    await notifier.hold()
    await notifier.submit()
    assert [message.template for message in await notifier.all_shown()].count(Template.SUBMITTED) == 2


async def test_a_rejected_identity_gives_one_sms_and_one_email_and_only_the_email_says_why(notifier):
    await notifier.report("identity_rejected", note="کد ملی و تاریخ تولد با هم نمی‌خوانند.")
    shown = await notifier.shown()
    assert {message.template for message in shown.values()} == {Template.IDENTITY_REJECTED}
    assert "با هم نمی‌خوانند" in shown["email"].text
    assert "با هم نمی‌خوانند" in shown["email"].html
    assert "با هم نمی‌خوانند" not in shown["sms"].text


async def test_a_rejection_without_a_reason_breaks_the_contract(notifier):
    with pytest.raises(ContractError):
        await notifier.report("identity_rejected", note=None)


@pytest.mark.parametrize("state", ["info_requested", "rejected", "referred", "withdrawn"])
async def test_a_state_that_matters_to_the_applicant_gives_one_sms_and_one_email(notifier, state):
    await notifier.report(state, note="شمارهٔ قبض چیست؟")
    shown = await notifier.shown()
    assert {(each.channel, each.template) for each in shown.values()} == {("sms", state), ("email", state)}
    assert "شمارهٔ قبض" not in shown["sms"].text
    assert ("شمارهٔ قبض" in shown["email"].text) is (state != "withdrawn"), "that note is the applicant's own"


@pytest.mark.parametrize("state", ["info_requested", "rejected", "referred"])
async def test_a_state_without_what_its_notice_says_breaks_the_contract(notifier, state):
    with pytest.raises(ContractError):
        await notifier.report(state, note=None)


async def test_a_referral_without_a_new_day_breaks_the_contract(notifier):
    with pytest.raises(ContractError):
        await notifier.report("referred", note="به استان دیگری مربوط است.", due_at=None)


async def test_whoever_wants_english_is_written_to_in_english(notifier):
    await notifier.submit(contact={"mobile": MOBILE, "email": EMAIL, "language": "en"})
    assert {row[0] for row in notifier.rows("wording")} == {"en/submitted.sms.v1", "en/submitted.email.v1"}
    assert "Tracking code: 123456789012" in (await notifier.shown())["sms"].text


@pytest.mark.parametrize("language", [None, "ar", 7, ["fa"]])
async def test_a_language_there_is_not_is_persian(notifier, language):
    await notifier.submit(contact={"mobile": MOBILE, "email": None, "language": language})
    assert notifier.rows("wording") == [("fa/submitted.sms.v1",)]


async def test_a_question_that_still_waits_goes_with_the_reply_to_it(notifier):
    await notifier.report("info_requested", note="شمارهٔ قبض چیست؟", seq=4)
    await notifier.report("in_progress", seq=5)
    assert notifier.rows("state") == [("overtaken",), ("overtaken",)]
    assert await notifier.dispatch() == 0


async def test_a_notice_is_not_overtaken_by_what_was_before_it_or_by_another_request(notifier):
    await notifier.report("answered", seq=5)
    await notifier.report("in_progress", seq=4)
    await notifier.report("closed", seq=9, tracking_code="999999999999")
    assert await notifier.dispatch() == 1


async def test_a_referral_that_still_waits_is_told_though_the_next_province_is_at_work(notifier):
    await notifier.report("referred", note="به استان دیگری مربوط است.", seq=4)
    await notifier.report("received", seq=5)
    assert await notifier.dispatch() == 1


async def test_a_notice_that_a_provider_may_have_is_not_overtaken(notifier):
    notifier.sms.errors = [ChannelDownError()]
    await notifier.report("answered", seq=4, contact={"mobile": MOBILE, "email": None})
    await notifier.dispatch()
    await notifier.report("objected", seq=5)
    assert notifier.rows("state") == [("queued",)]


@pytest.mark.parametrize("state", ["registered", "received", "in_progress", "objected", "closed", "new_to_us"])
async def test_other_states_give_no_notice(notifier, state):
    await notifier.report(state)
    assert await notifier.shown() == {}


async def test_a_second_answer_after_an_objection_is_told_too(notifier):
    await notifier.report("answered")
    await notifier.report("answered")
    assert len(await notifier.all_shown()) == 4


async def test_an_event_delivered_twice_gives_each_message_once(notifier, event, submitted):
    message = event("request-submitted", submitted())
    await notifier.bus.handle(message)
    await notifier.bus.handle(message)
    assert sorted(row[0] for row in notifier.rows("channel")) == ["email", "sms"]


async def test_an_event_replayed_after_its_inbox_row_was_pruned_gives_nothing_new(notifier, event, submitted):
    message = event("request-submitted", submitted())
    await notifier.bus.handle(message)
    notifier.execute("DELETE FROM inbox")
    await notifier.bus.handle(message)
    assert len(notifier.rows("id")) == 2


async def test_fields_it_does_not_know_are_ignored(notifier):
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
async def test_an_event_that_breaks_the_contract_is_refused_without_repeating_it(notifier, changes):
    with pytest.raises(ContractError) as caught:
        await notifier.submit(**changes)
    assert not any(word in str(caught.value) for word in ("9123456789", "12345", "tomorrow", "Bcc"))
    assert await notifier.shown() == {}


async def test_answered_without_an_answer_breaks_the_contract(notifier):
    with pytest.raises(ContractError):
        await notifier.report("answered", answer=None)


async def test_an_event_of_unknown_type_breaks_the_contract(notifier, event, submitted):
    with pytest.raises(ContractError):
        await notifier.bus.handle(event("request-painted", submitted()))


async def test_a_message_handed_over_waits_for_its_delivery_report(notifier):
    await notifier.submit()
    await notifier.dispatch()
    assert notifier.rows("state, provider_reference, tries, last_error")[0] == ("handed_over", "provider-1", 1, None)
    assert await notifier.dispatch() == 0


async def test_parallel_dispatchers_send_each_message_once(notifier):
    for _ in range(10):
        await notifier.submit()
    await asyncio.gather(*(notifier.dispatch() for _ in range(4)))
    assert len(notifier.sms.sent) == 10
    assert len({message.reference for message in notifier.sms.sent}) == 10


async def test_a_channel_that_is_down_is_tried_again_later_with_the_same_reference(notifier):
    notifier.sms.errors = [ChannelDownError(), ChannelDownError()]
    await notifier.submit()
    assert await notifier.dispatch() == 1
    assert notifier.rows("state, last_error")[0] == ("queued", "unreachable")
    for _ in range(2):
        notifier.let_time_pass()
        await notifier.dispatch()
    assert len(notifier.sms.sent) == 1
    assert len(notifier.sms.references) == 3
    assert len(set(notifier.sms.references)) == 1


async def test_a_channel_that_stays_down_has_a_visible_end(notifier):
    await notifier.submit()
    notifier.sms.errors = [ChannelDownError() for _ in range(MOST_TRIES)]
    for _ in range(MOST_TRIES + 2):
        notifier.let_time_pass()
        await notifier.dispatch()
    assert notifier.rows("state, tries")[0] == ("failed", MOST_TRIES)


async def test_a_refused_message_fails_and_is_visible(notifier):
    notifier.sms.errors = [RefusedError(Trouble.BAD_RECIPIENT)]
    await notifier.submit()
    await notifier.dispatch()
    notifier.let_time_pass()
    assert await notifier.dispatch() == 0
    shown = (await notifier.shown())["sms"]
    assert (shown.state, shown.last_error) == (State.FAILED, "bad_recipient")


async def test_a_channel_that_hangs_is_left_after_its_time(notifier, monkeypatch):
    monkeypatch.setattr("desk.notifier.service.SEND_SECONDS", 0.05)
    notifier.sms.hangs = True
    await notifier.submit()
    await notifier.dispatch()
    assert notifier.rows("state, last_error")[0] == ("queued", "no_answer")


async def test_a_channel_that_breaks_on_one_message_still_gets_the_others(notifier):
    notifier.sms.errors = [KeyError("return")]
    await notifier.submit(contact={"mobile": MOBILE, "email": None})
    await notifier.submit(contact={"mobile": MOBILE, "email": None})
    await notifier.dispatch()
    assert sorted(notifier.rows("state, last_error")) == [("handed_over", None), ("queued", "unexpected")]


async def test_a_message_left_claimed_by_a_crash_is_tried_again_with_the_same_reference(notifier):
    await notifier.submit()
    notifier.sms.hangs = True
    crashing = asyncio.create_task(notifier.dispatch())
    await notifier.sms.reached.wait()
    crashing.cancel()
    await asyncio.gather(crashing, return_exceptions=True)
    notifier.sms.hangs = False
    assert notifier.rows("state")[0] == ("claimed",)
    assert await notifier.dispatch() == 0, "the claim still holds"

    notifier.let_time_pass()
    assert await notifier.dispatch() == 1
    assert notifier.rows("state, tries")[0] == ("handed_over", 2)
    assert len(set(notifier.sms.references)) == 1


async def test_a_late_outcome_does_not_undo_the_claim_of_another_dispatcher(notifier):
    notifier.sms.hangs = True
    await notifier.submit()
    late = asyncio.create_task(notifier.dispatch())
    await notifier.sms.reached.wait()
    notifier.let_time_pass()
    async with notifier.parts.database.transaction() as session:
        store = MessageStore(session, notifier.parts.vault)
        [taken_over] = await store.claim(ChannelName.SMS, 1)
    async with notifier.parts.database.transaction() as session:
        store = MessageStore(session, notifier.parts.vault)
        lapsed = replace(taken_over, tries=1)
        assert not await store.record(lapsed, Outcome.put_off(1, Trouble.NO_ANSWER))
        assert not await store.record(lapsed, Outcome.handed_over("late"))
        assert await store.record(taken_over, Outcome.handed_over("in time"))
    late.cancel()
    assert notifier.rows("state, tries, provider_reference")[0] == ("handed_over", 2, "in time")


async def test_a_seal_that_does_not_open_is_put_off_and_holds_up_nothing(notifier):
    for _ in range(2):
        await notifier.submit(contact={"mobile": MOBILE, "email": None})
    notifier.execute("UPDATE message SET personal = x'026b31' || zeroblob(40) WHERE rowid = 1")
    await notifier.dispatch()
    assert sorted(notifier.rows("state")) == [("handed_over",), ("queued",)]


async def test_personal_data_cannot_be_read_in_the_database_file(notifier):
    await notifier.submit()
    await notifier.report("answered")
    await notifier.dispatch()
    code = notifier.rows("tracking_code")[0][0]
    await notifier.parts.database.close()  # what is still in the write-ahead log moves into the file
    written = b"".join(path.read_bytes() for path in notifier.path.parent.glob("notifier.db*"))
    assert code.encode() in written, "the test looks into the right files"
    written = written.replace(code.encode(), b"")  # its digits must not be taken for a part of the mobile number
    for word in (MOBILE, "9123456789", EMAIL, "رضایی", "زهرا", "قبض شما صادر شد"):
        assert word.encode() not in written


async def test_messages_are_shown_newest_first_and_by_code(notifier):
    await notifier.submit(contact={"mobile": MOBILE, "email": None})
    await notifier.submit(tracking_code="999999999999", contact={"mobile": MOBILE, "email": None})
    assert [message.tracking_code for message in await notifier.all_shown()] == ["999999999999", "123456789012"]
    assert [message.tracking_code for message in await notifier.all_shown("123456789012")] == ["123456789012"]


async def test_the_log_has_no_phone_name_address_or_text(notifier, event, submitted, monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    handlers, level, style = root.handlers, root.level, structlog.get_config()
    configure_logging("json", "DEBUG")
    notifier.sms.errors = [ChannelDownError(), KeyError(f"{MOBILE} رضایی"), RefusedError(Trouble.BAD_TEXT)]
    notifier.email.errors = [TimeoutError(EMAIL)]
    try:
        for _ in range(3):
            await notifier.submit()
        await notifier.report("answered")
        for state in ("info_requested", "rejected", "referred", "withdrawn", "identity_rejected"):
            await notifier.report(state, note="قبض")
        with pytest.raises(ContractError):
            await notifier.submit(contact={"mobile": f"{MOBILE}0", "email": EMAIL})
        await notifier.dispatch(ChannelName.SMS)
        await notifier.dispatch(ChannelName.EMAIL)
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.configure(**style)
    text = written.getvalue()
    assert "message tried" in text
    assert "channel failed" in text
    for word in ("9123456789", EMAIL, "example.ir", "رضایی", "زهرا", "قبض", "اصفهان"):
        assert word not in text
