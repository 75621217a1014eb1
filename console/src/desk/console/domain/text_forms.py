"""The texts of SMS and email as fields of forms, and the names of their parts."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from desk.console.domain.catalog_changes import Difference, ReadableChange
from desk.console.domain.catalog_forms import Form, Part
from desk.console.domain.errors import FieldError, NotFoundError
from desk.iran.digits import to_persian

NOTICES: Mapping[str, str] = {
    "submitted": "ثبت درخواست",
    "pending": "دریافت درخواست پیش از تأیید هویت",
    "identity_rejected": "تأیید نشدن هویت",
    "referred": "ارجاع درخواست",
    "info_requested": "پرسش کارشناسان",
    "question_reminder": "یادآوری پرسش",
    "unanswered": "بسته شدن بدون پاسخ متقاضی",
    "answered": "پاسخ کارشناسان",
    "rejected": "موافقت نشدن",
    "withdrawn": "پس گرفتن درخواست",
    "contact_changed": "هشدار تغییر موبایل درخواست",
    "code": "کد تأیید موبایل",
    "code_requests": "کد تأیید برای دیدن فهرست درخواست‌ها",
    "code_contact": "کد تأیید برای تغییر موبایل درخواست",
}
LANGUAGES: Mapping[str, str] = {"fa": "فارسی", "en": "انگلیسی"}
CHANNELS: Mapping[str, str] = {"sms": "پیامک", "email": "ایمیل"}
_PARTS: Mapping[str, str] = {"text": "متن", "subject": "عنوان", "paragraphs": "بندها", "number": "شمارهٔ متن"}


def title_of(notice: str) -> str:
    """Return the name of a notice; one that only a later desk has is named by its key."""
    return NOTICES.get(notice, notice)


class Slot(NamedTuple):
    """A field of a form: a text of a notice in one language."""

    name: str
    label: str
    stored: str
    rows: int


def slots(content: Part, language: str, notice: str, channel: str) -> list[Slot]:
    """Return the fields of a notice in one language for one channel; none if it is not sent there."""
    text: Part | None = content[language].get(notice, {}).get(channel)
    if text is None:
        return []
    place = f"{language}-{channel}"
    if channel == "sms":
        return [Slot(f"{place}-text", "متن پیامک", text["text"], 5)]
    paragraphs = [
        Slot(f"{place}-paragraphs-{number}", f"بند {to_persian(number)}", each, 4)
        for number, each in enumerate(text["paragraphs"], 1)
    ]
    return [Slot(f"{place}-subject", "عنوان ایمیل", text["subject"], 1), *paragraphs]


def put(content: Part, notice: str, form: Form) -> None:
    """Put what was typed into the texts of a notice. Raises NotFoundError if there is no such notice."""
    if notice not in content["fa"]:
        raise NotFoundError
    for language in LANGUAGES:
        for channel in CHANNELS:
            typed = [form.get(slot.name, slot.stored) for slot in slots(content, language, notice, channel)]
            text = content[language].get(notice, {}).get(channel)
            if channel == "sms" and typed:
                text["text"] = typed[0]
            elif typed:
                text["subject"], text["paragraphs"] = typed[0], typed[1:]


def field_of(faults: Mapping[str, str], notice: str) -> FieldError | None:
    """Return the first fault of a notice at its field; None if no fault is about one of its fields."""
    for place, message in faults.items():
        language, about, *rest = (*place.split("."), "")
        if about == notice and language in LANGUAGES:
            return FieldError("-".join((language, *rest[:-1])), message)
    return None


def readable_texts(changes: Iterable[Difference]) -> list[ReadableChange]:
    """Return the differences of two versions with the names of their parts."""
    found = []
    for each in changes:
        language, notice, channel, part, *_ = (*each.path.split("."), "", "", "", "")
        if part == "number":
            continue
        names = (
            title_of(notice),
            CHANNELS.get(channel, channel),
            LANGUAGES.get(language, language),
            _PARTS.get(part, part),
        )
        found.append(ReadableChange(" › ".join(names), _lines(each.before), _lines(each.after)))
    return found


def _lines(value: object) -> object:
    return "\n\n".join(map(str, value)) if isinstance(value, list) else value
