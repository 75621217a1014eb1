"""What applicants see of a request, and their actions on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Counter

from desk.chassis.audit import AuditLog
from desk.chassis.problem import ServiceUnavailableError
from desk.database import Database, DatabaseSession
from desk.tracking.clients import IntakeClient, RegistryClient
from desk.tracking.domain import (
    ACTIONS,
    Action,
    ActionNotPossibleError,
    Answer,
    Case,
    CaseErasedError,
    Facts,
    File,
    HistoryEntry,
    IdempotencyKeyReusedError,
    Province,
    Request,
    RequestNotFoundError,
    State,
    Tally,
    summarize,
)
from desk.tracking.responses import FreshRequest, Lookup
from desk.tracking.service.context import AFTER_THE_LAST_REPORT, CaseContext, named_office
from desk.tracking.service.handovers import Handovers
from desk.tracking.store import FigureStore


@dataclass(frozen=True, slots=True)
class Overview:
    """A request as its applicant may see it."""

    request: Request | FreshRequest
    office: Province
    state: State
    due_at: datetime
    history: list[HistoryEntry]
    """The look-ups of the applicant in the civil registry; None if registry-gateway is unavailable."""
    actions: Sequence[Action] = ()
    objection_until: datetime | None = None
    """The last moment of an objection; None if none is possible."""
    reply_until: datetime | None = None
    """The last moment of an answer to the question; None if there is no question, or one without a term."""
    contact_changeable: bool = False
    """Whether the applicant may give another mobile."""
    unreached: bool = False
    """Whether an SMS failed since the mobile was given."""

    @property
    def answer(self) -> Answer | None:
        """The experts' latest answer."""
        answers = [entry.answer for entry in self.history if entry.answer is not None]
        return answers[-1] if answers else None


@dataclass(frozen=True, slots=True)
class ActionContent:
    """What the applicant sends with an action."""

    text: str | None
    rating: int | None = None
    files: tuple[str, ...] = ()
    """Ids of files uploaded at intake."""


@dataclass(frozen=True, slots=True)
class Actions:
    """Shows requests to their applicants, and applies the applicants' actions."""

    database: Database
    context: CaseContext
    intake: IntakeClient
    registry: RegistryClient
    lookups_missing: Counter
    """Counts the responses without the look-ups."""
    audit: AuditLog

    async def view(self, national_id: str, tracking_code: str, source: str) -> Overview:
        """Return a person's request to a caller at the address ``source``, and record it in the audit log.

        An erased request is not found.

        Raises RequestNotFoundError or ServiceUnavailableError.
        """
        async with self.database.one_write() as session:
            cases = self.context.cases(session)
            found = await cases.find_of_person(national_id, tracking_code)
            history = await cases.history(tracking_code) if found is not None else []
            if found is not None:
                await self._record_reading(session, tracking_code, source)
            erased = found is None and await cases.is_erased(tracking_code)
        if found is not None:
            return self.overview(*found, history)
        fresh = None if erased else await self.intake.find(national_id, tracking_code)
        if fresh is None:
            raise RequestNotFoundError
        async with self.database.one_write() as session:
            await self._record_reading(session, tracking_code, source)
        first_state = State.REGISTERED if fresh.state is State.REGISTERED else State.IDENTITY_PENDING
        first = HistoryEntry("", fresh.submitted_at, first_state)
        return Overview(fresh, fresh.office or fresh.province, fresh.state, fresh.due_at, [first])

    async def view_again(self, tracking_code: str, source: str) -> Overview:
        """Return a request whose applicant has been authenticated before, and record it as :meth:`view` does.

        Raises RequestNotFoundError while only intake has the request, or after its erasure.
        """
        async with self.database.one_write() as session:
            cases = self.context.cases(session)
            try:
                found = await cases.find(tracking_code)
            except CaseErasedError:
                found = None
            if found is None:
                raise RequestNotFoundError
            history = await cases.history(tracking_code)
            await self._record_reading(session, tracking_code, source)
        return self.overview(*found, history)

    async def list_lookups(self, tracking_code: str) -> list[Lookup]:
        """List when the civil registry was asked about the applicant of a request, the newest first.

        Raises RequestNotFoundError while only intake has the request or after its erasure, or ServiceUnavailableError.
        """
        try:
            async with self.database.read() as session:
                found = await self.context.cases(session).find(tracking_code)
        except CaseErasedError:
            found = None
        if found is None:
            raise RequestNotFoundError
        try:
            return await self.registry.list_lookups(found[1].applicant.national_id)
        except ServiceUnavailableError:
            self.lookups_missing.inc()
            raise

    async def _record_reading(self, session: DatabaseSession, tracking_code: str, source: str) -> None:
        await self.audit.add(session, "applicant", "request_read", subject=tracking_code, source=source)

    def overview(self, case: Case, request: Request, history: list[HistoryEntry]) -> Overview:
        """Return a case as its applicant may see it."""
        days = self.context.terms.objection_days
        actions = case.possible_actions(summarize(history), at=self.context.clock(), objection_days=days)
        until = case.objection_until(days) if Action.OBJECT in actions else None
        reply_until = self.context.reply_until(case, case.state) if Action.REPLY in actions else None
        office = named_office(case.province)
        return Overview(
            request,
            office,
            case.state,
            case.due_at,
            history,
            actions,
            until,
            reply_until,
            contact_changeable=case.has_changeable_contact,
            unreached=case.unreached,
        )

    async def act(self, tracking_code: str, key: str, action: Action, content: ActionContent) -> Overview:
        """Apply an action and publish it; a repeat with the same key changes nothing and returns the same.

        Raises ActionNotPossibleError and the other errors of :meth:`Case.apply_action`, IdempotencyKeyReusedError,
        UnknownFileError, or ServiceUnavailableError if there are files and intake is unavailable.
        """
        entry_ids = self.context.vault.indexes(f"{tracking_code}/{action}/{key}", "move")
        files = await self._reserve_files(tracking_code, entry_ids, action, content)
        async with self.database.transaction() as session:
            case, request, history = await self._find(session, tracking_code)
            entry = self._entry(case, entry_ids[0], action, content, files)
            repeated = _find_entry(history, entry_ids)
            if repeated is not None:
                if not repeated.repeats(entry):
                    raise IdempotencyKeyReusedError
            else:
                changed = self._after_action(case, action, history, entry.at)
                case = await self._save(session, case, request, entry, changed, history=history)
                history = await self.context.cases(session).history(tracking_code)
        return self.overview(case, request, history)

    async def _find(self, session: DatabaseSession, tracking_code: str) -> tuple[Case, Request, list[HistoryEntry]]:
        cases = self.context.cases(session)
        try:
            found = await cases.find_and_lock(tracking_code)
        except CaseErasedError:
            raise ActionNotPossibleError from None
        if found is None:  # intake has it, and its event has not arrived yet
            raise ActionNotPossibleError
        return *found, await cases.history(tracking_code)

    async def _reserve_files(
        self, tracking_code: str, entry_ids: Sequence[str], action: Action, content: ActionContent
    ) -> tuple[File, ...]:
        """Reserve the files of an action that is still possible; no transaction is open during the call to intake."""
        if not content.files:
            return ()
        async with self.database.transaction() as session:
            case, _, history = await self._find(session, tracking_code)
        repeated = _find_entry(history, entry_ids)
        if repeated is not None:
            if repeated.file_ids != content.files:
                raise IdempotencyKeyReusedError
            return repeated.files
        self._after_action(case, action, history, self.context.clock())
        return await self.intake.reserve_files(tracking_code, entry_ids[0], content.files)

    def _after_action(self, case: Case, action: Action, history: Sequence[HistoryEntry], at: datetime) -> Case:
        days = self.context.terms.objection_days
        return case.apply_action(action, summarize(history), at=at, objection_days=days)

    def _entry(
        self, case: Case, entry_id: str, action: Action, content: ActionContent, files: tuple[File, ...]
    ) -> HistoryEntry:
        return HistoryEntry(
            entry_id,
            self.context.clock(),
            ACTIONS[action].after(case.state),
            content.text,
            turn=case.turn,
            seq=case.report_seq + AFTER_THE_LAST_REPORT if case.state is State.CLOSED else case.report_seq,
            action=action,
            rating=content.rating,
            files=files,
        )

    async def _save(
        self,
        session: DatabaseSession,
        case: Case,
        request: Request,
        entry: HistoryEntry,
        changed: Case,
        *,
        history: Sequence[HistoryEntry],
    ) -> Case:
        changed = changed.with_deadlines(case, self.context.terms)
        if changed.province != case.province:  # the second objection is for headquarters
            changed = await Handovers(self.context).take(session, case, changed, request, reason=None)
        changed = changed.with_next_seq()
        if entry.rating is not None:
            changed = changed.with_rating(entry.rating)
        if case.state is State.IDENTITY_PENDING:  # no office has received it, and intake need not look up the sender
            await self.context.publish_pending_withdrawal(session, changed, entry)
        else:
            await self.context.publish_action(session, changed, entry, history)
        if changed.state is not case.state:
            changed = changed.with_next_seq()
            await self.context.publish_state(session, changed, request, entry)
        cases = self.context.cases(session)
        await cases.update(changed)
        await cases.add_entry(case.tracking_code, entry)
        if entry.rating is not None and changed.counted:
            facts = Facts.recorded(changed, request.subject.key, request.sub_subject.key)
            rating = Tally(ratings=1, rating_sum=entry.rating)
            await FigureStore(session).add({facts.of: {facts.cell: rating}})
        return changed


def _find_entry(history: Sequence[HistoryEntry], entry_ids: Sequence[str]) -> HistoryEntry | None:
    return next((each for each in history if each.event_id in entry_ids), None)
