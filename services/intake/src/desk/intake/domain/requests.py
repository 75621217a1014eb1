"""A request: its applicant, its subject and its deadline."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

from desk.intake.domain.catalog import SubSubject
from desk.intake.domain.errors import NamesMissingError, NamesNotExpectedError
from desk.intake.domain.extra_fields import FieldValue, Titled
from desk.intake.domain.origin import WEB, Origin
from desk.iran.foreign_code import ForeignCode
from desk.iran.jalali import in_tehran
from desk.iran.national_id import NationalId
from desk.iran.workdays import WorkCalendar

Gender = Literal["male", "female"]
Language = Literal["fa", "en"]

MobileProofMode = Literal["off", "pending", "always"]
"""Whose mobile must be proven: none, that of unconfirmed identities, or each one."""

FOREIGN_CODE_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Person:
    """A name and a gender, from the civil registry or, until it has answered, as the applicant typed them."""

    first_name: str
    last_name: str
    gender: Gender


@dataclass(frozen=True, slots=True)
class Applicant:
    """The person who sends a request; ``birth_date`` is Jalali ``YYYY-MM-DD``."""

    national_id: str
    birth_date: str
    first_name: str
    last_name: str
    gender: Gender

    @property
    def person(self) -> Person:
        """The applicant's names and gender."""
        return Person(self.first_name, self.last_name, self.gender)

    def named(self, person: Person) -> Self:
        """Return the same applicant with the registry's names."""
        return replace(self, first_name=person.first_name, last_name=person.last_name, gender=person.gender)


@dataclass(frozen=True, slots=True)
class Identity:
    """The contents of an identity token. ``person`` is None as long as the registry has not answered."""

    national_id: str
    birth_date: str
    person: Person | None

    def applicant(self, typed: Person | None) -> Applicant:
        """Return the applicant, with the registry's names if it has answered, and with the typed ones otherwise.

        Raises NamesMissingError or NamesNotExpectedError.
        """
        if self.person is not None and typed is not None:
            raise NamesNotExpectedError
        person = self.person or typed
        if person is None:
            raise NamesMissingError
        return Applicant(self.national_id, self.birth_date, person.first_name, person.last_name, person.gender)


class IdentityState(StrEnum):
    """The state of an applicant's identity. All but the first begin as ``PENDING``."""

    KNOWN = "known"
    """The registry answered before the request was sent."""
    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    """The registry cannot decide; the experts check the identity themselves."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """The applicant withdrew the request before the registry had answered; there is no further look-up."""


@dataclass(frozen=True, slots=True)
class Contact:
    """The applicant's contact data and language; phones in E.164. ``mobile`` is empty if there is none."""

    mobile: str
    landline: str | None
    email: str | None
    language: Language = "fa"


@dataclass(frozen=True, slots=True)
class Content:
    """What the applicant wrote, in the shape in which it is stored: a new field needs a default for older requests."""

    text: str
    fields: tuple[FieldValue, ...] = ()
    documents: Mapping[str, Titled] = field(default_factory=dict)
    """The document that a file is, by the file's id."""


@dataclass(frozen=True, slots=True)
class Request:
    """A submitted request, which never changes."""

    id: UUID
    tracking_code: str
    submitted_at: datetime
    due_at: datetime
    province: str
    subject: Titled
    sub_subject: Titled
    applicant: Applicant
    """As submitted: with typed names if the identity was pending."""
    contact: Contact
    content: Content
    identity: IdentityState
    mobile_proven: bool = False
    """Whether the applicant entered the code that was sent to the mobile."""
    office: str = ""
    """The key of the office that receives it first; empty for that of the province."""
    catalog_version: int | None = None
    """The version of the catalogue it was made with; None for requests from before there were versions."""
    origin: Origin = WEB

    @property
    def first_office(self) -> str:
        """The key of the office that receives it first."""
        return self.office or self.province


def is_foreign(number: str) -> bool:
    """Return whether a number is a foreign national's code, which has twelve digits, and not a national ID."""
    return len(number) == FOREIGN_CODE_DIGITS


def mask_number(number: str) -> str:
    """Return a national ID or a foreign national's code with its middle digits hidden, for a receipt."""
    return ForeignCode(number).masked if is_foreign(number) else NationalId(number).masked


def due_moment(submitted_at: datetime, sub_subject: SubSubject, calendar: WorkCalendar) -> datetime:
    """Return the end (Tehran time) of the last working day on which the answer is in time, as UTC."""
    day, _ = in_tehran(submitted_at)
    return calendar.end_of_day(calendar.add(day.to_gregorian(), sub_subject.answer_within_days))
