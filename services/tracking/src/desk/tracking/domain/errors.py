"""What applicants are refused, and what provinces are."""

from desk.chassis.problem import DomainError
from desk.tracking.domain.states import State


class RequestNotFoundError(DomainError):
    """No request has this national ID and tracking code together; which of the two is wrong is not said."""

    status, code = 404, "request_not_found"
    title = "درخواستی با این کد ملی و کد رهگیری پیدا نشد. لطفاً هر دو را بررسی کنید."


class CaptchaWrongError(DomainError):
    """The security code was mistyped; the same challenge may be tried again."""

    code, field = "captcha_wrong", "captcha.answer"
    title = "کد امنیتی درست نیست. لطفاً کد را دوباره وارد کنید."


class CaptchaExpiredError(DomainError):
    """The challenge is used up, too old or unknown."""

    code, field = "captcha_expired", "captcha.answer"
    title = "زمان کد امنیتی تمام شده است. لطفاً کد تازه را وارد کنید."


class TrackingTokenMissingError(DomainError):
    """No tracking token came along."""

    status, code = 401, "tracking_token_missing"
    title = "ابتدا درخواست خود را با کد ملی و کد رهگیری پیدا کنید."


class TrackingTokenInvalidError(DomainError):
    """The tracking token is forged, or for something else."""

    status, code = 401, "tracking_token_invalid"
    title = "این صفحه دیگر معتبر نیست. لطفاً درخواست خود را دوباره پیگیری کنید."


class TrackingTokenExpiredError(DomainError):
    """The tracking token's time is over."""

    status, code = 401, "tracking_token_expired"
    title = "زمان این صفحه به پایان رسیده است. لطفاً درخواست خود را دوباره پیگیری کنید."


class IdempotencyKeyMissingError(DomainError):
    """A move without a usable Idempotency-Key could be made twice by accident."""

    status, code = 400, "idempotency_key_missing"
    title = "سرآیند Idempotency-Key لازم است: ۸ تا ۶۴ حرف، رقم یا خط تیره."


class IdempotencyKeyReusedError(DomainError):
    """The key was used for the same kind of move with other words."""

    status, code = 422, "idempotency_key_reused"
    title = "این مورد پیش‌تر با محتوای دیگری فرستاده شده است. لطفاً درخواست خود را دوباره پیگیری کنید."


class ActionNotPossibleError(DomainError):
    """The state of the request does not allow the action, or does not any more."""

    status, code = 409, "action_not_possible"
    title = "وضعیت درخواست تغییر کرده است و این کار دیگر ممکن نیست. لطفاً درخواست خود را دوباره پیگیری کنید."


class UnknownFileError(DomainError):
    """A file is not there, was put up for another request, or belongs to another reply."""

    code, field = "attachment_unknown", "files"
    title = "یکی از فایل‌های پیوست پیدا نشد. لطفاً آن را حذف و دوباره بارگذاری کنید."


class AlreadyObjectedError(DomainError):
    """An applicant may object once."""

    status, code = 409, "already_objected"
    title = "به این درخواست یک بار اعتراض کرده‌اید و اعتراض دوباره ممکن نیست."


class ObjectionTooLateError(DomainError):
    """The time in which an applicant may object is over."""

    status, code = 409, "objection_too_late"
    title = "مهلت اعتراض به این درخواست به پایان رسیده است. می‌توانید درخواست تازه‌ای بفرستید."


class AlreadyRatedError(DomainError):
    """An answer is rated once."""

    status, code = 409, "already_rated"
    title = "این پاسخ را پیش‌تر ارزیابی کرده‌اید."


class RefusedError(Exception):
    """A report that does not fit; ``reason`` is the stable code the province is told."""

    def __init__(self, reason: str, explanation: str) -> None:
        super().__init__(explanation)
        self.reason = reason


class IllegalMoveError(RefusedError):
    """The state a report leads to cannot follow the present one."""

    def __init__(self, present: State, wanted: State) -> None:
        super().__init__("illegal_move", f"{present} cannot become {wanted}")


class ForeignCaseError(RefusedError):
    """The case is not this province's, or not any more."""

    def __init__(self) -> None:
        super().__init__("foreign_case", "this case belongs to another province")


class ForgedSenderError(RefusedError):
    """Source, broker user and routing key do not name the same province."""

    def __init__(self) -> None:
        super().__init__("forged_sender", "source, user and routing key must name the same province")


class UnheardOfError(RefusedError):
    """No such case has come, however often the report was tried again."""

    def __init__(self) -> None:
        super().__init__("unknown_case", "the desk knows no such case; was its tracking code mistyped?")


class CaseUnknownError(Exception):
    """A report on a case tracking has not heard of yet, or not that its applicant is known.

    That may well come in a moment, so the report is retried.
    """
