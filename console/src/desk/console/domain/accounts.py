"""Who may use the console, and as what."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from desk.console.domain.errors import FieldError, NotAllowedError
from desk.iran.digits import bare, fold

PASSWORD_MIN, PASSWORD_MAX = 10, 200
USERNAME = re.compile(r"[a-z0-9._-]{3,40}")
RECOVERY_CODES = 8
TRIES_OF_ACCOUNT, TRIES_OF_ADDRESS = 5, 30
"""Wrong tries within :data:`TRY_WINDOW`; whole offices share an address."""
TRY_WINDOW = timedelta(minutes=15)
IDLE, LONGEST = timedelta(hours=1), timedelta(hours=12)
"""How long a session lasts without a request, and at all."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class Role(StrEnum):
    """What an account may do."""

    EXPERT = "expert"
    SUPERVISOR = "supervisor"


ROLE_TITLES = {Role.EXPERT: "کارشناس", Role.SUPERVISOR: "سرپرست"}


class Step(StrEnum):
    """How far a sign-in has come."""

    PASSWORD = "password"  # noqa: S105 - a new one is to be chosen
    ENROL = "enrol"
    CODE = "code"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody of a province."""

    id: str
    province: str
    username: str
    name: str
    role: Role
    active: bool
    enrolled: bool
    """Whether a code from a device is asked for."""
    new_password: bool
    """Whether the password was given by somebody else and has to be changed."""

    @property
    def supervisor(self) -> bool:
        """Whether the account is a supervisor's."""
        return self.role is Role.SUPERVISOR

    def demand_supervisor(self) -> None:
        """Raise NotAllowedError for anybody else."""
        if not self.supervisor:
            raise NotAllowedError

    def next_step(self, *, second_factor: bool, code_given: bool) -> Step:
        """Tell what is still missing after the password."""
        if second_factor and self.enrolled and not code_given:
            return Step.CODE
        if self.new_password:
            return Step.PASSWORD
        return Step.ENROL if second_factor and not self.enrolled else Step.IN


@dataclass(frozen=True, slots=True)
class Visit:
    """A session: whose, how far it has come, and the word that its forms carry."""

    id: str
    account: Account
    step: Step
    form_word: str
    created_at: datetime
    seen_at: datetime

    def over(self, now: datetime) -> bool:
        """Return whether it has ended by time."""
        return now > self.created_at + LONGEST or now > self.seen_at + IDLE


def username_of(text: str) -> str:
    """Read a user's name. Raises FieldError."""
    name = bare(text).lower()
    if not USERNAME.fullmatch(name):
        raise FieldError("username", "نام کاربری از ۳ تا ۴۰ حرف کوچک لاتین، رقم، نقطه یا خط تیره است.")
    return name


def name_of(text: str) -> str:
    """Read a person's name. Raises FieldError."""
    name = fold(text)
    if not 2 <= len(name) <= 80:  # noqa: PLR2004 - a name
        raise FieldError("name", "نام و نام خانوادگی را بنویسید.")
    return name


def password_of(text: str, again: str, username: str) -> str:
    """Read a new password. Raises FieldError."""
    if not PASSWORD_MIN <= len(text) <= PASSWORD_MAX or username in text.lower():
        raise FieldError("password", "گذرواژه دست‌کم ۱۰ نویسه است و نام کاربری در آن نیست.")
    if text != again:
        raise FieldError("again", "دو گذرواژه یکی نیستند. هر دو را دوباره بنویسید.")
    return text


def first_password() -> str:
    """Make a password that is given to somebody, and changed by them."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def recovery_codes() -> list[str]:
    """Make the codes for the day on which the device is lost; 80 bits each."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4)) for _ in range(RECOVERY_CODES)
    ]
