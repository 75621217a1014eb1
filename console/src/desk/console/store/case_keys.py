"""The data keys of cases: one for each case of a province, created with the first thing that is encrypted for it."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, literal

from desk.console.encryption import Encryption
from desk.database import DatabaseSession, DataKeys, data_key
from desk.security.data_keys import DataKey

_KNOWN = "data keys of cases"


def is_key_of(table: FromClause) -> ColumnElement[bool]:
    """Match the data key of a row's case, for a join of the table of keys."""
    return data_key.c.id == table.c.province + literal("/") + table.c.tracking_code


class CaseKeys:
    """Encrypts for cases in one session, and decrypts rows that were joined with their keys as column ``wrapped``."""

    def __init__(self, session: DatabaseSession, encryption: Encryption) -> None:
        self._session, self._keys = session, DataKeys(encryption)

    async def get(self, province: str, tracking_code: str) -> DataKey:
        """Return the key of a case; it is created if there is none, and read once in a session."""
        known: dict[str, DataKey] = self._session.info.setdefault(_KNOWN, {})
        key_id = f"{province}/{tracking_code}"
        if key_id not in known:
            known[key_id] = await self._keys.get_or_create(self._session, key_id)
        return known[key_id]

    async def destroy(self, province: str, tracking_code: str) -> None:
        """Destroy the key of a case: what it encrypted cannot be read any more."""
        key_id = f"{province}/{tracking_code}"
        self._session.info.setdefault(_KNOWN, {}).pop(key_id, None)
        await self._keys.destroy(self._session, [key_id])

    def open(self, row: Row[Any], sealed: bytes, context: str) -> bytes:
        """Decrypt a value of a row with ``province``, ``tracking_code`` and ``wrapped``.

        Raises KeyDestroyedError or DecryptionError.
        """
        return self._keys.open(sealed, context, f"{row.province}/{row.tracking_code}", row.wrapped)
