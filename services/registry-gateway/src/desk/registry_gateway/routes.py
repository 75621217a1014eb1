"""The public route of the registry gateway, and how what people type becomes values."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, PlainValidator

from desk.chassis.app import FieldRuleError, problems, source_of
from desk.chassis.problem import BudgetExhaustedError, ServiceUnavailableError
from desk.iran.jalali import InvalidJalaliDateError, JalaliDate, in_tehran
from desk.iran.national_id import InvalidNationalIdError, NationalId
from desk.registry_gateway.domain import (
    Gender,
    IdentityDeceasedError,
    IdentityNotMatchedError,
    RegistryUnavailableError,
    birth_date_fault,
)
from desk.registry_gateway.service import ProvenIdentity, RegistryDoor

_NATIONAL_ID_MESSAGES = {
    "empty": "کد ملی را وارد کنید.",
    "not_digits": "کد ملی را فقط با رقم وارد کنید.",
    "length": "کد ملی باید ۱۰ رقم باشد.",
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


def _read_national_id(typed: object) -> NationalId:
    try:
        return NationalId.parse(_text(typed))
    except InvalidNationalIdError as error:
        raise FieldRuleError(error.reason, _NATIONAL_ID_MESSAGES[error.reason]) from None


def _read_birth_date(typed: object) -> JalaliDate:
    try:
        birth_date = JalaliDate.parse(_text(typed))
    except InvalidJalaliDateError as error:
        raise FieldRuleError(error.reason, _BIRTH_DATE_MESSAGES[error.reason]) from None
    today, _ = in_tehran(datetime.now(UTC))
    if fault := birth_date_fault(birth_date, today):
        raise FieldRuleError(fault, _BIRTH_DATE_MESSAGES[fault])
    return birth_date


def _text(typed: object) -> str:
    """Refuse JSON numbers above all: a number has lost its leading zeros, and nobody can say whether it had any."""
    if not isinstance(typed, str):
        raise FieldRuleError("not_text", "این مورد باید به صورت متن فرستاده شود.")
    return typed


class IdentityQuery(BaseModel):
    """Whom to look up; Persian, Arabic-Indic and Latin digits are accepted."""

    national_id: Annotated[
        NationalId,
        PlainValidator(_read_national_id, json_schema_input_type=str),
        Field(description="Ten digits; eight or nine are padded with the zeros a spreadsheet took."),
    ]
    birth_date: Annotated[
        JalaliDate,
        PlainValidator(_read_birth_date, json_schema_input_type=str),
        Field(description="Jalali date, YYYY-MM-DD.", examples=["1361-12-05"]),
    ]


class IdentityView(BaseModel):
    """The person, and the token that binds number, birth date, names and gender."""

    status: Literal["matched"]
    first_name: str
    last_name: str
    gender: Gender
    token: str
    expires_at: datetime

    @classmethod
    def of(cls, proven: ProvenIdentity) -> Self:
        """Show what the applicant may see."""
        return cls(
            status="matched",
            first_name=proven.identity.first_name,
            last_name=proven.identity.last_name,
            gender=proven.identity.gender,
            token=proven.token,
            expires_at=proven.expires_at,
        )


async def _door(request: Request) -> RegistryDoor:
    door: RegistryDoor = request.app.state.door
    return door


router = APIRouter()


@router.post(
    "/api/identities",
    summary="Look a person up in the civil registry",
    responses=problems(
        IdentityNotMatchedError,
        IdentityDeceasedError,
        BudgetExhaustedError,
        RegistryUnavailableError,
        ServiceUnavailableError,
    ),
)
async def identify(
    query: IdentityQuery, request: Request, response: Response, door: Annotated[RegistryDoor, Depends(_door)]
) -> IdentityView:
    """Answer with names, gender and an identity token if number and birth date belong together."""
    response.headers["Cache-Control"] = "no-store"
    return IdentityView.of(await door.identify(query.national_id, query.birth_date, source_of(request)))
