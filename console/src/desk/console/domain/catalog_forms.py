"""The catalogue's parts as fields of forms: what the pages of a draft show, and what they send back.

A part with several rows, such as the documents of a sub-subject, has inputs ``documents-1-title``,
``documents-2-title`` and so on. The pages show two empty rows more than there are; an empty row is left out. A part is
removed by emptying its main text; a new row without it is an error if anything else is typed in it.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from desk.console.domain.errors import FieldError
from desk.iran.digits import bare, to_ascii
from desk.iran.jalali import TEHRAN, InvalidJalaliDateError, JalaliDate, local_text

Part = dict[str, Any]
Form = Mapping[str, str]
FIELD_KINDS: Mapping[str, str] = {
    "text": "متن کوتاه",
    "number": "عدد",
    "date": "تاریخ",
    "choice": "انتخاب از فهرست",
    "iban": "شمارهٔ شبا",
    "receipt_number": "شمارهٔ قبض",
}
PAGES: Mapping[str, str] = {"home": "صفحهٔ نخست", "send": "ارسال درخواست", "track": "پیگیری"}
LEVELS: Mapping[str, str] = {"info": "آگاهی", "warning": "هشدار"}
EMPTY_ROWS = 2
_TIME = re.compile("(?P<day>[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2})(?: +(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}))?")
_KEY = re.compile("[a-z][a-z0-9_]{1,39}")
_TYPED = ("title_en", "choices", "text_en", "active_from", "active_until")
_TEXTS = ("title", "title_en", "guidance", "guidance_en")


def find(content: Part, subject: str, key: str) -> Part | None:
    """Return a sub-subject of a content by its keys."""
    found = (each for each in content["subjects"] if each["key"] == subject)
    return next((each for each in next(found, {"sub_subjects": []})["sub_subjects"] if each["key"] == key), None)


def rows_of(parts: list[Part]) -> list[Part]:
    """Return parts as rows of a form, with empty rows for further ones."""
    return [_shown(each) for each in parts] + [{} for _ in range(EMPTY_ROWS)]


def _shown(part: Part) -> Part:
    shown = dict(part)
    for name in ("active_from", "active_until"):
        shown[name] = show_time(part.get(name))
    if "choices" in part:
        shown["choices"] = "\n".join(f"{each['title']} | {each['title_en']}" for each in part["choices"])
    return shown


def show_time(text: str | None) -> str:
    """Return a moment of the JSON as people of the console write it, ``1405-09-22 14:30``; empty for none."""
    return local_text(datetime.fromisoformat(text)) if text else ""


def read_time(name: str, typed: str) -> str | None:
    """Return a typed Jalali day and time of Tehran as a moment of the JSON; None for none. Raises FieldError."""
    text = to_ascii(typed).strip()
    if not text:
        return None
    match = _TIME.fullmatch(text)
    try:
        if match is None:
            raise InvalidJalaliDateError("format", "not a day and a time")
        clock = time(int(match["hour"] or 0), int(match["minute"] or 0))
        day = JalaliDate.parse(match["day"]).to_gregorian()
    except ValueError:
        raise FieldError(name, "زمان را به شکل ۱۴۰۵/۰۹/۲۲ ۱۴:۳۰ بنویسید.") from None
    return datetime.combine(day, clock, TEHRAN).astimezone(UTC).isoformat()


def read_sub_subject(form: Form, before: Part | None) -> Part:
    """Return the sub-subject of a form; ``before`` is the one it replaces. Raises FieldError."""
    days = bare(form.get("answer_within_days", ""))
    if not days.isdigit():
        raise FieldError("answer_within_days", "مهلت پاسخ را به روز کاری و با رقم بنویسید.")
    old = before or {}
    earlier = {each["key"]: each for each in old.get("fields", [])}
    return {
        "key": before["key"] if before else _new_key(form),
        **{name: form.get(name, "").strip() for name in _TEXTS},
        "answer_within_days": int(days),
        "office": form.get("office") or None,
        "active_from": read_time("active_from", form.get("active_from", "")),
        "active_until": read_time("active_until", form.get("active_until", "")),
        "fields": [_field(row, earlier.get(row.get("key", ""), {})) for _, row in _rows(form, "fields", old)],
        "documents": [_document(row, "document") for _, row in _rows(form, "documents", old)],
        "closures": [_closure(row, place) for place, row in _rows(form, "closures", old)],
    }


def read_announcements(form: Form, before: Part) -> Part:
    """Return the notices, closures and days off of a form; ``before`` has the old ones. Raises FieldError."""
    return {
        "notices": [_notice(row, place) for place, row in _rows(form, "notices", before)],
        "closures": [_closure(row, place) for place, row in _rows(form, "closures", before)],
        "holidays": [_holiday(line) for line in form.get("holidays", "").split("\n") if line.strip()],
    }


def show_holidays(days: list[str]) -> str:
    """Return days off as lines of a form."""
    return "\n".join(JalaliDate.from_gregorian(datetime.fromisoformat(day).date()).isoformat() for day in days)


def _holiday(line: str) -> str:
    try:
        return JalaliDate.parse(line).to_gregorian().isoformat()
    except InvalidJalaliDateError:
        raise FieldError(
            "holidays", f"«{line.strip()}» تاریخ نیست؛ هر روز را در یک سطر و مانند ۱۴۰۵/۰۹/۲۲ بنویسید."
        ) from None


def _new_key(form: Form) -> str:
    key = form.get("key", "").strip()
    if not _KEY.fullmatch(key) or key == "new":
        raise FieldError(
            "key", "کلید با حرف کوچک لاتین آغاز می‌شود و فقط حرف کوچک لاتین، رقم و _ دارد؛ مانند visa_delay."
        )
    return key


def _rows(form: Form, name: str, before: Part) -> list[tuple[str, Part]]:
    """Return the rows of a part that have a main text, with the beginning of the names of their inputs.

    Raises FieldError for a new row that has other texts only.
    """
    pattern = re.compile(rf"{name}-([0-9]{{1,4}})-([a-z_]+)")
    rows: dict[int, Part] = {}
    for key, value in form.items():
        if match := pattern.fullmatch(key):
            rows.setdefault(int(match[1]), {})[match[2]] = value.strip()
    main = "title" if name in {"fields", "documents"} else "text"
    existing = len(before.get(name, []))
    for number, row in rows.items():
        if number > existing and not row.get(main) and any(row.get(typed) for typed in _TYPED):
            raise FieldError(
                f"{name}-{number}-{main}", "متن فارسی را هم بنویسید، یا همهٔ خانه‌های این ردیف را خالی کنید."
            )
    return [(f"{name}-{number}", row) for number, row in sorted(rows.items()) if row.get(main)]


def _field(row: Part, before: Part) -> Part:
    """Return a field; a choice with the title of an earlier one keeps its key, which stored requests name."""
    keys = {each["title"]: each["key"] for each in before.get("choices", [])}
    return {
        **_document(row, "field"),
        "kind": row.get("kind") or "text",
        "choices": [_choice(line, keys) for line in _lines(row)],
    }


def _lines(row: Part) -> list[str]:
    return [line for line in row.get("choices", "").split("\n") if line.strip()] if row.get("kind") == "choice" else []


def _choice(line: str, keys: Mapping[str, str]) -> Part:
    title, _, english = (each.strip() for each in line.partition("|"))
    return {"key": keys.get(title) or _unused("choice"), "title": title, "title_en": english or title}


def _document(row: Part, kind: str) -> Part:
    return {
        "key": row.get("key") or _unused(kind),
        "title": row["title"],
        "title_en": row.get("title_en") or row["title"],
        "required": row.get("required") == "yes",
    }


def _unused(kind: str) -> str:
    """Return a key that no version has used: a key must not get another meaning later."""
    return f"{kind}_{secrets.token_hex(4)}"


def _closure(row: Part, place: str) -> Part:
    return {
        "text": row["text"],
        "text_en": row.get("text_en") or row["text"],
        "active_from": read_time(f"{place}-active_from", row.get("active_from", "")),
        "active_until": read_time(f"{place}-active_until", row.get("active_until", "")),
    }


def _notice(row: Part, place: str) -> Part:
    pages = [page for page in PAGES if row.get(f"on_{page}") == "yes"]
    if not pages:
        raise FieldError(f"{place}-text", "صفحه‌ای را که این اعلان در آن دیده می‌شود انتخاب کنید.")
    return {**_closure(row, place), "level": row.get("level") or "info", "pages": pages}
