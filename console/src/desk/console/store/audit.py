"""The audit log: which account did what."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import insert, select

from desk.console.encryption import Encryption
from desk.console.store.tables import account, audit_entry
from desk.database import Chain, DatabaseSession

MAX_ENTRIES = 200
ALL_PROVINCES = "*"
"""The province of an entry about the whole console."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An action of an account; ``name`` is its owner's, None for the command line."""

    at: datetime
    name: str | None
    kind: str
    tracking_code: str | None
    about: str | None


def audit_chain(encryption: Encryption) -> Chain:
    """Return the chain of the audit log, whose end is sealed with the console's key."""
    content = ("id", "at", "province", "account", "kind", "tracking_code", "about", "network")
    seal = partial(encryption.keyed_hashes, purpose="audit head")
    return Chain(audit_entry, content, seal, subject="tracking_code")


class AuditStore:
    """The audit log in one session; rows are added here, and pruned by the chain."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(
        self,
        at: datetime,
        province: str,
        account_id: str | None,
        kind: str,
        *,
        tracking_code: str | None = None,
        about: str | None = None,
        network: str | None = None,
    ) -> None:
        """Add an entry. ``about`` must not contain personal data of an applicant; ``network`` is a keyed hash."""
        await self._session.execute(
            insert(audit_entry).values(
                at=at,
                province=province,
                account=account_id,
                kind=kind,
                tracking_code=tracking_code,
                about=about,
                network=network,
            )
        )

    async def newest(self, province: str, tracking_code: str | None = None) -> list[AuditEntry]:
        """List the newest entries of a province, or of one case."""
        query = (
            select(audit_entry, account.c.name)
            .outerjoin(account, account.c.id == audit_entry.c.account)
            .where(audit_entry.c.province == province)
            .order_by(audit_entry.c.at.desc(), audit_entry.c.id.desc())
            .limit(MAX_ENTRIES)
        )
        if tracking_code:
            query = query.where(audit_entry.c.tracking_code == tracking_code)
        return [
            AuditEntry(row.at, row.name, row.kind, row.tracking_code, row.about)
            for row in (await self._session.execute(query)).all()
        ]
