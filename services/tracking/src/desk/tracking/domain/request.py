"""The request a case is about, as its applicant submitted it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Identity = Literal["confirmed", "unconfirmed"]
"""Whether the civil registry confirmed the applicant's names; if not, they are as typed."""


@dataclass(frozen=True, slots=True)
class Province:
    """A province or an office: its key and its Persian name."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject or sub-subject of the catalogue: its key and its Persian title."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Applicant:
    """The applicant; ``birth_date`` is Jalali ``YYYY-MM-DD``."""

    first_name: str
    last_name: str
    gender: str
    national_id: str
    birth_date: str


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach the applicant, and in which language; phones in E.164. ``mobile`` is empty if there is none."""

    mobile: str
    landline: str | None = None
    email: str | None = None
    language: str = "fa"


@dataclass(frozen=True, slots=True)
class File:
    """A file that intake or a province keeps; ``size`` is in bytes."""

    id: str
    name: str
    size: int
    media_type: str
    sha256: str
    document: Subject | None = None
    """The document of the catalogue that it is, if it is one."""


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A further field of the request: ``value`` is for programs, ``text`` for people."""

    key: str
    title: str
    kind: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Representative:
    """A person who sent the request for the applicant; ``mobile`` is E.164."""

    name: str
    national_id: str
    mobile: str


@dataclass(frozen=True, slots=True)
class Registration:
    """The office that registered the request for the applicant, its reference of the expert, and whose mobile it is."""

    office: Province
    expert: str
    mobile_owner: str


@dataclass(frozen=True, slots=True)
class Request:
    """A submitted request with everything its experts need. ``due_at`` is the first due date of the answer."""

    tracking_code: str
    submitted_at: datetime
    due_at: datetime
    province: Province
    subject: Subject
    sub_subject: Subject
    applicant: Applicant
    contact: Contact
    text: str
    attachments: tuple[File, ...] = ()
    identity: Identity = "confirmed"
    office: Province | None = None
    """The office that receives it first; None for that of the province."""
    fields: tuple[FieldValue, ...] = ()
    source: str = "web"
    representative: Representative | None = None
    registration: Registration | None = None

    @property
    def first_office(self) -> str:
        """The key of the office that receives it first."""
        return (self.office or self.province).key
