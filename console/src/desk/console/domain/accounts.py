"""Accounts, roles, passwords and sessions."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from desk.console.domain.errors import FieldError, NotAllowedError
from desk.iran.digits import bare, fold
from desk.iran.offices import HEADQUARTERS

USERNAME = re.compile(r"[a-z0-9._-]{3,40}")
RECOVERY_CODES = 8
PER_ACCOUNT, PER_ADDRESS = "5/15 minutes", "30/15 minutes"
"""Free attempts of an account at one form, and of an address at all forms; a whole office may share an address."""
MAX_IDLE, MAX_AGE = timedelta(hours=1), timedelta(hours=12)
"""How long a session is valid without a request, and in total."""
SESSIONS_KEPT = timedelta(days=3)
"""How long after its last use an expired session names its account, so that a text typed in it can be kept."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class Role(StrEnum):
    """The permissions of an account."""

    EXPERT = "expert"
    SUPERVISOR = "supervisor"


ROLE_TITLES = {Role.EXPERT: "کارشناس", Role.SUPERVISOR: "سرپرست"}


class Step(StrEnum):
    """The next step of a sign-in."""

    PASSWORD = "password"  # noqa: S105 - a new password is required
    ENROL = "enrol"
    CODE = "code"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of an office: ``province`` is the key of a province, or ``headquarters``."""

    id: str
    province: str
    username: str
    name: str
    role: Role
    active: bool
    enrolled: bool
    """Whether a device is enrolled, whose code is required."""
    new_password: bool
    """Whether the password was issued and has to be changed."""
    password_at: datetime | None = None
    """When the password was issued or chosen."""
    counter: bool = False
    """Whether the account may register requests for applicants, at the counter or on the telephone."""

    @property
    def supervisor(self) -> bool:
        """Whether the account belongs to a supervisor."""
        return self.role is Role.SUPERVISOR

    def first_password_expired(self, now: datetime, valid: timedelta) -> bool:
        """Return whether the password is an issued one that has expired."""
        return self.new_password and self.password_at is not None and now > self.password_at + valid

    @property
    def of_headquarters(self) -> bool:
        """Whether the account belongs to headquarters."""
        return self.province == HEADQUARTERS.key

    def manages(self, other: "Account") -> bool:
        """Return whether a supervisor manages an account: of the same office, or of a supervisor for headquarters."""
        return other.province == self.province or (self.of_headquarters and other.supervisor)

    def require_headquarters(self) -> None:
        """Raise NotAllowedError for accounts of other offices."""
        if not self.of_headquarters:
            raise NotAllowedError("این بخش برای ستاد است.")

    def require_supervisor(self) -> None:
        """Raise NotAllowedError for other roles."""
        if not self.supervisor:
            raise NotAllowedError

    def next_step(self, *, second_factor: bool, code_given: bool) -> Step:
        """Return the step that follows the password."""
        if second_factor and self.enrolled and not code_given:
            return Step.CODE
        if self.new_password:
            return Step.PASSWORD
        return Step.ENROL if second_factor and not self.enrolled else Step.IN


@dataclass(frozen=True, slots=True)
class UserSession:
    """A session of an account; ``form_word`` is the secret in its forms."""

    id: str
    account: Account
    step: Step
    form_word: str
    created_at: datetime
    seen_at: datetime
    browser: str = ""
    """The family of the browser; empty if unknown."""
    network: str = ""
    """The network of the address at the sign-in."""

    def expired(self, now: datetime) -> bool:
        """Return whether the session has expired."""
        return now > self.created_at + MAX_AGE or now > self.seen_at + MAX_IDLE


def validate_username(text: str) -> str:
    """Validate a user name. Raises FieldError."""
    name = bare(text).lower()
    if not USERNAME.fullmatch(name):
        raise FieldError("username", "نام کاربری از ۳ تا ۴۰ حرف کوچک لاتین، رقم، نقطه یا خط تیره است.")
    return name


def validate_name(text: str) -> str:
    """Validate a person's name. Raises FieldError."""
    name = fold(text)
    if not 2 <= len(name) <= 80:  # noqa: PLR2004 - a name
        raise FieldError("name", "نام و نام خانوادگی را بنویسید.")
    return name


def recovery_codes() -> list[str]:
    """Return codes for a lost device, of 80 bits each."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4)) for _ in range(RECOVERY_CODES)
    ]
