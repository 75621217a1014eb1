"""Who a person is to the desk, and what a look-up in the civil registry can end with.

::

    DomainError
    ├── IdentityNotMatchedError       404, no such number, or not with this birth date: the caller cannot tell which
    ├── IdentityDeceasedError         422, the person has died
    └── ServiceUnavailableError
        └── RegistryUnavailableError  503, the registry gave no answer
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal

from desk.chassis.problem import DomainError, ServiceUnavailableError
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId

Gender = Literal["male", "female"]

OLDEST_AGE_YEARS = 120
"""A birth date further back is a slip of the pen; nobody alive is that old."""


class Purpose(StrEnum):
    """What a look-up was made for."""

    SUBMIT = "submit"


class Outcome(StrEnum):
    """How a look-up ended, as the audit says it."""

    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    DECEASED = "deceased"
    UNANSWERED = "unanswered"


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


Answer = Matched | NotMatched | Deceased
"""What the registry says to a number and a birth date."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One look-up that reached the registry, as the audit keeps it: keyed hashes instead of number and address."""

    at: datetime
    purpose: Purpose
    number_index: str
    source_index: str
    outcome: Outcome


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


class RegistryUnavailableError(ServiceUnavailableError):
    """The registry gave no answer; it says nothing about the number."""

    code = "registry_unavailable"
    title = "سامانهٔ ثبت احوال در این لحظه پاسخ نمی‌دهد. لطفاً چند دقیقهٔ دیگر دوباره تلاش کنید."

    def __init__(self, reason: str = "", *, retry_after: int = 60) -> None:
        """``retry_after`` is in seconds."""
        super().__init__(reason, retry_after=retry_after)
