"""What all use cases share: the store, publishing, the terms and a clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from desk.chassis.crypto import Vault
from desk.chassis.events import Outbox
from desk.database import DatabaseSession
from desk.iran.offices import office
from desk.tracking.domain import TITLES, Case, HistoryEntry, Province, Request, State, Terms, find_decision
from desk.tracking.events import (
    ACTED,
    AnswerData,
    ApplicantActed,
    ApplicantName,
    Contact,
    Named,
    RequestPendingWithdrawn,
    RequestStatusChanged,
)
from desk.tracking.store import CaseStore

AFTER_THE_LAST_REPORT = 1
"""Added to the number of the last report for history entries that come after all reports."""


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class CaseContext:
    """Reads, writes and publishes within the transaction of the session that each call is given."""

    vault: Vault
    outbox: Outbox
    terms: Terms
    clock: Callable[[], datetime] = utc_now

    def cases(self, session: DatabaseSession) -> CaseStore:
        """Return the store of cases in a session: always the same, which knows the keys that were read."""
        store: CaseStore = session.info.setdefault(CaseStore, CaseStore(session, self.vault))
        return store

    async def publish_state(
        self, session: DatabaseSession, case: Case, request: Request, entry: HistoryEntry, *, reminder: bool = False
    ) -> None:
        """Publish a new state with what the applicant may read, or the same one as a ``reminder``."""
        await self.outbox.add(
            session,
            RequestStatusChanged(
                tracking_code=case.tracking_code,
                state=entry.state,
                state_title=TITLES[entry.state],
                at=entry.at,
                due_at=case.due_at,
                province=Named.model_validate(request.province),
                office=Named.model_validate(named_office(case.province)),
                note=entry.note,
                reply_until=self.reply_until(case, entry.state),
                reminder=reminder,
                answer=AnswerData.model_validate(entry.answer) if entry.answer else None,
                applicant=ApplicantName.model_validate(request.applicant),
                contact=Contact.model_validate(request.contact),
            ),
            subject=case.tracking_code,
            key=case.province,
            seq=case.seq,
        )

    def reply_until(self, case: Case, state: State) -> datetime | None:
        """Return until when the applicant can answer a question of the office in ``state``; None if there is none."""
        if state is State.INFO_REQUESTED:
            return case.question_until
        return case.objection_until(self.terms.objection_days) if state is State.UNANSWERED else None

    async def publish_action(
        self, session: DatabaseSession, case: Case, entry: HistoryEntry, history: Sequence[HistoryEntry] = ()
    ) -> None:
        """Publish an applicant's action to the office; ``history`` is the one before the action."""
        event = _action_event(case, entry, find_decision(history))
        await self.outbox.add(session, event, subject=case.tracking_code, key=case.province, seq=case.seq)

    async def publish_pending_withdrawal(self, session: DatabaseSession, case: Case, entry: HistoryEntry) -> None:
        """Publish the withdrawal of a pending request to intake."""
        event = RequestPendingWithdrawn(tracking_code=case.tracking_code, at=entry.at)
        await self.outbox.add(session, event, subject=case.tracking_code, key=case.province, seq=case.seq)


def _action_event(case: Case, entry: HistoryEntry, decision: HistoryEntry | None) -> ApplicantActed:
    """Return the event of an action, with those of these values that its class has a field for."""
    if entry.action is None:
        raise ValueError("the entry records no action")
    note = dict.fromkeys(("text", "reason", "comment"), entry.note)
    return ACTED[entry.action].model_validate(
        note
        | {
            "tracking_code": case.tracking_code,
            "at": entry.at,
            "rating": entry.rating,
            "files": entry.files,
            "answer_report_id": decision.event_id if decision else None,
        }
    )


def named_office(key: str) -> Province:
    """Return the key and the name of an office."""
    return Province(key, office(key).name)
