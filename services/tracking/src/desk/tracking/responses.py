"""What intake and registry-gateway respond to tracking. Fields that a later version adds are ignored."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from desk.chassis.moments import Moment
from desk.tracking.domain import File, Province, Representative, State, Subject
from desk.tracking.events import Content

StateAtIntake = Literal[State.REGISTERED, State.IDENTITY_PENDING, State.IDENTITY_REJECTED, State.WITHDRAWN]
"""The states that intake distinguishes; it does not consume the reports of provinces."""


class FreshContact(BaseModel):
    """Contact data as intake returns it; phones in E.164."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    mobile: str = ""
    landline: str | None = None
    email: str | None = None


class FreshRequest(Content):
    """A request as intake returns it."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    tracking_code: str
    submitted_at: Moment
    due_at: Moment
    province: Province
    office: Province | None = None
    """The office that receives it first; None for that of the province."""
    subject: Subject
    sub_subject: Subject
    state: StateAtIntake = State.REGISTERED
    text: str = ""
    attachments: tuple[File, ...] = ()
    contact: FreshContact = FreshContact()
    source: str = "web"
    representative: Representative | None = None


class KnownCode(BaseModel):
    """The tracking code of a request at intake and its state there; ``since`` when, if it was pending before."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    tracking_code: str
    state: StateAtIntake
    since: Moment | None = None


class KnownCodes(BaseModel):
    """A page of intake's requests, ordered by code, and the number of its events that the broker has not confirmed."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    requests: list[KnownCode]
    unsent: int
    oldest_unsent_seconds: float
    files_unannounced: int = 0
    """Files reserved before the period's end for a reply whose event has not arrived at intake."""


class Lookup(BaseModel):
    """A look-up of a person in the civil registry: when, and for which purpose.

    To ``submit`` a request, to ``confirm`` one later, about a ``mobile``; registry-gateway may add further purposes.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    at: Moment
    purpose: str


class Lookups(BaseModel):
    """The look-ups of a person, newest first."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    lookups: list[Lookup]


class Released(BaseModel):
    """The state of a request at intake."""

    model_config = ConfigDict(extra="ignore")

    state: StateAtIntake


class _Titled(BaseModel):
    model_config = ConfigDict(extra="ignore")

    key: str
    title: str

    def to_subject(self) -> Subject:
        return Subject(self.key, self.title)


class _CatalogSubject(_Titled):
    sub_subjects: list[_Titled]


class Catalog(BaseModel):
    """The catalogue in force; ``holidays`` are its days off."""

    model_config = ConfigDict(extra="ignore")

    subjects: list[_CatalogSubject]
    holidays: list[date] = []

    def pairs(self) -> dict[tuple[str, str], tuple[Subject, Subject]]:
        """Return each subject with each of its sub-subjects, by their keys."""
        return {
            (subject.key, sub_subject.key): (subject.to_subject(), sub_subject.to_subject())
            for subject in self.subjects
            for sub_subject in subject.sub_subjects
        }
