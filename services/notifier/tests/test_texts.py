"""Texts of SMS and email in versions: what is sent, from when, and on which replicas."""

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select, update
from support.text_editor import ANSWERED, email, sms

from desk.notifier.domain import ChannelName, Language, Place, SmsText, Template, Texts, numbered
from desk.notifier.forms import CodeToSend
from desk.notifier.service.texts import CurrentTexts, TextKind
from desk.notifier.store import text_tables
from desk.testing.health import get_health


async def test_a_text_of_two_people_is_sent_from_then_on_and_a_queued_message_keeps_its_text(notifier, put_in_force):
    await notifier.change_status()
    version = await put_in_force(sms(ANSWERED))
    await notifier.change_status(tracking_code="210987654321")

    await notifier.dispatch()
    assert version["number"] == 2
    texts = {row[0] for row in await notifier.rows("wording")}
    assert {"fa/answered.sms.v2", "fa/answered.sms.v3", "fa/answered.email.v2"} == texts
    assert notifier.sms.sent[-1].text == ANSWERED.replace("{{ code }}", "210987654321")
    assert "به درخواست شما پاسخ داده شد." in notifier.sms.sent[0].text


async def test_an_email_has_the_new_subject_and_paragraphs_around_its_fixed_parts(notifier, put_in_force):
    opening = "{{ name }} گرامی، کارشناسان {{ office }} <b>پاسخ</b> دادند.\n\nدو بند دارد."
    await put_in_force(email(subject="پاسخ {{ office }}", paragraphs=[opening, "نشانی:"]))
    await notifier.change_status()

    await notifier.dispatch(ChannelName.EMAIL)
    [sent] = notifier.email.sent
    assert sent.subject == "پاسخ استان اصفهان؛ کد پیگیری ۱۲۳۴۵۶۷۸۹۰۱۲"
    assert "سرکار خانم رضایی‌نژاد گرامی، کارشناسان استان اصفهان <b>پاسخ</b> دادند.\n\nدو بند دارد.\n\n" in sent.text
    assert "قبض شما صادر شد." in sent.text
    assert "https://desk.example.ir/track" in sent.text
    assert "&lt;b&gt;پاسخ&lt;/b&gt; دادند.</p>" in sent.html
    assert "<b>" not in sent.html


async def test_a_code_has_its_new_text(notifier, put_in_force):
    await put_in_force(sms("کد شما: {{digits}}", "code"))
    now = datetime.now(UTC) + timedelta(minutes=5)
    async with notifier.parts.database.transaction() as session:
        codes = notifier.app.state.services.codes
        body = {"mobile": "+989123456789", "code": "40967", "expires_at": now.isoformat()}
        await codes.queue(session, CodeToSend.model_validate(body))
    assert [each.text for each in await notifier.all_shown()] == ["کد شما: 40967"]


def number_of(draft):
    return draft["content"]["fa"]["answered"]["sms"]["number"]


async def test_the_same_text_always_has_the_same_name(author, put_in_force, drafted):
    await put_in_force(sms(ANSWERED))
    back = await drafted(lambda _: None, from_version=1)
    assert number_of(back) == 2
    later = await drafted(sms(ANSWERED + "\nسپاس"))
    assert number_of(later) == 4
    invented = await drafted(lambda content: content["fa"]["answered"]["sms"].update(number=77))
    assert number_of(invented) == 3
    assert invented["changes"] == []


async def test_a_draft_shows_what_differs(drafted):
    saved = await drafted(sms(ANSWERED))
    assert [each["path"] for each in saved["changes"]] == ["fa.answered.sms.number", "fa.answered.sms.text"]
    assert saved["changes"][1]["after"] == ANSWERED


async def test_the_author_of_a_text_cannot_approve_it(author, drafted):
    draft = await drafted(sms(ANSWERED))
    await author.propose(draft)
    refused = await author.approve(draft)
    assert (refused.status_code, refused.json()["code"]) == (403, "second_person_needed")


async def test_a_text_is_in_force_at_its_time_on_every_replica_and_can_be_cancelled_before(
    notifier, second, put_in_force
):
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    version = await put_in_force(sms(ANSWERED), in_force_at=at.isoformat())
    other = CurrentTexts(notifier.parts.database)
    await other.run_once()
    assert other.number == 1
    other._clock = lambda: at
    other._until = at
    assert other.number == 2
    assert other.get().fa["answered"].sms.text == ANSWERED

    assert (await second.call("DELETE", f"/versions/{version['number']}")).status_code == 204
    await other.run_once()
    assert other.number == 1


async def test_a_replica_that_cannot_read_the_database_keeps_its_last_version(notifier, put_in_force):
    await put_in_force(sms(ANSWERED))
    other = CurrentTexts(notifier.parts.database)
    await other.run_once()
    async with notifier.parts.database.transaction() as session:
        [row] = (await session.execute(select(text_tables.version).where(text_tables.version.c.number == 2))).mappings()
        await session.execute(insert(text_tables.version).values({**row, "number": 3, "content": "{"}))
    await other.run_once()
    assert other.get().fa["answered"].sms.text == ANSWERED


async def test_a_new_replica_reads_the_texts_in_force_before_its_first_message(make, notifier, put_in_force):
    await put_in_force(sms(ANSWERED))
    other = await make()
    await other.change_status(seq=5)
    assert ("fa/answered.sms.v3",) in await other.rows("wording")


async def test_texts_that_cannot_be_read_do_not_stop_a_new_replica(make, notifier, put_in_force):
    await put_in_force(sms(ANSWERED))
    async with notifier.parts.database.transaction() as session:
        await session.execute(update(text_tables.version).values(content="{"))
    other = await make()
    assert (await get_health(other.app, "/health/ready")).status_code == 200
    await other.change_status(seq=5)
    assert ("fa/answered.sms.v2",) in await other.rows("wording")


async def test_a_message_needs_no_query_for_its_text(notifier, put_in_force, monkeypatch):
    await put_in_force(sms(ANSWERED))

    async def refuse(_):
        raise AssertionError("the version was read again")

    current = notifier.app.state.services.editing.drafts.current
    monkeypatch.setattr(current, "_read", refuse)
    await notifier.change_status()
    assert ("fa/answered.sms.v3",) in await notifier.rows("wording")


async def test_a_notice_that_a_stored_version_lacks_has_the_text_of_the_package():
    document = TextKind().first().model_dump(mode="json")
    del document["en"]["unanswered"]
    document["fa"]["answered"]["email"]["paragraphs"].append("یک بند دیگر")
    document["fa"]["retired"] = document["fa"]["answered"]
    assert TextKind().stored(json.dumps(document)) == TextKind().first()


async def test_a_stored_text_with_a_placeholder_that_this_release_lacks_has_the_text_of_the_package():
    document = TextKind().first().model_dump(mode="json")
    document["fa"]["answered"]["sms"]["text"] = "{{ code }} {{ of_a_later_release }}"
    document["fa"]["answered"]["email"]["subject"] = "{{ of_a_later_release }}"
    document["fa"]["answered"]["sms"]["number"] = document["fa"]["answered"]["email"]["number"] = 9
    assert TextKind().stored(json.dumps(document)) == TextKind().first()


def test_words_of_a_later_package_never_get_the_name_of_words_that_a_version_had():
    first, place = TextKind().first(), Place(Language.FA, Template.ANSWERED, ChannelName.SMS)

    def with_words(text, number):
        texts = dict(first.items())
        return Texts.of(texts | {place: SmsText(number=number, text=text)})

    written, released = with_words("کد {{ code }} نوشته", 3), with_words("کد {{ code }} تازه", 3)
    assert numbered(released, [written, first, released]).at(place).number == 4
    assert numbered(written, [written, first, released]).at(place).number == 3
