"""What the console does when the desk tells it something: once, whatever the order."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from desk.console.domain import words
from desk.console.domain.cases import Case, Kind, answer_days
from desk.console.events import Objected, Overdue, Rated, Replied, Withdrawn
from desk.console.seal import Seal
from desk.console.store.cases import CaseStore, Entry
from desk.console.store.reports import ReportStore
from desk.database import Database
from desk.expert import Refusal, Report, Request, Told
from desk.iran.workdays import WorkCalendar

log = logging.getLogger(__name__)

FOREIGN = "foreign_case"
"""The desk's word for a case that is another province's."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """Applies the desk's events to the cases of provinces."""

    database: Database
    seal: Seal
    calendar: WorkCalendar
    clock: Callable[[], datetime]

    async def take(self, province: str, told: Told) -> None:
        """Apply one event; a second delivery changes nothing. Raises ValidationError for what cannot be read."""
        now = self.clock()
        async with self.database.transaction() as session:
            cases = CaseStore(session, self.seal, self.calendar)
            if not await cases.record_in_inbox(told.id, now):
                return
            case = await cases.locked(Case(province, told.tracking_code))
            if told.request is not None:
                await self._take_request(cases, ReportStore(session, self.seal), case, told, told.request)
            elif told.refusal is not None:
                await self._take_refusal(cases, ReportStore(session, self.seal), case, told, told.refusal)
            else:
                moved, line = self._moved(case, told)
                await cases.save(moved)
                await cases.add_entry(moved, line, now)

    async def _take_request(
        self, cases: CaseStore, reports: ReportStore, case: Case, told: Told, request: Request
    ) -> None:
        now, newer = self.clock(), told.seq > case.request_seq
        moved = case.requested(
            told.seq,
            request.submitted_at,
            request.due_at,
            request.sub_subject.key,
            answer_days(request.submitted_at, request.due_at, self.calendar),
        )
        if newer and moved.open:
            report = Report(str(uuid.uuid4()), Kind.RECEIVED, case.tracking_code, moved.report_seq + 1, {}, now)
            moved = moved.reported(Kind.RECEIVED, report.id, now)
            await reports.add(case.province, report, moved.state)
        await cases.save(moved, request if newer else None)
        if newer:
            found_by = words.words_of_case(
                request.applicant.first_name,
                request.applicant.last_name,
                request.subject.title,
                request.sub_subject.title,
                national_id=request.applicant.national_id,
                mobile=request.contact.mobile,
            )
            await cases.found_by(moved, found_by, request)
        at = request.submitted_at if told.kind == "request-submitted" else now
        await cases.add_entry(moved, Entry(told.id, at, told.kind, text=request.reason), now)

    async def _take_refusal(
        self, cases: CaseStore, reports: ReportStore, case: Case, told: Told, refusal: Refusal
    ) -> None:
        now = self.clock()
        log.warning("the desk refused %s of %s: %s", refusal.report, case.province, refusal.reason)
        undone = await reports.refused(refusal.report_id, refusal.reason)
        if undone is not None and undone.name != Kind.RECEIVED:
            await cases.save(case.undone(undone.id, undone.before, foreign=refusal.reason == FOREIGN))
        await cases.add_entry(case, Entry(told.id, now, told.kind, text=refusal.reason), now)

    def _moved(self, case: Case, told: Told) -> tuple[Case, Entry]:
        match told.kind:
            case "request-replied":
                reply = Replied.model_validate(told.data)
                line = Entry(told.id, reply.at, told.kind, text=reply.text, files=tuple(reply.files))
                return case.replied(told.seq, reply.at, self.calendar), line
            case "request-objected":
                objection = Objected.model_validate(told.data)
                line = Entry(told.id, objection.at, told.kind, text=objection.text)
                return case.objected(told.seq, objection.at, self.calendar), line
            case "request-withdrawn":
                withdrawal = Withdrawn.model_validate(told.data)
                return case.withdrawn(told.seq), Entry(told.id, withdrawal.at, told.kind, text=withdrawal.reason)
            case "request-rated":
                rating = Rated.model_validate(told.data)
                text = f"{rating.rating}\n{rating.comment or ''}".strip()
                return case.rated(rating.rating), Entry(told.id, rating.at, told.kind, text=text)
            case "request-overdue":
                late = Overdue.model_validate(told.data)
                moved = case.late(late.due_at) if told.seq > case.seq else case
                return moved, Entry(told.id, late.at, told.kind)
            case _:
                log.warning("an event of a kind that is not known yet is only noted: %s", told.kind)
                return case, Entry(told.id, self.clock(), told.kind)
