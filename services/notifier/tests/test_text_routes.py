"""The routes of the texts: previews, who may call, and what is audited."""

from dataclasses import replace

from sqlalchemy import delete, insert, select
from support.text_editor import ANSWERED, Editor, sms

from desk.chassis.audit import chain_of
from desk.chassis.telemetry import Telemetry
from desk.database import audit_head, chain_entries
from desk.database.audit import audit_entry
from desk.notifier.app import create_app


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
    assert mail["longest"]["html"].startswith("<!DOCTYPE html>")
    assert submitted["longest"]["html"] is None
    assert {"name": "office", "title": "ادارهٔ رسیدگی‌کننده"} in mail["placeholders"]
    assert "name" not in {each["name"] for each in submitted["placeholders"]}
    assert found["fa", "code", "sms"]["parts_max"] == 1


async def test_a_preview_names_the_providers_that_store_the_text_in_force_but_not_the_new_one(notifier):
    account = {"sms": "smsir:2,kavenegar:1", "smsir_templates": {"fa/answered.sms.v2": 1, "fa/submitted.sms.v3": 2}}
    notifier.app = create_app(
        notifier.settings.model_copy(update=account), parts=replace(notifier.parts, telemetry=Telemetry("notifier"))
    )
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
