"""The errors that callers see.

::

    DomainError
    ├── IdentityNotMatchedError   404, no such number, or another birth date: the response is the same for both
    ├── IdentityDeceasedError     422, the person has died
    ├── IdentityReferredError     422, the registry requires a visit to one of its offices
    └── ProofMissingError         422, no proof of work was sent
"""

from desk.chassis.problem import DomainError


class IdentityNotMatchedError(DomainError):
    """The registry has no person with this number and birth date."""

    status = 404
    code = "identity_not_matched"
    title = "کد ملی و تاریخ تولد با هم نمی‌خوانند. لطفاً هر دو را از روی کارت ملی یا شناسنامه دوباره وارد کنید."


class IdentityDeceasedError(DomainError):
    """The registry has recorded the death of this person."""

    status = 422
    code = "identity_deceased"
    title = (
        "برای این کد ملی در ثبت احوال وفات ثبت شده است و با آن نمی‌توان درخواست فرستاد. برای پیگیری امور زائر "
        "درگذشته به ادارهٔ حج و زیارت استان خود، و اگر این ثبت نادرست است به ادارهٔ ثبت احوال مراجعه کنید."
    )


class IdentityReferredError(DomainError):
    """The registry does not show this record before the person has been to one of its offices."""

    status = 422
    code = "identity_referred"
    title = (
        "ثبت احوال سوابق این کد ملی را تا پیش از مراجعهٔ حضوری نشان نمی‌دهد. لطفاً با شناسنامه و کارت ملی به ادارهٔ "
        "ثبت احوال مراجعه کنید؛ اگر کار شما فوری است، به ادارهٔ حج و زیارت استان خود مراجعه کنید."
    )


class ProofMissingError(DomainError):
    """A look-up requires a proof of work, and none was sent."""

    code = "proof_missing"
    title = "محاسبهٔ امنیتی مرورگر فرستاده نشده است. لطفاً صفحه را تازه کنید و دوباره تلاش کنید."
    field = "proof"
