"""The desk's errors: one class per case, each with a stable code, a status and a Persian title.

::

    DomainError
    ├── ServiceUnavailableError      503, a dependency is unavailable
    ├── RateLimitExceededError       429, too many attempts
    ├── ProofRequiredError           429, the next attempt needs a proof of work
    ├── ProofWrongError              422, the proof of work does not solve its challenge
    ├── ProofExpiredError            422, a new proof of work is needed
    ├── IdempotencyKeyMissingError   400, no usable Idempotency-Key header
    └── ...                          every service adds its own, in its domain

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
    """Base of the errors that are answered with problem details; each subclass is one case.

    ``status`` is the HTTP status, ``code`` the stable name for programs, ``title`` the Persian sentence for people (it
    says what to do next) and ``field`` the form field it belongs to, if any.
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
    """A dependency is unavailable; the caller may retry."""

    status = 503
    code = "service_unavailable"
    title = "سامانه در این لحظه پاسخ نمی‌دهد. لطفاً چند دقیقهٔ دیگر دوباره تلاش کنید."

    def __init__(self, reason: str = "", *, retry_after: int = 10) -> None:
        super().__init__(reason, retry_after=retry_after)


class RateLimitExceededError(DomainError):
    """Too many attempts from one source or for one number; ``retry_after`` is the wait in seconds."""

    status = 429
    code = "budget_exhausted"
    title = "تعداد تلاش‌ها بیش از اندازه بوده است. لطفاً کمی صبر کنید و دوباره تلاش کنید."


class ProofRequiredError(DomainError):
    """The free attempts are used up: the next one needs a proof of work of ``level``, which is part of the answer."""

    status = 429
    code = "proof_required"
    title = (
        "از این نشانی چند تلاش نادرست انجام شده است. برای ادامه، مرورگر شما باید محاسبه‌ای انجام دهد. "
        "اگر صفحه خودش ادامه نمی‌دهد، آن را تازه کنید."
    )

    def __init__(self, reason: str, level: int, *, limit: str = "") -> None:
        """``limit`` is the name of the rate limit that requires it."""
        super().__init__(reason)
        self.level = level
        self.limit = limit


class ProofWrongError(DomainError):
    """The proof of work does not solve its challenge, or its delay has not ended."""

    code = "proof_wrong"
    title = "محاسبهٔ امنیتی مرورگر درست نیست. لطفاً دوباره تلاش کنید."
    field = "proof"


class ProofExpiredError(DomainError):
    """The proof is unknown, used, expired or has another purpose. The response does not say which."""

    code = "proof_expired"
    title = "محاسبهٔ امنیتی مرورگر دیگر اعتبار ندارد. لطفاً دوباره تلاش کنید."
    field = "proof"


class IdempotencyKeyMissingError(DomainError):
    """The Idempotency-Key header is missing or unusable, so a retry could have a second effect."""

    status, code = 400, "idempotency_key_missing"
    title = "سرآیند Idempotency-Key لازم است: ۸ تا ۶۴ حرف، رقم یا خط تیره."
