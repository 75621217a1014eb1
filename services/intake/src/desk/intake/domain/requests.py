"""A request: who sends it, of what kind, and until when it is to be answered."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

from desk.intake.catalog import Subject, SubSubject, subjects
from desk.intake.domain.errors import (
    NamesMissingError,
    NamesNotExpectedError,
    UnknownSubjectError,
    UnknownSubSubjectError,
)
from desk.iran.foreign_code import ForeignCode
from desk.iran.jalali import in_tehran
from desk.iran.national_id import NationalId
from desk.iran.workdays import WorkCalendar

Gender = Literal["male", "female"]
Language = Literal["fa", "en"]

FOREIGN_CODE_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Person:
    """What somebody is called: by the civil registry or, until it has answered, by the applicant."""

    first_name: str
    last_name: str
    gender: Gender


@dataclass(frozen=True, slots=True)
class Applicant:
    """Whose request it is; ``birth_date`` is Jalali ``YYYY-MM-DD``."""

    national_id: str
    birth_date: str
    first_name: str
    last_name: str
    gender: Gender

    @property
    def person(self) -> Person:
        """What they are called."""
        return Person(self.first_name, self.last_name, self.gender)

    def named(self, person: Person) -> Self:
        """Give the same applicant under the registry's names."""
        return replace(self, first_name=person.first_name, last_name=person.last_name, gender=person.gender)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who holds an identity token. ``person`` is None as long as the registry has not answered."""

    national_id: str
    birth_date: str
    person: Person | None

    def applicant(self, typed: Person | None) -> Applicant:
        """Name the applicant: by the registry if it has answered, and only otherwise by what was typed.

        Raises NamesMissingError or NamesNotExpectedError.
        """
        if self.person is not None and typed is not None:
            raise NamesNotExpectedError
        person = self.person or typed
        if person is None:
            raise NamesMissingError
        return Applicant(self.national_id, self.birth_date, person.first_name, person.last_name, person.gender)


class IdentityState(StrEnum):
    """What is known of the applicant's identity. All but the first begin as ``PENDING``."""

    KNOWN = "known"
    """The registry answered before the request was sent."""
    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    """The registry cannot tell; the experts are to see for themselves."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """The applicant took the request back before the registry had answered; nobody is asked any more."""


@dataclass(frozen=True, slots=True)
class Contact:
    """How the applicant can be reached, and in which language; phones in E.164."""

    mobile: str
    landline: str | None
    email: str | None
    language: Language = "fa"


@dataclass(frozen=True, slots=True)
class Request:
    """A submitted request, as it stays for ever."""

    id: UUID
    tracking_code: str
    submitted_at: datetime
    due_at: datetime
    province: str
    subject: Subject
    sub_subject: SubSubject
    applicant: Applicant
    """As they were when the request was sent: typed, if the identity was pending."""
    contact: Contact
    text: str
    identity: IdentityState


def is_foreign(number: str) -> bool:
    """Tell a foreign national's code, which has twelve digits, from a national ID."""
    return len(number) == FOREIGN_CODE_DIGITS


def masked(number: str) -> str:
    """Show a national ID or a foreign national's code as a receipt may."""
    return ForeignCode(number).masked if is_foreign(number) else NationalId(number).masked


def choose_subject(subject_key: str, sub_subject_key: str) -> tuple[Subject, SubSubject]:
    """Find both. Raises UnknownSubjectError or UnknownSubSubjectError."""
    for subject in subjects():
        if subject.key == subject_key:
            for sub_subject in subject.sub_subjects:
                if sub_subject.key == sub_subject_key:
                    return subject, sub_subject
            raise UnknownSubSubjectError
    raise UnknownSubjectError


def due_moment(submitted_at: datetime, sub_subject: SubSubject, calendar: WorkCalendar) -> datetime:
    """Give the end (Tehran time) of the last working day on which the answer is in time, as UTC."""
    day, _ = in_tehran(submitted_at)
    return calendar.end_of_day(calendar.add(day.to_gregorian(), sub_subject.answer_within_days))
