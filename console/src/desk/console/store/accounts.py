"""Accounts, their sessions, recovery codes; secrets are hashed or encrypted."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, update

from desk.console.domain.accounts import SESSIONS_KEPT, Account, Role, Step, UserSession
from desk.console.encryption import Encryption
from desk.console.store.tables import account, recovery_code, user_session
from desk.database import DatabaseSession


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets of an account."""

    password_hash: str
    totp: str | None
    last_totp: int


def hash_token(secret: str) -> str:
    """Hash a random value of 80 bits or more, which needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


class AccountStore:
    """Accounts of all provinces that this console serves."""

    def __init__(self, session: DatabaseSession, encryption: Encryption) -> None:
        self._session, self._encryption = session, encryption

    async def add(self, new: Account, password_hash: str, now: datetime) -> None:
        """Add an account."""
        await self._session.execute(
            insert(account).values(
                id=new.id,
                province=new.province,
                username=new.username,
                name=new.name,
                role=new.role,
                active=new.active,
                password_hash=password_hash,
                new_password=new.new_password,
                totp=None,
                enrolled=new.enrolled,
                last_totp=0,
                created_at=now,
                password_at=now,
                counter=new.counter,
            )
        )

    async def by_username(self, username: str) -> tuple[Account, Credentials] | None:
        """Find an account by its user name, for a sign-in."""
        row = (await self._session.execute(select(account).where(account.c.username == username))).first()
        return None if row is None else (_account(row), self._credentials(row))

    async def lock_credentials(self, account_id: str) -> Credentials:
        """Return the secrets of an account, locked, so that a code is valid for one sign-in."""
        query = select(account).where(account.c.id == account_id).with_for_update()
        return self._credentials((await self._session.execute(query)).one())

    async def find_managed(self, by: Account, account_id: str) -> Account | None:
        """Find an account; None if it does not exist or a supervisor does not manage it."""
        row = (await self._session.execute(select(account).where(account.c.id == account_id))).first()
        found = None if row is None else _account(row)
        return found if found is not None and by.manages(found) else None

    async def list_accounts(self, province: str) -> list[Account]:
        """List an office's accounts."""
        query = select(account).where(account.c.province == province).order_by(account.c.username)
        return [_account(row) for row in (await self._session.execute(query)).all()]

    async def list_managed(self, by: Account) -> list[Account]:
        """List the accounts that a supervisor manages: those of the office, and for headquarters all supervisors."""
        managed = account.c.province == by.province
        if by.of_headquarters:
            managed = or_(managed, account.c.role == Role.SUPERVISOR)
        query = select(account).where(managed).order_by(account.c.province != by.province, account.c.username)
        return [_account(row) for row in (await self._session.execute(query)).all()]

    async def names(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the names of account owners by account id."""
        query = select(account.c.id, account.c.name).where(account.c.id.in_(set(ids)))
        return {row.id: row.name for row in (await self._session.execute(query)).all()}

    async def change(self, account_id: str, **values: object) -> None:
        """Change columns of an account."""
        await self._session.execute(update(account).where(account.c.id == account_id).values(**values))

    async def set_totp(self, account_id: str, secret: str | None) -> None:
        """Store or delete the secret shared with a device; it is required once it is confirmed."""
        encrypted = self._encryption.seal(json.dumps(secret).encode(), f"account.totp:{account_id}") if secret else None
        await self.change(account_id, totp=encrypted, enrolled=False, last_totp=0)

    def _credentials(self, row: Row[Any]) -> Credentials:
        totp = json.loads(self._encryption.open(row.totp, f"account.totp:{row.id}")) if row.totp is not None else None
        return Credentials(row.password_hash, totp, row.last_totp)

    async def replace_recovery_codes(self, account_id: str, codes: Sequence[str]) -> None:
        """Replace the recovery codes."""
        await self._session.execute(delete(recovery_code).where(recovery_code.c.account == account_id))
        if codes:
            rows = [{"account": account_id, "code_hash": hash_token(code)} for code in codes]
            await self._session.execute(insert(recovery_code), rows)

    async def use_recovery_code(self, account_id: str, code: str) -> bool:
        """Use a recovery code; return False if it does not exist."""
        same = (recovery_code.c.account == account_id, recovery_code.c.code_hash == hash_token(code))
        used = delete(recovery_code).where(*same).returning(recovery_code.c.code_hash)
        return (await self._session.execute(used)).first() is not None

    async def add_session(
        self,
        token: str,
        account_id: str,
        step: Step,
        form_word: str,
        now: datetime,
        *,
        browser: str = "",
        network: str = "",
    ) -> None:
        """Add a session; delete those that expired long ago."""
        await self._session.execute(delete(user_session).where(user_session.c.seen_at < now - SESSIONS_KEPT))
        await self._session.execute(
            insert(user_session).values(
                id_hash=hash_token(token),
                account=account_id,
                step=step,
                form_word=form_word,
                created_at=now,
                seen_at=now,
                browser=browser,
                network=network,
            )
        )

    async def find_session(self, token: str) -> UserSession | None:
        """Find the session of a token, expired or not, if its account is active."""
        query = (
            select(user_session, account)
            .join(account, account.c.id == user_session.c.account)
            .where(user_session.c.id_hash == hash_token(token), account.c.active.is_(True))
        )
        row = (await self._session.execute(query)).first()
        return None if row is None else _user_session(row)

    async def list_sessions(self, account_id: str) -> list[UserSession]:
        """List the sessions of an account, expired or not, the last used first."""
        query = (
            select(user_session, account)
            .join(account, account.c.id == user_session.c.account)
            .where(user_session.c.account == account_id)
            .order_by(user_session.c.seen_at.desc())
        )
        return [_user_session(row) for row in (await self._session.execute(query)).all()]

    async def touch_session(self, session_id: str, now: datetime) -> None:
        """Record that a session was used."""
        await self._session.execute(
            update(user_session).where(user_session.c.id_hash == session_id).values(seen_at=now)
        )

    async def end_session(self, session_id: str) -> None:
        """End one session."""
        await self._session.execute(delete(user_session).where(user_session.c.id_hash == session_id))

    async def end_sessions(self, account_id: str, *, but: str | None = None) -> None:
        """End all sessions of an account, or all but one."""
        query = delete(user_session).where(user_session.c.account == account_id)
        await self._session.execute(query if but is None else query.where(user_session.c.id_hash != but))

    async def end_session_of(self, account_id: str, session_id: str) -> bool:
        """End a session of an account; return False if it has no such session."""
        same = (user_session.c.account == account_id, user_session.c.id_hash == session_id)
        ended = delete(user_session).where(*same).returning(user_session.c.id_hash)
        return (await self._session.execute(ended)).first() is not None


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        province=row.province,
        username=row.username,
        name=row.name,
        role=Role(row.role),
        active=row.active,
        enrolled=row.enrolled,
        new_password=row.new_password,
        password_at=row.password_at,
        counter=row.counter,
    )


def _user_session(row: Row[Any]) -> UserSession:
    return UserSession(
        row.id_hash,
        _account(row),
        Step(row.step),
        row.form_word,
        row.created_at,
        row.seen_at,
        row.browser or "",
        row.network or "",
    )
