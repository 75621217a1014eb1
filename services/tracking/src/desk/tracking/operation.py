"""What the operators' commands ``desk-keys`` and ``desk-audit`` work on."""

from typing import Any

from sqlalchemy import Row, update

from desk.chassis.audit import chain_of, record_operator
from desk.chassis.crypto import Vault
from desk.database import DATA_KEYS, Database, DatabaseSession, IndexedTable, Rotation, SealedColumn
from desk.database.operation import StoredData
from desk.security.data_keys import KeyDestroyedError
from desk.tracking.settings import Settings
from desk.tracking.store.case_rows import owner_columns
from desk.tracking.store.cases import SELECT_CASES, CaseStore
from desk.tracking.store.tables import case_table, step_table

SEALED = (
    DATA_KEYS,
    SealedColumn(case_table, "request", "case.request:{tracking_code}"),
    SealedColumn(step_table, "words", "step.words:{event_id}"),
)
"""Every column with values of the vault. All but the first have some only from before there were data keys."""


def rotation(database: Database, vault: Vault) -> Rotation:
    """Return the rotation of tracking's keys."""

    async def rewrite(session: DatabaseSession, row: Row[Any]) -> None:
        if not row.request:
            raise KeyDestroyedError("the case was erased")
        _, request = CaseStore(session, vault).read(row)
        same = case_table.c.tracking_code == row.tracking_code
        await session.execute(update(case_table).where(same).values(owner_columns(request, vault)))

    indexed = IndexedTable(case_table, vault.index_key_ids[0], SELECT_CASES, rewrite)
    return Rotation(database, vault, SEALED, [indexed])


def stored_data() -> StoredData:
    """Read the settings. Raises ValidationError or SettingsError."""
    settings = Settings()
    vault = settings.vault()
    database = Database(settings.database_url.get_secret_value(), statement_seconds=None)
    return StoredData(database, rotation(database, vault), chain_of(vault), record_operator)
