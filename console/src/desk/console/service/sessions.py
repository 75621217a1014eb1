"""Sessions that their owner, or a supervisor who manages the account, sees and ends."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from desk.console.domain.accounts import Account, UserSession
from desk.console.domain.errors import NotFoundError
from desk.console.encryption import Encryption
from desk.console.store.accounts import AccountStore
from desk.console.store.audit import AuditStore
from desk.database import Database


@dataclass(frozen=True, slots=True)
class Sessions:
    """Lists and ends sessions; each end is in the audit log."""

    database: Database
    encryption: Encryption
    clock: Callable[[], datetime]

    async def list_own(self, user_session: UserSession) -> list[UserSession]:
        """List the sessions of the caller's account that have not expired, the last used first."""
        async with self.database.read() as session:
            found = await AccountStore(session, self.encryption).list_sessions(user_session.account.id)
        return [each for each in found if not each.expired(self.clock())]

    async def end(self, user_session: UserSession, session_id: str) -> None:
        """End another session of the caller's account. Raises NotFoundError."""
        account = user_session.account
        async with self.database.transaction() as session:
            if not await AccountStore(session, self.encryption).end_session_of(account.id, session_id):
                raise NotFoundError
            await self._audit(AuditStore(session), account, account, "end_session")

    async def end_others(self, user_session: UserSession) -> None:
        """End all sessions of the caller's account but this one."""
        account = user_session.account
        async with self.database.transaction() as session:
            await AccountStore(session, self.encryption).end_sessions(account.id, but=user_session.id)
            await self._audit(AuditStore(session), account, account, "end_other_sessions")

    async def end_all_of(self, by: Account, account_id: str) -> None:
        """End all sessions of an account that the supervisor manages. Raises NotFoundError."""
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            account = await accounts.find_managed(by, account_id)
            if account is None:
                raise NotFoundError
            await accounts.end_sessions(account.id)
            await self._audit(AuditStore(session), by, account, "end_sessions")

    async def _audit(self, log: AuditStore, by: Account, account: Account, kind: str) -> None:
        await log.add(self.clock(), by.province, by.id, kind, about=account.username)
