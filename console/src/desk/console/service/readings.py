"""Records in the audit log what an account searched or counted. Cases and files are recorded where they are opened."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from desk.console.domain.accounts import Account
from desk.console.domain.search import parse_number
from desk.console.encryption import Encryption
from desk.console.store.audit import AuditStore
from desk.database import Database

NATIONAL_ID_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Readings:
    """Records what accounts read."""

    database: Database
    encryption: Encryption
    clock: Callable[[], datetime]

    async def record_search(self, account: Account, text: str) -> None:
        """Record that an account searched for a national ID, as a keyed hash. Other searches are not recorded."""
        digits = parse_number(text)
        if digits is not None and len(digits) == NATIONAL_ID_DIGITS:
            await self._add(account, "search", self.encryption.keyed_hashes(digits, "audit national id")[0])

    async def record_figures(self, account: Account) -> None:
        """Record that an account saw the figures of its province."""
        await self._add(account, "figures")

    async def _add(self, account: Account, kind: str, about: str | None = None) -> None:
        async with self.database.transaction() as session:
            await AuditStore(session).add(self.clock(), account.province, account.id, kind, about=about)
