"""The rules of submitting: who may send what, its tracking code and its due date."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

from desk.chassis.problem import DomainError, FieldError
from desk.intake.catalog import Subject, SubSubject, subjects
from desk.iran.foreign_code import ForeignCode
from desk.iran.jalali import in_tehran
from desk.iran.national_id import NationalId
from desk.iran.workdays import WorkCalendar

Gender = Literal["male", "female"]

FOREIGN_CODE_DIGITS = 12


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


@dataclass(frozen=True, slots=True)
class Person:
    """What somebody is called: by the civil registry or, until it has answered, by the applicant."""

    first_name: str
    last_name: str
    gender: Gender


@dataclass(frozen=True, slots=True)
class Applicant:
    """Whose request it is; ``birth_date`` is Jalali ``YYYY-MM-DD``."""

    national_id: str
    birth_date: str
    first_name: str
    last_name: str
    gender: Gender

    @property
    def person(self) -> Person:
        """What they are called."""
        return Person(self.first_name, self.last_name, self.gender)

    def named(self, person: Person) -> Self:
        """Give the same applicant under the registry's names."""
        return replace(self, first_name=person.first_name, last_name=person.last_name, gender=person.gender)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who holds an identity token. ``person`` is None as long as the registry has not answered."""

    national_id: str
    birth_date: str
    person: Person | None

    def applicant(self, typed: Person | None) -> Applicant:
        """Name the applicant: by the registry if it has answered, and only otherwise by what was typed.

        Raises NamesMissingError or NamesNotExpectedError.
        """
        if self.person is not None and typed is not None:
            raise NamesNotExpectedError
        person = self.person or typed
        if person is None:
            raise NamesMissingError
        return Applicant(self.national_id, self.birth_date, person.first_name, person.last_name, person.gender)


class IdentityState(StrEnum):
    """What is known of the applicant's identity. All but the first begin as ``PENDING``."""

    KNOWN = "known"
    """The registry answered before the request was sent."""
    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    """The registry cannot tell; the experts are to see for themselves."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """The applicant took the request back before the registry had answered; nobody is asked any more."""


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
    """As they were when the request was sent: typed, if the identity was pending."""
    contact: Contact
    text: str
    identity: IdentityState


def is_foreign(number: str) -> bool:
    """Tell a foreign national's code, which has twelve digits, from a national ID."""
    return len(number) == FOREIGN_CODE_DIGITS


def masked(number: str) -> str:
    """Show a national ID or a foreign national's code as a receipt may."""
    return ForeignCode(number).masked if is_foreign(number) else NationalId(number).masked


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


class Outcome(StrEnum):
    """What the civil registry says to a number and a birth date."""

    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    DECEASED = "deceased"
    REFERRED = "referred"
    """The registry wants to see this person at its office first."""
    UNAVAILABLE = "unavailable"
    UNSUPPORTED = "unsupported"
    """It does not answer for this kind of number at all."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The registry's word. ``person`` comes with a match; ``available_at`` may say when to ask again."""

    outcome: Outcome
    person: Person | None = None
    available_at: datetime | None = None


LONGEST_WAIT = timedelta(hours=1)
LONGEST_CLOSED = timedelta(days=1)


def conclude(verdict: Verdict, *, foreign: bool) -> IdentityState:
    """Say what becomes of a pending identity.

    The civil registry keeps Iranians: that it does not know a foreign national's code means nothing.
    """
    match verdict.outcome:
        case Outcome.MATCHED:
            return IdentityState.CONFIRMED
        case Outcome.UNAVAILABLE:
            return IdentityState.PENDING
        case Outcome.UNSUPPORTED:
            return IdentityState.UNCONFIRMED
        case Outcome.DECEASED:
            return IdentityState.REJECTED
        case Outcome.NOT_MATCHED | Outcome.REFERRED:
            return IdentityState.UNCONFIRMED if foreign else IdentityState.REJECTED


def next_check(verdict: Verdict, *, tries: int, first_wait: timedelta, now: datetime) -> datetime:
    """Say when to ask again: when the registry says it opens, else after a wait that doubles, at most an hour."""
    if verdict.available_at is not None and verdict.available_at > now:
        return min(verdict.available_at, now + LONGEST_CLOSED)
    return now + min(first_wait * (1 << min(tries - 1, 20)), LONGEST_WAIT)
