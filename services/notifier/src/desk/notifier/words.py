"""Events turned into what fills the templates."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from desk.iran.digits import fold
from desk.notifier.domain import Language, Template
from desk.notifier.events import ApplicantData, NewRequest, ProvinceData, RequestStatusChanged
from desk.notifier.languages import SPEECH

Words = dict[str, Any]
"""What a template may use: single words, and ``lines`` of what somebody has written."""

_ALWAYS = {"name", "code", "code_undivided", "code_grouped", "code_isolated", "province"}
_OF_SUBMISSION = {*_ALWAYS, "subject", "submitted_at", "due_day", "due_day_short"}
WORDS: Mapping[Template, set[str]] = {
    Template.SUBMITTED: _OF_SUBMISSION,
    Template.PENDING: _OF_SUBMISSION,
    Template.IDENTITY_REJECTED: {*_ALWAYS, "at", "lines"},
    Template.REFERRED: {*_ALWAYS, "at", "lines", "due_day"},
    Template.INFO_REQUESTED: {*_ALWAYS, "at", "lines"},
    Template.ANSWERED: {*_ALWAYS, "at", "lines"},
    Template.REJECTED: {*_ALWAYS, "at", "lines"},
    Template.WITHDRAWN: {*_ALWAYS, "at"},
}
"""What there is to fill each template with."""


def submission_words(event: NewRequest, language: Language) -> Words:
    """Return the words for a request that was submitted, whether or not the applicant's identity is pending."""
    say = SPEECH[language]
    return _always(event.tracking_code, event.applicant, event.province, language) | {
        "subject": event.subject.title,
        "submitted_at": say.moment(event.submitted_at),
        "due_day": say.day(event.due_at),
        "due_day_short": say.short_day(event.due_at),
    }


def status_words(event: RequestStatusChanged, template: Template, language: Language) -> Words:
    """Return the words for a request that has a new state."""
    say = SPEECH[language]
    said, at = (event.answer.text, event.answer.at) if event.answer is not None else (event.note or "", event.at)
    words = {
        "at": say.moment(at),
        "lines": fold(said).split("\n"),
        "due_day": say.day(event.due_at) if isinstance(event.due_at, datetime) else "",
    }
    always = _always(event.tracking_code, event.applicant, event.province, language)
    return always | {name: word for name, word in words.items() if name in WORDS[template]}


def _always(tracking_code: str, applicant: ApplicantData, place: ProvinceData, language: Language) -> Words:
    say = SPEECH[language]
    grouped = " ".join(tracking_code[start : start + 4] for start in range(0, len(tracking_code), 4))
    return {
        "name": say.name(applicant),
        "code": tracking_code,
        "code_undivided": say.digits(tracking_code),
        "code_grouped": say.digits(grouped),
        "code_isolated": say.isolated(say.digits(grouped)),
        "province": say.province(place),
    }
