"""Reads messages with their texts, for the demonstration."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession
from desk.notifier.domain import ChannelName, State, Template
from desk.notifier.store.personal import Encrypted, PersonalData
from desk.notifier.store.tables import message, wrapped_key


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message with its decrypted text."""

    tracking_code: str
    template: Template
    channel: ChannelName
    state: State
    last_error: str | None
    at: datetime
    recipient: str = field(repr=False)
    text: str = field(repr=False)
    subject: str | None = field(repr=False)
    html: str | None = field(repr=False)


async def list_messages(
    session: DatabaseSession, vault: Vault, *, limit: int = 50, tracking_code: str | None = None
) -> list[ShownMessage]:
    """Return the newest messages that are not erased, decrypted; with ``tracking_code``, only those of that request."""
    query = (
        select(message, wrapped_key)
        .where(message.c.personal != b"")
        .order_by(message.c.created_at.desc(), message.c.channel)
        .limit(limit)
    )
    if tracking_code is not None:
        query = query.where(message.c.tracking_code == tracking_code)
    return [_shown(vault, row) for row in (await session.execute(query)).all()]


def _shown(vault: Vault, row: Row[Any]) -> ShownMessage:
    personal = PersonalData.decrypt(vault, row.id, Encrypted(row.personal, row.tracking_code, row.wrapped))
    return ShownMessage(
        tracking_code=row.tracking_code,
        template=Template(row.template),
        channel=ChannelName(row.channel),
        state=State(row.state),
        last_error=row.last_error,
        at=row.created_at,
        recipient=personal.recipient,
        text=personal.text,
        subject=personal.subject,
        html=personal.html,
    )
