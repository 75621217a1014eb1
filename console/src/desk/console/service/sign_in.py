"""Sign-in: user name and password, a code of a device, and a new password if a supervisor issued the current one."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from desk.console.domain.accounts import (
    USERNAME,
    Account,
    Step,
    UserSession,
    recovery_codes,
)
from desk.console.domain.callers import Caller
from desk.console.domain.errors import FieldError, FirstPasswordExpiredError, SecondFactorError, SignInError
from desk.console.domain.passwords import validate_password
from desk.console.encryption import Encryption
from desk.console.service.attempts import CODE, ENROL, PASSWORD, SIGN_IN, Attempts
from desk.console.service.proofs import Challenge, Proof
from desk.console.store.accounts import AccountStore
from desk.console.store.audit import AuditStore
from desk.database import Database, DatabaseSession
from desk.iran.digits import bare
from desk.iran.offices import office

TOUCH_INTERVAL = timedelta(minutes=1)
"""How often the last use of a session is recorded; not with every page."""
CODE_SECONDS, CODE_DRIFT = 30, 1
ISSUER = "Hajj Desk"
"""In Latin letters: Persian ones make the QR code three times as dense."""
NO_PROOF = Proof()
hasher = PasswordHasher()
_DUMMY_HASH = hasher.hash(secrets.token_urlsafe())
"""Verified for an unknown user name, so that the response time does not reveal whether the account exists."""


async def hash_password(password: str) -> str:
    """Hash a password with argon2id, in a thread: it is slow on purpose."""
    return await asyncio.to_thread(hasher.hash, password)


async def _verify(password_hash: str, password: str) -> bool:
    try:
        return await asyncio.to_thread(hasher.verify, password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@dataclass(frozen=True, slots=True)
class SignIn:
    """Signs users in, step by step."""

    database: Database
    encryption: Encryption
    clock: Callable[[], datetime]
    attempts: Attempts
    second_factor: bool
    """Whether a code of a device is required; only the demonstration is without."""

    first_password_valid: timedelta = timedelta(days=1)
    """How long an issued password can be used."""

    async def challenge(self, form: str, account: str, address: str) -> Challenge | None:
        """Return the proof of work that the next attempt at a form needs, or None."""
        return await self.attempts.challenge(form, normalize_username(account), address)

    async def check_password(self, username: str, password: str, caller: Caller, proof: Proof = NO_PROOF) -> str:
        """Check user name and password; return the token of a new session.

        Raises SignInError, FirstPasswordExpiredError, ProofRequiredError or CountersUnavailableError.
        """
        username = normalize_username(username)
        reservation = await self.attempts.reserve(SIGN_IN, username, caller.address, proof)
        account, password_hash = await self._find_account(username)
        matches = await _verify(password_hash, password[:1000])
        if account is None or not (matches and account.active):
            await self._record_failure(account, caller.network)
            raise SignInError
        await self.attempts.release(reservation)
        self._require_valid_password(account)
        async with self.database.transaction() as session:
            step = account.next_step(second_factor=self.second_factor, code_given=False)
            await self._audit(session, account, "sign_in", caller.network)
            return await self._begin_session(session, account, step, caller.browser, caller.network)

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

    async def check_code(self, user_session: UserSession, code: str, address: str, proof: Proof = NO_PROOF) -> str:
        """Check a code of the device or a recovery code; return the token of a new session.

        Raises SecondFactorError, ProofRequiredError or CountersUnavailableError.
        """
        account = user_session.account
        reservation = await self.attempts.reserve(CODE, account.username, address, proof)
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            if await self._use_code(accounts, account.id, bare(code).lower()):
                step = account.next_step(second_factor=self.second_factor, code_given=True)
                await accounts.end_session(user_session.id)
                token = await self._continue_session(session, user_session, account, step)
                await self.attempts.release(reservation)
                return token
        await self._record_failure(account, user_session.network)
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

    async def confirm_enrolment(
        self, user_session: UserSession, code: str, address: str, proof: Proof = NO_PROOF
    ) -> tuple[str, list[str]]:
        """Enrol the device if its code is correct; return the token of a new session and the recovery codes.

        Raises SecondFactorError, ProofRequiredError or CountersUnavailableError.
        """
        account = user_session.account
        reservation = await self.attempts.reserve(ENROL, account.username, address, proof)
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            if account.enrolled or not await self._use_code(accounts, account.id, bare(code)):
                raise SecondFactorError
            codes = recovery_codes()
            await accounts.change(account.id, enrolled=True)
            await accounts.replace_recovery_codes(account.id, codes)
            await self._audit(session, account, "enrol", user_session.network)
            await accounts.end_sessions(account.id)
            enrolled = replace(account, enrolled=True)
            step = enrolled.next_step(second_factor=self.second_factor, code_given=True)
            token = await self._continue_session(session, user_session, enrolled, step)
        await self.attempts.release(reservation)
        return token, codes

    async def change_password(
        self, user_session: UserSession, old: str, new: str, again: str, *, address: str, proof: Proof = NO_PROOF
    ) -> str:
        """Change the password and end all sessions; return the token of a new one.

        Raises FieldError, FirstPasswordExpiredError, ProofRequiredError or CountersUnavailableError.
        """
        account = user_session.account
        reservation = await self.attempts.reserve(PASSWORD, account.username, address, proof)
        _, password_hash = await self._find_account(account.username)
        if not await _verify(password_hash, old[:1000]):
            raise FieldError("old", "گذرواژهٔ کنونی درست نیست. آن را دوباره بنویسید.")
        await self.attempts.release(reservation)
        self._require_valid_password(account)
        if new == old:
            raise FieldError("password", "گذرواژهٔ تازه باید با گذرواژهٔ کنونی فرق داشته باشد.")
        about = (account.name, account.province, office(account.province).name)
        new_hash = await hash_password(validate_password(new, again, account.username, about))
        async with self.database.transaction() as session:
            accounts = AccountStore(session, self.encryption)
            await accounts.change(account.id, password_hash=new_hash, new_password=False, password_at=self.clock())
            await accounts.end_sessions(account.id)
            await self._audit(session, account, "password", user_session.network)
            changed = replace(account, new_password=False)
            step = changed.next_step(second_factor=self.second_factor, code_given=True)
            return await self._continue_session(session, user_session, changed, step)

    async def sign_out(self, user_session: UserSession) -> None:
        """End a session."""
        async with self.database.transaction() as session:
            await AccountStore(session, self.encryption).end_session(user_session.id)
            await self._audit(session, user_session.account, "sign_out")

    async def _find_account(self, username: str) -> tuple[Account | None, str]:
        """Return an account and the hash of its password; a hash that matches nothing if there is no such account."""
        if not USERNAME.fullmatch(username):
            return None, _DUMMY_HASH
        async with self.database.read() as session:
            found = await AccountStore(session, self.encryption).by_username(username)
        return (None, _DUMMY_HASH) if found is None else (found[0], found[1].password_hash)

    def _require_valid_password(self, account: Account) -> None:
        if account.first_password_expired(self.clock(), self.first_password_valid):
            raise FirstPasswordExpiredError

    async def _begin_session(
        self, session: DatabaseSession, account: Account, step: Step, browser: str, network: str
    ) -> str:
        token, form_word = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        await AccountStore(session, self.encryption).add_session(
            token, account.id, step, form_word, self.clock(), browser=browser, network=network
        )
        return token

    async def _continue_session(self, session: DatabaseSession, old: UserSession, account: Account, step: Step) -> str:
        """Begin the session of the next step, in the same browser, with a new token."""
        return await self._begin_session(session, account, step, old.browser, old.network)

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

    async def _record_failure(self, account: Account | None, network: str) -> None:
        if account is not None:
            async with self.database.transaction() as session:
                await self._audit(session, account, "wrong_sign_in", network)

    async def _audit(self, session: DatabaseSession, account: Account, kind: str, network: str = "") -> None:
        hashed = self.encryption.keyed_hashes(network, "audit network")[0] if network else None
        await AuditStore(session).add(self.clock(), account.province, account.id, kind, network=hashed)


def normalize_username(text: str) -> str:
    """Return what was typed as a user name in the form in which it is stored and counted."""
    return bare(text).lower()[:80]
