"""Texts of SMS and email in versions: drafts, approval by a second person, rules, previews, and what is sent."""

import copy
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import delete, insert, select, update

from desk.chassis.audit import chain_of
from desk.chassis.crypto import TokenIssuer
from desk.database import audit_head, chain_entries
from desk.database.audit import audit_entry
from desk.notifier.app import create_app
from desk.notifier.domain import ChannelName
from desk.notifier.forms import CodeToSend
from desk.notifier.service.texts import CurrentTexts, TextKind
from desk.notifier.store import text_tables

ANSWERED = "میز خدمت سازمان حج و زیارت\nپاسخ درخواست شما آماده است.\nکد پیگیری: {{ code }}"


class Editor:
    """A person of headquarters, with a new assertion for each call."""

    def __init__(self, notifier, person, *, key="headquarters", office="headquarters"):
        self.app, self.person = notifier.app, person
        self.issuer = TokenIssuer(notifier.office_keys[key][0], office)

    async def call(self, method, path, body=None, *, audience="desk.texts"):
        claims = {"act": {"sub": self.person}} if self.person else {}
        token = self.issuer.issue(claims, audience=audience, seconds=60)[0]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://notifier") as client:
            headers = {"Authorization": f"Bearer {token}"}
            return await client.request(method, f"/api/office/texts{path}", json=body, headers=headers)

    async def begin(self, **body):
        answer = await self.call("POST", "/drafts", {"note": "متن روشن‌تر", **body})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def save(self, draft, content):
        body = {"id": draft["id"], "revision": draft["revision"], "note": draft["note"], "content": content}
        return await self.call("PUT", "/drafts", body)

    async def propose(self, draft):
        return await self.call("POST", f"/drafts/{draft['id']}/proposal", {"revision": draft["revision"]})

    async def approve(self, draft, **body):
        return await self.call("POST", f"/drafts/{draft['id']}/approval", {"revision": draft["revision"], **body})

    async def preview(self, draft):
        found = (await self.call("GET", f"/drafts/{draft['id']}/preview")).json()
        return {(each["language"], each["notice"], each["channel"]): each for each in found}


@pytest.fixture
def author(notifier):
    return Editor(notifier, "author")


@pytest.fixture
def second(notifier):
    return Editor(notifier, "second")


@pytest.fixture
def drafted(author):
    """Save a draft with a change, and return it."""

    async def drafted(change, **begin):
        draft = await author.begin(**begin)
        content = copy.deepcopy(draft["content"])
        change(content)
        saved = await author.save(draft, content)
        assert saved.status_code == 200, saved.text
        return saved.json()

    return drafted


@pytest.fixture
def put_in_force(author, second, drafted):
    """Make a change of the newest version the next one."""

    async def put_in_force(change, **approval):
        draft = await drafted(change)
        assert (await author.propose(draft)).status_code == 200
        approved = await second.approve(draft, **approval)
        assert approved.status_code == 201, approved.text
        return approved.json()

    return put_in_force


@pytest.fixture
def refusals(author):
    """Return the errors with which a change is refused, by their places."""

    async def refusals(change):
        draft = await author.begin()
        content = copy.deepcopy(draft["content"])
        change(content)
        refused = await author.save(draft, content)
        assert refused.status_code == 422, refused.text
        assert refused.json()["code"] == "texts_invalid"
        return {each["field"]: each for each in refused.json()["errors"]}

    return refusals


def sms(text, notice="answered", language="fa"):
    return lambda content: content[language][notice]["sms"].update(text=text)


def email(notice="answered", language="fa", **changes):
    return lambda content: content[language][notice]["email"].update(changes)


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


TOO_MUCH = [
    "{{ code.__class__ }}",
    "{% for each in files %}{{ code }}{% endfor %}",
    "{{ code }} {# x #}",
    "{{ code }} {{ ''.__class__.__mro__ }}",
    "{{ code | upper }}",
    "{{ code }} {0}",
    "{{ code }} }}",
    "{{ code }} {{ name }}",
    "{{ code }} {{ subject }}",
    "{{ code }} {{ lines }}",
    "{{ code }} {{ frame }}",
    "{{{ code }}}",
]


@pytest.mark.parametrize("text", TOO_MUCH)
async def test_an_sms_with_anything_but_words_and_its_placeholders_is_refused(refusals, text):
    found = await refusals(sms(text))
    assert found["fa.answered.sms.text"]["code"] in {"placeholder_unknown", "braces"}
    assert "{{ code }}" in found["fa.answered.sms.text"]["message"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("پاسخ داده شد.", "code_missing"),
        ("کد: {{ code }} https://example.com", "link_in_sms"),
        ("کد: {{ code }} در haj.ir", "link_in_sms"),
        ("کد: {{ code }} در www.haj", "link_in_sms"),
        ("{{ code }}", "text_empty"),
        (" \u200c ", "text_empty"),
        ("{{ code }} " + "متن " * 40, "sms_too_long"),
    ],
)
async def test_an_sms_that_operators_or_applicants_would_not_accept_is_refused(refusals, text, code):
    found = await refusals(sms(text))
    assert {each["code"] for each in found.values()} == {code}


async def test_the_longest_values_decide_how_long_an_sms_may_be(refusals, drafted):
    typical = "درخواست شما برای {{ office }} ثبت شد. مهلت: {{ due_day_short }} کد پیگیری: {{ code }} " + "متن " * 15
    found = await refusals(sms(typical, "submitted"))
    assert found["fa.submitted.sms.text"]["code"] == "sms_too_long"
    assert "۳" in found["fa.submitted.sms.text"]["message"]
    await drafted(sms(typical[:-36], "submitted"))


async def test_a_code_has_a_single_part(refusals):
    found = await refusals(sms("کد تأیید: {{ digits }} " + "متن " * 16, "code"))
    assert found["fa.code.sms.text"]["code"] == "sms_too_long"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"subject": "{{ name }}"}, "fa.answered.email.subject"),
        ({"subject": "یک\nBcc: x@example.com"}, "fa.answered.email.subject"),
        ({"subject": ""}, "fa.answered.email.subject"),
        ({"paragraphs": ["یک {{ lines }}", "دو"]}, "fa.answered.email.paragraphs.1"),
        ({"paragraphs": ["یک", "{{ self._TemplateReference__context }}"]}, "fa.answered.email.paragraphs.2"),
        ({"paragraphs": ["یک"]}, "fa.answered.email.paragraphs"),
    ],
)
async def test_an_email_that_breaks_a_rule_is_refused_with_its_place(refusals, changes, place):
    assert place in await refusals(email(**changes))


async def test_a_document_that_cannot_be_read_is_refused(refusals):
    def change(content):
        del content["fa"]["answered"]

    assert (await refusals(change))["content"]["code"] == "texts_unreadable"
    assert "fa.answered.sms.more" in await refusals(lambda content: content["fa"]["answered"]["sms"].update(more=1))


async def test_a_preview_has_typical_and_longest_values_and_counts_the_parts(author, drafted):
    draft = await drafted(sms(ANSWERED))
    found = await author.preview(draft)
    changed = {place for place, each in found.items() if each["changed"]}
    answered, submitted = found["fa", "answered", "sms"], found["fa", "submitted", "sms"]
    english, mail = found["en", "submitted", "sms"], found["fa", "submitted", "email"]
    assert changed == {("fa", "answered", "sms")}
    assert answered["name"] == "fa/answered.sms.v3"
    assert (answered["parts_max"], answered["required"]) == (2, ["code"])
    assert answered["typical"]["parts"] == answered["longest"]["parts"] == 2
    assert submitted["longest"]["characters"] > submitted["typical"]["characters"] > 70
    assert "ستاد سازمان حج و زیارت" in submitted["longest"]["text"] or "استان" in submitted["longest"]["text"]
    assert (submitted["alphabet"], english["alphabet"]) == ("ucs2", "gsm")
    assert mail["typical"]["subject"].startswith("درخواست شما ثبت شد؛ کد پیگیری")
    assert {"name": "office", "title": "ادارهٔ رسیدگی‌کننده"} in mail["placeholders"]
    assert "name" not in {each["name"] for each in submitted["placeholders"]}
    assert found["fa", "code", "sms"]["parts_max"] == 1


async def test_a_preview_names_the_providers_that_store_the_text_in_force_but_not_the_new_one(notifier):
    account = {"sms": "smsir:2,kavenegar:1", "smsir_templates": {"fa/answered.sms.v2": 1, "fa/submitted.sms.v3": 2}}
    notifier.app = create_app(notifier.settings.model_copy(update=account), parts=notifier.parts)
    author = Editor(notifier, "author")
    draft = await author.begin()
    sms(ANSWERED)(draft["content"])
    saved = (await author.save(draft, draft["content"])).json()
    found = await author.preview(saved)
    assert {place: each["unregistered"] for place, each in found.items() if each["unregistered"]} == {
        ("fa", "answered", "sms"): ["smsir"]
    }


async def test_the_preview_of_a_version(author, put_in_force):
    await put_in_force(sms(ANSWERED))
    first = (await author.call("GET", "/versions/1/preview")).json()
    assert next(each for each in first if each["changed"])["name"] == "fa/answered.sms.v2"
    assert (await author.call("GET", "/versions/9/preview")).status_code == 404


async def test_only_a_person_of_headquarters_may_call(notifier, author):
    isfahan = Editor(notifier, "author", key="isfahan", office="isfahan")
    refused = await isfahan.call("GET", "/versions")
    assert (refused.status_code, refused.json()["code"]) == (403, "office_not_permitted")
    assert (await Editor(notifier, None).call("GET", "/versions")).json()["code"] == "person_missing"
    forged = Editor(notifier, "author", key="isfahan")
    assert (await forged.call("GET", "/versions")).status_code == 401
    for audience in ("desk.catalog", "desk.files", "notifier"):
        refused = await author.call("GET", "/versions", audience=audience)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (401, "aud")


async def test_every_action_is_audited_with_its_person(notifier, author, second, put_in_force):
    await put_in_force(sms(ANSWERED))
    draft = await author.begin()
    await author.call("DELETE", f"/drafts/{draft['id']}")
    await Editor(notifier, "x", key="isfahan").call("GET", "/versions")
    async with notifier.parts.database.transaction() as session:  # the migration's row, which an emptied table lacks
        await session.execute(delete(audit_head))
        await session.execute(insert(audit_head).values(id=1, seq=0, row_hash="0" * 64, seal=""))
    assert await chain_entries(notifier.parts.database, chain_of(notifier.parts.vault))
    async with notifier.parts.database.read() as session:
        found = (await session.execute(select(audit_entry).order_by(audit_entry.c.seq))).all()
    assert [(each.actor, each.action) for each in found] == [
        ("office headquarters author", "text_draft_begun"),
        ("office headquarters author", "text_draft_saved"),
        ("office headquarters author", "text_draft_proposed"),
        ("office headquarters second", "text_version_approved"),
        ("office headquarters author", "text_draft_begun"),
        ("office headquarters author", "text_draft_discarded"),
        ("unknown", "assertion_refused"),
    ]
