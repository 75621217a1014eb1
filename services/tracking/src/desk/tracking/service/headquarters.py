"""Applies the reports that headquarters alone may send: take-overs and comments on the cases of other offices."""

from dataclasses import dataclass, replace

from desk.chassis.events import Received
from desk.database import DatabaseSession
from desk.iran.offices import HEADQUARTERS
from desk.tracking.domain import Case, Request, SameProvinceError
from desk.tracking.events import CaseCommented, CaseTakenOver, Named, RequestCommented
from desk.tracking.service.context import CaseContext
from desk.tracking.service.handovers import Handovers
from desk.tracking.service.reports import Reports, entry_of


@dataclass(frozen=True, slots=True)
class HeadquartersReports:
    """Acts on the case of any office, as headquarters reports."""

    context: CaseContext
    reports: Reports

    async def on_taken_over(self, session: DatabaseSession, received: Received[CaseTakenOver]) -> None:
        """Hand the case of another office to headquarters, or refuse the report. Raises CaseNotReadyError."""

        async def apply(case: Case, request: Request) -> None:
            taken = case.take_over(at=self.context.clock(), report_seq=received.seq)
            taken = taken.with_deadlines(case, self.context.terms)
            moved = await Handovers(self.context).take(session, case, taken, request, reason=received.data.reason)
            await self.reports.save_move(session, moved, request, entry_of(received, case, moved.turn))

        await self.reports.record(session, received, apply, by_headquarters=True)

    async def on_commented(self, session: DatabaseSession, received: Received[CaseCommented]) -> None:
        """Publish a comment of headquarters to the office of a case, or refuse the report. Raises CaseNotReadyError."""

        async def apply(case: Case, _request: Request) -> None:
            if case.province == HEADQUARTERS.key:
                raise SameProvinceError
            case = replace(case, commented=True).with_next_seq()
            comment = RequestCommented(
                tracking_code=case.tracking_code,
                at=received.data.at,
                office=Named.model_validate(HEADQUARTERS),
                text=received.data.text,
            )
            await self.context.outbox.add(session, comment, subject=case.tracking_code, key=case.province, seq=case.seq)
            await self.context.cases(session).update(case)

        await self.reports.record(session, received, apply, by_headquarters=True)
