"""Keeps the texts of a form that could not be sent, so that they are there after the next sign-in."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from desk.console.domain.accounts import Step
from desk.console.encryption import Encryption
from desk.console.store.accounts import AccountStore
from desk.console.store.drafts import DraftStore, Typed
from desk.database import Database

GROUP_ANSWER = "many"
"""The subject of the draft of a group answer."""
COUNTER = "counter"
"""The subject of the draft of a request for a person."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts of all accounts."""

    database: Database
    encryption: Encryption
    clock: Callable[[], datetime]

    async def save_of_expired_session(self, token: str, form_word: str, subject: str, typed: Typed) -> bool:
        """Save a draft for the account of an expired session; return whether the session and its form are genuine."""
        async with self.database.transaction() as session:
            found = await AccountStore(session, self.encryption).find_session(token)
            if found is None or found.step is not Step.IN:
                return False
            if not secrets.compare_digest(form_word.encode(), found.form_word.encode()):
                return False
            await DraftStore(session, self.encryption).save(found.account.id, subject, typed, self.clock())
        return True

    async def keep_rest(self, account: str, subject: str, typed: Typed) -> None:
        """Save the texts of a form that were not sent with it, or remove the draft if there are none."""
        async with self.database.transaction() as session:
            drafts = DraftStore(session, self.encryption)
            if any(typed.values()):
                await drafts.save(account, subject, typed, self.clock())
            else:
                await drafts.remove(account, subject)

    async def find(self, account: str, subject: str) -> Typed:
        """Return a draft; empty if there is none."""
        async with self.database.read() as session:
            return await DraftStore(session, self.encryption).find(account, subject)

    async def subjects(self, account: str) -> list[str]:
        """List what an account has drafts for, newest first."""
        async with self.database.read() as session:
            return await DraftStore(session, self.encryption).subjects(account)
