"""Erasure in the console, on both databases: nothing of the case remains but its code."""

import pytest
from sqlalchemy import select
from support.console_service import CODE, OTHER_CODE, ConsoleFixture, erasure, event

from desk.console.domain.errors import CaseErasedError
from desk.console.service.drafts import Drafts
from desk.console.store.reports import NewFile
from desk.console.store.tables import (
    audit_entry,
    case,
    case_document,
    draft,
    entry,
    metadata,
    outgoing_file,
    report,
)
from desk.database import data_key
from desk.testing.databases import copy_of, migrated_database

CERTIFICATE = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@pytest.fixture(params=["sqlite", "postgresql"])
async def console(request, tmp_path):
    if request.param == "sqlite":
        url = copy_of(request.getfixturevalue("migrated_console"), tmp_path / "console.sqlite3")
    else:
        url = migrated_database(request.getfixturevalue("postgres_server"), "desk.console")
    console = ConsoleFixture(url)
    yield console
    await console.database.close()


async def rows(console, table):
    async with console.database.read() as session:
        return list((await session.execute(select(table))).all())


@pytest.fixture
async def answered(console):
    """A case with a history, an answer with a file that is still to be sent, and a draft; and another case."""
    account = await console.account("expert")
    drafts = Drafts(console.database, console.encryption, console.clock)
    await console.handle(event("request-submitted", 1), event("request-submitted", 1, OTHER_CODE))
    await drafts.keep_rest(account.id, CODE, {"text": "پیش‌نویس دربارهٔ نرگس"})
    await console.experts.answer(account, CODE, "پاسخ به خانم باران‌دشت", [NewFile("روادید.pdf", b"%PDF")])
    return account, drafts


@pytest.mark.usefixtures("answered")
async def test_nothing_of_an_erased_case_remains_but_its_code(console):
    await console.handle(erasure(9))

    remaining = {
        table.name
        for table in metadata.sorted_tables
        if "tracking_code" in table.c and CODE in {row.tracking_code for row in await rows(console, table)}
    }
    assert remaining == {case.name, report.name, audit_entry.name}
    assert await rows(console, draft) == await rows(console, outgoing_file) == []
    assert [row.id for row in await rows(console, data_key)] == [f"isfahan/{OTHER_CODE}"]
    assert [row.name for row in await rows(console, report) if row.tracking_code == CODE] == ["case-erased"]
    [row] = [row for row in await rows(console, case) if row.tracking_code == CODE]
    assert (row.state, row.sub_subject, row.submitted_at, row.rating, row.answerer) == ("erased", "", None, None, None)
    audit = [row for row in await rows(console, audit_entry) if row.kind == "case-erased"]
    assert [(row.tracking_code, row.account, row.about) for row in audit] == [(CODE, None, None)]


@pytest.mark.usefixtures("answered")
async def test_the_erasure_is_acknowledged_and_unsent_reports_are_dropped(console):
    await console.handle(erasure(9))
    await console.send_all()
    of_case = [each for each in console.client.sent if each.tracking_code == CODE]
    assert [(each.name, each.data) for each in of_case] == [("case-erased", {"certificate_id": CERTIFICATE})]
    assert of_case[0].seq > 1, "numbers of reports go on"
    assert console.client.files == []
    assert [row.id for row in await rows(console, data_key)] == [f"isfahan/{OTHER_CODE}"]


@pytest.mark.parametrize("kind", ["request-submitted", "request-referred", "request-rated", "request-overdue"])
async def test_a_late_event_brings_nothing_back(console, kind):
    await console.handle(erasure(5))
    for seq in (1, 20):
        await console.handle(event(kind, seq, rating=5, due_at="2026-12-06T20:29:59Z"))
    assert [row.state for row in await rows(console, case)] == ["erased"]
    assert await rows(console, data_key) == await rows(console, entry) == await rows(console, case_document) == []


async def test_experts_cannot_act_on_an_erased_case_or_keep_a_draft_of_it(console, answered):
    account, drafts = answered
    await console.handle(erasure(9))
    with pytest.raises(CaseErasedError):
        await console.experts.view("isfahan", CODE)
    with pytest.raises(CaseErasedError):
        await console.experts.answer(account, CODE, "پاسخ دیگر")
    await drafts.keep_rest(account.id, CODE, {"text": "باز هم"})
    assert await rows(console, draft) == []


@pytest.mark.usefixtures("answered")
async def test_another_case_stays(console):
    await console.handle(erasure(9))
    assert (await console.experts.view("isfahan", OTHER_CODE)).record.request is not None
