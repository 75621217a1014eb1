"""Applies the desk's events to the cases of offices: each once, in any order."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from desk.console.domain.cases import Case, answer_days
from desk.console.domain.states import Kind, State
from desk.console.encryption import Encryption
from desk.console.events import Acted, Objected, Overdue, Rated, Replied
from desk.console.service.views import CONTACT_CHANGED
from desk.console.store.audit import AuditStore
from desk.console.store.cases import CaseStore, HistoryEntry
from desk.console.store.erasures import ErasureStore
from desk.console.store.escalations import EscalationStore
from desk.console.store.reports import ReportStore
from desk.console.store.search_index import SearchIndex
from desk.database import Database, DatabaseSession
from desk.expert import APPLICANT_ACTIONS, CaseEvent, ContactChange, Erasure, Refusal, Report, Request
from desk.iran.offices import HEADQUARTERS
from desk.iran.workdays import WorkCalendar

log = logging.getLogger(__name__)

FOREIGN_CASE = "foreign_case"
"""The desk's reason for refusing a report on a case of another office."""
_CHANGE_NOTHING = frozenset({Kind.RECEIVED, Kind.OPENED, Kind.TAKEN_OVER, Kind.COMMENTED})
"""The reports that leave the case as it is, so that there is nothing to undo."""


@dataclass(frozen=True, slots=True)
class EventHandler:
    """Handles the desk's events."""

    database: Database
    encryption: Encryption
    calendar: WorkCalendar
    clock: Callable[[], datetime]

    async def handle(self, province: str, event: CaseEvent) -> None:
        """Apply one event; a second delivery has no effect. Raises ValidationError for an invalid one."""
        now = self.clock()
        async with self.database.transaction() as session:
            cases = CaseStore(session, self.encryption, self.calendar)
            if not await cases.record_event(event.id, now):
                return
            if await self._on_notice(session, event):
                return
            case = await cases.find_or_create_locked(Case(province, event.tracking_code))
            if event.erasure is not None:
                await self._on_erasure(session, case, event, event.erasure)
            elif case.state is State.ERASED:
                log.warning("a late event about an erased case of %s is ignored: %s", province, event.kind)
            elif event.request is not None:
                await self._on_request(session, case, event, event.request)
            elif event.refusal is not None:
                await self._on_refusal(cases, ReportStore(session, self.encryption), case, event, event.refusal)
            elif event.contact_change is not None:
                await self._on_contact_change(session, case, event, event.contact_change)
            else:
                changed, entry = self._from_desk(case, event) or await self._apply(cases, case, event)
                await cases.save(changed)
                await cases.add_entry(changed, entry, now)

    @staticmethod
    async def _on_notice(session: DatabaseSession, event: CaseEvent) -> bool:
        """Record what headquarters is notified of; return False for an event about an own case."""
        notices = EscalationStore(session)
        if event.escalation is not None:
            await notices.add(event.escalation)
        elif event.silence is not None:
            await notices.add_silence(event.silence)
        return event.escalation is not None or event.silence is not None

    async def _on_erasure(self, session: DatabaseSession, case: Case, event: CaseEvent, erasure: Erasure) -> None:
        """Erase a case, and acknowledge it; an unknown one is remembered, so that its request is not stored later."""
        now = self.clock()
        await ErasureStore(session, self.encryption).erase(case)
        await EscalationStore(session).close(case.tracking_code, now)
        erased = case.erased(event.seq)
        data = {"certificate_id": erasure.certificate_id}
        report = Report(str(uuid.uuid4()), Kind.ERASED, case.tracking_code, erased.report_seq + 1, data, now)
        await ReportStore(session, self.encryption).add(case.province, report, erased.state)
        await CaseStore(session, self.encryption, self.calendar).save(erased.reported(Kind.ERASED, report.id, now))
        await AuditStore(session).add(now, case.province, None, Kind.ERASED, tracking_code=case.tracking_code)

    async def _on_request(self, session: DatabaseSession, case: Case, event: CaseEvent, request: Request) -> None:
        cases = CaseStore(session, self.encryption, self.calendar)
        now, newer = self.clock(), event.seq > case.request_seq
        changed = case.requested(
            event.seq,
            request.submitted_at,
            request.office_due_at or request.due_at,
            request.sub_subject.key,
            answer_days(request.submitted_at, request.due_at, self.calendar),
        )
        if newer and changed.open:
            report = Report(str(uuid.uuid4()), Kind.RECEIVED, case.tracking_code, changed.report_seq + 1, {}, now)
            changed = changed.reported(Kind.RECEIVED, report.id, now)
            await ReportStore(session, self.encryption).add(case.province, report, changed.state)
        if newer and case.contact_seq > event.seq:  # another mobile arrived before the request
            request = await self._with_known_mobile(cases, case, request)
        await cases.save(changed, request if newer else None)
        if newer:
            if case.province == HEADQUARTERS.key:  # it has taken the case over
                await EscalationStore(session).close(case.tracking_code, now)
            await SearchIndex(session, self.encryption, cases).index(changed, request)
        at = request.submitted_at if event.kind == "request-submitted" else now
        await cases.add_entry(changed, HistoryEntry(event.id, at, event.kind, text=request.reason), now)

    async def _on_contact_change(
        self, session: DatabaseSession, case: Case, event: CaseEvent, change: ContactChange
    ) -> None:
        """Give the request its new mobile, unless the request is newer, and find the case by it."""
        cases = CaseStore(session, self.encryption, self.calendar)
        record = await cases.get(case.province, case.tracking_code)
        changed, request = case.with_contact(event.seq), record.request if record is not None else None
        if request is not None and event.seq > max(case.contact_seq, case.request_seq):
            request = with_mobile(request, change.contact.mobile)
            await cases.save(changed, request)
            await SearchIndex(session, self.encryption, cases).index(changed, request)
        else:
            await cases.save(changed)
        entry = HistoryEntry(event.id, change.at, event.kind, text=change.contact.mobile)
        await cases.add_entry(changed, entry, self.clock())

    @staticmethod
    async def _with_known_mobile(cases: CaseStore, case: Case, request: Request) -> Request:
        history = await cases.history(case.province, case.tracking_code)
        mobiles = [entry.text for entry in history if entry.kind == CONTACT_CHANGED and entry.text]
        return with_mobile(request, mobiles[-1]) if mobiles else request

    async def _on_refusal(
        self, cases: CaseStore, reports: ReportStore, case: Case, event: CaseEvent, refusal: Refusal
    ) -> None:
        now = self.clock()
        log.warning("the desk refused %s of %s: %s", refusal.report, case.province, refusal.reason)
        refused = await reports.mark_refused(refusal.report_id, refusal.reason)
        case = case.numbered_from(refusal.expected_seq)
        if refused is not None and refused.name not in _CHANGE_NOTHING:
            case = case.undone(refused.id, refused.before, foreign=refusal.reason == FOREIGN_CASE)
        await cases.save(case)
        await cases.add_entry(case, HistoryEntry(event.id, now, event.kind, text=refusal.reason), now)

    def _from_desk(self, case: Case, event: CaseEvent) -> tuple[Case, HistoryEntry] | None:
        """Apply a take-over, a comment, a failed notice or the end of a question; return None for another event."""
        now = self.clock()
        if event.takeover is not None:
            return case.handed_over(event.seq), HistoryEntry(event.id, now, event.kind, text=event.takeover.reason)
        if event.notice_failure is not None:
            failed = event.notice_failure
            return case, HistoryEntry(event.id, failed.at, event.kind, text=f"{failed.notice}\n{failed.reason}")
        if event.unanswered is not None:
            unanswered = event.unanswered
            closed = case.left_unanswered(event.seq, unanswered.reply_until)
            return closed, HistoryEntry(event.id, unanswered.at, event.kind)
        if event.comment is not None:
            return case, HistoryEntry(event.id, now, event.kind, text=event.comment.text)
        return None

    async def _apply(self, cases: CaseStore, case: Case, event: CaseEvent) -> tuple[Case, HistoryEntry]:
        match event.kind:
            case "request-replied":
                reply = Replied.model_validate(event.data)
                entry = HistoryEntry(event.id, reply.at, event.kind, text=reply.text, files=tuple(reply.files))
                return case.replied(event.seq, reply.at, self.calendar), entry
            case "request-objected":
                objection = Objected.model_validate(event.data)
                entry = HistoryEntry(event.id, objection.at, event.kind, text=objection.text)
                answerer = await cases.find_answerer(case.province, case.tracking_code, objection.answer_report_id)
                return case.objected(event.seq, objection.at, self.calendar, answerer), entry
            case "request-rated":
                rating = Rated.model_validate(event.data)
                text = f"{rating.rating}\n{rating.comment or ''}".strip()
                return case.rated(rating.rating), HistoryEntry(event.id, rating.at, event.kind, text=text)
            case "request-overdue":
                overdue = Overdue.model_validate(event.data)
                changed = case.overdue_since(overdue.office_due_at or overdue.due_at) if event.seq > case.seq else case
                return changed, HistoryEntry(event.id, overdue.at, event.kind)
            case kind if kind in APPLICANT_ACTIONS:
                acted = Acted.model_validate(event.data)
                return case.acted(kind, event.seq), HistoryEntry(event.id, acted.at, kind, text=acted.text)
            case _:
                log.warning("an event of an unknown kind is only added to the history: %s", event.kind)
                return case, HistoryEntry(event.id, self.clock(), event.kind)


def with_mobile(request: Request, mobile: str) -> Request:
    """Return the request with another mobile, which is the applicant's own."""
    own = request.registration and request.registration.model_copy(update={"mobile_owner": "own"})
    contact = request.contact.model_copy(update={"mobile": mobile})
    return request.model_copy(update={"contact": contact, "registration": own})
