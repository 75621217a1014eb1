"""What is due when a case's time has run out."""

import uuid
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from desk.tracking.domain import PROVINCE_TOLD, Case, State
from desk.tracking.events import RequestEscalated, RequestOverdue, RequestSubmitted
from desk.tracking.service.office import AFTER_THE_LAST_REPORT, HEADQUARTERS, Office, named
from desk.tracking.store import Step


@dataclass(frozen=True, slots=True)
class Alarms:
    """Closes cases, and tells who is next of late answers."""

    office: Office

    async def ring(self, session: AsyncSession, case: Case, request: RequestSubmitted) -> None:
        """Do what is due when a case's time has run out: close it, or tell who is next that the answer is late."""
        now = self.office.clock()
        rung = case.ring(self.office.terms, at=now).announced()
        cases = self.office.cases(session)
        await cases.save(rung)
        if rung.state is State.CLOSED:
            seq = case.report_seq + AFTER_THE_LAST_REPORT
            step = Step(str(uuid.uuid4()), now, State.CLOSED, turn=case.turn, seq=seq)
            await cases.add_step(case.tracking_code, step)
            await self.office.announce(session, rung, request, step)
            return
        to_province = rung.overdue == PROVINCE_TOLD
        kind = RequestOverdue if to_province else RequestEscalated
        late = kind(
            tracking_code=case.tracking_code,
            at=now,
            due_at=case.due_at,
            state=case.state,
            province=named(case.province),
            subject=request.subject,
            sub_subject=request.sub_subject,
        )
        key = case.province if to_province else HEADQUARTERS
        await self.office.outbox.add(session, late, subject=case.tracking_code, key=key, seq=rung.seq)
