"""The errors of intake, one class per case."""

from desk.chassis.problem import DomainError, FieldError


class IdentityTokenMissingError(DomainError):
    """The request has no identity token."""

    status, code = 401, "identity_token_missing"
    title = "ابتدا کد ملی و تاریخ تولد خود را وارد کنید تا هویت شما تأیید شود."


class IdentityTokenInvalidError(DomainError):
    """The identity token is forged or has another audience."""

    status, code = 401, "identity_token_invalid"
    title = "تأیید هویت معتبر نیست. لطفاً کد ملی و تاریخ تولد را دوباره وارد کنید."


class IdentityTokenExpiredError(DomainError):
    """The identity token has expired; it is valid for half an hour."""

    status, code = 401, "identity_token_expired"
    title = "زمان تأیید هویت به پایان رسیده است. لطفاً کد ملی و تاریخ تولد را دوباره وارد کنید."


class IdempotencyKeyReusedError(DomainError):
    """The key was used for a request with other content."""

    status, code = 422, "idempotency_key_reused"
    title = "این درخواست پیش‌تر با محتوای دیگری ثبت شده است. لطفاً صفحه را تازه کنید و دوباره بفرستید."


class RequestErasedError(IdempotencyKeyReusedError):
    """The request with this key was erased, so its content cannot be compared."""


class NamesMissingError(DomainError):
    """The registry has not answered, so the form must contain the names."""

    code = "applicant_missing"
    title = "نام، نام خانوادگی و جنسیت خود را وارد کنید؛ ثبت احوال هنوز آن‌ها را نداده است."

    def __init__(self) -> None:
        super().__init__(
            errors=[
                FieldError("applicant.first_name", "missing", "نام خود را وارد کنید."),
                FieldError("applicant.last_name", "missing", "نام خانوادگی خود را وارد کنید."),
                FieldError("applicant.gender", "missing", "جنسیت خود را انتخاب کنید."),
            ]
        )


class NamesNotExpectedError(DomainError):
    """The registry has answered, so the form must not contain names."""

    code, field = "applicant_not_expected", "applicant"
    title = "نام شما از ثبت احوال خوانده شده است و در فرم پذیرفته نمی‌شود. صفحه را تازه کنید و دوباره بفرستید."


class UnknownProvinceKeyError(DomainError):
    """The province does not exist."""

    code, field = "province_unknown", "province"
    title = "لطفاً استان را از فهرست انتخاب کنید."


class UnknownSubjectError(DomainError):
    """The main subject does not exist."""

    code, field = "subject_unknown", "subject"
    title = "لطفاً موضوع اصلی را از فهرست انتخاب کنید."


class UnknownSubSubjectError(DomainError):
    """The main subject has no such sub-subject."""

    code, field = "sub_subject_unknown", "sub_subject"
    title = "این موضوع فرعی به موضوع اصلی انتخاب‌شده تعلق ندارد. لطفاً دوباره انتخاب کنید."


class CaptchaWrongError(DomainError):
    """The security code was mistyped; the same challenge may be tried again."""

    code, field = "captcha_wrong", "captcha.answer"
    title = "کد امنیتی درست نیست. لطفاً کد را دوباره وارد کنید."


class CaptchaExpiredError(DomainError):
    """The challenge is used up, expired or unknown."""

    code, field = "captcha_expired", "captcha.answer"
    title = "زمان کد امنیتی تمام شده است. لطفاً کد تازه را وارد کنید."


class RequestRepeatedError(DomainError):
    """The applicant has sent the same text about the same subject within a day, and has not confirmed the repeat."""

    status, code = 409, "request_repeated"
    title = "همین درخواست را امروز فرستاده‌اید. اگر باز هم می‌خواهید آن را بفرستید، تأیید کنید."


class MobileMismatchError(DomainError):
    """The register of mobiles has another owner for the number."""

    code, field = "mobile_not_owned", "mobile"
    title = "این شمارهٔ همراه به نام صاحب این کد ملی نیست. شماره‌ای را بنویسید که به نام خود شماست."


class MobileNotIranianError(DomainError):
    """The identity is unconfirmed, so a code must reach the mobile, and codes reach Iranian mobiles only."""

    code, field = "mobile_not_iranian", "mobile"
    title = (
        "هویت شما هنوز تأیید نشده است و کد تأیید باید با پیامک به شما برسد. "
        "شمارهٔ یک تلفن همراه ایرانی را بنویسید که با ۰۹ آغاز می‌شود."
    )


class MobileCodeMissingError(DomainError):
    """The submission needs a code by SMS, which proves that the applicant has the mobile."""

    code, field = "mobile_code_required", "mobile_code"
    title = "شمارهٔ تلفن همراه شما باید تأیید شود. دکمهٔ فرستادن کد را بزنید و کدی را که با پیامک می‌رسد وارد کنید."


class MobileCodeWrongError(DomainError):
    """The code by SMS is wrong, and attempts are left."""

    code, field = "mobile_code_wrong", "mobile_code.answer"
    title = "کد تأیید درست نیست. پیامک را دوباره ببینید و همان پنج رقم را وارد کنید."


class MobileCodeExpiredError(DomainError):
    """The code by SMS is unknown, expired, used, of another mobile, or has no attempts left."""

    code, field = "mobile_code_expired", "mobile_code.answer"
    title = "این کد تأیید دیگر اعتبار ندارد. لطفاً کد تازه‌ای بگیرید و آن را وارد کنید."


class TrackingTokenMissingError(DomainError):
    """The request has no tracking token."""

    status, code = 401, "tracking_token_missing"
    title = "ابتدا درخواست خود را در صفحهٔ پیگیری ببینید."


class TrackingTokenInvalidError(DomainError):
    """The tracking token is forged, has another audience, or has expired after a quarter of an hour."""

    status, code = 401, "tracking_token_invalid"
    title = "زمان دیدن این درخواست به پایان رسیده است. لطفاً دوباره آن را پیگیری کنید."


class ReplyNotPossibleError(DomainError):
    """The tracking token does not permit a reply: the experts have asked nothing."""

    status, code, field = 409, "reply_not_possible", "file"
    title = "کارشناسان پرسشی از شما ندارند. لطفاً درخواست خود را دوباره پیگیری کنید."


class CaseNotFoundError(DomainError):
    """The case does not exist, or is not (or no longer) the province's."""

    status, code, field = 404, "case_unknown", "tracking_code"
    title = "پرونده‌ای با این کد پیگیری در این استان نیست."


class RequestNotFoundError(DomainError):
    """No request has both this national ID and this tracking code."""

    status, code = 404, "request_not_found"
    title = "درخواستی با این کد ملی و کد پیگیری پیدا نشد."


class DeskClosedError(DomainError):
    """The desk accepts no requests for now; the field error contains the sentence of the catalogue."""

    status, code = 409, "desk_closed"
    title = "میز خدمت اکنون درخواست تازه نمی‌پذیرد."

    def __init__(self, sentence: str) -> None:
        super().__init__(errors=[FieldError("desk", self.code, sentence)])


class SubSubjectClosedError(DomainError):
    """The sub-subject accepts no requests for now; the field error contains the sentence of the catalogue."""

    status, code = 409, "sub_subject_closed"
    title = "این موضوع اکنون درخواست تازه نمی‌پذیرد."

    def __init__(self, sentence: str) -> None:
        super().__init__(errors=[FieldError("sub_subject", self.code, sentence)])


class ExtraFieldsError(DomainError):
    """Fields or documents of the sub-subject are missing or wrong; ``errors`` name each of them."""

    code = "fields_wrong"
    title = "برخی از خانه‌های این موضوع کامل یا درست نیست. لطفاً آن‌ها را بررسی کنید."
