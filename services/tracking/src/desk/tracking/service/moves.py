"""What applicants see of a request, and what they do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.problem import ServiceUnavailableError
from desk.database import Database
from desk.tracking.clients import FreshRequest, IntakeClient, Lookup, RegistryClient
from desk.tracking.domain import (
    LEADS_TO,
    Action,
    ActionNotPossibleError,
    Case,
    IdempotencyKeyReusedError,
    Past,
    RequestNotFoundError,
    State,
)
from desk.tracking.events import AnswerData, FileReference, Named, RequestSubmitted
from desk.tracking.service.office import AFTER_THE_LAST_REPORT, Office, named
from desk.tracking.store import Step, past_of

log = structlog.get_logger(__name__)


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
    files: tuple[str, ...] = ()
    """Ids of what was put up for it."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Requests in the hands of their applicants."""

    database: Database
    office: Office
    intake: IntakeClient
    registry: RegistryClient
    lookups_missing: Counter
    """Counts pages that could not show the look-ups."""

    async def overview(self, national_id: str, tracking_code: str) -> Overview:
        """Show a person's request. Raises RequestNotFoundError or ServiceUnavailableError."""
        async with self.database.transaction() as session:
            cases = self.office.cases(session)
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
        actions = case.actions(
            past_of(history), at=self.office.clock(), objection_days=self.office.terms.objection_days
        )
        until = case.objection_until(self.office.terms.objection_days) if Action.OBJECT in actions else None
        return Overview(request, named(case.province), case.state, case.due_at, history, lookups, actions, until)

    async def act(self, tracking_code: str, key: str, action: Action, words: Words) -> Overview:
        """Let the applicant act, and tell the province; the same key again changes nothing and shows the same.

        Raises ActionNotPossibleError and its like, IdempotencyKeyReusedError, UnknownFileError, or
        ServiceUnavailableError if there are files and intake is away.
        """
        step_id = self.office.vault.index(f"{tracking_code}/{action}/{key}", "move")
        files = await self._set_aside(tracking_code, step_id, action, words)
        async with self.database.transaction() as session:
            case, request, history = await self._found(session, tracking_code)
            step = self._step_of(case, step_id, action, words, files)
            repeated = _made(history, step_id)
            if repeated is not None:
                if not repeated.says_the_same(step):
                    raise IdempotencyKeyReusedError
            else:
                case = await self._act(session, case, request, step, past_of(history))
                history = await self.office.cases(session).history(tracking_code)
        return self._overview(case, request, history, await self._lookups(request.applicant.national_id))

    async def _found(self, session: AsyncSession, tracking_code: str) -> tuple[Case, RequestSubmitted, list[Step]]:
        cases = self.office.cases(session)
        found = await cases.get(tracking_code)
        if found is None:  # intake has it, and tracking will hear of it in a moment
            raise ActionNotPossibleError
        return *found, await cases.history(tracking_code)

    async def _set_aside(self, tracking_code: str, step_id: str, action: Action, words: Words) -> list[FileReference]:
        """Have intake keep the files of what can still be done; no transaction is open while it is asked."""
        if not words.files:
            return []
        async with self.database.transaction() as session:
            case, _, history = await self._found(session, tracking_code)
        repeated = _made(history, step_id)
        if repeated is not None:
            if tuple(repeated.file_ids) != words.files:
                raise IdempotencyKeyReusedError
            return repeated.files
        case.follow(action, past_of(history), at=self.office.clock(), objection_days=self.office.terms.objection_days)
        return await self.intake.set_aside(tracking_code, step_id, words.files)

    def _step_of(self, case: Case, step_id: str, action: Action, words: Words, files: list[FileReference]) -> Step:
        return Step(
            step_id,
            self.office.clock(),
            LEADS_TO[action] or case.state,
            words.text,
            turn=case.turn,
            seq=case.report_seq + AFTER_THE_LAST_REPORT if case.state is State.CLOSED else case.report_seq,
            action=action,
            rating=words.rating,
            files=files,
        )

    async def _act(self, session: AsyncSession, case: Case, request: RequestSubmitted, step: Step, past: Past) -> Case:
        if step.action is None:
            raise ValueError("not a step of the applicant")
        moved = case.follow(step.action, past, at=step.at, objection_days=self.office.terms.objection_days)
        moved = moved.timed(case, self.office.terms)
        moved = moved.announced()
        if case.state is State.IDENTITY_PENDING:  # no province knows of it, and intake need not ask who sent it
            await self.office.tell_intake(session, moved, step)
        else:
            await self.office.tell_province(session, moved, step)
        if moved.state is not case.state:
            moved = moved.announced()
            await self.office.announce(session, moved, request, step)
        cases = self.office.cases(session)
        await cases.save(moved)
        await cases.add_step(case.tracking_code, step)
        return moved

    async def _lookups(self, national_id: str) -> list[Lookup] | None:
        """Ask when the civil registry was asked; a page without that is better than none."""
        try:
            return await self.registry.lookups(national_id)
        except ServiceUnavailableError:
            log.warning("look-ups cannot be shown")
            self.lookups_missing.inc()
            return None


def _made(history: Sequence[Step], step_id: str) -> Step | None:
    """Find a step that was made before."""
    return next((each for each in history if each.event_id == step_id), None)
