"""The bodies of requests and responses, and the parsing of typed text."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, PlainValidator

from desk.chassis.app import FieldRuleError
from desk.chassis.moments import Moment
from desk.iran.digits import clean_number
from desk.iran.foreign_code import ForeignCode, InvalidForeignCodeError
from desk.iran.jalali import InvalidJalaliDateError, JalaliDate, in_tehran
from desk.iran.national_id import InvalidNationalIdError, NationalId
from desk.iran.phone import InvalidMobileError, Mobile
from desk.registry_gateway.domain import (
    Answer,
    Gender,
    Matched,
    MobileOwner,
    Number,
    Outcome,
    Purpose,
    Reason,
    Unavailable,
    birth_date_fault,
)
from desk.registry_gateway.service import PendingIdentity, Proof, ProvenIdentity
from desk.registry_gateway.store import Seen

_FOREIGN_LENGTH = 12

_NUMBER_MESSAGES = {
    "empty": "کد ملی را وارد کنید.",
    "not_digits": "کد ملی را فقط با رقم وارد کنید.",
    "length": "کد ملی باید ۱۰ رقم باشد و کد فراگیر اتباع ۱۲ رقم.",
    "equal_digits": "این کد ملی پذیرفتنی نیست. کد را از روی کارت ملی وارد کنید.",
    "check_digit": "کد ملی درست نیست. رقم‌ها را با کارت ملی مقایسه و اصلاح کنید.",
}
_BIRTH_DATE_MESSAGES = {
    "format": "تاریخ تولد را به صورت سال، ماه و روز وارد کنید؛ مانند ۱۳۶۱-۱۲-۰۵.",
    "year": "سال تولد را به هجری شمسی و چهار رقمی وارد کنید؛ مانند ۱۳۶۱.",
    "month": "ماه تولد باید از ۱ تا ۱۲ باشد.",
    "day": "این ماه چنین روزی ندارد. روز تولد را اصلاح کنید.",
    "in_future": "تاریخ تولد در آینده است. آن را اصلاح کنید.",
    "too_long_ago": "تاریخ تولد بسیار دور است. سال تولد را اصلاح کنید.",
}


def _read_number(typed: object) -> Number:
    text = _text(typed)
    try:
        return ForeignCode.parse(text) if _is_foreign(text) else NationalId.parse(text)
    except (InvalidNationalIdError, InvalidForeignCodeError) as error:
        raise FieldRuleError(error.reason, _NUMBER_MESSAGES[error.reason]) from None


def _is_foreign(text: str) -> bool:
    number = clean_number(text)
    return len(number) == _FOREIGN_LENGTH and number.isdigit()


def _read_national_id(typed: object) -> NationalId:
    try:
        return NationalId.parse(_text(typed))
    except InvalidNationalIdError as error:
        raise FieldRuleError(error.reason, _NUMBER_MESSAGES[error.reason]) from None


def _read_birth_date(typed: object) -> JalaliDate:
    try:
        birth_date = JalaliDate.parse(_text(typed))
    except InvalidJalaliDateError as error:
        raise FieldRuleError(error.reason, _BIRTH_DATE_MESSAGES[error.reason]) from None
    today, _ = in_tehran(datetime.now(UTC))
    if fault := birth_date_fault(birth_date, today):
        raise FieldRuleError(fault, _BIRTH_DATE_MESSAGES[fault])
    return birth_date


def _read_mobile(typed: object) -> Mobile:
    try:
        return Mobile.parse(_text(typed))
    except InvalidMobileError as error:
        raise FieldRuleError(error.reason, "شمارهٔ همراه باید ۱۱ رقم باشد و با ۰۹ آغاز شود.") from None


def _text(typed: object) -> str:
    """Return a text. JSON numbers are refused, because a number may have lost its leading zeros."""
    if not isinstance(typed, str):
        raise FieldRuleError("not_text", "این مورد باید به صورت متن فرستاده شود.")
    return typed


NumberText = Annotated[
    Number,
    PlainValidator(_read_number, json_schema_input_type=str),
    Field(
        description=(
            "A national ID of ten digits; eight or nine are padded with the zeros that a spreadsheet removes. "
            "Or the code of a foreign national, of twelve digits."
        )
    ),
]
BirthDateText = Annotated[
    JalaliDate,
    PlainValidator(_read_birth_date, json_schema_input_type=str),
    Field(description="Jalali date, YYYY-MM-DD.", examples=["1361-12-05"]),
]


class ProofGiven(BaseModel):
    """A solved challenge of ``POST /api/captchas {purpose: identity, kind: work}``; it is valid for one look-up."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    solution: str = Field(min_length=1, max_length=256)

    def proof(self) -> Proof:
        """Return the proof as the use case takes it."""
        return Proof(self.id, self.solution)


class PersonQuery(BaseModel):
    """The person to look up; Persian, Arabic-Indic and Latin digits are accepted."""

    national_id: NumberText
    birth_date: BirthDateText


class IdentityQuery(PersonQuery):
    """The person to look up for an applicant."""

    proof: ProofGiven | None = Field(default=None, description="Required unless this desk is configured without it.")


class OfficeQuery(PersonQuery):
    """The person to look up for an expert of an office."""

    office: str = Field(pattern="^[a-z_]{1,40}$", description="The key of the office, which intake has authenticated")


class MatchedView(BaseModel):
    """The person, and the token that binds number, birth date, names and gender."""

    status: Literal["matched"] = "matched"
    first_name: str
    last_name: str
    gender: Gender
    token: str
    expires_at: Moment


class PendingView(BaseModel):
    """The registry is unavailable, for every number; the token binds only number and birth date."""

    status: Literal["pending"] = "pending"
    first_name: None = None
    last_name: None = None
    gender: None = None
    token: str
    expires_at: Moment
    reason: Reason
    available_at: Moment | None = Field(description="When the registry will be available again, if known.")


def view_of(found: ProvenIdentity | PendingIdentity) -> MatchedView | PendingView:
    """Return the part of a result that the applicant may see."""
    if isinstance(found, PendingIdentity):
        return PendingView(
            token=found.token, expires_at=found.expires_at, reason=found.reason, available_at=found.available_at
        )
    person = found.identity
    return MatchedView(
        first_name=person.first_name,
        last_name=person.last_name,
        gender=person.gender,
        token=found.token,
        expires_at=found.expires_at,
    )


_OUTCOMES: Mapping[Outcome, Literal["matched", "not_matched", "deceased", "referred", "unavailable"]] = {
    Outcome.MATCHED: "matched",
    Outcome.NOT_MATCHED: "not_matched",
    Outcome.DECEASED: "deceased",
    Outcome.REFERRED: "referred",
    Outcome.UNANSWERED: "unavailable",
}


class Confirmation(BaseModel):
    """The result of a look-up; names only if it matched, reason and time only if the registry is unavailable."""

    outcome: Literal["matched", "not_matched", "deceased", "referred", "unavailable"]
    first_name: str | None = None
    last_name: str | None = None
    gender: Gender | None = None
    reason: Reason | None = None
    available_at: Moment | None = None

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Return the response for an answer."""
        outcome = _OUTCOMES[answer.outcome]
        match answer:
            case Matched(person):
                names = {"first_name": person.first_name, "last_name": person.last_name}
                return cls(outcome=outcome, gender=person.gender, **names)
            case Unavailable(reason, until):
                return cls(outcome=outcome, reason=reason, available_at=until)
            case _:
                return cls(outcome=outcome)


class NumberQuery(BaseModel):
    """The person whose look-ups to list."""

    national_id: NumberText


class LookupView(BaseModel):
    """A look-up."""

    at: Moment
    purpose: Purpose


class LookupsView(BaseModel):
    """Answered look-ups, newest first, at most fifty."""

    lookups: list[LookupView]

    @classmethod
    def of(cls, seen: list[Seen]) -> Self:
        """Return the response for a list of look-ups."""
        return cls(lookups=[LookupView(at=each.at, purpose=each.purpose) for each in seen])


class MobileQuery(BaseModel):
    """The person and the mobile to compare."""

    national_id: Annotated[NationalId, PlainValidator(_read_national_id, json_schema_input_type=str)]
    mobile: Annotated[Mobile, PlainValidator(_read_mobile, json_schema_input_type=str)]


class MobileView(BaseModel):
    """Match, mismatch, or unknown: not checked here, or the register is unavailable."""

    outcome: MobileOwner
