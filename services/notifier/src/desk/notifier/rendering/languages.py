"""The format of names, provinces, digits and times in each language."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from desk.iran.digits import fold, isolate_ltr, to_persian
from desk.iran.jalali import MONTHS, TEHRAN, format_moment, in_tehran
from desk.iran.offices import HEADQUARTERS
from desk.iran.provinces import UnknownProvinceError, province
from desk.notifier.domain import Language
from desk.notifier.events import ApplicantData, ProvinceData

_HONORIFICS = {"male": "جناب آقای", "female": "سرکار خانم"}
# Not strftime, which depends on the locale of the machine.
_ENGLISH_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ENGLISH_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class LanguageFormat(Protocol):
    """Formats values for one language."""

    def name(self, applicant: ApplicantData) -> str:
        """Return the form of address of an applicant."""

    def province(self, place: ProvinceData) -> str:
        """Return the name of a province."""

    def office(self, place: ProvinceData) -> str:
        """Return what an office is called within a sentence: its province, or headquarters."""

    def digits(self, number: str) -> str:
        """Return a number in the digits of the language."""

    def isolated(self, code: str) -> str:
        """Return a code so that its groups keep their order in bidirectional text."""

    def moment(self, at: datetime) -> str:
        """Return a moment in Tehran time."""

    def day(self, at: datetime) -> str:
        """Return the day of a moment in Tehran."""

    def short_day(self, at: datetime) -> str:
        """Return the day of a moment in Tehran, short enough for an SMS."""


class Persian:
    """Persian digits, and days of the Jalali calendar."""

    def name(self, applicant: ApplicantData) -> str:
        if applicant.gender is None:
            return _full_name(applicant)
        return f"{_HONORIFICS[applicant.gender]} {_one_line(applicant.last_name)}"

    def province(self, place: ProvinceData) -> str:
        return place.name

    def office(self, place: ProvinceData) -> str:
        return place.name if place.key == HEADQUARTERS.key else f"استان {place.name}"

    def digits(self, number: str) -> str:
        return to_persian(number)

    def isolated(self, code: str) -> str:
        return isolate_ltr(code)

    def moment(self, at: datetime) -> str:
        return format_moment(at)

    def day(self, at: datetime) -> str:
        return in_tehran(at)[0].long()

    def short_day(self, at: datetime) -> str:
        day, _ = in_tehran(at)
        return to_persian(f"{day.day} {MONTHS[day.month - 1]} {day.year}")


class English:
    """ASCII digits, so that an SMS uses the GSM alphabet, and days of the Gregorian calendar."""

    def name(self, applicant: ApplicantData) -> str:
        return _full_name(applicant)

    def province(self, place: ProvinceData) -> str:
        try:
            return province(place.key).name_en
        except UnknownProvinceError:
            return place.name

    def office(self, place: ProvinceData) -> str:
        return "the headquarters" if place.key == HEADQUARTERS.key else f"{self.province(place)} province"

    def digits(self, number: str) -> str:
        return number

    def isolated(self, code: str) -> str:
        return code

    def moment(self, at: datetime) -> str:
        return f"{self.day(at)}, {at.astimezone(TEHRAN):%H:%M} Tehran time"

    def day(self, at: datetime) -> str:
        return f"{_ENGLISH_DAYS[at.astimezone(TEHRAN).weekday()]} {self.short_day(at)}"

    def short_day(self, at: datetime) -> str:
        local = at.astimezone(TEHRAN)
        return f"{local.day} {_ENGLISH_MONTHS[local.month - 1]} {local.year}"


FORMATS: Mapping[Language, LanguageFormat] = {Language.FA: Persian(), Language.EN: English()}


def _full_name(applicant: ApplicantData) -> str:
    return f"{_one_line(applicant.first_name)} {_one_line(applicant.last_name)}"


def _one_line(text: str) -> str:
    return " ".join(fold(text).split())
