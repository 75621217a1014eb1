"""The values of an event for the placeholders of the template files."""

from datetime import datetime
from typing import Any

from desk.iran.digits import fold
from desk.notifier.domain import VALUE_NAMES, Language, Template
from desk.notifier.events import NewRequest, RequestContactChanged, RequestStatusChanged
from desk.notifier.rendering.languages import FORMATS

Values = dict[str, Any]
"""The values by placeholder: strings, lines of a text that a person wrote, and names of files."""


def submission_values(event: NewRequest, language: Language) -> Values:
    """Return the values of a new request, whether or not the applicant's identity is pending."""
    formats = FORMATS[language]
    return _common(event, language) | {
        "subject": event.subject.title,
        "sub_subject": event.sub_subject.title,
        "request_lines": fold(event.text).split("\n"),
        "files": [" ".join(fold(file.name).split()) for file in event.attachments],
        "submitted_at": formats.moment(event.submitted_at),
        "due_day": formats.day(event.due_at),
        "due_day_short": formats.short_day(event.due_at),
    }


def status_values(event: RequestStatusChanged, template: Template, language: Language) -> Values:
    """Return the values of a request that has a new state."""
    formats = FORMATS[language]
    text, at = (event.answer.text, event.answer.at) if event.answer is not None else (event.note or "", event.at)
    values = {
        "at": formats.moment(at),
        "lines": fold(text).split("\n"),
        "due_day": formats.day(event.due_at) if isinstance(event.due_at, datetime) else "",
        "reply_day": formats.short_day(event.reply_until) if isinstance(event.reply_until, datetime) else "",
    }
    common = _common(event, language)
    return common | {name: value for name, value in values.items() if name in VALUE_NAMES[template]}


def contact_values(event: RequestContactChanged, language: Language) -> Values:
    """Return the values of a request that has another mobile."""
    return _common(event, language) | {"at": FORMATS[language].moment(event.at)}


def _common(event: NewRequest | RequestStatusChanged | RequestContactChanged, language: Language) -> Values:
    formats, tracking_code = FORMATS[language], event.tracking_code
    grouped = " ".join(tracking_code[start : start + 4] for start in range(0, len(tracking_code), 4))
    return {
        "name": formats.name(event.applicant),
        "code": tracking_code,
        "code_undivided": formats.digits(tracking_code),
        "code_grouped": formats.digits(grouped),
        "code_isolated": formats.isolated(formats.digits(grouped)),
        "province": formats.province(event.province),
        "office": formats.office(event.office or event.province),
    }
