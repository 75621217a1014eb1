"""Values with which texts are shown before they are in force: typical ones, and the longest ones there can be."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache

from desk.iran.offices import OFFICES
from desk.notifier.domain import CODES, VALUE_NAMES, Language, Place, Template
from desk.notifier.events import ApplicantData, NewRequest, ProvinceData, RequestContactChanged, RequestStatusChanged
from desk.notifier.rendering.languages import FORMATS
from desk.notifier.rendering.values import Values, contact_values, status_values, submission_values

TITLE_MAX = 120
"""Characters of a subject's title in intake's catalogue."""
NAME_MAX = 60
"""Characters of a first or last name that an applicant types."""
DAYS = 1500
"""So many days have every pair of a long weekday and a long month."""
_SUBMITTED_AT = datetime(2026, 12, 13, 11, tzinfo=UTC)
_PERSON = {"first_name": "زهرا", "last_name": "رضایی", "gender": "female"}
_PLACE = {"key": "isfahan", "name": "اصفهان"}
_TITLES = ("ودیعه‌گذاری و قبوض حج تمتع", "صدور قبض")
_TEXT = "متن نمونه"
_REQUEST = {
    "tracking_code": "123456789018",
    "submitted_at": _SUBMITTED_AT,
    "at": _SUBMITTED_AT,
    "due_at": _SUBMITTED_AT + timedelta(days=7),
    "reply_until": _SUBMITTED_AT + timedelta(days=11),
    "province": _PLACE,
    "applicant": _PERSON,
    "contact": {"mobile": ""},
}


def typical(template: Template, language: Language) -> Values:
    """Return values as most messages have them."""
    if template in CODES:
        return {"digits": "40967"}
    if template in {Template.SUBMITTED, Template.PENDING}:
        subject, sub_subject = ({"title": title} for title in _TITLES)
        data = _REQUEST | {"subject": subject, "sub_subject": sub_subject, "text": _TEXT}
        return submission_values(NewRequest.model_validate(data), language)
    if template is Template.CONTACT_CHANGED:
        changed = _REQUEST | {"office": _PLACE, "previous_mobile": "+989123456789"}
        return contact_values(RequestContactChanged.model_validate(changed), language)
    reminder = template is Template.QUESTION_REMINDER
    state = Template.INFO_REQUESTED if reminder else template
    data = _REQUEST | {"state": state, "reminder": reminder, "note": _TEXT}
    if template is Template.ANSWERED:
        data |= {"answer": {"text": _TEXT, "at": _SUBMITTED_AT}}
    return status_values(RequestStatusChanged.model_validate(data), template, language)


def longest(template: Template, language: Language) -> Values:
    """Return the longest values: of all offices, of all days of some years, and of what intake accepts.

    Texts with several lines are the typical ones, because they are in the fixed parts of emails only.
    """
    extreme = _longest(language)
    return typical(template, language) | {
        name: value for name, value in extreme.items() if name in VALUE_NAMES[template]
    }


def longest_of(place: Place) -> dict[str, str]:
    """Return the longest value of each placeholder of a text."""
    values = longest(place.template, place.language)
    return {name: value for name, value in values.items() if isinstance(value, str)}


@cache
def _longest(language: Language) -> dict[str, str]:
    formats = FORMATS[language]
    places = [ProvinceData(key=each.key, name=each.name) for each in OFFICES]
    days = [_SUBMITTED_AT + timedelta(days=number) for number in range(DAYS)]
    moment, short_day = _most(map(formats.moment, days)), _most(map(formats.short_day, days))
    return {
        "name": formats.name(ApplicantData(first_name=_long("زهرا", NAME_MAX), last_name=_long("رضایی", NAME_MAX))),
        "province": _most(map(formats.province, places)),
        "office": _most(map(formats.office, places)),
        "subject": _long(_TITLES[0], TITLE_MAX),
        "sub_subject": _long(_TITLES[1], TITLE_MAX),
        "submitted_at": moment,
        "at": moment,
        "due_day": _most(map(formats.day, days)),
        "due_day_short": short_day,
        "reply_day": short_day,
    }


def _most(texts: Iterable[str]) -> str:
    """Return the text that takes the most of an SMS."""
    return max(texts, key=lambda text: len(text.encode("utf-16-be")))


def _long(words: str, length: int) -> str:
    return " ".join([words] * length)[:length].strip().ljust(length, "ی")
