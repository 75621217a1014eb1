"""What experts do for each other: internal notes, assignments, and the other requests of a person."""

import difflib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from desk.console.domain.accounts import Account
from desk.console.domain.cases import Case, validate_text
from desk.console.domain.errors import (
    CaseErasedError,
    CaseNotHereError,
    FieldError,
    ObjectionForSupervisorError,
    OwnAnswerError,
)
from desk.console.domain.states import State
from desk.console.encryption import Encryption
from desk.console.store.accounts import AccountStore
from desk.console.store.audit import AuditStore
from desk.console.store.cases import CaseRecord, CaseStore, HistoryEntry
from desk.console.store.lists import ListName, ListQuery, ListStore
from desk.database import Database, DatabaseSession
from desk.iran.workdays import WorkCalendar

NOTE, ASSIGNED = "note", "assigned-to"
"""Kinds of history entries that stay in the office."""
RELATED_MAX = 5
SIMILAR_TEXTS = 0.8
"""From this ratio of equal text on, two requests about the same subject are likely duplicates."""


@dataclass(frozen=True, slots=True)
class RelatedCase:
    """Another request of the same person in the office; ``duplicate``: it is likely the same request."""

    record: CaseRecord
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Colleagues:
    """Notes and assignments, which the desk and the applicant never see."""

    database: Database
    encryption: Encryption
    calendar: WorkCalendar
    clock: Callable[[], datetime]

    async def add_note(self, account: Account, tracking_code: str, text: str) -> None:
        """Add an internal note, also to a closed case. Raises FieldError, CaseNotHereError or CaseErasedError."""
        text = validate_text("note", text)
        async with self.database.transaction() as session:
            _, case = await self._lock(session, account, tracking_code)
            await self._record(session, account, case, NOTE, text)

    async def assign(self, account: Account, tracking_code: str, colleague_id: str) -> None:
        """Assign an open case to an active colleague. Raises FieldError, CaseNotHereError or CaseErasedError."""
        async with self.database.transaction() as session:
            cases, case = await self._lock(session, account, tracking_code)
            colleagues = await AccountStore(session, self.encryption).list_accounts(account.province)
            colleague = next((each for each in colleagues if each.id == colleague_id and each.active), None)
            if colleague is None:
                raise FieldError("colleague", "همکار را از فهرست انتخاب کنید.")
            try:
                assigned = case.assigned_to(colleague.id, supervisor=colleague.supervisor)
            except (OwnAnswerError, ObjectionForSupervisorError):
                raise FieldError(
                    "colleague", "به این اعتراض باید سرپرستی رسیدگی کند که پاسخ پیشین را نداده است."
                ) from None
            await cases.save(assigned)
            await self._record(session, account, case, ASSIGNED, colleague.name)

    async def list_colleagues(self, account: Account) -> list[Account]:
        """List the active accounts of the office."""
        async with self.database.read() as session:
            found = await AccountStore(session, self.encryption).list_accounts(account.province)
        return [each for each in found if each.active]

    async def related(self, account: Account, record: CaseRecord) -> list[RelatedCase]:
        """List other requests of the applicant in the office, likely duplicates first, then the newest."""
        if record.request is None:
            return []
        query = ListQuery(
            province=account.province,
            account=account.id,
            supervisor=account.supervisor,
            list=ListName.ALL,
            now=self.clock(),
            search=record.request.applicant.national_id,
        )
        async with self.database.read() as session:
            rows, _ = await ListStore(session, self.encryption).page(query)
            others = [row for row in rows if row.tracking_code != record.case.tracking_code]
            found = await CaseStore(session, self.encryption, self.calendar).with_requests(others)
        related = [RelatedCase(each, _likely_duplicate(record, each)) for each in found]
        return sorted(related, key=lambda each: not each.duplicate)[:RELATED_MAX]

    async def _lock(self, session: DatabaseSession, account: Account, tracking_code: str) -> tuple[CaseStore, Case]:
        cases = CaseStore(session, self.encryption, self.calendar)
        record = await cases.get(account.province, tracking_code, lock=True)
        if record is not None and record.case.state is State.ERASED:
            raise CaseErasedError
        if record is None or record.request is None:
            raise CaseNotHereError
        return cases, record.case

    async def _record(self, session: DatabaseSession, account: Account, case: Case, kind: str, text: str) -> None:
        now = self.clock()
        cases = CaseStore(session, self.encryption, self.calendar)
        await cases.add_entry(case, HistoryEntry(str(uuid.uuid4()), now, kind, account.id, text), now)
        await AuditStore(session).add(now, account.province, account.id, kind, tracking_code=case.tracking_code)


def _likely_duplicate(one: CaseRecord, other: CaseRecord) -> bool:
    if one.request is None or other.request is None or one.case.sub_subject != other.case.sub_subject:
        return False
    return difflib.SequenceMatcher(None, one.request.text, other.request.text).ratio() >= SIMILAR_TEXTS
