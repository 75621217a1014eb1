"""The placeholders of each notice, and which of them a text that headquarters writes may have."""

import re
from collections.abc import Mapping
from functools import lru_cache

from desk.notifier.domain.notices import CODES, Template

_COMMON = {"name", "code", "code_undivided", "code_grouped", "code_isolated", "province", "office"}
_OF_SUBMISSION = {
    *_COMMON,
    "subject",
    "sub_subject",
    "submitted_at",
    "due_day",
    "due_day_short",
    "request_lines",
    "files",
}
VALUE_NAMES: Mapping[Template, set[str]] = {
    Template.SUBMITTED: _OF_SUBMISSION,
    Template.PENDING: _OF_SUBMISSION,
    Template.IDENTITY_REJECTED: {*_COMMON, "at", "lines"},
    Template.REFERRED: {*_COMMON, "at", "lines", "due_day"},
    Template.INFO_REQUESTED: {*_COMMON, "at", "lines"},
    Template.QUESTION_REMINDER: {*_COMMON, "at", "lines", "reply_day"},
    Template.UNANSWERED: {*_COMMON, "at", "reply_day"},
    Template.ANSWERED: {*_COMMON, "at", "lines"},
    Template.REJECTED: {*_COMMON, "at", "lines"},
    Template.WITHDRAWN: {*_COMMON, "at"},
    Template.CONTACT_CHANGED: {*_COMMON, "at"},
    **{code: {"digits"} for code in CODES},
}
"""The values that each notice has."""

TITLES: Mapping[str, str] = {
    "name": "نام متقاضی با عنوان",
    "code": "کد پیگیری",
    "code_undivided": "کد پیگیری با رقم‌های زبان متن",
    "code_isolated": "کد پیگیری در گروه‌های چهاررقمی",
    "province": "نام استان درخواست",
    "office": "ادارهٔ رسیدگی‌کننده",
    "subject": "موضوع",
    "sub_subject": "موضوع فرعی",
    "submitted_at": "زمان ثبت",
    "at": "زمان رویداد",
    "due_day": "روز پاسخ، با نام روز هفته",
    "due_day_short": "روز پاسخ، کوتاه",
    "reply_day": "آخرین روز پاسخ متقاضی",
    "digits": "کد تأیید",
}
"""What a writer reads about each placeholder. Texts with several lines and names of files are in fixed parts only."""

_ON_A_LOCK_SCREEN = {
    "code",
    "digits",
    "province",
    "office",
    "submitted_at",
    "at",
    "due_day",
    "due_day_short",
    "reply_day",
}
"""Placeholders of an SMS and of an email's subject. Other people may see a lock screen: no name and no subject. The
code is in ASCII digits without spaces: it needs no isolate, every handset shows it, and it can be dictated."""
_PLACEHOLDER = re.compile(r"\{\{ *([a-z_]+) *\}\}")


def sms_placeholders(template: Template) -> list[str]:
    """Return the placeholders of an SMS, in the order of :data:`TITLES`."""
    return [name for name in TITLES if name in VALUE_NAMES[template] & _ON_A_LOCK_SCREEN]


def subject_placeholders(template: Template) -> list[str]:
    """Return the placeholders of an email's subject; the code is added to each subject."""
    return [name for name in sms_placeholders(template) if name != "code"]


def paragraph_placeholders(template: Template) -> list[str]:
    """Return the placeholders of an email's paragraphs."""
    return [name for name in TITLES if name in VALUE_NAMES[template]]


@lru_cache(maxsize=1024)
def placeholders_of(text: str) -> tuple[str, ...]:
    """Return the placeholders of a text, sorted."""
    return tuple(sorted(set(_PLACEHOLDER.findall(text))))


def without_placeholders(text: str, instead: str = "") -> str:
    """Return the words of a text, with something else instead of each placeholder."""
    return _PLACEHOLDER.sub(instead, text)


def stands_alone(text: str, name: str) -> bool:
    """Return whether no digit, letter or other placeholder touches this one, so that its value is read as it is."""
    return re.search(rf"(?:\w|\}}\}})\{{\{{ *{name} *\}}\}}|\{{\{{ *{name} *\}}\}}(?:\w|\{{\{{)", text) is None


def fill(text: str, values: Mapping[str, object]) -> str:
    """Put values into a text. A value is never read as a placeholder. Raises KeyError for a missing value."""
    return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), text)
