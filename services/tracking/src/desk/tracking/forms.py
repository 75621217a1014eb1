"""What callers send: a look-up, the actions on a request, and the query for figures."""

import re
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from stdnum import damm

from desk.chassis.app import FieldRuleError
from desk.chassis.problem import FieldError
from desk.iran.digits import bare, clean_number, fold
from desk.iran.foreign_code import ForeignCode, InvalidForeignCodeError
from desk.iran.national_id import InvalidNationalIdError, NationalId
from desk.iran.offices import OFFICE_KEYS
from desk.iran.phone import InvalidMobileError, Mobile
from desk.tracking.domain import Month, MonthInvalidError, RequestNotFoundError

_CODE = re.compile(r"[^0-9]*?((?:[0-9][-\u2010-\u2015\u2212./]*){12})[^0-9]*")
"""Twelve digits in groups, with the words around them that a copied message brings along."""
FOREIGN_CODE_DIGITS = 12
_MISTYPED = "یکی از رقم‌های کد پیگیری درست نیست. لطفاً آن را با رسید یا پیامک خود مقایسه کنید."


def _national_id(text: str) -> str:
    """Return the national ID, or the code of a foreign national in its place."""
    number = clean_number(text)
    foreign = len(number) == FOREIGN_CODE_DIGITS
    try:
        return ForeignCode.parse(number).value if foreign else NationalId.parse(number).value
    except (InvalidNationalIdError, InvalidForeignCodeError) as error:
        raise FieldRuleError(
            f"national_id_{error.reason}",
            "کد ملی درست نیست. لطفاً هر ده رقم را بررسی کنید؛ کد فراگیر اتباع خارجی ۱۲ رقم دارد.",
        ) from None


def _tracking_code(text: str) -> str:
    match = _CODE.fullmatch(bare(text))
    if match is None:
        raise FieldRuleError("tracking_code_length", "کد پیگیری ۱۲ رقم دارد. لطفاً همهٔ رقم‌ها را وارد کنید.")
    return re.sub("[^0-9]", "", match[1])


class CaptchaAnswer(BaseModel):
    """A challenge and the applicant's answer to it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    answer: Annotated[str, StringConstraints(min_length=1, max_length=32)]


class ProofOfWork(BaseModel):
    """A solved challenge of ``POST /api/captchas {purpose: track, kind: work}``; it is valid for one look-up."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    solution: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class TrackingQuery(BaseModel):
    """The applicant's national ID and the tracking code; digits of any set, with or without spaces."""

    model_config = ConfigDict(hide_input_in_errors=True)

    national_id: Annotated[str, StringConstraints(max_length=64), AfterValidator(_national_id)]
    tracking_code: Annotated[str, StringConstraints(max_length=64), AfterValidator(_tracking_code)]
    captcha: CaptchaAnswer
    proof: ProofOfWork | None = None
    """Required after several wrong codes from one source; the answer ``proof_required`` says of which level."""

    def require_plausible_code(self) -> None:
        """Check the Damm check digit, so that a mistyped digit costs no security code.

        The error is the same 404 as for any unknown code, with a hint at the field. Raises RequestNotFoundError.
        """
        if not damm.is_valid(self.tracking_code):
            raise RequestNotFoundError(errors=[FieldError("tracking_code", "tracking_code_check_digit", _MISTYPED)])


def _iranian_mobile(text: str) -> str:
    try:
        return Mobile.parse(text).e164
    except InvalidMobileError as error:
        raise FieldRuleError(
            f"mobile_{error.reason}",
            "شمارهٔ یک تلفن همراه ایرانی را بنویسید که با ۰۹ آغاز می‌شود و ۱۱ رقم دارد.",
        ) from None


IranianMobile = Annotated[str, StringConstraints(max_length=64), AfterValidator(_iranian_mobile)]


class OwnRequestsQuery(BaseModel):
    """A national ID, and the mobile that was given with the requests, with the code that was sent to it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    national_id: Annotated[str, StringConstraints(max_length=64), AfterValidator(_national_id)]
    mobile: IranianMobile
    mobile_code: CaptchaAnswer
    """A code of ``POST /api/captchas {purpose: requests, kind: sms}``; it is valid for one list."""
    proof: ProofOfWork | None = None
    """Required after several empty lists; the answer ``proof_required`` says of which level."""


TEXT_MAX, COMMENT_MAX = 4000, 1000
FILES_MAX = 5
"""As many as a request may have; intake has the same limit."""


def _required_text(text: str) -> str:
    folded = fold(text)
    if not folded:
        raise FieldRuleError("text_missing", "لطفاً متن را بنویسید.")
    if len(folded) > TEXT_MAX:
        raise FieldRuleError("text_length", "متن می‌تواند تا ۴۰۰۰ نویسه باشد. لطفاً آن را کوتاه‌تر کنید.")
    return folded


def _optional_text(text: str | None) -> str | None:
    folded = fold(text or "")
    if len(folded) > COMMENT_MAX:
        raise FieldRuleError("text_length", "این متن می‌تواند تا ۱۰۰۰ نویسه باشد. لطفاً آن را کوتاه‌تر کنید.")
    return folded or None


def _limited_files(files: list[UUID]) -> list[UUID]:
    if len(files) > FILES_MAX:
        raise FieldRuleError("too_many_files", "حداکثر ۵ فایل می‌توان پیوست کرد. لطفاً بقیه را حذف کنید.")
    return list(dict.fromkeys(files))


class ActionForm(BaseModel):
    """Base of the bodies of actions."""

    model_config = ConfigDict(hide_input_in_errors=True)


class Reply(ActionForm):
    """The applicant's answer to a question; ``files`` has the ids of its uploads at ``POST /api/files``."""

    text: Annotated[str, AfterValidator(_required_text)]
    files: Annotated[list[UUID], AfterValidator(_limited_files)] = []


class Withdrawal(ActionForm):
    """A withdrawal, with an optional reason."""

    reason: Annotated[str | None, AfterValidator(_optional_text)] = None


class Rating(ActionForm):
    """A rating of the answer, from 1 (bad) to 5 (very good)."""

    rating: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str | None, AfterValidator(_optional_text)] = None


class Objection(ActionForm):
    """Why the applicant does not accept the answer."""

    text: Annotated[str, AfterValidator(_required_text)]


class ContactChange(ActionForm):
    """Another mobile for the messages about the request, with the code that was sent to it."""

    mobile: IranianMobile
    mobile_code: CaptchaAnswer
    """A code of ``POST /api/captchas {purpose: contact, kind: sms}``."""


def _month(text: object) -> Month:
    try:
        return Month.parse(str(text))
    except MonthInvalidError:
        raise FieldRuleError(
            "month_invalid", "ماه را به تقویم شمسی و با سال چهاررقمی بنویسید، مانند 1405-09."
        ) from None


def _office(key: str) -> str:
    if key not in OFFICE_KEYS:
        raise FieldRuleError(
            "office_unknown", "اداره‌ای با این کلید نیست. کلید یکی از استان‌ها یا headquarters را بنویسید."
        )
    return key


JalaliMonth = Annotated[
    Month, BeforeValidator(_month), WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"})
]


class FiguresQuery(BaseModel):
    """Which figures: of the months ``from`` to ``until``, by default the last twelve, and of one office or of all."""

    model_config = ConfigDict(extra="forbid")

    from_: Annotated[JalaliMonth | None, Field(alias="from")] = None
    until: JalaliMonth | None = None
    office: Annotated[str, AfterValidator(_office)] | None = None
