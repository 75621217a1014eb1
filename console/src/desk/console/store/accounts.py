"""Accounts, their visits, recovery codes and wrong tries; secrets stand as hashes or sealed."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.console.domain.accounts import IDLE, Account, Role, Step, Visit
from desk.console.seal import Seal
from desk.console.store.tables import account, recovery_code, visit, wrong_try


@dataclass(frozen=True, slots=True)
class Secrets:
    """By what an account is known."""

    password_hash: str
    totp: str | None
    last_totp: int


def hashed(secret: str) -> str:
    """Hash what is random enough to need no slow hash: 80 bits and more."""
    return hashlib.sha256(secret.encode()).hexdigest()


class AccountStore:
    """Accounts of all provinces that this console serves."""

    def __init__(self, session: AsyncSession, seal: Seal) -> None:
        self._session, self._seal = session, seal

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
            )
        )

    async def by_username(self, username: str) -> tuple[Account, Secrets] | None:
        """Find an account by its user's name, for a sign-in."""
        row = (await self._session.execute(select(account).where(account.c.username == username))).first()
        return None if row is None else (_account(row), self._secrets(row))

    async def secrets(self, account_id: str) -> Secrets:
        """Give what an account is known by, locked: a code is good for one sign-in."""
        query = select(account).where(account.c.id == account_id).with_for_update()
        return self._secrets((await self._session.execute(query)).one())

    async def get(self, province: str, account_id: str) -> Account | None:
        """Find an account of a province."""
        query = select(account).where(account.c.id == account_id, account.c.province == province)
        row = (await self._session.execute(query)).first()
        return None if row is None else _account(row)

    async def of_province(self, province: str) -> list[Account]:
        """List a province's accounts."""
        query = select(account).where(account.c.province == province).order_by(account.c.username)
        return [_account(row) for row in (await self._session.execute(query)).all()]

    async def names(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the names of people by their accounts."""
        query = select(account.c.id, account.c.name).where(account.c.id.in_(set(ids)))
        return {row.id: row.name for row in (await self._session.execute(query)).all()}

    async def change(self, account_id: str, **values: object) -> None:
        """Change columns of an account."""
        await self._session.execute(update(account).where(account.c.id == account_id).values(**values))

    async def keep_totp(self, account_id: str, secret: str | None) -> None:
        """Keep the secret that a device shares, or forget it; it counts once it is confirmed."""
        sealed = self._seal.seal(json.dumps(secret).encode(), f"account.totp:{account_id}") if secret else None
        await self.change(account_id, totp=sealed, enrolled=False, last_totp=0)

    def _secrets(self, row: Row[Any]) -> Secrets:
        totp = json.loads(self._seal.open(row.totp, f"account.totp:{row.id}")) if row.totp is not None else None
        return Secrets(row.password_hash, totp, row.last_totp)

    async def keep_recovery_codes(self, account_id: str, codes: Sequence[str]) -> None:
        """Replace the recovery codes."""
        await self._session.execute(delete(recovery_code).where(recovery_code.c.account == account_id))
        if codes:
            rows = [{"account": account_id, "code_hash": hashed(code)} for code in codes]
            await self._session.execute(insert(recovery_code), rows)

    async def spend_recovery_code(self, account_id: str, code: str) -> bool:
        """Use a recovery code up; False if there is none such."""
        this = (recovery_code.c.account == account_id, recovery_code.c.code_hash == hashed(code))
        spent = delete(recovery_code).where(*this).returning(recovery_code.c.code_hash)
        return (await self._session.execute(spent)).first() is not None

    async def add_visit(self, token: str, account_id: str, step: Step, form_word: str, now: datetime) -> None:
        """Begin a visit; those that are over are forgotten."""
        await self._session.execute(delete(visit).where(visit.c.seen_at < now - 2 * IDLE))
        await self._session.execute(
            insert(visit).values(
                id_hash=hashed(token), account=account_id, step=step, form_word=form_word, created_at=now, seen_at=now
            )
        )

    async def visit(self, token: str) -> Visit | None:
        """Find the visit of a cookie, of an account that is still active."""
        query = (
            select(visit, account)
            .join(account, account.c.id == visit.c.account)
            .where(visit.c.id_hash == hashed(token), account.c.active.is_(True))
        )
        row = (await self._session.execute(query)).first()
        if row is None:
            return None
        return Visit(row.id_hash, _account(row), Step(row.step), row.form_word, row.created_at, row.seen_at)

    async def see(self, visit_id: str, now: datetime) -> None:
        """Note that a visitor is still there."""
        await self._session.execute(update(visit).where(visit.c.id_hash == visit_id).values(seen_at=now))

    async def end_visit(self, visit_id: str) -> None:
        """End one visit."""
        await self._session.execute(delete(visit).where(visit.c.id_hash == visit_id))

    async def end_visits(self, account_id: str) -> None:
        """End all visits of an account."""
        await self._session.execute(delete(visit).where(visit.c.account == account_id))

    async def add_wrong_try(self, of: str, now: datetime) -> None:
        """Count a wrong try."""
        await self._session.execute(insert(wrong_try).values(of=hashed(of), at=now))

    async def wrong_tries(self, of: str, since: datetime) -> int:
        """Count wrong tries; older ones are forgotten."""
        await self._session.execute(delete(wrong_try).where(wrong_try.c.at < since))
        query = select(func.count()).select_from(wrong_try).where(wrong_try.c.of == hashed(of), wrong_try.c.at >= since)
        return int((await self._session.execute(query)).scalar_one())

    async def forgive(self, of: str) -> None:
        """Forget wrong tries after a right one."""
        await self._session.execute(delete(wrong_try).where(wrong_try.c.of == hashed(of)))


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
    )
