"""The errors that the pages show.

::

    ConsoleError
    ├── CaseNotHereError       the province has no such case
    ├── CaseErasedError        its data was erased
    ├── CaseClaimedError       another expert has claimed it
    ├── CaseNotOpenError       it is decided, referred or withdrawn
    ├── NotAllowedError        only for supervisors, or only for headquarters
    ├── ObjectionForSupervisorError   only a supervisor handles an objection
    ├── OwnAnswerError         an objection to the account's own answer
    ├── SignInError            user name or password is wrong
    ├── FirstPasswordExpiredError   the issued password was not changed in time
    ├── ProofRequiredError     the next attempt needs a proof of work
    ├── CountersUnavailableError   attempts cannot be counted now
    ├── FormExpiredError       the form has no valid form word
    └── FieldError             a field of a form is invalid
"""


class ConsoleError(Exception):
    """Base class; ``title`` is a Persian sentence that says what to do next."""

    status, code = 400, "bad_request"
    title = "این کار ممکن نیست. لطفاً به صفحهٔ پیش برگردید و دوباره تلاش کنید."

    def __init__(self, title: str | None = None) -> None:
        self.title = title or type(self).title
        super().__init__(self.code)


class CaseNotHereError(ConsoleError):
    """The province has no such case, or its request has not arrived."""

    status, code = 404, "case_not_here"
    title = "درخواستی با این کد پیگیری به این اداره نرسیده است. کد را بررسی کنید."


class CaseErasedError(ConsoleError):
    """The data of the case was erased."""

    status, code = 410, "case_erased"
    title = (
        "دادهٔ این درخواست پاک شده است: متن، پیوست‌ها، پاسخ و تاریخچهٔ آن دیگر در دست نیست و بازگردانده نمی‌شود. "
        "نیازی به کار شما نیست."
    )


class CaseClaimedError(ConsoleError):
    """Another expert has claimed the case."""

    status, code = 409, "case_held"
    title = "همکار دیگری این درخواست را در دست دارد. پس از پایان کار او دوباره تلاش کنید."


class CaseNotOpenError(ConsoleError):
    """The case is answered, rejected, referred or withdrawn."""

    status, code = 409, "already_answered"
    title = "دربارهٔ این درخواست پیش‌تر تصمیم گرفته شده است و کار تازه‌ای روی آن ممکن نیست."


class NotAllowedError(ConsoleError):
    """The account is not a supervisor's, or not one of headquarters."""

    status, code = 403, "not_allowed"
    title = "این بخش برای سرپرست است. اگر باید به آن دسترسی داشته باشید، از سرپرست خود بخواهید."


class ObjectionForSupervisorError(ConsoleError):
    """The applicant objected to the answer, and the account is not a supervisor's."""

    status, code = 403, "objection_for_supervisor"
    title = "متقاضی به پاسخ اعتراض کرده است و رسیدگی به اعتراض با سرپرست است."


class OwnAnswerError(ConsoleError):
    """The applicant objected to an answer that this account gave."""

    status, code = 403, "own_answer"
    _REASON = "متقاضی به پاسخی اعتراض کرده است که خود شما داده‌اید؛ رسیدگی به اعتراض با شما نیست. "
    title = _REASON + "سرپرست باید به آن رسیدگی کند."
    ANOTHER_SUPERVISOR = _REASON + "سرپرست دیگری باید به آن رسیدگی کند."
    NO_OTHER_SUPERVISOR = (
        _REASON + "سرپرست دیگری در این اداره حساب ندارد: از ستاد بخواهید به اعتراض رسیدگی کند، یا برای سرپرست دیگری "
        "حساب بسازید."
    )


class NotFoundError(ConsoleError):
    """There is no such page, template, account or file."""

    status, code = 404, "not_found"
    title = "چیزی که خواستید پیدا نشد. از فهرست درخواست‌ها دوباره به آن بروید."


class SignInError(ConsoleError):
    """The user name or the password is wrong; the message does not say which."""

    status, code = 422, "sign_in_failed"
    title = "نام کاربری یا گذرواژه درست نیست. هر دو را بررسی کنید و دوباره بنویسید."


class SecondFactorError(ConsoleError):
    """The code is wrong, expired or already used."""

    status, code = 422, "second_factor_failed"
    title = "این کد درست نیست یا زمان آن گذشته است. کدی را بنویسید که اکنون در برنامهٔ رمزساز می‌بینید."


class FirstPasswordExpiredError(ConsoleError):
    """The issued password was not changed within its time."""

    status, code = 422, "first_password_expired"
    title = "گذرواژهٔ نخستین دیگر معتبر نیست؛ از سرپرست بخواهید گذرواژهٔ تازه‌ای بدهد."


class ProofRequiredError(ConsoleError):
    """The free attempts of the account or the address are used up; the next one needs a proof of work."""

    status, code = 429, "proof_required"
    title = (
        "چند تلاش نادرست انجام شده است. گذرواژه یا کد را دوباره بنویسید؛ "
        "دستگاه شما پیش از فرستادن، محاسبهٔ کوتاهی می‌کند."
    )

    def __init__(self, level: int) -> None:
        super().__init__()
        self.level = level


class CountersUnavailableError(ConsoleError):
    """Attempts cannot be counted, so none is evaluated."""

    status, code = 503, "counters_unavailable"
    title = "ورود اکنون ممکن نیست. چند لحظهٔ دیگر دوباره تلاش کنید."


class FormExpiredError(ConsoleError):
    """The form was not rendered for this session."""

    status, code = 403, "form_expired"
    title = "این فرم پیش از ورود کنونی شما باز شده بود. آن را دوباره بفرستید."


class FileUnavailableError(ConsoleError):
    """The file cannot be downloaded from the desk now."""

    status, code = 503, "file_away"
    title = "این فایل اکنون از میز خدمت گرفته نمی‌شود. چند دقیقهٔ دیگر دوباره تلاش کنید."


class FieldError(ConsoleError):
    """A field of a form is invalid."""

    status, code = 422, "field"

    def __init__(self, field: str, title: str) -> None:
        super().__init__(title)
        self.field = field
