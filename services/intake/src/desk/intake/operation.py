"""What the operators' commands ``desk-keys`` and ``desk-audit`` work on."""

from typing import Any

from sqlalchemy import Row, update

from desk.chassis.audit import chain_of, record_operator
from desk.chassis.crypto import Vault
from desk.database import DATA_KEYS, Database, DatabaseSession, IndexedTable, Rotation, SealedColumn
from desk.database.operation import StoredData
from desk.intake.settings import Settings
from desk.intake.store.requests import SELECT_REQUESTS, RequestStore, request_indexes
from desk.intake.store.tables import answer_file, attachment, identity_check, request
from desk.security.data_keys import KeyDestroyedError

SEALED = (
    DATA_KEYS,
    SealedColumn(request, "personal", "request.personal:{id}"),
    SealedColumn(identity_check, "person", "identity_check.person:{request_id}"),
    SealedColumn(attachment, "name", "attachment.name:{id}"),
    SealedColumn(answer_file, "name", "answer_file.name:{id}"),
)
"""Every column with values of the vault. All but the first have some only from before there were data keys."""


def rotation(database: Database, vault: Vault) -> Rotation:
    """Return the rotation of intake's keys. The idempotency index keeps its key; see docs/adr/0074."""

    async def rewrite(session: DatabaseSession, row: Row[Any]) -> None:
        if row.erased_at is not None:
            raise KeyDestroyedError("the request was erased")
        values = request_indexes(RequestStore(session, vault).read(row), vault)
        await session.execute(update(request).where(request.c.id == row.id).values(values))
        files = update(attachment).where(attachment.c.request_id == row.id)
        await session.execute(files.values(owner_index=values["owner_index"]))

    indexed = IndexedTable(request, vault.index_key_ids[0], SELECT_REQUESTS, rewrite)
    return Rotation(database, vault, SEALED, [indexed])


def stored_data() -> StoredData:
    """Read the settings. Raises ValidationError or SettingsError."""
    settings = Settings()
    vault = settings.vault()
    database = Database(settings.database_url.get_secret_value(), statement_seconds=None)
    return StoredData(database, rotation(database, vault), chain_of(vault), record_operator)
