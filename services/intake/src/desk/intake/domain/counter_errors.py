"""The errors of requests that another person than the applicant sends or registers."""

from desk.chassis.problem import DomainError


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
