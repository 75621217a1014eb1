"""Why and when the data of a case is erased, and what is known of the erasure afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from desk.tracking.domain.states import State


class ErasureReason(StrEnum):
    """Why the data of a case is erased."""

    RETENTION = "retention"
    """The retention period of its state is over."""
    APPLICANT = "applicant"
    """The applicant demands it."""
    COURT_ORDER = "court-order"
    MISTAKE = "mistake"
    """The request was sent by mistake, for example with the data of another person."""
    RESTORED = "restored"
    """It was erased before, and its unreadable rows came back from a backup."""


ON_DEMAND = (ErasureReason.APPLICANT, ErasureReason.COURT_ORDER, ErasureReason.MISTAKE)
"""The reasons that an operator may give."""
ACKNOWLEDGED_WITHIN = timedelta(days=7)
"""How long services and offices may take to erase; after that, operators are alerted."""


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days after its last change a case is kept, by state; other states have no term."""

    days: Mapping[State, int]

    def expired_before(self, now: datetime) -> dict[State, datetime]:
        """Return, by state, the moment before which the last change must be for the term to be over."""
        return {state: now - timedelta(days=days) for state, days in self.days.items()}


@dataclass(frozen=True, slots=True)
class ErasingParty:
    """A service or office that was asked to erase; ``removed`` counts what it removed, by kind.

    Headquarters is only informed, ``informed_only``, of a case of which it received nothing but a late answer.
    """

    name: str
    asked_at: datetime
    acknowledged_at: datetime | None = None
    removed: Mapping[str, int] = field(default_factory=dict)
    informed_only: bool = False

    @property
    def pending(self) -> bool:
        """Whether the acknowledgement is missing."""
        return self.acknowledged_at is None and not self.informed_only


@dataclass(frozen=True, slots=True)
class Certificate:
    """The record of an erasure, without personal data. ``removed`` counts what tracking itself removed, by kind."""

    id: str
    tracking_code: str
    reason: ErasureReason
    requested_at: datetime
    erased_at: datetime
    removed: Mapping[str, int]
    parties: tuple[ErasingParty, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every service and office has acknowledged."""
        return not any(party.pending for party in self.parties)
