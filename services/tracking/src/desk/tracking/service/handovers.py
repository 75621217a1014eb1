"""Hands a case to another office: records it, and publishes the request to the new office."""

from dataclasses import asdict, dataclass

from desk.database import DatabaseSession
from desk.iran.offices import HEADQUARTERS
from desk.tracking.domain import Case, Request
from desk.tracking.events import HistoryEntry, Named, RequestReferred, RequestTakenOver, Stay
from desk.tracking.service.context import AFTER_THE_LAST_REPORT, CaseContext, named_office
from desk.tracking.store import Handover


@dataclass(frozen=True, slots=True)
class Handovers:
    """Moves cases between offices within the transaction of the session that each call is given."""

    context: CaseContext

    async def refer(
        self,
        session: DatabaseSession,
        before: Case,
        after: Case,
        request: Request,
        *,
        reason: str | None,
        report_seq: int,
    ) -> Case:
        """Publish the request with its history to the office of ``after``; return ``after`` with the event's number.

        If that is another office, the stay of the former one is recorded; its reports from the number ``report_seq`` on
        are refused.
        """
        if after.province != before.province:
            await self._end_stay(session, before, report_seq)
        after = after.with_next_seq()
        history = await self.context.cases(session).history(after.tracking_code)
        event = RequestReferred.model_validate(
            asdict(request)
            | {
                "due_at": after.due_at,
                "office_due_at": after.office_due_at,
                "office": named_office(after.province),
                "reason": reason,
                "history": [HistoryEntry.model_validate(each) for each in history if not each.is_record],
            }
        )
        await self.context.outbox.add(session, event, subject=after.tracking_code, key=after.province, seq=after.seq)
        return after

    async def take(
        self, session: DatabaseSession, before: Case, after: Case, request: Request, *, reason: str | None
    ) -> Case:
        """Publish the request to headquarters, which takes it, and the loss to the former office; return the case."""
        next_report = before.report_seq + AFTER_THE_LAST_REPORT
        after = await self.refer(session, before, after, request, reason=reason, report_seq=next_report)
        after = after.with_next_seq()
        event = RequestTakenOver(
            tracking_code=after.tracking_code,
            at=self.context.clock(),
            office=Named.model_validate(HEADQUARTERS),
            reason=reason,
        )
        await self.context.outbox.add(session, event, subject=after.tracking_code, key=before.province, seq=after.seq)
        return after

    async def trail(self, session: DatabaseSession, case: Case) -> list[Stay]:
        """Return the offices that have had a case, the present one last."""
        stays = await self.context.cases(session).stays(case.tracking_code)
        past = [_stay(each) for each in stays]
        since = past[-1].until if past else None
        return [*past, Stay(office=_named(case.province), since=since or case.submitted_at)]

    async def _end_stay(self, session: DatabaseSession, case: Case, report_seq: int) -> None:
        cases = self.context.cases(session)
        stays = await cases.stays(case.tracking_code)
        since = stays[-1].until if stays else case.submitted_at
        stay = Handover(case.province, case.turn, report_seq, since, self.context.clock())
        await cases.add_handover(case.tracking_code, stay)


def _stay(handover: Handover) -> Stay:
    return Stay(office=_named(handover.province), since=handover.since, until=handover.until)


def _named(office: str) -> Named:
    return Named.model_validate(named_office(office))
