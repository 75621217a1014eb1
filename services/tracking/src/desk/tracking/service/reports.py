"""Applies the reports of provinces: changes the case, adds to its history only, or refuses with a reason."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.bus import ContractError
from desk.chassis.events import Received
from desk.iran.provinces import UnknownProvinceError, province
from desk.tracking.domain import (
    Case,
    CaseErasedError,
    CaseNotReadyError,
    ForeignCaseError,
    ForgedSenderError,
    HistoryEntry,
    NotAskedToEraseError,
    Party,
    RefusedError,
    Request,
    State,
    UnknownCaseError,
)
from desk.tracking.events import CaseErased, CaseOpened, CaseReferred, CaseRefused, CaseReport, RequestReferred
from desk.tracking.events import HistoryEntry as PublishedEntry
from desk.tracking.service.context import CaseContext, named_province
from desk.tracking.store import CaseStore, ErasureStore, Handover

log = structlog.get_logger(__name__)

ReportOnCase: TypeAlias = Received[CaseReport] | Received[CaseReferred] | Received[CaseOpened]
AnyReport: TypeAlias = ReportOnCase | Received[CaseErased]
FIRST_SEQ = 1
"""The number of a refusal about an unknown case."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Changes cases as their provinces report."""

    context: CaseContext

    async def on_report(self, session: AsyncSession, received: Received[CaseReport]) -> None:
        """Apply a report that changes the state of a case, and publish the new state, or refuse it with a reason.

        Raises CaseNotReadyError for a case that is not open or not released yet, so that the report is retried; at
        the last attempt it is refused instead.
        """

        async def apply(case: Case, request: Request) -> None:
            await self._apply_state(session, case, request, received)

        await self._record(session, received, apply)

    async def on_referral(self, session: AsyncSession, received: Received[CaseReferred]) -> None:
        """Hand a case to another province or subject, publish it, or refuse the report. Raises CaseNotReadyError."""

        async def apply(case: Case, request: Request) -> None:
            await self._apply_referral(session, case, request, received)

        await self._record(session, received, apply)

    async def on_opened(self, session: AsyncSession, received: Received[CaseOpened]) -> None:
        """Add to the history that an expert opened the case, or refuse the report. Raises CaseNotReadyError."""

        async def apply(case: Case, _request: Request) -> None:
            cases = self.context.cases(session)
            await cases.update(case.opened(received.seq))
            await cases.add_entry(case.tracking_code, _entry(received, case, case.turn))

        await self._record(session, received, apply)

    async def _record(
        self,
        session: AsyncSession,
        received: ReportOnCase,
        apply: Callable[[Case, Request], Awaitable[None]],
    ) -> None:
        sender = _claimed_province(received)
        cases = self.context.cases(session)
        try:
            found = await cases.find_and_lock(received.data.tracking_code)
        except CaseErasedError as refused:
            await self._refuse_for_erased(session, sender, received, refused)
            return
        if found is None or found[0].state is State.IDENTITY_PENDING:  # the province may receive a release first
            if not received.last_attempt:
                raise CaseNotReadyError
            await self._refuse(session, sender, received, UnknownCaseError(), FIRST_SEQ)
            return
        case, request = found
        try:
            _require_genuine(received, sender)
            overtaken_turn = await self._overtaken_turn(cases, case, sender, received.seq)
            if overtaken_turn is None:
                await apply(case, request)
            else:
                await cases.add_entry(case.tracking_code, _entry(received, case, overtaken_turn))
        except RefusedError as refused:
            case = case.with_next_seq()
            await cases.update(case)
            await self._refuse(session, sender, received, refused, case.seq)

    async def on_case_erased(self, session: AsyncSession, received: Received[CaseErased]) -> None:
        """Record that an office has erased its data of a case, or refuse the report."""
        sender, report = _claimed_province(received), received.data
        store = ErasureStore(session, self.context.vault)
        try:
            _require_genuine(received, sender)
            if not await store.acknowledge(report.tracking_code, report.certificate_id, sender, report.at, {}):
                raise NotAskedToEraseError
        except RefusedError as refused:
            await self._refuse(session, sender, received, refused, FIRST_SEQ)

    async def _refuse_for_erased(
        self, session: AsyncSession, sender: str, received: AnyReport, erased: CaseErasedError
    ) -> None:
        cases = self.context.cases(session)
        case = await cases.lock_bare(erased.tracking_code)
        if case is not None:
            await cases.update(case.with_next_seq())
        await self._refuse(session, sender, received, erased, erased.next_seq)

    @staticmethod
    async def _overtaken_turn(cases: CaseStore, case: Case, sender: str, seq: int) -> int | None:
        """Return the turn in which a later report of the same province was applied, or None if none was.

        Raises ForeignCaseError.
        """
        if case.province == sender:
            return case.turn if seq <= case.report_seq else None
        handover = await cases.find_handover(case.tracking_code, sender)
        if handover is None or seq >= handover.report_seq:
            raise ForeignCaseError
        return handover.turn

    async def _apply_state(
        self, session: AsyncSession, case: Case, request: Request, received: Received[CaseReport]
    ) -> None:
        cases = self.context.cases(session)
        changed = case.change_state(
            received.data.resulting_state, Party.PROVINCE, at=self.context.clock(), report_seq=received.seq
        )
        changed = changed.with_deadlines(case, self.context.terms).with_next_seq()
        entry = _entry(received, case, case.turn)
        await cases.update(changed)
        await cases.add_entry(case.tracking_code, entry)
        await self.context.publish_state(session, changed, request, entry)

    async def _apply_referral(
        self, session: AsyncSession, case: Case, request: Request, received: Received[CaseReferred]
    ) -> None:
        cases = self.context.cases(session)
        report = received.data
        subject, sub_subject = report.subjects or (request.subject, request.sub_subject)
        referred = case.refer_to(
            _known_province(report.province),
            at=self.context.clock(),
            report_seq=received.seq,
            other_subject=sub_subject.key != request.sub_subject.key,
        )
        request = replace(request, subject=subject, sub_subject=sub_subject)
        referred = referred.with_deadlines(case, self.context.terms).with_next_seq()
        if referred.province != case.province:
            await cases.add_handover(case.tracking_code, case.province, Handover(case.turn, received.seq))
        event = await self._referral_event(cases, referred, request, report.reason)
        await self.context.outbox.add(
            session, event, subject=case.tracking_code, key=referred.province, seq=referred.seq
        )
        referred = referred.with_next_seq()
        entry = _entry(received, case, case.turn)
        await cases.update_with_request(referred, request)
        await cases.add_entry(case.tracking_code, entry)
        await self.context.publish_state(session, referred, request, entry)

    @staticmethod
    async def _referral_event(cases: CaseStore, case: Case, request: Request, reason: str) -> RequestReferred:
        history = await cases.history(case.tracking_code)
        return RequestReferred.model_validate(
            asdict(request)
            | {
                "province": named_province(case.province),
                "due_at": case.due_at,
                "reason": reason,
                "history": [PublishedEntry.model_validate(each) for each in history if not each.opened],
            }
        )

    async def _refuse(
        self,
        session: AsyncSession,
        sender: str,
        received: AnyReport,
        refused: RefusedError,
        seq: int,
    ) -> None:
        code, report = received.data.tracking_code, received.data.name
        log.warning("report refused", event_id=received.id, report=report, reason=refused.reason)
        await self.context.cases(session).add_refusal(received.id, code, sender, report, refused.reason)
        await self.context.outbox.add(
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


def _claimed_province(received: AnyReport) -> str:
    """Return the province that receives a refusal: the broker's user if it is known, else the routing key's."""
    name = (received.sender or received.routing_key).rpartition(".")[2]
    try:
        return province(name).key
    except UnknownProvinceError:
        raise ContractError("the report comes from no province") from None


def _require_genuine(received: AnyReport, sender: str) -> None:
    if received.source != f"/office/{sender}" or received.routing_key != f"{received.data.name}.{sender}":
        raise ForgedSenderError
    if received.subject != received.data.tracking_code:
        raise RefusedError("wrong_subject", "the envelope's subject is not the tracking code")


def _entry(received: ReportOnCase, case: Case, turn: int) -> HistoryEntry:
    report = received.data
    if isinstance(report, CaseOpened):
        return HistoryEntry(received.id, report.at, case.state, turn=turn, seq=received.seq, opened=True)
    return HistoryEntry(received.id, report.at, report.resulting_state, report.note, report.answer, turn, received.seq)


def _known_province(key: str) -> str:
    try:
        return province(key).key
    except UnknownProvinceError:
        raise RefusedError("unknown_province", "there is no such province to refer to") from None
