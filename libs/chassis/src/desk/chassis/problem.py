"""The desk's errors: one class per case, each with a stable code, a status and a Persian title.

::

    DomainError
    ├── ServiceUnavailableError   503, a part we depend on does not answer
    ├── BudgetExhaustedError      429, too many tries
    └── ...                       every service adds its own, in its domain

They are rendered as RFC 9457 problem details in one place, :mod:`desk.chassis.app.rendering`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: dotted JSON path, stable English code, Persian sentence."""

    field: str
    code: str
    message: str


class DomainError(Exception):
    """A rule of the desk was broken; subclasses say which one.

    ``status`` is the HTTP status, ``code`` the stable name a program may rely on, ``title`` the Persian sentence a
    person reads (it says what to do next) and ``field`` the form field it belongs to, if there is one.
    """

    status: ClassVar[int] = 422
    code: ClassVar[str] = "rule_broken"
    title: ClassVar[str] = "درخواست پذیرفته نشد."
    field: ClassVar[str | None] = None

    def __init__(self, reason: str = "", *, errors: Sequence[FieldError] = (), retry_after: int | None = None) -> None:
        """``reason`` is for the log and never shown; ``retry_after`` is in seconds."""
        super().__init__(reason or self.code)
        self.retry_after = retry_after
        if not errors and self.field is not None:
            errors = (FieldError(self.field, self.code, self.title),)
        self.errors = tuple(errors)


class ServiceUnavailableError(DomainError):
    """A part the desk depends on does not answer; the caller may try again."""

    status = 503
    code = "service_unavailable"
    title = "سامانه در این لحظه پاسخ نمی‌دهد. لطفاً چند دقیقهٔ دیگر دوباره تلاش کنید."

    def __init__(self, reason: str = "", *, retry_after: int = 10) -> None:
        super().__init__(reason, retry_after=retry_after)


class BudgetExhaustedError(DomainError):
    """Too many tries from one source or for one number; ``retry_after`` says when the next may come."""

    status = 429
    code = "budget_exhausted"
    title = "تعداد تلاش‌ها بیش از اندازه بوده است. لطفاً کمی صبر کنید و دوباره تلاش کنید."
