"""A challenge is bound to its purpose and has three attempts, five minutes and one right answer."""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
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


class Kind(StrEnum):
    """The kind of a challenge."""

    IMAGE = "image"
    SOUND = "sound"
    WORK = "work"


OFFERED = frozenset(
    {
        (Kind.IMAGE, Purpose.SUBMIT),
        (Kind.IMAGE, Purpose.TRACK),
        (Kind.SOUND, Purpose.SUBMIT),
        (Kind.SOUND, Purpose.TRACK),
        (Kind.WORK, Purpose.IDENTITY),
    }
)

WORK_COST = 5_000
"""Rounds of PBKDF2 for each counter; so many that the set-up of each attempt costs little in comparison."""

HARDER = ((10, 2), (20, 4), (40, 8))
"""Pairs of a number of recent challenges of a source and the factor of its work from then on.

The factor ends at eight, because a town behind one address must be able to continue on old phones."""


class Outcome(StrEnum):
    """The result of an answer."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    """The challenge is unknown, expired, for another purpose, used by another claim, or has no attempts left."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """The purpose of a challenge and its answer."""

    purpose: Purpose
    answer: str


def normalize_answer(typed: str) -> str:
    """Return an answer in ASCII digits, without spaces. Persian and Arabic-Indic digits are accepted."""
    return bare(typed)


@dataclass(frozen=True, slots=True)
class Difficulty:
    """The amount of work: ``cost`` rounds for each counter, and counters from 0 to ``most``."""

    most: int
    cost: int = WORK_COST

    def after(self, recent: int) -> "Difficulty":
        """Return the difficulty for a source that has recently been issued ``recent`` proofs of work."""
        factor = max((times for least, times in HARDER if recent >= least), default=1)
        return Difficulty(self.most * factor, self.cost)


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
