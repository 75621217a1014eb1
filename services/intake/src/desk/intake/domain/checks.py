"""What the civil registry says of a pending identity, and what becomes of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from desk.intake.domain.requests import IdentityState, Person


class Outcome(StrEnum):
    """What the civil registry says to a number and a birth date."""

    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    DECEASED = "deceased"
    REFERRED = "referred"
    """The registry wants to see this person at its office first."""
    UNAVAILABLE = "unavailable"
    UNSUPPORTED = "unsupported"
    """It does not answer for this kind of number at all."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The registry's word. ``person`` comes with a match; ``available_at`` may say when to ask again."""

    outcome: Outcome
    person: Person | None = None
    available_at: datetime | None = None


LONGEST_WAIT = timedelta(hours=1)
LONGEST_CLOSED = timedelta(days=1)


def conclude(verdict: Verdict, *, foreign: bool) -> IdentityState:
    """Say what becomes of a pending identity.

    The civil registry keeps Iranians: that it does not know a foreign national's code means nothing.
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


def next_check(verdict: Verdict, *, tries: int, first_wait: timedelta, now: datetime) -> datetime:
    """Say when to ask again: when the registry says it opens, else after a wait that doubles, at most an hour."""
    if verdict.available_at is not None and verdict.available_at > now:
        return min(verdict.available_at, now + LONGEST_CLOSED)
    return now + min(first_wait * (1 << min(tries - 1, 20)), LONGEST_WAIT)
