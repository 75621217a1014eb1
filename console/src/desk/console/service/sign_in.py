"""Sign-in: user name and password, a code of a device, and a new password if a supervisor issued the current one."""

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
    ATTEMPT_WINDOW,
    MAX_ATTEMPTS_OF_ACCOUNT,
    MAX_ATTEMPTS_OF_ADDRESS,
    USERNAME,
    Account,
    Step,
    UserSession,
    recovery_codes,
    validate_password,
)
from desk.console.domain.errors import FieldError, SecondFactorError, SignInError, TooManyAttemptsError
from desk.console.encryption import Encryption
from desk.console.store.accounts import AccountStore
from desk.console.store.audit import AuditStore
from desk.database import Database
from desk.iran.digits import bare

TOUCH_INTERVAL = timedelta(minutes=1)
"""How often the last use of a session is recorded; not with every page."""
CODE_SECONDS, CODE_DRIFT = 30, 1
ISSUER = "Hajj Desk"
"""In Latin letters: Persian ones make the QR code three times as dense."""
_hasher = PasswordHasher()
_DUMMY_HASH = _hasher.hash(secrets.token_urlsafe())
"""Verified for an unknown user name, so that the response time does not reveal whether the account exists."""


async def hash_password(password: str) -> str:
    """Hash a password with argon2id, in a thread: it is slow on purpose."""
    return await asyncio.to_thread(_hasher.hash, password)


async def _verify(password_hash: str, password: str) -> bool:
    try:
        return await asyncio.to_thread(_hasher.verify, password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@dataclass(frozen=True, slots=True)
class SignIn:
    """Signs users in, step by step."""

    database: Database
    encryption: Encryption
    clock: Callable[[], datetime]
    second_factor: bool
    """Whether a code of a device is required; only the demonstration is without."""

    async def check_password(self, username: str, password: str, address: str) -> str:
        """Check user name and password; return the token of a new session.

        Raises SignInError or TooManyAttemptsError.
        """
        now, username = self.clock(), bare(username).lower()[:80]
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            await self._require_attempts_left(accounts, username, address, now)
            found = await accounts.by_username(username) if USERNAME.fullmatch(username) else None
        account, credentials = found if found is not None else (None, None)
        matches = await _verify(credentials.password_hash if credentials else _DUMMY_HASH, password[:1000])
        if account is None or not (matches and account.active):
            await self._record_failure(username, address, account)
            raise SignInError
        async with self.database.transaction() as session:
            if not self.second_factor or not account.enrolled:  # otherwise only a correct code is a success
                await AccountStore(session, self.encryption).clear_failed_attempts(_of_account(username))
            step = account.next_step(second_factor=self.second_factor, code_given=False)
            await self._audit(session, account, "sign_in")
            return await self._begin_session(session, account, step)

    async def find_session(self, token: str) -> UserSession | None:
        """Return the session of a token; None if it has expired."""
        now = self.clock()
        async with self.database.read() as session:
            found = await AccountStore(session, self.encryption).find_session(token)
        if found is None or found.expired(now):
            return None
        if now - found.seen_at > TOUCH_INTERVAL:
            async with self.database.transaction() as session:
                await AccountStore(session, self.encryption).touch_session(found.id, now)
        return found

    async def check_code(self, user_session: UserSession, code: str, address: str) -> str:
        """Check a code of the device or a recovery code; return the token of a new session.

        Raises SecondFactorError or TooManyAttemptsError.
        """
        now, account = self.clock(), user_session.account
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            await self._require_attempts_left(accounts, account.username, address, now)
            correct = await self._use_code(accounts, account.id, bare(code).lower())
            if correct:
                await accounts.clear_failed_attempts(_of_account(account.username))
                step = account.next_step(second_factor=self.second_factor, code_given=True)
                await accounts.end_session(user_session.id)
                return await self._begin_session(session, account, step)
        await self._record_failure(account.username, address, account)
        raise SecondFactorError

    async def enrolment_uri(self, user_session: UserSession) -> str:
        """Return the URI for the QR code; it stays the same until the device is confirmed."""
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            secret = (await accounts.lock_credentials(user_session.account.id)).totp
            if secret is None:
                secret = pyotp.random_base32()
                await accounts.set_totp(user_session.account.id, secret)
        return pyotp.TOTP(secret).provisioning_uri(name=user_session.account.username, issuer_name=ISSUER)

    async def confirm_enrolment(self, user_session: UserSession, code: str) -> tuple[str, list[str]]:
        """Enrol the device if its code is correct; return the token of a new session and the recovery codes.

        Raises SecondFactorError.
        """
        account = user_session.account
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            if account.enrolled or not await self._use_code(accounts, account.id, bare(code)):
                raise SecondFactorError
            codes = recovery_codes()
            await accounts.change(account.id, enrolled=True)
            await accounts.replace_recovery_codes(account.id, codes)
            await self._audit(session, account, "enrol")
            await accounts.end_sessions(account.id)
            enrolled = replace(account, enrolled=True)
            step = enrolled.next_step(second_factor=self.second_factor, code_given=True)
            return await self._begin_session(session, enrolled, step), codes

    async def change_password(self, user_session: UserSession, old: str, new: str, again: str) -> str:
        """Change the password and end all sessions; return the token of a new one. Raises FieldError."""
        account = user_session.account
        async with self.database.read() as session:
            found = await AccountStore(session, self.encryption).by_username(account.username)
        if found is None or not await _verify(found[1].password_hash, old[:1000]):
            raise FieldError("old", "گذرواژهٔ کنونی درست نیست. آن را دوباره بنویسید.")
        if new == old:
            raise FieldError("password", "گذرواژهٔ تازه باید با گذرواژهٔ کنونی فرق داشته باشد.")
        password_hash = await hash_password(validate_password(new, again, account.username))
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            await accounts.change(account.id, password_hash=password_hash, new_password=False)
            await accounts.end_sessions(account.id)
            await self._audit(session, account, "password")
            changed = replace(account, new_password=False)
            step = changed.next_step(second_factor=self.second_factor, code_given=True)
            return await self._begin_session(session, changed, step)

    async def sign_out(self, user_session: UserSession) -> None:
        """End a session."""
        async with self.database.transaction() as session:
            await AccountStore(session, self.encryption).end_session(user_session.id)
            await self._audit(session, user_session.account, "sign_out")

    async def _begin_session(self, session: AsyncSession, account: Account, step: Step) -> str:
        token = secrets.token_urlsafe(32)
        form_word = secrets.token_urlsafe(24)
        await AccountStore(session, self.encryption).add_session(token, account.id, step, form_word, self.clock())
        return token

    async def _use_code(self, accounts: AccountStore, account_id: str, code: str) -> bool:
        """Use a code: one of the device is valid once, also within its 30 seconds."""
        credentials = await accounts.lock_credentials(account_id)
        if credentials.totp and code.isascii() and code.isdigit():
            totp, window = pyotp.TOTP(credentials.totp), int(self.clock().timestamp()) // CODE_SECONDS
            for number in range(window - CODE_DRIFT, window + CODE_DRIFT + 1):
                correct = secrets.compare_digest(totp.generate_otp(number), code)
                if correct and number > credentials.last_totp:
                    await accounts.change(account_id, last_totp=number)
                    return True
            return False
        return await accounts.use_recovery_code(account_id, code)

    async def _require_attempts_left(self, accounts: AccountStore, username: str, address: str, now: datetime) -> None:
        since = now - ATTEMPT_WINDOW
        of_account = await accounts.count_failed_attempts(_of_account(username), since)
        of_address = await accounts.count_failed_attempts(_of_address(address), since)
        if of_account >= MAX_ATTEMPTS_OF_ACCOUNT or of_address >= MAX_ATTEMPTS_OF_ADDRESS:
            raise TooManyAttemptsError

    async def _record_failure(self, username: str, address: str, account: Account | None) -> None:
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            await accounts.add_failed_attempt(_of_account(username), self.clock())
            await accounts.add_failed_attempt(_of_address(address), self.clock())
            if account is not None:
                await self._audit(session, account, "wrong_sign_in")

    async def _audit(self, session: AsyncSession, account: Account, kind: str) -> None:
        await AuditStore(session).add(self.clock(), account.province, account.id, kind)


def _of_account(username: str) -> str:
    return f"account {username}"


def _of_address(address: str) -> str:
    return f"address {address}"
