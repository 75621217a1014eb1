"""The results of a look-up, and the failures of the registry."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from desk.registry_gateway.domain.identity import Identity


class Purpose(StrEnum):
    """The purpose of a look-up."""

    SUBMIT = "submit"
    CONFIRM = "confirm"
    """For a request that was accepted while the registry was unavailable."""
    MOBILE = "mobile"
    """To check whether a mobile belongs to the person."""
    COUNTER = "counter"
    """By an expert of an office, who registers a request for the person."""


class Outcome(StrEnum):
    """The result of a look-up in the ledger."""

    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    DECEASED = "deceased"
    REFERRED = "referred"
    UNANSWERED = "unanswered"
    MOBILE_MATCHED = "mobile_matched"
    MOBILE_MISMATCHED = "mobile_mismatched"


class Reason(StrEnum):
    """Why the registry is unavailable."""

    CLOSED = "closed"
    QUOTA = "quota"
    UNREACHABLE = "unreachable"
    FOREIGN = "foreign"
    """The registry never answers for this kind of number."""


class MobileOwner(StrEnum):
    """Whether a mobile belongs to a national ID."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Matched:
    """Number and birth date belong to this living person."""

    outcome: ClassVar[Outcome] = Outcome.MATCHED
    identity: Identity


@dataclass(frozen=True, slots=True)
class NotMatched:
    """The number does not exist or has another birth date."""

    outcome: ClassVar[Outcome] = Outcome.NOT_MATCHED


@dataclass(frozen=True, slots=True)
class Deceased:
    """Number and birth date belong to a person who has died."""

    outcome: ClassVar[Outcome] = Outcome.DECEASED


@dataclass(frozen=True, slots=True)
class Referred:
    """The registry does not show the record before the person has been to one of its offices."""

    outcome: ClassVar[Outcome] = Outcome.REFERRED


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The registry is unavailable. This depends neither on the number nor on the birth date."""

    outcome: ClassVar[Outcome] = Outcome.UNANSWERED
    reason: Reason
    until: datetime | None = None
    """When the registry will be available again, if known."""
    asked: bool = False
    """Whether a call was made."""


Verdict = Matched | NotMatched | Deceased | Referred
"""The registry's answer to a number and a birth date."""

Answer = Verdict | Unavailable


class FailureKind(StrEnum):
    """What a code of the registry means for the desk. DOWN is our own, for a response that is not the registry's."""

    NOT_FOUND = "not_found"
    REFER = "refer"
    QUOTA = "quota"
    CLOSED_HOURS = "closed_hours"
    RETRY = "retry"
    CONFIG = "config"
    BUG = "bug"
    IGNORE = "ignore"
    DOWN = "down"


class UnansweredError(Exception):
    """The registry did not answer. The text is for the log and never contains personal data."""

    def __init__(self, kind: FailureKind, text: str, *, retryable: bool = False) -> None:
        """``retryable``: the same call may be repeated immediately, because it cannot have taken effect."""
        super().__init__(text)
        self.kind = kind
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class Lookup:
    """A look-up as the ledger stores it: keyed hashes instead of the number and the address."""

    at: datetime
    purpose: Purpose
    number_index: str
    source_index: str
    """Of the caller's address, or of the office for a look-up at its counter; empty for one of a service."""
    outcome: Outcome
