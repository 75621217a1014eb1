"""What an expert is told when something cannot be done.

::

    ConsoleError
    ├── CaseNotHereError       no such case in this province
    ├── CaseHeldError          somebody else works on it
    ├── CaseNotOpenError       nothing can be done about it any more
    ├── NotAllowedError        for supervisors only
    ├── SignInError            wrong name, password or code; which is not said
    ├── TooManyTriesError      wait before the next sign-in
    ├── FormExpiredError       a form without the session's word in it
    └── FieldError             a field of a form, by name
"""


class ConsoleError(Exception):
    """Base of all; ``title`` says in Persian what to do next."""

    status, code = 400, "bad_request"
    title = "این کار ممکن نیست. لطفاً به صفحهٔ پیش برگردید و دوباره تلاش کنید."

    def __init__(self, title: str | None = None) -> None:
        self.title = title or type(self).title
        super().__init__(self.code)


class CaseNotHereError(ConsoleError):
    """The province has no such case, or not yet."""

    status, code = 404, "case_not_here"
    title = "درخواستی با این کد رهگیری به این استان نرسیده است. کد را بررسی کنید."


class CaseHeldError(ConsoleError):
    """Somebody else works on the case."""

    status, code = 409, "case_held"
    title = "همکار دیگری این درخواست را در دست دارد. پس از پایان کار او دوباره تلاش کنید."


class CaseNotOpenError(ConsoleError):
    """The case is answered, rejected, referred or withdrawn."""

    status, code = 409, "already_answered"
    title = "دربارهٔ این درخواست پیش‌تر تصمیم گرفته شده است و کار تازه‌ای روی آن ممکن نیست."


class NotAllowedError(ConsoleError):
    """Only supervisors may."""

    status, code = 403, "not_allowed"
    title = "این بخش برای سرپرست استان است. اگر باید به آن دسترسی داشته باشید، از سرپرست خود بخواهید."


class NotFoundError(ConsoleError):
    """There is no such page, template, account or file."""

    status, code = 404, "not_found"
    title = "چیزی که خواستید پیدا نشد. از فهرست درخواست‌ها دوباره به آن بروید."


class SignInError(ConsoleError):
    """Name, password or code are wrong; which of them is not said."""

    status, code = 422, "sign_in_failed"
    title = "نام کاربری یا گذرواژه درست نیست. هر دو را بررسی کنید و دوباره بنویسید."


class SecondFactorError(ConsoleError):
    """The code is wrong, too old or was used before."""

    status, code = 422, "second_factor_failed"
    title = "این کد درست نیست یا زمان آن گذشته است. کدی را بنویسید که اکنون در برنامهٔ رمزساز می‌بینید."


class TooManyTriesError(ConsoleError):
    """Too many wrong tries of one account or one address."""

    status, code = 429, "too_many_tries"
    title = "چند بار پیاپی نادرست وارد شد. پانزده دقیقه صبر کنید و دوباره تلاش کنید."


class FormExpiredError(ConsoleError):
    """A form that was not made for this session."""

    status, code = 403, "form_expired"
    title = "زمان این فرم گذشته است. صفحه را از نو باز کنید و دوباره بفرستید."


class FilesAwayError(ConsoleError):
    """The desk does not give the file now."""

    status, code = 503, "file_away"
    title = "این فایل اکنون از میز خدمت گرفته نمی‌شود. چند دقیقهٔ دیگر دوباره تلاش کنید."


class FieldError(ConsoleError):
    """What was written in a field cannot be taken."""

    status, code = 422, "field"

    def __init__(self, field: str, title: str) -> None:
        super().__init__(title)
        self.field = field
