"""Hostile texts on their way through the services: row 19. Pages and console are tested in a browser."""

import email
import email.policy

import pytest
from attacks.attacked_desk import AttackedDesk
from support.applicant import PDF
from support.embedded_desk import wait_for

from desk.iran.digits import to_persian

pytestmark = pytest.mark.attacks

SCRIPT, TEMPLATE, FORMULA = "<script>alert(1)</script>", "{{7*7}}", "=cmd|' /C calc'!A0"
OVERRIDE, BELL = "\u202e", "\x07"
HOSTILE = f"{SCRIPT} {TEMPLATE} {FORMULA} {OVERRIDE}gpj.exe"


def test_row_19_hostile_texts_and_names_of_files_are_shown_as_text(desk: AttackedDesk):
    person = desk.person()
    person.identify()
    file = person.upload(f"{OVERRIDE}<b>..\\..\\=cmd.pdf", PDF)
    sent = person.send(person.form(text=f"{HOSTILE}{BELL}", attachments=[file]))
    assert sent.status_code == 201, sent.text
    code = sent.json()["tracking_code"]
    event = wait_for(lambda: desk.services.province.of(code))[0]["data"]
    desk.services.province.report(code, "case-answered", 1, text=f"پاسخ {HOSTILE}")

    view = person.sees(code, "answered")

    assert all(part in view["text"] for part in (SCRIPT, TEMPLATE, FORMULA)), "the text is kept as text"
    name = event["attachments"][0]["name"]
    assert view["answer"]["text"].endswith(HOSTILE), "as written; the page isolates each text of people"
    for text in (view["text"], event["text"], name):
        assert OVERRIDE not in text
        assert BELL not in text
    assert not set(name) & set("<>/\\")

    mails = wait_for(lambda: found if len(found := mails_about(desk, code)) == 2 else None)
    pages = [part.get_content() for mail in mails for part in mail.walk() if part.get_content_type() == "text/html"]
    assert len(pages) == len(mails)
    assert not any(SCRIPT in page or OVERRIDE in page for page in pages)
    assert any("&lt;script&gt;" in page and TEMPLATE in page for page in pages)


def mails_about(desk: AttackedDesk, code: str) -> list[email.message.EmailMessage]:
    """Return the emails whose subject has the tracking code."""
    read = [email.message_from_bytes(each, policy=email.policy.default) for each in desk.services.mail.mails]
    return [each for each in read if to_persian(code) in str(each["subject"])]
