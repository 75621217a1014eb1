"""The rules of a challenge: bound to its purpose, three tries, five minutes, one right answer.

::

    DomainError
    ├── KindUnavailableError      422, this kind of challenge is not offered for this purpose
    ├── WrongAnswerError          422, try again with the same challenge
    ├── ExpiredError              422, take a new challenge
    └── NoSoundError              404, nothing to be heard here (any more)
    ServiceUnavailableError
    ├── CaptchaUnavailableError   503, Redis is away: nothing is let through unchecked
    └── NoneReadyError            503, challenges are asked for faster than they are made
"""

import ipaddress
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from desk.chassis.problem import DomainError, ServiceUnavailableError
from desk.iran.digits import bare, to_persian

DIGITS = 5
TRIES = 3
LIFE = timedelta(minutes=5)
CLAIM_LIFE = timedelta(minutes=10)
"""How long whoever answered rightly may present the same answer again, for a submission that is retried."""

_ID = re.compile(r"[A-Za-z0-9_-]{22}")


class Purpose(StrEnum):
    """What a challenge is asked for; it is good for nothing else."""

    SUBMIT = "submit"
    TRACK = "track"
    IDENTITY = "identity"


class Kind(StrEnum):
    """How a challenge is put."""

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
"""Rounds of PBKDF2 per counter: so many that setting up each try costs little beside it, for whoever does the work."""

HARDER = ((10, 2), (20, 4), (40, 8))
"""How many times the base a source's work is once it has had so many lately. A town behind one address must still be
able to go on, on old phones, so it ends at eight times."""


class Outcome(StrEnum):
    """What an answer came to."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    """There is no such challenge, it is too old, for another purpose, used by another claim, or out of tries."""


class KindUnavailableError(DomainError):
    """This kind of challenge is not offered for this purpose."""

    code = "captcha_kind_unavailable"
    title = "این نوع کد امنیتی در این بخش ارائه نمی‌شود."
    field = "kind"


class WrongAnswerError(DomainError):
    """The answer is wrong and there are tries left: the same picture may be answered again."""

    code = "captcha_wrong"
    title = "کد امنیتی درست نیست. لطفاً دوباره ببینید یا بشنوید و همان رقم‌ها را وارد کنید."
    field = "captcha.answer"

    def __init__(self, tries_left: int) -> None:
        self.title = f"{type(self).title} {to_persian(tries_left)} بار دیگر می‌توانید تلاش کنید."  # type: ignore[misc]  # the number is part of the sentence
        super().__init__(f"{tries_left} tries left")


class ExpiredError(DomainError):
    """The challenge is unknown, used up, too old or for another purpose; which of these is nobody's business."""

    code = "captcha_expired"
    title = "این کد امنیتی دیگر اعتبار ندارد. لطفاً کد تازه‌ای بگیرید و آن را وارد کنید."
    field = "captcha.answer"


class NoSoundError(DomainError):
    """There is no sound of this name, or it is no more."""

    status = 404
    code = "captcha_sound_gone"
    title = "این کد صوتی دیگر در دسترس نیست. لطفاً کد تازه‌ای بگیرید."


class CaptchaUnavailableError(ServiceUnavailableError):
    """The store of challenges is away, so none can be issued or checked."""

    title = "کد امنیتی در این لحظه در دسترس نیست. لطفاً چند دقیقهٔ دیگر دوباره تلاش کنید."


class NoneReadyError(CaptchaUnavailableError):
    """The pool is empty: challenges are made ahead of need and never in a request."""

    title = "کد امنیتی تازه هنوز آماده نیست. لطفاً چند ثانیهٔ دیگر دوباره تلاش کنید."

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason, retry_after=2)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is asked, for what, and its answer."""

    purpose: Purpose
    answer: str


def written(typed: str) -> str:
    """Write an answer as challenges have it, from any of the three digit sets and whatever spaces came along."""
    return bare(typed)


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How much work it is: ``cost`` rounds for each counter, of which up to ``most`` are to be tried."""

    most: int
    cost: int = WORK_COST

    def after(self, recent: int) -> "Difficulty":
        """Return what is asked of a source that has had ``recent`` proofs of work set lately."""
        factor = max((times for least, times in HARDER if recent >= least), default=1)
        return Difficulty(self.most * factor, self.cost)


def new_id() -> str:
    """Return a name nobody can guess, safe in a path."""
    return secrets.token_urlsafe(16)


def is_id(text: str) -> bool:
    """Return whether ``text`` may be a name of ours, so that nothing else becomes a key in the store."""
    return _ID.fullmatch(text) is not None


def choose_answer() -> str:
    """Return five random digits."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def demand_offered(kind: Kind, purpose: Purpose) -> None:
    """Raise KindUnavailableError unless this kind of challenge is offered for this purpose."""
    if (kind, purpose) not in OFFERED:
        raise KindUnavailableError(f"{kind} for {purpose}")


def household_of(source: str) -> str:
    """Return whom a source's challenges are counted for: an IPv4 address, or the /56 a household gets of IPv6."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 56), strict=False))
    return source
