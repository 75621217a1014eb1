"""Applies the reports of offices: changes the case, adds to its history only, or refuses with a reason."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from stdnum import damm

from desk.chassis.events import Received
from desk.chassis.problem import ServiceUnavailableError
from desk.database import DatabaseSession
from desk.iran.offices import HEADQUARTERS, UnknownOfficeError, office
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
    UnknownOfficeKeyError,
    WrongSubjectError,
)
from desk.tracking.events import (
    CaseCommented,
    CaseErased,
    CaseInfoRequested,
    CaseOpened,
    CaseReferred,
    CaseReport,
    CaseTakenOver,
)
from desk.tracking.service.context import CaseContext, named_office
from desk.tracking.service.handovers import Handovers
from desk.tracking.service.refusals import Refusals, RefusedReport, require_office
from desk.tracking.store import CaseStore, ErasureStore

ReportOnCase: TypeAlias = (
    Received[CaseReport]
    | Received[CaseReferred]
    | Received[CaseOpened]
    | Received[CaseTakenOver]
    | Received[CaseCommented]
)
AnyReport: TypeAlias = ReportOnCase | Received[CaseErased]
FAILURES_OF_A_MINUTE = 2
"""After so many failed attempts a report has waited for its case for a minute."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Changes cases as their offices report. Each report is applied completely, or refused with a reason."""

    context: CaseContext
    intake: IntakeClient

    @property
    def refusals(self) -> Refusals:
        """Refuses what cannot be applied."""
        return Refusals(self.context)

    async def on_report(self, session: DatabaseSession, received: Received[CaseReport]) -> None:
        """Apply a report that changes the state of a case, and publish the new state, or refuse it with a reason.

        Raises CaseNotReadyError or ServiceUnavailableError, so that the report is retried: for a case that is not open
        or not released yet, and for an answer with files while intake is unavailable.
        """

        async def apply(case: Case, request: Request) -> None:
            files = await self._known_files(received, case.province)
            await self._apply_state(session, case, request, received, files)

        await self.record(session, received, apply)

    async def on_referral(self, session: DatabaseSession, received: Received[CaseReferred]) -> None:
        """Hand a case to another office or subject, publish it, or refuse the report. Raises as on_report."""

        async def apply(case: Case, request: Request) -> None:
            keys = received.data.subject_keys
            subjects = (request.subject, request.sub_subject) if keys is None else await self.intake.find_subject(*keys)
            await self._apply_referral(session, case, request, subjects, received)

        await self.record(session, received, apply)

    async def on_opened(self, session: DatabaseSession, received: Received[CaseOpened]) -> None:
        """Add to the history that an expert opened the case, or refuse the report. Raises CaseNotReadyError."""

        async def apply(case: Case, _request: Request) -> None:
            await self.context.cases(session).add_entry(case.tracking_code, entry_of(received, case, case.turn))

        await self.record(session, received, apply)

    async def record(
        self,
        session: DatabaseSession,
        received: ReportOnCase,
        apply: Callable[[Case, Request], Awaitable[None]],
        *,
        by_headquarters: bool = False,
    ) -> None:
        """Apply a report of the office of a case, or of headquarters on the case of any office, or refuse it."""
        sender = require_office(received.sender, received.routing_key)
        cases = self.context.cases(session)
        try:
            _require_genuine(received, sender)
            if by_headquarters and sender != HEADQUARTERS.key:
                raise ForgedSenderError
            found = await cases.find_and_lock(received.data.tracking_code)
            if found is None or found[0].state is State.IDENTITY_PENDING:  # the province may receive a release first
                await self._require_wait(received)
                raise UnknownCaseError
            case, request = found
            overtaken_turn = None if by_headquarters else await self._overtaken_turn(cases, case, sender, received)
            if overtaken_turn is None:
                await apply(case, request)
            else:
                await cases.add_entry(case.tracking_code, entry_of(received, case, overtaken_turn))
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

    async def on_case_erased(self, session: DatabaseSession, received: Received[CaseErased]) -> None:
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
        """Return the turn in which a later report of the same office was applied, or None if none was.

        Raises ForeignCaseError, SequenceUsedError, or OvertakenError for a decision: the reports after it were applied
        to a case that was not decided.
        """
        seq, turn, last = received.seq, case.turn, case.report_seq
        if case.province != sender:
            stays = {each.province: each for each in await cases.stays(case.tracking_code)}
            handover = stays.get(sender)
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
        session: DatabaseSession,
        case: Case,
        request: Request,
        received: Received[CaseReport],
        files: tuple[File, ...],
    ) -> None:
        cases = self.context.cases(session)
        changed = case.change_state(
            received.data.resulting_state, Party.PROVINCE, at=self.context.clock(), report_seq=received.seq
        )
        if isinstance(received.data, CaseInfoRequested):
            changed = changed.asked(received.data.answer_within_days, self.context.terms)
        changed = changed.with_deadlines(case, self.context.terms).with_next_seq()
        entry = entry_of(received, case, case.turn, files)
        await cases.update(changed)
        await cases.add_entry(case.tracking_code, entry)
        await self.context.publish_state(session, changed, request, entry)

    async def _apply_referral(
        self,
        session: DatabaseSession,
        case: Case,
        request: Request,
        subjects: tuple[Subject, Subject],
        received: Received[CaseReferred],
    ) -> None:
        report = received.data
        subject, sub_subject = subjects
        referred = case.refer_to(
            _known_office(report.province),
            at=self.context.clock(),
            report_seq=received.seq,
            other_subject=sub_subject.key != request.sub_subject.key,
        ).with_deadlines(case, self.context.terms)
        request = replace(request, subject=subject, sub_subject=sub_subject)
        if referred.province not in {HEADQUARTERS.key, case.province}:
            request = replace(request, province=named_office(referred.province))
        moved = await Handovers(self.context).refer(
            session, case, referred, request, reason=report.reason, report_seq=received.seq
        )
        await self.save_move(session, moved, request, entry_of(received, case, case.turn))

    async def save_move(self, session: DatabaseSession, moved: Case, request: Request, entry: HistoryEntry) -> None:
        """Save a case that was handed over, with its history entry, and publish its state."""
        cases, moved = self.context.cases(session), moved.with_next_seq()
        await cases.update_with_request(moved, request)
        await cases.add_entry(moved.tracking_code, entry)
        await self.context.publish_state(session, moved, request, entry)

    async def _refuse(self, session: DatabaseSession, sender: str, received: AnyReport, refused: RefusedError) -> None:
        report = RefusedReport(received.id, received.data.name, received.data.tracking_code, sender)
        await self.refusals.refuse(session, report, refused)


def _require_genuine(received: AnyReport, sender: str) -> None:
    same_user = received.sender == (sender if sender == HEADQUARTERS.key else f"province.{sender}")
    same_key = received.routing_key == f"{received.data.name}.{sender}"
    if not same_user or not same_key or received.source != f"/office/{sender}":
        raise ForgedSenderError
    if received.subject != received.data.tracking_code:
        raise WrongSubjectError


def entry_of(received: ReportOnCase, case: Case, turn: int, files: tuple[File, ...] = ()) -> HistoryEntry:
    """Return the history entry of a report in a turn of the case."""
    report = received.data
    if not isinstance(report, CaseReport):
        opened = isinstance(report, CaseOpened)
        return HistoryEntry(received.id, report.at, case.state, turn=turn, seq=received.seq, opened=opened)
    answer = report.answer and Answer(report.answer.text, report.answer.at, files)
    return HistoryEntry(received.id, report.at, report.resulting_state, report.note, answer, turn, received.seq)


def _known_office(key: str) -> str:
    try:
        return office(key).key
    except UnknownOfficeError:
        raise UnknownOfficeKeyError from None
