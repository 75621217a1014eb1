"""Errors: refused requests of applicants."""

from desk.chassis.problem import DomainError, RateLimitExceededError


class RequestNotFoundError(DomainError):
    """No request has this national ID with this tracking code. The error does not reveal which of the two is wrong."""

    status, code = 404, "request_not_found"
    title = "درخواستی با این کد ملی و کد پیگیری پیدا نشد. لطفاً هر دو را بررسی کنید."


class CaseOfOfficeNotFoundError(DomainError):
    """The office that asks has no case with this tracking code. A case of another office is not found either."""

    status, code = 404, "case_not_found"
    title = "درخواستی با این کد پیگیری نزد این اداره نیست. رقم‌های کد را بررسی کنید."


class CaptchaWrongError(DomainError):
    """The answer to the challenge is wrong; the same challenge may be answered again."""

    code, field = "captcha_wrong", "captcha.answer"
    title = "کد امنیتی درست نیست. لطفاً کد را دوباره وارد کنید."


class CaptchaExpiredError(DomainError):
    """The challenge was used, has expired or is unknown."""

    code, field = "captcha_expired", "captcha.answer"
    title = "زمان کد امنیتی تمام شده است. لطفاً کد تازه را وارد کنید."


class MobileCodeWrongError(DomainError):
    """The code by SMS is wrong, and attempts are left."""

    code, field = "mobile_code_wrong", "mobile_code.answer"
    title = "کد پیامک درست نیست. پیامک را دوباره ببینید و همان پنج رقم را وارد کنید."


class MobileCodeExpiredError(DomainError):
    """The code by SMS is unknown, expired, used, for another mobile or purpose, or has no attempts left."""

    code, field = "mobile_code_expired", "mobile_code.answer"
    title = "این کد دیگر اعتبار ندارد. لطفاً کد تازه‌ای بگیرید و آن را وارد کنید."


class TrackingTokenMissingError(DomainError):
    """The call has no tracking token."""

    status, code = 401, "tracking_token_missing"
    title = "ابتدا درخواست خود را با کد ملی و کد پیگیری پیدا کنید."


class TrackingTokenInvalidError(DomainError):
    """The tracking token is forged, or was issued for another purpose."""

    status, code = 401, "tracking_token_invalid"
    title = "این صفحه دیگر معتبر نیست. لطفاً درخواست خود را دوباره پیگیری کنید."


class TrackingTokenExpiredError(DomainError):
    """The tracking token has expired."""

    status, code = 401, "tracking_token_expired"
    title = "زمان این صفحه به پایان رسیده است. لطفاً درخواست خود را دوباره پیگیری کنید."


class IdempotencyKeyReusedError(DomainError):
    """The key was used for the same action with other content."""

    status, code = 422, "idempotency_key_reused"
    title = "این مورد پیش‌تر با محتوای دیگری فرستاده شده است. لطفاً درخواست خود را دوباره پیگیری کنید."


class ActionNotPossibleError(DomainError):
    """The state of the request does not allow the action, or no longer allows it."""

    status, code = 409, "action_not_possible"
    title = "وضعیت درخواست تغییر کرده است و این کار دیگر ممکن نیست. لطفاً درخواست خود را دوباره پیگیری کنید."


class ContactNotChangeableError(DomainError):
    """The mobile cannot be changed: the request is pending, withdrawn or erased, or has not arrived yet."""

    status, code = 409, "contact_not_changeable"
    title = (
        "شمارهٔ این درخواست اکنون تغییر نمی‌کند: هویت متقاضی هنوز تأیید نشده یا درخواست پس گرفته شده است. "
        "اگر درخواست را همین حالا فرستاده‌اید، چند دقیقهٔ دیگر دوباره تلاش کنید."
    )


class MobileUnchangedError(DomainError):
    """The request has this mobile already."""

    code, field = "mobile_unchanged", "mobile"
    title = "این شماره همان شمارهٔ کنونی درخواست است. شمارهٔ دیگری را بنویسید."


class ContactChangesExhaustedError(RateLimitExceededError):
    """The mobile of the request was changed as often as is allowed in a day."""

    code = "contact_changes_exhausted"
    title = (
        "شمارهٔ این درخواست امروز چند بار تغییر کرده است. فردا دوباره تلاش کنید، "
        "یا به اداره‌ای که به درخواست رسیدگی می‌کند تلفن کنید."
    )


class UnknownFileError(DomainError):
    """A file does not exist, was uploaded for another request, or belongs to another reply."""

    code, field = "attachment_unknown", "files"
    title = "یکی از فایل‌های پیوست پیدا نشد. لطفاً آن را حذف و دوباره بارگذاری کنید."


class AlreadyObjectedError(DomainError):
    """No further objection is possible: the office and headquarters have decided, or headquarters alone has."""

    status, code = 409, "already_objected"
    title = "اعتراض شما به این درخواست بررسی شده است و اعتراض دیگری ممکن نیست."


class ObjectionTooLateError(DomainError):
    """The period in which the applicant may object is over."""

    status, code = 409, "objection_too_late"
    title = "مهلت اعتراض به این درخواست به پایان رسیده است. می‌توانید درخواست تازه‌ای بفرستید."


class AlreadyRatedError(DomainError):
    """The answer is rated already."""

    status, code = 409, "already_rated"
    title = "این پاسخ را پیش‌تر ارزیابی کرده‌اید."
