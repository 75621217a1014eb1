"""The forms that intake accepts, normalised and checked field by field."""

import unicodedata
from typing import Annotated, Any, Literal
from uuid import UUID

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
from desk.intake.domain import (
    FIELDS_MAX,
    FILES_MAX,
    TEXT_MAX,
    TEXT_MIN,
    Contact,
    Content,
    Language,
    Origin,
    Person,
    Representative,
    SubSubject,
    assign_documents,
    is_foreign,
    read_fields,
)
from desk.iran.digits import bare, clean_number, fold, to_persian
from desk.iran.email_address import InvalidEmailError, parse_email
from desk.iran.foreign_code import ForeignCode, InvalidForeignCodeError
from desk.iran.national_id import InvalidNationalIdError, NationalId
from desk.iran.phone import InvalidLandlineError, InvalidMobileError, Landline, Mobile, parse_foreign_mobile

_NAME_MAX = 60
_MOBILE_MESSAGES = {
    False: "شمارهٔ تلفن همراه باید ۱۱ رقم باشد و با ۰۹ آغاز شود؛ مانند ۰۹۱۲۰۰۰۰۰۰۰.",
    True: "شمارهٔ خارج از ایران را با + و کد کشور بنویسید؛ مانند +491512345678.",
}
_NAME_JOINTS = frozenset(" \u200c-")


def _mobile(text: str, fields: ValidationInfo) -> str:
    """Read an Iranian number, or a number of another country if the applicant lives abroad."""
    try:
        return Mobile.parse(text).e164
    except InvalidMobileError:
        if not fields.data.get("abroad"):
            raise
    return parse_foreign_mobile(text)


def _mobile_or_error(text: str, fields: ValidationInfo) -> str:
    try:
        return _mobile(text, fields)
    except InvalidMobileError as error:
        raise FieldRuleError(f"mobile_{error.reason}", _MOBILE_MESSAGES[bool(fields.data.get("abroad"))]) from None


_EMAIL_MESSAGES = {
    "format": "نشانی ایمیل درست نیست؛ مانند name@example.com بنویسید.",
    "needed_abroad": "پیامک به شماره‌های خارج از ایران نمی‌رسد؛ نشانی ایمیل خود را بنویسید تا خبرها به آن فرستاده شود.",
    "local_part": "بخش پیش از @ در نشانی ایمیل باید با حروف انگلیسی باشد؛ مانند ali@gmail.com بنویسید.",
}


def _email(text: str | None, fields: ValidationInfo) -> str | None:
    if text is None or not bare(text):
        if not str(fields.data.get("mobile") or "+98").startswith("+98"):
            raise FieldRuleError("email_needed_abroad", _EMAIL_MESSAGES["needed_abroad"])
        return None
    try:
        return parse_email(text)
    except InvalidEmailError as error:
        raise FieldRuleError(f"email_{error.reason}", _EMAIL_MESSAGES[error.reason]) from None


def _text(text: str) -> str:
    folded = fold(text)
    if not TEXT_MIN <= len(folded) <= TEXT_MAX:
        raise FieldRuleError("text_length", "متن درخواست باید بین ۱۰ تا ۴۰۰۰ نویسه باشد.")
    return folded


def _landline(value: Any) -> Any:
    """Return None for an empty number: the applicant has no landline."""
    if isinstance(value, dict) and isinstance(value.get("number"), str) and not bare(value["number"]):
        return None
    return value


def _name(text: str) -> str:
    """Accept letters of any script and the characters that join them: applicants come from many nations."""
    name = " ".join(fold(text).split())
    if not name or len(name) > _NAME_MAX:
        raise FieldRuleError("name_length", f"نام را بنویسید؛ حداکثر {to_persian(_NAME_MAX)} نویسه.")
    if not any(letter.isalpha() for letter in name) or not all(map(_is_letter_or_joint, name)):
        raise FieldRuleError("name_letters", "نام را فقط با حروف بنویسید، بدون رقم و نشانه.")
    return name


def _is_letter_or_joint(letter: str) -> bool:
    return letter in _NAME_JOINTS or unicodedata.category(letter)[0] in "LM"


def national_id(text: str) -> str:
    """Read a national ID or a foreign national's code. Raises FieldRuleError."""
    number = clean_number(text)
    try:
        return ForeignCode.parse(number).value if is_foreign(number) else NationalId.parse(number).value
    except (InvalidNationalIdError, InvalidForeignCodeError) as error:
        raise FieldRuleError(
            f"national_id_{error.reason}",
            "کد ملی درست نیست. لطفاً هر ده رقم را بررسی کنید؛ کد فراگیر اتباع خارجی ۱۲ رقم دارد.",
        ) from None


Short = Annotated[str, StringConstraints(max_length=64)]


class CaptchaAnswer(BaseModel):
    """A challenge and the applicant's answer."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    answer: Annotated[str, StringConstraints(min_length=1, max_length=32)]


class LandlineForm(BaseModel):
    """A landline with the area code of a province."""

    model_config = ConfigDict(hide_input_in_errors=True)

    area_code: Short
    number: Short

    @field_validator("area_code")
    @classmethod
    def _check_area_code(cls, area_code: str) -> str:
        try:
            return Landline.parse_area_code(area_code)
        except InvalidLandlineError:
            raise FieldRuleError(
                "landline_area_code", "پیش‌شماره درست نیست؛ پیش‌شمارهٔ شهر خود را بنویسید، مانند ۰۲۱."
            ) from None

    @field_validator("number")
    @classmethod
    def _check_number(cls, number: str, fields: ValidationInfo) -> str:
        if "area_code" not in fields.data:  # reported already; the number may be valid
            return number
        try:
            return Landline.parse(fields.data["area_code"], number).number
        except InvalidLandlineError as error:
            raise FieldRuleError(
                f"landline_{error.reason}", "شمارهٔ تلفن ثابت را بدون پیش‌شماره و با ۴ تا ۸ رقم بنویسید."
            ) from None

    @property
    def e164(self) -> str:
        """The stored format, ``+98…``."""
        return Landline.parse(self.area_code, self.number).e164


class NamesForm(BaseModel):
    """Names and gender as the applicant typed them."""

    model_config = ConfigDict(hide_input_in_errors=True)

    first_name: Annotated[str, StringConstraints(max_length=256), AfterValidator(_name)]
    last_name: Annotated[str, StringConstraints(max_length=256), AfterValidator(_name)]
    gender: Literal["male", "female"]

    @property
    def person(self) -> Person:
        """The names as a domain value."""
        return Person(self.first_name, self.last_name, self.gender)


class RepresentativeForm(BaseModel):
    """The person who sends a request for the applicant."""

    model_config = ConfigDict(hide_input_in_errors=True)

    name: Annotated[str, StringConstraints(max_length=256), AfterValidator(_name)]
    national_id: Annotated[Short, AfterValidator(national_id)]
    mobile: Annotated[Short, AfterValidator(_mobile_or_error)]

    @property
    def person(self) -> Representative:
        """The representative as a domain value."""
        return Representative(self.name, self.national_id, self.mobile)


class RequestForm(BaseModel):
    """What every request contains, also one that an office registers.

    Names come from the identity token; ``applicant`` is required if, and only if, the civil registry had not answered
    when the token was issued.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    applicant: NamesForm | None = None

    province: Short
    abroad: bool = False
    """The applicant lives abroad and may give a number of another country. Notices then go by email."""
    mobile: Annotated[Short, AfterValidator(_mobile_or_error)]
    email: Annotated[str | None, AfterValidator(_email), Field(validate_default=True)] = None
    landline: Annotated[LandlineForm | None, BeforeValidator(_landline)] = None
    subject: Short
    sub_subject: Short
    text: Annotated[str, AfterValidator(_text)]
    language: Language = "fa"
    """The language of notices to the applicant."""
    fields: Annotated[dict[Short, Annotated[str, StringConstraints(max_length=800)]], Field(max_length=FIELDS_MAX)] = {}
    """Values of the further fields of the sub-subject, by their keys in the catalogue."""
    attachments: Annotated[list[UUID], Field(max_length=FILES_MAX)] = []
    documents: Annotated[dict[Short, UUID], Field(max_length=FILES_MAX)] = {}
    """The attachment that is each document of the sub-subject, by the document's key in the catalogue."""
    mobile_code: CaptchaAnswer | None = None
    """The code that was sent to ``mobile``; see ``mobile_proof`` in the limits of the catalogue."""
    again: bool = False
    """The applicant confirms that the same request is sent once more within a day."""
    representative: RepresentativeForm | None = None
    """Who sends the request for the applicant, if another person does."""

    @property
    def typed(self) -> Person | None:
        """The typed names, if there are any."""
        return self.applicant.person if self.applicant else None

    @property
    def contact(self) -> Contact:
        """How to reach the applicant."""
        landline = self.landline.e164 if self.landline else None
        return Contact(mobile=self.mobile, landline=landline, email=self.email, language=self.language)

    def content(self, sub_subject: SubSubject) -> Content:
        """Return what the applicant wrote. Raises ExtraFieldsError."""
        documents = {key: str(file) for key, file in self.documents.items()}
        return Content(
            text=self.text,
            fields=read_fields(sub_subject, self.fields),
            documents=assign_documents(sub_subject, documents, map(str, self.attachments)),
        )

    @property
    def origin(self) -> Origin:
        """The origin of a request from the public pages."""
        return Origin(representative=self.representative.person if self.representative else None)


class Submission(RequestForm):
    """A request as submitted on the public pages."""

    captcha: CaptchaAnswer
