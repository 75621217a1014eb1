"""Requests that experts register for applicants, at the counter or on the telephone: what is typed, and its rules.

The desk checks everything again; these rules find what is wrong before a code is sent to the person.
"""

from collections.abc import Iterator, Mapping

from desk.console.domain.errors import ConsoleError
from desk.iran.digits import bare, clean_number, fold
from desk.iran.email_address import InvalidEmailError, parse_email
from desk.iran.foreign_code import ForeignCode, InvalidForeignCodeError
from desk.iran.jalali import InvalidJalaliDateError, JalaliDate
from desk.iran.national_id import InvalidNationalIdError, NationalId
from desk.iran.phone import InvalidLandlineError, InvalidMobileError, Landline, Mobile

SOURCE_TITLES: Mapping[str, str] = {"counter": "مراجعهٔ حضوری", "phone": "تلفن"}
"""The sources of registered requests, as experts read them."""
OWNER_TITLES: Mapping[str, str] = {
    "own": "خود متقاضی",
    "helper": "همراه یا نمایندهٔ متقاضی",
    "none": "متقاضی و همراه او تلفن همراه ندارند",
}
GENDER_TITLES: Mapping[str, str] = {"female": "زن", "male": "مرد"}
IDENTITY_FIELDS = ("source", "national_id", "birth_date")
NAME_FIELDS = ("first_name", "last_name", "gender")
REPRESENTATIVE_FIELDS = ("representative_name", "representative_national_id", "representative_mobile")
REQUEST_FIELDS = (
    *NAME_FIELDS,
    *REPRESENTATIVE_FIELDS,
    "mobile_owner",
    "mobile",
    "email",
    "landline_area_code",
    "landline_number",
    "province",
    "sub_subject",
    "text",
)
TEXT_MIN, TEXT_MAX, NAME_MAX = 10, 4000, 60
_FOREIGN_DIGITS = 12
_OF_THE_DESK: Mapping[str, str] = {
    "subject": "sub_subject",
    "file": "files",
    "attachments": "files",
    "landline": "landline_number",
    "landline.area_code": "landline_area_code",
    "landline.number": "landline_number",
    "mobile_code": "code",
    "mobile_code.id": "code",
    "mobile_code.answer": "code",
    "applicant": "first_name",
    "applicant.first_name": "first_name",
    "applicant.last_name": "last_name",
    "applicant.gender": "gender",
    "representative": "representative_name",
    "representative.name": "representative_name",
    "representative.national_id": "representative_national_id",
    "representative.mobile": "representative_mobile",
}
FIELD_PREFIX, DOCUMENT_PREFIX = "field-", "document-"
"""How the names of the inputs begin that the chosen sub-subject adds."""
_OF_THE_SUB_SUBJECT: Mapping[str, str] = {"fields": FIELD_PREFIX, "documents": DOCUMENT_PREFIX}
Typed = Mapping[str, str]


class CounterFaultsError(ConsoleError):
    """The desk or these rules refuse what was typed; ``faults`` are sentences by the field of the page."""

    status, code = 422, "counter_faults"
    title = "لطفاً این موارد را اصلاح کنید."

    def __init__(self, faults: Mapping[str, str], *, code: str = "", title: str = "", status: int = 422) -> None:
        super().__init__(title or None)
        self.faults, self.desk_code = dict(faults), code
        self.status = status


def page_field(desk_field: str) -> str:
    """Return the field of the page for a field of the desk."""
    part, dot, key = desk_field.partition(".")
    if dot and part in _OF_THE_SUB_SUBJECT:
        return f"{_OF_THE_SUB_SUBJECT[part]}{key}"
    return _OF_THE_DESK.get(desk_field, desk_field)


def identity_faults(typed: Typed) -> dict[str, str]:
    """Return what is wrong with the person to look up, by field."""
    return dict(_identity_faults(typed))


def _identity_faults(typed: Typed) -> Iterator[tuple[str, str]]:
    if typed["source"] not in SOURCE_TITLES:
        yield "source", "مشخص کنید متقاضی چگونه درخواست می‌کند."
    if not _is_number(typed["national_id"]):
        yield "national_id", "کد ملی درست نیست. هر ده رقم را با کارت ملی مقایسه کنید؛ کد فراگیر اتباع ۱۲ رقم دارد."
    try:
        JalaliDate.parse(typed["birth_date"])
    except InvalidJalaliDateError:
        yield "birth_date", "تاریخ تولد را به صورت سال/ماه/روز بنویسید؛ مانند ۱۳۶۱/۱۲/۰۵."


def request_faults(typed: Typed, *, named: bool, any_province: bool) -> dict[str, str]:
    """Return what is wrong with the request, by field; ``named``: the names are those of the civil registry."""
    return dict(
        [
            *(() if named else _name_faults(typed)),
            *_contact_faults(typed),
            *_matter_faults(typed, any_province=any_province),
            *_representative_faults(typed),
        ]
    )


def _name_faults(typed: Typed) -> Iterator[tuple[str, str]]:
    if not _is_name(typed["first_name"]):
        yield "first_name", "نام متقاضی را با حروف بنویسید."
    if not _is_name(typed["last_name"]):
        yield "last_name", "نام خانوادگی متقاضی را با حروف بنویسید."
    if typed["gender"] not in GENDER_TITLES:
        yield "gender", "جنسیت متقاضی را انتخاب کنید."


def _contact_faults(typed: Typed) -> Iterator[tuple[str, str]]:
    owner, mobile = typed["mobile_owner"], typed["mobile"]
    if owner not in OWNER_TITLES:
        yield "mobile_owner", "مشخص کنید شمارهٔ تلفن همراه از آنِ کیست."
    elif owner == "none" and bare(mobile):
        yield "mobile", "نوشته‌اید تلفن همراه ندارند. شماره را پاک کنید، یا صاحب آن را مشخص کنید."
    elif owner != "none" and not _is_mobile(mobile):
        yield "mobile", "شمارهٔ تلفن همراه باید ۱۱ رقم باشد و با ۰۹ آغاز شود؛ مانند ۰۹۱۲۰۰۰۰۰۰۰."
    if bare(typed["email"]):
        try:
            parse_email(typed["email"])
        except InvalidEmailError:
            yield "email", "نشانی ایمیل درست نیست؛ مانند name@example.com بنویسید."

    if has_landline(typed):
        yield from _landline_faults(typed)


def has_landline(typed: Typed) -> bool:
    """Return whether a landline was typed. An area code alone is none; the page fills in that of the office."""
    return bool(bare(typed.get("landline_number", "")))


def _landline_faults(typed: Typed) -> Iterator[tuple[str, str]]:
    try:
        Landline.parse(typed["landline_area_code"], typed["landline_number"])
    except InvalidLandlineError as error:
        if error.reason == "area_code":
            yield "landline_area_code", "پیش‌شماره درست نیست. پیش‌شمارهٔ شهر خود را بنویسید؛ مانند ۰۲۱."
        else:
            yield "landline_number", "تلفن ثابت را با ۴ تا ۸ رقم و بدون پیش‌شماره بنویسید."


def _matter_faults(typed: Typed, *, any_province: bool) -> Iterator[tuple[str, str]]:
    if any_province and not typed["province"]:
        yield "province", "استانی را که درخواست به آن مربوط است انتخاب کنید."
    if not typed["sub_subject"]:
        yield "sub_subject", "موضوع را از فهرست انتخاب کنید."
    if not TEXT_MIN <= len(fold(typed["text"])) <= TEXT_MAX:
        yield "text", "متن درخواست باید بین ۱۰ تا ۴۰۰۰ نویسه باشد."


def has_representative(typed: Typed) -> bool:
    """Return whether something about a representative was typed."""
    return any(bare(typed[name]) for name in REPRESENTATIVE_FIELDS)


def _representative_faults(typed: Typed) -> Iterator[tuple[str, str]]:
    if not has_representative(typed):
        return
    if not _is_name(typed["representative_name"]):
        yield "representative_name", "نام و نام خانوادگی نماینده را با حروف بنویسید."
    if not _is_number(typed["representative_national_id"]):
        yield "representative_national_id", "کد ملی نماینده درست نیست. رقم‌ها را با کارت ملی او مقایسه کنید."
    if not _is_mobile(typed["representative_mobile"]):
        yield "representative_mobile", "شمارهٔ همراه نماینده باید ۱۱ رقم باشد و با ۰۹ آغاز شود."


def _is_name(text: str) -> bool:
    name = fold(text)
    return 0 < len(name) <= NAME_MAX and not any(letter.isdigit() for letter in name)


def _is_mobile(text: str) -> bool:
    try:
        Mobile.parse(text)
    except InvalidMobileError:
        return False
    return True


def _is_number(text: str) -> bool:
    try:
        if len(clean_number(text)) == _FOREIGN_DIGITS:
            ForeignCode.parse(text)
        else:
            NationalId.parse(text)
    except (InvalidNationalIdError, InvalidForeignCodeError):
        return False
    return True
