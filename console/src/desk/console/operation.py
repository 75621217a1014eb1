"""What the operators' commands ``desk-keys`` and ``desk-audit`` work on."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select, update

from desk.console.encryption import Encryption
from desk.console.settings import Settings
from desk.console.store.audit import ALL_PROVINCES, AuditStore, audit_chain
from desk.console.store.cases import CaseStore
from desk.console.store.search_index import SearchIndex
from desk.console.store.tables import account, case, case_document, draft, entry, outgoing_file, report
from desk.database import DATA_KEYS, Database, DatabaseSession, IndexedTable, Rotation, SealedColumn
from desk.database.operation import StoredData
from desk.iran.workdays import WorkCalendar

SEALED = (
    DATA_KEYS,
    SealedColumn(account, "totp", "account.totp:{id}"),
    SealedColumn(draft, "document", "draft.document:{account}/{subject}"),
    SealedColumn(case_document, "document", "case.document:{province}/{tracking_code}"),
    SealedColumn(entry, "words", "entry.words:{id}"),
    SealedColumn(report, "data", "report.data:{id}"),
    SealedColumn(outgoing_file, "content", "outgoing_file:{report}/{position}"),
    SealedColumn(outgoing_file, "document", "outgoing_file:{report}/{position}"),
)
"""Every column with values of the keys of the settings; from the fourth on only those from before data keys."""


def rotation(database: Database, encryption: Encryption) -> Rotation:
    """Return the rotation of the console's keys: they encrypt, and hash the words of the search index."""

    async def rewrite(session: DatabaseSession, row: Row[Any]) -> None:
        cases = CaseStore(session, encryption, WorkCalendar())
        (record,) = await cases.with_requests([row])
        if record.request is not None:
            await SearchIndex(session, encryption, cases).index(record.case, record.request)
        else:  # its request has not arrived, so that no word finds it
            same = (case.c.province == row.province, case.c.tracking_code == row.tracking_code)
            await session.execute(update(case).where(*same).values(index_key=encryption.index_key_id))

    indexed = IndexedTable(case, encryption.index_key_id, select(case), rewrite)
    return Rotation(database, encryption, SEALED, [indexed])


async def _record(session: DatabaseSession, about: str) -> None:
    await AuditStore(session).add(datetime.now(UTC), ALL_PROVINCES, None, "keys_rotated", about=about)


def stored_data() -> StoredData:
    """Read the settings. Raises ValidationError or SettingsError."""
    settings = Settings()
    encryption = Encryption.from_text(settings.keys.get_secret_value())
    database = Database(settings.database_url.get_secret_value(), statement_seconds=None)
    return StoredData(database, rotation(database, encryption), audit_chain(encryption), _record)
