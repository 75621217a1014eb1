"""What the operators' commands ``desk-keys`` and ``desk-audit`` work on."""

from typing import Any

from sqlalchemy import Row, select, update

from desk.chassis.audit import chain_of, record_operator
from desk.chassis.crypto import Vault
from desk.database import DATA_KEYS, Database, DatabaseSession, IndexedTable, Rotation, SealedColumn
from desk.database.operation import StoredData
from desk.notifier.domain import ChannelName
from desk.notifier.settings import Settings
from desk.notifier.store.messages import recipient_indexes
from desk.notifier.store.personal import Encrypted, PersonalData
from desk.notifier.store.tables import message, wrapped_key
from desk.security.data_keys import KeyDestroyedError

SEALED = (DATA_KEYS, SealedColumn(message, "personal", "message.personal:{id}"))
"""Every column with values of the vault: of messages those of codes by SMS, and those from before data keys."""


def rotation(database: Database, vault: Vault) -> Rotation:
    """Return the rotation of notifier's keys."""

    async def rewrite(session: DatabaseSession, row: Row[Any]) -> None:
        if not row.personal:
            raise KeyDestroyedError("the message was erased")
        personal = PersonalData.decrypt(vault, row.id, Encrypted(row.personal, row.tracking_code, row.wrapped))
        recipient = recipient_indexes(personal, ChannelName(row.channel), vault)[0]
        values = {"recipient_index": recipient, "index_key": vault.index_key_ids[0]}
        await session.execute(update(message).where(message.c.id == row.id).values(values))

    indexed = IndexedTable(message, vault.index_key_ids[0], select(message, wrapped_key), rewrite)
    return Rotation(database, vault, SEALED, [indexed])


def stored_data() -> StoredData:
    """Read the settings. Raises ValidationError or SettingsError."""
    settings = Settings()
    vault = settings.vault()
    database = Database(settings.database_url.get_secret_value(), statement_seconds=None)
    return StoredData(database, rotation(database, vault), chain_of(vault), record_operator)
