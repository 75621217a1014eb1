"""Events turned into the words an applicant reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from desk.iran.digits import fold, isolate_ltr, to_persian
from desk.iran.jalali import MONTHS, format_moment, in_tehran
from desk.notifier.domain import Template
from desk.notifier.events import ApplicantData, NewRequest, RequestStatusChanged

_HONORIFICS = {"male": "جناب آقای", "female": "سرکار خانم"}

Words = dict[str, Any]
"""What a template may use."""


@dataclass(frozen=True, slots=True)
class Email:
    """A rendered email: header, plain text and HTML say the same."""

    subject: str
    text: str
    html: str


class Renderer:
    """Fills the templates. HTML is escaped, and a word a template misses is an error, not a gap."""

    def __init__(self, desk_url: str) -> None:
        """``desk_url`` is the address of the desk's home page."""
        self._templates = Environment(
            loader=PackageLoader("desk.notifier"),
            autoescape=select_autoescape(["html"], default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["desk_url"] = desk_url

    def sms(self, template: Template, words: Words) -> str:
        """Render the short text."""
        return self._fill(f"{template}.sms.txt", words)

    def email(self, template: Template, words: Words) -> Email:
        """Render the three parts of an email."""
        return Email(
            subject=self._fill(f"{template}.email.subject.txt", words),
            text=self._fill(f"{template}.email.txt", words),
            html=self._fill(f"{template}.email.html", words),
        )

    def _fill(self, name: str, words: Words) -> str:
        return self._templates.get_template(name).render(words).strip()


def submission_words(event: NewRequest) -> Words:
    """Give the words for a request that was submitted, whether or not the applicant's identity is pending."""
    due_day, _ = in_tehran(event.due_at)
    return {
        **_common_words(event.tracking_code, event.applicant),
        "province": event.province.name,
        "subject": event.subject.title,
        "submitted_at": format_moment(event.submitted_at),
        "due_day": due_day.long(),
        "due_day_short": to_persian(f"{due_day.day} {MONTHS[due_day.month - 1]} {due_day.year}"),
    }


def answer_words(event: RequestStatusChanged, text: str, at: datetime) -> Words:
    """Give the words for a request that was answered with ``text`` at ``at``."""
    return {
        **_common_words(event.tracking_code, event.applicant),
        "province": event.province.name,
        "answered_at": format_moment(at),
        "answer_lines": fold(text).split("\n"),
    }


def rejection_words(event: RequestStatusChanged, reason: str) -> Words:
    """Give the words for a request that is over because the civil registry does not vouch for its applicant."""
    return {**_common_words(event.tracking_code, event.applicant), "reason": fold(reason)}


_SMS_VALUES = ("code", "province", "due_day_short")


def sms_values(words: Words) -> dict[str, str]:
    """Pick what fills an SMS, for a provider that keeps the template's words itself."""
    return {name: str(words[name]) for name in _SMS_VALUES if name in words}


def _common_words(tracking_code: str, applicant: ApplicantData) -> Words:
    grouped = " ".join(tracking_code[start : start + 4] for start in range(0, len(tracking_code), 4))
    return {
        "name": _form_of_address(applicant),
        "code": tracking_code,
        "code_persian": to_persian(tracking_code),
        "code_grouped": to_persian(grouped),
        "code_isolated": isolate_ltr(to_persian(grouped)),
    }


def _form_of_address(applicant: ApplicantData) -> str:
    if applicant.gender is None:
        return f"{_one_line(applicant.first_name)} {_one_line(applicant.last_name)}"
    return f"{_HONORIFICS[applicant.gender]} {_one_line(applicant.last_name)}"


def _one_line(text: str) -> str:
    return " ".join(fold(text).split())
