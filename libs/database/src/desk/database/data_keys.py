"""The table of data keys. Destroying a row makes every copy of the data unreadable, also one in an old backup."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Column, Executable, LargeBinary, MetaData, String, Table, delete, insert, select

from desk.database.sessions import DatabaseSession
from desk.database.tables import UtcDateTime, insert_into, new_metadata
from desk.security.data_keys import DataKey, KeyDestroyedError, KeyWrapper, is_sealed_by_data_key

data_key = Table(
    "data_key",
    new_metadata(),
    Column("id", String(64), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""``wrapped`` is the key, encrypted for the place ``data_key.wrapped:<id>``. A query that reads personal data joins
this table, so that no further statement is needed. Backups of data leave out its rows; see docs/operations.md."""

_ADD = insert(data_key)  # built once: it is executed for every submission


def add_data_keys(metadata: MetaData) -> None:
    """Add the table of data keys to a service's own schema."""
    data_key.to_metadata(metadata)


class DataKeys:
    """Creates, finds and destroys the data keys of one database."""

    def __init__(self, wrapper: KeyWrapper) -> None:
        """``wrapper`` encrypts the keys."""
        self._wrapper = wrapper

    async def add(self, session: DatabaseSession, key: DataKey) -> None:
        """Insert a key that is new."""
        await session.execute(_ADD, self.row(key))

    async def create(self, session: DatabaseSession, key_id: str) -> DataKey:
        """Insert a new key and return it."""
        key = DataKey.generate(key_id)
        await self.add(session, key)
        return key

    async def get_or_create(self, session: DatabaseSession, key_id: str) -> DataKey:
        """Return the key with this id; create it if there is none, once for concurrent callers."""
        adding = _add_or_find(session.dialect)
        wrapped = (await session.execute(adding, self.row(DataKey.generate(key_id)))).scalar_one()
        return self.unwrap(key_id, wrapped)

    async def load(self, session: DatabaseSession, ids: Sequence[str]) -> dict[str, DataKey]:
        """Return those of the keys that exist, by their ids."""
        rows = (await session.execute(select(data_key.c.id, data_key.c.wrapped).where(data_key.c.id.in_(ids)))).all()
        return {row.id: self.unwrap(row.id, row.wrapped) for row in rows}

    async def destroy(self, session: DatabaseSession, ids: Sequence[str]) -> int:
        """Delete keys and return how many there were. What they encrypted cannot be read any more."""
        deleted = await session.execute(delete(data_key).where(data_key.c.id.in_(ids)).returning(data_key.c.id))
        return len(deleted.all())

    def unwrap(self, key_id: str, wrapped: bytes | None) -> DataKey:
        """Return a key from its row. Raises KeyDestroyedError if there is no row, and DecryptionError."""
        if wrapped is None:
            raise KeyDestroyedError(f"the key {key_id} does not exist")
        return DataKey(key_id, self._wrapper.open(wrapped, _place(key_id)))

    def open(self, sealed: bytes, place: str, key_id: str, wrapped: bytes | None) -> bytes:
        """Decrypt a value of a row that was joined with its key's row. Raises KeyDestroyedError or DecryptionError.

        A value from before there were data keys is encrypted with the wrapper itself.
        """
        if not is_sealed_by_data_key(sealed):
            return self._wrapper.open(sealed, place)
        return self.unwrap(key_id, wrapped).open(sealed, place)

    def row(self, key: DataKey) -> dict[str, object]:
        """Return the row of a key, for a caller that inserts it together with others."""
        wrapped = self._wrapper.seal(key.secret, _place(key.id))
        return {"id": key.id, "wrapped": wrapped, "created_at": datetime.now(UTC)}


@cache
def _add_or_find(dialect: str) -> Executable:
    new = insert_into(dialect, data_key)
    return new.on_conflict_do_update(index_elements=["id"], set_={"id": new.excluded.id}).returning(data_key.c.wrapped)


def _place(key_id: str) -> str:
    return f"data_key.wrapped:{key_id}"
