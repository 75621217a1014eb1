"""The data keys of cases, on both databases: what is stored for a case is unreadable once its key is destroyed."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from desk.console.domain.cases import Case
from desk.console.domain.states import State
from desk.console.encryption import Encryption, new_key
from desk.console.store.cases import CaseStore, HistoryEntry
from desk.console.store.reports import NewFile, ReportStore
from desk.console.store.tables import entry
from desk.database import Database, DataKeys, data_key
from desk.expert import Report
from desk.iran.workdays import WorkCalendar
from desk.security.data_keys import KeyDestroyedError
from desk.testing.databases import copy_of, migrated_database

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
CASE, OTHER = Case("isfahan", "123456789018"), Case("isfahan", "210987654321")


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request, tmp_path):
    if request.param == "sqlite":
        url = copy_of(request.getfixturevalue("migrated_console"), tmp_path / "console.sqlite3")
    else:
        url = migrated_database(request.getfixturevalue("postgres_server"), "desk.console")
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
def encryption():
    return Encryption.from_text(new_key())


@pytest.fixture
async def stored(database, encryption):
    """Store an entry and a report with a file for each of two cases."""
    async with database.transaction() as session:
        cases, reports = CaseStore(session, encryption, WorkCalendar()), ReportStore(session, encryption)
        for case in (CASE, OTHER):
            code = case.tracking_code
            await cases.add_entry(case, HistoryEntry(f"entry of {code}", NOW, "note", text="متن"), NOW)
            report = Report(f"report-of-{code}", "case-answered", code, 1, {"text": "پاسخ"}, NOW)
            await reports.add(case.province, report, State.NEW, [NewFile("روادید.pdf", b"%PDF")])


@pytest.mark.usefixtures("stored")
async def test_the_entries_reports_and_files_of_a_case_are_read(database, encryption):
    async with database.transaction() as session:
        [history] = await CaseStore(session, encryption, WorkCalendar()).history("isfahan", CASE.tracking_code)
        waiting = await ReportStore(session, encryption).claim(NOW, 10)

    assert history.text == "متن"
    assert {each.report.data["text"] for each in waiting} == {"پاسخ"}
    assert {file.content for each in waiting for file in each.files} == {b"%PDF"}


@pytest.mark.usefixtures("stored")
async def test_each_case_has_one_key(database):
    async with database.read() as session:
        ids = (await session.execute(select(data_key.c.id).order_by(data_key.c.id))).scalars().all()

    assert ids == ["isfahan/123456789018", "isfahan/210987654321"]


@pytest.mark.usefixtures("stored")
async def test_once_its_key_is_destroyed_a_case_is_unreadable_and_others_are_not(database, encryption):
    async with database.transaction() as session:
        await DataKeys(encryption).destroy(session, ["isfahan/123456789018"])
        cases = CaseStore(session, encryption, WorkCalendar())

        with pytest.raises(KeyDestroyedError):
            await cases.history("isfahan", CASE.tracking_code)
        with pytest.raises(KeyDestroyedError):
            await ReportStore(session, encryption).claim(NOW, 10)
        assert len(await cases.history("isfahan", OTHER.tracking_code)) == 1


@pytest.mark.usefixtures("stored")
async def test_an_entry_from_before_there_were_keys_is_read(database, encryption):
    sealed = encryption.seal(b'{"text": "before"}', f"entry.words:entry of {CASE.tracking_code}")
    async with database.transaction() as session:
        await session.execute(entry.update().values(words=sealed).where(entry.c.tracking_code == CASE.tracking_code))
        await DataKeys(encryption).destroy(session, ["isfahan/123456789018"])
        [history] = await CaseStore(session, encryption, WorkCalendar()).history("isfahan", CASE.tracking_code)

    assert history.text == "before"
