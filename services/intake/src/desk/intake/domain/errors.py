"""What applicants and provinces are refused."""

from desk.chassis.problem import DomainError, FieldError


class IdentityTokenMissingError(DomainError):
    """No identity token came along."""

    status, code = 401, "identity_token_missing"
    title = "ابتدا کد ملی و تاریخ تولد خود را وارد کنید تا هویت شما تأیید شود."


class IdentityTokenInvalidError(DomainError):
    """The identity token is forged, or for something else."""

    status, code = 401, "identity_token_invalid"
    title = "تأیید هویت معتبر نیست. لطفاً کد ملی و تاریخ تولد را دوباره وارد کنید."


class IdentityTokenExpiredError(DomainError):
    """The identity token's half hour is over."""

    status, code = 401, "identity_token_expired"
    title = "زمان تأیید هویت به پایان رسیده است. لطفاً کد ملی و تاریخ تولد را دوباره وارد کنید."


class IdempotencyKeyMissingError(DomainError):
    """A submission without a usable Idempotency-Key could be sent twice by accident."""

    status, code = 400, "idempotency_key_missing"
    title = "سرآیند Idempotency-Key لازم است: ۸ تا ۶۴ حرف، رقم یا خط تیره."


class IdempotencyKeyReusedError(DomainError):
    """The key was used for a request with other content."""

    status, code = 422, "idempotency_key_reused"
    title = "این درخواست پیش‌تر با محتوای دیگری ثبت شده است. لطفاً صفحه را تازه کنید و دوباره بفرستید."


class NamesMissingError(DomainError):
    """The registry has not said who the applicant is, so the form must."""

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
    """The registry has said who the applicant is, and nothing else counts."""

    code, field = "applicant_not_expected", "applicant"
    title = "نام شما از ثبت احوال خوانده شده است و در فرم پذیرفته نمی‌شود. صفحه را تازه کنید و دوباره بفرستید."


class UnknownProvinceKeyError(DomainError):
    """No such province."""

    code, field = "province_unknown", "province"
    title = "لطفاً استان را از فهرست انتخاب کنید."


class UnknownSubjectError(DomainError):
    """No such main subject."""

    code, field = "subject_unknown", "subject"
    title = "لطفاً موضوع اصلی را از فهرست انتخاب کنید."


class UnknownSubSubjectError(DomainError):
    """No such sub-subject under this main subject."""

    code, field = "sub_subject_unknown", "sub_subject"
    title = "این موضوع فرعی به موضوع اصلی انتخاب‌شده تعلق ندارد. لطفاً دوباره انتخاب کنید."


class CaptchaWrongError(DomainError):
    """The security code was mistyped; the same challenge may be tried again."""

    code, field = "captcha_wrong", "captcha.answer"
    title = "کد امنیتی درست نیست. لطفاً کد را دوباره وارد کنید."


class CaptchaExpiredError(DomainError):
    """The challenge is used up, too old or unknown."""

    code, field = "captcha_expired", "captcha.answer"
    title = "زمان کد امنیتی تمام شده است. لطفاً کد تازه را وارد کنید."


class UnknownAttachmentError(DomainError):
    """The attachment does not exist, is another person's or belongs to a request already."""

    code, field = "attachment_unknown", "attachments"
    title = "یکی از فایل‌های پیوست پیدا نشد. لطفاً آن را حذف و دوباره بارگذاری کنید."


class AttachmentNotFoundError(DomainError):
    """There is no such unclaimed attachment of this person."""

    status, code = 404, "attachment_unknown"
    title = "این فایل پیوست پیدا نشد."


class TrackingTokenMissingError(DomainError):
    """No tracking token came along."""

    status, code = 401, "tracking_token_missing"
    title = "ابتدا درخواست خود را در صفحهٔ پیگیری ببینید."


class TrackingTokenInvalidError(DomainError):
    """The tracking token is forged, for something else, or its quarter of an hour is over."""

    status, code = 401, "tracking_token_invalid"
    title = "زمان دیدن این درخواست به پایان رسیده است. لطفاً دوباره آن را پیگیری کنید."


class ReplyNotPossibleError(DomainError):
    """The experts have asked nothing, as far as the tracking token says."""

    status, code, field = 409, "reply_not_possible", "file"
    title = "کارشناسان پرسشی از شما ندارند. لطفاً درخواست خود را دوباره پیگیری کنید."


class FileNotFoundHereError(DomainError):
    """There is no such file among those this caller may see."""

    status, code = 404, "file_unknown"
    title = "این فایل پیدا نشد."


class CaseNotFoundError(DomainError):
    """The province has no case with this code, or not any more."""

    status, code, field = 404, "case_unknown", "tracking_code"
    title = "پرونده‌ای با این کد رهگیری در این استان نیست."


class TooManyAnswerFilesError(DomainError):
    """A province has put up more files for one case than it can need."""

    status, code, field = 409, "too_many_files", "file"
    title = "برای این پرونده بیش از اندازه فایل فرستاده شده است."


class TooManyFilesError(DomainError):
    """More files wait than a request may carry."""

    status, code, field = 409, "too_many_files", "attachments"
    title = "حداکثر ۵ فایل می‌توان پیوست کرد. برای افزودن فایل تازه، یکی را حذف کنید."


class RequestNotFoundError(DomainError):
    """No request has this national ID and tracking code together."""

    status, code = 404, "request_not_found"
    title = "درخواستی با این کد ملی و کد رهگیری پیدا نشد."
