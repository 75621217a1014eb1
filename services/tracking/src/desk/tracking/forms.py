"""What an applicant sends to see a request, and to act on it."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from stdnum import damm

from desk.chassis.app import FieldRuleError
from desk.chassis.problem import FieldError
from desk.iran.digits import clean_number, fold
from desk.iran.foreign_code import ForeignCode, InvalidForeignCodeError
from desk.iran.national_id import InvalidNationalIdError, NationalId
from desk.tracking.domain import RequestNotFoundError

CODE_DIGITS = 12
FOREIGN_CODE_DIGITS = 12
_MISTYPED = "یکی از رقم‌های کد رهگیری درست نیست. لطفاً آن را با رسید یا پیامک خود مقایسه کنید."


def _national_id(text: str) -> str:
    """Read a national ID, or the code of a foreign national in its place."""
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
    code = clean_number(text)
    if len(code) != CODE_DIGITS or not code.isascii() or not code.isdigit():
        raise FieldRuleError("tracking_code_length", "کد رهگیری ۱۲ رقم دارد. لطفاً همهٔ رقم‌ها را وارد کنید.")
    return code


class CaptchaAnswer(BaseModel):
    """A challenge and what the applicant read in it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    answer: Annotated[str, StringConstraints(min_length=1, max_length=32)]


class TrackingQuery(BaseModel):
    """Whose request, and its code; digits of any set, with or without spaces."""

    model_config = ConfigDict(hide_input_in_errors=True)

    national_id: Annotated[str, StringConstraints(max_length=64), AfterValidator(_national_id)]
    tracking_code: Annotated[str, StringConstraints(max_length=64), AfterValidator(_tracking_code)]
    captcha: CaptchaAnswer

    def demand_plausible_code(self) -> None:
        """Notice a mistyped digit by the Damm check digit, before anything is spent or looked up.

        It is the same 404 as for any code nobody has, with a hint at the field. Raises RequestNotFoundError.
        """
        if not damm.is_valid(self.tracking_code):
            raise RequestNotFoundError(errors=[FieldError("tracking_code", "tracking_code_check_digit", _MISTYPED)])


TEXT_MAX, COMMENT_MAX = 4000, 1000
FILES_MAX = 5
"""As many as a request; intake, which keeps them, has the same limit."""


def _words(text: str) -> str:
    folded = fold(text)
    if not folded:
        raise FieldRuleError("text_missing", "لطفاً متن را بنویسید.")
    if len(folded) > TEXT_MAX:
        raise FieldRuleError("text_length", "متن می‌تواند تا ۴۰۰۰ نویسه باشد. لطفاً آن را کوتاه‌تر کنید.")
    return folded


def _perhaps(text: str | None) -> str | None:
    folded = fold(text or "")
    if len(folded) > COMMENT_MAX:
        raise FieldRuleError("text_length", "این متن می‌تواند تا ۱۰۰۰ نویسه باشد. لطفاً آن را کوتاه‌تر کنید.")
    return folded or None


def _few(files: list[UUID]) -> list[UUID]:
    if len(files) > FILES_MAX:
        raise FieldRuleError("too_many_files", "حداکثر ۵ فایل می‌توان پیوست کرد. لطفاً بقیه را حذف کنید.")
    return list(dict.fromkeys(files))


class Move(BaseModel):
    """Base of what an applicant sends with an action."""

    model_config = ConfigDict(hide_input_in_errors=True)


class Reply(Move):
    """The applicant's answer to a question; ``files`` names what was put up for it at ``POST /api/files``."""

    text: Annotated[str, AfterValidator(_words)]
    files: Annotated[list[UUID], AfterValidator(_few)] = []


class Withdrawal(Move):
    """That the request is taken back, and why if the applicant says so."""

    reason: Annotated[str | None, AfterValidator(_perhaps)] = None


class Rating(Move):
    """How good the answer was: from 1 (bad) to 5 (very good)."""

    rating: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str | None, AfterValidator(_perhaps)] = None


class Objection(Move):
    """Why the applicant does not accept the answer."""

    text: Annotated[str, AfterValidator(_words)]
