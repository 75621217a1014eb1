"""The further fields and the documents of a sub-subject: reading what an applicant typed, and checking it."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from desk.chassis.problem import FieldError
from desk.intake.domain.catalog import ExtraField, FieldKind, SubSubject
from desk.intake.domain.errors import ExtraFieldsError
from desk.iran.digits import clean_number, fold
from desk.iran.iban import Iban, InvalidIbanError
from desk.iran.jalali import InvalidJalaliDateError, JalaliDate

TEXT_MAX_OF_A_FIELD = 200
_NUMBER = re.compile("[0-9]{1,15}")
_RECEIPT_NUMBER = re.compile("[0-9]{4,20}")
_MESSAGES: Mapping[str, str] = {
    "missing": "این خانه را پر کنید.",
    "text": "این متن را کوتاه‌تر بنویسید؛ حداکثر ۲۰۰ نویسه.",
    "number": "این خانه را فقط با رقم پر کنید.",
    "date": "تاریخ را به شکل ۱۴۰۵/۰۹/۲۲ بنویسید.",
    "choice": "یکی از گزینه‌های فهرست را انتخاب کنید.",
    "iban": "شمارهٔ شبا درست نیست: IR و ۲۴ رقم، همان‌گونه که بانک نوشته است.",
    "receipt_number": "شمارهٔ قبض را فقط با رقم بنویسید؛ ۴ تا ۲۰ رقم.",
    "not_expected": "این موضوع چنین خانه‌ای ندارد. صفحه را تازه کنید.",
    "document_missing": "این مدرک را پیوست کنید.",
    "document_unknown": "این مدرک جزو مدرک‌های این موضوع یا فایل‌های پیوست نیست. صفحه را تازه کنید.",
}


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The value of a further field.

    ``value`` is normalised: ASCII digits, ``YYYY-MM-DD`` in Jalali, or the key of a choice. ``text`` is for people.
    """

    key: str
    title: str
    kind: FieldKind
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Titled:
    """A subject, a sub-subject or a document: its key and its Persian title."""

    key: str
    title: str


class _WrongValueError(ValueError):
    """The text is no value of this kind of field."""


def read_fields(sub_subject: SubSubject, typed: Mapping[str, str]) -> tuple[FieldValue, ...]:
    """Return the values of the further fields, without the empty ones. Raises ExtraFieldsError with all faults."""
    errors = [_error(key, "not_expected") for key in typed if key not in {each.key for each in sub_subject.fields}]
    values = []
    for field in sub_subject.fields:
        text = fold(typed.get(field.key, "")).strip()
        if not text:
            if field.required:
                errors.append(_error(field.key, "missing"))
            continue
        try:
            values.append(_read(field, text))
        except _WrongValueError:
            errors.append(_error(field.key, field.kind))
    if errors:
        raise ExtraFieldsError(errors=errors)
    return tuple(values)


def assign_documents(sub_subject: SubSubject, named: Mapping[str, str], files: Iterable[str]) -> dict[str, Titled]:
    """Return the document that each file is, by the file's id. Raises ExtraFieldsError.

    ``named`` maps keys of documents to ids of files; a file that is no document of the sub-subject may be sent too.
    """
    known, sent = {each.key: each for each in sub_subject.documents}, set(files)
    used = Counter(named.values())
    wrong = [key for key, file in named.items() if key not in known or file not in sent or used[file] > 1]
    missing = [key for key, document in known.items() if document.required and key not in named]
    errors = [_document_error(key, "document_unknown") for key in wrong]
    errors += [_document_error(key, "document_missing") for key in missing]
    if errors:
        raise ExtraFieldsError(errors=errors)
    return {file: Titled(key, known[key].title) for key, file in named.items()}


def _read(field: ExtraField, text: str) -> FieldValue:
    """Raise _WrongValueError for a text that is no value of the field."""
    value, shown = _READERS[field.kind](field, text)
    return FieldValue(field.key, field.title, field.kind, value, shown)


def _read_text(_field: ExtraField, text: str) -> tuple[str, str]:
    if len(text) > TEXT_MAX_OF_A_FIELD:
        raise _WrongValueError
    return text, text


def _read_number(_field: ExtraField, text: str) -> tuple[str, str]:
    return _matching(_NUMBER, text)


def _read_receipt_number(_field: ExtraField, text: str) -> tuple[str, str]:
    return _matching(_RECEIPT_NUMBER, text)


def _read_date(_field: ExtraField, text: str) -> tuple[str, str]:
    try:
        day = JalaliDate.parse(text)
    except InvalidJalaliDateError:
        raise _WrongValueError from None
    return day.isoformat(), day.long()


def _read_choice(field: ExtraField, text: str) -> tuple[str, str]:
    for choice in field.choices:
        if choice.key == text:
            return choice.key, choice.title
    raise _WrongValueError


def _read_iban(_field: ExtraField, text: str) -> tuple[str, str]:
    try:
        number = Iban.parse(text)
    except InvalidIbanError:
        raise _WrongValueError from None
    return number.value, number.grouped


def _matching(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    number = clean_number(text)
    if not pattern.fullmatch(number):
        raise _WrongValueError
    return number, number


_READERS = {
    "text": _read_text,
    "number": _read_number,
    "date": _read_date,
    "choice": _read_choice,
    "iban": _read_iban,
    "receipt_number": _read_receipt_number,
}


def _error(key: str, code: str) -> FieldError:
    return FieldError(f"fields.{key}", f"field_{code}", _MESSAGES[code])


def _document_error(key: str, code: str) -> FieldError:
    return FieldError(f"documents.{key}", code, _MESSAGES[code])
