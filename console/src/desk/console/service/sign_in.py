"""Signing in: name and password, a code from a device, a new password where somebody else gave the first."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.ext.asyncio import AsyncSession

from desk.console.domain.accounts import (
    TRIES_OF_ACCOUNT,
    TRIES_OF_ADDRESS,
    TRY_WINDOW,
    USERNAME,
    Account,
    Step,
    Visit,
    password_of,
    recovery_codes,
)
from desk.console.domain.errors import FieldError, SecondFactorError, SignInError, TooManyTriesError
from desk.console.seal import Seal
from desk.console.store.accounts import AccountStore
from desk.console.store.desk import DeedStore
from desk.database import Database
from desk.iran.digits import bare

SEEN_EVERY = timedelta(minutes=1)
"""How often a visit is noted as being there: not with each of its pages."""
CODE_SECONDS, CODE_DRIFT = 30, 1
ISSUER = "Hajj Desk"
"""In Latin letters: Persian ones make the picture code three times as dense."""
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_urlsafe())
"""Checked when there is no such account, so that the time taken does not tell."""


async def hash_password(password: str) -> str:
    """Hash a password by argon2id, beside the loop: it takes long on purpose."""
    return await asyncio.to_thread(_hasher.hash, password)


async def _fits(password_hash: str, password: str) -> bool:
    try:
        return await asyncio.to_thread(_hasher.verify, password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@dataclass(frozen=True, slots=True)
class SignIn:
    """Lets people in, step by step."""

    database: Database
    seal: Seal
    clock: Callable[[], datetime]
    second_factor: bool
    """Whether a code from a device is asked for; only the demonstration does without."""

    async def begin(self, username: str, password: str, address: str) -> str:
        """Check name and password, and begin a visit; return its cookie. Raises SignInError or TooManyTriesError."""
        now, username = self.clock(), bare(username).lower()[:80]
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.seal)
            await self._demand_patience(accounts, username, address, now)
            found = await accounts.by_username(username) if USERNAME.fullmatch(username) else None
        account, known = found if found is not None else (None, None)
        fits = await _fits(known.password_hash if known else _NOBODY, password[:1000])
        if account is None or not (fits and account.active):
            await self._count_wrong(username, address, account)
            raise SignInError
        async with self.database.transaction() as session:
            if not self.second_factor or not account.enrolled:  # else only a right code is a success
                await AccountStore(session, self.seal).forgive(_of_account(username))
            step = account.next_step(second_factor=self.second_factor, code_given=False)
            await self._note(session, account, "sign_in")
            return await self._begin_visit(session, account, step)

    async def visit(self, token: str) -> Visit | None:
        """Find the visit of a cookie, unless its time is over."""
        now = self.clock()
        async with self.database.read() as session:
            found = await AccountStore(session, self.seal).visit(token)
        if found is None or found.over(now):
            return None
        if now - found.seen_at > SEEN_EVERY:
            async with self.database.transaction() as session:
                await AccountStore(session, self.seal).see(found.id, now)
        return found

    async def give_code(self, visit: Visit, code: str, address: str) -> str:
        """Check a code of the device or a recovery code; return a new cookie.

        Raises SecondFactorError or TooManyTriesError.
        """
        now, account = self.clock(), visit.account
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.seal)
            await self._demand_patience(accounts, account.username, address, now)
            right = await self._spend(accounts, account.id, bare(code).lower())
            if right:
                await accounts.forgive(_of_account(account.username))
                step = account.next_step(second_factor=self.second_factor, code_given=True)
                await accounts.end_visit(visit.id)
                return await self._begin_visit(session, account, step)
        await self._count_wrong(account.username, address, account)
        raise SecondFactorError

    async def enrolment(self, visit: Visit) -> str:
        """Return the address for the device's picture code; the same until it is confirmed."""
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.seal)
            secret = (await accounts.secrets(visit.account.id)).totp
            if secret is None:
                secret = pyotp.random_base32()
                await accounts.keep_totp(visit.account.id, secret)
        return pyotp.TOTP(secret).provisioning_uri(name=visit.account.username, issuer_name=ISSUER)

    async def confirm_enrolment(self, visit: Visit, code: str) -> tuple[str, list[str]]:
        """Take a device that shows the right code; return a new cookie and the recovery codes.

        Raises SecondFactorError.
        """
        account = visit.account
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.seal)
            if account.enrolled or not await self._spend(accounts, account.id, bare(code)):
                raise SecondFactorError
            codes = recovery_codes()
            await accounts.change(account.id, enrolled=True)
            await accounts.keep_recovery_codes(account.id, codes)
            await self._note(session, account, "enrol")
            await accounts.end_visits(account.id)
            enrolled = replace(account, enrolled=True)
            step = enrolled.next_step(second_factor=self.second_factor, code_given=True)
            return await self._begin_visit(session, enrolled, step), codes

    async def change_password(self, visit: Visit, old: str, new: str, again: str) -> str:
        """Change the password and end all other visits; return a new cookie. Raises FieldError."""
        account = visit.account
        async with self.database.read() as session:
            found = await AccountStore(session, self.seal).by_username(account.username)
        if found is None or not await _fits(found[1].password_hash, old[:1000]):
            raise FieldError("old", "گذرواژهٔ کنونی درست نیست. آن را دوباره بنویسید.")
        if new == old:
            raise FieldError("password", "گذرواژهٔ تازه باید با گذرواژهٔ کنونی فرق داشته باشد.")
        password_hash = await hash_password(password_of(new, again, account.username))
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.seal)
            await accounts.change(account.id, password_hash=password_hash, new_password=False)
            await accounts.end_visits(account.id)
            await self._note(session, account, "password")
            changed = replace(account, new_password=False)
            step = changed.next_step(second_factor=self.second_factor, code_given=True)
            return await self._begin_visit(session, changed, step)

    async def end(self, visit: Visit) -> None:
        """Sign out."""
        async with self.database.transaction() as session:
            await AccountStore(session, self.seal).end_visit(visit.id)
            await self._note(session, visit.account, "sign_out")

    async def _begin_visit(self, session: AsyncSession, account: Account, step: Step) -> str:
        token = secrets.token_urlsafe(32)
        form_word = secrets.token_urlsafe(24)
        await AccountStore(session, self.seal).add_visit(token, account.id, step, form_word, self.clock())
        return token

    async def _spend(self, accounts: AccountStore, account_id: str, code: str) -> bool:
        """Use up a code: one of the device is good once, also within its half minute."""
        secrets_ = await accounts.secrets(account_id)
        if secrets_.totp and code.isascii() and code.isdigit():
            totp, window = pyotp.TOTP(secrets_.totp), int(self.clock().timestamp()) // CODE_SECONDS
            for number in range(window - CODE_DRIFT, window + CODE_DRIFT + 1):
                right = secrets.compare_digest(totp.generate_otp(number), code)
                if right and number > secrets_.last_totp:
                    await accounts.change(account_id, last_totp=number)
                    return True
            return False
        return await accounts.spend_recovery_code(account_id, code)

    async def _demand_patience(self, accounts: AccountStore, username: str, address: str, now: datetime) -> None:
        since = now - TRY_WINDOW
        of_account = await accounts.wrong_tries(_of_account(username), since)
        of_address = await accounts.wrong_tries(_of_address(address), since)
        if of_account >= TRIES_OF_ACCOUNT or of_address >= TRIES_OF_ADDRESS:
            raise TooManyTriesError

    async def _count_wrong(self, username: str, address: str, account: Account | None) -> None:
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.seal)
            await accounts.add_wrong_try(_of_account(username), self.clock())
            await accounts.add_wrong_try(_of_address(address), self.clock())
            if account is not None:
                await self._note(session, account, "wrong_sign_in")

    async def _note(self, session: AsyncSession, account: Account, kind: str) -> None:
        await DeedStore(session).add(self.clock(), account.province, account.id, kind)


def _of_account(username: str) -> str:
    return f"account {username}"


def _of_address(address: str) -> str:
    return f"address {address}"
