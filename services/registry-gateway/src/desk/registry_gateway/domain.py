"""Who a person is to the desk, and what a look-up in the civil registry can end with.

::

    DomainError
    ├── IdentityNotMatchedError   404, no such number, or not with this birth date: the caller cannot tell which
    ├── IdentityDeceasedError     422, the person has died
    ├── IdentityReferredError     422, the registry wants to see the person first
    ├── ProofMissingError         422, no proof of work was sent
    ├── ProofWrongError           422, the proof of work is no solution of its challenge
    └── ProofExpiredError         422, the proof is unknown, used, too old or was made for something else
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal

from desk.chassis.problem import DomainError
from desk.iran.foreign_code import ForeignCode
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId

Gender = Literal["male", "female"]
IdKind = Literal["national_id", "foreign_code"]
Number = NationalId | ForeignCode
"""By what the state knows a person."""

OLDEST_AGE_YEARS = 120
"""A birth date further back is a slip of the pen; nobody alive is that old."""

_IPV4_PREFIX, _IPV6_PREFIX = 24, 56


class Purpose(StrEnum):
    """What a look-up was made for."""

    SUBMIT = "submit"
    CONFIRM = "confirm"
    """For a request that was accepted while the registry gave no answer."""
    MOBILE = "mobile"
    """Whether a mobile is the person's own."""


class Outcome(StrEnum):
    """How a look-up ended, as the ledger says it."""

    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    DECEASED = "deceased"
    REFERRED = "referred"
    UNANSWERED = "unanswered"
    MOBILE_MATCHED = "mobile_matched"
    MOBILE_MISMATCHED = "mobile_mismatched"


class Reason(StrEnum):
    """Why the registry gives no answer now."""

    CLOSED = "closed"
    QUOTA = "quota"
    UNREACHABLE = "unreachable"
    FOREIGN = "foreign"
    """It does not answer for this kind of number at all."""


class MobileOwner(StrEnum):
    """Whether a mobile belongs to a national ID."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """A person as the registry names them; without a repr, so that nothing of it reaches a log by accident."""

    national_id: NationalId
    birth_date: JalaliDate
    first_name: str
    last_name: str
    gender: Gender


@dataclass(frozen=True, slots=True)
class Matched:
    """Number and birth date belong to this living person."""

    outcome: ClassVar[Outcome] = Outcome.MATCHED
    identity: Identity


@dataclass(frozen=True, slots=True)
class NotMatched:
    """There is no such number, or it has another birth date."""

    outcome: ClassVar[Outcome] = Outcome.NOT_MATCHED


@dataclass(frozen=True, slots=True)
class Deceased:
    """Number and birth date belong to a person who has died."""

    outcome: ClassVar[Outcome] = Outcome.DECEASED


@dataclass(frozen=True, slots=True)
class Referred:
    """The registry says nothing before the person has been to one of its offices."""

    outcome: ClassVar[Outcome] = Outcome.REFERRED


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The registry gives no answer now; this says nothing about the number."""

    outcome: ClassVar[Outcome] = Outcome.UNANSWERED
    reason: Reason
    until: datetime | None = None
    """When it will answer again, where that is known."""
    asked: bool = False
    """Whether it was asked at all."""


Verdict = Matched | NotMatched | Deceased | Referred
"""What the registry says to a number and a birth date."""

Answer = Verdict | Unavailable


class Klass(StrEnum):
    """What a code of the registry asks of us; the last is our own, for what is no answer of the registry at all."""

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
    """The registry said nothing about the person; ``klass`` tells why, the text (never personal) is for the log."""

    def __init__(self, klass: Klass, text: str, *, again: bool = False) -> None:
        """``again``: the same call may be made again at once, since it cannot have been answered."""
        super().__init__(text)
        self.klass = klass
        self.again = again


@dataclass(frozen=True, slots=True)
class Lookup:
    """One look-up, as the ledger keeps it: keyed hashes instead of number and address."""

    at: datetime
    purpose: Purpose
    number_index: str
    source_index: str
    """Empty where the desk itself asked."""
    outcome: Outcome


def kind_of(number: Number) -> IdKind:
    """Name the kind of number, as the identity token carries it."""
    return "national_id" if isinstance(number, NationalId) else "foreign_code"


def neighbourhood_of(source: str) -> str:
    """Return whom a source's look-ups are counted for: the /24 of an IPv4 address, the /56 a household gets of IPv6.

    A sweep changes its address within what one contract gives it.
    """
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    prefix = _IPV4_PREFIX if isinstance(address, ipaddress.IPv4Address) else _IPV6_PREFIX
    return str(ipaddress.ip_network((address, prefix), strict=False))


def birth_date_fault(birth_date: JalaliDate, today: JalaliDate) -> Literal["in_future", "too_long_ago"] | None:
    """Say why nobody alive today can have this birth date, or None."""
    if birth_date > today:
        return "in_future"
    last_birthday = (birth_date.year + OLDEST_AGE_YEARS, birth_date.month, birth_date.day)
    return "too_long_ago" if last_birthday < (today.year, today.month, today.day) else None


class IdentityNotMatchedError(DomainError):
    """The registry knows nobody with this number and birth date."""

    status = 404
    code = "identity_not_matched"
    title = "کد ملی و تاریخ تولد با هم نمی‌خوانند. لطفاً هر دو را از روی کارت ملی یا شناسنامه دوباره وارد کنید."


class IdentityDeceasedError(DomainError):
    """The registry has the death of this person on record."""

    status = 422
    code = "identity_deceased"
    title = (
        "برای این کد ملی در ثبت احوال وفات ثبت شده است و با آن نمی‌توان درخواست فرستاد. برای پیگیری امور زائر "
        "درگذشته به ادارهٔ حج و زیارت استان خود، و اگر این ثبت نادرست است به ادارهٔ ثبت احوال مراجعه کنید."
    )


class IdentityReferredError(DomainError):
    """The registry shows nothing of this record before the person has been to one of its offices."""

    status = 422
    code = "identity_referred"
    title = (
        "ثبت احوال سوابق این کد ملی را تا پیش از مراجعهٔ حضوری نشان نمی‌دهد. لطفاً با شناسنامه و کارت ملی به ادارهٔ "
        "ثبت احوال مراجعه کنید؛ اگر کار شما فوری است، به ادارهٔ حج و زیارت استان خود مراجعه کنید."
    )


class ProofMissingError(DomainError):
    """A look-up wants a proof of work, and none was sent."""

    code = "proof_missing"
    title = "محاسبهٔ امنیتی مرورگر فرستاده نشده است. لطفاً صفحه را تازه کنید و دوباره تلاش کنید."
    field = "proof"


class ProofWrongError(DomainError):
    """The proof of work is no solution of its challenge."""

    code = "proof_wrong"
    title = "محاسبهٔ امنیتی مرورگر درست نیست. لطفاً دوباره تلاش کنید."
    field = "proof"


class ProofExpiredError(DomainError):
    """The proof is unknown, used, too old or was made for something else; which of these is nobody's business."""

    code = "proof_expired"
    title = "محاسبهٔ امنیتی مرورگر دیگر اعتبار ندارد. لطفاً دوباره تلاش کنید."
    field = "proof"
