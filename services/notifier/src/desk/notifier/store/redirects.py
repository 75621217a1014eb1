"""Sends what waits for the former mobile of a request to its new one."""

import uuid
from typing import Any

from sqlalchemy import Row, Select, select, update

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession, DataKeys
from desk.notifier.domain import ChannelName, State, Template
from desk.notifier.store.messages import recipient_indexes
from desk.notifier.store.personal import Encrypted, PersonalData
from desk.notifier.store.tables import LOCK_REQUEST, message, request_name, wrapped_key


class RedirectStore:
    """Waiting messages in one session."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._keys = DataKeys(vault)

    async def redirect(self, tracking_code: str, mobile: str) -> int:
        """Give the request's SMS of which no attempt was made another recipient, and return their number.

        After an attempt a provider may have the message. The notice about the change itself stays with the former
        mobile. A message that a dispatcher is claiming is skipped.
        """
        if self._session.dialect == "postgresql":  # before its rows, as every other writer does
            await self._session.execute(select(LOCK_REQUEST), {"request": request_name(tracking_code)})
        query: Select[Any] = (
            select(message.c.id, message.c.tracking_code, message.c.personal, wrapped_key)
            .where(
                message.c.tracking_code == tracking_code,
                message.c.channel == ChannelName.SMS,
                message.c.state == State.QUEUED,
                message.c.tries == 0,
                message.c.template != Template.CONTACT_CHANGED,
            )
            .with_for_update(skip_locked=True, of=message)
        )
        rows = (await self._session.execute(query)).all()
        for row in rows:
            await self._session.execute(update(message).where(message.c.id == row.id).values(self._values(row, mobile)))
        return len(rows)

    def _values(self, row: Row[Any], mobile: str) -> dict[str, object]:
        message_id: uuid.UUID = row.id
        encrypted = Encrypted(row.personal, row.tracking_code, row.wrapped)
        before = PersonalData.decrypt(self._vault, message_id, encrypted)
        personal = before.model_copy(update={"recipient": mobile})
        key = self._keys.unwrap(row.tracking_code, row.wrapped)
        return {
            "personal": personal.encrypt(key, message_id),
            "recipient_index": recipient_indexes(personal, ChannelName.SMS, self._vault)[0],
            "index_key": self._vault.index_key_ids[0],
        }
