"""The rules of submitting: who may send what, its tracking code and its due date."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from desk.chassis.problem import DomainError
from desk.intake.catalog import Subject, SubSubject, subjects
from desk.iran.jalali import in_tehran
from desk.iran.workdays import WorkCalendar

Gender = Literal["male", "female"]


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


class TooManyFilesError(DomainError):
    """More files wait than a request may carry."""

    status, code, field = 409, "too_many_files", "attachments"
    title = "حداکثر ۵ فایل می‌توان پیوست کرد. برای افزودن فایل تازه، یکی را حذف کنید."


class RequestNotFoundError(DomainError):
    """No request has this national ID and tracking code together."""

    status, code = 404, "request_not_found"
    title = "درخواستی با این کد ملی و کد رهگیری پیدا نشد."


@dataclass(frozen=True, slots=True)
class Applicant:
    """The person the civil registry vouches for; ``birth_date`` is Jalali ``YYYY-MM-DD``."""

    national_id: str
    birth_date: str
    first_name: str
    last_name: str
    gender: Gender


@dataclass(frozen=True, slots=True)
class Contact:
    """How the applicant can be reached; phones in E.164."""

    mobile: str
    landline: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class Request:
    """A submitted request, as it stays for ever."""

    id: UUID
    tracking_code: str
    submitted_at: datetime
    due_at: datetime
    province: str
    subject: Subject
    sub_subject: SubSubject
    applicant: Applicant
    contact: Contact
    text: str


def choose_subject(subject_key: str, sub_subject_key: str) -> tuple[Subject, SubSubject]:
    """Find both. Raises UnknownSubjectError or UnknownSubSubjectError."""
    for subject in subjects():
        if subject.key == subject_key:
            for sub_subject in subject.sub_subjects:
                if sub_subject.key == sub_subject_key:
                    return subject, sub_subject
            raise UnknownSubSubjectError
    raise UnknownSubjectError


def due_moment(submitted_at: datetime, sub_subject: SubSubject, calendar: WorkCalendar) -> datetime:
    """Give the end (Tehran time) of the last working day on which the answer is in time, as UTC."""
    day, _ = in_tehran(submitted_at)
    return calendar.end_of_day(calendar.add(day.to_gregorian(), sub_subject.answer_within_days))
