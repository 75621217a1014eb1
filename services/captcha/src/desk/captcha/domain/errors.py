"""The errors that callers see.

::

    DomainError
    ├── KindUnavailableError      422, this kind of challenge is not offered for this purpose
    ├── WrongAnswerError          422, the same challenge may be answered again
    ├── ExpiredError              422, a new challenge is needed
    ├── NotYetUsableError         422, the same answer is accepted later
    ├── NoSoundError              404, there is no such sound, or it has expired
    ├── MobileNotIranianError     422, codes by SMS reach Iranian mobiles only
    └── CodesExhaustedError       429, the mobile got as many codes as are allowed
    ServiceUnavailableError
    ├── CaptchaUnavailableError   503, Redis is unavailable; no answer is accepted unchecked
    ├── NoneReadyError            503, challenges are requested faster than they are made
    └── CodeNotSentError          503, notifier did not accept the code
"""

from desk.chassis.problem import DomainError, RateLimitExceededError, ServiceUnavailableError
from desk.iran.digits import to_persian


class KindUnavailableError(DomainError):
    """This kind of challenge is not offered for this purpose."""

    code = "captcha_kind_unavailable"
    title = "این نوع کد امنیتی در این بخش ارائه نمی‌شود."
    field = "kind"


class WrongAnswerError(DomainError):
    """The answer is wrong, and attempts are left: the same challenge may be answered again."""

    code = "captcha_wrong"
    title = "کد امنیتی درست نیست. لطفاً دوباره ببینید یا بشنوید و همان رقم‌ها را وارد کنید."
    field = "captcha.answer"

    def __init__(self, attempts_left: int) -> None:
        self.title = f"{type(self).title} {to_persian(attempts_left)} بار دیگر می‌توانید تلاش کنید."  # type: ignore[misc]  # the number is part of the sentence
        super().__init__(f"{attempts_left} attempts left")


class ExpiredError(DomainError):
    """The challenge is unknown, used up, expired or for another purpose. The response does not say which."""

    code = "captcha_expired"
    title = "این کد امنیتی دیگر اعتبار ندارد. لطفاً کد تازه‌ای بگیرید و آن را وارد کنید."
    field = "captcha.answer"


class NotYetUsableError(DomainError):
    """The delay of this proof of work has not ended. The answer did not count as an attempt."""

    code = "captcha_early"
    title = "این محاسبه هنوز پذیرفته نمی‌شود. لطفاً چند ثانیهٔ دیگر دوباره تلاش کنید."
    field = "captcha.answer"


class NoSoundError(DomainError):
    """There is no sound with this ID, or it has expired."""

    status = 404
    code = "captcha_sound_gone"
    title = "این کد صوتی دیگر در دسترس نیست. لطفاً کد تازه‌ای بگیرید."


class MobileNotIranianError(DomainError):
    """Codes by SMS are sent to Iranian mobiles only."""

    code = "mobile_not_iranian"
    title = (
        "کد تأیید فقط به تلفن همراه ایرانی فرستاده می‌شود. "
        "شمارهٔ تلفن همراهی را وارد کنید که با ۰۹ آغاز می‌شود و ۱۱ رقم دارد."
    )
    field = "mobile"


class CodesExhaustedError(RateLimitExceededError):
    """The mobile got as many codes as are allowed; ``retry_after`` is the wait in seconds."""

    code = "codes_exhausted"
    title = "به این شماره به اندازهٔ مجاز کد فرستاده شده است. اگر آخرین کد به دست شما رسیده است، همان را وارد کنید."


class CodeNotSentError(ServiceUnavailableError):
    """notifier did not accept the code, or did not answer in time."""

    title = "فرستادن کد با پیامک در این لحظه ممکن نیست. لطفاً چند دقیقهٔ دیگر دوباره تلاش کنید."

    def __init__(self, reason: str, *, ambiguous: bool = False) -> None:
        """``ambiguous``: notifier may have accepted the code, so it counts."""
        super().__init__(reason)
        self.ambiguous = ambiguous


class CaptchaUnavailableError(ServiceUnavailableError):
    """Redis is unavailable, so no challenge can be issued or checked."""

    title = "کد امنیتی در این لحظه در دسترس نیست. لطفاً چند دقیقهٔ دیگر دوباره تلاش کنید."


class NoneReadyError(CaptchaUnavailableError):
    """The pool is empty. Challenges are made in advance, never in a request."""

    title = "کد امنیتی تازه هنوز آماده نیست. لطفاً چند ثانیهٔ دیگر دوباره تلاش کنید."

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason, retry_after=2)
