"""Acts on cases whose deadline has passed: late answers, unanswered questions, decided cases to be closed."""

import uuid
from dataclasses import dataclass

from desk.database import Database, DatabaseSession
from desk.iran.offices import HEADQUARTERS
from desk.tracking.domain import PROVINCE_NOTIFIED, Case, HistoryEntry, Request, State, find_question
from desk.tracking.events import LateCase, RequestEscalated, RequestOverdue, RequestUnanswered
from desk.tracking.service.context import AFTER_THE_LAST_REPORT, CaseContext
from desk.tracking.service.handovers import Handovers


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Closes decided cases, and reports late answers to the office and then to headquarters."""

    database: Database
    context: CaseContext

    async def expire_cases(self, limit: int) -> list[Case]:
        """Act on up to ``limit`` cases in one transaction; return them as they were before.

        Cases that another session has locked are skipped, so several workers may call this at the same time.
        """
        async with self.database.transaction() as session:
            found = await self.context.cases(session).lock_expired(self.context.clock(), limit)
            for case, request in found:
                await self._expire(session, case, request)
        return [case for case, _ in found]

    async def _expire(self, session: DatabaseSession, case: Case, request: Request) -> None:
        now = self.context.clock()
        expired = case.expire(self.context.terms, at=now).with_next_seq()
        cases = self.context.cases(session)
        await cases.update(expired)
        if case.state is State.INFO_REQUESTED:
            await self._question_expired(session, case, expired, request)
            return
        if expired.state is State.CLOSED:
            seq = case.report_seq + AFTER_THE_LAST_REPORT
            entry = HistoryEntry(str(uuid.uuid4()), now, State.CLOSED, turn=case.turn, seq=seq)
            await cases.add_entry(case.tracking_code, entry)
            await self.context.publish_state(session, expired, request, entry)
            return
        late = {
            "tracking_code": case.tracking_code,
            "at": now,
            "due_at": case.due_at,
            "office_due_at": case.office_due_at,
            "state": case.state,
            "province": request.province,
            "subject": request.subject,
            "sub_subject": request.sub_subject,
        }
        if expired.overdue == PROVINCE_NOTIFIED:
            event: LateCase = RequestOverdue.model_validate(late)
            key = case.province
        else:
            trail = await Handovers(self.context).trail(session, case)
            event = RequestEscalated.model_validate(late | {"trail": trail})
            key = HEADQUARTERS.key
        await self.context.outbox.add(session, event, subject=case.tracking_code, key=key, seq=expired.seq)

    async def _question_expired(self, session: DatabaseSession, case: Case, expired: Case, request: Request) -> None:
        """Remind the applicant of a question, or publish to applicant and office that it was not answered."""
        now, cases = self.context.clock(), self.context.cases(session)
        if expired.state is State.INFO_REQUESTED:
            question = find_question(await cases.history(case.tracking_code))
            if question is not None:
                await self.context.publish_state(session, expired, request, question, reminder=True)
            return
        # With the number of the question: a reply that opens the case again comes after it, before the next report.
        entry = HistoryEntry(str(uuid.uuid4()), now, State.UNANSWERED, turn=case.turn, seq=case.report_seq)
        await cases.add_entry(case.tracking_code, entry)
        await self.context.publish_state(session, expired, request, entry)
        reply_until = expired.objection_until(self.context.terms.objection_days)
        event = RequestUnanswered(tracking_code=case.tracking_code, at=now, reply_until=reply_until)
        after = expired.with_next_seq()
        await cases.update(after)
        await self.context.outbox.add(session, event, subject=case.tracking_code, key=case.province, seq=after.seq)
