"""The errors of requests that another person than the applicant sends or registers."""

from desk.chassis.problem import DomainError, RateLimitExceededError


class RepresentativeIsApplicantError(DomainError):
    """The representative has the national ID of the applicant."""

    code, field = "representative_is_applicant", "representative.national_id"
    title = "کد ملی نماینده همان کد ملی متقاضی است. کد ملی کسی را بنویسید که درخواست را به جای متقاضی می‌فرستد."


class ProvinceOfOtherOfficeError(DomainError):
    """An office registers requests for its own province only; headquarters for any."""

    status, code, field = 403, "province_of_other_office", "province"
    title = "هر اداره فقط برای استان خود درخواست ثبت می‌کند؛ ستاد برای همهٔ استان‌ها."


class IdentityOfOtherOfficeError(DomainError):
    """The identity token was not issued to this office."""

    status, code, field = 403, "identity_of_other_office", "identity_token"
    title = "تأیید هویت برای ادارهٔ دیگری یا برای صفحه‌های همگانی صادر شده است. هویت را دوباره استعلام کنید."


class IdentityInputError(DomainError):
    """The number or the birth date cannot be right; ``errors`` say what is wrong."""

    code = "validation_failed"
    title = "لطفاً مواردی را که وارد کرده‌اید بررسی کنید."


class IdentityNotMatchedError(DomainError):
    """Number and birth date do not belong to one person."""

    status, code = 404, "identity_not_matched"
    title = "تاریخ تولد و کد ملی با هم جور نیستند. هر دو را با کارت ملی مقایسه کنید."


class IdentityDeceasedError(DomainError):
    """Number and birth date belong to a person who has died."""

    code = "identity_deceased"
    title = "بر پایهٔ ثبت احوال، این شخص درگذشته است و درخواستی به نام او ثبت نمی‌شود."


class IdentityReferredError(DomainError):
    """The civil registry requires this person to appear at its office first."""

    code = "identity_referred"
    title = "ثبت احوال از این شخص خواسته است به یکی از اداره‌های آن مراجعه کند. درخواست پس از آن ثبت می‌شود."


class CodesExhaustedError(RateLimitExceededError):
    """The mobile got as many codes as are allowed; ``retry_after`` is the wait in seconds."""

    code, field = "codes_exhausted", "mobile"
    title = "به این شماره به اندازهٔ مجاز کد فرستاده شده است. اگر آخرین کد رسیده است، همان را وارد کنید."


class CodesOffError(DomainError):
    """This desk sends no codes by SMS, so none is required."""

    status, code = 409, "codes_off"
    title = "این میز خدمت کد پیامکی نمی‌فرستد؛ درخواست بدون کد ثبت می‌شود."
