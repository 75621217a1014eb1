"""The pending identities, which are looked up later."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, bindparam, func, insert, select, update

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession, DataKeys
from desk.intake.domain import IdentityState, Outcome, Person, Request
from desk.intake.store.requests import RequestStore
from desk.intake.store.tables import identity_check, request

LEASE = timedelta(minutes=1)
"""How long a claim lasts; far longer than the registry may take to answer."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A check that this process has claimed; ``attempts`` includes it, and identifies the claim."""

    request: Request
    attempts: int


@dataclass(frozen=True, slots=True)
class Pending:
    """The number of pending identities, and the age of the oldest in seconds."""

    count: int
    oldest_seconds: float


class IdentityCheckStore:
    """Reads and writes the pending identities."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def add(self, new: Request, next_check_at: datetime) -> None:
        """Insert the check of a request's applicant.

        A proven mobile that is known from a confirmed request of the number puts it before other checks of the number.
        """
        mobile_known = new.mobile_proven and await RequestStore(self._session, self._vault).knows_mobile(new)
        await self._session.execute(
            insert(identity_check).values(
                request_id=str(new.id),
                state=IdentityState.PENDING,
                submitted_at=new.submitted_at,
                tries=0,
                next_check_at=next_check_at,
                mobile_known=mobile_known,
            )
        )

    async def claim(self) -> Claim | None:
        """Claim the check that has been due longest; checks that another session has locked are skipped.

        The registry's verdicts about a number are limited. So while a check with a known mobile is pending, the other
        checks of its number wait: requests in another person's name do not use the verdicts up.
        """
        now = datetime.now(UTC)
        request_id = (await self._session.execute(_LONGEST_DUE, {"now": now})).scalar_one_or_none()
        if request_id is None:
            return None
        claimed = (
            update(identity_check)
            .where(identity_check.c.request_id == request_id)
            .values(tries=identity_check.c.tries + 1, next_check_at=now + LEASE)
            .returning(identity_check.c.tries)
        )
        attempts = (await self._session.execute(claimed)).scalar_one()
        return Claim(await RequestStore(self._session, self._vault).by_id(request_id), attempts)

    async def schedule_retry(self, claim: Claim, outcome: Outcome, next_check_at: datetime) -> bool:
        """Schedule the next attempt; False if the lease has expired and another process has claimed the check."""
        return await self._record(claim, outcome=outcome, next_check_at=next_check_at)

    async def settle(self, claim: Claim, state: IdentityState, outcome: Outcome, person: Person | None) -> bool:
        """Record the result of a check; False if the lease has expired and another process has claimed it."""
        return await self._record(
            claim,
            state=state,
            outcome=outcome,
            checked_at=datetime.now(UTC),
            person=await self._seal(person, str(claim.request.id)) if person else None,
        )

    async def _seal(self, person: Person, request_id: str) -> bytes:
        key = await DataKeys(self._vault).get_or_create(self._session, request_id)
        return key.seal(json.dumps(asdict(person)).encode(), f"identity_check.person:{request_id}")

    async def withdraw(self, tracking_code: str) -> IdentityState | None:
        """End the check of a request that was withdrawn while it was pending, even if an attempt is running.

        Return the state of the identity then: any state but ``WITHDRAWN`` was reached before. None if there is no
        such request.
        """
        of_request = select(request.c.id).where(request.c.tracking_code == tracking_code).scalar_subquery()
        await self._session.execute(
            update(identity_check)
            .where(identity_check.c.request_id == of_request, identity_check.c.state == IdentityState.PENDING)
            .values(state=IdentityState.WITHDRAWN, checked_at=datetime.now(UTC))
        )
        query = select(identity_check.c.state).select_from(request).outerjoin(identity_check)
        row = (await self._session.execute(query.where(request.c.tracking_code == tracking_code))).first()
        if row is None:
            return None
        return IdentityState(row.state) if row.state else IdentityState.KNOWN

    async def _record(self, claim: Claim, **values: object) -> bool:
        recorded = await self._session.execute(
            update(identity_check)
            .where(
                identity_check.c.request_id == str(claim.request.id),
                identity_check.c.state == IdentityState.PENDING,
                identity_check.c.tries == claim.attempts,
            )
            .values(**values)
            .returning(identity_check.c.request_id)
        )
        return recorded.first() is not None

    async def pending(self) -> Pending:
        """Count the pending identities."""
        query = select(func.count(), func.min(identity_check.c.submitted_at)).where(
            identity_check.c.state == IdentityState.PENDING
        )
        count, oldest = (await self._session.execute(query)).one()
        return Pending(count, (datetime.now(UTC) - oldest).total_seconds() if oldest is not None else 0.0)


def _owners_with_known_mobile() -> Select[tuple[str]]:
    """Select the numbers that have a pending check with a known mobile."""
    known, of = identity_check.alias("known"), request.alias("of_known")
    return (
        select(of.c.owner_index)
        .join(known, known.c.request_id == of.c.id)
        .where(known.c.state == IdentityState.PENDING, known.c.mobile_known)
    )


_LONGEST_DUE = (
    select(identity_check.c.request_id)
    .join(request)
    .where(
        identity_check.c.state == IdentityState.PENDING,
        identity_check.c.next_check_at <= bindparam("now"),
        identity_check.c.mobile_known | request.c.owner_index.not_in(_owners_with_known_mobile()),
    )
    .order_by(identity_check.c.next_check_at)
    .limit(1)
    .with_for_update(skip_locked=True, of=identity_check)
)
"""Built once: it is executed every few seconds, and to build it costs more than to execute it."""
