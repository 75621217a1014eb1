"""Opens cases: consumes intake's events about new requests and their applicants."""

from dataclasses import dataclass, replace

import structlog

from desk.chassis.events import Received
from desk.database import DatabaseSession
from desk.tracking.domain import (
    REJECTIONS,
    Action,
    Case,
    CaseErasedError,
    CaseNotReadyError,
    HistoryEntry,
    IllegalTransitionError,
    Request,
    State,
)
from desk.tracking.events import RequestIdentityRejected, RequestPending, RequestSubmitted
from desk.tracking.service.context import CaseContext
from desk.tracking.service.erasures import Erasures

log = structlog.get_logger(__name__)

FIRST_SEQ = 1
"""The number of a request's first event."""
BEFORE_ANY_PROVINCE = -1
"""The turn of a history entry from before the request is released to its first province."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens cases, and releases or ends those whose applicant had to be looked up first.

    Late events about an erased case change nothing.
    """

    context: CaseContext
    erasures: Erasures

    async def on_request_submitted(self, session: DatabaseSession, received: Received[RequestSubmitted]) -> None:
        """Open the case of a new request, or release a pending one whose applicant has been looked up."""
        request = received.data.to_request()
        cases = self.context.cases(session)
        at = request.submitted_at if received.seq == FIRST_SEQ else received.time
        entry = HistoryEntry(received.id, at, State.REGISTERED)
        if await cases.open(self._new_case(received.seq, request, entry), request, entry):
            return
        try:
            found = await cases.find_and_lock(request.tracking_code)
        except CaseErasedError:
            log.warning("a release after the erasure", event_id=received.id)
            await self.erasures.ask_late_office(session, request.tracking_code, request.first_office, received.seq)
            return
        if found is None:  # but its key is there: after a restore, the copy of the keys is newer than that of the data
            await self._open(session, received.seq, request, entry)
            return
        case, _ = found
        if case.state is State.WITHDRAWN and case.turn == 0 and received.seq != FIRST_SEQ:
            await self._publish_early_withdrawal(session, case, received.seq)
            return
        if case.state is not State.IDENTITY_PENDING:
            log.warning("case is open already", event_id=received.id, state=case.state)
            return
        released = case.apply_identity_check(State.REGISTERED, at=self.context.clock(), seq=received.seq)
        await cases.update_with_request(released.with_deadlines(case, self.context.terms), request)
        await cases.add_entry(case.tracking_code, HistoryEntry(received.id, received.time, State.REGISTERED))

    async def _publish_early_withdrawal(self, session: DatabaseSession, case: Case, release_seq: int) -> None:
        """Publish a withdrawal from before the release, because the province receives the request only now."""
        case = replace(case, seq=max(case.seq, release_seq)).with_next_seq()
        cases = self.context.cases(session)
        history = await cases.history(case.tracking_code)
        [entry] = [each for each in history if each.action is Action.WITHDRAW]
        await cases.update(case)
        await self.context.publish_action(session, case, entry)

    async def on_request_pending(self, session: DatabaseSession, received: Received[RequestPending]) -> None:
        """Open the case of a request whose applicant is looked up before its province receives it."""
        request = received.data.to_request()
        entry = HistoryEntry(received.id, request.submitted_at, State.IDENTITY_PENDING, turn=BEFORE_ANY_PROVINCE)
        cases = self.context.cases(session)
        existing = await cases.lock_bare(request.tracking_code)
        if existing is None:
            await self._open(session, received.seq, request, entry)
        elif existing.state is not State.ERASED:  # its release arrived first, so that only the history changes
            await cases.add_entry(request.tracking_code, entry)

    async def on_identity_rejected(self, session: DatabaseSession, received: Received[RequestIdentityRejected]) -> None:
        """End the case of an applicant whose identity the civil registry does not confirm, and publish it.

        Raises CaseNotReadyError for a case that is not open yet, so that the event is retried.
        """
        cases = self.context.cases(session)
        try:
            found = await cases.find_and_lock(received.data.tracking_code)
        except CaseErasedError:
            log.warning("identity rejection ignored", event_id=received.id, state=State.ERASED)
            return
        if found is None:
            raise CaseNotReadyError
        case, request = found
        try:
            rejected = case.apply_identity_check(
                State.IDENTITY_REJECTED, at=self.context.clock(), seq=received.seq
            ).with_next_seq()
        except IllegalTransitionError:  # withdrawn or released in the meantime
            log.warning("identity rejection ignored", event_id=received.id, state=case.state)
            return
        entry = HistoryEntry(received.id, received.data.at, State.IDENTITY_REJECTED, REJECTIONS[received.data.reason])
        await cases.update(rejected)
        await cases.add_entry(case.tracking_code, entry)
        await self.context.publish_state(session, rejected, request, entry)

    async def _open(self, session: DatabaseSession, seq: int, request: Request, entry: HistoryEntry) -> None:
        cases = self.context.cases(session)
        await cases.add(self._new_case(seq, request, entry), request)
        await cases.add_entry(request.tracking_code, entry)

    def _new_case(self, seq: int, request: Request, entry: HistoryEntry) -> Case:
        case = Case(
            tracking_code=request.tracking_code,
            province=request.first_office,
            state=entry.state,
            seq=seq,
            report_seq=0,
            submitted_at=request.submitted_at,
            due_at=request.due_at,
            since=self.context.clock(),
        )
        return case.with_deadlines(case, self.context.terms)
