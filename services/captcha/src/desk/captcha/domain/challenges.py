"""A challenge is bound to its purpose and has three attempts, five minutes and one right answer."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from desk.captcha.domain.errors import KindUnavailableError
from desk.iran.digits import bare

DIGITS = 5
ATTEMPTS = 3
LIFE = timedelta(minutes=5)
CLAIM_LIFE = timedelta(minutes=10)
"""How long a right answer may be repeated with the same claim, for a submission that is retried."""

_ID = re.compile(r"[A-Za-z0-9_-]{22}")


class Purpose(StrEnum):
    """The purpose of a challenge. It is valid for no other purpose."""

    SUBMIT = "submit"
    TRACK = "track"
    IDENTITY = "identity"
    MOBILE = "mobile"
    """To submit a request."""
    REQUESTS = "requests"
    """To list the requests of an applicant."""
    CONTACT = "contact"
    """To change the mobile of a request."""


class Kind(StrEnum):
    """The kind of a challenge."""

    IMAGE = "image"
    SOUND = "sound"
    WORK = "work"
    SMS = "sms"


OFFERED = frozenset(
    {
        (Kind.IMAGE, Purpose.SUBMIT),
        (Kind.IMAGE, Purpose.TRACK),
        (Kind.SOUND, Purpose.SUBMIT),
        (Kind.SOUND, Purpose.TRACK),
        (Kind.WORK, Purpose.TRACK),
        (Kind.WORK, Purpose.IDENTITY),
        (Kind.WORK, Purpose.MOBILE),
        (Kind.SMS, Purpose.MOBILE),
        (Kind.SMS, Purpose.REQUESTS),
        (Kind.SMS, Purpose.CONTACT),
    }
)

WORK_COST = 5_000
"""Rounds of PBKDF2 for each counter; so many that the set-up of each attempt costs little in comparison."""

MAX_LEVEL = 5
"""The highest level of a proof of work. Each level doubles work and delay; the service that requires it chooses it."""


class Outcome(StrEnum):
    """The result of an answer."""

    RIGHT = "right"
    WRONG = "wrong"
    EARLY = "early"
    """The delay of a proof of work has not ended; the answer was not looked at."""
    EXPIRED = "expired"
    """The challenge is unknown, expired, for another purpose, used by another claim, or has no attempts left."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is stored of a challenge."""

    purpose: Purpose
    answer: str
    level: int = 0
    usable_at: datetime | None = None
    """When the answer is accepted, if it is not accepted at once."""
    mobile: str | None = None
    """The mobile (E.164) that got the code by SMS; None for other kinds."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of an answer."""

    outcome: Outcome
    attempts_left: int = 0
    level: int = 0
    """The level of a proof of work; 0 for other kinds."""
    wait_seconds: int = 0
    """How long until an early answer is accepted."""


def normalize_answer(typed: str) -> str:
    """Return an answer in ASCII digits, without spaces. Persian and Arabic-Indic digits are accepted."""
    return bare(typed)


def delay_of(level: int) -> timedelta:
    """Return how long after its issue a proof of work of this level is accepted: 0, 1, 2, 4, 8 or 16 seconds."""
    return timedelta(seconds=2 ** (level - 1)) if level else timedelta()


def whole_second_after(moment: datetime) -> datetime:
    """Return the next whole second: timestamps in JSON have no fractions, and a rounded one must not be too early."""
    return moment.replace(microsecond=0) + timedelta(seconds=1)


def new_id() -> str:
    """Return an ID that cannot be guessed and is safe in a path."""
    return secrets.token_urlsafe(16)


def is_id(text: str) -> bool:
    """Return whether ``text`` has the form of an ID, so that no other text becomes a key in Redis."""
    return _ID.fullmatch(text) is not None


def choose_answer() -> str:
    """Return five random digits."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def require_offered(kind: Kind, purpose: Purpose) -> None:
    """Raise KindUnavailableError unless this kind of challenge is offered for this purpose."""
    if (kind, purpose) not in OFFERED:
        raise KindUnavailableError(f"{kind} for {purpose}")
