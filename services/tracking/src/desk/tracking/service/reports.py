"""Applies the reports of provinces: changes the case, adds to its history only, or refuses with a reason."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession
from stdnum import damm

from desk.chassis.events import Received
from desk.chassis.problem import ServiceUnavailableError
from desk.iran.provinces import UnknownProvinceError, province
from desk.tracking.clients import IntakeClient
from desk.tracking.domain import (
    DECISIONS,
    Answer,
    Case,
    CaseNotReadyError,
    File,
    ForeignCaseError,
    ForgedSenderError,
    HistoryEntry,
    NotAskedToEraseError,
    OvertakenError,
    Party,
    RefusedError,
    Request,
    SequenceUsedError,
    State,
    Subject,
    UnknownCaseError,
    UnknownProvinceKeyError,
    WrongSubjectError,
)
from desk.tracking.events import CaseErased, CaseOpened, CaseReferred, CaseReport, RequestReferred
from desk.tracking.events import HistoryEntry as PublishedEntry
from desk.tracking.service.context import CaseContext, named_province
from desk.tracking.service.refusals import Refusals, RefusedReport, require_office
from desk.tracking.store import CaseStore, ErasureStore, Handover

ReportOnCase: TypeAlias = Received[CaseReport] | Received[CaseReferred] | Received[CaseOpened]
AnyReport: TypeAlias = ReportOnCase | Received[CaseErased]
FAILURES_OF_A_MINUTE = 2
"""After so many failed attempts a report has waited for its case for a minute."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Changes cases as their provinces report. Each report is applied completely, or refused with a reason."""

    context: CaseContext
    intake: IntakeClient

    @property
    def refusals(self) -> Refusals:
        """Refuses what cannot be applied."""
        return Refusals(self.context)

    async def on_report(self, session: AsyncSession, received: Received[CaseReport]) -> None:
        """Apply a report that changes the state of a case, and publish the new state, or refuse it with a reason.

        Raises CaseNotReadyError or ServiceUnavailableError, so that the report is retried: for a case that is not open
        or not released yet, and for an answer with files while intake is unavailable.
        """

        async def apply(case: Case, request: Request) -> None:
            files = await self._known_files(received, case.province)
            await self._apply_state(session, case, request, received, files)

        await self._record(session, received, apply)

    async def on_referral(self, session: AsyncSession, received: Received[CaseReferred]) -> None:
        """Hand a case to another province or subject, publish it, or refuse the report. Raises as on_report."""

        async def apply(case: Case, request: Request) -> None:
            keys = received.data.subject_keys
            subjects = (request.subject, request.sub_subject) if keys is None else await self.intake.find_subject(*keys)
            await self._apply_referral(session, case, request, subjects, received)

        await self._record(session, received, apply)

    async def on_opened(self, session: AsyncSession, received: Received[CaseOpened]) -> None:
        """Add to the history that an expert opened the case, or refuse the report. Raises CaseNotReadyError."""

        async def apply(case: Case, _request: Request) -> None:
            await self.context.cases(session).add_entry(case.tracking_code, _entry(received, case, case.turn))

        await self._record(session, received, apply)

    async def _record(
        self,
        session: AsyncSession,
        received: ReportOnCase,
        apply: Callable[[Case, Request], Awaitable[None]],
    ) -> None:
        sender = require_office(received.sender, received.routing_key)
        cases = self.context.cases(session)
        try:
            _require_genuine(received, sender)
            found = await cases.find_and_lock(received.data.tracking_code)
            if found is None or found[0].state is State.IDENTITY_PENDING:  # the province may receive a release first
                await self._require_wait(received)
                raise UnknownCaseError
            case, request = found
            overtaken_turn = await self._overtaken_turn(cases, case, sender, received)
            if overtaken_turn is None:
                await apply(case, request)
            else:
                await cases.add_entry(case.tracking_code, _entry(received, case, overtaken_turn))
        except RefusedError as refused:
            await self._refuse(session, sender, received, refused)

    async def _require_wait(self, received: ReportOnCase) -> None:
        """Raise CaseNotReadyError while the event that opens or releases the case may still arrive.

        A report waits for a minute, and as long as intake has released the request or is unavailable; a code with a
        wrong check digit was never given to a request.
        """
        if not damm.is_valid(received.data.tracking_code):
            return
        if received.failures < FAILURES_OF_A_MINUTE and not received.last_attempt:
            raise CaseNotReadyError
        if received.last_attempt:
            return
        try:
            state = await self.intake.state_of(received.data.tracking_code)
        except ServiceUnavailableError:
            raise CaseNotReadyError from None
        if state is State.REGISTERED:
            raise CaseNotReadyError

    async def on_case_erased(self, session: AsyncSession, received: Received[CaseErased]) -> None:
        """Record that an office has erased its data of a case, or refuse the report."""
        sender, report = require_office(received.sender, received.routing_key), received.data
        store = ErasureStore(session, self.context.vault)
        try:
            _require_genuine(received, sender)
            if not await store.acknowledge(report.tracking_code, report.certificate_id, sender, report.at, {}):
                raise NotAskedToEraseError
        except RefusedError as refused:
            await self._refuse(session, sender, received, refused)

    @staticmethod
    async def _overtaken_turn(cases: CaseStore, case: Case, sender: str, received: ReportOnCase) -> int | None:
        """Return the turn in which a later report of the same province was applied, or None if none was.

        Raises ForeignCaseError, SequenceUsedError, or OvertakenError for a decision: the reports after it were applied
        to a case that was not decided.
        """
        seq, turn, last = received.seq, case.turn, case.report_seq
        if case.province != sender:
            handover = await cases.find_handover(case.tracking_code, sender)
            if handover is None or seq >= handover.report_seq:
                raise ForeignCaseError
            turn, last = handover.turn, handover.report_seq
        numbers = await cases.report_numbers(case.tracking_code, turn)
        expected = max(numbers, default=0) + 1
        if seq in numbers:
            raise SequenceUsedError(seq, expected)
        if seq > last:
            return None
        report = received.data
        if isinstance(report, CaseReport) and report.resulting_state in DECISIONS:
            raise OvertakenError(expected)
        return turn

    async def _known_files(self, received: Received[CaseReport], office: str) -> tuple[File, ...]:
        """Return the files of an answer as intake has them. Raises UnknownAnswerFileError or ServiceUnavailableError.

        An answer without files needs no intake.
        """
        answer = received.data.answer
        ids = [file.id for file in answer.files] if answer else []
        return await self.intake.find_answer_files(received.data.tracking_code, office, ids) if ids else ()

    async def _apply_state(
        self,
        session: AsyncSession,
        case: Case,
        request: Request,
        received: Received[CaseReport],
        files: tuple[File, ...],
    ) -> None:
        cases = self.context.cases(session)
        changed = case.change_state(
            received.data.resulting_state, Party.PROVINCE, at=self.context.clock(), report_seq=received.seq
        )
        changed = changed.with_deadlines(case, self.context.terms).with_next_seq()
        entry = _entry(received, case, case.turn, files)
        await cases.update(changed)
        await cases.add_entry(case.tracking_code, entry)
        await self.context.publish_state(session, changed, request, entry)

    async def _apply_referral(
        self,
        session: AsyncSession,
        case: Case,
        request: Request,
        subjects: tuple[Subject, Subject],
        received: Received[CaseReferred],
    ) -> None:
        cases = self.context.cases(session)
        report = received.data
        subject, sub_subject = subjects
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

    async def _refuse(self, session: AsyncSession, sender: str, received: AnyReport, refused: RefusedError) -> None:
        report = RefusedReport(received.id, received.data.name, received.data.tracking_code, sender)
        await self.refusals.refuse(session, report, refused)


def _require_genuine(received: AnyReport, sender: str) -> None:
    same_user = received.sender == f"province.{sender}"
    same_key = received.routing_key == f"{received.data.name}.{sender}"
    if not same_user or not same_key or received.source != f"/office/{sender}":
        raise ForgedSenderError
    if received.subject != received.data.tracking_code:
        raise WrongSubjectError


def _entry(received: ReportOnCase, case: Case, turn: int, files: tuple[File, ...] = ()) -> HistoryEntry:
    report = received.data
    if isinstance(report, CaseOpened):
        return HistoryEntry(received.id, report.at, case.state, turn=turn, seq=received.seq, opened=True)
    answer = report.answer and Answer(report.answer.text, report.answer.at, files)
    return HistoryEntry(received.id, report.at, report.resulting_state, report.note, answer, turn, received.seq)


def _known_province(key: str) -> str:
    try:
        return province(key).key
    except UnknownProvinceError:
        raise UnknownProvinceKeyError from None
