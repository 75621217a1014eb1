"""What all of tracking's use cases share: its store, its words to the rest of the desk, terms and a clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.chassis.events import Outbox
from desk.iran.provinces import province
from desk.tracking.domain import TITLES, Action, Case, Terms
from desk.tracking.events import (
    ApplicantMove,
    ApplicantName,
    Named,
    RequestObjected,
    RequestPendingWithdrawn,
    RequestRated,
    RequestReplied,
    RequestStatusChanged,
    RequestSubmitted,
    RequestWithdrawn,
)
from desk.tracking.store import CaseStore, Step

HEADQUARTERS = "headquarters"
"""The key of what no province but headquarters is to hear."""
AFTER_THE_LAST_REPORT = 1
"""What is added to the number of the last report for what comes after the whole case."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Office:
    """Where cases are led: who leads one writes and announces here, in the transaction it was given."""

    vault: Vault
    outbox: Outbox
    terms: Terms
    clock: Callable[[], datetime] = _now

    def cases(self, session: AsyncSession) -> CaseStore:
        """Give the cases as one transaction sees them."""
        return CaseStore(session, self.vault)

    async def announce(self, session: AsyncSession, case: Case, request: RequestSubmitted, step: Step) -> None:
        """Announce a new state, with what is public of it."""
        await self.outbox.add(
            session,
            RequestStatusChanged(
                tracking_code=case.tracking_code,
                state=step.state,
                state_title=TITLES[step.state],
                at=step.at,
                due_at=case.due_at,
                province=named(case.province),
                note=step.note,
                answer=step.answer,
                applicant=ApplicantName.model_validate(request.applicant.model_dump()),
                contact=request.contact,
            ),
            subject=case.tracking_code,
            key=case.province,
            seq=case.seq,
        )

    async def tell_province(self, session: AsyncSession, case: Case, step: Step) -> None:
        """Tell the province what the applicant did."""
        await self.outbox.add(session, _told(case, step), subject=case.tracking_code, key=case.province, seq=case.seq)

    async def tell_intake(self, session: AsyncSession, case: Case, step: Step) -> None:
        """Tell intake that a pending request was withdrawn."""
        event = RequestPendingWithdrawn(tracking_code=case.tracking_code, at=step.at)
        await self.outbox.add(session, event, subject=case.tracking_code, key=case.province, seq=case.seq)


def _told(case: Case, step: Step) -> ApplicantMove:
    """Say what the applicant did as the province is told it."""
    what = {"tracking_code": case.tracking_code, "at": step.at}
    match step.action:
        case Action.REPLY:
            return RequestReplied.model_validate(what | {"text": step.note, "files": step.files})
        case Action.WITHDRAW:
            return RequestWithdrawn.model_validate(what | {"reason": step.note})
        case Action.RATE:
            return RequestRated.model_validate(what | {"rating": step.rating, "comment": step.note})
        case Action.OBJECT:
            return RequestObjected.model_validate(what | {"text": step.note})
        case None:
            raise ValueError("not a step of the applicant")


def named(key: str) -> Named:
    """Give a province's key with its name."""
    return Named(key=key, name=province(key).name)
