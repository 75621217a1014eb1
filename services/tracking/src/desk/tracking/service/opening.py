"""Cases begin: what intake says of new requests and of their applicants."""

from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.events import Received
from desk.tracking.domain import REJECTIONS, Action, Case, CaseUnknownError, IllegalMoveError, State
from desk.tracking.events import RequestIdentityRejected, RequestPending, RequestSubmitted
from desk.tracking.service.office import Office
from desk.tracking.store import Step

log = structlog.get_logger(__name__)

FIRST = 1
"""The number of a request's first event."""
BEFORE_ANY_PROVINCE = -1
"""The turn in a history of what comes before the first province has its turn."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens cases, and holds those whose applicant is to be looked up first."""

    office: Office

    async def open_case(self, session: AsyncSession, received: Received[RequestSubmitted]) -> None:
        """Open the case of a new request, or hand one on whose applicant has been looked up at last."""
        request = received.data
        cases = self.office.cases(session)
        found = await cases.get(request.tracking_code)
        if found is None:
            at = request.submitted_at if received.seq == FIRST else received.time
            await self._open(session, received, request, Step(received.id, at, State.REGISTERED))
            return
        case, _ = found
        if case.state is State.WITHDRAWN and case.turn == 0 and received.seq != FIRST:
            await self._tell_of_early_withdrawal(session, case, received)
            return
        if case.state is not State.IDENTITY_PENDING:
            log.warning("case is open already", event_id=received.id, state=case.state)
            return
        released = case.hear_of_identity(State.REGISTERED, at=self.office.clock(), seq=received.seq).timed(
            case, self.office.terms
        )
        await cases.release(released, request)
        await cases.add_step(case.tracking_code, Step(received.id, received.time, State.REGISTERED))

    async def _tell_of_early_withdrawal(
        self, session: AsyncSession, case: Case, received: Received[RequestSubmitted]
    ) -> None:
        """Tell the province, which hears of the request only now, that it was withdrawn before."""
        told = replace(case, seq=max(case.seq, received.seq)).announced()
        cases = self.office.cases(session)
        history = await cases.history(case.tracking_code)
        [step] = [each for each in history if each.action is Action.WITHDRAW]
        await cases.save(told)
        await self.office.tell_province(session, told, step)

    async def hold_case(self, session: AsyncSession, received: Received[RequestPending]) -> None:
        """Open the case of a request whose applicant is to be looked up before any province hears of it."""
        request = received.data
        step = Step(received.id, request.submitted_at, State.IDENTITY_PENDING, turn=BEFORE_ANY_PROVINCE)
        cases = self.office.cases(session)
        if await cases.get(request.tracking_code) is None:
            await self._open(session, received, request.unconfirmed, step)
        else:  # overtaken by its release: part of the history only
            await cases.add_step(request.tracking_code, step)

    async def reject_identity(self, session: AsyncSession, received: Received[RequestIdentityRejected]) -> None:
        """End the case of an applicant the civil registry does not vouch for, and announce it.

        Raises CaseUnknownError for a case not heard of yet, so that the event comes again.
        """
        cases = self.office.cases(session)
        found = await cases.get(received.data.tracking_code)
        if found is None:
            raise CaseUnknownError
        case, request = found
        try:
            moved = case.hear_of_identity(State.IDENTITY_REJECTED, at=self.office.clock(), seq=received.seq).announced()
        except IllegalMoveError:  # withdrawn meanwhile: there is nothing to end
            log.warning("identity of no concern any more", event_id=received.id, state=case.state)
            return
        step = Step(received.id, received.data.at, State.IDENTITY_REJECTED, REJECTIONS[received.data.reason])
        await cases.save(moved)
        await cases.add_step(case.tracking_code, step)
        await self.office.announce(session, moved, request, step)

    async def _open(
        self, session: AsyncSession, received: Received[Any], request: RequestSubmitted, step: Step
    ) -> None:
        cases = self.office.cases(session)
        case = Case(
            tracking_code=request.tracking_code,
            province=request.province.key,
            state=step.state,
            seq=received.seq,
            report_seq=0,
            submitted_at=request.submitted_at,
            due_at=request.due_at,
            since=self.office.clock(),
        )
        await cases.add(case.timed(case, self.office.terms), request)
        await cases.add_step(case.tracking_code, step)
