"""Tracking's use cases: open a case, record what provinces report and applicants do, show where it stands."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.bus import ContractError
from desk.chassis.crypto import Vault
from desk.chassis.db import Database
from desk.chassis.events import Outbox, Received
from desk.chassis.problem import ServiceUnavailableError
from desk.iran.provinces import UnknownProvinceError, province
from desk.tracking.clients import FreshRequest, IntakeClient, Lookup, RegistryClient
from desk.tracking.domain import (
    LEADS_TO,
    PROVINCE_TOLD,
    REJECTIONS,
    TITLES,
    Action,
    ActionNotPossibleError,
    Case,
    CaseUnknownError,
    ForeignCaseError,
    ForgedSenderError,
    IdempotencyKeyReusedError,
    IllegalMoveError,
    Party,
    Past,
    RefusedError,
    RequestNotFoundError,
    State,
    Terms,
)
from desk.tracking.events import (
    AnswerData,
    ApplicantMove,
    ApplicantName,
    CaseAnswered,
    CaseReferred,
    CaseRefused,
    CaseReport,
    Named,
    RequestEscalated,
    RequestIdentityRejected,
    RequestObjected,
    RequestOverdue,
    RequestPending,
    RequestRated,
    RequestReferred,
    RequestReplied,
    RequestStatusChanged,
    RequestSubmitted,
    RequestWithdrawn,
)
from desk.tracking.store import CaseStore, Handover, Step, past_of

log = structlog.get_logger(__name__)

HEADQUARTERS = "headquarters"
"""The key of what no province but headquarters is to hear."""
FIRST = 1
"""The number of a request's first event."""
AFTER_THE_LAST_REPORT = 1
"""What is added to the number of the last report for what comes after the whole case."""
BEFORE_ANY_PROVINCE = -1
"""The turn in a history of what comes before the first province has its turn."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A request as its applicant may see it."""

    request: RequestSubmitted | FreshRequest
    province: Named
    state: State
    due_at: datetime
    history: list[Step]
    lookups: list[Lookup] | None
    """When the civil registry was asked about the applicant; None if registry-gateway does not say."""
    actions: Sequence[Action] = ()
    objection_until: datetime | None = None
    """Until when the applicant may object, if they may."""

    @property
    def answer(self) -> AnswerData | None:
        """The experts' latest answer."""
        answers = [step.answer for step in self.history if step.answer is not None]
        return answers[-1] if answers else None


@dataclass(frozen=True, slots=True)
class Words:
    """What the applicant says with an action."""

    text: str | None
    rating: int | None = None


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Tracking:
    """The life of requests after their submission."""

    database: Database
    vault: Vault
    outbox: Outbox
    intake: IntakeClient
    registry: RegistryClient
    lookups_missing: Counter
    """Counts pages that could not show the look-ups."""
    terms: Terms
    clock: Callable[[], datetime] = _now

    async def open_case(self, session: AsyncSession, received: Received[RequestSubmitted]) -> None:
        """Open the case of a new request, or hand one on whose applicant has been looked up at last."""
        request = received.data
        cases = CaseStore(session, self.vault)
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
        released = case.hear_of_identity(State.REGISTERED, at=self.clock(), seq=received.seq).timed(case, self.terms)
        await cases.release(released, request)
        await cases.add_step(case.tracking_code, Step(received.id, received.time, State.REGISTERED))

    async def _tell_of_early_withdrawal(
        self, session: AsyncSession, case: Case, received: Received[RequestSubmitted]
    ) -> None:
        """Tell the province, which hears of the request only now, that it was withdrawn before."""
        told = replace(case, seq=max(case.seq, received.seq)).announced()
        cases = CaseStore(session, self.vault)
        history = await cases.history(case.tracking_code)
        [step] = [each for each in history if each.action is Action.WITHDRAW]
        await cases.save(told)
        await self._tell_province(session, told, step)

    async def hold_case(self, session: AsyncSession, received: Received[RequestPending]) -> None:
        """Open the case of a request whose applicant is to be looked up before any province hears of it."""
        request = received.data
        step = Step(received.id, request.submitted_at, State.IDENTITY_PENDING, turn=BEFORE_ANY_PROVINCE)
        cases = CaseStore(session, self.vault)
        if await cases.get(request.tracking_code) is None:
            await self._open(session, received, request.unconfirmed, step)
        else:  # overtaken by its release: part of the history only
            await cases.add_step(request.tracking_code, step)

    async def reject_identity(self, session: AsyncSession, received: Received[RequestIdentityRejected]) -> None:
        """End the case of an applicant the civil registry does not vouch for, and announce it.

        Raises CaseUnknownError for a case not heard of yet, so that the event comes again.
        """
        cases = CaseStore(session, self.vault)
        found = await cases.get(received.data.tracking_code)
        if found is None:
            raise CaseUnknownError
        case, request = found
        try:
            moved = case.hear_of_identity(State.IDENTITY_REJECTED, at=self.clock(), seq=received.seq).announced()
        except IllegalMoveError:  # withdrawn meanwhile: there is nothing to end
            log.warning("identity of no concern any more", event_id=received.id, state=case.state)
            return
        step = Step(received.id, received.data.at, State.IDENTITY_REJECTED, REJECTIONS[received.data.reason])
        await cases.save(moved)
        await cases.add_step(case.tracking_code, step)
        await self._announce(session, moved, request, step)

    async def _open(
        self, session: AsyncSession, received: Received[Any], request: RequestSubmitted, step: Step
    ) -> None:
        cases = CaseStore(session, self.vault)
        case = Case(
            tracking_code=request.tracking_code,
            province=request.province.key,
            state=step.state,
            seq=received.seq,
            report_seq=0,
            submitted_at=request.submitted_at,
            due_at=request.due_at,
            since=self.clock(),
        )
        await cases.add(case.timed(case, self.terms), request)
        await cases.add_step(case.tracking_code, step)

    async def record(self, session: AsyncSession, received: Received[CaseReport]) -> None:
        """Record a province's report and announce the new state; a report that does not fit is refused with a reason.

        Raises CaseUnknownError for a case not heard of yet or not released yet, so that the report comes again.
        """
        sender = _claimed_province(received)
        cases = CaseStore(session, self.vault)
        found = await cases.get(received.data.tracking_code)
        if found is None or found[0].state is State.IDENTITY_PENDING:  # the province may hear of a release first
            raise CaseUnknownError
        case, request = found
        try:
            _demand_genuine(received, sender)
            overtaken_in = await self._overtaken(cases, case, sender, received.seq)
            if overtaken_in is not None:  # part of the history only
                await cases.add_step(case.tracking_code, _step(received, overtaken_in))
                return
            await self._apply(session, case, request, received)
        except RefusedError as refused:
            await self._refuse(session, case, sender, received, refused)

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
        cases = CaseStore(session, self.vault)
        report = received.data
        if isinstance(report, CaseReferred):
            moved = case.refer_to(_known(report.province), at=self.clock(), report_seq=received.seq)
            moved = moved.timed(case, self.terms).announced()
            await cases.add_handover(case.tracking_code, case.province, Handover(case.turn, received.seq))
            await self.outbox.add(
                session,
                RequestReferred(
                    **request.model_dump(exclude={"province", "due_at"}),
                    due_at=moved.due_at,
                    province=_named(moved.province),
                    reason=report.reason,
                ),
                subject=moved.tracking_code,
                key=moved.province,
                seq=moved.seq,
            )
        else:
            moved = case.move_to(report.leads_to, Party.PROVINCE, at=self.clock(), report_seq=received.seq)
            moved = moved.timed(case, self.terms)
        moved = moved.announced()
        step = _step(received, case.turn)
        await cases.save(moved)
        await cases.add_step(moved.tracking_code, step)
        await self._announce(session, moved, request, step)

    async def _announce(self, session: AsyncSession, case: Case, request: RequestSubmitted, step: Step) -> None:
        await self.outbox.add(
            session,
            RequestStatusChanged(
                tracking_code=case.tracking_code,
                state=step.state,
                state_title=TITLES[step.state],
                at=step.at,
                due_at=case.due_at,
                province=_named(case.province),
                note=step.note,
                answer=step.answer,
                applicant=ApplicantName.model_validate(request.applicant.model_dump()),
                contact=request.contact,
            ),
            subject=case.tracking_code,
            key=case.province,
            seq=case.seq,
        )

    async def _refuse(
        self, session: AsyncSession, case: Case, sender: str, received: Received[CaseReport], refused: RefusedError
    ) -> None:
        log.warning("report refused", event_id=received.id, report=received.data.name, reason=refused.reason)
        cases = CaseStore(session, self.vault)
        await cases.add_refusal(received.id, case.tracking_code, sender, received.data.name, refused.reason)
        case = replace(case, seq=case.seq + 1)
        await cases.save(case)
        await self.outbox.add(
            session,
            CaseRefused(
                tracking_code=case.tracking_code,
                report=received.data.name,
                report_id=received.id,
                reason=refused.reason,
                explanation=str(refused),
                at=datetime.now(UTC),
            ),
            subject=case.tracking_code,
            key=sender,
            seq=case.seq,
        )

    async def overview(self, national_id: str, tracking_code: str) -> Overview:
        """Show a person's request. Raises RequestNotFoundError or ServiceUnavailableError."""
        async with self.database.transaction() as session:
            cases = CaseStore(session, self.vault)
            found = await cases.of_person(national_id, tracking_code)
            history = await cases.history(tracking_code) if found is not None else []
        if found is not None:
            case, request = found
            lookups = await self._lookups(national_id)
            return self._overview(case, request, history, lookups)
        fresh = await self.intake.find(national_id, tracking_code)
        if fresh is None:
            raise RequestNotFoundError
        began = State.REGISTERED if fresh.state is State.REGISTERED else State.IDENTITY_PENDING
        first = Step("", fresh.submitted_at, began)
        lookups = await self._lookups(national_id)
        return Overview(fresh, fresh.province, fresh.state, fresh.due_at, [first], lookups)

    def _overview(
        self, case: Case, request: RequestSubmitted, history: list[Step], lookups: list[Lookup] | None
    ) -> Overview:
        actions = case.actions(past_of(history), at=self.clock(), objection_days=self.terms.objection_days)
        until = case.objection_until(self.terms.objection_days) if Action.OBJECT in actions else None
        return Overview(request, _named(case.province), case.state, case.due_at, history, lookups, actions, until)

    async def act(self, tracking_code: str, key: str, action: Action, words: Words) -> Overview:
        """Let the applicant act, and tell the province; the same key again changes nothing and shows the same.

        Raises ActionNotPossibleError and its like, or IdempotencyKeyReusedError.
        """
        async with self.database.transaction() as session:
            cases = CaseStore(session, self.vault)
            found = await cases.get(tracking_code)
            if found is None:  # intake has it, and tracking will hear of it in a moment
                raise ActionNotPossibleError
            case, request = found
            history = await cases.history(tracking_code)
            step_id = self.vault.index(f"{tracking_code}/{action}/{key}", "move")
            step = self._step_of(case, step_id, action, words)
            repeated = next((each for each in history if each.event_id == step_id), None)
            if repeated is not None:
                if not repeated.says_the_same(step):
                    raise IdempotencyKeyReusedError
            else:
                case = await self._act(session, case, request, step, past_of(history))
                history = await cases.history(tracking_code)
        return self._overview(case, request, history, await self._lookups(request.applicant.national_id))

    def _step_of(self, case: Case, step_id: str, action: Action, words: Words) -> Step:
        return Step(
            step_id,
            self.clock(),
            LEADS_TO[action] or case.state,
            words.text,
            turn=case.turn,
            seq=case.report_seq + AFTER_THE_LAST_REPORT if case.state is State.CLOSED else case.report_seq,
            action=action,
            rating=words.rating,
        )

    async def _act(self, session: AsyncSession, case: Case, request: RequestSubmitted, step: Step, past: Past) -> Case:
        if step.action is None:
            raise ValueError("not a step of the applicant")
        moved = case.follow(step.action, past, at=step.at, objection_days=self.terms.objection_days)
        moved = moved.timed(case, self.terms)
        if case.state is not State.IDENTITY_PENDING:  # else no province knows of it
            moved = moved.announced()
            await self._tell_province(session, moved, step)
        if moved.state is not case.state:
            moved = moved.announced()
            await self._announce(session, moved, request, step)
        cases = CaseStore(session, self.vault)
        await cases.save(moved)
        await cases.add_step(case.tracking_code, step)
        return moved

    async def ring(self, session: AsyncSession, case: Case, request: RequestSubmitted) -> None:
        """Do what is due when a case's time has run out: close it, or tell who is next that the answer is late."""
        now = self.clock()
        rung = case.ring(self.terms, at=now).announced()
        cases = CaseStore(session, self.vault)
        await cases.save(rung)
        if rung.state is State.CLOSED:
            seq = case.report_seq + AFTER_THE_LAST_REPORT
            step = Step(str(uuid.uuid4()), now, State.CLOSED, turn=case.turn, seq=seq)
            await cases.add_step(case.tracking_code, step)
            await self._announce(session, rung, request, step)
            return
        to_province = rung.overdue == PROVINCE_TOLD
        kind = RequestOverdue if to_province else RequestEscalated
        late = kind(
            tracking_code=case.tracking_code,
            at=now,
            due_at=case.due_at,
            state=case.state,
            province=_named(case.province),
            subject=request.subject,
            sub_subject=request.sub_subject,
        )
        key = case.province if to_province else HEADQUARTERS
        await self.outbox.add(session, late, subject=case.tracking_code, key=key, seq=rung.seq)

    async def _tell_province(self, session: AsyncSession, case: Case, step: Step) -> None:
        await self.outbox.add(session, _told(case, step), subject=case.tracking_code, key=case.province, seq=case.seq)

    async def _lookups(self, national_id: str) -> list[Lookup] | None:
        """Ask when the civil registry was asked; a page without that is better than none."""
        try:
            return await self.registry.lookups(national_id)
        except ServiceUnavailableError:
            log.warning("look-ups cannot be shown")
            self.lookups_missing.inc()
            return None


def _told(case: Case, step: Step) -> ApplicantMove:
    """Say what the applicant did as the province is told it."""
    what = {"tracking_code": case.tracking_code, "at": step.at}
    match step.action:
        case Action.REPLY:
            return RequestReplied.model_validate(what | {"text": step.note})
        case Action.WITHDRAW:
            return RequestWithdrawn.model_validate(what | {"reason": step.note})
        case Action.RATE:
            return RequestRated.model_validate(what | {"rating": step.rating, "comment": step.note})
        case Action.OBJECT:
            return RequestObjected.model_validate(what | {"text": step.note})
        case None:
            raise ValueError("not a step of the applicant")


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


def _known(key: str) -> str:
    try:
        return province(key).key
    except UnknownProvinceError:
        raise RefusedError("unknown_province", "there is no such province to refer to") from None


def _named(key: str) -> Named:
    return Named(key=key, name=province(key).name)
