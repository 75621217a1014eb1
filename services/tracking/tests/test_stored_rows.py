"""Rows that earlier versions wrote stay readable."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from desk.database import DataKeys
from desk.security.data_keys import KeyDestroyedError
from desk.tracking.domain import Answer, File, Subject
from desk.tracking.store import CaseStore, case_table, step_table

REQUEST = """{
 "tracking_code": "572345678909", "submitted_at": "2026-12-13T11:00:00Z", "due_at": "2026-12-20T20:29:59Z",
 "province": {"key": "isfahan", "name": "اصفهان"},
 "subject": {"key": "hajj_deposit", "title": "ودیعه‌گذاری و قبوض حج تمتع"},
 "sub_subject": {"key": "lost_receipt", "title": "گم شدن قبض"},
 "applicant": {"first_name": "زهرا", "last_name": "رضایی‌نژاد", "gender": "female",
  "national_id": "0013542419", "birth_date": "1361-12-05"},
 "contact": {"mobile": "+989123456789", "landline": null, "email": null},
 "text": "متن درخواست",
 "attachments": [{"id": "a-1", "name": "فیش.jpg", "size": 9, "media_type": "image/jpeg", "sha256": "b"}]
}"""
CODE = "572345678909"
WORDS = """{"note": null, "answer": {"text": "پاسخ", "at": "2026-12-14T12:00:00Z",
 "files": [{"id": "f-1", "name": "قبض.pdf", "size": 12, "media_type": "application/pdf", "sha256": "a"}]}}"""


async def test_a_request_without_identity_and_language_has_their_defaults(tracking, submission):
    vault = tracking.parts.vault
    await tracking.bus.handle(submission(CODE))
    async with tracking.parts.database.transaction() as session:
        sealed = vault.seal(REQUEST.encode(), f"case.request:{CODE}")
        await session.execute(update(case_table).values(request=sealed))
        _, request = await CaseStore(session, vault).find_and_lock(CODE)
    assert (request.identity, request.contact.language) == ("confirmed", "fa")
    assert request.sub_subject == Subject("lost_receipt", "گم شدن قبض")
    assert request.attachments == (File("a-1", "فیش.jpg", 9, "image/jpeg", "b"),)
    assert request.submitted_at.isoformat() == "2026-12-13T11:00:00+00:00"


async def test_an_entry_without_files_is_read(tracking, submission):
    vault = tracking.parts.vault
    await tracking.bus.handle(submission(CODE))
    event_id = await tracking.report("case-answered", CODE)
    async with tracking.parts.database.transaction() as session:
        sealed = vault.seal(WORDS.encode(), f"step.words:{event_id}")
        await session.execute(update(step_table).where(step_table.c.event_id == event_id).values(words=sealed))
    [_, entry] = await tracking.history(CODE)
    file = File("f-1", "قبض.pdf", 12, "application/pdf", "a")
    assert entry.answer == Answer("پاسخ", datetime(2026, 12, 14, 12, tzinfo=UTC), (file,))
    assert (entry.note, entry.rating, entry.files) == (None, None, ())


async def test_once_its_key_is_destroyed_a_case_is_unreadable(tracking, submission):
    await tracking.bus.handle(submission(CODE))
    await tracking.report("case-answered", CODE)
    async with tracking.parts.database.transaction() as session:
        assert await DataKeys(tracking.parts.vault).destroy(session, [CODE]) == 1

    with pytest.raises(KeyDestroyedError):
        await tracking.history(CODE)
    with pytest.raises(KeyDestroyedError):
        async with tracking.parts.database.transaction() as session:
            await CaseStore(session, tracking.parts.vault).find_and_lock(CODE)
