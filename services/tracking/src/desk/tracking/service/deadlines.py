"""Acts on cases whose deadline has passed: late answers, and decided cases that can no longer be objected to."""

import uuid
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from desk.database import Database
from desk.tracking.domain import PROVINCE_NOTIFIED, Case, HistoryEntry, Request, State
from desk.tracking.events import Named, RequestEscalated, RequestOverdue, Titled
from desk.tracking.service.context import AFTER_THE_LAST_REPORT, HEADQUARTERS, CaseContext, named_province


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Closes decided cases, and reports late answers to the province and then to headquarters."""

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

    async def _expire(self, session: AsyncSession, case: Case, request: Request) -> None:
        now = self.context.clock()
        expired = case.expire(self.context.terms, at=now).with_next_seq()
        cases = self.context.cases(session)
        await cases.update(expired)
        if expired.state is State.CLOSED:
            seq = case.report_seq + AFTER_THE_LAST_REPORT
            entry = HistoryEntry(str(uuid.uuid4()), now, State.CLOSED, turn=case.turn, seq=seq)
            await cases.add_entry(case.tracking_code, entry)
            await self.context.publish_state(session, expired, request, entry)
            return
        to_province = expired.overdue == PROVINCE_NOTIFIED
        kind = RequestOverdue if to_province else RequestEscalated
        late = kind(
            tracking_code=case.tracking_code,
            at=now,
            due_at=case.due_at,
            state=case.state,
            province=Named.model_validate(named_province(case.province)),
            subject=Titled.model_validate(request.subject),
            sub_subject=Titled.model_validate(request.sub_subject),
        )
        key = case.province if to_province else HEADQUARTERS
        await self.context.outbox.add(session, late, subject=case.tracking_code, key=key, seq=expired.seq)
