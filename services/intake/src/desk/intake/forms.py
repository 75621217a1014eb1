"""What an applicant sends, normalised and checked field by field."""

from typing import Annotated, Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from desk.chassis.app import FieldRuleError
from desk.intake.catalog import FILES_MAX, TEXT_MAX, TEXT_MIN
from desk.iran.digits import bare, clean_number, fold
from desk.iran.national_id import InvalidNationalIdError, NationalId
from desk.iran.phone import InvalidLandlineError, InvalidMobileError, Landline, Mobile
from desk.iran.provinces import PROVINCES

_EMAIL_MAX = 254
_AREA_CODES = frozenset(province.area_code for province in PROVINCES)


def _mobile(text: str) -> str:
    try:
        return Mobile.parse(text).e164
    except InvalidMobileError as error:
        raise FieldRuleError(
            f"mobile_{error.reason}", "شمارهٔ تلفن همراه باید ۱۱ رقم باشد و با ۰۹ آغاز شود؛ مانند ۰۹۱۲۰۰۰۰۰۰۰."
        ) from None


def _email(text: str | None) -> str | None:
    if text is None or not text.strip(" "):
        return None
    try:
        return validate_email(text.strip(" ")[: _EMAIL_MAX + 1], check_deliverability=False).normalized
    except EmailNotValidError:
        raise FieldRuleError("email_format", "نشانی ایمیل درست نیست؛ مانند name@example.com بنویسید.") from None


def _text(text: str) -> str:
    folded = fold(text)
    if not TEXT_MIN <= len(folded) <= TEXT_MAX:
        raise FieldRuleError("text_length", "متن درخواست باید بین ۱۰ تا ۴۰۰۰ نویسه باشد.")
    return folded


def _landline(value: Any) -> Any:
    """An empty number means that the applicant gives no landline."""
    if isinstance(value, dict) and isinstance(value.get("number"), str) and not bare(value["number"]):
        return None
    return value


def _national_id(text: str) -> str:
    try:
        return NationalId.parse(text).value
    except InvalidNationalIdError as error:
        raise FieldRuleError(f"national_id_{error.reason}", "کد ملی درست نیست. لطفاً هر ده رقم را بررسی کنید.") from None


Short = Annotated[str, StringConstraints(max_length=64)]


class CaptchaAnswer(BaseModel):
    """A challenge and what the applicant read in it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    answer: Annotated[str, StringConstraints(min_length=1, max_length=32)]


class LandlineForm(BaseModel):
    """A landline behind the area code of a province."""

    model_config = ConfigDict(hide_input_in_errors=True)

    area_code: Short
    number: Short

    @field_validator("area_code")
    @classmethod
    def _of_a_province(cls, area_code: str) -> str:
        code = clean_number(area_code)
        if code not in _AREA_CODES:
            raise FieldRuleError("landline_area_code", "پیش‌شماره درست نیست؛ پیش‌شمارهٔ مرکز استان را بنویسید، مانند ۰۲۱.")
        return code

    @field_validator("number")
    @classmethod
    def _of_a_subscriber(cls, number: str, fields: ValidationInfo) -> str:
        if "area_code" not in fields.data:  # said already; the number may be right
            return number
        try:
            return Landline.parse(fields.data["area_code"], number).number
        except InvalidLandlineError as error:
            raise FieldRuleError(
                f"landline_{error.reason}", "شمارهٔ تلفن ثابت را بدون پیش‌شماره و با ۴ تا ۸ رقم بنویسید."
            ) from None

    @property
    def e164(self) -> str:
        """The form for storage, ``+98…``."""
        return Landline.parse(self.area_code, self.number).e164


class Submission(BaseModel):
    """A request as it is sent. Names are not among its fields: they come from the identity token alone."""

    model_config = ConfigDict(hide_input_in_errors=True)

    province: Short
    email: Annotated[str | None, AfterValidator(_email)] = None
    mobile: Annotated[Short, AfterValidator(_mobile)]
    landline: Annotated[LandlineForm | None, BeforeValidator(_landline)] = None
    subject: Short
    sub_subject: Short
    text: Annotated[str, AfterValidator(_text)]
    attachments: Annotated[list[UUID], Field(max_length=FILES_MAX)] = []
    captcha: CaptchaAnswer


class FindForm(BaseModel):
    """What tracking asks for: the request of this person with this code."""

    model_config = ConfigDict(hide_input_in_errors=True)

    national_id: Annotated[Short, AfterValidator(_national_id)]
    tracking_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
