"""What provinces report of their cases: recorded, entered into the history, or refused with a reason."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.bus import ContractError
from desk.chassis.events import Received
from desk.iran.provinces import UnknownProvinceError, province
from desk.tracking.domain import (
    Case,
    CaseUnknownError,
    ForeignCaseError,
    ForgedSenderError,
    Party,
    RefusedError,
    State,
    UnheardOfError,
)
from desk.tracking.events import (
    AnswerData,
    CaseAnswered,
    CaseReferred,
    CaseRefused,
    CaseReport,
    PastStep,
    RequestReferred,
    RequestSubmitted,
    Titled,
)
from desk.tracking.service.office import Office, named
from desk.tracking.store import CaseStore, Handover, Step

log = structlog.get_logger(__name__)

FIRST_SEQ = 1
"""Of a case that nobody has heard of."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Leads cases as their provinces report."""

    office: Office

    async def record(self, session: AsyncSession, received: Received[CaseReport]) -> None:
        """Record a province's report and announce the new state; a report that does not fit is refused with a reason.

        Raises CaseUnknownError for a case not heard of yet or not released yet, so that the report comes again, as long
        as it would.
        """
        sender = _claimed_province(received)
        cases = self.office.cases(session)
        found = await cases.get(received.data.tracking_code)
        if found is None or found[0].state is State.IDENTITY_PENDING:  # the province may hear of a release first
            if not received.last_attempt:
                raise CaseUnknownError
            await self._refuse(session, sender, received, UnheardOfError(), FIRST_SEQ)
            return
        case, request = found
        try:
            _demand_genuine(received, sender)
            overtaken_in = await self._overtaken(cases, case, sender, received.seq)
            if overtaken_in is not None:  # part of the history only
                await cases.add_step(case.tracking_code, _step(received, overtaken_in))
                return
            await self._apply(session, case, request, received)
        except RefusedError as refused:
            case = replace(case, seq=case.seq + 1)
            await cases.save(case)
            await self._refuse(session, sender, received, refused, case.seq)

    @staticmethod
    async def _overtaken(cases: CaseStore, case: Case, sender: str, seq: int) -> int | None:
        """Give the turn in which a later report of the same province was applied before. Raises ForeignCaseError."""
        if case.province == sender:
            return case.turn if seq <= case.report_seq else None
        given_away = await cases.handover(case.tracking_code, sender)
        if given_away is None or seq >= given_away.report_seq:
            raise ForeignCaseError
        return given_away.turn

    async def _apply(
        self, session: AsyncSession, case: Case, request: RequestSubmitted, received: Received[CaseReport]
    ) -> None:
        cases = self.office.cases(session)
        report = received.data
        if isinstance(report, CaseReferred):
            before, request = request, _about(request, report)
            moved = case.refer_to(
                _known(report.province),
                at=self.office.clock(),
                report_seq=received.seq,
                other_subject=request.sub_subject.key != before.sub_subject.key,
            )
            moved = moved.timed(case, self.office.terms).announced()
            if moved.province != case.province:
                await cases.add_handover(case.tracking_code, case.province, Handover(case.turn, received.seq))
            await self.office.outbox.add(
                session,
                RequestReferred(
                    **request.model_dump(exclude={"province", "due_at"}),
                    due_at=moved.due_at,
                    province=named(moved.province),
                    reason=report.reason,
                    history=[PastStep.model_validate(each) for each in await cases.history(case.tracking_code)],
                ),
                subject=moved.tracking_code,
                key=moved.province,
                seq=moved.seq,
            )
        else:
            moved = case.move_to(report.leads_to, Party.PROVINCE, at=self.office.clock(), report_seq=received.seq)
            moved = moved.timed(case, self.office.terms)
        moved = moved.announced()
        step = _step(received, case.turn)
        if isinstance(report, CaseReferred):
            await cases.release(moved, request)
        else:
            await cases.save(moved)
        await cases.add_step(moved.tracking_code, step)
        await self.office.announce(session, moved, request, step)

    async def _refuse(
        self, session: AsyncSession, sender: str, received: Received[CaseReport], refused: RefusedError, seq: int
    ) -> None:
        code, report = received.data.tracking_code, received.data.name
        log.warning("report refused", event_id=received.id, report=report, reason=refused.reason)
        await self.office.cases(session).add_refusal(received.id, code, sender, report, refused.reason)
        await self.office.outbox.add(
            session,
            CaseRefused(
                tracking_code=code,
                report=report,
                report_id=received.id,
                reason=refused.reason,
                explanation=str(refused),
                at=datetime.now(UTC),
            ),
            subject=code,
            key=sender,
            seq=seq,
        )


def _claimed_province(received: Received[CaseReport]) -> str:
    """Tell which province is to hear of the report's fate: the one the broker vouches for, else the routing key's."""
    name = (received.sender or received.routing_key).rpartition(".")[2]
    try:
        return province(name).key
    except UnknownProvinceError:
        raise ContractError("the report comes from no province") from None


def _demand_genuine(received: Received[CaseReport], sender: str) -> None:
    if received.source != f"/province/{sender}" or received.routing_key != f"{received.data.name}.{sender}":
        raise ForgedSenderError
    if received.subject != received.data.tracking_code:
        raise RefusedError("wrong_subject", "the envelope's subject is not the tracking code")


def _step(received: Received[CaseReport], turn: int) -> Step:
    report = received.data
    answer = (
        AnswerData(text=report.text, at=report.at, files=report.files) if isinstance(report, CaseAnswered) else None
    )
    return Step(received.id, report.at, report.leads_to, report.note, answer, turn, received.seq)


def _about(request: RequestSubmitted, report: CaseReferred) -> RequestSubmitted:
    """Give the request under the subject it is referred to, if that is another."""
    if report.subject is None or report.sub_subject is None:
        return request
    return request.model_copy(
        update={
            "subject": Titled(key=report.subject.key, title=report.subject.title),
            "sub_subject": Titled(key=report.sub_subject.key, title=report.sub_subject.title),
        }
    )


def _known(key: str) -> str:
    try:
        return province(key).key
    except UnknownProvinceError:
        raise RefusedError("unknown_province", "there is no such province to refer to") from None
