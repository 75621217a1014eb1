"""The later look-up of a pending identity: the registry's verdict, and the state that follows from it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from desk.intake.domain.requests import IdentityState, Person


class Outcome(StrEnum):
    """The civil registry's result for a number and a birth date."""

    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    DECEASED = "deceased"
    REFERRED = "referred"
    """The registry requires this person to appear at its office first."""
    UNAVAILABLE = "unavailable"
    UNSUPPORTED = "unsupported"
    """The registry never answers for this kind of number."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer of the registry. ``person`` is set for a match; ``available_at``, if set, is when to ask again."""

    outcome: Outcome
    person: Person | None = None
    available_at: datetime | None = None


LONGEST_WAIT = timedelta(hours=1)
LONGEST_CLOSED = timedelta(days=1)


def conclude(verdict: Verdict, *, foreign: bool) -> IdentityState:
    """Return the state of a pending identity after this verdict.

    The civil registry contains Iranians only, so a foreign national's code it does not find stays unconfirmed.
    """
    match verdict.outcome:
        case Outcome.MATCHED:
            return IdentityState.CONFIRMED
        case Outcome.UNAVAILABLE:
            return IdentityState.PENDING
        case Outcome.UNSUPPORTED:
            return IdentityState.UNCONFIRMED
        case Outcome.DECEASED:
            return IdentityState.REJECTED
        case Outcome.NOT_MATCHED | Outcome.REFERRED:
            return IdentityState.UNCONFIRMED if foreign else IdentityState.REJECTED


def next_check(verdict: Verdict, *, attempts: int, first_wait: timedelta, now: datetime) -> datetime:
    """Return when to ask again: when the registry opens, else after a wait that doubles, up to an hour."""
    if verdict.available_at is not None and verdict.available_at > now:
        return min(verdict.available_at, now + LONGEST_CLOSED)
    return now + min(first_wait * (1 << min(attempts - 1, 20)), LONGEST_WAIT)
