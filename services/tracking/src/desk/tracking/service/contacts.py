"""Corrects the mobile of a request: the applicant has proven the new one by a code."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from desk.chassis.audit import AuditLog
from desk.chassis.captcha import CaptchaClient
from desk.chassis.problem import RateLimitExceededError
from desk.chassis.rate_limits import RateLimits, Reservation
from desk.database import Database, DatabaseSession
from desk.iran.phone import mask_phone
from desk.tracking.clients import IntakeClient
from desk.tracking.domain import (
    Case,
    CaseErasedError,
    ContactChangesExhaustedError,
    ContactNotChangeableError,
    HistoryEntry,
    IdempotencyKeyReusedError,
    MobileUnchangedError,
    Request,
    State,
)
from desk.tracking.events import ApplicantName, Contact, Named, RequestContactChanged
from desk.tracking.service.context import AFTER_THE_LAST_REPORT, CaseContext, named_office

OWN = "own"
"""The owner of a mobile that an applicant enters on the tracking page."""


@dataclass(frozen=True, slots=True)
class NewMobile:
    """A mobile (E.164), and the code that was sent to it."""

    mobile: str
    code_id: str
    answer: str


Changed = tuple[Case, Request, list[HistoryEntry]]


@dataclass(frozen=True, slots=True)
class Contacts:
    """Changes the mobiles of requests."""

    database: Database
    context: CaseContext
    codes: CaptchaClient
    rate_limits: RateLimits
    limit: str
    audit: AuditLog
    intake: IntakeClient

    async def change(self, tracking_code: str, key: str, new: NewMobile, source: str) -> Changed:
        """Make a proven mobile that of a request, and publish it; a repeat with the same key changes nothing.

        A change is counted for the request before the code is checked, and released if nothing is changed. The way back
        to the mobile of the submission is open beyond the limit too, so that no thief of a session can close it. Raises
        ContactNotChangeableError, MobileUnchangedError, ContactChangesExhaustedError, IdempotencyKeyReusedError,
        the errors of the code, or ServiceUnavailableError.
        """
        entry_ids = self.context.vault.indexes(f"{tracking_code}/contact/{key}", "move")
        async with self.database.transaction() as session:
            found = await self._find(session, tracking_code)
        if _is_repeated(found, entry_ids, new.mobile):
            return found
        _require_changeable(found, new.mobile)
        reservation, changed = await self._reserve(found[1], new.mobile), False
        try:
            await self.codes.check_answer(new.code_id, new.answer, entry_ids[0], mobile=new.mobile)
            async with self.database.transaction() as session:
                found = await self._find(session, tracking_code)
                if not _is_repeated(found, entry_ids, new.mobile):
                    _require_changeable(found, new.mobile)
                    found = await self._save(session, found, entry_ids[0], new.mobile)
                    await self.audit.add(session, "applicant", "contact_changed", subject=tracking_code, source=source)
                    changed = True
        finally:
            if not changed and reservation is not None:
                await self.rate_limits.release(reservation)
        return found

    async def _reserve(self, request: Request, mobile: str) -> Reservation | None:
        """Count a change; return None for the way back beyond the limit."""
        key = self.context.vault.index(request.tracking_code, "contact changes")
        try:
            return await self.rate_limits.reserve(self.limit, "contact changes", key)
        except RateLimitExceededError as error:
            submitted = await self.intake.find(request.applicant.national_id, request.tracking_code)
            if submitted is not None and submitted.contact.mobile == mobile:
                return None
            raise ContactChangesExhaustedError(str(error), retry_after=error.retry_after) from None

    async def _find(self, session: DatabaseSession, tracking_code: str) -> Changed:
        cases = self.context.cases(session)
        try:
            found = await cases.find_and_lock(tracking_code)
        except CaseErasedError:
            raise ContactNotChangeableError from None
        if found is None:  # intake has it, and its event has not arrived yet
            raise ContactNotChangeableError
        return *found, await cases.history(tracking_code)

    async def _save(self, session: DatabaseSession, found: Changed, entry_id: str, mobile: str) -> Changed:
        case, request, _ = found
        cases, case = self.context.cases(session), replace(case, unreached=False).with_next_seq()
        changed = _with_mobile(request, mobile)
        entry = HistoryEntry(
            entry_id,
            self.context.clock(),
            case.state,
            mask_phone(mobile),
            turn=case.turn,
            seq=case.report_seq + AFTER_THE_LAST_REPORT if case.state is State.CLOSED else case.report_seq,
            contact_changed=True,
        )
        event = RequestContactChanged(
            tracking_code=case.tracking_code,
            at=entry.at,
            contact=Contact.model_validate(changed.contact),
            previous_mobile=request.contact.mobile,
            province=Named.model_validate(request.province),
            office=Named.model_validate(named_office(case.province)),
            applicant=ApplicantName.model_validate(request.applicant),
        )
        await self.context.outbox.add(session, event, subject=case.tracking_code, key=case.province, seq=case.seq)
        await cases.update_with_request(case, changed)
        await cases.add_entry(case.tracking_code, entry)
        return case, changed, await cases.history(case.tracking_code)


def _with_mobile(request: Request, mobile: str) -> Request:
    """Return the request with another mobile, which is the applicant's own, also after a helper's."""
    registration = request.registration and replace(request.registration, mobile_owner=OWN)
    return replace(request, contact=replace(request.contact, mobile=mobile), registration=registration)


def _is_repeated(found: Changed, entry_ids: Sequence[str], mobile: str) -> bool:
    """Return whether this change was made before. Raises IdempotencyKeyReusedError for another mobile."""
    earlier = next((each for each in found[2] if each.event_id in entry_ids), None)
    if earlier is not None and earlier.note != mask_phone(mobile):
        raise IdempotencyKeyReusedError
    return earlier is not None


def _require_changeable(found: Changed, mobile: str) -> None:
    case, request, _ = found
    if not case.has_changeable_contact:
        raise ContactNotChangeableError
    if request.contact.mobile == mobile:
        raise MobileUnchangedError
